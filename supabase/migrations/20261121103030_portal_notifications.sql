-- Rows in use satisfy what is added, and reading and rewriting them once is short: notifications live for 400 days at most, and of
-- preferences there are few. All of it runs under the statement timeout.
-- squawk-ignore-file constraint-missing-not-valid, adding-foreign-key-constraint, require-concurrent-index-creation
-- squawk-ignore-file ban-drop-constraint, ban-drop-not-null, ban-drop-view, adding-field-with-default
set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

drop policy "members_select" on "public"."notification_preferences";

drop policy "recipients_select" on "public"."notifications";

drop view "private"."notification_wishes";

alter table "public"."notification_preferences"
    drop constraint "notification_preferences_workspace_id_user_id_fkey";

alter table "public"."notifications"
    drop constraint "notifications_workspace_id_user_id_fkey";

alter table "private"."notification_defaults"
    add column "audience" text not null default 'member'::text;

alter table "public"."notification_preferences"
    add column "audience" text not null default 'member'::text;

alter table "public"."notification_preferences"
    add column "member_id" uuid generated always as (
CASE audience
    when 'member'::text THEN user_id
    ELSE null::uuid
end) stored;

alter table "public"."notifications"
    add column "audience" text not null default 'member'::text;

alter table "public"."notifications"
    add column "member_id" uuid generated always as (
CASE audience
    when 'member'::text THEN user_id
    ELSE null::uuid
end) stored;

alter table "private"."notification_defaults"
    alter column "permission" drop not null;

create or replace function private.document_accounts (
    p_document public.documents
)
    returns SETOF uuid
    language plpgsql
    stable
    set search_path to ''
    AS $function$
declare
    v_workspace_id uuid := p_document.workspace_id;
    v_attached_to uuid := p_document.attached_to;
begin
    if v_attached_to = p_document.tenant_id then
        return query
        select t.user_id
        from public.tenants as t
        where t.workspace_id = v_workspace_id and t.id = v_attached_to and t.user_id is not null;
    elsif v_attached_to = p_document.maintenance_request_id then
        return query
        select p.user_id
        from private.maintenance_portal_accounts as p
        where p.workspace_id = v_workspace_id and p.request_id = v_attached_to and p.audience = 'renter';
    elsif v_attached_to = p_document.inspection_id then
        return query
        select a.user_id
        from public.inspections as i
        join public.leases as l on l.workspace_id = i.workspace_id and l.id = i.lease_id and l.status <> 'draft'
        join private.lease_accounts as a on a.workspace_id = l.workspace_id and a.lease_id = l.id
        where
            i.workspace_id = v_workspace_id
            and i.id = v_attached_to
            and i.status = 'completed'
            and i.inspection_type in ('move_in', 'move_out');
    elsif v_attached_to = p_document.lease_id then
        return query
        select a.user_id
        from public.leases as l
        join private.lease_accounts as a on a.workspace_id = l.workspace_id and a.lease_id = l.id
        where l.workspace_id = v_workspace_id and l.id = v_attached_to and l.status <> 'draft';
    elsif v_attached_to = p_document.unit_id then
        return query
        select distinct a.user_id
        from public.lease_units as lu
        join public.leases as l on l.workspace_id = lu.workspace_id and l.id = lu.lease_id and l.in_force
        join private.lease_accounts as a on a.workspace_id = l.workspace_id and a.lease_id = l.id
        where
            lu.workspace_id = v_workspace_id
            and lu.unit_id = v_attached_to
            and lu.binding
            and lu.superseded_at is null
            and not private.has_left(l.workspace_id, l.id, v_attached_to);
    elsif v_attached_to = p_document.property_id then
        return query
        select distinct a.user_id
        from public.leases as l
        join private.lease_accounts as a on a.workspace_id = l.workspace_id and a.lease_id = l.id
        where l.workspace_id = v_workspace_id and l.property_id = v_attached_to and l.in_force;
    end if;
end
$function$;

create or replace function private.erase_personal_data (
    p_tenant_id uuid,
    p_vendor_id uuid
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_workspace_id uuid;
    v_entity text := case when p_vendor_id is null then 'tenants' else 'vendors' end;
    v_id text := coalesce(p_tenant_id, p_vendor_id);
    v_lease_number text;
    v_addresses text[];
    v_invitations bigint;
    v_messages bigint;
    v_under_way bigint;
    v_entries bigint;
begin
    if (p_tenant_id is null) = (p_vendor_id is null) then
        perform private.fail(422, 'one_record_expected', 'Give either tenant_id or vendor_id.');
    end if;
    select found_in.workspace_id into v_workspace_id
    from (
        select t.workspace_id from public.tenants as t where t.id = p_tenant_id
        union all
        select v.workspace_id from public.vendors as v where v.id = p_vendor_id
    ) as found_in
    where found_in.workspace_id = any (array(select private.my_workspaces()));
    if not found then
        perform private.fail(
            404, 'record_not_found', 'There is no such record, or it is not yours to see.',
            p_hint := 'List the records you can see: GET /tenants or /vendors.'
        );
    end if;
    perform private.require_permission(v_workspace_id, 'settings.manage');
    perform from public.tenants as t where t.workspace_id = v_workspace_id and t.id = p_tenant_id for update;
    perform from public.vendors as v where v.workspace_id = v_workspace_id and v.id = p_vendor_id for update;
    select l.lease_number into v_lease_number
    from public.lease_tenants as lt
    join public.leases as l on l.workspace_id = lt.workspace_id and l.id = lt.lease_id
    where
        lt.workspace_id = v_workspace_id
        and lt.tenant_id = p_tenant_id
        and l.in_force
    order by l.lease_number
    limit 1;
    if found then
        perform private.fail(
            409, 'lease_not_over', format('This renter is on lease %s, which is not over.', v_lease_number),
            p_hint := 'Erase a renter when their last lease has ended.'
        );
    end if;

    -- Every address that the record ever had: mails to any of them are about this person.
    v_addresses := array(
        select lower(v.address)
        from (
            select t.email as address
            from public.tenants as t
            where t.workspace_id = v_workspace_id and t.id = p_tenant_id
            union
            select v.email
            from public.vendors as v
            where v.workspace_id = v_workspace_id and v.id = p_vendor_id
            union
            select side.value ->> 'email'
            from public.audit_entries as e
            join public.audit_values as a on a.workspace_id = e.workspace_id and a.entry_id = e.id
            cross join lateral (values (a.before), (a.after)) as side (value)
            where e.workspace_id = v_workspace_id and e.entity = v_entity and e.entity_id = v_id
        ) as v
        where v.address <> ''
    );

    delete from public.workspace_invitations
    where workspace_id = v_workspace_id and (tenant_id = p_tenant_id or vendor_id = p_vendor_id);
    get diagnostics v_invitations = row_count;
    update public.messages
    set to_address = 'erased@example.invalid', to_name = null, payload = '{}', last_error = null
    where
        workspace_id = v_workspace_id
        and lower(to_address) = any (v_addresses)
        and status in ('sent', 'failed', 'unknown');
    get diagnostics v_messages = row_count;
    select count(*) into v_under_way
    from public.messages as m
    where m.workspace_id = v_workspace_id and lower(m.to_address) = any (v_addresses);
    delete from public.notifications as n
    using private.told_as(v_workspace_id, p_tenant_id, p_vendor_id) as person
    where n.workspace_id = v_workspace_id and n.user_id = person.user_id and n.audience = person.audience;
    delete from public.notification_preferences as n
    using private.told_as(v_workspace_id, p_tenant_id, p_vendor_id) as person
    where n.workspace_id = v_workspace_id and n.user_id = person.user_id and n.audience = person.audience;
    delete from public.tenant_custom_fields where workspace_id = v_workspace_id and tenant_id = p_tenant_id;
    update public.tenants
    set first_name = '', last_name = 'Erased', email = null, phone = null, status = 'former', user_id = null
    where workspace_id = v_workspace_id and id = p_tenant_id;
    update public.vendors
    set
        name = 'Erased', email = null, phone = null, license_number = null, insurance_policy_number = null,
        status = 'inactive', user_id = null
    where workspace_id = v_workspace_id and id = p_vendor_id;

    -- The log, what the statements above have just added to it included.
    with about as (
        select e.id, e.entity, e.entity_id
        from public.audit_entries as e
        where e.workspace_id = v_workspace_id and e.entity in (v_entity, 'tenant_custom_fields') and e.entity_id = v_id
        union all
        select e.id, e.entity, e.entity_id
        from public.audit_entries as e
        where
            e.workspace_id = v_workspace_id
            and e.entity = 'workspace_invitations'
            and coalesce(e.after, e.before) ->> case when p_vendor_id is null then 'tenant_id' else 'vendor_id' end = v_id
        union all
        select e.id, e.entity, e.entity_id
        from public.audit_entries as e
        join public.audit_values as a on a.workspace_id = e.workspace_id and a.entry_id = e.id
        where
            e.workspace_id = v_workspace_id
            and e.entity = 'messages'
            and (lower(a.before ->> 'to_address') = any (v_addresses) or lower(a.after ->> 'to_address') = any (v_addresses))
    ),
    erased as (
        delete from public.audit_values as a
        using about
        where a.workspace_id = v_workspace_id and a.entry_id = about.id
        returning about.entity, about.entity_id
    ),
    told as (
        insert into public.audit_entries (
            workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, after
        )
        select
            v_workspace_id, e.entity, e.entity_id, 'erase', auth.uid(), 'authenticated', private.request_id(),
            jsonb_build_object('entries', count(*))
        from erased as e
        group by e.entity, e.entity_id
    )
    select count(*) into v_entries from erased;
    return jsonb_build_object(
        'audit_entries', v_entries,
        'invitations', v_invitations,
        'messages', v_messages,
        'messages_under_way', v_under_way
    );
end
$function$;

create or replace function private.has_left (
    p_workspace_id uuid,
    p_lease_id uuid,
    p_unit_id uuid
)
    returns boolean
    language plpgsql
    stable
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.mark_notifications_read (
    p_ids uuid[],
    p_before timestamp with time zone,
    p_workspace_id uuid,
    p_now timestamp with time zone
)
    returns integer
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_user_id uuid := auth.uid();
    v_marked integer;
begin
    if (p_ids is null) = (p_before is null) then
        perform private.fail(
            422, 'notifications_unnamed', 'Give either ids or before.',
            p_hint := 'ids: those that were seen. before: all until that time.'
        );
    end if;
    if p_ids is not null then
        update public.notifications as n
        set read_at = p_now
        where
            n.id = any (p_ids)
            and n.user_id = v_user_id
            and (n.workspace_id, n.audience) in (select a.workspace_id, a.audience from private.my_audiences() as a)
            and (p_workspace_id is null or n.workspace_id = p_workspace_id)
            and n.read_at is null;
    else
        update public.notifications as n
        set read_at = p_now
        where
            n.user_id = v_user_id
            and (n.workspace_id, n.audience) in (select a.workspace_id, a.audience from private.my_audiences() as a)
            and (p_workspace_id is null or n.workspace_id = p_workspace_id)
            and n.read_at is null
            and n.created_at <= p_before;
    end if;
    get diagnostics v_marked = row_count;
    return v_marked;
end
$function$;

create or replace function private.my_audiences()
    returns table (
        workspace_id uuid,
        audience text
    )
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_user_id uuid := auth.uid();
begin
    return query
    select m.m, 'member' from private.my_workspaces() as m (m)
    union all
    select t.workspace_id, 'renter' from public.tenants as t where t.user_id = v_user_id
    union all
    select v.workspace_id, 'vendor' from public.vendors as v where v.user_id = v_user_id and v.status = 'active';
end
$function$;

create or replace function private.my_household_request_ids()
    returns SETOF uuid
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return query
    select r.id
    from public.leases as l
    join public.maintenance_requests as r
        on r.workspace_id = l.workspace_id and r.property_id = l.property_id and r.lease_id = l.id
    where
        l.id = any (array(select private.my_current_lease_ids()))
        and r.shown_to_renter
        and (r.unit_id is null or not private.has_left(l.workspace_id, l.id, r.unit_id));
end
$function$;

create or replace function private.notice_of_work (
    p_request public.maintenance_requests,
    p_user_id uuid,
    p_title text,
    p_has_it boolean
)
    returns jsonb
    language sql
    stable
    set search_path to ''
    AS $function$
    select jsonb_build_object(
        'workspace_id', p_request.workspace_id,
        'user_id', p_user_id,
        'title', format(p_title, p_request.request_number, p_request.title),
        'body', p_request.location,
        'payload', jsonb_build_object(
            'request_number', p_request.request_number, 'priority', p_request.priority, 'assigned', p_has_it
        ),
        'maintenance_request_id', p_request.id,
        'dedupe_key', format('work_assigned/%s/%s/%s', p_request.id, p_has_it, extract(epoch from now()))
    )
$function$;

create or replace function private.notification_settings (
    p_workspace_id uuid
)
    returns table (
        category text,
        channel text,
        enabled boolean,
        is_default boolean,
        description text
    )
    language sql
    stable
    security definer
    set search_path to ''
    AS $function$
    select w.category, w.channel, w.enabled, w.is_default, d.description
    from (
        select * from private.notification_wishes
        union all
        select * from private.notification_portal_wishes
    ) as w
    join private.notification_defaults as d on d.category = w.category and d.channel = w.channel
    where w.workspace_id = p_workspace_id and w.user_id = (select auth.uid())
    order by w.category, array_position('{in_app, email, sms}', w.channel)
$function$;

create or replace function private.notify (
    p_category text,
    p_notices jsonb,
    p_actor uuid default auth.uid()
)
    returns integer
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_audience text := (select d.audience from private.notification_defaults as d where d.category = p_category limit 1);
    v_told integer;
begin
    if p_notices is null then
        return 0;
    end if;
    -- Whoever is just being removed is not waited for: their removal may wait for what the caller holds.
    with there as materialized (
        select m.workspace_id, m.user_id
        from public.workspace_members as m
        where v_audience = 'member' and (m.workspace_id, m.user_id) in (
            select n.workspace_id, n.user_id
            from jsonb_to_recordset(p_notices) as n (workspace_id uuid, user_id uuid)
        )
        order by m.workspace_id, m.user_id
        for key share skip locked
    ),
    -- Of a workspace that is being deleted, what goes with it is no news.
    willing as (
        select w.workspace_id, w.user_id
        from there as m
        join private.notification_wishes as w on w.workspace_id = m.workspace_id and w.user_id = m.user_id
        where w.category = p_category and w.channel = 'in_app' and w.enabled
        union all
        select w.workspace_id, w.user_id
        from (
            select distinct n.workspace_id, n.user_id
            from jsonb_to_recordset(p_notices) as n (workspace_id uuid, user_id uuid)
            where v_audience <> 'member'
        ) as m
        join public.workspaces as workspace on workspace.id = m.workspace_id
        join private.notification_portal_wishes as w on w.workspace_id = m.workspace_id and w.user_id = m.user_id
        where w.category = p_category and w.channel = 'in_app' and w.enabled
    )
    insert into public.notifications (
        workspace_id, user_id, audience, category, title, body, payload, lease_id, maintenance_request_id, dedupe_key
    )
    select
        n.workspace_id,
        n.user_id,
        v_audience,
        p_category,
        left(n.title, 200),
        left(coalesce(n.body, ''), 2000),
        coalesce(n.payload, '{}'),
        n.lease_id,
        n.maintenance_request_id,
        n.dedupe_key
    from jsonb_to_recordset(p_notices) as n (
        workspace_id uuid, user_id uuid, title text, body text, payload jsonb, lease_id uuid, maintenance_request_id uuid,
        dedupe_key text
    )
    join willing as w on w.workspace_id = n.workspace_id and w.user_id = n.user_id
    where n.user_id is distinct from p_actor
    -- Two who tell the same people of the same events at once wait for each other in one order.
    order by n.workspace_id, n.user_id, n.dedupe_key
    on conflict (workspace_id, user_id, dedupe_key) do nothing;
    get diagnostics v_told = row_count;
    return v_told;
end
$function$;

create or replace function private.set_notification_preference (
    p_workspace_id uuid,
    p_category text,
    p_channel text,
    p_enabled boolean
)
    returns boolean
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_audiences text[] := array(select a.audience from private.my_audiences() as a where a.workspace_id = p_workspace_id);
    v_audience text;
    v_default boolean;
begin
    if cardinality(v_audiences) = 0 then
        perform private.fail(
            404, 'workspace_not_found', 'There is no such workspace, or you are no member, renter or vendor of it.',
            p_hint := 'List the workspaces you belong to: GET /workspaces.'
        );
    end if;
    select d.audience, d.enabled into v_audience, v_default
    from private.notification_defaults as d
    where d.category = p_category and d.channel = p_channel and d.audience = any (v_audiences);
    if not found then
        perform private.fail(
            422, 'notification_unknown', format('You are not told of %L over %L.', p_category, p_channel),
            p_hint := 'List what there is: GET /rpc/notification_settings?workspace_id=….'
        );
    end if;
    if p_enabled is null then
        delete from public.notification_preferences
        where workspace_id = p_workspace_id and user_id = auth.uid() and category = p_category and channel = p_channel;
    else
        insert into public.notification_preferences as p (workspace_id, user_id, audience, category, channel, enabled)
        values (p_workspace_id, auth.uid(), v_audience, p_category, p_channel, p_enabled)
        on conflict (workspace_id, user_id, category, channel) do update set enabled = excluded.enabled;
    end if;
    return coalesce(p_enabled, v_default);
end
$function$;

create or replace function private.tell_of_lease_steps()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    perform private.notify(told.category, told.notices)
    from (
        select
            step.category,
            jsonb_agg(jsonb_build_object(
                'workspace_id', l.workspace_id,
                'user_id', a.user_id,
                'title', step.title,
                'body', step.body,
                'payload', jsonb_build_object(
                    'lease_number', l.lease_number,
                    'status', c.to_status,
                    'notice_given_by', l.notice_given_by,
                    'planned_move_out_on', l.planned_move_out_on,
                    'starts_on', l.starts_on,
                    'ends_on', l.ends_on
                ),
                'lease_id', step.lease_id,
                'dedupe_key', 'lease_status/' || c.id
            )) as notices
        from touched as c
        join public.leases as l on l.workspace_id = c.workspace_id and l.id = c.lease_id
        cross join lateral (
            select
                'lease_notice' as category,
                format('Notice was given for lease %s', l.lease_number) as title,
                format('Last day: %s.', l.planned_move_out_on) as body,
                l.id as lease_id
            where c.to_status = 'notice_given' and c.from_status is not null
            union all
            select 'lease_notice', format('Notice for lease %s was withdrawn', l.lease_number), '', l.id
            where c.from_status = 'notice_given' and c.to_status = 'active'
            union all
            select
                'lease_renewed',
                format('Lease %s renews yours', l.lease_number),
                format('From %s%s.', l.starts_on, ' to ' || l.ends_on),
                l.id
            where l.renewed_from_id is not null and c.from_status = 'draft'
            union all
            -- The lease that it was to renew runs on.
            select 'lease_renewed', format('Lease %s, which was to renew yours, was called off', l.lease_number), '', l.renewed_from_id
            where l.renewed_from_id is not null and c.from_status = 'pending' and c.to_status = 'terminated'
        ) as step
        join private.lease_accounts as a on a.workspace_id = l.workspace_id and a.lease_id = step.lease_id
        group by step.category
    ) as told;
    return null;
end
$function$;

create or replace function private.tell_of_moved_work()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    perform private.notify('work_assigned', (
        select jsonb_agg(private.notice_of_work(
            r, v.user_id, case v.id when r.assigned_vendor_id then 'Request %s is yours: %s' else 'Request %s is no longer yours: %s' end,
            v.id is not distinct from r.assigned_vendor_id
        ))
        from touched as r
        join before as was on was.workspace_id = r.workspace_id and was.id = r.id
        join public.vendors as v
            on v.workspace_id = r.workspace_id and v.id in (r.assigned_vendor_id, was.assigned_vendor_id)
        where
            r.assigned_vendor_id is distinct from was.assigned_vendor_id
            and v.user_id is not null
            and v.status = 'active'
    ));
    perform private.notify(told.category, told.notices)
    from (
        select
            case p.audience when 'renter' then 'request_status' else 'work_status' end as category,
            jsonb_agg(jsonb_build_object(
                'workspace_id', r.workspace_id,
                'user_id', p.user_id,
                'title', format('Request %s has another time: %s', r.request_number, r.title),
                'body', r.location,
                'payload', jsonb_build_object(
                    'request_number', r.request_number,
                    'scheduled_starts_at', r.scheduled_starts_at,
                    'scheduled_ends_at', r.scheduled_ends_at
                ),
                'maintenance_request_id', r.id,
                'dedupe_key', format('maintenance_window/%s/%s', r.id, extract(epoch from now()))
            )) as notices
        from touched as r
        join before as was on was.workspace_id = r.workspace_id and was.id = r.id
        join private.maintenance_portal_accounts as p on p.workspace_id = r.workspace_id and p.request_id = r.id
        where
            r.status = 'scheduled'
            and was.status = 'scheduled'
            and (r.scheduled_starts_at, r.scheduled_ends_at) is distinct from (was.scheduled_starts_at, was.scheduled_ends_at)
        group by 1
    ) as told;
    return null;
end
$function$;

create or replace function private.tell_of_new_work()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    perform private.notify('work_assigned', (
        select jsonb_agg(private.notice_of_work(r, v.user_id, 'Request %s is yours: %s', true))
        from touched as r
        join public.vendors as v on v.workspace_id = r.workspace_id and v.id = r.assigned_vendor_id
        where v.user_id is not null and v.status = 'active'
    ));
    return null;
end
$function$;

create or replace function private.tell_of_shown_comments()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_shown jsonb;
begin
    if tg_op = 'INSERT' then
        select jsonb_agg(jsonb_build_object('id', c.id, 'renter', c.visible_to_renter, 'vendor', c.visible_to_vendor))
        into v_shown
        from touched as c
        where c.visible_to_renter or c.visible_to_vendor;
    else
        select jsonb_agg(jsonb_build_object(
            'id', c.id,
            'renter', c.visible_to_renter and not was.visible_to_renter,
            'vendor', c.visible_to_vendor and not was.visible_to_vendor
        ))
        into v_shown
        from touched as c
        join before as was on was.workspace_id = c.workspace_id and was.id = c.id
        where (c.visible_to_renter, c.visible_to_vendor) is distinct from (was.visible_to_renter, was.visible_to_vendor);
    end if;
    if v_shown is null then
        return null;
    end if;
    perform private.notify(told.category, told.notices)
    from (
        select
            case p.audience when 'renter' then 'request_commented' else 'work_commented' end as category,
            jsonb_agg(jsonb_build_object(
                'workspace_id', r.workspace_id,
                'user_id', p.user_id,
                'title', format(
                    '%s commented on request %s: %s',
                    case
                        when c.author_kind = 'member' then 'The property manager'
                        when c.author_kind = 'vendor' then 'The vendor'
                        when c.author_kind = 'system' then 'Freehold'
                        when p.audience = 'renter' then 'Somebody of your household'
                        else 'The renter'
                    end,
                    r.request_number, r.title
                ),
                'body', r.location,
                'payload', jsonb_build_object('request_number', r.request_number, 'author_kind', c.author_kind),
                'maintenance_request_id', r.id,
                'dedupe_key', 'maintenance_commented/' || c.id
            )) as notices
        from touched as c
        join jsonb_to_recordset(v_shown) as shown (id uuid, renter boolean, vendor boolean) on shown.id = c.id
        join public.maintenance_requests as r on r.workspace_id = c.workspace_id and r.id = c.request_id
        join private.maintenance_portal_accounts as p
            on
                p.workspace_id = r.workspace_id
                and p.request_id = r.id
                and case p.audience when 'renter' then shown.renter else shown.vendor end
        -- Who wrote it knows, though it was a member who showed it.
        where p.user_id is distinct from c.author_id
        group by 1
    ) as told;
    return null;
end
$function$;

create or replace function private.tell_of_shown_documents()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_shown uuid[];
begin
    if tg_op = 'INSERT' then
        v_shown := array(select d.id from touched as d where d.visible_to_renters and d.status = 'available');
    else
        v_shown := array(
            select d.id
            from touched as d
            join before as was on was.workspace_id = d.workspace_id and was.id = d.id
            where
                d.visible_to_renters
                and d.status = 'available'
                and not (was.visible_to_renters and was.status = 'available')
        );
    end if;
    if cardinality(v_shown) = 0 then
        return null;
    end if;
    perform private.notify('document_shown', (
        select jsonb_agg(jsonb_build_object(
            'workspace_id', d.workspace_id,
            'user_id', a.a,
            'title', format('There is a document for you: %s', d.title),
            'payload', jsonb_build_object('document_id', d.id, 'document_type', d.document_type),
            'lease_id', case d.attached_to when d.lease_id then d.lease_id end,
            'maintenance_request_id', case d.attached_to when d.maintenance_request_id then d.maintenance_request_id end,
            'dedupe_key', format('document_shown/%s/%s', d.id, extract(epoch from now()))
        ))
        from public.documents as d
        cross join lateral private.document_accounts(d) as a (a)
        where d.id = any (v_shown)
    ));
    return null;
end
$function$;

create or replace function private.tell_of_shown_steps()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    perform private.notify(told.category, told.notices)
    from (
        select
            case p.audience when 'renter' then 'request_status' else 'work_status' end as category,
            jsonb_agg(jsonb_build_object(
                'workspace_id', r.workspace_id,
                'user_id', p.user_id,
                'title', format('Request %s is %s: %s', r.request_number, replace(c.to_status, '_', ' '), r.title),
                'body', r.location,
                'payload', jsonb_build_object('request_number', r.request_number, 'from', c.from_status, 'to', c.to_status),
                'maintenance_request_id', r.id,
                'dedupe_key', 'maintenance_status/' || c.id
            )) as notices
        from touched as c
        join public.maintenance_requests as r on r.workspace_id = c.workspace_id and r.id = c.request_id
        join private.maintenance_portal_accounts as p on p.workspace_id = c.workspace_id and p.request_id = c.request_id
        -- That they got it is told apart.
        where p.audience = 'renter' or c.to_status <> 'assigned'
        group by 1
    ) as told;
    return null;
end
$function$;

create or replace function private.told_as (
    p_workspace_id uuid,
    p_tenant_id uuid,
    p_vendor_id uuid
)
    returns table (
        user_id uuid,
        audience text
    )
    language plpgsql
    stable
    set search_path to ''
    AS $function$
begin
    return query
    select t.user_id, 'renter'
    from public.tenants as t
    where t.workspace_id = p_workspace_id and t.id = p_tenant_id
    union all
    select v.user_id, 'vendor'
    from public.vendors as v
    where v.workspace_id = p_workspace_id and v.id = p_vendor_id;
end
$function$;

alter table "private"."notification_defaults"
    add constraint "members_are_told_by_permission" check (((audience = 'member'::text) = (permission IS NOT NULL)));

alter table "private"."notification_defaults"
    add constraint "notification_defaults_audience_check"
        check ((audience = ANY (ARRAY['member'::text, 'renter'::text, 'vendor'::text])));

alter table "public"."notification_preferences"
    add constraint "notification_preferences_audience_check"
        check ((audience = ANY (ARRAY['member'::text, 'renter'::text, 'vendor'::text])));

alter table "public"."notification_preferences"
    add constraint "notification_preferences_user_id_fkey" foreign key (user_id) references auth.users(id)
        on delete cascade;

alter table "public"."notification_preferences"
    add constraint "notification_preferences_workspace_id_fkey" foreign key (workspace_id)
        references public.workspaces(id) on delete cascade;

alter table "public"."notification_preferences"
    add constraint "notification_preferences_workspace_id_member_id_fkey" foreign key (workspace_id, member_id)
        references public.workspace_members(workspace_id, user_id) on delete cascade;

alter table "public"."notifications"
    add constraint "notifications_audience_check"
        check ((audience = ANY (ARRAY['member'::text, 'renter'::text, 'vendor'::text])));

alter table "public"."notifications"
    add constraint "notifications_user_id_fkey" foreign key (user_id) references auth.users(id) on delete cascade;

alter table "public"."notifications"
    add constraint "notifications_workspace_id_fkey" foreign key (workspace_id) references public.workspaces(id)
        on delete cascade;

alter table "public"."notifications"
    add constraint "notifications_workspace_id_member_id_fkey" foreign key (workspace_id, member_id)
        references public.workspace_members(workspace_id, user_id) on delete cascade;

create view "private"."lease_accounts" with (security_invoker=true) AS  SELECT lt.workspace_id,
    lt.lease_id,
    t.user_id
   FROM (public.lease_tenants lt
     JOIN public.tenants t ON (((lt.workspace_id = t.workspace_id) AND (lt.tenant_id = t.id))))
  WHERE ((lt.role <> 'occupant'::text) AND (t.user_id IS NOT NULL));

create view "private"."maintenance_portal_accounts" with (security_invoker=true) AS  SELECT r.workspace_id,
    r.id AS request_id,
    a.user_id,
    'renter'::text AS audience
   FROM ((public.maintenance_requests r
     JOIN public.leases l ON (((r.workspace_id = l.workspace_id) AND (r.property_id = l.property_id) AND (r.lease_id = l.id) AND l.in_force)))
     JOIN private.lease_accounts a ON (((l.workspace_id = a.workspace_id) AND (l.id = a.lease_id))))
  WHERE (r.shown_to_renter AND ((r.unit_id IS NULL) OR (NOT private.has_left(r.workspace_id, r.lease_id, r.unit_id))))
UNION ALL
 SELECT r.workspace_id,
    r.id AS request_id,
    v.user_id,
    'vendor'::text AS audience
   FROM (public.maintenance_requests r
     JOIN public.vendors v ON (((r.workspace_id = v.workspace_id) AND (r.assigned_vendor_id = v.id))))
  WHERE ((v.user_id IS NOT NULL) AND (v.status = 'active'::text));

create view "private"."notification_portal_wishes" with (security_invoker=true) AS  SELECT t.workspace_id,
    t.user_id,
    d.category,
    d.channel,
    COALESCE(p.enabled, d.enabled) AS enabled,
    (p.enabled IS NULL) AS is_default
   FROM ((( SELECT tenants.workspace_id,
            tenants.user_id,
            'renter'::text AS audience
           FROM public.tenants
          WHERE (tenants.user_id IS NOT NULL)
        UNION ALL
         SELECT vendors.workspace_id,
            vendors.user_id,
            'vendor'::text AS audience
           FROM public.vendors
          WHERE ((vendors.user_id IS NOT NULL) AND (vendors.status = 'active'::text))) t
     JOIN private.notification_defaults d ON ((t.audience = d.audience)))
     LEFT JOIN public.notification_preferences p ON (((t.workspace_id = p.workspace_id) AND (t.user_id = p.user_id) AND (d.category = p.category) AND (d.channel = p.channel))));

create view "private"."notification_wishes" with (security_invoker=true) AS  SELECT m.workspace_id,
    m.user_id,
    d.category,
    d.channel,
    COALESCE(p.enabled, d.enabled) AS enabled,
    (p.enabled IS NULL) AS is_default
   FROM (((public.workspace_members m
     JOIN private.role_permissions held ON ((m.role = held.role)))
     JOIN private.notification_defaults d ON (((held.permission = d.permission) AND (d.audience = 'member'::text))))
     LEFT JOIN public.notification_preferences p ON (((m.workspace_id = p.workspace_id) AND (m.user_id = p.user_id) AND (d.category = p.category) AND (d.channel = p.channel))))
  WHERE (m.status = 'active'::text);

create index notification_preferences_member_id_idx on public.notification_preferences
    using btree (workspace_id, member_id)
    where (member_id is not null);

create index notifications_member_id_idx on public.notifications using btree (workspace_id, member_id)
    where (member_id is not null);

create trigger tell_of_shown_documents_on_insert
    after insert on public.documents referencing NEW table as touched
    for each STATEMENT
    execute function private.tell_of_shown_documents();

create trigger tell_of_shown_documents_on_update
    after update on public.documents referencing OLD table as
    before NEW table as touched
    for each STATEMENT
    execute function private.tell_of_shown_documents();

create trigger tell_of_lease_steps
    after insert on public.lease_status_changes referencing NEW table as touched
    for each STATEMENT
    execute function private.tell_of_lease_steps();

create trigger tell_of_shown_comments_on_insert
    after insert on public.maintenance_comments referencing NEW table as touched
    for each STATEMENT
    execute function private.tell_of_shown_comments();

create trigger tell_of_shown_comments_on_update
    after update on public.maintenance_comments referencing OLD table as
    before NEW table as touched
    for each STATEMENT
    execute function private.tell_of_shown_comments();

create trigger tell_of_moved_work
    after update on public.maintenance_requests referencing OLD table as
    before NEW table as touched
    for each STATEMENT
    execute function private.tell_of_moved_work();

create trigger tell_of_new_work
    after insert on public.maintenance_requests referencing NEW table as touched
    for each STATEMENT
    execute function private.tell_of_new_work();

create trigger tell_of_shown_steps
    after insert on public.maintenance_status_changes referencing NEW table as touched
    for each STATEMENT
    execute function private.tell_of_shown_steps();

create policy "recipients_select" on "public"."notification_preferences"
    for select
    to "authenticated"
    using (((user_id = ( select auth.uid() as uid)) AND ((workspace_id, audience) in ( select a.workspace_id,
    a.audience
   from private.my_audiences() a(workspace_id, audience)))));

create policy "recipients_select" on "public"."notifications"
    for select
    to "authenticated"
    using (((user_id = ( select auth.uid() as uid)) AND ((workspace_id, audience) in ( select a.workspace_id,
    a.audience
   from private.my_audiences() a(workspace_id, audience)))));

comment on column "public"."notification_preferences"."audience" is 'As what they are told of it: member, renter or vendor.';

comment on column "public"."notification_preferences"."member_id" is 'The person, if that is as a member. Kept by the database.';

comment on column "public"."notifications"."audience" is 'As what it tells them: member, renter or vendor.';

comment on column "public"."notifications"."member_id" is 'The person, if it tells them as a member. Kept by the database.';

comment on function "public"."notification_settings"(uuid) is 'What you are told of in a workspace, and how

One row for each category and channel that is for you, as a member, a renter or a vendor: whether it holds, and whether that is the
default. Empty for a workspace that you have nothing to do with.';

comment on function "public"."set_notification_preference"(uuid, text, text, boolean) is 'Says whether you want to be told, of what, and how

`enabled` null goes back to the default. For you, in this workspace. 422 `notification_unknown` if you are not told of the category over
that channel, 404 `workspace_not_found` if you are no member, renter or vendor of `workspace_id`. Answers what holds now.';

comment on table "private"."notification_defaults" is 'What people can be told about, over which channels, and whether they are unless they say otherwise.

Reference data, written by migrations. A channel without a row is not offered for that category. A category is for one audience:
for members who hold the permission, since a notice shows what they could look up; or for renters, or vendors, whom whoever
tells them has chosen.';

comment on table "public"."notification_preferences" is 'Where a person''s wishes differ from the defaults.

Written by `rpc/set_notification_preference`; `rpc/notification_settings` tells what holds, defaults included. Everybody
sees their own alone.';

comment on table "public"."notifications" is 'What a member, a renter or a vendor was told within the app.

Each is one person''s: nobody else sees it, owners included; and they see it as long as they are what it was told them as: an active
member, a renter or an active vendor whose record is tied to their account. Count the unread with
`HEAD /notifications?read_at=is.null` and `Prefer: count=exact`; mark them with `rpc/mark_notifications_read`. Read ones are
deleted after 90 days, others after 400, and a member''s all when they leave the workspace.';

comment on view "private"."lease_accounts" is 'Which accounts are parties to which lease.';

comment on view "private"."maintenance_portal_accounts" is 'Which renters'' and vendors'' accounts see which request.';

comment on view "private"."notification_portal_wishes" is 'What each renter and active vendor with an account is told of, and how.';

comment on view "private"."notification_wishes" is 'What each active member is told of, and how. Whoever tells people asks it, for the one channel.';

revoke all on function "private"."document_accounts"(public.documents) from public;

revoke all on function "private"."document_accounts"(public.documents) from "postgres";

grant execute on function "private"."document_accounts"(public.documents) to "postgres";

revoke all on function "private"."has_left"(uuid, uuid, uuid) from public;

revoke all on function "private"."has_left"(uuid, uuid, uuid) from "postgres";

grant execute on function "private"."has_left"(uuid, uuid, uuid) to "postgres";

revoke all on function "private"."my_audiences"() from public;

grant execute on function "private"."my_audiences"() to "authenticated";

revoke all on function "private"."my_audiences"() from "postgres";

grant execute on function "private"."my_audiences"() to "postgres";

revoke all on function "private"."notice_of_work"(public.maintenance_requests, uuid, text, boolean) from public;

revoke all on function "private"."notice_of_work"(public.maintenance_requests, uuid, text, boolean) from "postgres";

grant execute on function "private"."notice_of_work"(public.maintenance_requests, uuid, text, boolean) to "postgres";

revoke all on function "private"."tell_of_lease_steps"() from public;

revoke all on function "private"."tell_of_lease_steps"() from "postgres";

grant execute on function "private"."tell_of_lease_steps"() to "postgres";

revoke all on function "private"."tell_of_moved_work"() from public;

revoke all on function "private"."tell_of_moved_work"() from "postgres";

grant execute on function "private"."tell_of_moved_work"() to "postgres";

revoke all on function "private"."tell_of_new_work"() from public;

revoke all on function "private"."tell_of_new_work"() from "postgres";

grant execute on function "private"."tell_of_new_work"() to "postgres";

revoke all on function "private"."tell_of_shown_comments"() from public;

revoke all on function "private"."tell_of_shown_comments"() from "postgres";

grant execute on function "private"."tell_of_shown_comments"() to "postgres";

revoke all on function "private"."tell_of_shown_documents"() from public;

revoke all on function "private"."tell_of_shown_documents"() from "postgres";

grant execute on function "private"."tell_of_shown_documents"() to "postgres";

revoke all on function "private"."tell_of_shown_steps"() from public;

revoke all on function "private"."tell_of_shown_steps"() from "postgres";

grant execute on function "private"."tell_of_shown_steps"() to "postgres";

revoke all on function "private"."told_as"(uuid, uuid, uuid) from public;

revoke all on function "private"."told_as"(uuid, uuid, uuid) from "postgres";

grant execute on function "private"."told_as"(uuid, uuid, uuid) to "postgres";
