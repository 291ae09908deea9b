set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

create table "private"."rollup_changes" (
    "workspace_id" uuid not null,
    "property_id" uuid not null,
    "on_day" date not null,
    "measure" text not null,
    "label" text not null,
    "amount" bigint not null
);

create table "private"."rollups" (
    "workspace_id" uuid not null,
    "scope_id" uuid not null,
    "grain" text not null,
    "on_day" date not null,
    "measure" text not null,
    "label" text not null,
    "amount" bigint not null,
    constraint "rollups_grain_check" check ((grain = ANY (ARRAY['day'::text, 'month'::text]))),
    constraint "rollups_pkey" primary key (workspace_id, scope_id, grain, on_day, measure, label)
);

create or replace function private.dashboard_kpis (
    p_starts_on date,
    p_ends_on date,
    p_workspace_id uuid
)
    returns jsonb
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    if p_workspace_id is not null then
        perform private.require_permission(p_workspace_id, 'portfolio.read');
        return private.kpis(array[p_workspace_id], null, p_starts_on, p_ends_on);
    end if;
    return private.kpis(array(select private.my_workspaces()), null, p_starts_on, p_ends_on);
end
$function$;

create or replace function private.fold_rollups (
    p_most integer
)
    returns bigint
    language plpgsql
    set search_path to ''
    AS $function$
declare
    v_folded bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended('freehold.fold_rollups', 0));
    with folded as (
        delete from private.rollup_changes as c
        where c.ctid = any (array(select picked.ctid from private.rollup_changes as picked limit p_most))
        returning c.*
    ),
    -- Summed up before they are spread, and once more after: many rows say the same.
    summed as (
        select row(f.workspace_id, f.property_id, f.on_day, f.measure, f.label, sum(f.amount))::private.rollup_changes as c
        from folded as f
        group by f.workspace_id, f.property_id, f.on_day, f.measure, f.label
    ),
    written as (
        insert into private.rollups as r (workspace_id, scope_id, grain, on_day, measure, label, amount)
        select (s.c).workspace_id, t.scope_id, t.grain, t.on_day, (s.c).measure, (s.c).label, sum((s.c).amount)
        from summed as s
        cross join lateral private.rollup_scopes(s.c) as t
        group by (s.c).workspace_id, t.scope_id, t.grain, t.on_day, (s.c).measure, (s.c).label
        on conflict (workspace_id, scope_id, grain, on_day, measure, label) do update set amount = r.amount + excluded.amount
    )
    select count(*) into v_folded from folded;
    delete from private.rollups where amount = 0;
    return v_folded;
end
$function$;

create or replace function private.kpis (
    p_workspace_ids uuid[],
    p_property_id uuid,
    p_starts_on date,
    p_ends_on date
)
    returns jsonb
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_permissions jsonb := '{"units": "portfolio.read", "occupied": "leases.read", "leases_expiring": "leases.read",
        "requests_open": "maintenance.read"}';
    v_days integer := p_ends_on - p_starts_on + 1;
    v_figures jsonb;
begin
    with readable as materialized (
        select m.name as measure, array(select private.workspaces_with(m.permission)) as workspace_ids
        from jsonb_each_text(v_permissions) as m (name, permission)
    ),
    sums as materialized (
        select s.measure, s.label, s.on_day, sum(s.amount)::bigint as amount
        from unnest(p_workspace_ids) as w (id)
        cross join lateral private.rollup_sums(w.id, coalesce(p_property_id, w.id), p_starts_on, p_ends_on) as s
        join readable as r on r.measure = s.measure and w.id = any (r.workspace_ids)
        group by s.measure, s.label, s.on_day
    ),
    units as (
        select
            coalesce(sum(s.amount) filter (where s.label = 'active'), 0) as active,
            coalesce(sum(s.amount) filter (where s.label = 'off_market'), 0) as off_market,
            coalesce(sum(s.amount) filter (where s.label = 'retired'), 0) as retired
        from sums as s
        where s.measure = 'units'
    ),
    occupied as (
        select
            coalesce(sum(s.amount) filter (where s.on_day <= p_starts_on), 0) as at_start,
            coalesce(sum(s.amount), 0) as at_end,
            -- A unit taken on a day counts from then on.
            coalesce(sum(s.amount * (p_ends_on - greatest(s.on_day, p_starts_on) + 1)), 0) as unit_days
        from sums as s
        where s.measure = 'occupied'
    ),
    expiring as (
        select date_trunc('month', s.on_day::timestamp)::date as month, sum(s.amount) as leases
        from sums as s
        where s.measure = 'leases_expiring' and s.on_day >= p_starts_on
        group by 1
    ),
    requests as (
        select
            coalesce(sum(s.amount) filter (where s.label = 'emergency'), 0) as emergency,
            coalesce(sum(s.amount) filter (where s.label = 'high'), 0) as high,
            coalesce(sum(s.amount) filter (where s.label = 'normal'), 0) as normal,
            coalesce(sum(s.amount) filter (where s.label = 'low'), 0) as low,
            coalesce(sum(s.amount), 0) as total
        from sums as s
        where s.measure = 'requests_open'
    )
    select jsonb_build_object(
        'starts_on', p_starts_on,
        'ends_on', p_ends_on,
        'units', (select to_jsonb(u) from units as u),
        'occupancy', (
            select jsonb_build_object(
                'occupied_at_start', o.at_start,
                'occupied_at_end', o.at_end,
                'average_occupied', round(o.unit_days::numeric / v_days, 2),
                'rate_at_end', round(o.at_end::numeric / nullif(u.active + u.off_market, 0), 4)
            )
            from occupied as o
            cross join units as u
        ),
        'leases_expiring', jsonb_build_object(
            'total', (select coalesce(sum(e.leases), 0) from expiring as e),
            'by_month', (
                select coalesce(jsonb_agg(jsonb_build_object('month', e.month, 'leases', e.leases) order by e.month), '[]')
                from expiring as e
                where e.leases <> 0
            )
        ),
        'requests_open', (select to_jsonb(r) from requests as r)
    )
    into v_figures;
    return v_figures;
end
$function$;

create or replace function private.property_summary (
    p_property_id uuid,
    p_now timestamp with time zone
)
    returns jsonb
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_property public.properties;
    v_today date;
begin
    select * into v_property
    from public.properties as p
    where p.id = p_property_id and p.workspace_id = any (array(select private.workspaces_with('portfolio.read')));
    if not found then
        perform private.fail(
            404, 'property_not_found', 'There is no such property, or it is not yours to manage.',
            p_hint := 'List the properties you can see: GET /properties.'
        );
    end if;
    v_today := private.local_date(v_property.timezone, p_now);
    return jsonb_build_object(
        'property_id', v_property.id,
        'workspace_id', v_property.workspace_id,
        'name', v_property.name
    ) || private.kpis(array[v_property.workspace_id], v_property.id, v_today, v_today + 90);
end
$function$;

create or replace function private.reconcile_rollups()
    returns bigint
    language plpgsql
    set search_path to ''
    AS $function$
declare
    v_mended bigint;
begin
    -- No fold meanwhile. Writers may go on: what they add is no part of the difference, before or after.
    perform pg_advisory_xact_lock(hashtextextended('freehold.fold_rollups', 0));
    insert into private.rollups as r (workspace_id, scope_id, grain, on_day, measure, label, amount)
    select d.workspace_id, d.scope_id, d.grain, d.on_day, d.measure, d.label, d.amount
    from private.rollup_differences() as d
    on conflict (workspace_id, scope_id, grain, on_day, measure, label) do update set amount = r.amount + excluded.amount;
    get diagnostics v_mended = row_count;
    delete from private.rollups where amount = 0;
    return v_mended;
end
$function$;

create or replace function private.roll_up()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    execute format(
        $sql$
            insert into private.rollup_changes (workspace_id, property_id, on_day, measure, label, amount)
            select r.workspace_id, r.property_id, f.on_day, f.measure, f.label, sum(r.sign * f.amount)
            from (%s) as r
            cross join lateral (%s) as f (on_day, measure, label, amount)
            group by r.workspace_id, r.property_id, f.on_day, f.measure, f.label
            having sum(r.sign * f.amount) <> 0
        $sql$,
        case tg_op
            when 'INSERT' then 'select 1 as sign, t.* from touched as t'
            when 'DELETE' then 'select -1 as sign, b.* from before as b'
            else 'select 1 as sign, t.* from touched as t union all select -1, b.* from before as b'
        end,
        private.rollup_facts(tg_table_name)
    );
    return null;
end
$function$;

create or replace function private.rollup_differences()
    returns SETOF private.rollups
    language plpgsql
    stable
    set search_path to ''
    AS $function$
declare
    v_facts text;
begin
    select string_agg(format(
        $sql$
            select r.workspace_id, r.property_id, f.on_day, f.measure, f.label, f.amount::bigint
            from public.%I as r
            cross join lateral (%s) as f (on_day, measure, label, amount)
        $sql$,
        counted.table_name, private.rollup_facts(counted.table_name)
    ), ' union all ')
    into v_facts
    from unnest(array['units', 'lease_units', 'leases', 'maintenance_requests']) as counted (table_name);
    return query execute format(
        $sql$
            with differences (workspace_id, property_id, on_day, measure, label, amount) as (
                select c.workspace_id, c.property_id, c.on_day, c.measure, c.label, sum(c.amount)
                from (
                    select * from (%s) as facts (workspace_id, property_id, on_day, measure, label, amount)
                    union all
                    select h.workspace_id, h.property_id, h.on_day, h.measure, h.label, -h.amount
                    from private.rollup_changes as h
                ) as c
                group by c.workspace_id, c.property_id, c.on_day, c.measure, c.label
            )
            select s.workspace_id, s.scope_id, s.grain, s.on_day, s.measure, s.label, sum(s.amount)::bigint
            from (
                select d.workspace_id, t.scope_id, t.grain, t.on_day, d.measure, d.label, d.amount
                from differences as d
                cross join lateral private.rollup_scopes(
                    row(d.workspace_id, d.property_id, d.on_day, d.measure, d.label, d.amount)::private.rollup_changes
                ) as t
                union all
                select h.workspace_id, h.scope_id, h.grain, h.on_day, h.measure, h.label, -h.amount
                from private.rollups as h
            ) as s
            group by s.workspace_id, s.scope_id, s.grain, s.on_day, s.measure, s.label
            having sum(s.amount) <> 0
        $sql$,
        v_facts
    );
end
$function$;

create or replace function private.rollup_facts (
    p_table text
)
    returns text
    language plpgsql
    immutable
    strict
    set search_path to ''
    AS $function$
begin
    return case p_table
        when 'units' then
            $sql$values (date '-infinity', 'units', r.status, 1)$sql$
        when 'lease_units' then
            $sql$
                select held.on_day, 'occupied', '', held.amount
                from (values (lower(r.possession), 1), (upper(r.possession), -1)) as held (on_day, amount)
                where r.binding and r.superseded_at is null and held.on_day is not null
            $sql$
        when 'leases' then
            $sql$
                select r.ends_on, 'leases_expiring', '', 1
                where r.status in ('pending', 'active', 'notice_given') and r.ends_on is not null
            $sql$
        when 'maintenance_requests' then
            $sql$
                select date '-infinity', 'requests_open', r.priority, 1
                where r.status not in ('completed', 'closed', 'cancelled')
            $sql$
    end;
end
$function$;

create or replace function private.rollup_scopes (
    p_changes private.rollup_changes
)
    returns table (
        scope_id uuid,
        grain text,
        on_day date
    )
    language plpgsql
    immutable
    rows 3
    set search_path to ''
    AS $function$
begin
    return query
    select s.id, g.name, g.on_day
    from (values (p_changes.workspace_id), (p_changes.property_id)) as s (id)
    cross join (
        values
        ('day', p_changes.on_day),
        ('month', case p_changes.measure when 'occupied' then date_trunc('month', p_changes.on_day::timestamp)::date end)
    ) as g (name, on_day)
    where g.on_day is not null;
end
$function$;

create or replace function private.rollup_sums (
    p_workspace_id uuid,
    p_scope_id uuid,
    p_starts_on date,
    p_ends_on date
)
    returns table (
        measure text,
        label text,
        on_day date,
        amount bigint
    )
    language plpgsql
    stable
    security definer
    set search_path to ''
    set enable_seqscan to 'off'
    AS $function$
begin
    return query
    with parts as (
        select r.measure, r.label, r.on_day, r.amount
        from private.rollups as r
        where
            r.workspace_id = p_workspace_id
            and r.scope_id = p_scope_id
            and r.grain = 'month'
            and r.on_day < date_trunc('month', p_starts_on::timestamp)::date
        union all
        select r.measure, r.label, r.on_day, r.amount
        from private.rollups as r
        where
            r.workspace_id = p_workspace_id
            and r.scope_id = p_scope_id
            and r.grain = 'day'
            and r.on_day between date_trunc('month', p_starts_on::timestamp)::date and p_ends_on
        union all
        select r.measure, r.label, r.on_day, r.amount
        from private.rollups as r
        where
            r.workspace_id = p_workspace_id
            and r.scope_id = p_scope_id
            and r.grain = 'day'
            and r.on_day = '-infinity'
        union all
        select c.measure, c.label, c.on_day, c.amount
        from private.rollup_changes as c
        where
            c.workspace_id = p_workspace_id
            and p_scope_id in (c.workspace_id, c.property_id)
            and c.on_day <= p_ends_on
    )
    select p.measure, p.label, d.on_day, sum(p.amount)::bigint
    from parts as p
    cross join lateral (select case when p.on_day < p_starts_on then '-infinity' else p.on_day end) as d (on_day)
    group by p.measure, p.label, d.on_day;
end
$function$;

create or replace function public.dashboard_kpis (
    starts_on date,
    ends_on date,
    workspace_id uuid default null::uuid
)
    returns jsonb
    language plpgsql
    stable
    set search_path to ''
    AS $function$
begin
    if (
        starts_on >= '1900-01-01' and ends_on >= starts_on and ends_on < '2200-01-01' and ends_on - starts_on < 731
    ) is not true then
        perform private.fail(
            422, 'range_invalid', 'The range is empty, longer than two years, or not of our times.',
            p_hint := 'Give starts_on and ends_on, its first and last day.'
        );
    end if;
    return private.conditional(private.dashboard_kpis(starts_on, ends_on, workspace_id));
end
$function$;

revoke all on function "public"."dashboard_kpis"(date, date, uuid) from public, "anon", "service_role";

create or replace function public.property_summary (
    property_id uuid
)
    returns jsonb
    language plpgsql
    stable
    set search_path to ''
    AS $function$
begin
    return private.conditional(private.property_summary(property_id, now()));
end
$function$;

revoke all on function "public"."property_summary"(uuid) from public, "anon", "service_role";

create or replace function worker.fold_rollups (
    p_now timestamp with time zone default now()
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_folded bigint := private.fold_rollups(20000);
begin
    return jsonb_build_object('changes_folded', v_folded, 'more', v_folded = 20000);
end
$function$;

create or replace function worker.reconcile_rollups (
    p_now timestamp with time zone default now()
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    return jsonb_build_object('sums_mended', private.reconcile_rollups());
end
$function$;

create index rollup_changes_property_idx on private.rollup_changes using btree (workspace_id, property_id);

create index rollups_nothing_idx on private.rollups using btree (workspace_id, scope_id)
    where (amount = 0);

create trigger roll_up_on_delete
    after delete on public.lease_units referencing OLD table as
    before
    for each STATEMENT
    execute function private.roll_up();

create trigger roll_up_on_insert
    after insert on public.lease_units referencing NEW table as touched
    for each STATEMENT
    execute function private.roll_up();

create trigger roll_up_on_update
    after update on public.lease_units referencing OLD table as
    before NEW table as touched
    for each STATEMENT
    execute function private.roll_up();

create trigger roll_up_on_delete
    after delete on public.leases referencing OLD table as
    before
    for each STATEMENT
    execute function private.roll_up();

create trigger roll_up_on_insert
    after insert on public.leases referencing NEW table as touched
    for each STATEMENT
    execute function private.roll_up();

create trigger roll_up_on_update
    after update on public.leases referencing OLD table as
    before NEW table as touched
    for each STATEMENT
    execute function private.roll_up();

create trigger roll_up_on_delete
    after delete on public.maintenance_requests referencing OLD table as
    before
    for each STATEMENT
    execute function private.roll_up();

create trigger roll_up_on_insert
    after insert on public.maintenance_requests referencing NEW table as touched
    for each STATEMENT
    execute function private.roll_up();

create trigger roll_up_on_update
    after update on public.maintenance_requests referencing OLD table as
    before NEW table as touched
    for each STATEMENT
    execute function private.roll_up();

create trigger roll_up_on_delete
    after delete on public.units referencing OLD table as
    before
    for each STATEMENT
    execute function private.roll_up();

create trigger roll_up_on_insert
    after insert on public.units referencing NEW table as touched
    for each STATEMENT
    execute function private.roll_up();

create trigger roll_up_on_update
    after update on public.units referencing OLD table as
    before NEW table as touched
    for each STATEMENT
    execute function private.roll_up();

comment on function "public"."dashboard_kpis"(date, date, uuid) is 'Occupancy, leases that run out, and open requests

From `starts_on` to `ends_on`, both included, two years at most (422 `range_invalid`), on each property''s own calendar. Of one
workspace (404 `workspace_not_found`), or of all of yours together; each part of those where you hold its permission.

Answers {starts_on, ends_on, units: {active, off_market, retired}, occupancy: {occupied_at_start, occupied_at_end, average_occupied,
rate_at_end}, leases_expiring: {total, by_month: [{month, leases}]}, requests_open: {emergency, high, normal, low, total}}. A unit
is occupied on the days on which a lease that binds holds it; the rate is of the units that are active or off the market now, and
empty where there are none. Units and requests are as of now. Always exact, whatever was just written. GET carries an ETag,
and If-None-Match is answered with 304.';

comment on function "public"."property_summary"(uuid) is 'A property''s figures in one call

Those of `rpc/dashboard_kpis` for this property, from today there to 90 days from now, with property_id, workspace_id and name.
Needs `portfolio.read`; 404 `property_not_found`. GET carries an ETag, and If-None-Match is answered with 304.';

comment on function "worker"."fold_rollups"(timestamp with time zone) is 'Folds what changed into the sums that dashboards read

Answers {changes_folded, more}. Dashboards are right whether it ran or not; they get slower when it has not run for long.';

comment on function "worker"."reconcile_rollups"(timestamp with time zone) is 'Compares what dashboards read with a recount of everything

Answers {sums_mended}: how many sums differed, which are mended. Anything but 0 means that rows were written past the triggers.';

comment on table "private"."rollup_changes" is 'Differences that were written since the last fold. Readers add them to the sums.';

comment on table "private"."rollups" is 'Sums by day of what was folded in, for each workspace and each property (scope_id).

occupied is a change on a day: units held from then on, less those given up; its sums by month make a day''s level a short sum. What has
no date stands at -infinity. Counts of a scope that is gone are 0 and go, too.';

revoke all on function "private"."dashboard_kpis"(date, date, uuid) from public;

grant execute on function "private"."dashboard_kpis"(date, date, uuid) to "authenticated";

revoke all on function "private"."dashboard_kpis"(date, date, uuid) from "postgres";

grant execute on function "private"."dashboard_kpis"(date, date, uuid) to "postgres";

revoke all on function "private"."fold_rollups"(integer) from public;

revoke all on function "private"."fold_rollups"(integer) from "postgres";

grant execute on function "private"."fold_rollups"(integer) to "postgres";

revoke all on function "private"."kpis"(uuid[], uuid, date, date) from public;

revoke all on function "private"."kpis"(uuid[], uuid, date, date) from "postgres";

grant execute on function "private"."kpis"(uuid[], uuid, date, date) to "postgres";

revoke all on function "private"."property_summary"(uuid, timestamp with time zone) from public;

grant execute on function "private"."property_summary"(uuid, timestamp with time zone) to "authenticated";

revoke all on function "private"."property_summary"(uuid, timestamp with time zone) from "postgres";

grant execute on function "private"."property_summary"(uuid, timestamp with time zone) to "postgres";

revoke all on function "private"."reconcile_rollups"() from public;

revoke all on function "private"."reconcile_rollups"() from "postgres";

grant execute on function "private"."reconcile_rollups"() to "postgres";

revoke all on function "private"."roll_up"() from public;

revoke all on function "private"."roll_up"() from "postgres";

grant execute on function "private"."roll_up"() to "postgres";

revoke all on function "private"."rollup_differences"() from public;

revoke all on function "private"."rollup_differences"() from "postgres";

grant execute on function "private"."rollup_differences"() to "postgres";

revoke all on function "private"."rollup_facts"(text) from public;

revoke all on function "private"."rollup_facts"(text) from "postgres";

grant execute on function "private"."rollup_facts"(text) to "postgres";

revoke all on function "private"."rollup_scopes"(private.rollup_changes) from public;

revoke all on function "private"."rollup_scopes"(private.rollup_changes) from "postgres";

grant execute on function "private"."rollup_scopes"(private.rollup_changes) to "postgres";

revoke all on function "private"."rollup_sums"(uuid, uuid, date, date) from public;

revoke all on function "private"."rollup_sums"(uuid, uuid, date, date) from "postgres";

grant execute on function "private"."rollup_sums"(uuid, uuid, date, date) to "postgres";

grant execute on function "public"."dashboard_kpis"(date, date, uuid) to "authenticated";

revoke all on function "public"."dashboard_kpis"(date, date, uuid) from "postgres";

grant execute on function "public"."dashboard_kpis"(date, date, uuid) to "postgres";

grant execute on function "public"."property_summary"(uuid) to "authenticated";

revoke all on function "public"."property_summary"(uuid) from "postgres";

grant execute on function "public"."property_summary"(uuid) to "postgres";

revoke all on function "worker"."fold_rollups"(timestamp with time zone) from public;

revoke all on function "worker"."fold_rollups"(timestamp with time zone) from "postgres";

grant execute on function "worker"."fold_rollups"(timestamp with time zone) to "postgres";

grant execute on function "worker"."fold_rollups"(timestamp with time zone) to "worker";

revoke all on function "worker"."reconcile_rollups"(timestamp with time zone) from public;

revoke all on function "worker"."reconcile_rollups"(timestamp with time zone) from "postgres";

grant execute on function "worker"."reconcile_rollups"(timestamp with time zone) to "postgres";

grant execute on function "worker"."reconcile_rollups"(timestamp with time zone) to "worker";
