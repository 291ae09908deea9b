insert into public.tenants (workspace_id, first_name, last_name, email, phone)
values ('%(workspace)s', 'Rae', 'Renter', gen_random_uuid() || '@bench.test', '555-0100')
