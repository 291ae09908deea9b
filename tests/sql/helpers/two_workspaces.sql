-- Workspaces A and B, alike to the last row, and everybody who may knock. Loaded inside a test's transaction.
--
-- Ids are looked up by name: `ws('a')`, `prop('a')`, `unit('a', 3)`, `lease('b', 'draft')`, `member('viewer_a')`.
-- `act_as('viewer_a')` makes the session what PostgREST makes it for that person's request.

create schema tests;
set local search_path = tests, public, extensions;


-- The nth thing of a kind in a workspace. The kind's number stands in the second group: a failure can be read.
create function tests.id_of(p_workspace text, p_kind text, p_n integer default 1)
    returns uuid
    immutable
    language sql
as $$
    select format(
        '%s-%s-4000-8000-%s',
        rpad(p_workspace, 8, '0'),
        lpad(array_position(
            array[
                'user', 'workspace', 'property', 'unit', 'tenant', 'vendor', 'lease', 'lease_unit', 'lease_term',
                'invitation', 'message', 'import', 'maintenance_request', 'maintenance_comment', 'maintenance_plan',
                'lease_addendum', 'inspection', 'inspection_item', 'inspection_template', 'expense', 'document',
                'custom_field', 'notification', 'audit_entry', 'address_correction'
            ],
            p_kind
        )::text, 4, '0'),
        lpad(p_n::text, 12, '0')
    )::uuid
$$;

create function tests.ws(p_workspace text) returns uuid immutable language sql
as $$ select tests.id_of(p_workspace, 'workspace') $$;

create function tests.prop(p_workspace text, p_n integer default 1) returns uuid immutable language sql
as $$ select tests.id_of(p_workspace, 'property', p_n) $$;

create function tests.unit(p_workspace text, p_n integer default 1) returns uuid immutable language sql
as $$ select tests.id_of(p_workspace, 'unit', p_n) $$;

create function tests.tenant(p_workspace text, p_n integer default 1) returns uuid immutable language sql
as $$ select tests.id_of(p_workspace, 'tenant', p_n) $$;

create function tests.vendor(p_workspace text, p_n integer default 1) returns uuid immutable language sql
as $$ select tests.id_of(p_workspace, 'vendor', p_n) $$;

create function tests.lease(p_workspace text, p_name text) returns uuid immutable language sql
as $$ select tests.id_of(p_workspace, 'lease', array_position('{draft, active, ended, neighbour}', p_name)) $$;

create function tests.request(p_workspace text, p_n integer default 1) returns uuid immutable language sql
as $$ select tests.id_of(p_workspace, 'maintenance_request', p_n) $$;


-- Whom `act_as` knows, with the role that PostgREST takes for them.
create table tests.actors (
    name text primary key,
    role name not null,
    user_id uuid
);

insert into tests.actors (name, role, user_id)
select
    p.name || '_' || w.letter,
    'authenticated',
    tests.id_of(w.letter, 'user', p.n::integer)
from (values ('a'), ('b')) as w (letter)
cross join unnest(array[
    'owner', 'admin', 'manager', 'accountant', 'viewer', 'suspended', 'removed', 'renter', 'occupant', 'vendor',
    'tied', 'former', 'unassigned'
]) with ordinality as p (name, n);

insert into tests.actors (name, role, user_id) values
('anon', 'anon', null),
('outsider', 'authenticated', tests.id_of('c', 'user', 1)),
('both', 'authenticated', tests.id_of('c', 'user', 2)),
('service_role', 'service_role', null),
('worker', 'worker', null);


-- The account of an actor.
create function tests.member(p_actor text)
    returns uuid
    stable
    language sql
as $$
    select user_id from tests.actors where name = p_actor
$$;


-- Role and claims as PostgREST sets them before a request's statement.
create function tests.act_as(p_actor text)
    returns void
    volatile
    language plpgsql
as $$
declare
    v_actor tests.actors;
begin
    select * into strict v_actor from tests.actors where name = p_actor;
    perform
        set_config('role', v_actor.role, true),
        set_config('request.jwt.claims', jsonb_strip_nulls(jsonb_build_object(
            'role', v_actor.role,
            'sub', v_actor.user_id,
            'email', p_actor || '@example.com',
            'aud', v_actor.role,
            'aal', 'aal1',
            'session_id', v_actor.user_id,
            'is_anonymous', false
        ))::text, true);
exception when no_data_found then
    raise exception 'There is no actor %: two_workspaces.sql lists them.', p_actor;
end
$$;


-- Back to the role that runs the tests, which sees every row, to check what was left behind.
create function tests.act_as_postgres()
    returns void
    volatile
    language sql
as $$
    select set_config('role', 'none', true), set_config('request.jwt.claims', '', true)
$$;

grant usage on schema tests to public;
grant select on tests.actors to public;
grant execute on all functions in schema tests to public;


insert into auth.users (id, email, aud, role, created_at, updated_at)
select user_id, name || '@example.com', 'authenticated', 'authenticated', now(), now()
from tests.actors
where user_id is not null;

-- From here on each statement writes the same rows for both workspaces.
create table tests.workspaces as select letter from (values ('a'), ('b')) as w (letter);

insert into public.workspaces (id, name, created_by)
select ws(letter), 'Workspace ' || upper(letter), member('owner_' || letter)
from tests.workspaces;

insert into public.workspace_members (workspace_id, user_id, role, status)
select
    ws(w.letter),
    member(p.role || '_' || w.letter),
    case when p.role in ('suspended', 'removed') then 'admin' when p.role = 'tied' then 'viewer' else p.role end,
    case p.role when 'suspended' then 'suspended' else 'active' end
from tests.workspaces as w
cross join unnest(array[
    'owner', 'admin', 'manager', 'accountant', 'viewer', 'suspended', 'removed', 'tied'
]) as p (role);

-- Somebody with a hat in each: what they may do in A must not carry over to B.
insert into public.workspace_members (workspace_id, user_id, role) values
(ws('a'), member('both'), 'manager'),
(ws('b'), member('both'), 'accountant');

insert into public.properties
    (id, workspace_id, name, address_line1, city, state, postal_code, place_id, timezone, currency, manager_id)
select
    prop(w.letter, p.n), ws(w.letter), p.name, p.n || ' Elm Street', 'Springfield', 'IL', '62701', 'place-' || p.n,
    'America/Chicago', 'USD', member('manager_' || w.letter)
from tests.workspaces as w
cross join (values (1, 'Elm Court'), (2, 'Empty Lot')) as p (n, name);

-- 1 is let, 2 was on that lease by mistake, 3 was let, 4 is planned for, 5 is the neighbour's.
insert into public.units (id, workspace_id, property_id, unit_number)
select unit(w.letter, n), ws(w.letter), prop(w.letter), n || 'A'
from tests.workspaces as w
cross join generate_series(1, 5) as n;

-- 3 has the outsider's address: what ties an account to a record is a token, never a matching e-mail.
-- 5 is a viewer of the other workspace, who rents in this one. The lease of 6 has ended.
insert into public.tenants (id, workspace_id, first_name, last_name, email, user_id)
select
    tenant(w.letter, t.n), ws(w.letter), t.first_name, 'Renter', t.email,
    member(t.actor || '_' || case t.actor when 'tied' then translate(w.letter, 'ab', 'ba') else w.letter end)
from tests.workspaces as w
cross join (
    values
    (1, 'Rita', 'rita@example.com', 'renter'),
    (2, 'Otis', 'otis@example.com', 'occupant'),
    (3, 'Nora', 'outsider@example.com', null),
    (4, 'Pat', 'pat@example.com', null),
    (5, 'Tess', 'tess@example.com', 'tied'),
    (6, 'Finn', 'finn@example.com', 'former')
) as t (n, first_name, email, actor);

insert into public.vendors (id, workspace_id, name, email, user_id)
select vendor(w.letter, v.n), ws(w.letter), v.name, v.email, member(v.actor || '_' || w.letter)
from tests.workspaces as w
cross join (
    values
    (1, 'Pipes & Sons', 'pipes@example.com', 'vendor'),
    (2, 'Brooms', 'outsider@example.com', null),
    (3, 'Locks', 'locks@example.com', 'unassigned')
) as v (n, name, email, actor);

insert into public.leases
    (id, workspace_id, property_id, lease_number, status, starts_on, ends_on, currency, activated_at, ended_on)
select
    lease(w.letter, l.name), ws(w.letter), prop(w.letter), upper(l.name), l.status, l.starts_on, l.ends_on, 'USD',
    l.activated_at, l.ended_on
from tests.workspaces as w
cross join (
    values
    ('draft', 'draft', date '2031-01-01', date '2031-12-31', null::timestamptz, null::date),
    ('active', 'active', '2020-01-01', null, '2020-01-01', null),
    ('ended', 'ended', '2018-01-01', '2018-12-31', '2018-01-01', '2018-12-31'),
    ('neighbour', 'active', '2020-01-01', null, '2020-01-01', null)
) as l (name, status, starts_on, ends_on, activated_at, ended_on);

insert into public.lease_units
    (id, workspace_id, property_id, lease_id, unit_id, possession, binding, recorded_at, superseded_at)
select
    tests.id_of(w.letter, 'lease_unit', u.n), ws(w.letter), prop(w.letter), lease(w.letter, u.lease),
    unit(w.letter, u.n), daterange(u.starts_on, u.ends_on, '[]'), u.lease <> 'draft', '2020-01-01', u.superseded_at
from tests.workspaces as w
cross join (
    values
    (1, 'active', date '2020-01-01', null::date, null::timestamptz),
    (2, 'active', '2020-01-01', null, '2020-02-01'),
    (3, 'ended', '2018-01-01', '2018-12-31', null),
    (4, 'draft', '2031-01-01', '2031-12-31', null),
    (5, 'neighbour', '2020-01-01', null, null)
) as u (n, lease, starts_on, ends_on, superseded_at);

insert into public.lease_tenants (workspace_id, lease_id, tenant_id, role)
select ws(w.letter), lease(w.letter, p.lease), tenant(w.letter, p.n), p.role
from tests.workspaces as w
cross join (
    values
    ('draft', 1, 'primary'),
    ('active', 1, 'primary'),
    ('active', 2, 'occupant'),
    ('ended', 3, 'primary'),
    ('ended', 1, 'co_tenant'),
    ('ended', 6, 'co_tenant'),
    ('neighbour', 3, 'primary'),
    ('neighbour', 5, 'co_tenant')
) as p (lease, n, role);

insert into public.lease_terms (id, workspace_id, lease_id, effective_on, rent_minor)
select tests.id_of(w.letter, 'lease_term', t.n), ws(w.letter), lease(w.letter, t.lease), t.effective_on, 125000
from tests.workspaces as w
cross join (
    values
    (1, 'draft', date '2031-01-01'),
    (2, 'active', '2020-01-01'),
    (3, 'ended', '2018-01-01'),
    (4, 'neighbour', '2020-01-01')
) as t (n, lease, effective_on);

insert into public.workspace_invitations
    (id, workspace_id, kind, email, role, tenant_id, vendor_id, invited_by, expires_at)
select
    tests.id_of(w.letter, 'invitation', i.n), ws(w.letter), i.kind, 'outsider@example.com', i.role,
    case i.kind when 'renter' then tenant(w.letter, 3) end, case i.kind when 'vendor' then vendor(w.letter, 2) end,
    member('owner_' || w.letter), now() + interval '7 days'
from tests.workspaces as w
cross join (values (1, 'member', 'manager'), (2, 'renter', null), (3, 'vendor', null)) as i (n, kind, role);

insert into private.invitation_tokens (digest, invitation_id)
select sha256(convert_to('token ' || w.letter || i.n, 'UTF8')), tests.id_of(w.letter, 'invitation', i.n)
from tests.workspaces as w
cross join generate_series(1, 3) as i (n);

insert into public.messages
    (id, workspace_id, template, to_address, dedupe_key, status, unknown_at)
select
    tests.id_of(w.letter, 'message', m.n), ws(w.letter), m.template, 'rita@example.com', m.template, m.status,
    case m.status when 'unknown' then now() end
from tests.workspaces as w
cross join (values (1, 'lease_expiry', 'unknown'), (2, 'invitation', 'queued')) as m (n, template, status);

insert into public.imports
    (id, workspace_id, kind, status, file_name, file_digest, result, created_by, committed_at)
select
    tests.id_of(w.letter, 'import', i.n), ws(w.letter), 'rent_roll', i.status, 'rents.csv', repeat(i.n::text, 64),
    i.result, member('manager_' || w.letter), case i.status when 'committed' then now() end
from tests.workspaces as w
cross join (values (1, 'staged', null::jsonb), (2, 'committed', '{}')) as i (n, status, result);

-- 1 is the renter's and the vendor's, 2 is kept from the renter, 3 was theirs and the former's, 4 is the neighbours'.
insert into public.maintenance_requests
    (id, workspace_id, property_id, unit_id, lease_id, tenant_id, title, shown_to_renter, assigned_vendor_id)
select
    request(w.letter, r.n), ws(w.letter), prop(w.letter), unit(w.letter, r.unit), lease(w.letter, r.lease),
    tenant(w.letter, r.tenant), r.title, r.shown_to_renter, case when r.vendor > 0 then vendor(w.letter, r.vendor) end
from tests.workspaces as w
cross join (
    values
    (1, 1, 'active', 1, 'Leak', true, 1),
    (2, 1, 'active', 1, 'Draughty window', false, null),
    (3, 3, 'ended', 6, 'Old lock', true, null),
    (4, 5, 'neighbour', 5, 'Broken stove', true, 2)
) as r (n, unit, lease, tenant, title, shown_to_renter, vendor);

update public.maintenance_requests set status = 'completed' where title = 'Old lock';

-- 1 is internal, 2 for the renter, 3 for the vendor, 4 about what the renter does not see, 5 for the neighbours' sides both.
insert into public.maintenance_comments
    (id, workspace_id, request_id, body, visible_to_renter, visible_to_vendor)
select
    tests.id_of(w.letter, 'maintenance_comment', c.n), ws(w.letter), request(w.letter, c.request), c.body, c.renter,
    c.vendor
from tests.workspaces as w
cross join (
    values
    (1, 1, 'Third time this year', false, false),
    (2, 1, 'We come on Monday', true, false),
    (3, 1, 'The tap is under the sink', false, true),
    (4, 2, 'Ask them first', true, false),
    (5, 4, 'It is on order', true, true)
) as c (n, request, body, renter, vendor);

insert into public.maintenance_costs (workspace_id, request_id, currency, estimate_minor)
select ws(w.letter), request(w.letter, n), 'USD', 10000
from tests.workspaces as w
cross join unnest(array[1, 3]) as n;

insert into public.maintenance_plans
    (id, workspace_id, property_id, unit_id, title, interval_unit, anchor_on, status, assigned_vendor_id)
select
    tests.id_of(w.letter, 'maintenance_plan', p.n), ws(w.letter), prop(w.letter),
    case when p.unit > 0 then unit(w.letter, p.unit) end, p.title,
    'month', '2031-01-31', p.status, vendor(w.letter)
from tests.workspaces as w
cross join (values (1, null::integer, 'Mow', 'active'), (2, 1, 'Filter', 'paused')) as p (n, unit, title, status);

-- 5 is archived, and a value has it. No value has 6.
insert into public.custom_field_definitions (id, workspace_id, entity, key, label, type, options)
select tests.id_of(w.letter, 'custom_field', f.n), ws(w.letter), f.entity, f.key, f.key, f.type, f.options
from tests.workspaces as w
cross join (
    values
    (1, 'properties', 'roof_year', 'integer', null::text []),
    (2, 'units', 'parking', 'option', array['A1', 'A2']),
    (3, 'tenants', 'pets', 'options', array['cat', 'dog']),
    (4, 'leases', 'gate_code', 'text', null),
    (5, 'leases', 'old_code', 'text', null),
    (6, 'tenants', 'nickname', 'text', null),
    (7, 'maintenance_requests', 'floor', 'integer', null)
) as f (n, entity, key, type, options);

insert into public.property_custom_fields (workspace_id, property_id, fields)
select ws(letter), prop(letter), '{"roof_year": 1999}' from tests.workspaces;

insert into public.unit_custom_fields (workspace_id, unit_id, fields)
select ws(w.letter), unit(w.letter, n), '{"parking": "A1"}' from tests.workspaces as w cross join generate_series(1, 2) as n;

insert into public.tenant_custom_fields (workspace_id, tenant_id, fields)
select ws(w.letter), tenant(w.letter, n), '{"pets": ["dog"]}'
from tests.workspaces as w
cross join unnest('{1, 6}'::integer []) as n;

insert into public.lease_custom_fields (workspace_id, lease_id, fields)
select ws(w.letter), lease(w.letter, name), '{"gate_code": "4711", "old_code": "12"}'
from tests.workspaces as w
cross join unnest('{active, ended}'::text []) as name;

insert into public.maintenance_request_custom_fields (workspace_id, request_id, fields)
select ws(w.letter), request(w.letter, n), '{"floor": 2}' from tests.workspaces as w cross join generate_series(1, 2) as n;

update public.custom_field_definitions set status = 'archived' where key = 'old_code';

-- Templates and inspections. 2, 3, 4 and 6 are completed further down: 2 begins a lease, 4 ended one, 3 is routine.
insert into public.inspection_templates (id, workspace_id, name, inspection_type)
select tests.id_of(w.letter, 'inspection_template', t.n), ws(w.letter), t.name, t.inspection_type
from tests.workspaces as w
cross join (values (1, 'Move-in', 'move_in'), (2, 'Spare', 'routine')) as t (n, name, inspection_type);

insert into public.inspection_template_items (workspace_id, template_id, room, item, position)
select ws(w.letter), tests.id_of(w.letter, 'inspection_template', 1), i.room, i.item, i.position
from tests.workspaces as w
cross join (values ('Kitchen', 'Oven', 1), ('Kitchen', 'Walls', 2)) as i (room, item, position);

insert into public.inspections (id, workspace_id, property_id, lease_id, inspection_type, title, performed_at, notes)
select
    tests.id_of(w.letter, 'inspection', i.n), ws(w.letter), prop(w.letter),
    case when i.lease is not null then lease(w.letter, i.lease) end, i.inspection_type, 'Inspection ' || i.n, '2020-01-01',
    i.notes
from tests.workspaces as w
cross join (
    values
    (1, null, 'routine', null),
    (2, 'active', 'move_in', 'As found'),
    (3, 'active', 'routine', 'As found'),
    (4, 'ended', 'move_out', 'As found'),
    (5, 'active', 'move_out', null),
    (6, 'neighbour', 'move_in', 'As found')
) as i (n, lease, inspection_type, notes);

insert into public.inspection_items (id, workspace_id, inspection_id, room, item, condition, note, position)
select
    tests.id_of(w.letter, 'inspection_item', i.n), ws(w.letter), tests.id_of(w.letter, 'inspection', i.inspection),
    'Kitchen', i.item, i.condition, i.note, i.n
from tests.workspaces as w
cross join (
    values
    (1, 1, 'Oven', null, null),
    (2, 1, 'Walls', null, null),
    (3, 2, 'Oven', 'good', 'As found'),
    (4, 2, 'Walls', 'fair', 'As found'),
    (5, 4, 'Oven', 'damaged', 'As found'),
    (6, 6, 'Oven', 'good', 'As found')
) as i (n, inspection, item, condition, note);

-- 2 was a mistake.
insert into public.expenses
    (id, workspace_id, property_id, vendor_id, category, amount_minor, currency, incurred_on, voided_at, void_reason)
select
    tests.id_of(w.letter, 'expense', e.n), ws(w.letter), prop(w.letter), vendor(w.letter), 'repairs', 12500, 'USD',
    '2020-01-01', e.voided_at, e.void_reason
from tests.workspaces as w
cross join (values (1, null::timestamptz, null), (2, '2020-02-01', 'Twice')) as e (n, voided_at, void_reason);

-- What each is attached to, to whom it is shown, and whether it is there: a renter and a vendor see what is theirs of these.
insert into public.documents (
    id, workspace_id, title, status, storage_path, content_type, size_bytes, sha256, visible_to_renters,
    visible_to_vendors, property_id, unit_id, tenant_id, lease_id, vendor_id, inspection_id, inspection_item_id, expense_id,
    maintenance_request_id
)
select
    tests.id_of(w.letter, 'document', d.n), ws(w.letter), 'Document ' || d.n, d.status, ws(w.letter) || '/' || d.n,
    'application/pdf', 1000, repeat('0', 64), d.renters, d.vendors,
    case when d.property then prop(w.letter) end,
    case when d.unit is not null then unit(w.letter, d.unit) end,
    case when d.tenant is not null then tenant(w.letter, d.tenant) end,
    case when d.lease is not null then lease(w.letter, d.lease) end,
    case when d.vendor is not null then vendor(w.letter, d.vendor) end,
    case when d.inspection is not null then tests.id_of(w.letter, 'inspection', d.inspection) end,
    case when d.item is not null then tests.id_of(w.letter, 'inspection_item', d.item) end,
    case when d.expense is not null then tests.id_of(w.letter, 'expense', d.expense) end,
    case when d.request is not null then request(w.letter, d.request) end
from tests.workspaces as w
cross join (
    values
    (
        1, 'available', true, false, false, null::integer, 1, null, null::integer, null::integer, null::integer, null::integer,
        null::integer
    ),
    (2, 'available', true, false, true, 1, null, 'active', null, null, null, null, null),
    (3, 'available', true, false, true, 3, null, 'ended', null, null, null, null, null),
    (4, 'available', true, false, false, null, 2, 'active', null, null, null, null, null),
    (5, 'available', false, true, false, null, null, 'active', null, null, null, null, null),
    (6, 'pending_upload', true, false, false, null, null, 'active', null, null, null, null, null),
    (7, 'available', true, false, true, 1, null, null, null, null, null, null, null),
    (8, 'available', true, false, true, null, null, null, null, null, null, null, null),
    (9, 'available', true, false, true, null, null, null, null, 2, 3, null, null),
    (10, 'available', false, true, false, null, null, null, 1, null, null, null, null),
    (11, 'archived', false, true, false, null, null, null, 1, null, null, null, null),
    (12, 'available', true, false, true, null, null, null, 1, null, null, null, null),
    (13, 'available', true, true, true, null, null, null, null, null, null, 1, null),
    (14, 'available', true, true, false, null, null, null, null, null, null, null, null),
    (15, 'available', true, false, true, 1, null, null, null, null, null, null, 1),
    (16, 'available', false, true, false, null, null, 'active', null, null, null, null, 1),
    (17, 'available', true, true, false, null, null, null, null, null, null, null, 4)
) as d (n, status, renters, vendors, property, unit, tenant, lease, vendor, inspection, item, expense, request);

update public.inspections
set status = 'completed', completed_at = '2020-01-02', content_digest = repeat('0', 64)
where notes = 'As found';

insert into public.inspection_signatures
    (workspace_id, inspection_id, signed_as, tenant_id, user_id, signer_name, content_digest, signed_at)
select
    ws(w.letter), tests.id_of(w.letter, 'inspection', s.inspection), s.signed_as,
    case when s.tenant is not null then tenant(w.letter, s.tenant) end, member(s.actor || '_' || w.letter), s.name,
    repeat('0', 64), '2020-01-03'
from tests.workspaces as w
cross join (
    values
    (2, 'landlord', null, 'manager', 'May Manager'),
    (4, 'landlord', null, 'manager', 'May Manager'),
    (4, 'renter', 6, 'former', 'Finn Renter')
) as s (inspection, signed_as, tenant, actor, name);

-- What all of this told people counts for nothing: these take its place.
delete from public.notifications;

insert into public.notifications
    (id, workspace_id, user_id, audience, category, title, lease_id, maintenance_request_id, dedupe_key, read_at)
select
    tests.id_of(w.letter, 'notification', n.n), ws(w.letter),
    member(case n.actor when 'both' then 'both' when 'tied' then 'tied_' || other.letter else n.actor || '_' || w.letter end),
    n.audience,
    case n.audience when 'member' then 'lease_expiry' when 'renter' then 'request_status' else 'work_assigned' end,
    'Notice ' || n.n, case when n.lease <> '' then lease(w.letter, n.lease) end,
    case when n.request > 0 then request(w.letter, n.request) end, n.n::text, n.read_at
from tests.workspaces as w
cross join (
    values
    (1, 'manager', 'member', 'active', null::integer, null::timestamptz),
    (2, 'manager', 'member', null, 1, now()),
    (3, 'viewer', 'member', 'active', null, null),
    (4, 'suspended', 'member', 'active', null, null),
    (5, 'both', 'member', 'active', null, null),
    (6, 'removed', 'member', 'active', null, null),
    -- A viewer of the other workspace who rents here.
    (7, 'tied', 'renter', null, 1, null),
    (8, 'renter', 'renter', null, 1, null),
    (9, 'former', 'renter', null, null, null),
    (10, 'vendor', 'vendor', null, 1, null)
) as n (n, actor, audience, lease, request, read_at)
join tests.workspaces as other on other.letter <> w.letter;

insert into public.notification_preferences (workspace_id, user_id, audience, category, channel, enabled)
select
    ws(w.letter),
    member(case p.actor when 'both' then 'both' when 'tied' then 'tied_' || other.letter else p.actor || '_' || w.letter end),
    p.audience,
    case p.audience when 'member' then 'lease_expiry' when 'renter' then 'request_status' else 'work_assigned' end,
    p.channel, p.enabled
from tests.workspaces as w
cross join (
    values
    ('manager', 'member', 'email', false),
    ('manager', 'member', 'sms', true),
    ('viewer', 'member', 'email', false),
    ('suspended', 'member', 'email', false),
    ('both', 'member', 'in_app', false),
    ('removed', 'member', 'email', false),
    ('tied', 'renter', 'in_app', false),
    ('renter', 'renter', 'in_app', false),
    ('vendor', 'vendor', 'in_app', false)
) as p (actor, audience, channel, enabled)
join tests.workspaces as other on other.letter <> w.letter;

-- They were admins until now.
delete from public.workspace_members where user_id in (member('removed_a'), member('removed_b'));

-- None is in effect yet, so that all can be changed. 3 has not been signed: its parties don't see it.
insert into public.lease_addenda (id, workspace_id, lease_id, title, effective_on, signed_on)
select
    tests.id_of(w.letter, 'lease_addendum', d.n), ws(w.letter), lease(w.letter, d.lease), d.title, '2031-01-01',
    d.signed_on
from tests.workspaces as w
cross join (
    values
    (1, 'active', 'Parking', date '2020-01-01'),
    (2, 'draft', 'Pets', '2020-01-01'),
    (3, 'active', 'Garden', null),
    (4, 'ended', 'Cellar', '2018-01-01'),
    (5, 'neighbour', 'Attic', '2020-01-01')
) as d (n, lease, title, signed_on);

insert into public.place_coordinates (workspace_id, place_id, latitude, longitude, provider, fetched_at)
select p.workspace_id, p.place_id, 39.78, -89.65, 'google', now()
from public.properties as p;

insert into public.address_corrections (
    id, workspace_id, property_id, status, address_line1, city, state, postal_code, country, provider, of_address,
    proposed_at, decided_at
)
select
    tests.id_of(w.letter, 'address_correction', c.n), p.workspace_id, p.id, c.status, c.n || ' Elm St', 'Springfield', 'IL',
    '62701-1000', 'US', 'google', private.address_digest(p), now(), c.decided_at
from tests.workspaces as w
cross join (values (1, 'open', null::timestamptz), (2, 'dismissed', '2020-01-01')) as c (n, status, decided_at)
join public.properties as p on p.id = prop(w.letter, c.n);

insert into public.places_usage (workspace_id, on_day, provider, kind, calls, cost_microdollars)
select ws(w.letter), '2020-01-01', 'google', u.kind, u.calls, u.cost
from tests.workspaces as w
cross join (values ('autocomplete', 6, 16980), ('details', 1, 5000)) as u (kind, calls, cost);

-- What all of this left in the change log counts for nothing: these take its place.
delete from public.audit_entries;
delete from public.audit_values;

insert into public.audit_entries (
    id, workspace_id, entity, entity_id, operation, actor_id, actor_role, before, after, personal_columns, personal_digest
)
overriding system value
select
    e.n, ws(w.letter), e.entity, e.entity_id::text, 'update', member('manager_' || w.letter), 'authenticated',
    e.before, e.after, e.personal_columns, e.personal_digest
from tests.workspaces as w
cross join lateral (
    values
    (
        1, 'units', unit(w.letter), '{"status": "off_market"}'::jsonb, '{"status": "active"}'::jsonb, null::text [],
        null::bytea
    ),
    (
        2, 'tenants', tenant(w.letter), '{}', '{}', '{phone}',
        private.personal_digest(tenant(w.letter), '{"phone": "555-0100"}', '{"phone": "555-0101"}')
    )
) as e (n, entity, entity_id, before, after, personal_columns, personal_digest);

insert into public.audit_values (workspace_id, entry_id, salt, before, after)
select ws(letter), 2, tenant(letter), '{"phone": "555-0100"}', '{"phone": "555-0101"}'
from tests.workspaces;
