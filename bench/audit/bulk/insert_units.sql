insert into public.units (workspace_id, property_id, unit_number, bedrooms)
select '%(workspace)s', '%(property)s', 'bulk ' || n, 2 from generate_series(1, %(bulk)s) as n
