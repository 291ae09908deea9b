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
    v_length integer := p_plan.interval_count
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
