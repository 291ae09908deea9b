-- What dashboards show, read from rollups: it costs what the range asked for has days, not what is stored.

-- Sums of a workspace or a property for each day of the range; what lies before its first day stands at -infinity.
create function private.rollup_sums(p_workspace_id uuid, p_scope_id uuid, p_starts_on date, p_ends_on date)
    returns table (measure text, label text, on_day date, amount bigint)
    stable
    security definer
    set search_path = ''
    -- The keys lead to what is read, however few rows there were when the plan was made.
    set enable_seqscan = off
    language plpgsql
as $$
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
$$;


-- The figures of one or more workspaces, or of one property, each part from those of them where the caller holds its
-- permission.
create function private.kpis(p_workspace_ids uuid[], p_property_id uuid, p_starts_on date, p_ends_on date)
    returns jsonb
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


create function private.dashboard_kpis(p_starts_on date, p_ends_on date, p_workspace_id uuid)
    returns jsonb
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if p_workspace_id is not null then
        perform private.require_permission(p_workspace_id, 'portfolio.read');
        return private.kpis(array[p_workspace_id], null, p_starts_on, p_ends_on);
    end if;
    return private.kpis(array(select private.my_workspaces()), null, p_starts_on, p_ends_on);
end
$$;


-- The figures of a property from today there, for the days that people plan by.
create function private.property_summary(p_property_id uuid, p_now timestamptz)
    returns jsonb
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

grant execute on function private.dashboard_kpis(date, date, uuid) to authenticated;
grant execute on function private.property_summary(uuid, timestamptz) to authenticated;


create function public.dashboard_kpis(starts_on date, ends_on date, workspace_id uuid default null)
    returns jsonb
    stable
    set search_path = ''
    language plpgsql
as $$
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
$$;

comment on function public.dashboard_kpis(date, date, uuid) is $$Occupancy, leases that run out, and open requests

From `starts_on` to `ends_on`, both included, two years at most (422 `range_invalid`), on each property's own calendar. Of one
workspace (404 `workspace_not_found`), or of all of yours together; each part of those where you hold its permission.

Answers {starts_on, ends_on, units: {active, off_market, retired}, occupancy: {occupied_at_start, occupied_at_end, average_occupied,
rate_at_end}, leases_expiring: {total, by_month: [{month, leases}]}, requests_open: {emergency, high, normal, low, total}}. A unit
is occupied on the days on which a lease that binds holds it; the rate is of the units that are active or off the market now, and
empty where there are none. Units and requests are as of now. Always exact, whatever was just written. GET carries an ETag,
and If-None-Match is answered with 304.$$;

grant execute on function public.dashboard_kpis(date, date, uuid) to authenticated;


create function public.property_summary(property_id uuid)
    returns jsonb
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    return private.conditional(private.property_summary(property_id, now()));
end
$$;

comment on function public.property_summary(uuid) is $$A property's figures in one call

Those of `rpc/dashboard_kpis` for this property, from today there to 90 days from now, with property_id, workspace_id and name.
Needs `portfolio.read`; 404 `property_not_found`. GET carries an ETag, and If-None-Match is answered with 304.$$;

grant execute on function public.property_summary(uuid) to authenticated;
