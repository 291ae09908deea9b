-- The same functions with more arguments, all of which may be left out: calls go on as they are.
-- squawk-ignore-file ban-drop-function
set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

drop function "private"."reconcile_rollups"();

drop function "private"."rollup_differences"();

drop function "worker"."reconcile_rollups"(timestamp with time zone);

create table "private"."rollup_recounts" (
    "is_the_only_row" boolean not null default true,
    "reached_workspace_id" uuid,
    constraint "rollup_recounts_is_the_only_row_check" check (is_the_only_row),
    constraint "rollup_recounts_pkey" primary key (is_the_only_row)
);

create or replace function private.next_recounted_workspace (
    p_after uuid
)
    returns uuid
    language sql
    stable
    set search_path to ''
    AS $function$
    select n.workspace_id
    from (
        (select w.id as workspace_id from public.workspaces as w where p_after is null or w.id > p_after order by w.id limit 1)
        union all
        (
            select r.workspace_id
            from private.rollups as r
            where p_after is null or r.workspace_id > p_after
            order by r.workspace_id
            limit 1
        )
        union all
        (
            select c.workspace_id
            from private.rollup_changes as c
            where p_after is null or c.workspace_id > p_after
            order by c.workspace_id
            limit 1
        )
    ) as n
    order by n.workspace_id
    limit 1
$function$;

create or replace function private.reconcile_rollups (
    p_workspace_id uuid default null::uuid
)
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
    from private.rollup_differences(p_workspace_id) as d
    order by d.workspace_id, d.scope_id, d.grain, d.on_day
    on conflict (workspace_id, scope_id, grain, on_day, measure, label) do update set amount = r.amount + excluded.amount;
    get diagnostics v_mended = row_count;
    delete from private.rollups where amount = 0 and (p_workspace_id is null or workspace_id = p_workspace_id);
    return v_mended;
end
$function$;

create or replace function private.rollup_differences (
    p_workspace_id uuid default null::uuid
)
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
            where $1 is null or r.workspace_id = $1
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
                    where $1 is null or h.workspace_id = $1
                ) as c
                group by c.workspace_id, c.property_id, c.on_day, c.measure, c.label
            )
            select s.workspace_id, s.scope_id, s.grain, s.on_day, s.measure, s.label, sum(s.amount)::bigint
            from (
                select d.workspace_id, scope.id, grain.name, grain.on_day, d.measure, d.label, d.amount
                from differences as d
                cross join lateral (values (d.workspace_id), (d.property_id)) as scope (id)
                cross join lateral (
                    values
                    ('day', d.on_day),
                    ('month', case d.measure when 'occupied' then date_trunc('month', d.on_day::timestamp)::date end)
                ) as grain (name, on_day)
                where grain.on_day is not null
                union all
                select h.workspace_id, h.scope_id, h.grain, h.on_day, h.measure, h.label, -h.amount
                from private.rollups as h
                where $1 is null or h.workspace_id = $1
            ) as s (workspace_id, scope_id, grain, on_day, measure, label, amount)
            group by s.workspace_id, s.scope_id, s.grain, s.on_day, s.measure, s.label
            having sum(s.amount) <> 0
        $sql$,
        v_facts
    )
    using p_workspace_id;
end
$function$;

create or replace function worker.reconcile_rollups (
    p_now timestamp with time zone default now(),
    p_workspace_id uuid default null::uuid,
    p_seconds double precision default 10
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_ends_at timestamptz := clock_timestamp() + make_interval(secs => p_seconds);
    v_workspace_id uuid;
    v_recounted integer := 0;
    v_mended bigint := 0;
begin
    if p_workspace_id is not null then
        return jsonb_build_object(
            'workspaces_recounted', 1, 'sums_mended', private.reconcile_rollups(p_workspace_id), 'more', false
        );
    end if;
    insert into private.rollup_recounts default values on conflict (is_the_only_row) do nothing;
    -- One at a time: a second machine waits, and goes on where this one stops.
    select r.reached_workspace_id into v_workspace_id from private.rollup_recounts as r for update;
    loop
        v_workspace_id := private.next_recounted_workspace(v_workspace_id);
        exit when v_workspace_id is null;
        v_mended := v_mended + private.reconcile_rollups(v_workspace_id);
        v_recounted := v_recounted + 1;
        exit when clock_timestamp() >= v_ends_at;
    end loop;
    update private.rollup_recounts set reached_workspace_id = v_workspace_id where is_the_only_row;
    return jsonb_build_object(
        'workspaces_recounted', v_recounted, 'sums_mended', v_mended, 'more', v_workspace_id is not null
    );
end
$function$;

comment on function "worker"."reconcile_rollups"(timestamp
    with time zone, uuid, double precision) is 'Compares what dashboards read with a recount, workspace by workspace

With `p_workspace_id` that one; else as many as `p_seconds` allow, at least one, from where the last call stopped: call again while
`more`. A round that is broken off goes on with the next call. Answers {workspaces_recounted, sums_mended, more}: how many sums differed,
which are mended. Anything but 0 means that rows were written past the triggers.';

comment on table "private"."rollup_recounts" is 'How far the recount of all workspaces has come, which goes round in the order of their ids, a few seconds a call. Empty:
it begins anew.';

revoke all on function "private"."next_recounted_workspace"(uuid) from public;

revoke all on function "private"."next_recounted_workspace"(uuid) from "postgres";

grant execute on function "private"."next_recounted_workspace"(uuid) to "postgres";

revoke all on function "private"."reconcile_rollups"(uuid) from public;

revoke all on function "private"."reconcile_rollups"(uuid) from "postgres";

grant execute on function "private"."reconcile_rollups"(uuid) to "postgres";

revoke all on function "private"."rollup_differences"(uuid) from public;

revoke all on function "private"."rollup_differences"(uuid) from "postgres";

grant execute on function "private"."rollup_differences"(uuid) to "postgres";

revoke all on function "worker"."reconcile_rollups"(timestamp with time zone, uuid, double precision) from public;

revoke all on function "worker"."reconcile_rollups"(timestamp with time zone, uuid, double precision) from "postgres";

grant execute on function "worker"."reconcile_rollups"(timestamp with time zone, uuid, double precision) to "postgres";

grant execute on function "worker"."reconcile_rollups"(timestamp with time zone, uuid, double precision) to "worker";
