insert into public.units (workspace_id, property_id, unit_number, bedrooms)
values ('%(workspace)s', '%(property)s', gen_random_uuid()::text, 2)
