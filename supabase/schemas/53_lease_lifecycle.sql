-- How a lease begins and ends. Each call is safe beside another for the same lease, or for a lease of the same unit.

-- The lease, locked, for a caller who holds the permission; a foreign one and none at all answer alike.
create function private.lock_lease(p_lease_id uuid, p_permission text)
    returns public.leases
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases;
begin
    select * into v_lease
    from public.leases
    where id = p_lease_id and workspace_id = any (array(select private.my_workspaces()))
    for update;
    if not found then
        perform private.fail(
            404, 'lease_not_found', 'There is no such lease, or it is not yours to see.',
            p_hint := 'List the leases you can see: GET /leases.'
        );
    end if;
    perform private.require_permission(v_lease.workspace_id, p_permission);
    return v_lease;
end
$$;


-- The units that the lease holds or plans to hold, locked in id order: two calls that race for the same ones queue up instead of
-- deadlocking. For whoever holds the lease: before that its units may change.
create function private.lock_units(p_lease public.leases)
    returns uuid[]
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return (
        select array_agg(locked.id)
        from (
            select u.id
            from public.units as u
            where u.workspace_id = p_lease.workspace_id and u.id in (
                select lu.unit_id
                from public.lease_units as lu
                where
                    lu.workspace_id = p_lease.workspace_id
                    and lu.lease_id = p_lease.id
                    and lu.superseded_at is null
            )
            order by u.id
            for no key update
        ) as locked
    );
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


-- Refuses with the number of a lease that holds one of the lease's units on a day of p_possession.
create function private.refuse_overlap(p_lease public.leases, p_unit_ids uuid[], p_possession daterange)
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
    from public.lease_units as lu
    join public.leases as l on l.workspace_id = lu.workspace_id and l.id = lu.lease_id
    join public.units as u on u.workspace_id = lu.workspace_id and u.id = lu.unit_id
    where
        lu.workspace_id = p_lease.workspace_id
        and lu.unit_id = any (p_unit_ids)
        and lu.lease_id <> p_lease.id
        and lu.binding
        and lu.superseded_at is null
        and (p_possession is null or lu.possession && p_possession)
        and (p_possession is not null or exists (
            select from public.lease_units as mine
            where
                mine.workspace_id = p_lease.workspace_id
                and mine.lease_id = p_lease.id
                and mine.unit_id = lu.unit_id
                and mine.superseded_at is null
                and mine.possession && lu.possession
        ))
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


create function private.activate_lease(p_lease_id uuid, p_now timestamptz)
    returns public.leases
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases := private.lock_lease(p_lease_id, 'leases.write');
    v_unit_ids uuid[];
begin
    if v_lease.status <> 'draft' then
        perform private.fail(
            409, 'lease_not_draft', format('Lease %s is %s, not a draft.', v_lease.lease_number, v_lease.status)
        );
    end if;
    v_unit_ids := private.lock_units(v_lease);
    if v_unit_ids is null then
        perform private.fail(
            422, 'lease_incomplete', format('Lease %s has no unit.', v_lease.lease_number),
            p_hint := 'Insert a row into lease_units for each unit that it lets.'
        );
    end if;
    if not exists (
        select from public.lease_tenants as lt
        where lt.workspace_id = v_lease.workspace_id and lt.lease_id = v_lease.id and lt.role = 'primary'
    ) then
        perform private.fail(
            422, 'lease_incomplete', format('Lease %s has no primary renter.', v_lease.lease_number),
            p_hint := 'Insert a row with role primary into lease_tenants.'
        );
    end if;
    if not exists (
        select from public.lease_terms as t
        where
            t.workspace_id = v_lease.workspace_id
            and t.lease_id = v_lease.id
            and t.superseded_at is null
            and t.effective_on <= v_lease.starts_on
    ) then
        perform private.fail(
            422, 'lease_incomplete', format('Lease %s has no rent for its first day.', v_lease.lease_number),
            p_hint := 'Insert a row into lease_terms with effective_on no later than starts_on.'
        );
    end if;
    begin
        update public.lease_units
        set binding = true, recorded_at = clock_timestamp()
        where workspace_id = v_lease.workspace_id and lease_id = v_lease.id and superseded_at is null;
    exception when exclusion_violation then
        perform private.refuse_overlap(v_lease, v_unit_ids, null);
    end;
    update public.leases
    set
        status = case when starts_on > private.lease_today(v_lease, p_now) then 'pending' else 'active' end,
        activated_at = p_now
    where id = v_lease.id
    returning * into v_lease;
    return v_lease;
end
$$;


create function private.end_lease(p_lease_id uuid, p_ended_on date, p_now timestamptz)
    returns public.leases
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases := private.lock_lease(p_lease_id, 'leases.write');
    v_today date := private.lease_today(v_lease, p_now);
    v_unit_ids uuid[];
begin
    if v_lease.status not in ('active', 'notice_given') then
        perform private.fail(
            409, 'lease_not_active', format('Lease %s is %s, not active.', v_lease.lease_number, v_lease.status)
        );
    end if;
    if p_ended_on is null or p_ended_on < v_lease.starts_on or p_ended_on > v_today then
        perform private.fail(
            422, 'end_out_of_range',
            format('ended_on must lie between the lease''s first day, %s, and today, %s.', v_lease.starts_on, v_today),
            p_hint := 'Give the last day on which the renters had the unit; record it once they have moved out.'
        );
    end if;
    v_unit_ids := private.lock_units(v_lease);
    begin
        with superseded as (
            update public.lease_units
            set superseded_at = greatest(clock_timestamp(), recorded_at)
            where workspace_id = v_lease.workspace_id and lease_id = v_lease.id and superseded_at is null
            returning *
        )
        select array_agg(s.unit_id) into v_unit_ids from superseded as s;
        insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession, binding)
        select distinct on (lu.unit_id)
            lu.workspace_id,
            lu.property_id,
            lu.lease_id,
            lu.unit_id,
            daterange(lower(lu.possession), p_ended_on, '[]'),
            true
        from public.lease_units as lu
        where
            lu.workspace_id = v_lease.workspace_id
            and lu.lease_id = v_lease.id
            and lu.unit_id = any (v_unit_ids)
            -- A unit that they were to have later was never theirs.
            and lower(lu.possession) <= p_ended_on
        order by lu.unit_id, lu.superseded_at desc;
    exception when exclusion_violation then
        -- They stayed beyond the term, into days that another lease already holds.
        perform private.refuse_overlap(v_lease, v_unit_ids, (
            select daterange(min(upper(lu.possession)), p_ended_on, '[]')
            from public.lease_units as lu
            where
                lu.workspace_id = v_lease.workspace_id
                and lu.lease_id = v_lease.id
                and lu.superseded_at is null
                and upper(lu.possession) <= p_ended_on
        ));
    end;
    update public.leases
    set status = 'ended', ended_on = p_ended_on
    where id = v_lease.id
    returning * into v_lease;
    return v_lease;
end
$$;

grant execute on function private.activate_lease(uuid, timestamptz) to authenticated;
grant execute on function private.end_lease(uuid, date, timestamptz) to authenticated;


create function public.activate_lease(lease_id uuid)
    returns public.leases
    volatile
    set search_path = ''
    language sql
as $$
    select private.activate_lease(lease_id, now())
$$;

comment on function public.activate_lease(uuid) is $$Makes a draft lease binding

Its units are held from then on, and its dates and money fixed. It is active at once, or pending until its first day where
the property stands. Needs `leases.write`, a unit, a primary renter and a rent
for the first day (422 `lease_incomplete`). 409 `possession_overlap` names the lease that holds a unit in that time; 409
`lease_not_draft` if it has begun already. Answers the lease.$$;

grant execute on function public.activate_lease(uuid) to authenticated;


create function public.end_lease(lease_id uuid, ended_on date)
    returns public.leases
    volatile
    set search_path = ''
    language sql
as $$
    select private.end_lease(lease_id, ended_on, now())
$$;

comment on function public.end_lease(uuid, date) is $$Records that the renters have moved out

`ended_on` is the last day on which they had the unit, whatever the paper says: from the next day it is free. Needs
`leases.write`. 409 `lease_not_active`, 422 `end_out_of_range`, 409 `possession_overlap` if another lease holds the unit on a
day before. Answers the lease.$$;

grant execute on function public.end_lease(uuid, date) to authenticated;
