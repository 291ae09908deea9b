-- One workspace with %(large)s properties that all have values, among %(others)s workspaces with %(small)s each; and another one
-- with %(batch)s properties that have none yet. As a superuser: triggers and foreign keys are off for the fill.

set session_replication_role = replica;
set synchronous_commit = off;
select setseed(0.5);

create schema bench;

create table bench.workspaces as
select n, gen_random_uuid() as id, case n when 0 then %(large)s else %(small)s end as properties
from generate_series(0, %(others)s) as n;

insert into auth.users (id, email) values ('00000000-0000-4000-8000-000000000001', 'member@bench.test');

insert into public.workspaces (id, name) select id, 'Workspace ' || n from bench.workspaces;

insert into public.workspace_members (workspace_id, user_id, role)
select id, '00000000-0000-4000-8000-000000000001', 'owner' from bench.workspaces where n = 0;

-- In no order, as rows of many workspaces do that grow side by side.
insert into public.property_custom_fields (workspace_id, property_id, fields)
select
    w.id,
    gen_random_uuid(),
    jsonb_build_object(
        'code', 'C' || (random() * %(large)s / 10)::integer,
        'heating', (array['gas', 'oil', 'electric'])[1 + (random() * 2)::integer],
        'floors', 1 + (random() * 30)::integer,
        'painted_on', date '2020-01-01' + (random() * 2000)::integer,
        'pool', random() < 0.1
    )
from bench.workspaces as w
cross join lateral generate_series(1, w.properties) as p
order by random();

insert into public.workspaces (id, name) values ('00000000-0000-4000-8000-000000000002', 'To be written');

insert into public.custom_field_definitions (workspace_id, entity, key, label, type, options)
select '00000000-0000-4000-8000-000000000002', 'properties', f.key, f.key, f.type, f.options
from (
    values
    ('code', 'text', null::text []),
    ('heating', 'option', '{gas, oil, electric}'),
    ('floors', 'integer', null),
    ('painted_on', 'date', null),
    ('pool', 'boolean', null)
) as f (key, type, options);

insert into public.properties (id, workspace_id, name, address_line1, city, timezone, currency)
select gen_random_uuid(), '00000000-0000-4000-8000-000000000002', 'House ' || n, '1 Elm Street', 'Springfield', 'UTC', 'USD'
from generate_series(1, %(batch)s) as n;

vacuum (analyze);

checkpoint;
