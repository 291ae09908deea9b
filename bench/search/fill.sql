-- %(entries)s rows that can be found: a tenth of them, at least %(least)s, in one large workspace, the rest in workspaces of some
-- 2,000. Properties, units, renters, leases, vendors and requests in the proportions of a portfolio; names from 2,025 syllable pairs,
-- so that names are shared as they are in life. As a superuser: triggers and foreign keys are off for the fill.

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

create table bench.syllables as
select
    string_to_array('Sm,Jo,Wil,Br,Gar,Mil,Da,Rod,Mar,Her,Lo,Gon,An,Tho,Tay,Moo,Jack,Lee,Per,Wh,Har,San,Cla,Ram,Lew,Rob,Wal,Yo,Al,Ki,Wri,Sco,Tor,Ng,Hill,Flo,Gre,Ad,Nel,Ba,Hal,Riv,Cam,Mit,Car', ',') as heads,
    string_to_array('ith,hnson,liams,own,cia,ler,vis,riguez,tinez,nandez,pez,zales,derson,mas,lor,re,son,e,kins,ite,ris,chez,rk,irez,is,inson,ker,ung,len,ng,ght,tt,res,uyen,en,man,ams,tes,kers,ers,ton,ley,dez,ova,berg', ',') as tails;

-- %% 45 * 45 names; the factor spreads them.
create function bench.named(p_number bigint)
    returns text
    stable
    language sql
as $$
    select s.heads[1 + ((p_number * 7919) %% 45)::integer] || s.tails[1 + ((p_number * 104729 / 45) %% 45)::integer] from bench.syllables as s
$$;

create table bench.rows as
select
    n,
    case when n <= greatest(%(entries)s / 10, %(least)s) then 1 else 2 + n %% greatest(%(entries)s / 2000, 2) end as workspace,
    (array['tenants', 'tenants', 'tenants', 'units', 'units', 'leases', 'leases', 'maintenance_requests', 'maintenance_requests', 'properties', 'vendors'])[
        case when n %% 50 = 0 then 11 when n %% 25 = 7 then 10 else 1 + n %% 9 end
    ] as kind,
    bench.named(n) as family,
    bench.named(n * 31 + 7) as given
from generate_series(1, %(entries)s) as n;

insert into public.workspaces (id, name)
select bench.id('workspace', w), format('Workspace %%s', w)
from generate_series(1, 2 + greatest(%(entries)s / 2000, 2)) as w;

insert into auth.users (id, email) values (bench.id('user', 1), 'large@bench.test');

insert into public.workspace_members (workspace_id, user_id, role) values (bench.id('workspace', 1), bench.id('user', 1), 'manager');

-- Of the rows themselves search reads the few that it answers: those of the large workspace.
insert into public.properties (id, workspace_id, name, address_line1, city, timezone, currency)
select bench.id('property', r.n), bench.id('workspace', r.workspace), r.family || ' Court ' || r.n, r.n %% 900 || ' ' || r.given || ' Street', 'Springfield', 'UTC', 'USD'
from bench.rows as r
where r.kind = 'properties' and r.workspace = 1;

insert into public.units (id, workspace_id, property_id, unit_number)
select bench.id('nit', r.n), bench.id('workspace', r.workspace), bench.id('property', r.n - (r.n - 7) %% 25), r.n %% 40 || chr(65 + r.n %% 6) || r.n
from bench.rows as r
where r.kind = 'units' and r.workspace = 1 and r.n > 25;

insert into public.tenants (id, workspace_id, first_name, last_name, email, phone)
select bench.id('tenant', r.n), bench.id('workspace', r.workspace), r.given, r.family, lower(r.given || '.' || r.family || r.n) || '@example.com', '+1 (217) 555-' || lpad((r.n %% 10000)::text, 4, '0')
from bench.rows as r
where r.kind = 'tenants' and r.workspace = 1;

insert into public.leases (id, workspace_id, property_id, lease_number, starts_on, currency)
select bench.id('lease', r.n), bench.id('workspace', r.workspace), bench.id('property', 7), 'L-' || r.n, '2026-01-01', 'USD'
from bench.rows as r
where r.kind = 'leases' and r.workspace = 1;

insert into public.vendors (id, workspace_id, name)
select bench.id('vendor', r.n), bench.id('workspace', r.workspace), r.family || ' & Sons'
from bench.rows as r
where r.kind = 'vendors' and r.workspace = 1;

insert into public.maintenance_requests (id, workspace_id, request_number, property_id, title, location)
select bench.id('maintenance', r.n), bench.id('workspace', r.workspace), r.n, bench.id('property', 7), (array['Leaking tap', 'Broken heater', 'No hot water', 'Window does not close', 'Mould in the bathroom'])[1 + r.n %% 5], r.family || ' Court, ' || r.n %% 40 || chr(65 + r.n %% 6)
from bench.rows as r
where r.kind = 'maintenance_requests' and r.workspace = 1;

drop index private.search_entries_tokens_idx;

-- The large workspace's from its rows, as the triggers write them; the others' alike, in no order.
insert into private.search_entries (workspace_id, table_name, id, body)
select * from (
    select workspace_id, 'properties', id, private.search_body(t) from public.properties as t
    union all
    select workspace_id, 'units', id, private.search_body(t) from public.units as t
    union all
    select workspace_id, 'tenants', id, private.search_body(t) from public.tenants as t
    union all
    select workspace_id, 'leases', id, private.search_body(t) from public.leases as t
    union all
    select workspace_id, 'vendors', id, private.search_body(t) from public.vendors as t
    union all
    select workspace_id, 'maintenance_requests', id, private.search_body(t) from public.maintenance_requests as t
    union all
    select
        bench.id('workspace', r.workspace), r.kind, gen_random_uuid(),
        lower(case r.kind
            when 'properties' then r.family || ' court ' || r.n || ' ' || r.n %% 900 || ' ' || r.given || ' street springfield'
            when 'units' then r.n %% 40 || chr(97 + r.n %% 6) || r.n || ' ' || r.given || ' court ' || r.n
            when 'tenants' then concat_ws(' ', r.given, r.family, r.given, r.family || r.n, 'example com 1217555', lpad((r.n %% 10000)::text, 4, '0'))
            when 'leases' then 'l ' || r.n || ' l' || r.n
            when 'vendors' then r.family || ' sons'
            else (array['leaking tap', 'broken heater', 'no hot water', 'window does not close', 'mould in the bathroom'])[1 + r.n %% 5] || ' ' || r.n || ' ' || r.family || ' court ' || r.n %% 40 || chr(97 + r.n %% 6)
        end)
    from bench.rows as r
    where r.workspace > 1
) as entries
order by random();

create index search_entries_tokens_idx on private.search_entries
    using gin (private.search_tokens(workspace_id, extensions.show_trgm(body))) with (gin_pending_list_limit = 512);

drop table bench.rows;

vacuum (analyze);

checkpoint;
