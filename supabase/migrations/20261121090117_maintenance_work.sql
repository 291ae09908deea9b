set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

create or replace function private.accept_maintenance (
    p_request_id uuid,
    p_now timestamp with time zone
)
    returns public.maintenance_requests
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.assign_maintenance (
    p_request_id uuid,
    p_member_id uuid,
    p_vendor_id uuid,
    p_reason text
)
    returns public.maintenance_requests
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.change_maintenance_status (
    p_request_id uuid,
    p_status text,
    p_reason text
)
    returns public.maintenance_requests
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.decline_maintenance (
    p_request_id uuid,
    p_reason text
)
    returns void
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.give_maintenance_reason (
    p_reason text
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
begin
    perform set_config('freehold.maintenance_reason', coalesce(btrim(p_reason), ''), true);
end
$function$;

create or replace function private.lock_maintenance_request (
    p_request_id uuid,
    OUT request public.maintenance_requests,
    OUT by_member boolean,
    OUT by_vendor boolean
)
    returns record
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.report_maintenance (
    p_unit_id uuid,
    p_title text,
    p_description text,
    p_category text,
    p_priority text,
    p_access_notes text,
    p_permission_to_enter boolean,
    p_now timestamp with time zone
)
    returns public.maintenance_requests
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.schedule_maintenance (
    p_request_id uuid,
    p_starts_at timestamp with time zone,
    p_ends_at timestamp with time zone,
    p_reason text
)
    returns public.maintenance_requests
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
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
$function$;

create or replace function public.accept_maintenance (
    request_id uuid
)
    returns public.maintenance_requests
    language sql
    set search_path to ''
    AS $function$
    select private.accept_maintenance(request_id, now())
$function$;

revoke all on function "public"."accept_maintenance"(uuid) from public, "anon", "service_role";

create or replace function public.assign_maintenance (
    request_id uuid,
    member_id uuid default null::uuid,
    vendor_id uuid default null::uuid,
    reason text default null::text
)
    returns public.maintenance_requests
    language sql
    set search_path to ''
    AS $function$
    select private.assign_maintenance(request_id, member_id, vendor_id, reason)
$function$;

revoke all on function "public"."assign_maintenance"(uuid, uuid, uuid, text) from public, "anon", "service_role";

create or replace function public.change_maintenance_status (
    request_id uuid,
    status text,
    reason text default null::text
)
    returns public.maintenance_requests
    language sql
    set search_path to ''
    AS $function$
    select private.change_maintenance_status(request_id, status, reason)
$function$;

revoke all on function "public"."change_maintenance_status"(uuid, text, text) from public, "anon", "service_role";

create or replace function public.decline_maintenance (
    request_id uuid,
    reason text default null::text
)
    returns void
    language sql
    set search_path to ''
    AS $function$
    select private.decline_maintenance(request_id, reason)
$function$;

revoke all on function "public"."decline_maintenance"(uuid, text) from public, "anon", "service_role";

create or replace function public.report_maintenance (
    unit_id uuid,
    title text,
    description text default null::text,
    category text default 'other'::text,
    priority text default 'normal'::text,
    access_notes text default null::text,
    permission_to_enter boolean default false
)
    returns public.maintenance_requests
    language sql
    set search_path to ''
    AS $function$
    select private.report_maintenance(
        unit_id, title, description, category, priority, access_notes, permission_to_enter, now()
    )
$function$;

revoke all
    on function "public"."report_maintenance"(uuid, text, text, text, text, text, boolean)
    from public, "anon", "service_role";

create or replace function public.schedule_maintenance (
    request_id uuid,
    starts_at timestamp with time zone,
    ends_at timestamp with time zone,
    reason text default null::text
)
    returns public.maintenance_requests
    language sql
    set search_path to ''
    AS $function$
    select private.schedule_maintenance(request_id, starts_at, ends_at, reason)
$function$;

revoke all
    on function "public"."schedule_maintenance"(uuid, timestamp with time zone, timestamp with time zone, text)
    from public, "anon", "service_role";

create or replace function worker.create_planned_maintenance (
    p_now timestamp with time zone default now(),
    p_limit integer default 500
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
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
$function$;

comment on function "public"."accept_maintenance"(uuid) is 'Takes on a request, as the vendor who was given it

Sets `vendor_accepted_at`; again, it changes nothing. 403 `assigned_vendor_expected` for a member, 409
`maintenance_request_finished`, 404 `maintenance_request_not_found`. Answers the request.';

comment on function "public"."assign_maintenance"(uuid, uuid, uuid, text) is 'Gives a request to a member or a vendor

Or takes it back, if neither is given: it is open again. From somebody to somebody else it becomes `assigned`, and loses its window
of time; to whoever has it already nothing changes. Needs `maintenance.write`. 422 `one_assignee_expected`, 404
`assignee_not_found` for one who is not of the workspace or not active, 409 `maintenance_request_finished`. `reason` goes into
the history. Answers the request.';

comment on function "public"."change_maintenance_status"(uuid, text, text) is 'Moves a request on

Members with `maintenance.write` may take every edge of the machine, the vendor who has the request those of the work: in_progress,
on_hold, completed. 409 `maintenance_transition_refused` names those that are open from where it is, so of two who
complete it at once the second is told; 409 `assignee_missing`, 422 `maintenance_status_unknown`, 404
`maintenance_request_not_found`. `reason` goes into the history, which members alone read. Answers the request.';

comment on function "public"."decline_maintenance"(uuid, text) is 'Gives a request back, as the vendor who was given it

It is open again, and out of the vendor''s sight. Before the work has begun: 409 `maintenance_transition_refused` after that. 403
`assigned_vendor_expected` for a member, 404 `maintenance_request_not_found`. `reason` goes into the history.';

comment on function "public"."report_maintenance"(uuid, text, text, text, text, text, boolean) is
    'Reports what is wrong, as a renter

For a unit that a current lease of the caller''s holds: 404 `unit_not_rented` else. `category` and `priority` as in
maintenance_requests, `access_notes` for whoever comes, `permission_to_enter` while nobody is in. The household sees the request for
as long as its lease is current. Answers the request.';

comment on function "public"."schedule_maintenance"(uuid, timestamp with time zone, timestamp
    with time zone, text) is 'Says when somebody will come

Between `starts_at` and `ends_at`, at most 31 days apart. Makes the request `scheduled`, or moves the window of one that is. For
members with `maintenance.write` and the vendor who has the request. `reason` goes into the history. 422 `window_invalid`, 409 `assignee_missing` while nobody has it, 409 `maintenance_request_finished`. Answers the
request.';

comment on function "worker"."create_planned_maintenance"(timestamp
    with time zone, integer) is 'Creates the requests of maintenance plans

One for each due date that is no further ahead than the plan''s `lead_days` on its property''s date, never twice for the same plan and
date, however many machines run it. Of dates that have passed without a request the last one alone gets it. Plans of
inactive properties and retired units wait. Takes up to `p_limit` plans: call again while `more`. Answers {plans_due,
requests_created, more}.';

revoke all on function "private"."accept_maintenance"(uuid, timestamp with time zone) from public;

grant execute on function "private"."accept_maintenance"(uuid, timestamp with time zone) to "authenticated";

revoke all on function "private"."accept_maintenance"(uuid, timestamp with time zone) from "postgres";

grant execute on function "private"."accept_maintenance"(uuid, timestamp with time zone) to "postgres";

revoke all on function "private"."assign_maintenance"(uuid, uuid, uuid, text) from public;

grant execute on function "private"."assign_maintenance"(uuid, uuid, uuid, text) to "authenticated";

revoke all on function "private"."assign_maintenance"(uuid, uuid, uuid, text) from "postgres";

grant execute on function "private"."assign_maintenance"(uuid, uuid, uuid, text) to "postgres";

revoke all on function "private"."change_maintenance_status"(uuid, text, text) from public;

grant execute on function "private"."change_maintenance_status"(uuid, text, text) to "authenticated";

revoke all on function "private"."change_maintenance_status"(uuid, text, text) from "postgres";

grant execute on function "private"."change_maintenance_status"(uuid, text, text) to "postgres";

revoke all on function "private"."decline_maintenance"(uuid, text) from public;

grant execute on function "private"."decline_maintenance"(uuid, text) to "authenticated";

revoke all on function "private"."decline_maintenance"(uuid, text) from "postgres";

grant execute on function "private"."decline_maintenance"(uuid, text) to "postgres";

revoke all on function "private"."give_maintenance_reason"(text) from public;

revoke all on function "private"."give_maintenance_reason"(text) from "postgres";

grant execute on function "private"."give_maintenance_reason"(text) to "postgres";

revoke all on function "private"."lock_maintenance_request"(uuid) from public;

revoke all on function "private"."lock_maintenance_request"(uuid) from "postgres";

grant execute on function "private"."lock_maintenance_request"(uuid) to "postgres";

revoke all
    on function "private"."report_maintenance"(uuid, text, text, text, text, text, boolean, timestamp with time zone)
    from public;

grant execute
    on function "private"."report_maintenance"(uuid, text, text, text, text, text, boolean, timestamp with time zone)
    to "authenticated";

revoke all
    on function "private"."report_maintenance"(uuid, text, text, text, text, text, boolean, timestamp with time zone)
    from "postgres";

grant execute
    on function "private"."report_maintenance"(uuid, text, text, text, text, text, boolean, timestamp with time zone)
    to "postgres";

revoke all
    on function "private"."schedule_maintenance"(uuid, timestamp with time zone, timestamp with time zone, text)
    from public;

grant execute
    on function "private"."schedule_maintenance"(uuid, timestamp with time zone, timestamp with time zone, text)
    to "authenticated";

revoke all
    on function "private"."schedule_maintenance"(uuid, timestamp with time zone, timestamp with time zone, text)
    from "postgres";

grant execute
    on function "private"."schedule_maintenance"(uuid, timestamp with time zone, timestamp with time zone, text)
    to "postgres";

grant execute on function "public"."accept_maintenance"(uuid) to "authenticated";

revoke all on function "public"."accept_maintenance"(uuid) from "postgres";

grant execute on function "public"."accept_maintenance"(uuid) to "postgres";

grant execute on function "public"."assign_maintenance"(uuid, uuid, uuid, text) to "authenticated";

revoke all on function "public"."assign_maintenance"(uuid, uuid, uuid, text) from "postgres";

grant execute on function "public"."assign_maintenance"(uuid, uuid, uuid, text) to "postgres";

grant execute on function "public"."change_maintenance_status"(uuid, text, text) to "authenticated";

revoke all on function "public"."change_maintenance_status"(uuid, text, text) from "postgres";

grant execute on function "public"."change_maintenance_status"(uuid, text, text) to "postgres";

grant execute on function "public"."decline_maintenance"(uuid, text) to "authenticated";

revoke all on function "public"."decline_maintenance"(uuid, text) from "postgres";

grant execute on function "public"."decline_maintenance"(uuid, text) to "postgres";

grant execute on function "public"."report_maintenance"(uuid, text, text, text, text, text, boolean) to "authenticated";

revoke all on function "public"."report_maintenance"(uuid, text, text, text, text, text, boolean) from "postgres";

grant execute on function "public"."report_maintenance"(uuid, text, text, text, text, text, boolean) to "postgres";

grant execute
    on function "public"."schedule_maintenance"(uuid, timestamp with time zone, timestamp with time zone, text)
    to "authenticated";

revoke all
    on function "public"."schedule_maintenance"(uuid, timestamp with time zone, timestamp with time zone, text)
    from "postgres";

grant execute
    on function "public"."schedule_maintenance"(uuid, timestamp with time zone, timestamp with time zone, text)
    to "postgres";

revoke all on function "worker"."create_planned_maintenance"(timestamp with time zone, integer) from public;

revoke all on function "worker"."create_planned_maintenance"(timestamp with time zone, integer) from "postgres";

grant execute on function "worker"."create_planned_maintenance"(timestamp with time zone, integer) to "postgres";

grant execute on function "worker"."create_planned_maintenance"(timestamp with time zone, integer) to "worker";
