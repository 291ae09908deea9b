-- One workspace of %(leases)s leases that bind, ten to a property, begun over ten years and half of them ended; a request for every
-- fifth. As a superuser: triggers and foreign keys are off, and the sums are made by the recount.

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

grant usage on schema bench to authenticated;

grant execute on function bench.id(text, integer) to authenticated;

insert into auth.users (id, email) values (bench.id('user', 1), 'kpis@bench.test');

insert into public.workspaces (id, name) values (bench.id('workspace', 1), 'Bench');

insert into public.workspace_members (workspace_id, user_id, role) values (bench.id('workspace', 1), bench.id('user', 1), 'manager');

create table bench.leases as
select
    n,
    gen_random_uuid() as id,
    gen_random_uuid() as unit_id,
    bench.id('property', n / 10) as property_id,
    date '2017-01-01' + (random() * 3650)::integer as starts_on,
    case when random() < 0.5 then 'ended' else 'active' end as status
from generate_series(0, %(leases)s - 1) as n;

insert into public.properties (id, workspace_id, name, address_line1, city, timezone, currency)
select bench.id('property', n), bench.id('workspace', 1), format('Court %%s', n), '1 Elm Street', 'Springfield', 'America/Chicago', 'USD'
from generate_series(0, (%(leases)s - 1) / 10) as n;

insert into public.units (id, workspace_id, property_id, unit_number)
select l.unit_id, bench.id('workspace', 1), l.property_id, l.n::text
from bench.leases as l;

insert into public.leases (
    id, workspace_id, property_id, lease_number, status, starts_on, ends_on, currency, activated_at, ended_on
)
select
    l.id, bench.id('workspace', 1), l.property_id, format('L-%%s', l.n), l.status, l.starts_on, l.starts_on + 364, 'USD', now(),
    case l.status when 'ended' then l.starts_on + 364 end
from bench.leases as l;

alter table public.lease_units drop constraint one_lease_holds_a_unit;

insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession, binding)
select
    bench.id('workspace', 1), l.property_id, l.id, l.unit_id,
    daterange(l.starts_on, case l.status when 'ended' then l.starts_on + 365 end), true
from bench.leases as l;

insert into public.maintenance_requests (workspace_id, request_number, property_id, title, priority, location)
select
    bench.id('workspace', 1), l.n + 1, l.property_id, 'Leak', (array['emergency', 'high', 'normal', 'low'])[1 + l.n / 5 %% 4], 'Court'
from bench.leases as l
where l.n %% 5 = 0;

drop table bench.leases;

select private.reconcile_rollups();

vacuum (analyze);

checkpoint;
