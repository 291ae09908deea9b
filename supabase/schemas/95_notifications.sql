-- What Freehold tells people within the app, members, renters and vendors, and what each of them wants to be told, and how.

create table private.notification_defaults (
    category text not null check (category ~ '^[a-z_]{1,40}$'),
    channel text not null check (channel in ('in_app', 'email', 'sms')),
    enabled boolean not null,
    audience text not null default 'member' check (audience in ('member', 'renter', 'vendor')),
    permission text check (permission ~ '^[a-z]+\.[a-z]+$'),
    description text not null,
    primary key (category, channel),
    constraint members_are_told_by_permission check ((audience = 'member') = (permission is not null))
);

comment on table private.notification_defaults is $$What people can be told about, over which channels, and whether they are unless they say otherwise.

Reference data, written by migrations. A channel without a row is not offered for that category. A category is for one audience:
for members who hold the permission, since a notice shows what they could look up; or for renters, or vendors, whom whoever
tells them has chosen.$$;


create table public.notifications (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    user_id uuid not null references auth.users (id) on delete cascade,
    audience text not null default 'member' check (audience in ('member', 'renter', 'vendor')),
    member_id uuid generated always as (case audience when 'member' then user_id end) stored,
    category text not null,
    title text not null check (length(title) between 1 and 200),
    body text not null default '' check (length(body) <= 2000),
    payload jsonb not null default '{}',
    lease_id uuid,
    maintenance_request_id uuid,
    dedupe_key text not null check (length(dedupe_key) between 1 and 300),
    created_at timestamptz not null default now(),
    read_at timestamptz,
    unique (workspace_id, id),
    unique (workspace_id, user_id, dedupe_key),
    -- A member who leaves the workspace leaves what it told them.
    foreign key (workspace_id, member_id) references public.workspace_members (workspace_id, user_id) on delete cascade,
    foreign key (workspace_id, lease_id) references public.leases (workspace_id, id) on delete cascade,
    foreign key (workspace_id, maintenance_request_id)
    references public.maintenance_requests (workspace_id, id) on delete cascade
)
-- Each is read once, which no index but the small one of the unread has to know.
with (fillfactor = 80);

create index notifications_created_at_idx on public.notifications (user_id, created_at desc, workspace_id);
create index notifications_unread_idx on public.notifications (user_id, workspace_id) where read_at is null;
create index notifications_member_id_idx on public.notifications (workspace_id, member_id) where member_id is not null;
create index notifications_lease_id_idx on public.notifications (workspace_id, lease_id) where lease_id is not null;
create index notifications_maintenance_request_id_idx on public.notifications (workspace_id, maintenance_request_id)
    where maintenance_request_id is not null;
-- What retention asks.
create index notifications_age_idx on public.notifications (created_at);

create trigger refuse_truncate before truncate on public.notifications
    for each statement execute function private.refuse_truncate();

comment on table public.notifications is $$What a member, a renter or a vendor was told within the app.

Each is one person's: nobody else sees it, owners included; and they see it as long as they are what it was told them as: an active
member, a renter or an active vendor whose record is tied to their account. Count the unread with
`HEAD /notifications?read_at=is.null` and `Prefer: count=exact`; mark them with `rpc/mark_notifications_read`. Read ones are
deleted after 90 days, others after 400, and a member's all when they leave the workspace.$$;
comment on column public.notifications.id is $$Identifies the notification.$$;
comment on column public.notifications.workspace_id is $$The workspace it is about.$$;
comment on column public.notifications.user_id is $$Whom it tells.$$;
comment on column public.notifications.audience is $$As what it tells them: member, renter or vendor.$$;
comment on column public.notifications.member_id is $$The person, if it tells them as a member. Kept by the database.$$;
comment on column public.notifications.category is $$What kind of thing happened; `rpc/notification_settings` lists the kinds.$$;
comment on column public.notifications.title is $$What happened, in one line.$$;
comment on column public.notifications.body is $$More about it, as plain text.$$;
comment on column public.notifications.payload is $$The same for programs: what a template is filled with.$$;
comment on column public.notifications.lease_id is $$The lease it is about, if it is about one.$$;
comment on column public.notifications.maintenance_request_id is $$The maintenance request it is about, if it is about one.$$;
comment on column public.notifications.dedupe_key is $$Names the event: nobody is told of the same one twice.$$;
comment on column public.notifications.created_at is $$When it was told.$$;
comment on column public.notifications.read_at is $$When the person marked it as read; empty: unread.$$;


create table public.notification_preferences (
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    user_id uuid not null references auth.users (id) on delete cascade,
    audience text not null default 'member' check (audience in ('member', 'renter', 'vendor')),
    member_id uuid generated always as (case audience when 'member' then user_id end) stored,
    category text not null,
    channel text not null,
    enabled boolean not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (workspace_id, user_id, category, channel),
    foreign key (workspace_id, member_id) references public.workspace_members (workspace_id, user_id) on delete cascade,
    foreign key (category, channel) references private.notification_defaults (category, channel) on delete cascade
);

create index notification_preferences_user_id_idx on public.notification_preferences (user_id, workspace_id);
create index notification_preferences_member_id_idx on public.notification_preferences (workspace_id, member_id)
    where member_id is not null;
create index notification_preferences_category_idx on public.notification_preferences (category, channel);

create trigger touch_updated_at before update on public.notification_preferences
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.notification_preferences
    for each statement execute function private.refuse_truncate();

comment on table public.notification_preferences is $$Where a person's wishes differ from the defaults.

Written by `rpc/set_notification_preference`; `rpc/notification_settings` tells what holds, defaults included. Everybody
sees their own alone.$$;
comment on column public.notification_preferences.workspace_id is $$The workspace it is about.$$;
comment on column public.notification_preferences.user_id is $$Whose wish it is.$$;
comment on column public.notification_preferences.audience is $$As what they are told of it: member, renter or vendor.$$;
comment on column public.notification_preferences.member_id is $$The person, if that is as a member. Kept by the database.$$;
comment on column public.notification_preferences.category is $$The kind of thing.$$;
comment on column public.notification_preferences.channel is $$in_app, email or sms.$$;
comment on column public.notification_preferences.enabled is $$Whether they want to be told of it that way.$$;
comment on column public.notification_preferences.created_at is $$When the row was made.$$;
comment on column public.notification_preferences.updated_at is $$When the row last changed.$$;


-- As what the caller is told things, and by which workspace.
create function private.my_audiences()
    returns table (workspace_id uuid, audience text)
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

grant execute on function private.my_audiences() to authenticated;


-- What each active member is told of, and how: their own word, else the default.
create view private.notification_wishes with (security_invoker = true) as
select
    m.workspace_id,
    m.user_id,
    d.category,
    d.channel,
    coalesce(p.enabled, d.enabled) as enabled,
    p.enabled is null as is_default
from public.workspace_members as m
inner join private.role_permissions as held on m.role = held.role
inner join private.notification_defaults as d on held.permission = d.permission and d.audience = 'member'
left join public.notification_preferences as p
    on
        m.workspace_id = p.workspace_id
        and m.user_id = p.user_id
        and d.category = p.category
        and d.channel = p.channel
where m.status = 'active';

comment on view private.notification_wishes is
    $$What each active member is told of, and how. Whoever tells people asks it, for the one channel.$$;


-- The same of renters and vendors with an account. Apart from the members', who are asked for by the thousand at once.
create view private.notification_portal_wishes with (security_invoker = true) as
select
    t.workspace_id,
    t.user_id,
    d.category,
    d.channel,
    coalesce(p.enabled, d.enabled) as enabled,
    p.enabled is null as is_default
from (
    select
        workspace_id,
        user_id,
        'renter' as audience
    from public.tenants
    where user_id is not null
    union all
    select
        workspace_id,
        user_id,
        'vendor' as audience
    from public.vendors
    where user_id is not null and status = 'active'
) as t
inner join private.notification_defaults as d on t.audience = d.audience
left join public.notification_preferences as p
    on
        t.workspace_id = p.workspace_id
        and t.user_id = p.user_id
        and d.category = p.category
        and d.channel = p.channel;

comment on view private.notification_portal_wishes is
    $$What each renter and active vendor with an account is told of, and how.$$;


-- Tells people within the app, in the caller's transaction: those who want to know, each once for an event, and not of what they did
-- themselves. Of members it tells the active ones who may look it up; renters and vendors are the caller's to choose. Answers how
-- many it told.
--
-- p_notices: [{workspace_id, user_id, title, body, payload, lease_id, maintenance_request_id, dedupe_key}]; body, payload and
-- what it is about may be missing. The dedupe_key names the event, whoever is told of it. Null: nobody is told anything.
create function private.notify(p_category text, p_notices jsonb, p_actor uuid default auth.uid())
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


create function private.mark_notifications_read(
    p_ids uuid[], p_before timestamptz, p_workspace_id uuid, p_now timestamptz
)
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


create function private.set_notification_preference(
    p_workspace_id uuid, p_category text, p_channel text, p_enabled boolean
)
    returns boolean
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


create function private.notification_settings(p_workspace_id uuid)
    returns table (category text, channel text, enabled boolean, is_default boolean, description text)
    stable
    security definer
    set search_path = ''
    language sql
as $$
    select w.category, w.channel, w.enabled, w.is_default, d.description
    from (
        select * from private.notification_wishes
        union all
        select * from private.notification_portal_wishes
    ) as w
    join private.notification_defaults as d on d.category = w.category and d.channel = w.channel
    where w.workspace_id = p_workspace_id and w.user_id = (select auth.uid())
    order by w.category, array_position('{in_app, email, sms}', w.channel)
$$;

grant execute on function private.mark_notifications_read(uuid[], timestamptz, uuid, timestamptz) to authenticated;
grant execute on function private.set_notification_preference(uuid, text, text, boolean) to authenticated;
grant execute on function private.notification_settings(uuid) to authenticated;


create function public.mark_notifications_read(
    ids uuid[] default null, before timestamptz default null, workspace_id uuid default null
)
    returns integer
    volatile
    set search_path = ''
    language sql
as $$
    select private.mark_notifications_read(ids, before, workspace_id, now())
$$;

comment on function public.mark_notifications_read(uuid[], timestamptz, uuid) is $$Marks your notifications as read

Either those of `ids`, or all until `before`; with `workspace_id` only that workspace's. What is not yours, or is read already, is
passed over. What somebody else has just been writing may be no newer than `before`: to mark what was shown, give ids. 422
`notifications_unnamed` for both or neither. Answers how many were marked.$$;


create function public.set_notification_preference(workspace_id uuid, category text, channel text, enabled boolean)
    returns boolean
    volatile
    set search_path = ''
    language sql
as $$
    select private.set_notification_preference(workspace_id, category, channel, enabled)
$$;

comment on function public.set_notification_preference(uuid, text, text, boolean) is $$Says whether you want to be told, of what, and how

`enabled` null goes back to the default. For you, in this workspace. 422 `notification_unknown` if you are not told of the category over
that channel, 404 `workspace_not_found` if you are no member, renter or vendor of `workspace_id`. Answers what holds now.$$;


create function public.notification_settings(workspace_id uuid)
    returns table (category text, channel text, enabled boolean, is_default boolean, description text)
    stable
    set search_path = ''
    language sql
as $$
    select s.category, s.channel, s.enabled, s.is_default, s.description
    from private.notification_settings(workspace_id) as s
$$;

comment on function public.notification_settings(uuid) is $$What you are told of in a workspace, and how

One row for each category and channel that is for you, as a member, a renter or a vendor: whether it holds, and whether that is the
default. Empty for a workspace that you have nothing to do with.$$;

grant execute on function public.mark_notifications_read(uuid[], timestamptz, uuid) to authenticated;
grant execute on function public.set_notification_preference(uuid, text, text, boolean) to authenticated;
grant execute on function public.notification_settings(uuid) to authenticated;


create function worker.notification_retention(p_now timestamptz default now(), p_limit integer default 10000)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

comment on function worker.notification_retention(timestamptz, integer) is $$Deletes notifications that have served their time

Read ones 90 days after that, and any after 400. Up to `p_limit` at once: call again while `more`. Answers
{notifications_deleted, more}.$$;

grant execute on all functions in schema worker to worker;
