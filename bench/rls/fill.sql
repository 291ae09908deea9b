-- The portfolio that reads are measured on: %(workspaces)s workspaces, %(leases)s leases with a rent each. The first
-- workspace is large (%(large)s leases); the others share the rest. Rows lie in the table in no order, as rows of many
-- workspaces do that grow side by side. As a superuser: triggers and foreign keys are off for the fill.

set session_replication_role = replica;
set synchronous_commit = off;
select setseed(0.5);

create schema bench;

-- Ids that can be written down: bench.id('workspace', 7).
create function bench.id(p_kind text, p_number integer)
    returns uuid
    immutable
    language sql
as $$
    select (lpad(to_hex(ascii(p_kind)), 8, '0') || '-0000-4000-8000-' || lpad(p_number::text, 12, '0'))::uuid
$$;

insert into auth.users (id, email)
select bench.id('user', n), format('user-%%s@bench.test', n)
from generate_series(1, %(workspaces)s * 3 + 1000) as n;

insert into public.workspaces (id, name)
select bench.id('workspace', n), format('Workspace %%s', n)
from generate_series(1, %(workspaces)s) as n;

-- Three members each, of whom nobody asks anything.
insert into public.workspace_members (workspace_id, user_id, role)
select bench.id('workspace', n), bench.id('user', 1000 + 3 * (n - 1) + k), 'viewer'
from generate_series(1, %(workspaces)s) as n
cross join generate_series(1, 3) as k;

-- Those who ask: user 10 is a member of the large workspace and of nine others.
insert into public.workspace_members (workspace_id, user_id, role)
select bench.id('workspace', 1 + k * (%(workspaces)s / n)), bench.id('user', n), 'manager'
from unnest(%(memberships)s::integer[]) as n
cross join lateral generate_series(0, n - 1) as k;

-- User 998 is a member of one workspace of the many small ones.
insert into public.workspace_members (workspace_id, user_id, role)
values (bench.id('workspace', 2), bench.id('user', 998), 'manager');

insert into public.properties (id, workspace_id, name, address_line1, city, timezone, currency)
select bench.id('property', n), bench.id('workspace', n), 'Elm Court', '1 Elm Street', 'Springfield', 'America/Chicago', 'USD'
from generate_series(1, %(workspaces)s) as n;

insert into public.leases (
    workspace_id, property_id, lease_number, status, starts_on, ends_on, currency, deposit_minor, activated_at, created_at
)
select
    bench.id('workspace', s.workspace),
    bench.id('property', s.workspace),
    format('L-%%s', s.n),
    'active',
    date '2026-01-01' - s.days,
    date '2027-01-01' + s.days,
    'USD',
    100000 + s.days,
    timestamptz '2026-01-01' - s.days * interval '1 day',
    timestamptz '2026-01-01' - s.days * interval '1 day' - s.n * interval '1 second'
from (
    select
        n,
        case when n <= %(large)s then 1 else 2 + n %% (%(workspaces)s - 1) end as workspace,
        (random() * 700)::integer as days
    from generate_series(1, %(leases)s) as n
) as s
order by random();

insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor)
select l.workspace_id, l.id, l.starts_on, 150000
from public.leases as l;

-- A renter of one lease in the large workspace.
insert into public.tenants (id, workspace_id, last_name, user_id)
values (bench.id('tenant', 1), bench.id('workspace', 1), 'Renter', bench.id('user', 999));
insert into public.lease_tenants (workspace_id, lease_id, tenant_id, role)
select l.workspace_id, l.id, bench.id('tenant', 1), 'primary'
from public.leases as l
where l.workspace_id = bench.id('workspace', 1) and lower(l.lease_number) = 'l-1';

-- Statistics for the planner, and the visibility map that index-only scans need.
vacuum (analyze);

checkpoint;
