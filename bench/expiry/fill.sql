-- %(leases)s active leases of one unit and one renter each, %(due)s of which have come 60 days near their end on
-- 2026-11-21, and all of which have reminders to come. As a superuser: triggers and foreign keys are off for the fill.

set session_replication_role = replica;
set synchronous_commit = off;
select setseed(0.5);

create schema bench;

create function bench.id(p_kind text, p_number integer)
    returns uuid
    immutable
    language sql
as $$
    select (lpad(to_hex(ascii(p_kind)), 8, '0') || '-0000-4000-8000-' || lpad(p_number::text, 12, '0'))::uuid
$$;

-- 500 leases a workspace, 10 a property.
create table bench.leases as
select
    n,
    gen_random_uuid() as id,
    bench.id('workspace', n / 500) as workspace_id,
    bench.id('property', n / 10) as property_id,
    gen_random_uuid() as unit_id,
    gen_random_uuid() as tenant_id,
    case
        when row_number() over (order by random()) <= %(due)s then date '2026-11-21' + 60
        else date '2026-11-21' + 100 + (random() * 600)::integer
    end as ends_on
from generate_series(0, %(leases)s - 1) as n;

insert into auth.users (id, email)
select bench.id('user', n), format('owner-%%s@bench.test', n)
from generate_series(0, %(leases)s / 500) as n;

insert into public.workspaces (id, name)
select bench.id('workspace', n), format('Workspace %%s', n)
from generate_series(0, %(leases)s / 500) as n;

insert into public.workspace_members (workspace_id, user_id, role)
select bench.id('workspace', n), bench.id('user', n), 'owner'
from generate_series(0, %(leases)s / 500) as n;

insert into public.properties (id, workspace_id, name, address_line1, city, timezone, currency)
select distinct on (l.property_id)
    l.property_id, l.workspace_id, format('Court %%s', l.n), '1 Elm Street', 'Springfield', 'America/Chicago', 'USD'
from bench.leases as l;

insert into public.units (id, workspace_id, property_id, unit_number)
select l.unit_id, l.workspace_id, l.property_id, l.n::text
from bench.leases as l;

insert into public.tenants (id, workspace_id, first_name, last_name, email)
select l.tenant_id, l.workspace_id, 'Ann', format('Example %%s', l.n), format('ann-%%s@bench.test', l.n)
from bench.leases as l;

insert into public.leases (
    id, workspace_id, property_id, lease_number, status, starts_on, ends_on, currency, activated_at
)
select l.id, l.workspace_id, l.property_id, format('L-%%s', l.n), 'active', l.ends_on - 364, l.ends_on, 'USD', now()
from bench.leases as l;

-- The check doesn't read this one, and it takes longest to fill.
alter table public.lease_units drop constraint one_lease_holds_a_unit;

insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession, binding)
select l.workspace_id, l.property_id, l.id, l.unit_id, daterange(l.ends_on - 364, l.ends_on + 1), true
from bench.leases as l;

insert into public.lease_tenants (workspace_id, lease_id, tenant_id, role)
select l.workspace_id, l.id, l.tenant_id, 'primary'
from bench.leases as l;

insert into private.lease_reminders (workspace_id, lease_id, threshold, ends_on, due_on, state)
select
    l.workspace_id,
    l.id,
    t.threshold,
    l.ends_on,
    l.ends_on - t.days,
    case when l.ends_on - t.days < date '2026-11-21' then 'queued' else 'pending' end
from bench.leases as l
cross join (values ('days_90', 90), ('days_60', 60), ('days_30', 30), ('notice_deadline', 30)) as t (threshold, days);

drop table bench.leases;

vacuum (analyze);

checkpoint;
