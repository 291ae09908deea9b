-- What is done to requests by call: given out, scheduled, moved on by members and by the vendor who has them; reported by renters.
-- Two calls about one request follow each other: each locks it first, and judges what the other left.

-- The request, locked, for a member who may write it or the vendor who has it; to all others it does not exist.
create function private.lock_maintenance_request(
    p_request_id uuid, out request public.maintenance_requests, out by_member boolean, out by_vendor boolean
)
    returns record
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    select r.* into request
    from public.maintenance_requests as r
    where
        r.id = p_request_id
        and (
            r.workspace_id = any (array(select private.my_workspaces()))
            or r.id = any (array(select private.my_assigned_request_ids()))
        )
    for no key update;
    -- Asked once it is locked: it may have gone to somebody else meanwhile, or the caller may have left.
    by_member := request.workspace_id in (select private.workspaces_with('maintenance.write'));
    by_vendor := request.id in (select private.my_assigned_request_ids());
    if coalesce(by_member, false) or coalesce(by_vendor, false) then
        return;
    end if;
    if request.workspace_id in (select private.my_workspaces()) then
        perform private.require_permission(request.workspace_id, 'maintenance.write');
    end if;
    perform private.fail(
        404, 'maintenance_request_not_found', 'There is no such request, or it is not yours to act on.',
        p_hint := 'List the requests you can see: GET /maintenance_requests.'
    );
end
$$;


-- Why the next change of status is made, for the history; in the transaction alone.
create function private.give_maintenance_reason(p_reason text)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    perform set_config('freehold.maintenance_reason', coalesce(btrim(p_reason), ''), true);
end
$$;


create function private.assign_maintenance(p_request_id uuid, p_member_id uuid, p_vendor_id uuid, p_reason text)
    returns public.maintenance_requests
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_locked record := private.lock_maintenance_request(p_request_id);
    v_request public.maintenance_requests := v_locked.request;
begin
    if not v_locked.by_member then
        perform private.fail(
            404, 'maintenance_request_not_found', 'There is no such request, or it is not yours to give to anybody.',
            p_hint := 'Decline it with rpc/decline_maintenance.'
        );
    end if;
    if p_member_id is not null and p_vendor_id is not null then
        perform private.fail(
            422, 'one_assignee_expected', 'A member or a vendor does the work, not both.',
            p_hint := 'Give member_id or vendor_id, or neither to take the work back.'
        );
    end if;
    if v_request.status in ('completed', 'closed', 'cancelled') then
        perform private.fail(
            409, 'maintenance_request_finished',
            format('Request %s is %s: nobody is given it any more.', v_request.request_number, v_request.status),
            p_hint := 'Reopen it with rpc/change_maintenance_status.'
        );
    end if;
    if not exists (
        select from public.workspace_members as m
        where m.workspace_id = v_request.workspace_id and m.user_id = p_member_id and m.status = 'active'
        union all
        select from public.vendors as v
        where v.workspace_id = v_request.workspace_id and v.id = p_vendor_id and v.status = 'active'
    ) and (p_member_id is not null or p_vendor_id is not null) then
        perform private.fail(
            404, 'assignee_not_found', 'The workspace has no such active member or vendor.',
            p_hint := 'List them: GET /workspace_members?status=eq.active or /vendors?status=eq.active.'
        );
    end if;
    if (v_request.assigned_member_id, v_request.assigned_vendor_id) is distinct from (p_member_id, p_vendor_id) then
        perform private.give_maintenance_reason(p_reason);
        update public.maintenance_requests
        set assigned_member_id = p_member_id, assigned_vendor_id = p_vendor_id
        where id = v_request.id
        returning * into v_request;
        perform private.give_maintenance_reason(null);
    end if;
    return v_request;
end
$$;


create function private.change_maintenance_status(p_request_id uuid, p_status text, p_reason text)
    returns public.maintenance_requests
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_locked record := private.lock_maintenance_request(p_request_id);
    v_request public.maintenance_requests := v_locked.request;
begin
    if not exists (select from private.maintenance_transitions as t where t.to_status = p_status) then
        perform private.fail(
            422, 'maintenance_status_unknown', 'There is no such status of a request.',
            p_hint := 'Use open, assigned, scheduled, in_progress, on_hold, completed, closed or cancelled.'
        );
    end if;
    if not exists (
        select from private.maintenance_transitions as t
        where t.from_status = v_request.status and t.to_status = p_status and (v_locked.by_member or t.by_vendor)
    ) then
        perform private.fail(
            409, 'maintenance_transition_refused',
            format('Request %s is %s: you cannot make it %s.', v_request.request_number, v_request.status, p_status),
            format('from=%s to=%s allowed=%s', v_request.status, p_status, (
                select string_agg(t.to_status, ',' order by t.to_status)
                from private.maintenance_transitions as t
                where t.from_status = v_request.status and (v_locked.by_member or t.by_vendor)
            )),
            'Read the request again: somebody may have moved it on.'
        );
    end if;
    perform private.give_maintenance_reason(p_reason);
    update public.maintenance_requests
    set status = p_status
    where id = v_request.id
    returning * into v_request;
    perform private.give_maintenance_reason(null);
    return v_request;
end
$$;


create function private.schedule_maintenance(
    p_request_id uuid, p_starts_at timestamptz, p_ends_at timestamptz, p_reason text
)
    returns public.maintenance_requests
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_locked record := private.lock_maintenance_request(p_request_id);
    v_request public.maintenance_requests := v_locked.request;
begin
    if p_starts_at between '2000-01-01' and '2200-01-01'
        and p_ends_at > p_starts_at
        and p_ends_at <= p_starts_at + interval '31 days'
    then
        perform private.give_maintenance_reason(p_reason);
    else
        perform private.fail(
            422, 'window_invalid', 'A window of time starts before it ends, and is no longer than 31 days.',
            p_hint := 'Give starts_at and ends_at with their offsets, such as 2026-03-02T09:00:00-06:00.'
        );
    end if;
    if v_request.status = 'scheduled' then
        update public.maintenance_requests
        set scheduled_starts_at = p_starts_at, scheduled_ends_at = p_ends_at
        where id = v_request.id
        returning * into v_request;
    elsif v_request.status in ('assigned', 'in_progress', 'on_hold') then
        update public.maintenance_requests
        set status = 'scheduled', scheduled_starts_at = p_starts_at, scheduled_ends_at = p_ends_at
        where id = v_request.id
        returning * into v_request;
    elsif v_request.status = 'open' then
        perform private.fail(
            409, 'assignee_missing', format('Nobody is assigned to request %s.', v_request.request_number),
            p_hint := 'Assign a member or a vendor first: rpc/assign_maintenance.'
        );
    else
        perform private.fail(
            409, 'maintenance_request_finished',
            format('Request %s is %s: nobody will come.', v_request.request_number, v_request.status),
            p_hint := 'Reopen it with rpc/change_maintenance_status.'
        );
    end if;
    perform private.give_maintenance_reason(null);
    return v_request;
end
$$;


create function private.accept_maintenance(p_request_id uuid, p_now timestamptz)
    returns public.maintenance_requests
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_locked record := private.lock_maintenance_request(p_request_id);
    v_request public.maintenance_requests := v_locked.request;
begin
    if not v_locked.by_vendor then
        perform private.fail(
            403, 'assigned_vendor_expected', 'Only the vendor who has a request accepts or declines it.',
            p_hint := 'Members give it out with rpc/assign_maintenance.'
        );
    end if;
    if v_request.status in ('completed', 'closed', 'cancelled') then
        perform private.fail(
            409, 'maintenance_request_finished',
            format('Request %s is %s: there is nothing to accept.', v_request.request_number, v_request.status)
        );
    end if;
    update public.maintenance_requests
    set vendor_accepted_at = coalesce(vendor_accepted_at, p_now)
    where id = v_request.id
    returning * into v_request;
    return v_request;
end
$$;


create function private.decline_maintenance(p_request_id uuid, p_reason text)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_locked record := private.lock_maintenance_request(p_request_id);
begin
    if not v_locked.by_vendor then
        perform private.fail(
            403, 'assigned_vendor_expected', 'Only the vendor who has a request accepts or declines it.',
            p_hint := 'Members take it back with rpc/assign_maintenance.'
        );
    end if;
    perform private.change_maintenance_status(p_request_id, 'open', p_reason);
end
$$;


create function private.report_maintenance(
    p_unit_id uuid,
    p_title text,
    p_description text,
    p_category text,
    p_priority text,
    p_access_notes text,
    p_permission_to_enter boolean,
    p_now timestamptz
)
    returns public.maintenance_requests
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_home record;
    v_request public.maintenance_requests;
begin
    -- The lease that holds the unit today, or else the next; locked, so that it does not end meanwhile.
    select l.workspace_id, l.property_id, l.id as lease_id, t.id as tenant_id into v_home
    from public.tenants as t
    join public.lease_tenants as lt on lt.workspace_id = t.workspace_id and lt.tenant_id = t.id
    join public.leases as l on l.workspace_id = lt.workspace_id and l.id = lt.lease_id
    join public.lease_units as lu
        on lu.workspace_id = l.workspace_id and lu.property_id = l.property_id and lu.lease_id = l.id
    join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
    where
        t.user_id = (select auth.uid())
        and l.id = any (array(select private.my_current_lease_ids()))
        and l.in_force
        and lu.unit_id = p_unit_id
        -- Not one that they were moved out of.
        and p_unit_id = any (array(select private.my_unit_ids()))
        and lu.binding
        and lu.superseded_at is null
    order by lu.possession @> private.local_date(p.timezone, p_now) desc, lower(lu.possession)
    limit 1
    for share of l;
    if not found then
        perform private.fail(
            404, 'unit_not_rented', 'No lease of yours holds such a unit today.',
            p_hint := 'List your units: GET /units.'
        );
    end if;
    insert into public.maintenance_requests (
        workspace_id, request_number, property_id, unit_id, lease_id, tenant_id, title, description, category, priority,
        access_notes, permission_to_enter, shown_to_renter
    )
    values (
        v_home.workspace_id, private.take_request_numbers(v_home.workspace_id, 1), v_home.property_id, p_unit_id,
        v_home.lease_id, v_home.tenant_id, p_title, p_description, coalesce(p_category, 'other'),
        coalesce(p_priority, 'normal'), p_access_notes, coalesce(p_permission_to_enter, false), true
    )
    returning * into v_request;
    return v_request;
end
$$;

grant execute on function private.assign_maintenance(uuid, uuid, uuid, text) to authenticated;
grant execute on function private.change_maintenance_status(uuid, text, text) to authenticated;
grant execute on function private.schedule_maintenance(uuid, timestamptz, timestamptz, text) to authenticated;
grant execute on function private.accept_maintenance(uuid, timestamptz) to authenticated;
grant execute on function private.decline_maintenance(uuid, text) to authenticated;
grant execute on function private.report_maintenance(uuid, text, text, text, text, text, boolean, timestamptz)
    to authenticated;


create function public.assign_maintenance(
    request_id uuid, member_id uuid default null, vendor_id uuid default null, reason text default null
)
    returns public.maintenance_requests
    volatile
    set search_path = ''
    language sql
as $$
    select private.assign_maintenance(request_id, member_id, vendor_id, reason)
$$;

comment on function public.assign_maintenance(uuid, uuid, uuid, text) is $$Gives a request to a member or a vendor

Or takes it back, if neither is given: it is open again. From somebody to somebody else it becomes `assigned`, and loses its window
of time; to whoever has it already nothing changes. Needs `maintenance.write`. 422 `one_assignee_expected`, 404
`assignee_not_found` for one who is not of the workspace or not active, 409 `maintenance_request_finished`. `reason` goes into
the history. Answers the request.$$;

grant execute on function public.assign_maintenance(uuid, uuid, uuid, text) to authenticated;


create function public.change_maintenance_status(request_id uuid, status text, reason text default null)
    returns public.maintenance_requests
    volatile
    set search_path = ''
    language sql
as $$
    select private.change_maintenance_status(request_id, status, reason)
$$;

comment on function public.change_maintenance_status(uuid, text, text) is $$Moves a request on

Members with `maintenance.write` may take every edge of the machine, the vendor who has the request those of the work: in_progress,
on_hold, completed. 409 `maintenance_transition_refused` names those that are open from where it is, so of two who
complete it at once the second is told; 409 `assignee_missing`, 422 `maintenance_status_unknown`, 404
`maintenance_request_not_found`. `reason` goes into the history, which members alone read. Answers the request.$$;

grant execute on function public.change_maintenance_status(uuid, text, text) to authenticated;


create function public.schedule_maintenance(
    request_id uuid, starts_at timestamptz, ends_at timestamptz, reason text default null
)
    returns public.maintenance_requests
    volatile
    set search_path = ''
    language sql
as $$
    select private.schedule_maintenance(request_id, starts_at, ends_at, reason)
$$;

comment on function public.schedule_maintenance(uuid, timestamptz, timestamptz, text) is $$Says when somebody will come

Between `starts_at` and `ends_at`, at most 31 days apart. Makes the request `scheduled`, or moves the window of one that is. For
members with `maintenance.write` and the vendor who has the request. `reason` goes into the history. 422 `window_invalid`, 409 `assignee_missing` while nobody has it, 409 `maintenance_request_finished`. Answers the
request.$$;

grant execute on function public.schedule_maintenance(uuid, timestamptz, timestamptz, text) to authenticated;


create function public.accept_maintenance(request_id uuid)
    returns public.maintenance_requests
    volatile
    set search_path = ''
    language sql
as $$
    select private.accept_maintenance(request_id, now())
$$;

comment on function public.accept_maintenance(uuid) is $$Takes on a request, as the vendor who was given it

Sets `vendor_accepted_at`; again, it changes nothing. 403 `assigned_vendor_expected` for a member, 409
`maintenance_request_finished`, 404 `maintenance_request_not_found`. Answers the request.$$;

grant execute on function public.accept_maintenance(uuid) to authenticated;


create function public.decline_maintenance(request_id uuid, reason text default null)
    returns void
    volatile
    set search_path = ''
    language sql
as $$
    select private.decline_maintenance(request_id, reason)
$$;

comment on function public.decline_maintenance(uuid, text) is $$Gives a request back, as the vendor who was given it

It is open again, and out of the vendor's sight. Before the work has begun: 409 `maintenance_transition_refused` after that. 403
`assigned_vendor_expected` for a member, 404 `maintenance_request_not_found`. `reason` goes into the history.$$;

grant execute on function public.decline_maintenance(uuid, text) to authenticated;


create function public.report_maintenance(
    unit_id uuid,
    title text,
    description text default null,
    category text default 'other',
    priority text default 'normal',
    access_notes text default null,
    permission_to_enter boolean default false
)
    returns public.maintenance_requests
    volatile
    set search_path = ''
    language sql
as $$
    select private.report_maintenance(
        unit_id, title, description, category, priority, access_notes, permission_to_enter, now()
    )
$$;

comment on function public.report_maintenance(uuid, text, text, text, text, text, boolean) is $$Reports what is wrong, as a renter

For a unit that a current lease of the caller's holds: 404 `unit_not_rented` else. `category` and `priority` as in
maintenance_requests, `access_notes` for whoever comes, `permission_to_enter` while nobody is in. The household sees the request for
as long as its lease is current. Answers the request.$$;

grant execute on function public.report_maintenance(uuid, text, text, text, text, text, boolean) to authenticated;
