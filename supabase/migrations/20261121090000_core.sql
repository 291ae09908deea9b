-- The schema as it began: supabase/schemas and supabase/policies, in their order.

set local lock_timeout = '2s';
set local statement_timeout = '30s';

-- What everything else stands on: extensions, the schemas that no client reaches, and no privilege by default.

create extension if not exists btree_gist with schema extensions;
create extension if not exists pg_trgm with schema extensions;

create schema if not exists private;
create schema if not exists worker;

comment on schema private is $$Helpers, triggers and definer internals. Never exposed through the API.$$;

comment on schema worker is $$Freehold's workers

What the workers call, and nothing else: claim, begin, complete, fail, run a check. Exposed as a second profile
(`Accept-Profile: worker`), executable by the role `worker` alone. It holds no tables.$$;

-- The workers' role: a custom JWT with `role: worker` and a revocable `jti`. It can execute `worker.*` and read no table.
do $$
begin
    if not exists (select from pg_roles where rolname = 'worker') then
        create role worker nologin noinherit;
    end if;
    grant worker to authenticator;
    grant worker to postgres with set true;
end
$$;

-- PostgREST takes these for the time of a request, as it does those of anon and authenticated.
alter role worker set statement_timeout = '30s';

-- Pages are cached or on solid-state disks: at the default of 4 a page of 50 rows of a large workspace is sorted, not read
-- off the index that has its order (bench/).
alter role authenticated set random_page_cost = 1.1;

-- Hosted projects of before May 2026 grant new objects to the API's roles by name; `from public` alone would leave those.
alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke execute on functions from anon, authenticated, service_role;

grant usage on schema private to anon, authenticated, service_role, worker;
grant usage on schema worker to worker;

-- The one way by which Freehold refuses, and the small functions that tables lean on.

-- Raises {code, message, details, hint} with the HTTP status; PostgREST reads both from sqlstate PGRST.
create function private.fail(
    p_status integer,
    p_code text,
    p_message text,
    p_details text default null,
    p_hint text default null,
    p_headers jsonb default '{}'
)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_request_id text := nullif(current_setting('freehold.request_id', true), '');
begin
    -- PostgREST echoes an id that came with the request; one that was minted here travels in the error itself.
    if v_request_id is distinct from nullif(current_setting('request.headers', true), '')::jsonb ->> 'x-request-id' then
        p_headers := p_headers || jsonb_build_object('X-Request-Id', v_request_id);
    end if;
    raise sqlstate 'PGRST' using
        message = json_build_object('code', p_code, 'message', p_message, 'details', p_details, 'hint', p_hint)::text,
        detail = json_build_object('status', p_status, 'headers', p_headers)::text;
end
$$;

comment on function private.fail(integer, text, text, text, text, jsonb) is
    $$Refuses the request. Every code is listed in docs/reference/errors.md with what the caller should do.$$;

grant execute on function private.fail(integer, text, text, text, text, jsonb) to authenticated, service_role;

-- Whether the text is an IANA time zone name. Abbreviations and POSIX forms, which Postgres takes too (Foo/Bar5), are not: but
-- for those of Etc, no name has a digit.
create function private.is_timezone(p_name text)
    returns boolean
    immutable
    strict
    parallel safe
    set search_path = ''
    language plpgsql
as $$
begin
    perform timestamptz 'epoch' at time zone p_name;
    return p_name ~ '^(UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_-]+){1,2}|Etc/GMT([+-]?0|[+]([1-9]|1[0-2])|-([1-9]|1[0-4])))$';
exception when invalid_parameter_value then
    return false;
end
$$;

grant execute on function private.is_timezone(text) to authenticated, service_role;

-- Keeps updated_at true whatever the client sends.
create function private.touch_updated_at()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    new.updated_at := now();
    return new;
end
$$;

-- TRUNCATE bypasses row triggers and row security: no table of the domain allows it.
create function private.refuse_truncate()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.fail(
        405, 'truncate_refused', format('%I.%I cannot be truncated.', tg_table_schema, tg_table_name),
        p_hint := 'Delete the rows: triggers and constraints then guard what must stay.'
    );
    return null;
end
$$;

-- Tells the planner at once of rows that outnumber all it knew of the table. Until autovacuum's next round it would go on taking
-- the table for a page or two: foreign keys into it would be checked by reading it whole, row by row, and a list with two
-- embedded tables would take seconds instead of milliseconds. Who fills several tables does so in one order, always, so that
-- two of them queue up here instead of deadlocking. For the tables' owner.
create function private.analyze_outgrown(p_table regclass, p_rows bigint)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if p_rows > (select c.reltuples from pg_class as c where c.oid = p_table) then
        execute format('analyze %s', p_table);
    end if;
end
$$;

-- Workspaces (teams), their members, and which role may do what.

create table private.roles (
    role text primary key,
    description text not null
);

comment on table private.roles is $$Roles that a member can hold. Reference data, written by migrations.$$;

create table private.role_permissions (
    role text not null references private.roles (role) on delete cascade,
    permission text not null check (permission ~ '^[a-z]+\.[a-z]+$'),
    primary key (role, permission)
);

comment on table private.role_permissions is
    $$Who may do what: policies ask for a permission, never for a role. Reference data, written by migrations.$$;

create table public.workspaces (
    id uuid primary key default gen_random_uuid(),
    name text not null check (length(name) <= 120 and btrim(name) <> ''),
    currency text not null default 'USD' check (currency ~ '^[A-Z]{3}$'),
    timezone text not null default 'America/New_York' check (private.is_timezone(timezone)),
    created_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create index workspaces_created_by_idx on public.workspaces (created_by) where created_by is not null;

create trigger touch_updated_at before update on public.workspaces
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.workspaces
    for each statement execute function private.refuse_truncate();

comment on table public.workspaces is $$A team and everything it manages.

Made with `rpc/create_workspace`, whose caller becomes the owner. A workspace that has a lease which has begun cannot be
deleted.$$;
comment on column public.workspaces.id is $$Identifies the workspace; every other row names it as `workspace_id`.$$;
comment on column public.workspaces.name is $$What people call it, 1 to 120 characters; it stands in the mails it sends.$$;
comment on column public.workspaces.currency is $$ISO 4217 code that new properties start with.$$;
comment on column public.workspaces.timezone is $$IANA name, such as America/Chicago, that new properties start with.$$;
comment on column public.workspaces.created_by is $$Who made it; empty once that account is deleted.$$;
comment on column public.workspaces.created_at is $$When the row was made.$$;
comment on column public.workspaces.updated_at is $$When the row last changed.$$;

create table public.workspace_members (
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    user_id uuid not null references auth.users (id) on delete cascade,
    role text not null references private.roles (role),
    status text not null default 'active' check (status in ('active', 'suspended')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (workspace_id, user_id)
);

-- What every policy looks up: the caller's active memberships, without visiting the table.
create index workspace_members_user_id_idx on public.workspace_members (user_id, status) include (workspace_id, role);

create trigger touch_updated_at before update on public.workspace_members
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.workspace_members
    for each statement execute function private.refuse_truncate();

comment on table public.workspace_members is $$Who belongs to a workspace, and as what.

Changes go through `rpc/invite`, `rpc/accept_invitation`, `rpc/change_member_role`, `rpc/set_member_status`,
`rpc/remove_member` and `rpc/leave_workspace`. A suspended member has no permission; a removed one loses access at once.$$;
comment on column public.workspace_members.workspace_id is $$The workspace.$$;
comment on column public.workspace_members.user_id is $$The member's account (auth.users).$$;
comment on column public.workspace_members.role is $$owner, admin, manager, accountant or viewer.$$;
comment on column public.workspace_members.status is $$active or suspended.$$;
comment on column public.workspace_members.created_at is $$When the row was made.$$;
comment on column public.workspace_members.updated_at is $$When the row last changed.$$;

-- A workspace keeps an active owner whatever happens: a demotion, a removal, or the deletion of an account.
create function private.keep_an_owner()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if old.role <> 'owner' or old.status <> 'active' then
        return null;
    end if;
    -- Two owners who leave at once wait for each other here. No row: the workspace itself is being deleted.
    perform from public.workspaces where id = old.workspace_id for no key update;
    if found and not exists (
        select from public.workspace_members
        where workspace_id = old.workspace_id and role = 'owner' and status = 'active'
    ) then
        perform private.fail(
            409, 'last_owner', 'A workspace keeps at least one active owner.',
            p_hint := 'Make another member an owner first, or delete the workspace.'
        );
    end if;
    return null;
end
$$;

create trigger keep_an_owner after update or delete on public.workspace_members
    for each row execute function private.keep_an_owner();

-- What policies and RPCs ask. The set-returning ones are for `= any (array(select …))`, which plans as one look-up a query.
-- They are in plpgsql since it keeps their plans for the session, where SQL functions are planned in every query anew.

-- Workspaces in which the caller holds the permission.
create function private.workspaces_with(p_permission text)
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_user_id uuid := auth.uid();
begin
    return query
    select m.workspace_id
    from public.workspace_members as m
    where
        m.user_id = v_user_id
        and m.status = 'active'
        and m.role = any (array(
            select rp.role
            from private.role_permissions as rp
            where rp.permission = p_permission
        ));
end
$$;

-- Workspaces in which the caller is an active member, whatever the role.
create function private.my_workspaces()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_user_id uuid := auth.uid();
begin
    return query
    select m.workspace_id
    from public.workspace_members as m
    where m.user_id = v_user_id and m.status = 'active';
end
$$;

-- Whether a role's permissions are all among those the caller holds in the workspace.
create function private.holds_all_of(p_workspace_id uuid, p_role text)
    returns boolean
    stable
    security definer
    set search_path = ''
    language sql
as $$
    select not exists (
        select from private.role_permissions as wanted
        where wanted.role = p_role and not exists (
            select
            from public.workspace_members as m
            join private.role_permissions as held on held.role = m.role
            where
                m.workspace_id = p_workspace_id
                and m.user_id = (select auth.uid())
                and m.status = 'active'
                and held.permission = wanted.permission
        )
    )
$$;

-- Refuses a caller who lacks the permission. To an outsider a foreign workspace and none at all answer alike.
create function private.require_permission(p_workspace_id uuid, p_permission text)
    returns void
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if p_workspace_id in (select private.workspaces_with(p_permission)) then
        return;
    end if;
    if p_workspace_id in (select private.my_workspaces()) then
        perform private.fail(
            403, 'permission_denied', format('Your role in this workspace lacks the permission %s.', p_permission),
            p_hint := 'Ask an owner or admin of the workspace to change your role.'
        );
    end if;
    perform private.fail(
        404, 'workspace_not_found', 'There is no such workspace, or you are not a member of it.',
        p_hint := 'List the workspaces you belong to: GET /workspaces.'
    );
end
$$;

grant execute on function private.workspaces_with(text) to authenticated;
grant execute on function private.my_workspaces() to authenticated;

-- How workspaces come to be and how membership changes. Nobody grants, changes or removes more than they hold themselves.

create function private.create_workspace(p_name text, p_currency text, p_timezone text)
    returns public.workspaces
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_workspace public.workspaces;
begin
    -- A token outlives its account: the row that an account's deletion removed must not come back through it.
    perform from auth.users where id = auth.uid();
    if not found then
        perform private.fail(401, 'account_gone', 'Your account no longer exists.', p_hint := 'Sign up again.');
    end if;
    insert into public.workspaces (name, currency, timezone, created_by)
    values (p_name, p_currency, p_timezone, auth.uid())
    returning * into v_workspace;
    insert into public.workspace_members (workspace_id, user_id, role)
    values (v_workspace.id, auth.uid(), 'owner');
    return v_workspace;
end
$$;

-- The membership that a call is about, locked, once the caller may manage it.
create function private.lock_member(p_workspace_id uuid, p_user_id uuid)
    returns public.workspace_members
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_member public.workspace_members;
begin
    perform private.require_permission(p_workspace_id, 'members.manage');
    select * into v_member
    from public.workspace_members
    where workspace_id = p_workspace_id and user_id = p_user_id
    for update;
    if not found then
        perform private.fail(
            404, 'member_not_found', 'The workspace has no such member.',
            p_hint := 'List its members: GET /workspace_members.'
        );
    end if;
    -- Asked again: the caller's own role may have changed while they waited for the row.
    perform private.require_permission(p_workspace_id, 'members.manage');
    if not private.holds_all_of(p_workspace_id, v_member.role) then
        perform private.fail(
            403, 'exceeds_own_role', format('Your role does not cover that of this member (%s).', v_member.role),
            p_hint := 'Ask somebody who holds that role.'
        );
    end if;
    return v_member;
end
$$;

create function private.require_grantable(p_workspace_id uuid, p_role text)
    returns void
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if p_role is null or not exists (select from private.roles where role = p_role) then
        perform private.fail(
            422, 'role_unknown', format('There is no role %L.', p_role),
            p_hint := 'Use owner, admin, manager, accountant or viewer.'
        );
    end if;
    if not private.holds_all_of(p_workspace_id, p_role) then
        perform private.fail(
            403, 'exceeds_own_role', format('Your own role does not cover the role %s.', p_role),
            p_hint := 'Ask somebody who holds that role.'
        );
    end if;
end
$$;

create function private.change_member_role(p_workspace_id uuid, p_user_id uuid, p_role text)
    returns public.workspace_members
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_member public.workspace_members := private.lock_member(p_workspace_id, p_user_id);
begin
    perform private.require_grantable(p_workspace_id, p_role);
    update public.workspace_members
    set role = p_role
    where workspace_id = p_workspace_id and user_id = p_user_id
    returning * into v_member;
    return v_member;
end
$$;

create function private.set_member_status(p_workspace_id uuid, p_user_id uuid, p_status text)
    returns public.workspace_members
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_member public.workspace_members := private.lock_member(p_workspace_id, p_user_id);
begin
    if p_status is null or p_status not in ('active', 'suspended') then
        perform private.fail(
            422, 'status_unknown', format('There is no status %L.', p_status),
            p_hint := 'Use active or suspended.'
        );
    end if;
    update public.workspace_members
    set status = p_status
    where workspace_id = p_workspace_id and user_id = p_user_id
    returning * into v_member;
    return v_member;
end
$$;

create function private.remove_member(p_workspace_id uuid, p_user_id uuid)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.lock_member(p_workspace_id, p_user_id);
    -- Nor do they come back by another mail that still lies in their mailbox. Invitations first, as when one is accepted.
    delete from public.workspace_invitations as i
    using auth.users as u
    where
        i.workspace_id = p_workspace_id
        and i.kind = 'member'
        and i.accepted_at is null
        and u.id = p_user_id
        and lower(i.email) = lower(u.email);
    delete from public.workspace_members where workspace_id = p_workspace_id and user_id = p_user_id;
end
$$;

create function private.leave_workspace(p_workspace_id uuid)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    delete from public.workspace_members where workspace_id = p_workspace_id and user_id = auth.uid();
    if not found then
        perform private.fail(
            404, 'workspace_not_found', 'There is no such workspace, or you are not a member of it.',
            p_hint := 'List the workspaces you belong to: GET /workspaces.'
        );
    end if;
end
$$;

grant execute on function private.create_workspace(text, text, text) to authenticated;
grant execute on function private.change_member_role(uuid, uuid, text) to authenticated;
grant execute on function private.set_member_status(uuid, uuid, text) to authenticated;
grant execute on function private.remove_member(uuid, uuid) to authenticated;
grant execute on function private.leave_workspace(uuid) to authenticated;

create function public.create_workspace(
    name text, currency text default 'USD', timezone text default 'America/New_York'
)
    returns public.workspaces
    volatile
    set search_path = ''
    language sql
as $$
    select private.create_workspace(name, currency, timezone)
$$;

comment on function public.create_workspace(text, text, text) is $$Makes a workspace that the caller owns

`currency` (ISO 4217) and `timezone` (IANA name) are what its properties start with. Answers the workspace.$$;

grant execute on function public.create_workspace(text, text, text) to authenticated;

create function public.change_member_role(workspace_id uuid, user_id uuid, role text)
    returns public.workspace_members
    volatile
    set search_path = ''
    language sql
as $$
    select private.change_member_role(workspace_id, user_id, role)
$$;

comment on function public.change_member_role(uuid, uuid, text) is $$Gives a member another role

Needs `members.manage`, and both the old and the new role within the caller's own (403 `exceeds_own_role`). 409 `last_owner`
when no active owner would be left. Answers the membership.$$;

grant execute on function public.change_member_role(uuid, uuid, text) to authenticated;

create function public.set_member_status(workspace_id uuid, user_id uuid, status text)
    returns public.workspace_members
    volatile
    set search_path = ''
    language sql
as $$
    select private.set_member_status(workspace_id, user_id, status)
$$;

comment on function public.set_member_status(uuid, uuid, text) is $$Suspends a member or takes them back

`status` is active or suspended; it counts from the next request on, with the token the member already holds. Needs
`members.manage`. 409 `last_owner` when no active owner would be left. Answers the membership.$$;

grant execute on function public.set_member_status(uuid, uuid, text) to authenticated;

create function public.remove_member(workspace_id uuid, user_id uuid)
    returns void
    volatile
    set search_path = ''
    language sql
as $$
    select private.remove_member(workspace_id, user_id)
$$;

comment on function public.remove_member(uuid, uuid) is $$Removes a member from the workspace

They lose access at once, with the token they already hold. Needs `members.manage`. 409 `last_owner` when no active owner
would be left.$$;

grant execute on function public.remove_member(uuid, uuid) to authenticated;

create function public.leave_workspace(workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language sql
as $$
    select private.leave_workspace(workspace_id)
$$;

comment on function public.leave_workspace(uuid) is $$Ends the caller's own membership

409 `last_owner` for the last active owner. A suspended member may leave too.$$;

grant execute on function public.leave_workspace(uuid) to authenticated;

-- What surrounds a request: its id, its limits, revoked worker tokens, and idempotency keys.

create table private.limits (
    name text primary key,
    allowed integer not null check (allowed > 0),
    per interval not null check (per > interval '0'),
    description text not null
);

comment on table private.limits is $$How much of something is allowed in how long. An operator may change the numbers at any time.$$;

create table private.revoked_tokens (
    jti text primary key,
    revoked_at timestamptz not null default now(),
    reason text not null
);

comment on table private.revoked_tokens is $$Worker tokens that are refused although their signature and `exp` still hold.$$;

create unlogged table private.write_counts (
    user_id uuid not null,
    minute timestamptz not null,
    writes integer not null default 1,
    primary key (user_id, minute)
);

comment on table private.write_counts is $$Writes a user made in a minute. Unlogged: after a crash everybody starts at nothing.$$;

create table private.idempotency_keys (
    user_id uuid not null references auth.users (id) on delete cascade,
    function text not null,
    key text not null check (length(key) between 1 and 255),
    body_digest bytea not null,
    response jsonb,
    created_at timestamptz not null default now(),
    primary key (user_id, function, key)
);

create index idempotency_keys_created_at_idx on private.idempotency_keys (created_at);

comment on table private.idempotency_keys is $$Answers kept for 24 hours, so that a repeated call has one effect.$$;

-- A header of the request, by its lower-case name; null outside a request.
create function private.request_header(p_name text)
    returns text
    stable
    set search_path = ''
    language sql
as $$
    select nullif(current_setting('request.headers', true), '')::json ->> p_name
$$;

-- The request's id: as the caller or the gateway gave it, else minted by pre_request; null outside a request.
create function private.request_id()
    returns text
    stable
    set search_path = ''
    language sql
as $$
    select nullif(current_setting('freehold.request_id', true), '')
$$;

-- Counts a write, and refuses one too many. Another write of the same user under way is let through uncounted:
-- waiting for it would make a long import block everything else that its user does.
create function private.count_write(p_user_id uuid)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_limit private.limits;
    v_writes integer;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('freehold.count_write', 0) # hashtextextended(p_user_id::text, 0)) then
        return;
    end if;
    select * into v_limit from private.limits where name = 'writes_per_user';
    insert into private.write_counts as c (user_id, minute)
    values (p_user_id, date_bin(v_limit.per, now(), timestamptz 'epoch'))
    on conflict (user_id, minute) do update set writes = c.writes + 1
    returning c.writes into v_writes;
    if v_writes > v_limit.allowed then
        perform private.fail(
            429, 'write_limit', format('More than %s writes in %s.', v_limit.allowed, v_limit.per),
            p_hint := 'Wait for Retry-After seconds; use the import for many rows.',
            p_headers := jsonb_build_object('Retry-After', ceil(extract(epoch from
                date_bin(v_limit.per, now(), timestamptz 'epoch') + v_limit.per - now()))::text)
        );
    end if;
end
$$;

-- PostgREST runs this before every request, as the caller's role.
create function private.pre_request()
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    v_request_id text := private.request_header('x-request-id');
begin
    -- A request that came past the gateway has an id too, and a hostile one is replaced before it reaches a log.
    if v_request_id is null or v_request_id !~ '^[A-Za-z0-9_-]{8,64}$' then
        v_request_id := gen_random_uuid()::text;
    end if;
    perform set_config('freehold.request_id', v_request_id, true);
    perform set_config('application_name', left('req:' || v_request_id, 63), true);
    if v_request_id is distinct from private.request_header('x-request-id') then
        perform set_config(
            'response.headers', jsonb_build_array(jsonb_build_object('X-Request-Id', v_request_id))::text, true
        );
    end if;
    if exists (select from private.revoked_tokens where jti = v_claims ->> 'jti') then
        perform private.fail(
            401, 'token_revoked', 'This token was revoked.',
            p_hint := 'Ask the operator for a new one.'
        );
    end if;
    if v_claims ->> 'role' = 'authenticated' and not pg_input_is_valid(coalesce(v_claims ->> 'sub', ''), 'uuid') then
        perform private.fail(
            401, 'token_without_account', 'This token names no account: its claim sub is no UUID.',
            p_hint := 'Sign in, and send the access token you get.'
        );
    end if;
    if v_claims ->> 'role' = 'authenticated' and current_setting('transaction_read_only') = 'off' then
        perform private.count_write((v_claims ->> 'sub')::uuid);
    end if;
end
$$;

grant execute on function private.pre_request() to anon, authenticated, service_role, worker;

-- PostgREST reads its own settings from its role, as at a hosted project.
alter role authenticator set pgrst.db_pre_request = 'private.pre_request'; -- noqa: PRS
notify pgrst, 'reload config';

-- Starts a call that must have one effect. Null: go on, and keep the answer with keep_answer(). Else the kept answer.
create function private.begin_idempotent(p_function text, p_body jsonb)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_key text := private.request_header('idempotency-key');
    v_digest bytea := sha256(convert_to(p_body::text, 'UTF8'));
    v_kept private.idempotency_keys;
begin
    if coalesce(v_key, '') = '' or length(v_key) > 255 then
        perform private.fail(
            400, 'idempotency_key_required', 'This call needs an Idempotency-Key header of 1 to 255 characters.',
            p_hint := 'Send a fresh UUID for each thing you want done, and the same one when you repeat a call.'
        );
    end if;
    delete from private.idempotency_keys
    where user_id = auth.uid() and function = p_function and key = v_key and created_at < now() - interval '24 hours';
    -- A call with this key under way makes this one wait, then finds what it kept.
    insert into private.idempotency_keys (user_id, function, key, body_digest)
    values (auth.uid(), p_function, v_key, v_digest)
    on conflict do nothing;
    if found then
        return null;
    end if;
    select * into strict v_kept
    from private.idempotency_keys
    where user_id = auth.uid() and function = p_function and key = v_key;
    if v_kept.body_digest <> v_digest then
        perform private.fail(
            409, 'idempotency_key_reused', 'This Idempotency-Key was used for a call with another body.',
            p_hint := 'Use a fresh key for another call.'
        );
    end if;
    return v_kept.response;
end
$$;

-- Keeps the answer of a call that begin_idempotent() let through, and returns it.
create function private.keep_answer(p_function text, p_response jsonb)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    update private.idempotency_keys
    set response = p_response
    where
        user_id = auth.uid()
        and function = p_function
        and key = private.request_header('idempotency-key');
    return p_response;
end
$$;

-- Renters, vendors, and the invitations that tie a person's account to a workspace.

create table public.tenants (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    first_name text not null default '' check (length(first_name) <= 120),
    last_name text not null check (length(last_name) <= 120 and btrim(last_name) <> ''),
    email text check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and length(email) <= 254),
    phone text check (length(phone) between 3 and 40),
    status text not null default 'current' check (status in ('prospect', 'current', 'former')),
    user_id uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id)
);

create unique index tenants_email_key on public.tenants (workspace_id, lower(email));
create unique index tenants_user_id_key on public.tenants (user_id, workspace_id) where user_id is not null;
create index tenants_status_idx on public.tenants (workspace_id, status);
create index tenants_name_idx on public.tenants (workspace_id, last_name, first_name);

create trigger touch_updated_at before update on public.tenants
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.tenants
    for each statement execute function private.refuse_truncate();

comment on table public.tenants is $$Renters: people who rent, rented or may rent.

An e-mail address stands once in a workspace, whatever its case. A renter who accepted an invitation signs in and sees
what is theirs.$$;
comment on column public.tenants.id is $$Identifies the renter.$$;
comment on column public.tenants.workspace_id is $$The workspace that keeps the record.$$;
comment on column public.tenants.first_name is $$Given names; empty for a company.$$;
comment on column public.tenants.last_name is $$Family name, or a company's name.$$;
comment on column public.tenants.email is $$Where notices go; unique in the workspace, case-insensitively.$$;
comment on column public.tenants.phone is $$As the person gave it.$$;
comment on column public.tenants.status is $$prospect, current or former.$$;
comment on column public.tenants.user_id is $$The account, once an invitation was accepted. Set by the database alone.$$;
comment on column public.tenants.created_at is $$When the row was made.$$;
comment on column public.tenants.updated_at is $$When the row last changed.$$;

create table public.vendors (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    name text not null check (length(name) <= 120 and btrim(name) <> ''),
    email text check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and length(email) <= 254),
    phone text check (length(phone) between 3 and 40),
    status text not null default 'active' check (status in ('active', 'inactive')),
    user_id uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id)
);

create unique index vendors_email_key on public.vendors (workspace_id, lower(email));
create unique index vendors_user_id_key on public.vendors (user_id, workspace_id) where user_id is not null;
create index vendors_name_idx on public.vendors (workspace_id, lower(name));

create trigger touch_updated_at before update on public.vendors
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.vendors
    for each statement execute function private.refuse_truncate();

comment on table public.vendors is $$Firms and people who work on the properties: plumbers, cleaners, inspectors.$$;
comment on column public.vendors.id is $$Identifies the vendor.$$;
comment on column public.vendors.workspace_id is $$The workspace that keeps the record.$$;
comment on column public.vendors.name is $$Firm or person, 1 to 120 characters.$$;
comment on column public.vendors.email is $$Where requests go; unique in the workspace, case-insensitively.$$;
comment on column public.vendors.phone is $$As the vendor gave it.$$;
comment on column public.vendors.status is $$active or inactive.$$;
comment on column public.vendors.user_id is $$The account, once an invitation was accepted. Set by the database alone.$$;
comment on column public.vendors.created_at is $$When the row was made.$$;
comment on column public.vendors.updated_at is $$When the row last changed.$$;

create table public.workspace_invitations (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    kind text not null check (kind in ('member', 'renter', 'vendor')),
    email text not null check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and length(email) <= 254),
    role text references private.roles (role),
    tenant_id uuid,
    vendor_id uuid,
    invited_by uuid references auth.users (id) on delete set null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    accepted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    unique (workspace_id, id),
    foreign key (workspace_id, tenant_id) references public.tenants (workspace_id, id) on delete cascade,
    foreign key (workspace_id, vendor_id) references public.vendors (workspace_id, id) on delete cascade,
    constraint invitation_names_its_target check (
        (kind = 'member') = (role is not null)
        and (kind = 'renter') = (tenant_id is not null)
        and (kind = 'vendor') = (vendor_id is not null)
    )
);

create index workspace_invitations_created_at_idx on public.workspace_invitations (workspace_id, created_at desc);
create index workspace_invitations_tenant_id_idx on public.workspace_invitations (workspace_id, tenant_id);
create index workspace_invitations_vendor_id_idx on public.workspace_invitations (workspace_id, vendor_id);
create index workspace_invitations_invited_by_idx on public.workspace_invitations (invited_by)
    where invited_by is not null;
create index workspace_invitations_accepted_by_idx on public.workspace_invitations (accepted_by)
    where accepted_by is not null;

create trigger refuse_truncate before truncate on public.workspace_invitations
    for each statement execute function private.refuse_truncate();

comment on table public.workspace_invitations is $$Invitations sent to members, renters and vendors.

Made with `rpc/invite`, accepted with `rpc/accept_invitation`, withdrawn with DELETE. The mail carries a token that works
once and expires; only its digest is kept, out of every client's reach.$$;
comment on column public.workspace_invitations.id is $$Identifies the invitation.$$;
comment on column public.workspace_invitations.workspace_id is $$The workspace that invites.$$;
comment on column public.workspace_invitations.kind is $$member, renter or vendor.$$;
comment on column public.workspace_invitations.email is $$The address that the token was sent to.$$;
comment on column public.workspace_invitations.role is $$The role a member will hold; empty for the other kinds.$$;
comment on column public.workspace_invitations.tenant_id is $$The renter whom the account will be tied to.$$;
comment on column public.workspace_invitations.vendor_id is $$The vendor whom the account will be tied to.$$;
comment on column public.workspace_invitations.invited_by is $$Who invited.$$;
comment on column public.workspace_invitations.expires_at is $$From then on the token is refused.$$;
comment on column public.workspace_invitations.accepted_at is $$When it was accepted; empty while it is open.$$;
comment on column public.workspace_invitations.accepted_by is $$The account that accepted it.$$;
comment on column public.workspace_invitations.created_at is $$When the row was made.$$;

-- Apart from the invitations, so that `select=*` on those needs no column left out.
create table private.invitation_tokens (
    digest bytea primary key,
    invitation_id uuid not null unique references public.workspace_invitations (id) on delete cascade
);

comment on table private.invitation_tokens is $$SHA-256 digests of the tokens that went out in mails.$$;

-- Properties and their units.

create table public.properties (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    name text not null check (length(name) <= 120 and btrim(name) <> ''),
    property_type text not null default 'single_family' check (
        property_type in (
            'single_family', 'multi_family', 'apartment', 'condo', 'townhouse', 'manufactured', 'commercial', 'other'
        )
    ),
    status text not null default 'active' check (status in ('active', 'inactive')),
    address_line1 text not null check (length(address_line1) <= 200 and btrim(address_line1) <> ''),
    address_line2 text check (length(address_line2) <= 200),
    city text not null check (length(city) <= 120 and btrim(city) <> ''),
    state text check (length(state) between 1 and 60),
    postal_code text check (length(postal_code) between 1 and 20),
    country text not null default 'US' check (country ~ '^[A-Z]{2}$'),
    latitude double precision check (latitude between -90 and 90),
    longitude double precision check (longitude between -180 and 180),
    place_id text check (length(place_id) between 1 and 300),
    address_status text not null default 'unverified' check (
        address_status in ('verified', 'corrected', 'unverified')
    ),
    timezone text not null check (private.is_timezone(timezone)),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    manager_id uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    foreign key (workspace_id, manager_id) references public.workspace_members (workspace_id, user_id)
        on delete set null (manager_id),
    constraint coordinates_come_in_pairs check ((latitude is null) = (longitude is null))
);

create unique index properties_name_key on public.properties (workspace_id, lower(name));
create index properties_manager_id_idx on public.properties (workspace_id, manager_id);
create index properties_status_idx on public.properties (workspace_id, status);
create index properties_city_idx on public.properties (workspace_id, state, city);

-- A property that names neither takes its workspace's time zone and currency. Runs as the caller.
create function private.default_property()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if new.timezone is null or new.currency is null then
        select coalesce(new.timezone, w.timezone), coalesce(new.currency, w.currency)
        into new.timezone, new.currency
        from public.workspaces as w
        where w.id = new.workspace_id;
    end if;
    return new;
end
$$;

create trigger default_property before insert on public.properties
    for each row execute function private.default_property();

create trigger touch_updated_at before update on public.properties
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.properties
    for each statement execute function private.refuse_truncate();

comment on table public.properties is $$Houses and buildings, each at one address.

Deleting a property deletes its units and draft leases. One with a lease that has begun cannot be deleted: set its status
to inactive instead.$$;
comment on column public.properties.id is $$Identifies the property.$$;
comment on column public.properties.workspace_id is $$The workspace that manages it.$$;
comment on column public.properties.name is $$What people call it; unique in the workspace, case-insensitively. The rent-roll import finds it by this.$$;
comment on column public.properties.property_type is
    $$single_family, multi_family, apartment, condo, townhouse, manufactured, commercial or other.$$;
comment on column public.properties.status is $$active or inactive.$$;
comment on column public.properties.address_line1 is $$Street address as a person confirmed it.$$;
comment on column public.properties.address_line2 is $$Building, floor or suite.$$;
comment on column public.properties.city is $$City or town.$$;
comment on column public.properties.state is $$State, province or region; in the United States the two-letter code.$$;
comment on column public.properties.postal_code is $$Postal code as text: leading zeros count.$$;
comment on column public.properties.country is $$ISO 3166-1 alpha-2 code.$$;
comment on column public.properties.latitude is $$WGS 84, degrees north, as confirmed by a person.$$;
comment on column public.properties.longitude is $$WGS 84, degrees east, as confirmed by a person.$$;
comment on column public.properties.place_id is $$The Google Places id, where the address was chosen from its suggestions.$$;
comment on column public.properties.address_status is
    $$verified (a service knows the address), corrected (a person accepted its correction) or unverified (as typed).$$;
comment on column public.properties.timezone is
    $$IANA name; what is due, late or expired here is decided on this zone's date. Defaults to the workspace's.$$;
comment on column public.properties.currency is $$ISO 4217 code of its money. Defaults to the workspace's.$$;
comment on column public.properties.manager_id is $$The member who looks after it and gets its notices; empty: the owners do.$$;
comment on column public.properties.created_at is $$When the row was made.$$;
comment on column public.properties.updated_at is $$When the row last changed.$$;

create table public.units (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    property_id uuid not null,
    unit_number text not null check (length(unit_number) <= 40 and btrim(unit_number) <> ''),
    status text not null default 'active' check (status in ('active', 'off_market', 'retired')),
    bedrooms numeric(4, 1) check (bedrooms between 0 and 999.9),
    bathrooms numeric(4, 1) check (bathrooms between 0 and 999.9),
    area_sqft integer check (area_sqft > 0),
    market_rent_minor bigint check (market_rent_minor between 0 and 9007199254740991),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    -- So that a lease's unit is one of the lease's property.
    unique (workspace_id, property_id, id),
    foreign key (workspace_id, property_id) references public.properties (workspace_id, id) on delete cascade
);

create unique index units_unit_number_key on public.units (workspace_id, property_id, lower(unit_number));
create index units_status_idx on public.units (workspace_id, status);

create trigger touch_updated_at before update on public.units
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.units
    for each statement execute function private.refuse_truncate();

comment on table public.units is $$A rentable part of a property.

A single-family house has one unit. Deleting a property deletes its units.$$;
comment on column public.units.id is $$Identifies the unit.$$;
comment on column public.units.workspace_id is $$The workspace that manages it.$$;
comment on column public.units.property_id is $$The property it is part of.$$;
comment on column public.units.unit_number is $$As it stands on the door; unique in the property, case-insensitively.$$;
comment on column public.units.status is
    $$active (let or to let), off_market (under repair, kept back) or retired. Whether it is let follows from its leases.$$;
comment on column public.units.bedrooms is $$Bedrooms; 0 for a studio.$$;
comment on column public.units.bathrooms is $$Bathrooms, halves allowed.$$;
comment on column public.units.area_sqft is $$Floor area in square feet.$$;
comment on column public.units.market_rent_minor is
    $$Monthly rent asked for, in minor units (cents) of the property's currency.$$;
comment on column public.units.created_at is $$When the row was made.$$;
comment on column public.units.updated_at is $$When the row last changed.$$;

-- Leases: the contract, the rent it sets, who holds which unit and when, and who signed.

create table public.leases (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    property_id uuid not null,
    lease_number text not null check (length(lease_number) <= 60 and btrim(lease_number) <> ''),
    status text not null default 'draft' check (status in ('draft', 'active', 'ended')),
    starts_on date not null check (starts_on between '1900-01-01' and '2200-01-01'),
    ends_on date check (ends_on < '2200-01-01'),
    term daterange not null generated always as (daterange(starts_on, ends_on, '[]')) stored,
    notice_days integer not null default 30 check (notice_days between 0 and 400),
    notice_deadline_on date generated always as (ends_on - notice_days) stored,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    deposit_minor bigint not null default 0 check (deposit_minor between 0 and 9007199254740991),
    activated_at timestamptz,
    ended_on date,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    unique (workspace_id, property_id, id),
    foreign key (workspace_id, property_id) references public.properties (workspace_id, id) on delete cascade,
    constraint a_term_has_a_day check (ends_on >= starts_on),
    constraint ended_leases_have_a_date check ((status = 'ended') = (ended_on is not null)),
    constraint begun_leases_were_activated check ((status = 'draft') = (activated_at is null))
);

create unique index leases_lease_number_key on public.leases (workspace_id, lower(lease_number));
create index leases_status_idx on public.leases (workspace_id, status, ends_on);
create index leases_ends_on_idx on public.leases (workspace_id, ends_on);
create index leases_created_at_idx on public.leases (workspace_id, created_at desc);

comment on table public.leases is $$Contracts that let one or more units of a property.

A lease starts as a draft. `rpc/activate_lease` makes it binding: from then on its units are held and its dates fixed.
`rpc/end_lease` records the day on which the renters moved out. What the rent is stands in lease_terms, who holds which
unit in lease_units, who signed in lease_tenants.$$;
comment on column public.leases.id is $$Identifies the lease.$$;
comment on column public.leases.workspace_id is $$The workspace that manages it.$$;
comment on column public.leases.property_id is $$The property whose units it lets.$$;
comment on column public.leases.lease_number is $$As it stands on the paper; unique in the workspace, case-insensitively.$$;
comment on column public.leases.status is $$draft, active or ended. Changed by RPCs only; each change is kept in lease_status_changes.$$;
comment on column public.leases.starts_on is $$First day of the term.$$;
comment on column public.leases.ends_on is $$Last day of the term, as the paper says it; empty: it runs until somebody ends it.$$;
comment on column public.leases.term is $$The term as a half-open range: the day after the last day is its upper bound.$$;
comment on column public.leases.notice_days is $$How many days before the last day either side must have given notice.$$;
comment on column public.leases.notice_deadline_on is $$Last day on which notice can be given: ends_on less notice_days.$$;
comment on column public.leases.currency is $$ISO 4217 code of its money. Defaults to the property's.$$;
comment on column public.leases.deposit_minor is $$Deposit agreed on, in minor units (cents).$$;
comment on column public.leases.activated_at is $$When it became binding; empty for a draft.$$;
comment on column public.leases.ended_on is $$Last day on which the renters had the unit; empty until the lease has ended.$$;
comment on column public.leases.created_at is $$When the row was made.$$;
comment on column public.leases.updated_at is $$When the row last changed.$$;

create table public.lease_units (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    property_id uuid not null,
    lease_id uuid not null,
    unit_id uuid not null,
    possession daterange not null,
    binding boolean not null default false,
    recorded_at timestamptz not null default clock_timestamp(),
    superseded_at timestamptz,
    unique (workspace_id, id),
    foreign key (workspace_id, property_id, lease_id)
    references public.leases (workspace_id, property_id, id) on delete cascade,
    foreign key (workspace_id, property_id, unit_id)
    references public.units (workspace_id, property_id, id) on delete cascade,
    constraint possession_has_a_first_day check (
        not isempty(possession) and not lower_inf(possession) and lower_inc(possession)
    ),
    constraint possession_is_of_our_times check (
        lower(possession) >= '1900-01-01' and (upper_inf(possession) or upper(possession) <= '2200-01-01')
    ),
    constraint superseded_after_recorded check (superseded_at >= recorded_at),
    -- Two leases cannot hold a unit on the same day. Drafts may plan what they like.
    constraint one_lease_holds_a_unit exclude using gist (
        workspace_id with =, unit_id with =, possession with &&
    ) where (binding and superseded_at is null)
);

create unique index lease_units_unit_key on public.lease_units (workspace_id, lease_id, unit_id)
    where superseded_at is null;
create index lease_units_lease_id_idx on public.lease_units (workspace_id, lease_id);
create index lease_units_unit_id_idx on public.lease_units (workspace_id, unit_id);

comment on table public.lease_units is $$Which lease holds which unit, and from when until when.

What counts is possession, not the paper's term: two binding rows of a unit cannot overlap. A lease of the whole property has
a row for each unit. A row that became binding is never changed: a correction supersedes it by another, so that what was
known on any day can be told.$$;
comment on column public.lease_units.id is $$Identifies the row.$$;
comment on column public.lease_units.workspace_id is $$The workspace that manages it.$$;
comment on column public.lease_units.property_id is $$The property of both the lease and the unit.$$;
comment on column public.lease_units.lease_id is $$The lease.$$;
comment on column public.lease_units.unit_id is $$The unit it holds.$$;
comment on column public.lease_units.possession is
    $$Half-open range of days; no upper bound: until the lease ends. Defaults to the lease's term.$$;
comment on column public.lease_units.binding is $$False while the lease is a draft.$$;
comment on column public.lease_units.recorded_at is $$When the database learned of it.$$;
comment on column public.lease_units.superseded_at is $$When another row took its place; empty: it holds.$$;

create table public.lease_tenants (
    workspace_id uuid not null,
    lease_id uuid not null,
    tenant_id uuid not null,
    role text not null default 'co_tenant' check (role in ('primary', 'co_tenant', 'guarantor', 'occupant')),
    share numeric(7, 4) check (share > 0 and share <= 100),
    created_at timestamptz not null default now(),
    -- PostgREST embeds tenants in leases, and the other way round, through a key that holds both.
    primary key (workspace_id, lease_id, tenant_id),
    foreign key (workspace_id, lease_id) references public.leases (workspace_id, id) on delete cascade,
    foreign key (workspace_id, tenant_id) references public.tenants (workspace_id, id) on delete cascade
);

create unique index lease_tenants_primary_key on public.lease_tenants (workspace_id, lease_id) where role = 'primary';
create index lease_tenants_tenant_id_idx on public.lease_tenants (workspace_id, tenant_id);

comment on table public.lease_tenants is $$Who is on a lease, and as what.$$;
comment on column public.lease_tenants.workspace_id is $$The workspace that manages it.$$;
comment on column public.lease_tenants.lease_id is $$The lease.$$;
comment on column public.lease_tenants.tenant_id is $$The renter. One who is on a lease cannot be deleted.$$;
comment on column public.lease_tenants.role is $$primary (one a lease), co_tenant, guarantor or occupant. An occupant sees nothing of the lease in the portal.$$;
comment on column public.lease_tenants.share is $$Share of the rent in percent; empty: jointly.$$;
comment on column public.lease_tenants.created_at is $$When the row was made.$$;

create table public.lease_terms (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    lease_id uuid not null,
    effective_on date not null check (effective_on between '1900-01-01' and '2200-01-01'),
    rent_minor bigint not null check (rent_minor between 0 and 9007199254740991),
    due_day integer not null default 1 check (due_day between 1 and 31),
    recorded_at timestamptz not null default clock_timestamp(),
    superseded_at timestamptz,
    unique (workspace_id, id),
    foreign key (workspace_id, lease_id) references public.leases (workspace_id, id) on delete cascade,
    constraint superseded_after_recorded check (superseded_at >= recorded_at)
);

create unique index lease_terms_effective_on_key on public.lease_terms (workspace_id, lease_id, effective_on)
    where superseded_at is null;
create index lease_terms_lease_id_idx on public.lease_terms (workspace_id, lease_id);

comment on table public.lease_terms is $$What a lease costs, from which day on.

A change of rent is a new row. A second row for the same day supersedes the first, which stays readable.$$;
comment on column public.lease_terms.id is $$Identifies the row.$$;
comment on column public.lease_terms.workspace_id is $$The workspace that manages it.$$;
comment on column public.lease_terms.lease_id is $$The lease.$$;
comment on column public.lease_terms.effective_on is $$First day on which it applies.$$;
comment on column public.lease_terms.rent_minor is $$Rent a month, in minor units (cents) of the lease's currency.$$;
comment on column public.lease_terms.due_day is
    $$Day of the month on which rent is due, 1 to 31; a shorter month's last day stands in for a day that it lacks.$$;
comment on column public.lease_terms.recorded_at is $$When the database learned of it.$$;
comment on column public.lease_terms.superseded_at is $$When another row took its place; empty: it holds.$$;

create table public.lease_status_changes (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    lease_id uuid not null,
    from_status text,
    to_status text not null,
    effective_on date not null,
    changed_by uuid references auth.users (id) on delete set null,
    recorded_at timestamptz not null default clock_timestamp(),
    unique (workspace_id, id),
    foreign key (workspace_id, lease_id) references public.leases (workspace_id, id) on delete cascade
);

create index lease_status_changes_lease_id_idx on public.lease_status_changes (workspace_id, lease_id, recorded_at);
create index lease_status_changes_changed_by_idx on public.lease_status_changes (changed_by)
    where changed_by is not null;

comment on table public.lease_status_changes is $$Every status a lease has had. Written by the database alone.$$;
comment on column public.lease_status_changes.id is $$Identifies the row.$$;
comment on column public.lease_status_changes.workspace_id is $$The workspace that manages the lease.$$;
comment on column public.lease_status_changes.lease_id is $$The lease.$$;
comment on column public.lease_status_changes.from_status is $$Status before; empty for the first.$$;
comment on column public.lease_status_changes.to_status is $$Status after.$$;
comment on column public.lease_status_changes.effective_on is $$The property's date from which it counts.$$;
comment on column public.lease_status_changes.changed_by is $$Who did it; empty for the system or a deleted account.$$;
comment on column public.lease_status_changes.recorded_at is $$When the database learned of it.$$;

-- What the tables of leases defend by themselves, whoever writes: drafts are free, what has begun is fixed.

-- The day it is at the property.
create function private.local_date(p_timezone text, p_now timestamptz)
    returns date
    immutable
    strict
    parallel safe
    set search_path = ''
    language sql
as $$
    select (p_now at time zone p_timezone)::date
$$;

-- A lease that names no currency takes its property's. Runs as the caller: what they may not see defaults to nothing.
create function private.default_lease()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if new.currency is null then
        select p.currency into new.currency
        from public.properties as p
        where p.workspace_id = new.workspace_id and p.id = new.property_id;
    end if;
    return new;
end
$$;

create trigger default_lease before insert on public.leases
    for each row execute function private.default_lease();

-- A lease that has begun keeps its dates, its money and itself.
create function private.guard_lease()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if old.status = 'draft' then
        return coalesce(new, old);
    end if;
    if tg_op = 'DELETE' then
        perform private.fail(
            409, 'lease_has_begun', format('Lease %s has begun and cannot be deleted.', old.lease_number),
            p_hint := 'End it with rpc/end_lease; set its property or unit to inactive instead of deleting them.'
        );
    end if;
    if (new.starts_on, new.property_id, new.workspace_id, new.currency, new.deposit_minor, new.notice_days)
        is distinct from
        (old.starts_on, old.property_id, old.workspace_id, old.currency, old.deposit_minor, old.notice_days)
        or new.ends_on is distinct from old.ends_on
    then
        perform private.fail(
            409, 'lease_not_draft', format('Lease %s has begun: its dates and its money are fixed.', old.lease_number),
            p_hint := 'Record a change of rent as a new row of lease_terms.'
        );
    end if;
    return new;
end
$$;

create trigger guard_lease before update or delete on public.leases
    for each row execute function private.guard_lease();

create trigger touch_updated_at before update on public.leases
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.leases
    for each statement execute function private.refuse_truncate();

-- Units planned for a draft's whole term follow when its dates move; other days that somebody chose stay.
create function private.move_planned_units()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    update public.lease_units
    set possession = new.term
    where
        workspace_id = new.workspace_id
        and lease_id = new.id
        and possession = old.term
        and not binding
        and superseded_at is null;
    return null;
end
$$;

create trigger move_planned_units after update of starts_on, ends_on on public.leases
    for each row when (new.term <> old.term) execute function private.move_planned_units();

-- Keeps the history of statuses. The effective day is the property's, or the day on which the lease ended.
create function private.record_lease_status()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        insert into public.lease_status_changes (workspace_id, lease_id, to_status, effective_on, changed_by)
        select l.workspace_id, l.id, l.status, private.lease_status_day(l, p.timezone), u.id
        from touched as l
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        left join auth.users as u on u.id = (select auth.uid());
    else
        insert into public.lease_status_changes
            (workspace_id, lease_id, from_status, to_status, effective_on, changed_by)
        select l.workspace_id, l.id, was.status, l.status, private.lease_status_day(l, p.timezone), u.id
        from touched as l
        join before as was on was.workspace_id = l.workspace_id and was.id = l.id and was.status <> l.status
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        left join auth.users as u on u.id = (select auth.uid());
    end if;
    return null;
end
$$;

-- The day on which a lease is as it now is: its last, its first, or else today where the property stands.
create function private.lease_status_day(p_lease public.leases, p_timezone text)
    returns date
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    return coalesce(
        p_lease.ended_on,
        case p_lease.status when 'active' then p_lease.starts_on end,
        private.local_date(p_timezone, now())
    );
end
$$;

create trigger record_lease_status_on_insert after insert on public.leases
    referencing new table as touched
    for each statement execute function private.record_lease_status();

create trigger record_lease_status_on_update after update on public.leases
    referencing old table as before new table as touched
    for each statement execute function private.record_lease_status();

-- Units of a draft come and go; a binding row is only ever superseded. Runs as the caller.
create function private.guard_lease_unit()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        -- Asked only where it must be: not everybody who is refused this row has a grant to ask.
        if new.possession is null then
            select l.term into new.possession
            from public.leases as l
            where l.workspace_id = new.workspace_id and l.id = new.lease_id;
        end if;
        return new;
    end if;
    if not old.binding then
        return coalesce(new, old);
    end if;
    if tg_op = 'DELETE' then
        perform private.fail(
            409, 'lease_has_begun', 'A lease that has begun holds this unit.',
            p_hint := 'End it with rpc/end_lease; set the unit to retired instead of deleting it.'
        );
    end if;
    if new.superseded_at is null or old.superseded_at is not null
        or to_jsonb(new) - 'superseded_at' is distinct from to_jsonb(old) - 'superseded_at'
    then
        perform private.fail(409, 'lease_unit_is_binding', 'A binding row is superseded, never changed.');
    end if;
    return new;
end
$$;

-- A plan belongs to a draft. After row security has let the row in, so that a refusal tells no stranger anything.
create function private.plan_for_drafts_only()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases;
begin
    -- Waits for an activation under way, then sees what it made of the lease.
    select * into v_lease
    from public.leases
    where workspace_id = new.workspace_id and id = new.lease_id
    for share;
    if not new.binding and v_lease.status <> 'draft' then
        perform private.fail(
            409, 'lease_not_draft', format('Lease %s has begun: its units are fixed.', v_lease.lease_number)
        );
    end if;
    return null;
end
$$;

-- The lease, held as it is until the transaction ends; null: it is being deleted itself. For triggers of rows that belong to
-- it, so it does not wait: whoever has the lease, an activation or an import, may be waiting for that very row.
create function private.hold_lease(p_workspace_id uuid, p_lease_id uuid)
    returns public.leases
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases;
begin
    select * into v_lease
    from public.leases
    where workspace_id = p_workspace_id and id = p_lease_id
    for share skip locked;
    if not found and exists (
        select from public.leases as l where l.workspace_id = p_workspace_id and l.id = p_lease_id
    ) then
        perform private.fail(
            409, 'lease_busy', 'Somebody else is changing this lease right now.', p_hint := 'Try again.'
        );
    end if;
    return v_lease;
end
$$;

-- Units and rents are taken from drafts only, and not from one that is being activated: it would begin without the unit or
-- the rent that activate_lease() has just seen.
create function private.take_from_drafts_only()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases := private.hold_lease(old.workspace_id, old.lease_id);
begin
    if v_lease.status <> 'draft' then
        perform private.fail(
            409, 'lease_has_begun', format('Lease %s has begun: nothing is taken from it.', v_lease.lease_number),
            p_hint := 'End it with rpc/end_lease; for another rent add a row of lease_terms.'
        );
    end if;
    return null;
end
$$;

create trigger guard_lease_unit before insert or update or delete on public.lease_units
    for each row execute function private.guard_lease_unit();

create trigger plan_for_drafts_only after insert or update on public.lease_units
    for each row execute function private.plan_for_drafts_only();

create trigger take_from_drafts_only after delete on public.lease_units
    for each row execute function private.take_from_drafts_only();

create trigger refuse_truncate before truncate on public.lease_units
    for each statement execute function private.refuse_truncate();

-- A rent is superseded by the next for the same day.
-- By index even while the table is small: a plan made then would be kept while an import fills it.
create function private.guard_lease_term()
    returns trigger
    volatile
    security definer
    set search_path = ''
    set enable_seqscan = off
    language plpgsql
as $$
begin
    -- Row security is asked after this trigger: a stranger's row must not touch anything before it is refused.
    if new.superseded_at is null and (
        (select auth.uid()) is null
        or new.workspace_id = any (array(select private.workspaces_with('leases.write')))
    ) then
        update public.lease_terms
        set superseded_at = greatest(clock_timestamp(), recorded_at)
        where
            workspace_id = new.workspace_id
            and lease_id = new.lease_id
            and effective_on = new.effective_on
            and superseded_at is null;
    end if;
    return new;
end
$$;

create trigger guard_lease_term before insert on public.lease_terms
    for each row execute function private.guard_lease_term();

create trigger take_from_drafts_only after delete on public.lease_terms
    for each row execute function private.take_from_drafts_only();

create trigger refuse_truncate before truncate on public.lease_terms
    for each statement execute function private.refuse_truncate();

-- Who signed stays on the lease as what they signed for; occupants, who did not, come and go. How renters share the rent
-- among themselves stays theirs to change.
create function private.guard_lease_tenant()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases;
begin
    if tg_op = 'UPDATE' and new.role = old.role or tg_op = 'DELETE' and old.role = 'occupant' then
        return null;
    end if;
    v_lease := private.hold_lease(old.workspace_id, old.lease_id);
    if v_lease.status <> 'draft' then
        perform private.fail(
            409, 'lease_not_draft', format('Lease %s has begun: its parties are fixed.', v_lease.lease_number),
            p_hint := 'Occupants can still be added and taken off.'
        );
    end if;
    return null;
end
$$;

create trigger guard_lease_tenant after update or delete on public.lease_tenants
    for each row execute function private.guard_lease_tenant();

create trigger refuse_truncate before truncate on public.lease_tenants
    for each statement execute function private.refuse_truncate();

create trigger refuse_truncate before truncate on public.lease_status_changes
    for each statement execute function private.refuse_truncate();

-- A renter who is on a lease stays on record. Not the foreign key's work: it would keep a workspace from being deleted.
create function private.guard_tenant()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if exists (
        select from public.lease_tenants as lt
        where lt.workspace_id = old.workspace_id and lt.tenant_id = old.id
    ) and exists (select from public.workspaces as w where w.id = old.workspace_id) then
        perform private.fail(
            409, 'tenant_on_lease', 'A renter who is on a lease cannot be deleted.',
            p_hint := 'Take them off their draft leases first, or set their status to former.'
        );
    end if;
    return old;
end
$$;

create trigger guard_tenant before delete on public.tenants
    for each row execute function private.guard_tenant();

-- What is a signed-in renter's or vendor's own. A guarantor is a party to the lease; an occupant is not.

-- Workspaces that keep a renter's or a vendor's record tied to the caller.
create function private.my_portal_workspaces()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_user_id uuid := auth.uid();
begin
    return query
    select t.workspace_id from public.tenants as t where t.user_id = v_user_id
    union all
    select v.workspace_id from public.vendors as v where v.user_id = v_user_id;
end
$$;

-- Whether the caller is anybody's renter or vendor.
create function private.has_portal()
    returns boolean
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_user_id uuid := auth.uid();
begin
    return exists (select from public.tenants as t where t.user_id = v_user_id)
        or exists (select from public.vendors as v where v.user_id = v_user_id);
end
$$;

-- Workspaces that have anything to show to the caller: to one who holds the permission, or to a renter or vendor.
--
-- Policies for members and renters begin with it, as `= any (array(select …))`: an index led by workspace_id serves that, and
-- its order too. What else they ask no index serves, on purpose: an `or` of two conditions that one does is planned by
-- itself, row by row and sorted. For a caller without a portal all that is in reach is theirs to see as a member.
create function private.workspaces_in_reach(p_permission text)
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select private.workspaces_with(p_permission)
    union all
    select private.my_portal_workspaces();
end
$$;

-- Leases that the caller is a party to. A draft is the manager's business until it binds.
create function private.my_lease_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_user_id uuid := auth.uid();
begin
    return query
    select l.id
    from public.tenants as t
    join public.lease_tenants as lt on lt.workspace_id = t.workspace_id and lt.tenant_id = t.id
    join public.leases as l on l.workspace_id = lt.workspace_id and l.id = lt.lease_id
    where
        t.user_id = v_user_id
        and lt.role <> 'occupant'
        and l.status <> 'draft';
end
$$;

-- Units that a lease of the caller's holds or held.
create function private.my_unit_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select lu.unit_id
    from public.leases as l
    join public.lease_units as lu
        on lu.workspace_id = l.workspace_id and lu.property_id = l.property_id and lu.lease_id = l.id
    where
        l.id = any (array(select private.my_lease_ids()))
        and lu.binding
        and lu.superseded_at is null;
end
$$;

-- Properties of those leases.
create function private.my_property_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select l.property_id
    from public.leases as l
    where l.id = any (array(select private.my_lease_ids()));
end
$$;

grant execute on function private.my_portal_workspaces() to authenticated;
grant execute on function private.has_portal() to authenticated;
grant execute on function private.workspaces_in_reach(text) to authenticated;
grant execute on function private.my_lease_ids() to authenticated;
grant execute on function private.my_unit_ids() to authenticated;
grant execute on function private.my_property_ids() to authenticated;

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
    -- Locked in id order: two activations that race for the same units queue up instead of deadlocking.
    select array_agg(locked.id) into v_unit_ids
    from (
        select u.id
        from public.units as u
        where u.workspace_id = v_lease.workspace_id and u.id in (
            select lu.unit_id
            from public.lease_units as lu
            where lu.workspace_id = v_lease.workspace_id and lu.lease_id = v_lease.id and lu.superseded_at is null
        )
        order by u.id
        for no key update
    ) as locked;
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
    set status = 'active', activated_at = p_now
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
    v_today date;
    v_unit_ids uuid[];
begin
    if v_lease.status <> 'active' then
        perform private.fail(
            409, 'lease_not_active', format('Lease %s is %s, not active.', v_lease.lease_number, v_lease.status)
        );
    end if;
    select private.local_date(p.timezone, p_now) into v_today
    from public.properties as p
    where p.workspace_id = v_lease.workspace_id and p.id = v_lease.property_id;
    if p_ended_on is null or p_ended_on < v_lease.starts_on or p_ended_on > v_today then
        perform private.fail(
            422, 'end_out_of_range',
            format('ended_on must lie between the lease''s first day, %s, and today, %s.', v_lease.starts_on, v_today),
            p_hint := 'Give the last day on which the renters had the unit; record it once they have moved out.'
        );
    end if;
    select array_agg(locked.id) into v_unit_ids
    from (
        select u.id
        from public.units as u
        where u.workspace_id = v_lease.workspace_id and u.id in (
            select lu.unit_id
            from public.lease_units as lu
            where lu.workspace_id = v_lease.workspace_id and lu.lease_id = v_lease.id and lu.superseded_at is null
        )
        order by u.id
        for no key update
    ) as locked;
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

Its units are held from then on, and its dates and money fixed. Needs `leases.write`, a unit, a primary renter and a rent
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

-- The outbox: what Freehold tells people. A message is written and queued in the transaction that has cause for it.

create table private.queues (
    name text primary key check (name ~ '^[a-z_]{1,40}$'),
    dead_letter text not null,
    max_attempts integer not null check (max_attempts > 0),
    backoff_base interval not null,
    backoff_cap interval not null
);

comment on table private.queues is $$Queues whose items are messages, and how often each is tried. Reference data, written by migrations.$$;

create table public.messages (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    channel text not null default 'email' check (channel in ('email')),
    template text not null check (template in ('lease_expiry', 'invitation')),
    to_address text not null,
    to_name text,
    payload jsonb not null default '{}',
    dedupe_key text not null check (length(dedupe_key) between 1 and 300),
    status text not null default 'queued' check (status in ('queued', 'sending', 'sent', 'unknown', 'failed')),
    attempts integer not null default 0,
    fence integer,
    last_error text,
    has_secret boolean not null default false,
    request_id text,
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    unknown_at timestamptz,
    failed_at timestamptz,
    unique (workspace_id, id),
    unique (workspace_id, dedupe_key),
    constraint sent_messages_have_a_time check (status <> 'sent' or sent_at is not null)
)
-- A status is written twice in a message's life: leave room on the page, and no index on what changes.
with (fillfactor = 70);

create index messages_created_at_idx on public.messages (workspace_id, created_at desc);
create index messages_unknown_idx on public.messages (workspace_id, unknown_at) where unknown_at is not null;
create index messages_failed_idx on public.messages (workspace_id, failed_at) where failed_at is not null;

create trigger refuse_truncate before truncate on public.messages
    for each statement execute function private.refuse_truncate();

comment on table public.messages is $$Mails to people, and what became of them.

Written by the database alone, once for each dedupe_key. `unknown` means that a mail may or may not have gone out, because
its sender died or lost the answer: such a mail is not sent again by itself; settle it with `rpc/resolve_message`.$$;
comment on column public.messages.id is $$Identifies the message; the mail's Message-ID carries it.$$;
comment on column public.messages.workspace_id is $$The workspace that speaks.$$;
comment on column public.messages.channel is $$email.$$;
comment on column public.messages.template is $$lease_expiry or invitation.$$;
comment on column public.messages.to_address is $$Where it goes.$$;
comment on column public.messages.to_name is $$Whom it greets.$$;
comment on column public.messages.payload is $$What the template is filled with; secrets are kept elsewhere.$$;
comment on column public.messages.dedupe_key is $$Names the notice: a workspace never queues the same one twice.$$;
comment on column public.messages.status is
    $$queued, sending, sent (the server took it), unknown (perhaps sent) or failed (given up, or refused for good).$$;
comment on column public.messages.attempts is $$How often sending was begun.$$;
comment on column public.messages.fence is $$The claim under which sending was begun last.$$;
comment on column public.messages.last_error is $$What the last failed try said.$$;
comment on column public.messages.has_secret is $$Whether it carries a one-time token, which is erased once the mail is out.$$;
comment on column public.messages.request_id is $$The request that caused it.$$;
comment on column public.messages.created_at is $$When it was queued.$$;
comment on column public.messages.sent_at is $$When the mail server took it.$$;
comment on column public.messages.unknown_at is $$When its outcome became unknown.$$;
comment on column public.messages.failed_at is $$When it was given up.$$;

create table private.message_secrets (
    message_id uuid primary key references public.messages (id) on delete cascade,
    payload jsonb not null
);

comment on table private.message_secrets is $$One-time tokens on their way into a mail; erased once it is out.$$;

-- Writes a message and queues it, in the caller's transaction. A notice that was queued before changes nothing.
create function private.queue_message(
    p_workspace_id uuid,
    p_template text,
    p_to_address text,
    p_to_name text,
    p_payload jsonb,
    p_dedupe_key text,
    p_secret jsonb default null
)
    returns uuid
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_id uuid;
begin
    insert into public.messages
        (workspace_id, template, to_address, to_name, payload, dedupe_key, has_secret, request_id)
    values
        (p_workspace_id, p_template, p_to_address, p_to_name, p_payload, p_dedupe_key, p_secret is not null,
            private.request_id())
    on conflict (workspace_id, dedupe_key) do nothing
    returning id into v_id;
    if v_id is null then
        return null;
    end if;
    if p_secret is not null then
        insert into private.message_secrets (message_id, payload) values (v_id, p_secret);
    end if;
    perform pgmq.send('email', jsonb_build_object('message_id', v_id));
    return v_id;
end
$$;

create function private.resolve_message(p_message_id uuid, p_outcome text)
    returns public.messages
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_message public.messages;
begin
    select * into v_message
    from public.messages
    where id = p_message_id and workspace_id = any (array(select private.my_workspaces()))
    for update;
    if not found then
        perform private.fail(
            404, 'message_not_found', 'There is no such message, or it is not yours to see.',
            p_hint := 'List the messages you can see: GET /messages.'
        );
    end if;
    perform private.require_permission(v_message.workspace_id, 'messages.write');
    if p_outcome is null or p_outcome not in ('sent', 'resend') then
        perform private.fail(
            422, 'outcome_unknown', format('There is no outcome %L.', p_outcome), p_hint := 'Use sent or resend.'
        );
    end if;
    if v_message.status <> 'unknown' and not (v_message.status = 'failed' and p_outcome = 'resend') then
        perform private.fail(
            409, 'message_settled', format('The message is %s: there is nothing to resolve.', v_message.status)
        );
    end if;
    if p_outcome = 'sent' then
        update public.messages
        set status = 'sent', sent_at = now(), unknown_at = null
        where id = v_message.id
        returning * into v_message;
        delete from private.message_secrets where message_id = v_message.id;
        return v_message;
    end if;
    if v_message.has_secret and not exists (select from private.message_secrets where message_id = v_message.id) then
        perform private.fail(
            409, 'message_secret_gone', 'The token that this mail carried is gone.',
            p_hint := 'Make a fresh one: invite again.'
        );
    end if;
    update public.messages
    set status = 'queued', attempts = 0, unknown_at = null, failed_at = null
    where id = v_message.id
    returning * into v_message;
    perform pgmq.send('email', jsonb_build_object('message_id', v_message.id));
    return v_message;
end
$$;

grant execute on function private.resolve_message(uuid, text) to authenticated;

create function public.resolve_message(message_id uuid, outcome text)
    returns public.messages
    volatile
    set search_path = ''
    language sql
as $$
    select private.resolve_message(message_id, outcome)
$$;

comment on function public.resolve_message(uuid, text) is $$Settles a message whose outcome is unknown

`outcome` is sent (it arrived: asked the recipient, saw the server's log) or resend (queue it once more; a failed message
too). Needs `messages.write`. 409 `message_settled` if there is nothing to settle. Answers the message.$$;

grant execute on function public.resolve_message(uuid, text) to authenticated;

-- What pgmq leaves to the consumer: leases with fencing, retry with full jitter, a dead-letter queue. For role `worker`.
--
-- A claim is a pgmq lease, and its read_ct the fencing token: whoever holds an older one changes nothing any more.
-- Each call may be repeated when its answer was lost.

-- The queue's settings; refuses a name that is not one of ours.
create function private.queue_named(p_queue text)
    returns private.queues
    stable
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues;
begin
    select * into v_queue from private.queues where name = p_queue;
    if not found then
        perform private.fail(404, 'queue_not_found', format('There is no queue %L.', p_queue));
    end if;
    return v_queue;
end
$$;

-- Items that a claim has just met and that must not be sent: deleted, settled, or begun by a sender who is gone.
create function private.settle_abandoned(p_queue text, p_msg_ids bigint[], p_message_ids uuid[])
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    update public.messages
    set
        status = 'unknown',
        unknown_at = clock_timestamp(),
        last_error = 'Its sender died, or lost its claim, while sending.'
    where id = any (p_message_ids) and status = 'sending';
    perform pgmq.delete(p_queue, p_msg_ids);
end
$$;

create function worker.claim_messages(p_queue text, p_limit integer default 100, p_lease_seconds integer default 30)
    returns json
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named(p_queue);
    v_msg_ids bigint[];
    v_read_cts integer[];
    v_message_ids uuid[];
    v_claims json;
    v_abandoned_msg_ids bigint[];
    v_abandoned_ids uuid[];
begin
    -- Into arrays first: the planner expects a thousand rows of pgmq.read, and would read all messages to join as many.
    select array_agg(r.msg_id), array_agg(r.read_ct), array_agg((r.message ->> 'message_id')::uuid)
    into v_msg_ids, v_read_cts, v_message_ids
    from pgmq.read(v_queue.name, p_lease_seconds, p_limit) as r;
    -- json, not jsonb: nobody looks into it before it is text.
    select
        coalesce(json_agg(json_build_object(
            'msg_id', c.msg_id,
            'read_ct', c.read_ct,
            'message', json_build_object(
                'id', m.id,
                'workspace_id', m.workspace_id,
                'channel', m.channel,
                'template', m.template,
                'to_address', m.to_address,
                'to_name', m.to_name,
                'payload', case when m.has_secret then m.payload || coalesce(s.payload, '{}') else m.payload end,
                'attempts', m.attempts,
                'request_id', m.request_id
            )
        ) order by c.msg_id) filter (where m.status = 'queued'), '[]'),
        array_agg(c.msg_id) filter (where m.status is distinct from 'queued'),
        array_agg(c.message_id) filter (where m.status is distinct from 'queued')
    into v_claims, v_abandoned_msg_ids, v_abandoned_ids
    from unnest(v_msg_ids, v_read_cts, v_message_ids) as c (msg_id, read_ct, message_id)
    left join public.messages as m on m.id = c.message_id
    left join private.message_secrets as s on m.has_secret and s.message_id = m.id;
    if v_abandoned_msg_ids is not null then
        perform private.settle_abandoned(v_queue.name, v_abandoned_msg_ids, v_abandoned_ids);
    end if;
    return v_claims;
end
$$;

comment on function worker.claim_messages(text, integer, integer) is $$Claims up to `p_limit` messages for `p_lease_seconds`

Answers [{msg_id, read_ct, message: {id, workspace_id, channel, template, to_address, to_name, payload, attempts,
request_id}}]. A message whose sender died while sending is not among them: it becomes `unknown`.$$;

create function worker.begin_send(p_queue text, p_msg_id bigint, p_read_ct integer, p_lease_seconds integer default 30)
    returns boolean
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named(p_queue);
    v_message_id uuid;
begin
    -- The mark must outlive a crash of the server, or the mail would go out twice: whatever the server's own setting.
    perform set_config('synchronous_commit', 'on', true);
    execute format(
        $sql$
            select (q.message ->> 'message_id')::uuid
            from pgmq.%I as q
            where q.msg_id = $1 and q.read_ct = $2
            for update
        $sql$,
        'q_' || v_queue.name
    )
    into v_message_id
    using p_msg_id, p_read_ct;
    -- Begun under this very claim: its answer was lost, and the same sender asks again.
    update public.messages
    set
        status = 'sending',
        attempts = attempts + case status when 'queued' then 1 else 0 end,
        fence = p_read_ct
    where id = v_message_id and (status = 'queued' or (status = 'sending' and fence = p_read_ct));
    if not found then
        return false;
    end if;
    perform pgmq.set_vt(v_queue.name, p_msg_id, p_lease_seconds);
    return true;
end
$$;

comment on function worker.begin_send(text, bigint, integer, integer) is $$Marks a claimed message as being sent

To be called just before the first byte goes to a server; extends the lease and counts an attempt. False: the claim was lost,
or the message settled: do not send.$$;

create function worker.complete_messages(p_queue text, p_items jsonb)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named(p_queue);
    v_outcomes jsonb;
    v_missed jsonb;
begin
    execute format(
        $sql$
            with items as (
                select * from jsonb_to_recordset($1) as x (msg_id bigint, read_ct integer, message_id uuid)
            ),
            done as (
                delete from pgmq.%I as q
                using items as i
                where q.msg_id = i.msg_id and q.read_ct = i.read_ct
                returning q.msg_id, q.read_ct, (q.message ->> 'message_id')::uuid as message_id
            ),
            sent as (
                update public.messages as m
                set status = 'sent', sent_at = clock_timestamp(), fence = d.read_ct, last_error = null
                from done as d
                where m.id = d.message_id and m.status in ('queued', 'sending')
                returning m.id, m.has_secret
            ),
            forgotten as (
                delete from private.message_secrets as s
                using sent
                where sent.has_secret and s.message_id = sent.id
            )
            select
                coalesce(jsonb_agg(jsonb_build_object('msg_id', i.msg_id, 'outcome', 'completed'))
                    filter (where d.msg_id is not null), '[]'),
                jsonb_agg(to_jsonb(i)) filter (where d.msg_id is null)
            from items as i
            left join done as d on d.msg_id = i.msg_id
        $sql$,
        'q_' || v_queue.name
    )
    into v_outcomes, v_missed
    using p_items;
    if v_missed is null then
        return v_outcomes;
    end if;

    -- The claim moved on meanwhile. Whoever began the message last still knows best what became of it.
    with items as (
        select * from jsonb_to_recordset(v_missed) as x (msg_id bigint, read_ct integer, message_id uuid)
    ),
    late as (
        update public.messages as m
        set status = 'sent', sent_at = clock_timestamp(), unknown_at = null, last_error = null
        from items as i
        where m.id = i.message_id and m.fence = i.read_ct and m.status in ('sending', 'unknown')
        returning i.msg_id
    )
    select v_outcomes || jsonb_agg(jsonb_build_object('msg_id', i.msg_id, 'outcome', case
        when l.msg_id is not null then 'completed'
        when m.status = 'sent' and m.fence = i.read_ct then 'already_completed'
        else 'stale'
    end))
    into v_outcomes
    from items as i
    left join late as l on l.msg_id = i.msg_id
    left join public.messages as m on m.id = i.message_id;
    return v_outcomes;
end
$$;

comment on function worker.complete_messages(text, jsonb) is $$Records that mails were taken by a server

Items are [{msg_id, read_ct, message_id}]; answers [{msg_id, outcome}] with completed, already_completed (the answer of an
earlier call was lost) or stale (the claim moved on, and another sender has begun since).$$;

-- Seconds to wait before try number p_attempts + 1: full jitter, uniform in [0, min(cap, base * 2^(p_attempts - 1))].
-- Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
create function private.retry_delay(p_queue private.queues, p_attempts integer)
    returns integer
    volatile
    set search_path = ''
    language sql
as $$
    select ceil(random() * least(
        extract(epoch from (p_queue).backoff_cap),
        extract(epoch from (p_queue).backoff_base) * 2 ^ least(p_attempts - 1, 30)
    ))::integer
$$;

-- Records one failed try; answers {msg_id, outcome, delay_seconds}.
create function private.fail_message(
    p_queue private.queues, p_msg_id bigint, p_read_ct integer, p_kind text, p_error text, p_retry_after integer
)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_message public.messages;
    v_message_id uuid;
    v_outcome text;
    v_delay integer;
begin
    execute format(
        $sql$
            select (q.message ->> 'message_id')::uuid
            from pgmq.%I as q
            where q.msg_id = $1 and q.read_ct = $2
            for update
        $sql$,
        'q_' || (p_queue).name
    )
    into v_message_id
    using p_msg_id, p_read_ct;
    select * into v_message
    from public.messages
    where id = v_message_id and (status = 'queued' or (status = 'sending' and fence = p_read_ct))
    for update;
    if not found then
        return jsonb_build_object('msg_id', p_msg_id, 'outcome', 'stale', 'delay_seconds', null);
    end if;

    if v_message.status = 'queued' and v_message.fence is distinct from p_read_ct then
        -- Failed before sending began: a try all the same.
        v_message.attempts := v_message.attempts + 1;
    elsif v_message.status = 'queued' and p_kind = 'retryable' then
        -- Recorded before; that answer was lost.
        return jsonb_build_object('msg_id', p_msg_id, 'outcome', 'retry', 'delay_seconds', null);
    end if;

    v_outcome := case
        when p_kind = 'unknown' then 'unknown'
        when p_kind = 'retryable' and v_message.attempts < (p_queue).max_attempts then 'retry'
        else 'failed'
    end;
    update public.messages
    set
        status = case v_outcome when 'retry' then 'queued' else v_outcome end,
        attempts = v_message.attempts,
        fence = p_read_ct,
        last_error = left(p_error, 2000),
        unknown_at = case v_outcome when 'unknown' then clock_timestamp() end,
        failed_at = case v_outcome when 'failed' then clock_timestamp() end
    where id = v_message.id;
    if v_outcome = 'retry' then
        v_delay := coalesce(p_retry_after, private.retry_delay(p_queue, v_message.attempts));
        perform pgmq.set_vt((p_queue).name, p_msg_id, v_delay);
    else
        if v_outcome = 'failed' then
            perform pgmq.send((p_queue).dead_letter, jsonb_build_object(
                'message_id', v_message.id, 'error', left(p_error, 2000), 'attempts', v_message.attempts
            ));
        end if;
        perform pgmq.delete((p_queue).name, p_msg_id);
    end if;
    return jsonb_build_object('msg_id', p_msg_id, 'outcome', v_outcome, 'delay_seconds', v_delay);
end
$$;

create function worker.fail_messages(p_queue text, p_items jsonb)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language sql
as $$
    select coalesce(jsonb_agg(private.fail_message(
        private.queue_named(p_queue), i.msg_id, i.read_ct, i.kind, i.error, i.retry_after_seconds
    ) order by i.msg_id), '[]')
    from jsonb_to_recordset(p_items) as i (
        msg_id bigint, read_ct integer, kind text, error text, retry_after_seconds integer
    )
$$;

comment on function worker.fail_messages(text, jsonb) is $$Records tries that failed

Items are [{msg_id, read_ct, kind, error, retry_after_seconds?}] with kind retryable (tried again after retry_after_seconds,
else after a delay with full jitter, until the queue's attempts are spent), permanent (given up) or unknown (perhaps sent:
never tried again by itself). Answers [{msg_id, outcome: retry, failed, unknown or stale, delay_seconds}]. What is given up
goes to the dead-letter queue.$$;

create function worker.extend_claims(p_queue text, p_items jsonb, p_lease_seconds integer default 30)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named(p_queue);
    v_held jsonb;
begin
    execute format(
        $sql$
            with held as (
                update pgmq.%I as q
                set vt = clock_timestamp() + make_interval(secs => $2)
                from jsonb_to_recordset($1) as i (msg_id bigint, read_ct integer)
                where q.msg_id = i.msg_id and q.read_ct = i.read_ct
                returning q.msg_id
            )
            select coalesce(jsonb_agg(h.msg_id order by h.msg_id), '[]') from held as h
        $sql$,
        'q_' || v_queue.name
    )
    into v_held
    using p_items, p_lease_seconds;
    return v_held;
end
$$;

comment on function worker.extend_claims(text, jsonb, integer) is $$Keeps claims for another `p_lease_seconds`

Items are [{msg_id, read_ct}]; answers the msg_ids still held. Stop working on the others.$$;

create function worker.release_messages(p_queue text, p_items jsonb)
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named(p_queue);
    v_released integer;
begin
    execute format(
        $sql$
            update pgmq.%I as q
            set vt = clock_timestamp()
            from jsonb_to_recordset($1) as i (msg_id bigint, read_ct integer)
            where
                q.msg_id = i.msg_id
                and q.read_ct = i.read_ct
                and exists (
                    select from public.messages as m
                    where m.id = (q.message ->> 'message_id')::uuid and m.status = 'queued'
                )
        $sql$,
        'q_' || v_queue.name
    )
    using p_items;
    get diagnostics v_released = row_count;
    return v_released;
end
$$;

comment on function worker.release_messages(text, jsonb) is $$Gives claims back, unbegun

Items are [{msg_id, read_ct}]; they can be claimed again at once, and no attempt is counted. Answers how many there were.$$;

create function worker.queue_metrics()
    returns jsonb
    stable
    security definer
    set search_path = ''
    language sql
as $$
    select coalesce(jsonb_agg(jsonb_build_object(
        'queue', named.name,
        'length', m.queue_length,
        'visible', m.queue_visible_length,
        'oldest_age_seconds', m.oldest_msg_age_sec
    ) order by named.name), '[]')
    from (
        select q.name from private.queues as q
        union
        select q.dead_letter from private.queues as q
    ) as named
    cross join lateral pgmq.metrics(named.name) as m
$$;

comment on function worker.queue_metrics() is $$How full the queues are

Answers [{queue, length, visible, oldest_age_seconds}], dead-letter queues included.$$;

create function worker.health()
    returns jsonb
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_migration text;
begin
    if to_regclass('supabase_migrations.schema_migrations') is not null then
        execute 'select max(version) from supabase_migrations.schema_migrations' into v_migration;
    end if;
    return jsonb_build_object(
        'migration', v_migration,
        'database_time', clock_timestamp(),
        'queues', worker.queue_metrics(),
        'messages', jsonb_build_object(
            'unknown', (select count(*) from public.messages where unknown_at is not null),
            'failed', (select count(*) from public.messages where failed_at is not null)
        )
    );
end
$$;

comment on function worker.health() is $$Whether the database is as the workers need it

Answers {migration, database_time, queues, messages: {unknown, failed}}.$$;

grant execute on all functions in schema worker to worker;

-- Inviting people and tying their accounts: a token sent to the address, good once, never a matching e-mail.

-- What the limits count. Apart from the invitations, so that withdrawing one, or deleting a workspace, makes no room.
create table private.invitations_sent (
    invited_by uuid not null,
    address_digest bytea not null,
    sent_at timestamptz not null default clock_timestamp()
);

create index invitations_sent_by_idx on private.invitations_sent (invited_by, sent_at);
create index invitations_sent_to_idx on private.invitations_sent (address_digest, sent_at);
create index invitations_sent_at_idx on private.invitations_sent (sent_at);

comment on table private.invitations_sent is $$Who invited which address and when; kept for as long as a limit looks back.$$;

-- Counts an invitation, and refuses one too many: by the inviter, and by the address, across all workspaces.
create function private.limit_invitations(p_email text)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_digest bytea := sha256(convert_to(lower(p_email), 'UTF8'));
    v_limit private.limits;
    v_sent bigint;
begin
    -- Racing invitations of one inviter, or to one address, count each other. Always inviter before address.
    perform pg_advisory_xact_lock(hashtextextended('freehold.invite.by:' || auth.uid()::text, 0));
    perform pg_advisory_xact_lock(hashtextextended('freehold.invite.to:' || encode(v_digest, 'hex'), 0));

    select * into strict v_limit from private.limits where name = 'invitations_per_inviter';
    select count(*) into v_sent
    from private.invitations_sent
    where invited_by = auth.uid() and sent_at > now() - v_limit.per;
    if v_sent < v_limit.allowed then
        select * into strict v_limit from private.limits where name = 'invitations_per_address';
        select count(*) into v_sent
        from private.invitations_sent
        where address_digest = v_digest and sent_at > now() - v_limit.per;
    end if;
    if v_sent >= v_limit.allowed then
        perform private.fail(
            429, 'invitation_limit', format('At most %s in %s (%s).', v_limit.allowed, v_limit.per, v_limit.description),
            p_hint := 'Wait, or ask the operator to raise the limit.',
            p_headers := jsonb_build_object('Retry-After', extract(epoch from v_limit.per)::integer::text)
        );
    end if;
    insert into private.invitations_sent (invited_by, address_digest) values (auth.uid(), v_digest);
end
$$;

create function private.invite(
    p_workspace_id uuid, p_kind text, p_email text, p_role text, p_tenant_id uuid, p_vendor_id uuid
)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_kept jsonb;
    v_token text := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
    v_email text := btrim(p_email);
    v_known_email text;
    v_tied_to uuid;
    v_invitation public.workspace_invitations;
begin
    perform private.require_permission(p_workspace_id, case p_kind
        when 'renter' then 'renters.write' when 'vendor' then 'portfolio.write' else 'members.manage'
    end);
    v_kept := private.begin_idempotent('invite', jsonb_build_array(
        p_workspace_id, p_kind, p_email, p_role, p_tenant_id, p_vendor_id
    ));
    if v_kept is not null then
        return v_kept;
    end if;

    if p_kind = 'member' then
        perform private.require_grantable(p_workspace_id, p_role);
    elsif p_kind = 'renter' then
        select t.email, t.user_id into v_known_email, v_tied_to
        from public.tenants as t where t.workspace_id = p_workspace_id and t.id = p_tenant_id;
    elsif p_kind = 'vendor' then
        select v.email, v.user_id into v_known_email, v_tied_to
        from public.vendors as v where v.workspace_id = p_workspace_id and v.id = p_vendor_id;
    else
        perform private.fail(
            422, 'kind_unknown', format('There is no kind %L.', p_kind), p_hint := 'Use member, renter or vendor.'
        );
    end if;
    if p_kind <> 'member' then
        if not found then
            perform private.fail(
                404, 'invitee_not_found', format('The workspace has no such %s.', p_kind),
                p_hint := 'Give tenant_id for a renter, vendor_id for a vendor.'
            );
        end if;
        if v_tied_to is not null then
            perform private.fail(409, 'already_tied', format('This %s has an account already.', p_kind));
        end if;
        v_email := coalesce(v_email, v_known_email);
    end if;
    if coalesce(v_email, '') !~ '^[^@[:space:]]+@[^@[:space:]]+$' then
        perform private.fail(
            422, 'email_invalid', 'There is no valid e-mail address to send the invitation to.',
            p_hint := 'Give one such as name@example.com.'
        );
    end if;

    perform private.limit_invitations(v_email);
    -- Inviting again replaces what is open: the older token stops working.
    delete from public.workspace_invitations
    where
        workspace_id = p_workspace_id
        and accepted_at is null
        and kind = p_kind
        and (tenant_id, vendor_id) is not distinct from (
            case p_kind when 'renter' then p_tenant_id end, case p_kind when 'vendor' then p_vendor_id end
        )
        and lower(email) = lower(v_email);
    insert into public.workspace_invitations
        (workspace_id, kind, email, role, tenant_id, vendor_id, invited_by, expires_at)
    values (
        p_workspace_id, p_kind, v_email,
        case p_kind when 'member' then p_role end,
        case p_kind when 'renter' then p_tenant_id end,
        case p_kind when 'vendor' then p_vendor_id end,
        auth.uid(), now() + interval '7 days'
    )
    returning * into v_invitation;
    insert into private.invitation_tokens (digest, invitation_id)
    values (sha256(convert_to(v_token, 'UTF8')), v_invitation.id);

    perform private.queue_message(
        p_workspace_id, 'invitation', v_email, null,
        jsonb_build_object(
            'workspace_name', (select w.name from public.workspaces as w where w.id = p_workspace_id),
            'kind', p_kind,
            'role', v_invitation.role,
            'invited_by_email', (select u.email from auth.users as u where u.id = auth.uid()),
            'expires_at', v_invitation.expires_at
        ),
        'invitation/' || v_invitation.id,
        jsonb_build_object('token', v_token)
    );
    return private.keep_answer('invite', to_jsonb(v_invitation));
end
$$;

create function private.accept_invitation(p_token text)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_invitation public.workspace_invitations;
    v_inviter_holds boolean;
begin
    select i.* into v_invitation
    from private.invitation_tokens as t
    join public.workspace_invitations as i on i.id = t.invitation_id
    where t.digest = sha256(convert_to(coalesce(p_token, ''), 'UTF8'))
    for update of i;
    if not found then
        perform private.fail(
            404, 'invitation_not_found', 'This invitation does not exist or was withdrawn.',
            p_hint := 'Open the link of the newest mail, or ask to be invited again.'
        );
    end if;
    if v_invitation.accepted_at is not null then
        perform private.fail(
            409, 'invitation_used', 'This invitation was accepted already.', p_hint := 'Sign in with the account that did.'
        );
    end if;
    if v_invitation.expires_at <= now() then
        perform private.fail(410, 'invitation_expired', 'This invitation has expired.', p_hint := 'Ask to be invited again.');
    end if;
    -- What an inviter may no longer give, their open invitations no longer give either.
    select coalesce(bool_and(exists (
        select
        from public.workspace_members as m
        join private.role_permissions as held on held.role = m.role
        where
            m.workspace_id = v_invitation.workspace_id
            and m.user_id = v_invitation.invited_by
            and m.status = 'active'
            and held.permission = wanted.permission
    )), false) into v_inviter_holds
    from (
        select rp.permission from private.role_permissions as rp where rp.role = v_invitation.role
        union
        select case v_invitation.kind
            when 'renter' then 'renters.write' when 'vendor' then 'portfolio.write' else 'members.manage'
        end
    ) as wanted;
    if not v_inviter_holds then
        perform private.fail(
            410, 'invitation_withdrawn', 'Whoever invited you can no longer do so.', p_hint := 'Ask to be invited again.'
        );
    end if;

    if v_invitation.kind = 'member' then
        insert into public.workspace_members (workspace_id, user_id, role)
        values (v_invitation.workspace_id, auth.uid(), v_invitation.role)
        on conflict do nothing;
        if not found then
            perform private.fail(
                409, 'already_member', 'You are a member of this workspace already.',
                p_hint := 'Ask an owner or admin to change your role or take you back.'
            );
        end if;
    elsif v_invitation.kind = 'renter' then
        update public.tenants as t
        set user_id = auth.uid()
        where
            t.workspace_id = v_invitation.workspace_id
            and t.id = v_invitation.tenant_id
            and t.user_id is null
            and not exists (
                select from public.tenants as o where o.workspace_id = t.workspace_id and o.user_id = auth.uid()
            );
    else
        update public.vendors as v
        set user_id = auth.uid()
        where
            v.workspace_id = v_invitation.workspace_id
            and v.id = v_invitation.vendor_id
            and v.user_id is null
            and not exists (
                select from public.vendors as o where o.workspace_id = v.workspace_id and o.user_id = auth.uid()
            );
    end if;
    if not found then
        perform private.fail(
            409, 'already_tied', 'This record, or your account, is tied already.',
            p_hint := 'Sign in with the account that accepted first.'
        );
    end if;
    update public.workspace_invitations
    set accepted_at = now(), accepted_by = auth.uid()
    where id = v_invitation.id;
    return jsonb_build_object(
        'workspace_id', v_invitation.workspace_id,
        'kind', v_invitation.kind,
        'role', v_invitation.role,
        'tenant_id', v_invitation.tenant_id,
        'vendor_id', v_invitation.vendor_id
    );
end
$$;

-- Cuts the tie between a record and an account.
create function private.revoke_portal_access(p_tenant_id uuid, p_vendor_id uuid)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_workspace_id uuid;
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
    perform private.require_permission(
        v_workspace_id, case when p_tenant_id is null then 'portfolio.write' else 'renters.write' end
    );
    update public.tenants set user_id = null where id = p_tenant_id;
    update public.vendors set user_id = null where id = p_vendor_id;
end
$$;

grant execute on function private.invite(uuid, text, text, text, uuid, uuid) to authenticated;
grant execute on function private.accept_invitation(text) to authenticated;
grant execute on function private.revoke_portal_access(uuid, uuid) to authenticated;

create function public.invite(
    workspace_id uuid,
    kind text,
    email text default null,
    role text default null,
    tenant_id uuid default null,
    vendor_id uuid default null
)
    returns jsonb
    volatile
    set search_path = ''
    language sql
as $$
    select private.invite(workspace_id, kind, email, role, tenant_id, vendor_id)
$$;

comment on function public.invite(uuid, text, text, text, uuid, uuid) is $$Invites a member, a renter or a vendor by mail

`kind` member takes `email` and `role` (needs `members.manage`, and the role within the caller's own); renter takes
`tenant_id` (needs `renters.write`), vendor takes `vendor_id` (needs `portfolio.write`); `email` is then optional where the
record has one. Requires an `Idempotency-Key` header. The token goes to the address alone, works once and for seven days.
429 `invitation_limit` by inviter and by address. Answers the invitation.$$;

grant execute on function public.invite(uuid, text, text, text, uuid, uuid) to authenticated;

create function public.accept_invitation(token text)
    returns jsonb
    volatile
    set search_path = ''
    language sql
as $$
    select private.accept_invitation(token)
$$;

comment on function public.accept_invitation(text) is $$Accepts an invitation with the token from the mail

Ties the signed-in account, whatever its address, to what the invitation was for. 404 `invitation_not_found`, 409
`invitation_used`, 410 `invitation_expired` or `invitation_withdrawn`, 409 `already_member` or `already_tied`. Answers
{workspace_id, kind, role, tenant_id, vendor_id}.$$;

grant execute on function public.accept_invitation(text) to authenticated;

create function public.revoke_portal_access(tenant_id uuid default null, vendor_id uuid default null)
    returns void
    volatile
    set search_path = ''
    language sql
as $$
    select private.revoke_portal_access(tenant_id, vendor_id)
$$;

comment on function public.revoke_portal_access(uuid, uuid) is $$Ends a renter's or a vendor's access

The account that accepted the invitation is untied from the record and sees nothing of the workspace from its next request
on. Needs `renters.write` or `portfolio.write`.$$;

grant execute on function public.revoke_portal_access(uuid, uuid) to authenticated;

-- The schedule is rows. Any number of machines may ask what is due: who inserts (job, due_at) runs it.

create table private.scheduled_jobs (
    name text primary key check (name ~ '^[a-z_]{1,60}$'),
    every interval not null check (every >= interval '1 minute'),
    catch_up text not null check (catch_up in ('latest', 'all')),
    enabled boolean not null default true,
    description text not null
);

comment on table private.scheduled_jobs is $$What runs by itself, and how often. A job's name is the worker RPC that does it.

catch_up says what happens to runs missed in an outage: latest makes up for the last one, all for each. Reference data, written
by migrations; an operator may disable a job or change its rhythm.$$;

create table private.job_runs (
    job text not null references private.scheduled_jobs (name) on delete cascade,
    due_at timestamptz not null,
    status text not null default 'running' check (status in ('running', 'succeeded', 'failed')),
    fence integer not null default 1,
    started_at timestamptz not null,
    lease_until timestamptz not null,
    finished_at timestamptz,
    error text,
    result jsonb,
    primary key (job, due_at)
);

create index job_runs_unfinished_idx on private.job_runs (lease_until) where status <> 'succeeded';

comment on table private.job_runs is $$Each run of a scheduled job. A run whose machine died is taken over once its lease has passed.$$;

create function worker.start_due_runs(p_now timestamptz default now())
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language sql
as $$
    with latest as (
        select
            j.name,
            j.every,
            j.catch_up,
            date_bin(j.every, p_now, timestamptz '2020-01-01 00:00+00') as due_at,
            (select max(r.due_at) from private.job_runs as r where r.job = j.name) as last_due_at
        from private.scheduled_jobs as j
        where j.enabled
    ),
    due as (
        select l.name, l.due_at
        from latest as l
        where l.last_due_at is null or l.due_at > l.last_due_at
        union
        select l.name, missed.due_at
        from latest as l
        cross join lateral generate_series(l.last_due_at + l.every, l.due_at, l.every) as missed (due_at)
        where l.catch_up = 'all'
    ),
    started as (
        insert into private.job_runs (job, due_at, started_at, lease_until)
        select d.name, d.due_at, p_now, p_now + interval '10 minutes'
        from due as d
        on conflict (job, due_at) do nothing
        returning job, due_at, fence
    ),
    -- Failed, or left by a machine that died: five tries, then it stays failed for a person to see.
    taken_over as (
        update private.job_runs as r
        set
            fence = r.fence + 1,
            status = 'running',
            started_at = p_now,
            lease_until = p_now + interval '10 minutes'
        where
            (r.job, r.due_at) in (
                select o.job, o.due_at
                from private.job_runs as o
                join private.scheduled_jobs as j on j.name = o.job and j.enabled
                where
                    (o.status = 'failed' or (o.status = 'running' and o.lease_until < p_now))
                    and o.fence < 5
                    and o.lease_until > p_now - interval '1 day'
                for update of o skip locked
            )
        returning r.job, r.due_at, r.fence
    )
    select coalesce(jsonb_agg(jsonb_build_object(
        'job', runs.job, 'due_at', runs.due_at, 'fence', runs.fence
    ) order by runs.due_at, runs.job), '[]')
    from (
        select * from started
        union all
        select * from taken_over
    ) as runs
$$;

comment on function worker.start_due_runs(timestamptz) is $$Takes the runs that are due

Answers [{job, due_at, fence}]: the caller now runs each, and says so with finish_run. Nobody else gets the same one, unless
ten minutes pass without.$$;

create function worker.finish_run(
    p_job text, p_due_at timestamptz, p_fence integer, p_error text default null, p_result jsonb default null
)
    returns boolean
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    update private.job_runs
    set
        status = case when p_error is null then 'succeeded' else 'failed' end,
        finished_at = clock_timestamp(),
        error = left(p_error, 2000),
        result = p_result
    where job = p_job and due_at = p_due_at and fence = p_fence;
    return found;
end
$$;

comment on function worker.finish_run(text, timestamptz, integer, text, jsonb) is $$Records how a run ended

`p_error` null: it succeeded. A failed run is tried again by the next tick, five times in all. False: another machine has
taken the run over.$$;

create function worker.housekeeping(p_now timestamptz default now())
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_deleted jsonb := '{}';
    v_rows bigint;
begin
    delete from private.idempotency_keys where created_at < p_now - interval '24 hours';
    get diagnostics v_rows = row_count;
    v_deleted := v_deleted || jsonb_build_object('idempotency_keys', v_rows);

    delete from private.write_counts where minute < p_now - interval '1 day';
    get diagnostics v_rows = row_count;
    v_deleted := v_deleted || jsonb_build_object('write_counts', v_rows);

    delete from private.invitations_sent
    where sent_at < p_now - (select max(l.per) from private.limits as l where l.name like 'invitations_per_%');
    get diagnostics v_rows = row_count;
    v_deleted := v_deleted || jsonb_build_object('invitations_sent', v_rows);

    -- No invitation is good for longer than this.
    delete from private.message_secrets as s
    using public.messages as m
    where m.id = s.message_id and m.created_at < p_now - interval '8 days';
    get diagnostics v_rows = row_count;
    v_deleted := v_deleted || jsonb_build_object('message_secrets', v_rows);

    -- With their rows: a commit deletes its own.
    delete from public.imports where status = 'staged' and created_at < p_now - interval '1 day';
    get diagnostics v_rows = row_count;
    v_deleted := v_deleted || jsonb_build_object('imports', v_rows);

    delete from private.job_runs as r
    where
        r.due_at < p_now - interval '90 days'
        and exists (select from private.job_runs as newer where newer.job = r.job and newer.due_at > r.due_at);
    get diagnostics v_rows = row_count;
    return v_deleted || jsonb_build_object('job_runs', v_rows);
end
$$;

comment on function worker.housekeeping(timestamptz) is $$Deletes what has served its time

Idempotency keys, write counts and imports that nobody committed after a day, unused tokens after eight, the log of runs
after ninety. Answers how many rows of each.$$;

grant execute on all functions in schema worker to worker;

-- Telling the manager that a lease runs out: 90, 60 and 30 days ahead, and on the last day for giving notice.

-- One row for each notice that will fall due, written when a lease begins. The check reads what is due, not what is stored.
create table private.lease_reminders (
    workspace_id uuid not null,
    lease_id uuid not null,
    threshold text not null check (threshold in ('days_90', 'days_60', 'days_30', 'notice_deadline')),
    ends_on date not null,
    due_on date not null,
    state text not null default 'pending' check (state in ('pending', 'queued', 'skipped', 'cancelled')),
    decided_at timestamptz,
    -- Never twice for the same: an end date that moves arms new rows, one that moves back finds the old.
    primary key (workspace_id, lease_id, threshold, ends_on),
    foreign key (workspace_id, lease_id) references public.leases (workspace_id, id) on delete cascade
);

create index lease_reminders_due_on_idx on private.lease_reminders (due_on, workspace_id, lease_id)
    where state = 'pending';

comment on table private.lease_reminders is $$Notices of expiring leases: to come (pending), sent on their way (queued), passed over for a tighter one or a term that
was over (skipped), or void since the lease ended or its end moved (cancelled).$$;

-- Keeps the reminders in step with the leases that a statement touched.
create function private.arm_lease_reminders()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    -- Each reminder refers to its lease.
    perform private.analyze_outgrown('public.leases', (select count(*) from touched));
    update private.lease_reminders as r
    set state = 'cancelled', decided_at = now()
    from touched as l
    where
        r.workspace_id = l.workspace_id
        and r.lease_id = l.id
        and r.state = 'pending'
        and (l.status <> 'active' or l.ends_on is distinct from r.ends_on);
    insert into private.lease_reminders as r (workspace_id, lease_id, threshold, ends_on, due_on)
    select l.workspace_id, l.id, t.threshold, l.ends_on, l.ends_on - t.days
    from touched as l
    cross join lateral (
        values ('days_90', 90), ('days_60', 60), ('days_30', 30), ('notice_deadline', l.notice_days)
    ) as t (threshold, days)
    where l.status = 'active' and l.ends_on is not null
    on conflict (workspace_id, lease_id, threshold, ends_on) do update
    set state = 'pending', decided_at = null
    where r.state = 'cancelled';
    return null;
end
$$;

create trigger arm_lease_reminders_on_insert after insert on public.leases
    referencing new table as touched
    for each statement execute function private.arm_lease_reminders();

create trigger arm_lease_reminders_on_update after update on public.leases
    referencing new table as touched
    for each statement execute function private.arm_lease_reminders();

create function worker.lease_expiry_check(p_now timestamptz default now(), p_limit integer default 1000)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_request_id text := private.request_id();
    v_full boolean;
    v_due integer;
    v_skipped integer;
    v_notices jsonb[];
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
        on conflict (workspace_id, dedupe_key) do nothing
        returning id
    )
    select
        -- Rows, not leases: one lease may fill the batch with several thresholds.
        (select count(*) >= p_limit from first_due),
        (select count(*) from decided as d where d.state = 'queued'),
        (select count(*) from decided as d where d.state = 'skipped'),
        (select array_agg(jsonb_build_object('message_id', w.id)) from written as w)
    into v_full, v_due, v_skipped, v_notices;
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
$$;

comment on function worker.lease_expiry_check(timestamptz, integer) is $$Queues the notices of leases that run out

For each lease with a threshold due on its property's date, the tightest one only, to the property's manager or else the
owners; never twice for the same lease, threshold and end date, and not once the term is over. Takes up to `p_limit` leases:
call again while `more`. Answers {leases_due, messages_queued, thresholds_skipped, more}: the leases to be told of, and the
thresholds passed over.$$;

grant execute on all functions in schema worker to worker;

-- Imports: a file's rows are staged in batches, checked, then committed all or not at all.

create table public.imports (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    kind text not null check (kind in ('rent_roll')),
    status text not null default 'staged' check (status in ('staged', 'committed')),
    file_name text not null check (length(btrim(file_name)) between 1 and 255),
    file_digest text not null check (file_digest ~ '^[0-9a-f]{64}$'),
    row_count integer not null default 0 check (row_count >= 0),
    result jsonb,
    created_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    committed_at timestamptz,
    unique (workspace_id, id),
    constraint committed_imports_have_a_result check (
        (status = 'committed') = (committed_at is not null) and (status = 'committed') = (result is not null)
    )
);

create index imports_created_at_idx on public.imports (workspace_id, created_at desc);
create index imports_created_by_idx on public.imports (created_by) where created_by is not null;
create index imports_staged_idx on public.imports (created_at) where status = 'staged';

create trigger refuse_truncate before truncate on public.imports
    for each statement execute function private.refuse_truncate();

comment on table public.imports is $$Files that were brought in, and what each changed.

Made with `rpc/start_import`, filled with `rpc/stage_import_rows`, looked at with `rpc/check_import` and carried out with
`rpc/commit_import`. One that is still staged after a day is deleted.$$;
comment on column public.imports.id is $$Identifies the import.$$;
comment on column public.imports.workspace_id is $$The workspace that it changes.$$;
comment on column public.imports.kind is $$rent_roll.$$;
comment on column public.imports.status is $$staged (nothing has changed yet) or committed.$$;
comment on column public.imports.file_name is $$The file's name, without its folder.$$;
comment on column public.imports.file_digest is $$SHA-256 of the file, in hexadecimal.$$;
comment on column public.imports.row_count is $$Rows staged.$$;
comment on column public.imports.result is $$What the commit changed, as `rpc/commit_import` answered.$$;
comment on column public.imports.created_by is $$Who started it; empty once that account is deleted.$$;
comment on column public.imports.created_at is $$When the row was made.$$;
comment on column public.imports.committed_at is $$When it was carried out; empty while it is staged.$$;

create table private.import_rows (
    import_id uuid not null references public.imports (id) on delete cascade,
    line integer not null check (line > 0),
    data jsonb not null,
    problems jsonb,
    primary key (import_id, line)
);

comment on table private.import_rows is $$Rows of imports under way, and which of their cells cannot be read. Deleted with the commit.$$;

-- The cells a rent-roll row may have: what each belongs to, how it must look, and what to do when it doesn't.
create function private.rent_roll_columns()
    returns table (name text, scope text, max_length integer, pattern text, remedy text)
    immutable
    set search_path = ''
    language sql
as $$
    with text_like (pattern) as (values ('^\S(.*\S)?$')),
    day (pattern, remedy) as (
        values ('^(19|20|21)[0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$', 'Give a day of 1900 to 2199 as YYYY-MM-DD.')
    ),
    money (pattern, remedy) as (values ('^[0-9]{1,15}$', 'Give a whole number of minor units (cents), not negative.'))
    select c.name, c.scope, c.max_length, c.pattern, c.remedy
    from text_like, day, money, lateral (
        values
        ('property_name', 'property', 120, text_like.pattern, 'Give a name of 1 to 120 characters.'),
        (
            'property_type', 'property', 20,
            '^(single_family|multi_family|apartment|condo|townhouse|manufactured|commercial|other)$',
            'Use single_family, multi_family, apartment, condo, townhouse, manufactured, commercial or other.'
        ),
        ('address_line1', 'property', 200, text_like.pattern, 'Give a street address of 1 to 200 characters.'),
        ('address_line2', 'property', 200, text_like.pattern, 'Give at most 200 characters.'),
        ('city', 'property', 120, text_like.pattern, 'Give a city of 1 to 120 characters.'),
        ('state', 'property', 60, text_like.pattern, 'Give at most 60 characters, such as CA.'),
        ('postal_code', 'property', 20, text_like.pattern, 'Give at most 20 characters.'),
        ('country', 'property', 2, '^[A-Z]{2}$', 'Give the two-letter ISO code, such as US.'),
        ('timezone', 'property', 60, '^[A-Z]\S*$', 'Give an IANA name, such as America/Chicago.'),
        ('currency', 'property', 3, '^[A-Z]{3}$', 'Give the three-letter ISO code, such as USD.'),
        ('latitude', 'property', 30, '^-?(90(\.0+)?|[0-8]?[0-9](\.[0-9]+)?)$', 'Give degrees between -90 and 90.'),
        (
            'longitude', 'property', 30, '^-?(180(\.0+)?|(1[0-7][0-9]|[0-9]{1,2})(\.[0-9]+)?)$',
            'Give degrees between -180 and 180.'
        ),
        ('manager_email', 'property', 254, '^[^@\s]+@[^@\s]+$', 'Give an address such as name@example.com.'),
        ('unit_number', 'unit', 40, text_like.pattern, 'Give a number or name of 1 to 40 characters.'),
        ('bedrooms', 'unit', 5, '^[0-9]{1,3}(\.[0-9])?$', 'Give a number such as 2; 0 is a studio.'),
        ('bathrooms', 'unit', 5, '^[0-9]{1,3}(\.[0-9])?$', 'Give a number such as 1.5.'),
        ('area_sqft', 'unit', 9, '^[1-9][0-9]*$', 'Give a whole number of square feet.'),
        ('market_rent_minor', 'unit', 15, money.pattern, money.remedy),
        ('lease_number', 'lease', 60, text_like.pattern, 'Give a number of 1 to 60 characters.'),
        ('lease_start', 'lease', 10, day.pattern, day.remedy),
        ('lease_end', 'lease', 10, day.pattern, day.remedy),
        ('notice_days', 'lease', 3, '^([0-3]?[0-9]?[0-9]|400)$', 'Give a number of days between 0 and 400.'),
        ('rent_minor', 'lease', 15, money.pattern, money.remedy),
        ('due_day', 'lease', 2, '^([1-9]|[12][0-9]|3[01])$', 'Give a day of the month, 1 to 31.'),
        ('deposit_minor', 'lease', 15, money.pattern, money.remedy),
        ('lease_status', 'lease', 6, '^(draft|active)$', 'Use draft or active; leave out leases that have ended.')
    ) as c (name, scope, max_length, pattern, remedy)
    union all
    select who.prefix || what.name, 'renter', what.max_length, what.pattern, what.remedy
    from text_like
    cross join unnest(array['tenant_', 'co_tenant_', 'co_tenant_2_', 'co_tenant_3_', 'co_tenant_4_']) as who (prefix)
    cross join lateral (
        values
        ('first_name', 120, text_like.pattern, 'Give at most 120 characters.'),
        ('last_name', 120, text_like.pattern, 'Give a name of 1 to 120 characters.'),
        ('email', 254, '^[^@\s]+@[^@\s]+$', 'Give an address such as name@example.com.'),
        ('phone', 40, '^\S.+\S$', 'Give 3 to 40 characters.')
    ) as what (name, max_length, pattern, remedy)
$$;

-- The import, locked, for whoever started it and may still do what it does.
create function private.lock_import(p_import_id uuid)
    returns public.imports
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_import public.imports;
begin
    select * into v_import
    from public.imports
    where
        id = p_import_id
        and created_by = (select auth.uid())
        and workspace_id = any (array(select private.my_workspaces()))
    for update;
    if not found then
        perform private.fail(
            404, 'import_not_found', 'There is no such import, or somebody else started it.',
            p_hint := 'Start one with rpc/start_import. One that is not committed within a day is deleted.'
        );
    end if;
    perform private.require_import(v_import.workspace_id);
    return v_import;
end
$$;

-- An import writes what its caller could write row by row, and takes a permission of its own besides.
create function private.require_import(p_workspace_id uuid)
    returns void
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.require_permission(p_workspace_id, 'imports.run');
    perform private.require_permission(p_workspace_id, 'portfolio.write');
    perform private.require_permission(p_workspace_id, 'renters.write');
    perform private.require_permission(p_workspace_id, 'leases.write');
end
$$;

create function private.start_import(p_workspace_id uuid, p_kind text, p_file_name text, p_file_digest text)
    returns public.imports
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_import public.imports;
begin
    perform private.require_import(p_workspace_id);
    if p_kind is distinct from 'rent_roll' then
        perform private.fail(
            422, 'import_kind_unknown', format('There is no kind of import called %L.', p_kind),
            p_hint := 'Use rent_roll.'
        );
    end if;
    if coalesce(p_file_digest, '') !~ '^[0-9a-f]{64}$' or coalesce(btrim(p_file_name), '') = '' then
        perform private.fail(
            422, 'import_file_invalid', 'file_name or file_digest cannot be read.',
            p_hint := 'Give the file''s name, and its SHA-256 as 64 lower-case hexadecimal digits.'
        );
    end if;
    insert into public.imports (workspace_id, kind, file_name, file_digest, created_by)
    values (p_workspace_id, p_kind, left(btrim(p_file_name), 255), p_file_digest, auth.uid())
    returning * into v_import;
    return v_import;
end
$$;

create function private.stage_import_rows(p_import_id uuid, p_rows jsonb)
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_import public.imports := private.lock_import(p_import_id);
    v_staged integer;
begin
    if v_import.status <> 'staged' then
        perform private.fail(
            409, 'import_committed', 'This import is committed: it takes no more rows.',
            p_hint := 'Start another with rpc/start_import.'
        );
    end if;
    if p_rows is null or jsonb_typeof(p_rows) <> 'array' or jsonb_array_length(p_rows) not between 1 and 1000
        or exists (
            select from jsonb_array_elements(p_rows) as r (entry)
            where
                jsonb_typeof(r.entry) <> 'object'
                or case
                    when jsonb_typeof(r.entry -> 'data') = 'object'
                        then (select count(*) from jsonb_object_keys(r.entry -> 'data')) > 100
                    else true
                end
                or coalesce(r.entry ->> 'line', '') !~ '^[1-9][0-9]{0,8}$'
        )
    then
        perform private.fail(
            422, 'import_batch_invalid', 'rows is no list of 1 to 1,000 rows of at most 100 cells.',
            p_hint := 'Give [{"line": 2, "data": {"property_name": "…", …}}, …]; docs/reference/rent-roll-csv.md has the names.'
        );
    end if;
    insert into private.import_rows as r (import_id, line, data, problems)
    select distinct on ((given.entry ->> 'line')::integer)
        p_import_id,
        (given.entry ->> 'line')::integer,
        jsonb_strip_nulls(given.entry -> 'data'),
        found.problems
    from jsonb_array_elements(p_rows) with ordinality as given (entry, position)
    cross join lateral (
        select jsonb_agg(jsonb_build_object(
            'column_name', left(cell.name, 100),
            'value', left(cell.value, 300),
            'remedy', coalesce(c.remedy, 'Leave this column out.')
        )) as problems
        from jsonb_each_text(given.entry -> 'data') as cell (name, value)
        left join private.rent_roll_columns() as c on c.name = cell.name
        where
            cell.value is not null
            and (
                c.name is null
                or length(cell.value) > c.max_length
                or cell.value !~ c.pattern
                or (c.name in ('lease_start', 'lease_end') and not pg_input_is_valid(cell.value, 'date'))
            )
    ) as found
    order by (given.entry ->> 'line')::integer, given.position desc
    on conflict (import_id, line) do update
    set data = excluded.data, problems = excluded.problems;
    select count(*) into v_staged from private.import_rows where import_id = p_import_id;
    if v_staged > 12000 then
        perform private.fail(
            413, 'import_too_large', format('An import takes 12,000 rows; this would be row %s.', v_staged),
            p_hint := 'Split the file by property, and import one part after the other.'
        );
    end if;
    update public.imports set row_count = v_staged where id = p_import_id;
    return v_staged;
end
$$;

create function private.discard_import(p_import_id uuid)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_import public.imports := private.lock_import(p_import_id);
begin
    if v_import.status <> 'staged' then
        perform private.fail(409, 'import_committed', 'This import is committed: it stays on record.');
    end if;
    delete from public.imports where id = p_import_id;
end
$$;

-- What committing a rent roll would do, worked out whole before anything is written. Each step is a temporary table:
--   import_errors        what stands in the way, by line and column
--   import_lines         the rows that can be read, typed
--   import_properties, import_units, import_leases, import_tenants
--                        what each will be, beside what it is: `is_new`, `changes`
--   import_lease_units, import_lease_tenants
--                        which unit and which renter is on which lease
-- An empty cell says nothing: what is there stays. Keys are compared without regard to case.

create function private.drop_import_plan()
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'import_errors', 'import_lines', 'import_properties', 'import_units', 'import_leases', 'import_tenants',
        'import_lease_units', 'import_lease_tenants'
    ] loop
        if to_regclass('pg_temp.' || v_table) is not null then
            execute format('drop table pg_temp.%I', v_table);
        end if;
    end loop;
end
$$;

create function private.plan_import_lines(p_import_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    create temporary table import_errors (
        line integer not null,
        column_name text not null,
        value text,
        code text not null,
        message text not null,
        remedy text not null
    ) on commit drop;

    create temporary table import_lines on commit drop as
    select
        r.line,
        r.data,
        lower(cells.property_name) as property_key,
        lower(cells.unit_number) as unit_key,
        lower(cells.lease_number) as lease_key,
        cells.*
    from private.import_rows as r
    cross join lateral jsonb_to_record(r.data) as cells (
        property_name text,
        property_type text,
        address_line1 text,
        address_line2 text,
        city text,
        state text,
        postal_code text,
        country text,
        timezone text,
        currency text,
        latitude double precision,
        longitude double precision,
        manager_email text,
        unit_number text,
        bedrooms numeric,
        bathrooms numeric,
        area_sqft integer,
        market_rent_minor bigint,
        lease_number text,
        lease_start date,
        lease_end date,
        notice_days integer,
        rent_minor bigint,
        due_day integer,
        deposit_minor bigint,
        lease_status text
    )
    where r.import_id = p_import_id and r.problems is null;
    analyze pg_temp.import_lines;

    insert into pg_temp.import_errors
    select r.line, cell.column_name, cell.value, 'value_invalid', 'This value cannot be read.', cell.remedy
    from private.import_rows as r
    cross join lateral jsonb_to_recordset(r.problems) as cell (column_name text, value text, remedy text)
    where r.import_id = p_import_id and r.problems is not null;

    insert into pg_temp.import_errors
    select l.line, missing.column_name, null, 'value_missing', 'The cell is empty.', missing.remedy
    from pg_temp.import_lines as l
    cross join lateral (
        values
        ('property_name', l.property_name is null, 'Name the property.'),
        ('unit_number', l.unit_number is null, 'Give the unit''s number as it stands on the door.'),
        (
            'lease_number',
            l.lease_number is null and exists (
                select
                from private.rent_roll_columns() as c
                where c.scope in ('lease', 'renter') and l.data ? c.name
            ),
            'Give the lease a number, such as 2026-014; a vacant unit has no cells of a lease or a renter.'
        )
    ) as missing (column_name, is_missing, remedy)
    where missing.is_missing;
end
$$;

-- Rows that speak of the same property, unit or lease must not contradict each other.
create function private.refuse_contradictions()
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    with cells as materialized (
        select
            l.line,
            c.scope,
            c.name,
            cell.value,
            case c.scope
                when 'property' then l.property_key
                when 'unit' then l.property_key || chr(31) || l.unit_key
                else l.lease_key
            end as subject
        from pg_temp.import_lines as l
        cross join lateral jsonb_each_text(l.data) as cell (name, value)
        join private.rent_roll_columns() as c on c.name = cell.name
        where
            c.scope in ('property', 'unit', 'lease')
            and c.name not in ('property_name', 'unit_number', 'lease_number')
    ),
    contested as (
        select c.scope, c.subject, c.name, min(c.line) as first_line
        from cells as c
        where c.subject is not null
        group by c.scope, c.subject, c.name
        having min(lower(c.value)) <> max(lower(c.value))
    )
    insert into pg_temp.import_errors
    select
        c.line,
        c.name,
        c.value,
        c.scope || '_contradicted',
        format('Line %s says %s of the same %s.', first_said.line, first_said.value, c.scope),
        case c.scope
            when 'property' then 'Say the same on both lines, or give two properties two names.'
            when 'unit' then 'Say the same on both lines, or leave the cell empty on all but one.'
            else 'Say the same on both lines: rent and deposit are those of the whole lease. Give two leases two numbers.'
        end
    from contested as k
    join cells as first_said
        on (first_said.scope, first_said.subject, first_said.name, first_said.line)
        = (k.scope, k.subject, k.name, k.first_line)
    join cells as c on (c.scope, c.subject, c.name) = (k.scope, k.subject, k.name)
    where lower(c.value) <> lower(first_said.value);
end
$$;

create function private.plan_import_properties(p_workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    create temporary table import_properties on commit drop as
    with stated as (
        select
            l.property_key as key,
            min(l.line) as line,
            count(distinct l.unit_key) as units,
            (array_agg(l.property_name order by l.line))[1] as name,
            min(l.property_type) as property_type,
            min(l.address_line1) as address_line1,
            min(l.address_line2) as address_line2,
            min(l.city) as city,
            min(l.state) as state,
            min(l.postal_code) as postal_code,
            min(l.country) as country,
            min(l.timezone) as timezone,
            min(l.currency) as currency,
            min(l.latitude) as latitude,
            min(l.longitude) as longitude,
            lower(min(l.manager_email)) as manager_email
        from pg_temp.import_lines as l
        where l.property_key is not null
        group by l.property_key
    ),
    compared as (
        select
            s.*,
            p as known,
            w.currency as workspace_currency,
            w.timezone as workspace_timezone,
            member.user_id as stated_manager_id,
            -- Another street is another place: what a service or a person confirmed of the old one is void.
            p.id is not null and (
                lower(coalesce(s.address_line1, p.address_line1)),
                lower(coalesce(s.city, p.city)),
                lower(coalesce(s.state, p.state)),
                lower(coalesce(s.postal_code, p.postal_code)),
                coalesce(s.country, p.country)
            ) is distinct from (
                lower(p.address_line1), lower(p.city), lower(p.state), lower(p.postal_code), p.country
            ) as moves
        from stated as s
        join public.workspaces as w on w.id = p_workspace_id
        left join public.properties as p on p.workspace_id = p_workspace_id and lower(p.name) = s.key
        left join lateral (
            select m.user_id
            from public.workspace_members as m
            join auth.users as u on u.id = m.user_id
            where m.workspace_id = p_workspace_id and m.status = 'active' and lower(u.email) = s.manager_email
            order by m.user_id
            limit 1
        ) as member on s.manager_email is not null
    ),
    decided as (
        select
            c.key,
            c.line,
            c.manager_email,
            c.stated_manager_id,
            c.currency as stated_currency,
            c.moves,
            c.known,
            (c.known).id is null as is_new,
            coalesce((c.known).id, gen_random_uuid()) as id,
            coalesce((c.known).name, c.name) as name,
            coalesce(
                c.property_type, (c.known).property_type,
                case when c.units > 1 then 'multi_family' else 'single_family' end
            ) as property_type,
            coalesce(c.address_line1, (c.known).address_line1) as address_line1,
            coalesce(c.address_line2, case when not c.moves then (c.known).address_line2 end) as address_line2,
            coalesce(c.city, (c.known).city) as city,
            coalesce(c.state, (c.known).state) as state,
            coalesce(c.postal_code, (c.known).postal_code) as postal_code,
            coalesce(c.country, (c.known).country, 'US') as country,
            coalesce(c.timezone, (c.known).timezone, c.workspace_timezone) as timezone,
            coalesce((c.known).currency, c.currency, c.workspace_currency) as currency,
            coalesce(c.latitude, case when not c.moves then (c.known).latitude end) as latitude,
            coalesce(c.longitude, case when not c.moves then (c.known).longitude end) as longitude,
            coalesce(c.stated_manager_id, (c.known).manager_id) as manager_id
        from compared as c
    )
    select
        d.*,
        not d.is_new and (
            d.property_type, d.address_line1, d.address_line2, d.city, d.state, d.postal_code, d.country,
            d.timezone, d.latitude, d.longitude, d.manager_id
        ) is distinct from (
            (d.known).property_type, (d.known).address_line1, (d.known).address_line2, (d.known).city,
            (d.known).state, (d.known).postal_code, (d.known).country, (d.known).timezone, (d.known).latitude,
            (d.known).longitude, (d.known).manager_id
        ) as changes
    from decided as d;
    analyze pg_temp.import_properties;

    insert into pg_temp.import_errors
    select p.line, wrong.column_name, wrong.value, wrong.code, wrong.message, wrong.remedy
    from pg_temp.import_properties as p
    cross join lateral (
        values
        (
            p.address_line1 is null, 'address_line1', null, 'value_missing',
            'A property that Freehold does not know yet needs an address.',
            'Give the street address, or the name under which the property is known.'
        ),
        (
            p.city is null, 'city', null, 'value_missing',
            'A property that Freehold does not know yet needs a city.', 'Give the city.'
        ),
        (
            p.moves
            and lower(p.address_line1) <> lower((p.known).address_line1)
            and lower(p.city) <> lower((p.known).city),
            'address_line1', p.address_line1, 'property_elsewhere',
            format('The workspace has a property of this name at %s, %s.',
                (p.known).address_line1, (p.known).city),
            'Give this one another name, or correct the address in Freehold first.'
        ),
        (
            (p.latitude is null) <> (p.longitude is null), 'latitude', null, 'coordinates_incomplete',
            'Latitude and longitude come together.', 'Give both, or neither.'
        ),
        (
            not private.is_timezone(p.timezone), 'timezone', p.timezone, 'timezone_unknown',
            'There is no such time zone.', 'Give an IANA name, such as America/Chicago.'
        ),
        (
            p.stated_currency <> p.currency, 'currency', p.stated_currency, 'currency_differs',
            format('The property keeps its money in %s.', p.currency),
            format('Give amounts in %s, and %s in the column currency.', p.currency, p.currency)
        ),
        (
            p.manager_email is not null and p.stated_manager_id is null, 'manager_email', p.manager_email,
            'manager_not_a_member', 'No active member of the workspace has this address.',
            'Invite them first, or leave the cell empty: the owners then get the notices.'
        )
    ) as wrong (is_wrong, column_name, value, code, message, remedy)
    where wrong.is_wrong;
end
$$;

create function private.plan_import_units(p_workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    create temporary table import_units on commit drop as
    with stated as (
        select
            l.property_key,
            l.unit_key as key,
            min(l.line) as line,
            (array_agg(l.unit_number order by l.line))[1] as unit_number,
            min(l.bedrooms) as bedrooms,
            min(l.bathrooms) as bathrooms,
            min(l.area_sqft) as area_sqft,
            min(l.market_rent_minor) as market_rent_minor
        from pg_temp.import_lines as l
        where l.property_key is not null and l.unit_key is not null
        group by l.property_key, l.unit_key
    )
    select
        s.property_key,
        s.key,
        s.line,
        p.id as property_id,
        coalesce(u.id, gen_random_uuid()) as id,
        u.id is null as is_new,
        coalesce(u.unit_number, s.unit_number) as unit_number,
        coalesce(s.bedrooms, u.bedrooms) as bedrooms,
        coalesce(s.bathrooms, u.bathrooms) as bathrooms,
        coalesce(s.area_sqft, u.area_sqft) as area_sqft,
        coalesce(s.market_rent_minor, u.market_rent_minor) as market_rent_minor,
        u.id is not null and (
            coalesce(s.bedrooms, u.bedrooms),
            coalesce(s.bathrooms, u.bathrooms),
            coalesce(s.area_sqft, u.area_sqft),
            coalesce(s.market_rent_minor, u.market_rent_minor)
        ) is distinct from (u.bedrooms, u.bathrooms, u.area_sqft, u.market_rent_minor) as changes
    from stated as s
    join pg_temp.import_properties as p on p.key = s.property_key
    left join public.units as u
        on u.workspace_id = p_workspace_id and u.property_id = p.id and lower(u.unit_number) = s.key;
    analyze pg_temp.import_units;
end
$$;

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
            case l.status when 'active' then greatest(private.local_date(p.timezone, p_now), l.starts_on)
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
            and coalesce(c.status, (c.known).status, 'active') = 'active' as activates
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
        case when lu.id is null or (le.starts_on, le.ends_on) is distinct from ((le.known).starts_on, (le.known).ends_on)
            then le.term
            else lu.possession
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

-- The plan goes on: renters, and who is on which lease.

-- People are found by address; one without an address, by name among those of the same lease.
create function private.plan_import_tenants(p_workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    create temporary table import_lease_tenants on commit drop as
    with people as (
        select
            l.line,
            l.lease_key,
            who.position,
            who.prefix,
            coalesce(l.data ->> (who.prefix || 'first_name'), '') as first_name,
            l.data ->> (who.prefix || 'last_name') as last_name,
            l.data ->> (who.prefix || 'email') as email,
            l.data ->> (who.prefix || 'phone') as phone
        from pg_temp.import_lines as l
        cross join lateral (
            values (1, 'tenant_'), (2, 'co_tenant_'), (3, 'co_tenant_2_'), (4, 'co_tenant_3_'), (5, 'co_tenant_4_')
        ) as who (position, prefix)
        where
            l.lease_key is not null
            and l.data ?| array[
                who.prefix || 'first_name', who.prefix || 'last_name', who.prefix || 'email', who.prefix || 'phone'
            ]
    ),
    named as (
        select p.*, lower(p.first_name || chr(31) || p.last_name) as name_key
        from people as p
    ),
    keyed as (
        select
            n.*,
            coalesce(
                lower(n.email),
                max(lower(n.email)) over (partition by n.lease_key, n.name_key),
                n.lease_key || chr(31) || n.name_key,
                n.line || chr(31) || n.position
            ) as tenant_key
        from named as n
    )
    select k.*, row_number() over (partition by k.lease_key order by k.line, k.position) = 1 as is_primary
    from keyed as k;
    analyze pg_temp.import_lease_tenants;

    insert into pg_temp.import_errors
    select
        t.line, t.prefix || 'last_name', null, 'value_missing', 'The renter has no family name.',
        'Give the family name; a company''s name belongs here too.'
    from pg_temp.import_lease_tenants as t
    where t.last_name is null;

    create temporary table import_tenants on commit drop as
    with stated as (
        select
            t.tenant_key as key,
            min(t.line) as line,
            (array_agg(t.first_name order by t.line, t.position))[1] as first_name,
            (array_agg(t.last_name order by t.line, t.position))[1] as last_name,
            (array_agg(t.name_key order by t.line, t.position))[1] as name_key,
            min(t.email) as email,
            (array_agg(t.phone order by t.line, t.position) filter (where t.phone is not null))[1] as phone,
            bool_or(l.activates) as moves_in,
            bool_or((l.known).status = 'active') as lives_there
        from pg_temp.import_lease_tenants as t
        join pg_temp.import_leases as l on l.key = t.lease_key
        where t.last_name is not null
        group by t.tenant_key
    ),
    by_address as (
        select s.key, t.id
        from stated as s
        join public.tenants as t on t.workspace_id = p_workspace_id and lower(t.email) = lower(s.email)
    ),
    -- Each record once: of two people of one name on a lease, the second is somebody else.
    by_name as (
        select distinct on (found.id) found.key, found.id
        from (
            select distinct on (it.tenant_key) it.tenant_key as key, t.id
            from pg_temp.import_lease_tenants as it
            join pg_temp.import_leases as l on l.key = it.lease_key
            join public.lease_tenants as lt on lt.workspace_id = p_workspace_id and lt.lease_id = l.id
            join public.tenants as t
                on
                    t.workspace_id = lt.workspace_id
                    and t.id = lt.tenant_id
                    and lower(t.first_name || chr(31) || t.last_name) = it.name_key
            where
                not exists (select from by_address as a where a.key = it.tenant_key)
                and not exists (select from by_address as a where a.id = t.id)
            order by it.tenant_key, t.id
        ) as found
        order by found.id, found.key
    )
    select
        s.key,
        s.line,
        s.email as stated_email,
        s.name_key,
        t as known,
        t.id is null as is_new,
        coalesce(t.id, gen_random_uuid()) as id,
        s.first_name,
        s.last_name,
        case when lower(s.email) = lower(t.email) then t.email else coalesce(s.email, t.email) end as email,
        coalesce(s.phone, t.phone) as phone,
        case when s.moves_in or (t.id is null and s.lives_there) then 'current' else coalesce(t.status, 'prospect') end
            as status,
        t.id is not null and (
            lower(s.email) is distinct from lower(t.email) and s.email is not null
            or s.phone is distinct from t.phone and s.phone is not null
            or s.moves_in and t.status <> 'current'
        ) as changes
    from stated as s
    left join (
        select a.key, a.id from by_address as a
        union all
        select n.key, n.id from by_name as n
    ) as found on found.key = s.key
    left join public.tenants as t on t.workspace_id = p_workspace_id and t.id = found.id;
    analyze pg_temp.import_tenants;

    insert into pg_temp.import_errors
    select
        who.line, who.prefix || 'email', who.email, 'email_of_another_renter',
        case when lower((t.known).first_name || chr(31) || (t.known).last_name) <> who.name_key
            then format('The workspace has this as the address of %s.',
                btrim((t.known).first_name || ' ' || (t.known).last_name))
            else format('Line %s has this as the address of %s.', t.line, btrim(t.first_name || ' ' || t.last_name))
        end,
        'Correct the address or the name; give an address to one renter only, or to none.'
    from pg_temp.import_lease_tenants as who
    join pg_temp.import_tenants as t on t.key = who.tenant_key
    where
        who.email is not null
        and (
            who.name_key <> t.name_key
            or lower((t.known).first_name || chr(31) || (t.known).last_name) <> who.name_key
            and lower((t.known).email) = lower(who.email)
        );
end
$$;

-- The plan's end: what of its leases cannot be.

create function private.refuse_lease_conflicts(p_workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    insert into pg_temp.import_errors
    select l.line, 'property_name', l.property_name, 'lease_in_two_properties',
        format('Lease %s is one of %s on line %s.', l.lease_number, p.name, le.line),
        'A lease lets units of one property: give each property a lease of its own.'
    from pg_temp.import_lines as l
    join pg_temp.import_leases as le on le.key = l.lease_key and le.property_key <> l.property_key
    join pg_temp.import_properties as p on p.key = le.property_key;

    insert into pg_temp.import_errors
    select l.line, wrong.column_name, wrong.value, wrong.code, wrong.message, wrong.remedy
    from pg_temp.import_leases as l
    left join public.properties as other
        on other.workspace_id = p_workspace_id and other.id = (l.known).property_id and other.id <> l.property_id
    left join (
        select distinct t.lease_key
        from pg_temp.import_lease_tenants as t
    ) as named on named.lease_key = l.key
    left join public.lease_tenants as primary_renter
        on
            primary_renter.workspace_id = p_workspace_id
            and primary_renter.lease_id = l.id
            and primary_renter.role = 'primary'
    cross join lateral (
        values
        (
            l.starts_on is null, 'lease_start', null, 'value_missing', 'The lease has no first day.',
            'Give the first day of its term.'
        ),
        (
            l.ends_on < l.starts_on, 'lease_end', l.ends_on::text, 'lease_ends_before_start',
            format('The lease begins on %s.', l.starts_on), 'Correct one of the two days.'
        ),
        (
            l.activates and l.rent_minor is null, 'rent_minor', null, 'value_missing',
            'A lease cannot begin without a rent.', 'Give the monthly rent, or lease_status draft.'
        ),
        (
            l.activates and named.lease_key is null and primary_renter.tenant_id is null,
            'tenant_last_name', null, 'value_missing', 'A lease cannot begin without a renter.',
            'Name the renter, or give lease_status draft.'
        ),
        (
            other.id is not null, 'property_name', other.name, 'lease_of_another_property',
            format('Lease %s is one of %s.', l.lease_number, other.name),
            'Correct the property, or give this lease another number.'
        ),
        (
            l.currency <> (l.known).currency, 'currency', l.currency, 'currency_differs',
            format('The lease is in %s, its property in %s.', (l.known).currency, l.currency),
            'Leave this lease out of the file.'
        ),
        (
            (l.known).status = 'ended', 'lease_number', l.lease_number, 'lease_has_ended',
            format('The lease ended on %s.', (l.known).ended_on),
            'Leave it out, or give the renewal a number of its own.'
        ),
        (
            (l.known).status = 'active' and l.stated_status = 'draft', 'lease_status', 'draft', 'lease_has_begun',
            'The lease is active already.', 'Give lease_status active, or leave the cell empty.'
        ),
        (
            (l.known).status = 'active' and l.starts_on <> (l.known).starts_on, 'lease_start', l.starts_on::text,
            'lease_is_fixed', format('The lease has begun: its first day is %s.', (l.known).starts_on),
            'Correct the day, or give a renewal a number of its own.'
        ),
        (
            (l.known).status = 'active' and l.ends_on is distinct from (l.known).ends_on, 'lease_end', l.ends_on::text,
            'lease_is_fixed', format('The lease has begun: its last day is %s.', coalesce((l.known).ends_on::text, 'open')),
            'Correct the day, or give a renewal a number of its own.'
        ),
        (
            (l.known).status = 'active' and l.notice_days <> (l.known).notice_days, 'notice_days', l.notice_days::text,
            'lease_is_fixed', format('The lease has begun: its notice is %s days.', (l.known).notice_days),
            'Correct the number, or leave the cell empty.'
        ),
        (
            (l.known).status = 'active' and l.deposit_minor <> (l.known).deposit_minor, 'deposit_minor',
            l.deposit_minor::text, 'lease_is_fixed', 'The lease has begun with another deposit.',
            'Correct the amount, or leave the cell empty.'
        ),
        (
            (l.known).status = 'active' and l.stated_rent_minor <> l.known_rent_minor, 'rent_minor',
            l.stated_rent_minor::text, 'rent_differs', 'The lease has begun with another rent.',
            'Record the change with its first day as a new row of lease_terms, or leave the cell empty.'
        ),
        (
            (l.known).status = 'active' and l.stated_due_day <> l.known_due_day, 'due_day', l.stated_due_day::text,
            'rent_differs', format('The rent of this lease is due on day %s.', l.known_due_day),
            'Record the change with its first day as a new row of lease_terms, or leave the cell empty.'
        )
    ) as wrong (is_wrong, column_name, value, code, message, remedy)
    where wrong.is_wrong;

    insert into pg_temp.import_errors
    select lu.line, 'unit_number', u.unit_number, 'lease_is_fixed',
        format('Lease %s has begun without this unit.', l.lease_number),
        'Give the unit a lease of its own.'
    from pg_temp.import_lease_units as lu
    join pg_temp.import_leases as l on l.key = lu.lease_key
    join pg_temp.import_units as u on u.id = lu.unit_id
    where lu.is_new and (l.known).status = 'active';

    insert into pg_temp.import_errors
    select who.line, 'tenant_last_name', who.last_name, 'primary_renter_differs',
        format('The primary renter of lease %s is %s.', l.lease_number, btrim(other.first_name || ' ' || other.last_name)),
        'Name that renter first and this one as co-tenant, or give a new lease a number of its own.'
    from pg_temp.import_lease_tenants as who
    join pg_temp.import_leases as l on l.key = who.lease_key
    join pg_temp.import_tenants as t on t.key = who.tenant_key
    join public.lease_tenants as lt
        on lt.workspace_id = p_workspace_id and lt.lease_id = l.id and lt.role = 'primary' and lt.tenant_id <> t.id
    join public.tenants as other on other.workspace_id = lt.workspace_id and other.id = lt.tenant_id
    where who.is_primary;
end
$$;

-- Two leases cannot hold a unit on the same day: neither two of the file, nor one of the file and one that binds already.
create function private.refuse_import_overlaps(p_workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    with clashes as (
        select mine.line, mine.lease_key, mine.unit_id, other.lease_key as other_key, null::uuid as other_id, other.line as other_line
        from pg_temp.import_lease_units as mine
        join pg_temp.import_lease_units as other
            on
                other.unit_id = mine.unit_id
                and other.possession && mine.possession
                and (other.line, other.lease_key) < (mine.line, mine.lease_key)
                and other.lease_key <> mine.lease_key
        where mine.activates and other.activates
        union all
        select mine.line, mine.lease_key, mine.unit_id, null, lu.lease_id, null
        from pg_temp.import_lease_units as mine
        join public.lease_units as lu
            on
                lu.workspace_id = p_workspace_id
                and lu.unit_id = mine.unit_id
                and lu.lease_id <> mine.lease_id
                and lu.possession && mine.possession
                and lu.binding
                and lu.superseded_at is null
        where mine.activates
    )
    insert into pg_temp.import_errors
    select distinct on (o.line, o.lease_key, o.unit_id)
        o.line,
        'unit_number',
        coalesce(iu.unit_number, u.unit_number),
        'possession_overlap',
        format(
            'Lease %s%s holds the unit in that time.', coalesce(il.lease_number, l.lease_number),
            ' of line ' || o.other_line
        ),
        'End that lease first, correct the days of one of them, or give lease_status draft.'
    from clashes as o
    left join pg_temp.import_units as iu on iu.id = o.unit_id
    left join public.units as u on u.workspace_id = p_workspace_id and u.id = o.unit_id
    left join pg_temp.import_leases as il on il.key = o.other_key
    left join public.leases as l on l.workspace_id = p_workspace_id and l.id = o.other_id
    order by o.line, o.lease_key, o.unit_id, o.other_line nulls last, l.lease_number;
end
$$;

-- Writing what the plan says, and only that: rows that are as they should be are not touched.

-- Holds still what the rows name until the import is through. Properties, leases, units: the order in which deleting a
-- property and activating a lease take them too. Then renters, by address or by lease: nothing waits for them alone.
create function private.lock_import_targets(p_import public.imports)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    perform from public.properties as p
    where
        p.workspace_id = p_import.workspace_id
        and lower(p.name) = any (array(
            select distinct lower(r.data ->> 'property_name') from private.import_rows as r where r.import_id = p_import.id
        ))
    order by p.id
    for no key update;
    perform from public.leases as l
    where
        l.workspace_id = p_import.workspace_id
        and lower(l.lease_number) = any (array(
            select distinct lower(r.data ->> 'lease_number') from private.import_rows as r where r.import_id = p_import.id
        ))
    order by l.id
    for no key update;
    perform from public.units as u
    where
        u.workspace_id = p_import.workspace_id
        and u.property_id = any (array(
            select p.id
            from public.properties as p
            where
                p.workspace_id = p_import.workspace_id
                and lower(p.name) = any (array(
                    select distinct lower(r.data ->> 'property_name')
                    from private.import_rows as r
                    where r.import_id = p_import.id
                ))
        ))
    order by u.id
    for no key update;
    perform from public.tenants as t
    where
        t.workspace_id = p_import.workspace_id
        and (
            lower(t.email) = any (array(
                select distinct lower(cell.value)
                from private.import_rows as r
                cross join lateral jsonb_each_text(r.data) as cell (name, value)
                where
                    r.import_id = p_import.id
                    and cell.name in (
                        'tenant_email', 'co_tenant_email', 'co_tenant_2_email', 'co_tenant_3_email', 'co_tenant_4_email'
                    )
            ))
            or t.id = any (array(
                select lt.tenant_id
                from public.lease_tenants as lt
                join public.leases as l on l.workspace_id = lt.workspace_id and l.id = lt.lease_id
                where
                    l.workspace_id = p_import.workspace_id
                    and lower(l.lease_number) = any (array(
                        select distinct lower(r.data ->> 'lease_number')
                        from private.import_rows as r
                        where r.import_id = p_import.id
                    ))
            ))
        )
    order by t.id
    for no key update;
end
$$;

create function private.write_import_portfolio(p_workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_rows bigint;
begin
    insert into public.properties (
        id, workspace_id, name, property_type, address_line1, address_line2, city, state, postal_code, country,
        latitude, longitude, timezone, currency, manager_id
    )
    select
        p.id, p_workspace_id, p.name, p.property_type, p.address_line1, p.address_line2, p.city, p.state, p.postal_code,
        p.country, p.latitude, p.longitude, p.timezone, p.currency, p.manager_id
    from pg_temp.import_properties as p
    where p.is_new
    order by p.line;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.properties', v_rows);

    update public.properties as known
    set
        property_type = p.property_type,
        address_line1 = p.address_line1,
        address_line2 = p.address_line2,
        city = p.city,
        state = p.state,
        postal_code = p.postal_code,
        country = p.country,
        latitude = p.latitude,
        longitude = p.longitude,
        timezone = p.timezone,
        manager_id = p.manager_id,
        address_status = case when p.moves then 'unverified' else known.address_status end,
        place_id = case when not p.moves then known.place_id end
    from pg_temp.import_properties as p
    where p.changes and known.id = p.id;

    insert into public.units (
        id, workspace_id, property_id, unit_number, bedrooms, bathrooms, area_sqft, market_rent_minor
    )
    select
        u.id, p_workspace_id, u.property_id, u.unit_number, u.bedrooms, u.bathrooms, u.area_sqft, u.market_rent_minor
    from pg_temp.import_units as u
    where u.is_new
    order by u.line;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.units', v_rows);

    update public.units as known
    set
        bedrooms = u.bedrooms,
        bathrooms = u.bathrooms,
        area_sqft = u.area_sqft,
        market_rent_minor = u.market_rent_minor
    from pg_temp.import_units as u
    where u.changes and known.id = u.id;

    insert into public.tenants (id, workspace_id, first_name, last_name, email, phone, status)
    select t.id, p_workspace_id, t.first_name, t.last_name, t.email, t.phone, t.status
    from pg_temp.import_tenants as t
    where t.is_new
    order by t.line;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.tenants', v_rows);

    update public.tenants as known
    set email = t.email, phone = t.phone, status = t.status
    from pg_temp.import_tenants as t
    where t.changes and known.id = t.id;
end
$$;

-- A lease that is new begins as it is meant to be; a draft that begins does so as in activate_lease(), units first.
create function private.write_import_leases(p_workspace_id uuid, p_now timestamptz)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_rows bigint;
begin
    insert into public.leases (
        id, workspace_id, property_id, lease_number, status, starts_on, ends_on, notice_days, currency, deposit_minor,
        activated_at
    )
    select
        l.id, p_workspace_id, l.property_id, l.lease_number, case when l.activates then 'active' else 'draft' end,
        l.starts_on, l.ends_on, l.notice_days, l.currency, l.deposit_minor, case when l.activates then p_now end
    from pg_temp.import_leases as l
    where l.is_new
    order by l.line;

    insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor, due_day)
    select p_workspace_id, l.id, l.starts_on, l.rent_minor, l.due_day
    from pg_temp.import_leases as l
    where l.sets_rent
    order by l.line;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.lease_terms', v_rows);

    insert into public.lease_tenants as lt (workspace_id, lease_id, tenant_id, role)
    select p_workspace_id, l.id, t.id, case when bool_or(it.is_primary) then 'primary' else 'co_tenant' end
    from pg_temp.import_lease_tenants as it
    join pg_temp.import_leases as l on l.key = it.lease_key
    join pg_temp.import_tenants as t on t.key = it.tenant_key
    group by l.id, t.id
    on conflict (workspace_id, lease_id, tenant_id) do update set role = 'primary'
    where excluded.role = 'primary' and lt.role <> 'primary';
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.lease_tenants', v_rows);

    update public.lease_units as known
    set
        possession = lu.possession,
        binding = lu.activates,
        recorded_at = clock_timestamp()
    from pg_temp.import_lease_units as lu
    where
        not lu.is_new
        and known.workspace_id = p_workspace_id
        and known.lease_id = lu.lease_id
        and known.unit_id = lu.unit_id
        and known.superseded_at is null
        and not known.binding
        and (lu.activates or known.possession <> lu.possession);

    insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession, binding)
    select p_workspace_id, l.property_id, l.id, lu.unit_id, lu.possession, l.activates
    from pg_temp.import_lease_units as lu
    join pg_temp.import_leases as l on l.key = lu.lease_key
    where lu.is_new
    order by lu.unit_id;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.lease_units', v_rows);

    update public.leases as known
    set
        starts_on = l.starts_on,
        ends_on = l.ends_on,
        notice_days = l.notice_days,
        deposit_minor = l.deposit_minor,
        status = case when l.activates then 'active' else known.status end,
        activated_at = case when l.activates then p_now else known.activated_at end
    from pg_temp.import_leases as l
    where not l.is_new and (l.changes or l.activates) and known.id = l.id;
end
$$;

-- Checking an import and carrying it out: one plan, worked out the same way for both.

create function private.plan_import(p_import public.imports, p_now timestamptz)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.drop_import_plan();
    perform private.plan_import_lines(p_import.id);
    perform private.refuse_contradictions();
    perform private.plan_import_properties(p_import.workspace_id);
    perform private.plan_import_units(p_import.workspace_id);
    perform private.plan_import_leases(p_import.workspace_id, p_now);
    perform private.plan_import_lease_units(p_import.workspace_id);
    perform private.plan_import_tenants(p_import.workspace_id);
    perform private.refuse_lease_conflicts(p_import.workspace_id);
    perform private.refuse_import_overlaps(p_import.workspace_id);
end
$$;

-- What the plan comes to: {properties, units, tenants, leases: {created, updated, unchanged}, leases_activated}.
create function private.import_summary(p_workspace_id uuid)
    returns jsonb
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    return (
        with joined_by (lease_key) as (
            select lu.lease_key
            from pg_temp.import_lease_units as lu
            where lu.is_new
            union
            select it.lease_key
            from pg_temp.import_lease_tenants as it
            join pg_temp.import_leases as l on l.key = it.lease_key
            join pg_temp.import_tenants as t on t.key = it.tenant_key
            left join public.lease_tenants as lt
                on lt.workspace_id = p_workspace_id and lt.lease_id = l.id and lt.tenant_id = t.id
            where lt.tenant_id is null or it.is_primary and lt.role <> 'primary'
        ),
        planned (kind, is_new, changes) as (
            select 'properties', p.is_new, p.changes from pg_temp.import_properties as p
            union all
            select 'units', u.is_new, u.changes from pg_temp.import_units as u
            union all
            select 'tenants', t.is_new, t.changes from pg_temp.import_tenants as t
            union all
            select
                'leases', l.is_new,
                l.changes or l.activates or l.sets_rent or l.key in (select j.lease_key from joined_by as j)
            from pg_temp.import_leases as l
        )
        select
            jsonb_object_agg(k.kind, jsonb_build_object(
                'created', (select count(*) from planned as p where p.kind = k.kind and p.is_new),
                'updated', (select count(*) from planned as p where p.kind = k.kind and not p.is_new and p.changes),
                'unchanged', (select count(*) from planned as p where p.kind = k.kind and not p.is_new and not p.changes)
            ))
            || jsonb_build_object(
                'leases_activated', (select count(*) from pg_temp.import_leases as l where l.activates)
            )
        from unnest(array['properties', 'units', 'tenants', 'leases']) as k (kind)
    );
end
$$;

create function private.check_import(p_import_id uuid, p_now timestamptz)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_import public.imports := private.lock_import(p_import_id);
begin
    if v_import.status <> 'staged' then
        return jsonb_build_object('errors', '[]'::jsonb, 'changes', v_import.result);
    end if;
    perform private.plan_import(v_import, p_now);
    return jsonb_build_object(
        'errors', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'line', e.line, 'column', e.column_name, 'value', e.value, 'code', e.code, 'message', e.message,
                'remedy', e.remedy
            ) order by e.line, e.column_name, e.code, e.message), '[]')
            from (select distinct * from pg_temp.import_errors) as e
        ),
        'changes', private.import_summary(v_import.workspace_id)
    );
end
$$;

create function private.commit_import(p_import_id uuid, p_now timestamptz)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_import public.imports := private.lock_import(p_import_id);
    v_errors bigint;
    v_result jsonb;
    v_conflict text;
begin
    -- The answer of the first commit was lost: here it is again.
    if v_import.status = 'committed' then
        return v_import.result;
    end if;
    if v_import.row_count = 0 then
        perform private.fail(
            422, 'import_is_empty', 'This import has no rows.', p_hint := 'Stage them with rpc/stage_import_rows.'
        );
    end if;
    -- Imports of a workspace go one after the other: the second one finds what the first one made.
    perform pg_advisory_xact_lock(hashtextextended('freehold.import:' || v_import.workspace_id, 0));
    -- Asked again: the caller's role may have changed while they waited.
    perform private.require_import(v_import.workspace_id);
    perform private.lock_import_targets(v_import);
    perform private.plan_import(v_import, p_now);
    select count(*) into v_errors from pg_temp.import_errors;
    if v_errors > 0 then
        perform private.fail(
            422, 'import_has_errors', format('Nothing was imported: %s cells stand in the way.', v_errors),
            p_hint := 'List them with rpc/check_import, correct the file and stage it again.'
        );
    end if;
    v_result := private.import_summary(v_import.workspace_id);
    begin
        perform private.write_import_portfolio(v_import.workspace_id);
        perform private.write_import_leases(v_import.workspace_id, p_now);
    exception when unique_violation or exclusion_violation or foreign_key_violation then
        get stacked diagnostics v_conflict = constraint_name;
        perform private.fail(
            409, 'import_raced', 'Somebody changed the same records while the import ran; nothing was imported.',
            format('constraint=%s', v_conflict), 'Commit again.'
        );
    end;
    delete from private.import_rows where import_id = p_import_id;
    update public.imports
    set status = 'committed', committed_at = p_now, result = v_result
    where id = p_import_id;
    perform private.drop_import_plan();
    return v_result;
end
$$;

-- What clients call to import a file.

grant execute on function private.start_import(uuid, text, text, text) to authenticated;
grant execute on function private.stage_import_rows(uuid, jsonb) to authenticated;
grant execute on function private.discard_import(uuid) to authenticated;
grant execute on function private.check_import(uuid, timestamptz) to authenticated;
grant execute on function private.commit_import(uuid, timestamptz) to authenticated;

create function public.start_import(workspace_id uuid, kind text, file_name text, file_digest text)
    returns public.imports
    volatile
    set search_path = ''
    language sql
as $$
    select private.start_import(workspace_id, kind, file_name, file_digest)
$$;

comment on function public.start_import(uuid, text, text, text) is $$Starts an import

`kind` is rent_roll; `file_digest` is the file's SHA-256 in hexadecimal. Needs `imports.run`, `portfolio.write`,
`renters.write` and `leases.write`. Answers the import, to be filled with `rpc/stage_import_rows`.$$;

grant execute on function public.start_import(uuid, text, text, text) to authenticated;

create function public.stage_import_rows(import_id uuid, rows jsonb)
    returns integer
    volatile
    set search_path = ''
    language sql
as $$
    select private.stage_import_rows(import_id, rows)
$$;

comment on function public.stage_import_rows(uuid, jsonb) is $$Adds rows to an import

`rows` is a list of at most 1,000 {line, data}; a line staged again replaces what it held, so a lost answer is no harm.
docs/reference/rent-roll-csv.md names the cells of `data`. An import takes 12,000 rows (413 `import_too_large`). Changes
nothing in the workspace yet. Answers how many rows the import has.$$;

grant execute on function public.stage_import_rows(uuid, jsonb) to authenticated;

-- The time-out is for slow machines: PostgREST applies it to the request. 10,000 rows take a few seconds.
create function public.check_import(import_id uuid)
    returns jsonb
    volatile
    set search_path = ''
    set statement_timeout = '30s'
    language sql
as $$
    select private.check_import(import_id, now())
$$;

comment on function public.check_import(uuid) is $$Tells what a commit would do, and all that stands in its way

Changes nothing. Answers {errors: [{line, column, value, code, message, remedy}], changes: {properties, units, tenants,
leases: {created, updated, unchanged}, leases_activated}}; `changes` is provisional while there are errors.$$;

grant execute on function public.check_import(uuid) to authenticated;

create function public.commit_import(import_id uuid)
    returns jsonb
    volatile
    set search_path = ''
    set statement_timeout = '30s'
    language sql
as $$
    select private.commit_import(import_id, now())
$$;

comment on function public.commit_import(uuid) is $$Carries an import out, all of it or nothing

Properties are found by name, units by number, renters by e-mail, leases by number; an empty cell changes nothing, and what
is as the file says stays untouched. 422 `import_has_errors` while rpc/check_import lists any; 409 `import_raced` if somebody
else wrote the same records meanwhile: commit again. A commit whose answer was lost may be repeated. Answers {properties,
units, tenants, leases: {created, updated, unchanged}, leases_activated}.$$;

grant execute on function public.commit_import(uuid) to authenticated;

create function public.discard_import(import_id uuid)
    returns void
    volatile
    set search_path = ''
    language sql
as $$
    select private.discard_import(import_id)
$$;

comment on function public.discard_import(uuid) is $$Withdraws an import that is not committed

Its rows are deleted at once; otherwise they are a day after it was started. 409 `import_committed` for one that is.$$;

grant execute on function public.discard_import(uuid) to authenticated;

-- Who may do what with imports. Members who run them see them all; every change goes through an RPC.

alter table public.imports enable row level security;
revoke all on public.imports from anon, authenticated, service_role;
grant select on public.imports to service_role;
grant select on public.imports to authenticated;

create policy members_select on public.imports
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('imports.run'))));

-- Who may do what with the history of statuses. Members and parties read it; the database alone writes it.

alter table public.lease_status_changes enable row level security;
revoke all on public.lease_status_changes from anon, authenticated, service_role;
grant select on public.lease_status_changes to service_role;
grant select on public.lease_status_changes to authenticated;

create policy members_and_portal_select on public.lease_status_changes
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('leases.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('leases.read'))
            or lease_id in (select private.my_lease_ids())
        )
    );

-- Who may do what with the people on a lease. Members by permission; a party sees who else is on it.

alter table public.lease_tenants enable row level security;
revoke all on public.lease_tenants from anon, authenticated, service_role;
grant select on public.lease_tenants to service_role;
grant select, delete on public.lease_tenants to authenticated;
grant insert (workspace_id, lease_id, tenant_id, role, share) on public.lease_tenants to authenticated;
grant update (role, share) on public.lease_tenants to authenticated;

create policy members_and_portal_select on public.lease_tenants
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('leases.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('leases.read'))
            or lease_id in (select private.my_lease_ids())
        )
    );

create policy members_insert on public.lease_tenants
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('leases.write'))));

create policy members_update on public.lease_tenants
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('leases.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('leases.write'))));

create policy members_delete on public.lease_tenants
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('leases.write'))));

-- Who may do what with rents. A change is a new row; a row of a lease that has begun is never deleted.

alter table public.lease_terms enable row level security;
revoke all on public.lease_terms from anon, authenticated, service_role;
grant select on public.lease_terms to service_role;
grant select, delete on public.lease_terms to authenticated;
grant insert (
    workspace_id, lease_id, effective_on, rent_minor, due_day
) on public.lease_terms to authenticated;

create policy members_and_portal_select on public.lease_terms
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('leases.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('leases.read'))
            or lease_id in (select private.my_lease_ids())
        )
    );

create policy members_insert on public.lease_terms
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('leases.write'))));

create policy members_delete on public.lease_terms
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('leases.write'))));

-- Who may do what with possession. Members plan a draft's units; what binds, and what supersedes it, comes from RPCs.

alter table public.lease_units enable row level security;
revoke all on public.lease_units from anon, authenticated, service_role;
grant select on public.lease_units to service_role;
grant select, delete on public.lease_units to authenticated;
grant insert (
    workspace_id, property_id, lease_id, unit_id, possession
) on public.lease_units to authenticated;

create policy members_and_portal_select on public.lease_units
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('leases.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('leases.read'))
            or lease_id in (select private.my_lease_ids())
        )
    );

create policy members_insert on public.lease_units
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('leases.write'))));

create policy members_delete on public.lease_units
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('leases.write'))));

-- Who may do what with leases. Members by permission; a renter sees those they are a party to. Status moves by RPC.

alter table public.leases enable row level security;
revoke all on public.leases from anon, authenticated, service_role;
grant select on public.leases to service_role;
grant select, delete on public.leases to authenticated;
grant insert (
    workspace_id, property_id, lease_number, starts_on, ends_on, notice_days, currency, deposit_minor
) on public.leases to authenticated;
grant update (
    lease_number, starts_on, ends_on, notice_days, currency, deposit_minor
) on public.leases to authenticated;

create policy members_and_portal_select on public.leases
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('leases.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('leases.read'))
            or id in (select private.my_lease_ids())
        )
    );

create policy members_insert on public.leases
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('leases.write'))));

create policy members_update on public.leases
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('leases.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('leases.write'))));

create policy members_delete on public.leases
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('leases.write'))));

-- Who may do what with messages. Members read what was sent in their name; the database alone writes.

alter table public.messages enable row level security;
revoke all on public.messages from anon, authenticated, service_role;
grant select on public.messages to service_role;
grant select on public.messages to authenticated;

create policy members_select on public.messages
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('messages.read'))));

-- Who may do what with properties. Members by permission; a renter sees the one they rent in.

alter table public.properties enable row level security;
revoke all on public.properties from anon, authenticated, service_role;
grant select on public.properties to service_role;
grant select, delete on public.properties to authenticated;
grant insert (
    workspace_id, name, property_type, status, address_line1, address_line2, city, state, postal_code,
    country, latitude, longitude, place_id, address_status, timezone, currency, manager_id
) on public.properties to authenticated;
grant update (
    name, property_type, status, address_line1, address_line2, city, state, postal_code, country,
    latitude, longitude, place_id, address_status, timezone, currency, manager_id
) on public.properties to authenticated;

create policy members_and_portal_select on public.properties
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('portfolio.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('portfolio.read'))
            or id in (select private.my_property_ids())
        )
    );

create policy members_insert on public.properties
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_update on public.properties
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_delete on public.properties
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

-- Who may do what with renters. Members by permission; a signed-in renter sees their own record.

alter table public.tenants enable row level security;
revoke all on public.tenants from anon, authenticated, service_role;
grant select on public.tenants to service_role;
grant select, delete on public.tenants to authenticated;
grant insert (workspace_id, first_name, last_name, email, phone, status) on public.tenants to authenticated;
grant update (first_name, last_name, email, phone, status) on public.tenants to authenticated;

create policy members_and_portal_select on public.tenants
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_with('renters.read')))
        or user_id = (select auth.uid())
    );

create policy members_insert on public.tenants
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('renters.write'))));

create policy members_update on public.tenants
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('renters.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('renters.write'))));

create policy members_delete on public.tenants
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('renters.write'))));

-- Who may do what with units. Members by permission; a renter sees those that their leases hold.

alter table public.units enable row level security;
revoke all on public.units from anon, authenticated, service_role;
grant select on public.units to service_role;
grant select, delete on public.units to authenticated;
grant insert (
    workspace_id, property_id, unit_number, status, bedrooms, bathrooms, area_sqft, market_rent_minor
) on public.units to authenticated;
grant update (
    unit_number, status, bedrooms, bathrooms, area_sqft, market_rent_minor
) on public.units to authenticated;

create policy members_and_portal_select on public.units
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('portfolio.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('portfolio.read'))
            or id in (select private.my_unit_ids())
        )
    );

create policy members_insert on public.units
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_update on public.units
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_delete on public.units
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

-- Who may do what with vendors. Members by permission; a signed-in vendor sees their own record.

alter table public.vendors enable row level security;
revoke all on public.vendors from anon, authenticated, service_role;
grant select on public.vendors to service_role;
grant select, delete on public.vendors to authenticated;
grant insert (workspace_id, name, email, phone, status) on public.vendors to authenticated;
grant update (name, email, phone, status) on public.vendors to authenticated;

create policy members_and_portal_select on public.vendors
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_with('portfolio.read')))
        or user_id = (select auth.uid())
    );

create policy members_insert on public.vendors
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_update on public.vendors
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_delete on public.vendors
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

-- Who may do what with invitations. Whoever manages members sees and withdraws them.

alter table public.workspace_invitations enable row level security;
revoke all on public.workspace_invitations from anon, authenticated, service_role;
grant select on public.workspace_invitations to service_role;
grant select, delete on public.workspace_invitations to authenticated;

create policy members_select on public.workspace_invitations
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_with('members.manage')))
        or (kind = 'renter' and workspace_id = any (array(select private.workspaces_with('renters.write'))))
        or (kind = 'vendor' and workspace_id = any (array(select private.workspaces_with('portfolio.write'))))
    );

create policy members_delete on public.workspace_invitations
    for delete to authenticated
    using (
        workspace_id = any (array(select private.workspaces_with('members.manage')))
        or (kind = 'renter' and workspace_id = any (array(select private.workspaces_with('renters.write'))))
        or (kind = 'vendor' and workspace_id = any (array(select private.workspaces_with('portfolio.write'))))
    );

-- Who may do what with memberships. Members see each other; every change goes through an RPC.

alter table public.workspace_members enable row level security;
revoke all on public.workspace_members from anon, authenticated, service_role;
grant select on public.workspace_members to service_role;
grant select on public.workspace_members to authenticated;

create policy members_select on public.workspace_members
    for select to authenticated
    using (workspace_id = any (array(select private.my_workspaces())));

-- Who may do what with workspaces. Members see theirs, portal users the one that keeps their record.

alter table public.workspaces enable row level security;
revoke all on public.workspaces from anon, authenticated, service_role;
grant select on public.workspaces to service_role;
grant select, delete on public.workspaces to authenticated;
grant update (name, currency, timezone) on public.workspaces to authenticated;

create policy members_and_portal_select on public.workspaces
    for select to authenticated
    using (
        id = any (array(select private.my_workspaces()))
        or id = any (array(select private.my_portal_workspaces()))
    );

create policy members_update on public.workspaces
    for update to authenticated
    using (id = any (array(select private.workspaces_with('settings.manage'))))
    with check (id = any (array(select private.workspaces_with('settings.manage'))));

create policy members_delete on public.workspaces
    for delete to authenticated
    using (id = any (array(select private.workspaces_with('workspace.delete'))));

