-- The plan goes on: leases, and which units they hold.

create function private.plan_import_leases(p_workspace_id uuid, p_now timestamptz)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    create temporary table import_leases on commit drop as
    with stated as (
        select
            l.lease_key as key,
            min(l.line) as line,
            (array_agg(l.lease_number order by l.line))[1] as lease_number,
            (array_agg(l.property_key order by l.line))[1] as property_key,
            min(l.lease_start) as starts_on,
            min(l.lease_end) as ends_on,
            min(l.notice_days) as notice_days,
            min(l.rent_minor) as rent_minor,
            min(l.due_day) as due_day,
            min(l.deposit_minor) as deposit_minor,
            min(l.lease_status) as status
        from pg_temp.import_lines as l
        where l.lease_key is not null and l.property_key is not null
        group by l.lease_key
    ),
    compared as (
        select
            s.*,
            l as known,
            p.id as property_id,
            p.currency,
            coalesce(s.starts_on, l.starts_on) as new_starts_on,
            private.local_date(p.timezone, p_now) as today,
            case when l.in_force then greatest(private.local_date(p.timezone, p_now), l.starts_on)
                else coalesce(s.starts_on, l.starts_on)
            end as rent_asked_on
        from stated as s
        join pg_temp.import_properties as p on p.key = s.property_key
        left join public.leases as l on l.workspace_id = p_workspace_id and lower(l.lease_number) = s.key
    ),
    decided as (
        select
            c.key,
            c.line,
            c.property_key,
            c.property_id,
            c.currency,
            c.known,
            c.today,
            c.status as stated_status,
            c.rent_minor as stated_rent_minor,
            c.due_day as stated_due_day,
            t.rent_minor as known_rent_minor,
            t.due_day as known_due_day,
            (c.known).id is null as is_new,
            coalesce((c.known).id, gen_random_uuid()) as id,
            coalesce((c.known).lease_number, c.lease_number) as lease_number,
            c.new_starts_on as starts_on,
            coalesce(c.ends_on, (c.known).ends_on) as ends_on,
            coalesce(c.notice_days, (c.known).notice_days, 30) as notice_days,
            coalesce(c.deposit_minor, (c.known).deposit_minor, 0) as deposit_minor,
            coalesce(c.rent_minor, t.rent_minor) as rent_minor,
            coalesce(c.due_day, t.due_day, 1) as due_day,
            coalesce((c.known).status, 'draft') = 'draft'
            and coalesce(c.status, (c.known).status, 'active') = 'active' as activates,
            case when c.new_starts_on > c.today then 'pending' else 'active' end as status_once_active
        from compared as c
        left join lateral (
            select t.rent_minor, t.due_day
            from public.lease_terms as t
            where
                t.workspace_id = p_workspace_id
                and t.lease_id = (c.known).id
                and t.superseded_at is null
                and t.effective_on <= c.rent_asked_on
            order by t.effective_on desc
            limit 1
        ) as t on true
    )
    select
        d.*,
        case when d.ends_on >= d.starts_on or d.ends_on is null and d.starts_on is not null
            then daterange(d.starts_on, d.ends_on, '[]')
        end as term,
        not d.is_new and (d.starts_on, d.notice_days, d.deposit_minor) is distinct from
        ((d.known).starts_on, (d.known).notice_days, (d.known).deposit_minor)
        or not d.is_new and d.ends_on is distinct from (d.known).ends_on as changes,
        d.rent_minor is not null
        and (d.rent_minor, d.due_day) is distinct from (d.known_rent_minor, d.known_due_day) as sets_rent
    from decided as d;
    analyze pg_temp.import_leases;
end
$$;


create function private.plan_import_lease_units(p_workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    create temporary table import_lease_units on commit drop as
    with stated as (
        select l.lease_key, u.id as unit_id, min(l.line) as line
        from pg_temp.import_lines as l
        join pg_temp.import_units as u on u.property_key = l.property_key and u.key = l.unit_key
        where l.lease_key is not null
        group by l.lease_key, u.id
    )
    select
        le.key as lease_key,
        le.id as lease_id,
        coalesce(s.unit_id, lu.unit_id) as unit_id,
        coalesce(s.line, le.line) as line,
        lu.id is null as is_new,
        le.activates,
        -- What a draft planned by hand stays, unless its dates move.
        case
            when lu.id is not null
                and lu.possession is distinct from (le.known).term
                and (le.starts_on, le.ends_on) is not distinct from ((le.known).starts_on, (le.known).ends_on)
                then lu.possession
            -- As activate_lease() has it: one that runs on holds its units until it is ended.
            when le.activates and (le.known).on_expiry <> 'ends' then daterange(le.starts_on, null)
            else le.term
        end as possession
    from stated as s
    full join (
        select l.key as lease_key, lu.*
        from pg_temp.import_leases as l
        join public.lease_units as lu
            on lu.workspace_id = p_workspace_id and lu.lease_id = l.id and lu.superseded_at is null
        where not l.is_new
    ) as lu on lu.lease_key = s.lease_key and lu.unit_id = s.unit_id
    join pg_temp.import_leases as le on le.key = coalesce(s.lease_key, lu.lease_key);
    analyze pg_temp.import_lease_units;
end
$$;


-- Leases whose last day has passed and of which somebody else has had every unit since, by the file or by what is known: nobody of
-- them is there any more, though the file calls them active. Those whose units are let again only later may still be there.
create function private.plan_import_successions(p_workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    create temporary table import_successions on commit drop as
    with lapsed as (
        select l.key, l.today, lu.unit_id, upper(lu.possession) as free_from
        from pg_temp.import_leases as l
        join pg_temp.import_lease_units as lu on lu.lease_key = l.key
        where l.activates and l.ends_on < l.today and upper(lu.possession) = l.ends_on + 1
    ),
    followed as (
        select o.key, o.unit_id, l.lease_number, lower(lu.possession) as begins_on
        from lapsed as o
        join pg_temp.import_lease_units as lu
            on lu.unit_id = o.unit_id and lower(lu.possession) >= o.free_from and lower(lu.possession) <= o.today
        join pg_temp.import_leases as l on l.key = lu.lease_key and l.activates
        union all
        select o.key, o.unit_id, l.lease_number, lower(lu.possession)
        from lapsed as o
        join public.lease_units as lu
            on
                lu.workspace_id = p_workspace_id
                and lu.unit_id = o.unit_id
                and lu.binding
                and lu.superseded_at is null
                and lower(lu.possession) >= o.free_from
                and lower(lu.possession) <= o.today
        join public.leases as l
            on l.workspace_id = lu.workspace_id and l.id = lu.lease_id and l.status in ('active', 'notice_given', 'ended')
    )
    select o.key as lease_key, (array_agg(f.lease_number order by f.begins_on, f.lease_number))[1] as followed_by
    from lapsed as o
    left join followed as f on f.key = o.key and f.unit_id = o.unit_id
    group by o.key
    having bool_and(f.lease_number is not null);
    analyze pg_temp.import_successions;
end
$$;
