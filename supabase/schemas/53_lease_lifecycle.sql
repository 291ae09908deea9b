-- How a lease begins and ends. Each call is safe beside another for the same lease, or for a lease of the same unit.

-- Ends the lease that another one renews, on the day before that one begins. Nobody moves out.
create function private.end_renewed_lease(p_renewal public.leases)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    update public.leases
    set
        status = 'ended',
        ended_on = p_renewal.starts_on - 1,
        status_reason = format('Renewed by lease %s', p_renewal.lease_number)
    where
        workspace_id = p_renewal.workspace_id
        and id = p_renewal.renewed_from_id
        and status in ('active', 'notice_given');
end
$$;


-- Makes a locked draft binding. What it renews is locked with it, and gives up its units to it.
create function private.bind_lease(p_lease public.leases, p_now timestamptz)
    returns public.leases
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases := p_lease;
    v_today date := private.lease_today(p_lease, p_now);
    v_until date := private.holds_its_units_until(p_lease, v_today);
    v_wanted private.unit_hold[] := private.holds(p_lease);
    v_renewed public.leases;
begin
    if v_lease.whole_property then
        v_wanted := array(
            select (u.id, coalesce(w.possession, v_lease.term))::private.unit_hold
            from public.units as u
            left join unnest(v_wanted) as w on w.unit_id = u.id
            where u.workspace_id = v_lease.workspace_id and u.property_id = v_lease.property_id
            order by u.id
        );
    end if;
    if cardinality(v_wanted) = 0 then
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
    -- Days that somebody planned for a single unit stay; those of the term run as the lease does.
    v_wanted := array(
        select (
            w.unit_id,
            case when upper(w.possession) is not distinct from upper(v_lease.term)
                then daterange(lower(w.possession), v_until)
                else w.possession
            end
        )::private.unit_hold
        from unnest(v_wanted) as w
    );
    if v_lease.leaves_on < v_today then
        v_wanted := private.holds_till_the_next(v_lease, v_wanted);
    end if;
    select * into v_renewed
    from public.leases as l
    where l.workspace_id = v_lease.workspace_id and l.id = v_lease.renewed_from_id and l.in_force;
    if v_renewed.starts_on >= v_lease.starts_on then
        perform private.fail(
            422, 'renewal_out_of_range',
            format('A renewal of lease %s begins after its first day, %s.', v_renewed.lease_number, v_renewed.starts_on),
            p_hint := 'Correct starts_on of the renewal.'
        );
    end if;
    if v_renewed.id is not null then
        perform private.lock_units(v_lease.workspace_id, array(
            select h.unit_id from unnest(v_wanted || private.holds(v_renewed)) as h
        ));
        perform private.set_possession(
            v_renewed,
            private.holds_until(private.holds(v_renewed), v_lease.starts_on)
        );
    end if;
    perform private.set_possession(v_lease, v_wanted);
    perform private.refuse_held_over(v_lease, v_today);
    update public.leases
    set
        status = case when starts_on > v_today then 'pending' else 'active' end,
        activated_at = p_now,
        status_reason = null
    where id = v_lease.id
    returning * into v_lease;
    if v_lease.status = 'active' then
        perform private.end_renewed_lease(v_lease);
    end if;
    return v_lease;
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
begin
    if v_lease.status <> 'draft' then
        perform private.fail(
            409, 'lease_not_draft', format('Lease %s is %s, not a draft.', v_lease.lease_number, v_lease.status)
        );
    end if;
    return private.bind_lease(v_lease, p_now);
end
$$;


-- The last day on which renters had their units: not before the first, and none that is still to come.
create function private.require_last_day(p_lease public.leases, p_ended_on date, p_now timestamptz)
    returns void
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_today date := private.lease_today(p_lease, p_now);
begin
    if p_ended_on is null or p_ended_on < p_lease.starts_on or p_ended_on > v_today then
        perform private.fail(
            422, 'end_out_of_range',
            format('ended_on must lie between the lease''s first day, %s, and today, %s.', p_lease.starts_on, v_today),
            p_hint := 'Give the last day on which the renters had the unit; record it once they have moved out.'
        );
    end if;
end
$$;


-- The renewal of the lease that is signed and has not begun, if there is one: the lease can't end otherwise than by it.
create function private.refuse_pending_renewal(p_lease public.leases)
    returns void
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_renewal public.leases;
begin
    select * into v_renewal
    from public.leases as l
    where
        l.workspace_id = p_lease.workspace_id
        and l.property_id = p_lease.property_id
        and l.renewed_from_id = p_lease.id
        and l.status = 'pending';
    if found then
        perform private.fail(
            409, 'lease_renewed', format('Lease %s renews it.', v_renewal.lease_number),
            format('lease_number=%s', v_renewal.lease_number), 'Call the renewal off first with rpc/terminate_lease.'
        );
    end if;
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
begin
    perform private.require_lease_status(v_lease, '{active, notice_given}');
    perform private.require_last_day(v_lease, p_ended_on, p_now);
    perform private.refuse_pending_renewal(v_lease);
    perform private.set_possession(v_lease, private.holds_until(private.holds(v_lease), p_ended_on + 1));
    update public.leases
    set
        status = 'ended',
        ended_on = p_ended_on,
        moved_out_on = coalesce(moved_out_on, greatest(moved_in_on, p_ended_on)),
        status_reason = null
    where id = v_lease.id
    returning * into v_lease;
    return v_lease;
end
$$;


create function private.terminate_lease(p_lease_id uuid, p_reason text, p_ended_on date, p_now timestamptz)
    returns public.leases
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases := private.lock_lease(p_lease_id, 'leases.write');
    v_renewed public.leases;
begin
    perform private.require_lease_status(v_lease, '{pending, active, notice_given}');
    if coalesce(btrim(p_reason), '') = '' or length(p_reason) > 1000 then
        perform private.fail(
            422, 'reason_required', 'Say why the lease ends early, in up to 1,000 characters.',
            p_hint := 'Renters read it, too.'
        );
    end if;
    if v_lease.status = 'pending' then
        if p_ended_on is not null then
            perform private.fail(
                422, 'end_out_of_range', format('Lease %s has not begun: it has no last day.', v_lease.lease_number),
                p_hint := 'Leave ended_on out.'
            );
        end if;
        select * into v_renewed
        from public.leases as l
        where
            l.workspace_id = v_lease.workspace_id
            and l.id = v_lease.renewed_from_id
            and l.status in ('active', 'notice_given');
        perform private.lock_units(v_lease.workspace_id, array(
            select h.unit_id from unnest(private.holds(v_lease) || private.holds(v_renewed)) as h
        ));
        perform private.set_possession(v_lease, '{}');
        -- What it was to renew runs on as if it had never been.
        if v_renewed.id is not null then
            perform private.set_possession(v_renewed, private.holds_till_the_next(v_renewed, private.holds_until(
                private.holds(v_renewed),
                private.holds_its_units_until(v_renewed, private.lease_today(v_renewed, p_now))
            )));
        end if;
    else
        perform private.require_last_day(v_lease, p_ended_on, p_now);
        perform private.refuse_pending_renewal(v_lease);
        perform private.set_possession(v_lease, private.holds_until(private.holds(v_lease), p_ended_on + 1));
    end if;
    update public.leases
    set
        status = 'terminated',
        ended_on = p_ended_on,
        moved_out_on = case when p_ended_on is not null
            then coalesce(moved_out_on, greatest(moved_in_on, p_ended_on))
        end,
        status_reason = p_reason
    where id = v_lease.id
    returning * into v_lease;
    return v_lease;
end
$$;

grant execute on function private.activate_lease(uuid, timestamptz) to authenticated;
grant execute on function private.end_lease(uuid, date, timestamptz) to authenticated;
grant execute on function private.terminate_lease(uuid, text, date, timestamptz) to authenticated;


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
the property stands. One that renews another takes over its units and, on its first day, ends it. Needs `leases.write`, a
unit, a primary renter and a rent for the first day (422 `lease_incomplete`). 409 `possession_overlap` names the lease that
holds a unit in that time, or whose renters have not moved out; 409 `lease_not_draft` if it has begun already. Answers the
lease.$$;

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
`leases.write`. 409 `lease_not_active`, 409 `lease_renewed` if a renewal is signed, 422 `end_out_of_range`, 409
`possession_overlap` if another lease holds the unit on a day before. Answers the lease.$$;

grant execute on function public.end_lease(uuid, date) to authenticated;


create function public.terminate_lease(lease_id uuid, reason text, ended_on date default null)
    returns public.leases
    volatile
    set search_path = ''
    language sql
as $$
    select private.terminate_lease(lease_id, reason, ended_on, now())
$$;

comment on function public.terminate_lease(uuid, text, date) is $$Ends a lease early, or calls it off before it began

`reason` says why, and is shown to the renters. `ended_on` is the last day on which they had the unit; a pending lease has none.
Calling off a renewal lets the lease that it was to renew run on. Needs `leases.write`. 422 `reason_required`, and what
`end_lease` answers. Answers the lease.$$;

grant execute on function public.terminate_lease(uuid, text, date) to authenticated;
