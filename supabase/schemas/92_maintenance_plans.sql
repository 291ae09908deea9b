-- Plans: when work comes round, and the job that makes requests of it ahead of time.

-- The plan's nth date, counted from the anchor: the 31st is a shorter month's last day, and the 31st again after it.
create function private.plan_date(p_anchor_on date, p_interval_unit text, p_interval_count integer, p_n integer)
    returns date
    immutable
    strict
    parallel safe
    set search_path = ''
    language sql
as $$
    select (p_anchor_on + case p_interval_unit
        when 'day' then make_interval(days => p_interval_count * p_n)
        when 'week' then make_interval(weeks => p_interval_count * p_n)
        when 'month' then make_interval(months => p_interval_count * p_n)
        when 'year' then make_interval(years => p_interval_count * p_n)
    end)::date
$$;


-- The plan's dates from one day to another, both included, in season and no later than its last day.
create function private.plan_dates(p_plan public.maintenance_plans, p_from date, p_until date)
    returns setof date
    immutable
    set search_path = ''
    language plpgsql
as $$
declare
    v_from date := greatest(p_from, p_plan.anchor_on);
    v_until date := least(p_until, p_plan.ends_on);
    -- Months between, for months and years; else days.
    v_is_calendar boolean := p_plan.interval_unit in ('month', 'year');
    -- Null: no interval, which the table's check refuses after this.
    v_length integer := nullif(p_plan.interval_count, 0)
    * case p_plan.interval_unit when 'week' then 7 when 'year' then 12 else 1 end;
    v_first integer;
    v_last integer;
begin
    if v_is_calendar then
        v_first := (
            (extract(year from v_from) - extract(year from p_plan.anchor_on)) * 12
            + extract(month from v_from) - extract(month from p_plan.anchor_on)
        )::integer / v_length;
        v_last := (
            (extract(year from v_until) - extract(year from p_plan.anchor_on)) * 12
            + extract(month from v_until) - extract(month from p_plan.anchor_on)
        )::integer / v_length;
    else
        v_first := (v_from - p_plan.anchor_on) / v_length;
        v_last := (v_until - p_plan.anchor_on) / v_length;
    end if;
    return query
    select d.due_on
    from generate_series(v_first, v_last) as s (n)
    cross join lateral (
        select private.plan_date(p_plan.anchor_on, p_plan.interval_unit, p_plan.interval_count, s.n) as due_on
    ) as d
    where
        d.due_on between v_from and v_until
        and (p_plan.season_months is null or extract(month from d.due_on)::integer = any (p_plan.season_months))
    order by d.due_on;
end
$$;


-- The plan's first date on or after a day; null: none within twelve intervals and a year.
create function private.next_plan_date(p_plan public.maintenance_plans, p_from date)
    returns date
    immutable
    set search_path = ''
    language plpgsql
as $$
declare
    v_from date := greatest(p_from, p_plan.anchor_on);
begin
    return (
        select min(d.due_on)
        from private.plan_dates(p_plan, v_from, least(
            date '2200-01-01',
            private.plan_date(v_from, p_plan.interval_unit, p_plan.interval_count, 12) + 366
        )) as d (due_on)
    );
end
$$;


-- The next date of a plan that is new, taken up again, or has other dates: none that has passed at the property, so that
-- nothing is made up for from before. Refuses nothing, so that a stranger, whom row security refuses next, learns nothing.
create function private.date_maintenance_plan()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if tg_op = 'UPDATE' then
        if (new.interval_unit, new.interval_count, new.anchor_on, new.ends_on, new.season_months)
            is not distinct from
            (old.interval_unit, old.interval_count, old.anchor_on, old.ends_on, old.season_months)
            and (old.status = 'active' or new.status = 'paused')
        then
            return new;
        end if;
    end if;
    new.next_due_on := private.next_plan_date(new, (
        select private.local_date(p.timezone, now())
        from public.properties as p
        where p.workspace_id = new.workspace_id and p.id = new.property_id
    ));
    return new;
end
$$;

create trigger date_maintenance_plan before insert or update on public.maintenance_plans
    for each row execute function private.date_maintenance_plan();

create trigger touch_updated_at before update on public.maintenance_plans
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.maintenance_plans
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.maintenance_plans
    referencing new table as new_rows
    for each statement execute function private.record_changes('{id}', '{description, access_notes}');

create trigger record_updates after update on public.maintenance_plans
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{id}', '{description, access_notes}');

create trigger record_deletes after delete on public.maintenance_plans
    referencing old table as old_rows
    for each statement execute function private.record_changes('{id}', '{description, access_notes}');


create function worker.create_planned_maintenance(p_now timestamptz default now(), p_limit integer default 500)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_plans integer;
    v_requests integer;
begin
    with due as materialized (
        select p as plan, p.workspace_id, zone.today
        from public.maintenance_plans as p
        join public.properties as pr on pr.workspace_id = p.workspace_id and pr.id = p.property_id
        left join public.units as u
            on u.workspace_id = p.workspace_id and u.property_id = p.property_id and u.id = p.unit_id
        -- private.local_date(), spelt out: a call for each row takes longer.
        cross join lateral (select (p_now at time zone pr.timezone)::date as today) as zone
        where
            p.status = 'active'
            -- No clock on earth is further ahead than UTC+14: the index ends here, the property's own date decides.
            and p.next_creation_on <= ((p_now at time zone 'UTC') + interval '14 hours')::date
            and p.next_creation_on <= zone.today
            and pr.status = 'active'
            and u.status is distinct from 'retired'
        order by p.next_creation_on, p.workspace_id, p.id
        limit p_limit
        -- What another machine is busy with is its to finish.
        for update of p skip locked
    ),
    -- Of the dates that have passed, the last alone: work that was missed is done once.
    dates as materialized (
        select d.plan, d.workspace_id, s.due_on
        from due as d
        cross join lateral (
            select x.due_on, lead(x.due_on) over (order by x.due_on) as following_on
            from private.plan_dates(d.plan, (d.plan).next_due_on, d.today + (d.plan).lead_days) as x (due_on)
        ) as s
        where s.due_on >= d.today or s.following_on is null or s.following_on >= d.today
    ),
    -- In order of workspaces: two machines that take numbers of several queue up instead of deadlocking.
    numbers as materialized (
        select c.workspace_id, private.take_request_numbers(c.workspace_id, c.requests) as first_number
        from (
            select d.workspace_id, count(*)::integer as requests
            from dates as d
            group by d.workspace_id
            order by d.workspace_id
            offset 0
        ) as c
    ),
    created as (
        insert into public.maintenance_requests (
            workspace_id, request_number, property_id, unit_id, lease_id, title, description, category, priority,
            access_notes, shown_to_renter, assigned_member_id, assigned_vendor_id, due_on, plan_id, plan_due_on
        )
        select
            d.workspace_id,
            n.first_number - 1 + row_number() over (partition by d.workspace_id order by d.due_on, (d.plan).id),
            (d.plan).property_id,
            (d.plan).unit_id,
            home.lease_id,
            (d.plan).title,
            (d.plan).description,
            (d.plan).category,
            (d.plan).priority,
            (d.plan).access_notes,
            (d.plan).shown_to_renter,
            m.user_id,
            v.id,
            d.due_on,
            (d.plan).id,
            d.due_on
        from dates as d
        join numbers as n on n.workspace_id = d.workspace_id
        left join public.workspace_members as m
            on m.workspace_id = d.workspace_id and m.user_id = (d.plan).assigned_member_id and m.status = 'active'
        left join public.vendors as v
            on v.workspace_id = d.workspace_id and v.id = (d.plan).assigned_vendor_id and v.status = 'active'
        left join lateral (
            select lu.lease_id
            from public.lease_units as lu
            where
                (d.plan).shown_to_renter
                and lu.workspace_id = d.workspace_id
                and lu.unit_id = (d.plan).unit_id
                and lu.binding
                and lu.superseded_at is null
                and lu.possession @> d.due_on
        ) as home on true
        -- A plan whose dates were changed meets those that it had before.
        on conflict (workspace_id, plan_id, plan_due_on) where plan_id is not null do nothing
        returning id
    ),
    advanced as (
        update public.maintenance_plans as p
        set
            next_due_on = private.next_plan_date(
                d.plan, greatest(d.today + (d.plan).lead_days, (d.plan).next_due_on) + 1
            )
        from due as d
        where p.id = (d.plan).id
        returning p.id
    )
    select (select count(*) from advanced), (select count(*) from created) into v_plans, v_requests;
    return jsonb_build_object('plans_due', v_plans, 'requests_created', v_requests, 'more', v_plans >= p_limit);
end
$$;

comment on function worker.create_planned_maintenance(timestamptz, integer) is $$Creates the requests of maintenance plans

One for each due date that is no further ahead than the plan's `lead_days` on its property's date, never twice for the same plan and
date, however many machines run it. Of dates that have passed without a request the last one alone gets it. Plans of
inactive properties and retired units wait. Takes up to `p_limit` plans: call again while `more`. Answers {plans_due,
requests_created, more}.$$;

grant execute on function worker.create_planned_maintenance(timestamptz, integer) to worker;
