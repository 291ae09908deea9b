-- What a new day does to leases, each by the date of its property. One that is being changed is taken up by the next run.

-- Begins the leases whose first day has come, unless the renters before them are still there, and ends those that they renew.
create function private.begin_leases(p_now timestamptz, p_limit integer)
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_due uuid[];
    v_renewed uuid[];
    v_begun uuid[];
begin
    v_due := array(
        select l.id
        from public.leases as l
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        where
            l.status = 'pending'
            -- No clock on earth is further ahead than UTC+14: the index ends here, the property's own date decides.
            and l.starts_on <= ((p_now at time zone 'UTC') + interval '14 hours')::date
            and l.starts_on <= private.local_date(p.timezone, p_now)
            and not exists (select from private.held_over_before(l.id))
        order by l.starts_on, l.id
        limit p_limit
        for update of l skip locked
    );
    v_renewed := array(
        select o.id
        from public.leases as o
        where o.id in (select l.renewed_from_id from public.leases as l where l.id = any (v_due)) and o.in_force
        order by o.id
        for update of o skip locked
    );
    with begun as (
        update public.leases as l
        set status = 'active', status_reason = null
        where
            l.id = any (v_due)
            and not exists (
                select from public.leases as o
                where
                    o.workspace_id = l.workspace_id
                    and o.id = l.renewed_from_id
                    and o.in_force
                    and o.id <> all (v_renewed)
            )
        returning l.id
    )
    select coalesce(array_agg(b.id), '{}') into v_begun from begun as b;
    update public.leases as o
    set
        status = 'ended',
        ended_on = l.starts_on - 1,
        status_reason = format('Renewed by lease %s', l.lease_number)
    from public.leases as l
    where l.id = any (v_begun) and o.id = l.renewed_from_id and o.id = any (v_renewed);
    return cardinality(v_begun);
end
$$;


-- The day of that month, or its last if it has no such day.
create function private.day_of_month(p_month date, p_day integer)
    returns date
    immutable
    strict
    parallel safe
    set search_path = ''
    language sql
as $$
    select least(
        date_trunc('month', p_month)::date + p_day - 1, (date_trunc('month', p_month) + interval '1 month - 1 day')::date
    )
$$;


-- The day of the month on which the terms of a lease begin: 31 for one that began on 31 January and ends on 27 February. As it is
-- kept from the first term, else by the lease's own first day; where neither leads to its last day, by that.
create function private.renewal_day(p_lease public.leases)
    returns integer
    immutable
    set search_path = ''
    language sql
as $$
    select d.day
    from unnest(array[
        p_lease.renewal_day,
        extract(day from p_lease.starts_on)::integer,
        extract(day from p_lease.ends_on + 1)::integer
    ]) with ordinality as d (day, choice)
    where private.day_of_month(p_lease.ends_on + 1, d.day) = p_lease.ends_on + 1
    order by d.choice
    limit 1
$$;


-- Last day of the term that follows by itself. Counted from the day on which terms begin, not from the last boundary: those of a
-- lease of 31 January end on 27 February, 30 March and 29 April.
create function private.renewed_until(p_lease public.leases)
    returns date
    immutable
    set search_path = ''
    language sql
as $$
    select private.day_of_month(
        (date_trunc('month', p_lease.ends_on + 1) + make_interval(months => p_lease.renewal_months))::date,
        private.renewal_day(p_lease)
    ) - 1
$$;


-- Renews the leases that do so by themselves. One for which somebody has drafted a renewal is left to them.
create function private.renew_leases(p_now timestamptz, p_limit integer)
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases;
    v_renewals integer := 0;
begin
    for v_lease in
        select l.*
        from public.leases as l
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        where
            l.status = 'active'
            and l.on_expiry = 'renews'
            and l.ends_on < ((p_now at time zone 'UTC') + interval '14 hours')::date
            and l.ends_on < private.local_date(p.timezone, p_now)
            and not exists (
                select from public.leases as r
                where
                    r.workspace_id = l.workspace_id
                    and r.property_id = l.property_id
                    and r.renewed_from_id = l.id
                    and r.status <> 'terminated'
            )
        order by l.ends_on, l.id
        limit p_limit
        for update of l skip locked
    loop
        -- Units of one lease after the other are not in id order, so it does not wait: somebody is at them, and the next run
        -- will find them free.
        if private.units_are_free_to_lock(v_lease) then
            begin
                perform private.bind_lease(
                    private.draft_renewal(
                        v_lease,
                        private.renewal_number(v_lease),
                        v_lease.ends_on + 1,
                        private.renewed_until(v_lease),
                        null
                    ),
                    p_now
                );
                v_renewals := v_renewals + 1;
            exception when sqlstate 'PGRST' or integrity_constraint_violation then
                -- One that cannot be renewed runs on as it is, and keeps no other from it.
                raise warning 'lease % was not renewed: %', v_lease.id, sqlerrm;
            end;
        end if;
    end loop;
    return v_renewals;
end
$$;


-- Locks the lease's units if nobody else has one of them locked.
create function private.units_are_free_to_lock(p_lease public.leases)
    returns boolean
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_unit_ids uuid[] := array(select distinct h.unit_id from unnest(private.holds(p_lease)) as h);
    v_locked uuid[];
begin
    v_locked := array(
        select u.id
        from public.units as u
        where u.workspace_id = p_lease.workspace_id and u.id = any (v_unit_ids)
        order by u.id
        for no key update skip locked
    );
    return cardinality(v_locked) = cardinality(v_unit_ids);
end
$$;


-- Keeps units held for renters who stay beyond their last day, until it is recorded that they have left, or until the next lease
-- begins on paper; that one then waits for them.
create function private.hold_over_leases(p_now timestamptz, p_limit integer)
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases;
    v_held integer := 0;
begin
    for v_lease in
        select l.*
        from public.leases as l
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        where
            l.status in ('active', 'notice_given')
            and l.leaves_on < ((p_now at time zone 'UTC') + interval '14 hours')::date
            and l.leaves_on < private.local_date(p.timezone, p_now)
            and exists (
                select from public.lease_units as lu
                where
                    lu.workspace_id = l.workspace_id
                    and lu.lease_id = l.id
                    and lu.superseded_at is null
                    and upper(lu.possession) = l.leaves_on + 1
                    and not exists (
                        select from public.lease_units as next
                        where
                            next.workspace_id = lu.workspace_id
                            and next.unit_id = lu.unit_id
                            and next.lease_id <> lu.lease_id
                            and next.binding
                            and next.superseded_at is null
                            and lower(next.possession) = upper(lu.possession)
                    )
            )
        order by l.leaves_on, l.id
        limit p_limit
        for update of l skip locked
    loop
        if private.units_are_free_to_lock(v_lease) then
            perform private.hold_as_things_stand(v_lease, private.lease_today(v_lease, p_now));
            v_held := v_held + 1;
        end if;
    end loop;
    return v_held;
end
$$;


create function worker.lease_turnover(p_now timestamptz default now(), p_limit integer default 1000)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_begun integer := private.begin_leases(p_now, p_limit);
    v_renewed integer := private.renew_leases(p_now, p_limit);
    v_held_over integer := private.hold_over_leases(p_now, p_limit);
begin
    return jsonb_build_object(
        'leases_begun', v_begun,
        'leases_renewed', v_renewed,
        'leases_held_over', v_held_over,
        -- A renewal may be over already, and renew in its turn.
        'more', v_renewed > 0 or greatest(v_begun, v_held_over) >= p_limit
    );
end
$$;

comment on function worker.lease_turnover(timestamptz, integer) is $$Does to leases what a new day brings

A pending lease becomes active on its first day where its property stands, and ends the one it renews; it waits as long as
renters before it have not moved out. A lease that renews by itself does so once its last day has passed; of others, the units
stay held. Takes up to `p_limit` of each: call again while `more`. Answers {leases_begun, leases_renewed, leases_held_over,
more}.$$;
