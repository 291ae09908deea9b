set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

create table "private"."notification_defaults" (
    "category" text not null,
    "channel" text not null,
    "enabled" boolean not null,
    "permission" text not null,
    "description" text not null,
    constraint "notification_defaults_category_check" check ((category ~ '^[a-z_]{1,40}$'::text)),
    constraint "notification_defaults_channel_check"
        check ((channel = ANY (ARRAY['in_app'::text, 'email'::text, 'sms'::text]))),
    constraint "notification_defaults_permission_check" check ((permission ~ '^[a-z]+\.[a-z]+$'::text)),
    constraint "notification_defaults_pkey" primary key (category, channel)
);

create table "public"."notification_preferences" (
    "workspace_id" uuid not null,
    "user_id" uuid not null,
    "category" text not null,
    "channel" text not null,
    "enabled" boolean not null,
    "created_at" timestamp with time zone not null default now(),
    "updated_at" timestamp with time zone not null default now(),
    constraint "notification_preferences_pkey" primary key (workspace_id, user_id, category, channel)
);

alter table "public"."notification_preferences"
    enable row level security;

revoke all on table "public"."notification_preferences" from "anon";

create table "public"."notifications" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "user_id" uuid not null,
    "category" text not null,
    "title" text not null,
    "body" text not null default ''::text,
    "payload" jsonb not null default '{}'::jsonb,
    "lease_id" uuid,
    "maintenance_request_id" uuid,
    "dedupe_key" text not null,
    "created_at" timestamp with time zone not null default now(),
    "read_at" timestamp with time zone,
    constraint "notifications_body_check" check ((length(body) <= 2000)),
    constraint "notifications_dedupe_key_check" check (((length(dedupe_key) >= 1) AND (length(dedupe_key) <= 300))),
    constraint "notifications_pkey" primary key (id),
    constraint "notifications_title_check" check (((length(title) >= 1) AND (length(title) <= 200))),
    constraint "notifications_workspace_id_id_key" unique (workspace_id, id),
    constraint "notifications_workspace_id_user_id_dedupe_key_key" unique (workspace_id, user_id, dedupe_key)
);

alter table "public"."notifications"
    enable row level security;

alter table "public"."notifications"
    set (fillfactor=80);

revoke all on table "public"."notifications" from "anon";

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
            and n.workspace_id = any (array(select private.my_workspaces()))
            and (p_workspace_id is null or n.workspace_id = p_workspace_id)
            and n.read_at is null;
    else
        update public.notifications as n
        set read_at = p_now
        where
            n.user_id = v_user_id
            and n.workspace_id = any (array(select private.my_workspaces()))
            and (p_workspace_id is null or n.workspace_id = p_workspace_id)
            and n.read_at is null
            and n.created_at <= p_before;
    end if;
    get diagnostics v_marked = row_count;
    return v_marked;
end
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
    from private.notification_wishes as w
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
    v_told integer;
begin
    if p_notices is null then
        return 0;
    end if;
    insert into public.notifications (
        workspace_id, user_id, category, title, body, payload, lease_id, maintenance_request_id, dedupe_key
    )
    select
        n.workspace_id,
        n.user_id,
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
    join private.notification_wishes as w
        on
            w.workspace_id = n.workspace_id
            and w.user_id = n.user_id
            and w.category = p_category
            and w.channel = 'in_app'
            and w.enabled
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
    v_default boolean;
begin
    if p_workspace_id is null or p_workspace_id not in (select private.my_workspaces()) then
        perform private.fail(
            404, 'workspace_not_found', 'There is no such workspace, or you are not a member of it.',
            p_hint := 'List the workspaces you belong to: GET /workspaces.'
        );
    end if;
    select d.enabled into v_default
    from private.notification_defaults as d
    where d.category = p_category and d.channel = p_channel;
    if not found then
        perform private.fail(
            422, 'notification_unknown', format('Nobody is told of %L over %L.', p_category, p_channel),
            p_hint := 'List what there is: GET /rpc/notification_settings?workspace_id=….'
        );
    end if;
    if p_enabled is null then
        delete from public.notification_preferences
        where workspace_id = p_workspace_id and user_id = auth.uid() and category = p_category and channel = p_channel;
    else
        insert into public.notification_preferences as p (workspace_id, user_id, category, channel, enabled)
        values (p_workspace_id, auth.uid(), p_category, p_channel, p_enabled)
        on conflict (workspace_id, user_id, category, channel) do update set enabled = excluded.enabled;
    end if;
    return coalesce(p_enabled, v_default);
end
$function$;

create or replace function private.tell_of_assignments()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    perform private.notify('maintenance_assigned', (
        select jsonb_agg(jsonb_build_object(
            'workspace_id', r.workspace_id,
            'user_id', r.assigned_member_id,
            'title', format('Request %s is yours: %s', r.request_number, r.title),
            'body', r.location,
            'payload', jsonb_build_object('request_number', r.request_number, 'priority', r.priority),
            'maintenance_request_id', r.id,
            -- They may get it once more, another time.
            'dedupe_key', format('maintenance_assigned/%s/%s', r.id, extract(epoch from now()))
        ))
        from touched as r
        join before as was on was.workspace_id = r.workspace_id and was.id = r.id
        where r.assigned_member_id is not null and r.assigned_member_id is distinct from was.assigned_member_id
    ));
    return null;
end
$function$;

create or replace function private.tell_of_maintenance_comments()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    perform private.notify('maintenance_commented', (
        select jsonb_agg(jsonb_build_object(
            'workspace_id', r.workspace_id,
            'user_id', w.user_id,
            'title', format(
                '%s commented on request %s: %s',
                case c.author_kind
                    when 'renter' then 'The renter'
                    when 'vendor' then 'The vendor'
                    when 'member' then 'A colleague'
                    else 'Freehold'
                end,
                r.request_number, r.title
            ),
            'body', r.location,
            'payload', jsonb_build_object('request_number', r.request_number, 'author_kind', c.author_kind),
            'maintenance_request_id', r.id,
            'dedupe_key', 'maintenance_commented/' || c.id
        ))
        from touched as c
        join public.maintenance_requests as r on r.workspace_id = c.workspace_id and r.id = c.request_id
        join private.maintenance_watchers as w on w.workspace_id = c.workspace_id and w.request_id = c.request_id
    ));
    return null;
end
$function$;

create or replace function private.tell_of_maintenance_status()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    perform private.notify('maintenance_status', (
        select jsonb_agg(jsonb_build_object(
            'workspace_id', r.workspace_id,
            'user_id', w.user_id,
            'title', format('Request %s is %s: %s', r.request_number, replace(c.to_status, '_', ' '), r.title),
            'body', r.location,
            'payload', jsonb_build_object('request_number', r.request_number, 'from', c.from_status, 'to', c.to_status),
            'maintenance_request_id', r.id,
            'dedupe_key', 'maintenance_status/' || c.id
        ))
        from touched as c
        join public.maintenance_requests as r on r.workspace_id = c.workspace_id and r.id = c.request_id
        join private.maintenance_watchers as w on w.workspace_id = c.workspace_id and w.request_id = c.request_id
        where c.from_status is not null and c.to_status <> 'assigned'
    ));
    return null;
end
$function$;

create or replace function private.tell_of_new_requests()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    perform private.notify(told.category, told.notices)
    from (
        select
            case when r.assigned_member_id is null then 'maintenance_reported' else 'maintenance_assigned' end as category,
            jsonb_agg(jsonb_build_object(
                'workspace_id', r.workspace_id,
                'user_id', w.user_id,
                'title', format('Request %s: %s', r.request_number, r.title),
                'body', r.location,
                'payload', jsonb_build_object('request_number', r.request_number, 'priority', r.priority),
                'maintenance_request_id', r.id,
                'dedupe_key', 'maintenance_reported/' || r.id
            )) as notices
        from touched as r
        join private.maintenance_watchers as w on w.workspace_id = r.workspace_id and w.request_id = r.id
        group by 1
    ) as told;
    return null;
end
$function$;

create or replace function public.mark_notifications_read (
    ids uuid[] default null::uuid[],
    before timestamp with time zone default null::timestamp with time zone,
    workspace_id uuid default null::uuid
)
    returns integer
    language sql
    set search_path to ''
    AS $function$
    select private.mark_notifications_read(ids, before, workspace_id, now())
$function$;

revoke all
    on function "public"."mark_notifications_read"(uuid[], timestamp with time zone, uuid)
    from public, "anon", "service_role";

create or replace function public.notification_settings (
    workspace_id uuid
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
    set search_path to ''
    AS $function$
    select s.category, s.channel, s.enabled, s.is_default, s.description
    from private.notification_settings(workspace_id) as s
$function$;

revoke all on function "public"."notification_settings"(uuid) from public, "anon", "service_role";

create or replace function public.set_notification_preference (
    workspace_id uuid,
    category text,
    channel text,
    enabled boolean
)
    returns boolean
    language sql
    set search_path to ''
    AS $function$
    select private.set_notification_preference(workspace_id, category, channel, enabled)
$function$;

revoke all
    on function "public"."set_notification_preference"(uuid, text, text, boolean)
    from public, "anon", "service_role";

create or replace function worker.lease_expiry_check (
    p_now timestamp with time zone default now(),
    p_limit integer default 1000
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_request_id text := private.request_id();
    v_full boolean;
    v_due integer;
    v_skipped integer;
    v_notices jsonb[];
    v_told jsonb;
begin
    with first_due as materialized (
        select
            r.workspace_id,
            r.lease_id,
            l.lease_number,
            l.notice_deadline_on,
            l.property_id,
            p.name as property_name,
            p.manager_id,
            zone.today
        from private.lease_reminders as r
        join public.leases as l on l.workspace_id = r.workspace_id and l.id = r.lease_id
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        -- private.local_date(), spelt out: a call for each row takes longer than all else here.
        cross join lateral (select (p_now at time zone p.timezone)::date as today) as zone
        where
            r.state = 'pending'
            -- No clock on earth is further ahead than UTC+14: the index ends here, the property's own date decides.
            and r.due_on <= ((p_now at time zone 'UTC') + interval '14 hours')::date
            and r.due_on <= zone.today
        order by r.due_on, r.workspace_id, r.lease_id
        limit p_limit
    ),
    -- All that is due for those leases, or a later batch would send the thresholds that this one passes over.
    due as materialized (
        select r.threshold, r.ends_on, r.due_on, f.*
        from (select distinct on (f.workspace_id, f.lease_id) f.* from first_due as f) as f
        join private.lease_reminders as r on r.workspace_id = f.workspace_id and r.lease_id = f.lease_id
        where r.state = 'pending' and r.due_on <= f.today
        -- A second machine waits here, and then finds nothing pending. In key order, or the two would deadlock.
        order by r.workspace_id, r.lease_id, r.threshold, r.ends_on
        for update of r
    ),
    ranked as (
        select
            d.*,
            row_number() over (
                partition by d.workspace_id, d.lease_id
                order by d.due_on desc, d.threshold = 'notice_deadline' desc, d.threshold
            ) as tightness
        from due as d
    ),
    decided as (
        update private.lease_reminders as r
        set
            state = case when k.tightness = 1 and k.ends_on >= k.today then 'queued' else 'skipped' end,
            decided_at = p_now
        from ranked as k
        where
            r.workspace_id = k.workspace_id
            and r.lease_id = k.lease_id
            and r.threshold = k.threshold
            and r.ends_on = k.ends_on
        returning r.state, r.workspace_id, r.lease_id
    ),
    recipients as (
        select k.*, u.id as user_id, u.email, w.name as workspace_name
        from ranked as k
        join public.workspaces as w on w.id = k.workspace_id
        join public.workspace_members as m
            on
                m.workspace_id = k.workspace_id
                and m.status = 'active'
                and (
                    m.user_id = k.manager_id
                    or m.role = 'owner' and not exists (
                        select from public.workspace_members as manager
                        join auth.users as account on account.id = manager.user_id
                        where
                            manager.workspace_id = k.workspace_id
                            and manager.user_id = k.manager_id
                            and manager.status = 'active'
                            and account.email <> ''
                    )
                )
        join auth.users as u on u.id = m.user_id
        where k.tightness = 1 and k.ends_on >= k.today and coalesce(u.email, '') <> ''
    ),
    written as (
        insert into public.messages (workspace_id, template, to_address, payload, dedupe_key, request_id)
        select
            n.workspace_id,
            'lease_expiry',
            n.email,
            jsonb_build_object(
                'workspace_name', n.workspace_name,
                'recipient_name', null,
                'lease_number', n.lease_number,
                'property_name', n.property_name,
                'unit_numbers', (
                    select coalesce(jsonb_agg(u.unit_number order by u.unit_number), '[]')
                    from public.lease_units as lu
                    join public.units as u on u.workspace_id = lu.workspace_id and u.id = lu.unit_id
                    where
                        lu.workspace_id = n.workspace_id
                        and lu.property_id = n.property_id
                        and lu.lease_id = n.lease_id
                        and lu.superseded_at is null
                ),
                'tenant_names', (
                    select coalesce(jsonb_agg(btrim(t.first_name || ' ' || t.last_name) order by t.last_name, t.first_name), '[]')
                    from public.lease_tenants as lt
                    join public.tenants as t on t.workspace_id = lt.workspace_id and t.id = lt.tenant_id
                    where
                        lt.workspace_id = n.workspace_id
                        and lt.lease_id = n.lease_id
                        and lt.role in ('primary', 'co_tenant')
                ),
                'ends_on', n.ends_on,
                'days_left', n.ends_on - n.today,
                'notice_deadline_on', n.notice_deadline_on,
                'threshold', n.threshold
            ),
            format('lease_expiry/%s/%s/%s/%s', n.lease_id, n.threshold, n.ends_on, n.user_id),
            v_request_id
        from recipients as n
        join private.notification_wishes as wish
            on
                wish.workspace_id = n.workspace_id
                and wish.user_id = n.user_id
                and wish.category = 'lease_expiry'
                and wish.channel = 'email'
                and wish.enabled
        on conflict (workspace_id, dedupe_key) do nothing
        returning id
    )
    select
        -- Rows, not leases: one lease may fill the batch with several thresholds.
        (select count(*) >= p_limit from first_due),
        (select count(*) from decided as d where d.state = 'queued'),
        (select count(*) from decided as d where d.state = 'skipped'),
        (select array_agg(jsonb_build_object('message_id', w.id)) from written as w),
        (
            select jsonb_agg(jsonb_build_object(
                'workspace_id', n.workspace_id,
                'user_id', n.user_id,
                'title', format('Lease %s ends on %s', n.lease_number, n.ends_on),
                'body', format('%s. Last day for giving notice: %s.', n.property_name, n.notice_deadline_on),
                'payload', jsonb_build_object(
                    'lease_number', n.lease_number,
                    'ends_on', n.ends_on,
                    'days_left', n.ends_on - n.today,
                    'notice_deadline_on', n.notice_deadline_on,
                    'threshold', n.threshold
                ),
                'lease_id', n.lease_id,
                'dedupe_key', format('lease_expiry/%s/%s/%s', n.lease_id, n.threshold, n.ends_on)
            ))
            from recipients as n
        )
    into v_full, v_due, v_skipped, v_notices, v_told;
    perform private.notify('lease_expiry', v_told);
    if v_notices is not null then
        perform pgmq.send_batch('email', v_notices);
    end if;
    return jsonb_build_object(
        'leases_due', v_due,
        'messages_queued', coalesce(cardinality(v_notices), 0),
        'thresholds_skipped', v_skipped,
        'more', v_full
    );
end
$function$;

create or replace function worker.notification_retention (
    p_now timestamp with time zone default now(),
    p_limit integer default 10000
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_deleted integer;
begin
    -- By age alone first: an index has that order, and nobody is read before they are told.
    with old as (
        select n.id
        from public.notifications as n
        where
            n.created_at < p_now - interval '90 days'
            and (n.read_at < p_now - interval '90 days' or n.created_at < p_now - interval '400 days')
        order by n.created_at
        limit p_limit
        for update skip locked
    )
    delete from public.notifications as n
    using old
    where n.id = old.id;
    get diagnostics v_deleted = row_count;
    return jsonb_build_object('notifications_deleted', v_deleted, 'more', v_deleted >= p_limit);
end
$function$;

alter table "public"."notification_preferences"
    add constraint "notification_preferences_category_channel_fkey" foreign key (category, channel)
        references private.notification_defaults(category, channel) on delete cascade;

alter table "public"."notification_preferences"
    add constraint "notification_preferences_workspace_id_user_id_fkey" foreign key (workspace_id, user_id)
        references public.workspace_members(workspace_id, user_id) on delete cascade;

alter table "public"."notifications"
    add constraint "notifications_workspace_id_lease_id_fkey" foreign key (workspace_id, lease_id)
        references public.leases(workspace_id, id) on delete cascade;

alter table "public"."notifications"
    add constraint "notifications_workspace_id_maintenance_request_id_fkey"
        foreign key (workspace_id, maintenance_request_id) references public.maintenance_requests(workspace_id, id)
        on delete cascade;

alter table "public"."notifications"
    add constraint "notifications_workspace_id_user_id_fkey" foreign key (workspace_id, user_id)
        references public.workspace_members(workspace_id, user_id) on delete cascade;

create view "private"."maintenance_watchers" with (security_invoker=true) AS  SELECT r.workspace_id,
    r.id AS request_id,
    r.assigned_member_id AS user_id
   FROM public.maintenance_requests r
  WHERE (r.assigned_member_id IS NOT NULL)
UNION ALL
 SELECT r.workspace_id,
    r.id AS request_id,
    m.user_id
   FROM ((public.maintenance_requests r
     JOIN public.properties p ON (((r.workspace_id = p.workspace_id) AND (r.property_id = p.id))))
     JOIN public.workspace_members m ON (((r.workspace_id = m.workspace_id) AND ((p.manager_id = m.user_id) OR ((p.manager_id IS NULL) AND (m.role = 'owner'::text))))))
  WHERE (r.assigned_member_id IS NULL);

create view "private"."notification_wishes" with (security_invoker=true) AS  SELECT m.workspace_id,
    m.user_id,
    d.category,
    d.channel,
    COALESCE(p.enabled, d.enabled) AS enabled,
    (p.enabled IS NULL) AS is_default
   FROM (((public.workspace_members m
     JOIN private.role_permissions held ON ((m.role = held.role)))
     JOIN private.notification_defaults d ON ((held.permission = d.permission)))
     LEFT JOIN public.notification_preferences p ON (((m.workspace_id = p.workspace_id) AND (m.user_id = p.user_id) AND (d.category = p.category) AND (d.channel = p.channel))))
  WHERE (m.status = 'active'::text);

create index notification_preferences_category_idx on public.notification_preferences using btree (category, channel);

create index notification_preferences_user_id_idx on public.notification_preferences using btree (user_id, workspace_id);

create index notifications_age_idx on public.notifications using btree (created_at);

create index notifications_created_at_idx on public.notifications using btree (user_id, created_at desc, workspace_id);

create index notifications_lease_id_idx on public.notifications using btree (workspace_id, lease_id)
    where (lease_id is not null);

create index notifications_maintenance_request_id_idx on public.notifications
    using btree (workspace_id, maintenance_request_id)
    where (maintenance_request_id is not null);

create index notifications_unread_idx on public.notifications using btree (user_id, workspace_id)
    where (read_at is null);

create trigger tell_of_maintenance_comments
    after insert on public.maintenance_comments referencing NEW table as touched
    for each STATEMENT
    execute function private.tell_of_maintenance_comments();

create trigger tell_of_assignments
    after update on public.maintenance_requests referencing OLD table as
    before NEW table as touched
    for each STATEMENT
    execute function private.tell_of_assignments();

create trigger tell_of_new_requests
    after insert on public.maintenance_requests referencing NEW table as touched
    for each STATEMENT
    execute function private.tell_of_new_requests();

create trigger tell_of_maintenance_status
    after insert on public.maintenance_status_changes referencing NEW table as touched
    for each STATEMENT
    execute function private.tell_of_maintenance_status();

create trigger refuse_truncate
    before truncate on public.notification_preferences
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger touch_updated_at
    before update on public.notification_preferences
    for each row
    execute function private.touch_updated_at();

create trigger refuse_truncate
    before truncate on public.notifications
    for each STATEMENT
    execute function private.refuse_truncate();

create policy "members_select" on "public"."notification_preferences"
    for select
    to "authenticated"
    using
        (((user_id = ( select auth.uid() as uid)) AND (workspace_id = ANY (ARRAY( select private.my_workspaces() as
        my_workspaces)))));

create policy "recipients_select" on "public"."notifications"
    for select
    to "authenticated"
    using
        (((user_id = ( select auth.uid() as uid)) AND (workspace_id = ANY (ARRAY( select private.my_workspaces() as
        my_workspaces)))));

comment on column "public"."notification_preferences"."category" is 'The kind of thing.';

comment on column "public"."notification_preferences"."channel" is 'in_app, email or sms.';

comment on column "public"."notification_preferences"."created_at" is 'When the row was made.';

comment on column "public"."notification_preferences"."enabled" is 'Whether they want to be told of it that way.';

comment on column "public"."notification_preferences"."updated_at" is 'When the row last changed.';

comment on column "public"."notification_preferences"."user_id" is 'Whose wish it is.';

comment on column "public"."notification_preferences"."workspace_id" is 'The workspace it is about.';

comment on column "public"."notifications"."body" is 'More about it, as plain text.';

comment on column "public"."notifications"."category" is 'What kind of thing happened; `rpc/notification_settings` lists the kinds.';

comment on column "public"."notifications"."created_at" is 'When it was told.';

comment on column "public"."notifications"."dedupe_key" is 'Names the event: nobody is told of the same one twice.';

comment on column "public"."notifications"."id" is 'Identifies the notification.';

comment on column "public"."notifications"."lease_id" is 'The lease it is about, if it is about one.';

comment on column "public"."notifications"."maintenance_request_id" is 'The maintenance request it is about, if it is about one.';

comment on column "public"."notifications"."payload" is 'The same for programs: what a template is filled with.';

comment on column "public"."notifications"."read_at" is 'When the person marked it as read; empty: unread.';

comment on column "public"."notifications"."title" is 'What happened, in one line.';

comment on column "public"."notifications"."user_id" is 'Whom it tells.';

comment on column "public"."notifications"."workspace_id" is 'The workspace it is about.';

comment on function "public"."mark_notifications_read"(uuid[], timestamp
    with time zone, uuid) is 'Marks your notifications as read

Either those of `ids`, or all until `before`; with `workspace_id` only that workspace''s. What is not yours, or is read already, is
passed over. What somebody else has just been writing may be no newer than `before`: to mark what was shown, give ids. 422
`notifications_unnamed` for both or neither. Answers how many were marked.';

comment on function "public"."notification_settings"(uuid) is 'What you are told of in a workspace, and how

One row for each category and channel: whether it holds for you, and whether that is the default. Empty for a workspace that you are
no member of.';

comment on function "public"."set_notification_preference"(uuid, text, text, boolean) is 'Says whether you want to be told, of what, and how

`enabled` null goes back to the default. For you, in this workspace. 422 `notification_unknown` if the category is not told over that
channel, 404 `workspace_not_found` if you are no member. Answers what holds now.';

comment on function "worker"."lease_expiry_check"(timestamp with time zone, integer) is 'Queues the notices of leases that run out

For each lease with a threshold due on its property''s date, the tightest one only, to the property''s manager or else the
owners, by mail and within the app as each of them wants it; never twice for the same lease, threshold and end date, and not once the term is over. Takes up to `p_limit` leases:
call again while `more`. Answers {leases_due, messages_queued, thresholds_skipped, more}: the leases to be told of, and the
thresholds passed over.';

comment on function "worker"."notification_retention"(timestamp with time zone, integer) is 'Deletes notifications that have served their time

Read ones 90 days after that, and any after 400. Up to `p_limit` at once: call again while `more`. Answers
{notifications_deleted, more}.';

comment on table "private"."notification_defaults" is 'What members can be told about, over which channels, and whether they are unless they say otherwise.

Reference data, written by migrations. A channel without a row is not offered for that category. Only those who hold the permission
are told: a notice shows what they could look up.';

comment on table "public"."notification_preferences" is 'Where a member''s wishes differ from the defaults.

Written by `rpc/set_notification_preference`; `rpc/notification_settings` tells what holds, defaults included. Each member
sees their own alone.';

comment on table "public"."notifications" is 'What a member was told within the app.

Each is one person''s: nobody else sees it, owners included. Count the unread with
`HEAD /notifications?read_at=is.null` and `Prefer: count=exact`; mark them with `rpc/mark_notifications_read`. Read ones are
deleted after 90 days, others after 400, and all of them when the person leaves the workspace.';

comment on view "private"."maintenance_watchers" is 'Who is told of what happens to a maintenance request.';

comment on view "private"."notification_wishes" is 'What each active member is told of, and how. Whoever tells people asks it, for the one channel.';

revoke all
    on function "private"."mark_notifications_read"(uuid[], timestamp with time zone, uuid, timestamp with time zone)
    from public;

grant execute
    on function "private"."mark_notifications_read"(uuid[], timestamp with time zone, uuid, timestamp with time zone)
    to "authenticated";

revoke all
    on function "private"."mark_notifications_read"(uuid[], timestamp with time zone, uuid, timestamp with time zone)
    from "postgres";

grant execute
    on function "private"."mark_notifications_read"(uuid[], timestamp with time zone, uuid, timestamp with time zone)
    to "postgres";

revoke all on function "private"."notification_settings"(uuid) from public;

grant execute on function "private"."notification_settings"(uuid) to "authenticated";

revoke all on function "private"."notification_settings"(uuid) from "postgres";

grant execute on function "private"."notification_settings"(uuid) to "postgres";

revoke all on function "private"."notify"(text, jsonb, uuid) from public;

revoke all on function "private"."notify"(text, jsonb, uuid) from "postgres";

grant execute on function "private"."notify"(text, jsonb, uuid) to "postgres";

revoke all on function "private"."set_notification_preference"(uuid, text, text, boolean) from public;

grant execute on function "private"."set_notification_preference"(uuid, text, text, boolean) to "authenticated";

revoke all on function "private"."set_notification_preference"(uuid, text, text, boolean) from "postgres";

grant execute on function "private"."set_notification_preference"(uuid, text, text, boolean) to "postgres";

revoke all on function "private"."tell_of_assignments"() from public;

revoke all on function "private"."tell_of_assignments"() from "postgres";

grant execute on function "private"."tell_of_assignments"() to "postgres";

revoke all on function "private"."tell_of_maintenance_comments"() from public;

revoke all on function "private"."tell_of_maintenance_comments"() from "postgres";

grant execute on function "private"."tell_of_maintenance_comments"() to "postgres";

revoke all on function "private"."tell_of_maintenance_status"() from public;

revoke all on function "private"."tell_of_maintenance_status"() from "postgres";

grant execute on function "private"."tell_of_maintenance_status"() to "postgres";

revoke all on function "private"."tell_of_new_requests"() from public;

revoke all on function "private"."tell_of_new_requests"() from "postgres";

grant execute on function "private"."tell_of_new_requests"() to "postgres";

grant execute on function "public"."mark_notifications_read"(uuid[], timestamp with time zone, uuid) to "authenticated";

revoke all on function "public"."mark_notifications_read"(uuid[], timestamp with time zone, uuid) from "postgres";

grant execute on function "public"."mark_notifications_read"(uuid[], timestamp with time zone, uuid) to "postgres";

grant execute on function "public"."notification_settings"(uuid) to "authenticated";

revoke all on function "public"."notification_settings"(uuid) from "postgres";

grant execute on function "public"."notification_settings"(uuid) to "postgres";

grant execute on function "public"."set_notification_preference"(uuid, text, text, boolean) to "authenticated";

revoke all on function "public"."set_notification_preference"(uuid, text, text, boolean) from "postgres";

grant execute on function "public"."set_notification_preference"(uuid, text, text, boolean) to "postgres";

revoke all on function "worker"."notification_retention"(timestamp with time zone, integer) from public;

revoke all on function "worker"."notification_retention"(timestamp with time zone, integer) from "postgres";

grant execute on function "worker"."notification_retention"(timestamp with time zone, integer) to "postgres";

grant execute on function "worker"."notification_retention"(timestamp with time zone, integer) to "worker";

revoke all on table "public"."notification_preferences" from "authenticated";

grant select on table "public"."notification_preferences" to "authenticated";

revoke all on table "public"."notification_preferences" from "service_role";

grant select on table "public"."notification_preferences" to "service_role";

revoke all on table "public"."notifications" from "authenticated";

grant select on table "public"."notifications" to "authenticated";

revoke all on table "public"."notifications" from "service_role";

grant select on table "public"."notifications" to "service_role";
