-- An owner with a portfolio of %(units)s units, half of them in use by their first ids.

insert into auth.users (id, email) values ('%(owner)s', 'owner@bench.test');
insert into public.workspaces (id, name) values ('%(workspace)s', 'Bench');
insert into public.workspace_members (workspace_id, user_id, role) values ('%(workspace)s', '%(owner)s', 'owner');
insert into public.properties (id, workspace_id, name, address_line1, city)
values ('%(property)s', '%(workspace)s', 'Long Row', '1 Long Row', 'Springfield');
insert into public.units (id, workspace_id, property_id, unit_number, bedrooms)
select lpad(to_hex(n), 32, '0')::uuid, '%(workspace)s', '%(property)s', 'U' || n, 1
from generate_series(1, %(units)s) as n;
analyze public.workspaces, public.workspace_members, public.properties, public.units;
