insert into public.tenants (workspace_id, first_name, last_name, email, phone)
select '%(workspace)s', 'Rae', 'Renter', n || '@bulk.test', '555-0100' from generate_series(1, %(bulk)s) as n
