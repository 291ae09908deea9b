-- Rollups: counts that dashboards show, by day, kept by triggers. Each count is a sum over rows of what one row by itself adds
-- to it. So a change adds a difference and reads nothing, writers of one count never wait for each other, and a reader's
-- snapshot has a row and its part in the count, or neither.

create table private.rollups (
    workspace_id uuid not null,
    scope_id uuid not null,
    grain text not null check (grain in ('day', 'month')),
    on_day date not null,
    measure text not null,
    label text not null,
    amount bigint not null,
    primary key (workspace_id, scope_id, grain, on_day, measure, label)
);

create index rollups_nothing_idx on private.rollups (workspace_id, scope_id) where amount = 0;

comment on table private.rollups is $$Sums by day of what was folded in, for each workspace and each property (scope_id).

occupied is a change on a day: units held from then on, less those given up; its sums by month make a day's level a short sum. What has
no date stands at -infinity. Counts of a scope that is gone are 0 and go, too.$$;


create table private.rollup_changes (
    workspace_id uuid not null,
    property_id uuid not null,
    on_day date not null,
    measure text not null,
    label text not null,
    amount bigint not null
);

create index rollup_changes_property_idx on private.rollup_changes (workspace_id, property_id);

comment on table private.rollup_changes is $$Differences that were written since the last fold. Readers add them to the sums.$$;


-- What a row r of a table adds, as rows (on_day, measure, label, amount). Triggers and the recount ask the same.
create function private.rollup_facts(p_table text)
    returns text
    immutable
    strict
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- Writes the difference that a statement makes, summed up; a statement that makes none writes nothing.
create function private.roll_up()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

create trigger roll_up_on_insert after insert on public.units
    referencing new table as touched for each statement execute function private.roll_up();
create trigger roll_up_on_update after update on public.units
    referencing old table as before new table as touched for each statement execute function private.roll_up();
create trigger roll_up_on_delete after delete on public.units
    referencing old table as before for each statement execute function private.roll_up();

create trigger roll_up_on_insert after insert on public.leases
    referencing new table as touched for each statement execute function private.roll_up();
create trigger roll_up_on_update after update on public.leases
    referencing old table as before new table as touched for each statement execute function private.roll_up();
create trigger roll_up_on_delete after delete on public.leases
    referencing old table as before for each statement execute function private.roll_up();

create trigger roll_up_on_insert after insert on public.lease_units
    referencing new table as touched for each statement execute function private.roll_up();
create trigger roll_up_on_update after update on public.lease_units
    referencing old table as before new table as touched for each statement execute function private.roll_up();
create trigger roll_up_on_delete after delete on public.lease_units
    referencing old table as before for each statement execute function private.roll_up();

create trigger roll_up_on_insert after insert on public.maintenance_requests
    referencing new table as touched for each statement execute function private.roll_up();
create trigger roll_up_on_update after update on public.maintenance_requests
    referencing old table as before new table as touched for each statement execute function private.roll_up();
create trigger roll_up_on_delete after delete on public.maintenance_requests
    referencing old table as before for each statement execute function private.roll_up();


-- Folds differences into the sums, p_most at a time, and answers how many. One at a time; a reader sees them on either side.
create function private.fold_rollups(p_most integer)
    returns bigint
    volatile
    set search_path = ''
    language plpgsql
as $$
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
$$;


create function worker.fold_rollups(p_now timestamptz default now())
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_folded bigint := private.fold_rollups(20000);
begin
    return jsonb_build_object('changes_folded', v_folded, 'more', v_folded = 20000);
end
$$;

comment on function worker.fold_rollups(timestamptz) is $$Folds what changed into the sums that dashboards read

Answers {changes_folded, more}. Dashboards are right whether it ran or not; they get slower when it has not run for long.$$;

grant execute on function worker.fold_rollups(timestamptz) to worker;


-- Every sum that differs from a recount, of one workspace or of all: by how much it is too small. One statement, so one snapshot:
-- nothing that commits meanwhile counts on one side alone.
create function private.rollup_differences(p_workspace_id uuid default null)
    returns setof private.rollups
    stable
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- Compares every sum of a workspace, or of all, with a recount, mends those that differ, and answers how many did. They do only after
-- rows were written past the triggers, as a restore does.
create function private.reconcile_rollups(p_workspace_id uuid default null)
    returns bigint
    volatile
    set search_path = ''
    language plpgsql
as $$
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
$$;


create table private.rollup_recounts (
    is_the_only_row boolean primary key default true check (is_the_only_row),
    reached_workspace_id uuid
);

comment on table private.rollup_recounts is $$How far the recount of all workspaces has come, which goes round in the order of their ids, a few seconds a call. Empty:
it begins anew.$$;


-- The workspace that follows in the order of ids, of those that there are and those that sums are left of. Begins with the first: none
-- has the nil id. One bound each, so that an index leads there past all the rows of those before.
create function private.next_recounted_workspace(
    p_after uuid default '00000000-0000-0000-0000-000000000000'
)
    returns uuid
    stable
    set search_path = ''
    language sql
as $$
    select n.workspace_id
    from (
        (select w.id as workspace_id from public.workspaces as w where w.id > p_after order by w.id limit 1)
        union all
        (select r.workspace_id from private.rollups as r where r.workspace_id > p_after order by r.workspace_id limit 1)
        union all
        (
            select c.workspace_id
            from private.rollup_changes as c
            where c.workspace_id > p_after
            order by c.workspace_id
            limit 1
        )
    ) as n
    order by n.workspace_id
    limit 1
$$;


create function worker.reconcile_rollups(
    p_now timestamptz default now(), p_workspace_id uuid default null, p_seconds double precision default 10
)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
        v_workspace_id := case
            when v_workspace_id is null then private.next_recounted_workspace()
            else private.next_recounted_workspace(v_workspace_id)
        end;
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
$$;

comment on function worker.reconcile_rollups(timestamptz, uuid, double precision) is $$Compares what dashboards read with a recount, workspace by workspace

With `p_workspace_id` that one; else as many as `p_seconds` allow, at least one, from where the last call stopped: call again while
`more`. A round that is broken off goes on with the next call. Answers {workspaces_recounted, sums_mended, more}: how many sums differed,
which are mended. Anything but 0 means that rows were written past the triggers.$$;

grant execute on function worker.reconcile_rollups(timestamptz, uuid, double precision) to worker;
