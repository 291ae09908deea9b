set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

-- Called by the two functions that are replaced below, and by no client.
-- squawk-ignore ban-drop-function
drop function "private"."rollup_scopes"(private.rollup_changes);

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
    summed as (
        select f.workspace_id, f.property_id, f.on_day, f.measure, f.label, sum(f.amount) as amount
        from folded as f
        group by f.workspace_id, f.property_id, f.on_day, f.measure, f.label
    ),
    written as (
        insert into private.rollups as r (workspace_id, scope_id, grain, on_day, measure, label, amount)
        select s.workspace_id, scope.id, grain.name, grain.on_day, s.measure, s.label, sum(s.amount)
        from summed as s
        cross join lateral (values (s.workspace_id), (s.property_id)) as scope (id)
        cross join lateral (
            values
            ('day', s.on_day),
            ('month', case s.measure when 'occupied' then date_trunc('month', s.on_day::timestamp)::date end)
        ) as grain (name, on_day)
        where grain.on_day is not null
        group by s.workspace_id, scope.id, grain.name, grain.on_day, s.measure, s.label
        -- What is read together lies together.
        order by s.workspace_id, scope.id, grain.name, grain.on_day
        on conflict (workspace_id, scope_id, grain, on_day, measure, label) do update set amount = r.amount + excluded.amount
    )
    select count(*) into v_folded from folded;
    delete from private.rollups where amount = 0;
    return v_folded;
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
    order by d.workspace_id, d.scope_id, d.grain, d.on_day
    on conflict (workspace_id, scope_id, grain, on_day, measure, label) do update set amount = r.amount + excluded.amount;
    get diagnostics v_mended = row_count;
    delete from private.rollups where amount = 0;
    return v_mended;
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
            ) as s (workspace_id, scope_id, grain, on_day, measure, label, amount)
            group by s.workspace_id, s.scope_id, s.grain, s.on_day, s.measure, s.label
            having sum(s.amount) <> 0
        $sql$,
        v_facts
    );
end
$function$;

create or replace function private.search (
    p_words text[],
    p_workspace_id uuid,
    p_tables text[],
    p_max integer
)
    returns table (
        place bigint,
        workspace_id uuid,
        table_name text,
        id uuid,
        score numeric
    )
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_query text := array_to_string(p_words, ' ');
    v_in_one text[] := array[array_to_string(p_words, '')];
    -- A property before its units, which are found by its name as well.
    v_tables text[] := '{properties, tenants, vendors, leases, units, maintenance_requests}';
    v_found uuid[] := '{}';
    v_hit record;
begin
    for v_stage in 1 .. 3 loop
        -- Several words that are all there are no slip; a single one that few rows have may be. Words by themselves stand for
        -- a query that finds nothing at all.
        exit when cardinality(v_found) >= least(p_max, case when v_stage = 2 and cardinality(p_words) = 1 then 5 else 1 end)
            and v_stage > 1;
        for v_hit in
            select judged.*
            from (
                select
                    c.workspace_id,
                    c.table_name,
                    c.id,
                    c.body,
                    max(round((
                        case
                            when starts_with(c.body || ' ', v_query || ' ') then 3
                            when starts_with(c.body, v_query) then 2
                            when v_stage = 1 and (
                                private.has_words(c.body, p_words) or private.has_words(c.body, v_in_one)
                            ) then 1
                            else 0
                        end + greatest(
                            extensions.word_similarity(v_query, c.body),
                            extensions.word_similarity(c.reading, c.body) * 0.9
                        )
                    )::numeric / 4, 3)) as score
                from private.search_candidates(p_words, v_stage, p_workspace_id, p_tables) as c
                group by c.workspace_id, c.table_name, c.id, c.body
            ) as judged
            where judged.score >= 0.1 and judged.id <> all (v_found)
            order by judged.score desc, array_position(v_tables, judged.table_name), judged.body, judged.id
            limit p_max - cardinality(v_found)
        loop
            v_found := v_found || v_hit.id;
            place := cardinality(v_found);
            workspace_id := v_hit.workspace_id;
            table_name := v_hit.table_name;
            id := v_hit.id;
            score := v_hit.score;
            return next;
        end loop;
    end loop;
end
$function$;
