-- Who holds which unit, and until when: every change of possession goes through private.set_possession(). Whoever calls it has
-- locked the lease; it locks the units, in id order, so that two calls that race queue up instead of deadlocking.

create type private.unit_hold as (
    unit_id uuid,
    possession daterange
);


-- The lease, locked, for a caller who holds the permission; a foreign one and none at all answer alike. With it, what must be
-- locked before it: the property that it lets whole, since units are added to that, and the lease that it renews.
create function private.lock_lease(p_lease_id uuid, p_permission text)
    returns public.leases
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_seen public.leases;
    v_lease public.leases;
begin
    select * into v_seen
    from public.leases
    where id = p_lease_id and workspace_id = any (array(select private.my_workspaces()));
    if v_seen.status = 'draft' and v_seen.whole_property then
        perform from public.properties as p
        where p.workspace_id = v_seen.workspace_id and p.id = v_seen.property_id
        for update;
    end if;
    perform from public.leases as l
    where l.workspace_id = v_seen.workspace_id and l.id in (v_seen.id, v_seen.renewed_from_id)
    order by l.id
    for update;
    select * into v_lease
    from public.leases
    where workspace_id = v_seen.workspace_id and id = v_seen.id
    for update;
    if not found then
        perform private.fail(
            404, 'lease_not_found', 'There is no such lease, or it is not yours to see.',
            p_hint := 'List the leases you can see: GET /leases.'
        );
    end if;
    perform private.require_permission(v_lease.workspace_id, p_permission);
    if v_lease.whole_property and not v_seen.whole_property then
        perform private.fail(
            409, 'lease_busy', 'Somebody else is changing this lease right now.', p_hint := 'Try again.'
        );
    end if;
    return v_lease;
end
$$;


-- For calls about a lease in force, or one that has begun.
create function private.require_lease_status(p_lease public.leases, p_statuses text[])
    returns void
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    if p_lease.status <> all (p_statuses) then
        perform private.fail(
            409, 'lease_not_active',
            format('Lease %s is %s, not %s.', p_lease.lease_number, p_lease.status, array_to_string(p_statuses, ' or '))
        );
    end if;
end
$$;


-- The day it is where the lease's property stands.
create function private.lease_today(p_lease public.leases, p_now timestamptz)
    returns date
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return (
        select private.local_date(p.timezone, p_now)
        from public.properties as p
        where p.workspace_id = p_lease.workspace_id and p.id = p_lease.property_id
    );
end
$$;


create function private.lock_units(p_workspace_id uuid, p_unit_ids uuid[])
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform from public.units as u
    where u.workspace_id = p_workspace_id and u.id = any (p_unit_ids)
    order by u.id
    for no key update;
end
$$;


-- What the lease holds, or plans to hold.
create function private.holds(p_lease public.leases)
    returns private.unit_hold[]
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return array(
        select (lu.unit_id, lu.possession)::private.unit_hold
        from public.lease_units as lu
        where lu.workspace_id = p_lease.workspace_id and lu.lease_id = p_lease.id and lu.superseded_at is null
        order by lu.unit_id, lu.possession
    );
end
$$;


-- The same until another day: what begins later is given up, what ends earlier stays, and what runs as long as any of it runs
-- until then, even where that is longer. Null: until the lease has ended.
create function private.holds_until(p_holds private.unit_hold[], p_until date)
    returns private.unit_hold[]
    immutable
    set search_path = ''
    language sql
as $$
    select coalesce(array_agg((h.unit_id, h.possession)::private.unit_hold order by h.unit_id, h.possession), '{}')
    from (
        select
            w.unit_id,
            case
                when w.is_last or upper(w.possession) > p_until
                    then daterange(lower(w.possession), p_until)
                else w.possession
            end as possession
        from (
            select
                h.unit_id,
                h.possession,
                coalesce(upper(h.possession), 'infinity')
                = max(coalesce(upper(h.possession), 'infinity')) over () as is_last
            from unnest(p_holds) as h
        ) as w
        where p_until is null or lower(w.possession) < p_until
    ) as h
$$;


-- Until when the lease is to hold its units as things stand: the day after its last. A last day that has passed ends nothing,
-- the renters are there until somebody says that they have left.
create function private.holds_its_units_until(p_lease public.leases, p_today date)
    returns date
    immutable
    set search_path = ''
    language sql
as $$
    select case when p_lease.leaves_on >= p_today then p_lease.leaves_on + 1 end
$$;


-- The first day after p_from on which another lease has the unit.
create function private.next_hold(p_workspace_id uuid, p_lease_id uuid, p_unit_id uuid, p_from date)
    returns date
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return (
        select min(lower(lu.possession))
        from public.lease_units as lu
        where
            lu.workspace_id = p_workspace_id
            and lu.unit_id = p_unit_id
            and lu.lease_id <> p_lease_id
            and lu.binding
            and lu.superseded_at is null
            and lower(lu.possession) > p_from
    );
end
$$;


-- Holds without an end, each cut where the next lease of its unit begins: for renters who stay beyond their last day.
create function private.holds_till_the_next(p_lease public.leases, p_holds private.unit_hold[])
    returns private.unit_hold[]
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return array(
        select (
            h.unit_id,
            case when upper_inf(h.possession) then daterange(
                lower(h.possession),
                private.next_hold(p_lease.workspace_id, p_lease.id, h.unit_id, lower(h.possession))
            ) else h.possession end
        )::private.unit_hold
        from unnest(p_holds) as h
    );
end
$$;


-- Refuses with the number of a lease that holds one of the units on a day that is wanted.
create function private.refuse_overlap(p_lease public.leases, p_wanted private.unit_hold[])
    returns void
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_other record;
begin
    select l.lease_number, u.unit_number, lu.possession
    into v_other
    from unnest(p_wanted) as w
    join public.lease_units as lu
        on
            lu.workspace_id = p_lease.workspace_id
            and lu.unit_id = w.unit_id
            and lu.lease_id <> p_lease.id
            and lu.possession && w.possession
            and lu.binding
            and lu.superseded_at is null
    join public.leases as l on l.workspace_id = lu.workspace_id and l.id = lu.lease_id
    join public.units as u on u.workspace_id = lu.workspace_id and u.id = lu.unit_id
    order by lower(lu.possession), l.lease_number
    limit 1;
    perform private.fail(
        409, 'possession_overlap',
        format('Lease %s holds unit %s in that time.', v_other.lease_number, v_other.unit_number),
        format('lease_number=%s unit_number=%s possession=%s',
            v_other.lease_number, v_other.unit_number, v_other.possession),
        'End that lease first, or choose days on which the unit is free.'
    );
end
$$;


-- Makes the lease hold exactly what is wanted. A row that binds is superseded, never changed; both happen at one instant, so that
-- what was known at any time can be told without a gap.
create function private.set_possession(p_lease public.leases, p_wanted private.unit_hold[])
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_at timestamptz;
begin
    perform private.lock_units(p_lease.workspace_id, array(
        select h.unit_id from unnest(p_wanted || private.holds(p_lease)) as h
    ));
    v_at := clock_timestamp();
    begin
        update public.lease_units as lu
        set superseded_at = greatest(v_at, lu.recorded_at)
        where
            lu.workspace_id = p_lease.workspace_id
            and lu.lease_id = p_lease.id
            and lu.binding
            and lu.superseded_at is null
            and (lu.unit_id, lu.possession) not in (select w.unit_id, w.possession from unnest(p_wanted) as w);
        -- A draft's plan becomes what binds.
        update public.lease_units as lu
        set possession = w.possession, binding = true, recorded_at = v_at
        from unnest(p_wanted) as w
        where
            lu.workspace_id = p_lease.workspace_id
            and lu.lease_id = p_lease.id
            and lu.unit_id = w.unit_id
            and not lu.binding
            and lu.superseded_at is null;
        insert into public.lease_units
            (workspace_id, property_id, lease_id, unit_id, possession, binding, recorded_at)
        select p_lease.workspace_id, p_lease.property_id, p_lease.id, w.unit_id, w.possession, true, v_at
        from unnest(p_wanted) as w
        where not exists (
            select from public.lease_units as lu
            where
                lu.workspace_id = p_lease.workspace_id
                and lu.lease_id = p_lease.id
                and lu.unit_id = w.unit_id
                and lu.possession = w.possession
                and lu.binding
                and lu.superseded_at is null
        )
        order by w.unit_id;
    exception when exclusion_violation then
        perform private.refuse_overlap(p_lease, p_wanted);
    end;
end
$$;


-- Leases whose last day has passed and whose renters have not left, as far as anybody said, on units that the lease holds later.
-- They are in the way even where their days are over on paper. A unit that such a lease gave up earlier is not among them.
create function private.held_over_before(p_lease_id uuid)
    returns table (lease_id uuid, lease_number text, unit_number text, possession daterange)
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select o.id, o.lease_number, u.unit_number, before.possession
    from public.leases as l
    join public.lease_units as mine
        on
            mine.workspace_id = l.workspace_id
            and mine.property_id = l.property_id
            and mine.lease_id = l.id
            and mine.superseded_at is null
    join public.lease_units as before
        on
            before.workspace_id = mine.workspace_id
            and before.unit_id = mine.unit_id
            and before.lease_id <> mine.lease_id
            and before.binding
            and before.superseded_at is null
            and upper(before.possession) <= lower(mine.possession)
    join public.leases as o on o.workspace_id = before.workspace_id and o.id = before.lease_id
    join public.units as u on u.workspace_id = before.workspace_id and u.id = before.unit_id
    where
        l.id = p_lease_id
        and o.status in ('active', 'notice_given')
        and o.id is distinct from l.renewed_from_id
        and not exists (
            select from public.lease_units as later
            where
                later.workspace_id = before.workspace_id
                and later.lease_id = before.lease_id
                and later.superseded_at is null
                and coalesce(upper(later.possession), 'infinity') > upper(before.possession)
        );
end
$$;


-- Refuses where renters stay beyond their last day in a unit that the lease is to have from a later one. The units are locked.
create function private.refuse_held_over(p_lease public.leases, p_today date)
    returns void
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_other record;
begin
    select * into v_other
    from private.held_over_before(p_lease.id) as o
    where upper(o.possession) <= p_today
    order by o.lease_number
    limit 1;
    if found then
        perform private.fail(
            409, 'possession_overlap',
            format('Lease %s still holds unit %s: its renters have not moved out.',
                v_other.lease_number, v_other.unit_number),
            format('lease_number=%s unit_number=%s possession=%s',
                v_other.lease_number, v_other.unit_number, v_other.possession),
            'Record with rpc/end_lease on which day they did.'
        );
    end if;
end
$$;


-- A unit that is added to a property which a lease lets whole belongs to that lease from now on.
create function private.join_whole_property_leases()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases;
begin
    for v_lease in
        select l.*
        from public.leases as l
        where l.whole_property and l.in_force and (l.workspace_id, l.property_id) in (
            select u.workspace_id, u.property_id from touched as u
        )
        order by l.id
    loop
        v_lease := private.hold_lease(v_lease.workspace_id, v_lease.id);
        if v_lease.in_force then
            insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession, binding)
            select
                u.workspace_id,
                u.property_id,
                v_lease.id,
                u.id,
                daterange(today.day, private.holds_its_units_until(v_lease, today.day)),
                true
            from touched as u
            cross join lateral (select private.lease_today(v_lease, now())) as local (day)
            cross join lateral (select greatest(local.day, v_lease.starts_on)) as today (day)
            where u.workspace_id = v_lease.workspace_id and u.property_id = v_lease.property_id
            order by u.id;
        end if;
    end loop;
    return null;
end
$$;

create trigger join_whole_property_leases after insert on public.units
    referencing new table as touched
    for each statement execute function private.join_whole_property_leases();


-- Whether the lease ever held the unit, now or before. A request may be about a household and another unit of its property.
create function private.has_held(p_workspace_id uuid, p_lease_id uuid, p_unit_id uuid)
    returns boolean
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    return exists (
        select from public.lease_units as lu
        where
            lu.workspace_id = p_workspace_id
            and lu.lease_id = p_lease_id
            and lu.unit_id = p_unit_id
            and lu.binding
            and lu.superseded_at is null
    );
end
$$;


-- Whether the lease held the unit and its renters have been moved out of it.
create function private.has_left(p_workspace_id uuid, p_lease_id uuid, p_unit_id uuid)
    returns boolean
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    return (
        select coalesce(bool_and(exists (
            select from public.lease_units as later
            where
                later.workspace_id = lu.workspace_id
                and later.lease_id = lu.lease_id
                and later.superseded_at is null
                and lower(later.possession) >= upper(lu.possession)
                and lower(later.possession) <= current_date
        )), false)
        from public.lease_units as lu
        where
            lu.workspace_id = p_workspace_id
            and lu.lease_id = p_lease_id
            and lu.unit_id = p_unit_id
            and lu.binding
            and lu.superseded_at is null
    );
end
$$;
