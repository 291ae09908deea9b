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
    audit_retention_months integer not null default 84 check (audit_retention_months between 12 and 240),
    created_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create index workspaces_created_by_idx on public.workspaces (created_by) where created_by is not null;

create trigger touch_updated_at before update on public.workspaces
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.workspaces
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.workspaces
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.workspaces
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.workspaces
    referencing old table as old_rows
    for each statement execute function private.record_changes();

comment on table public.workspaces is $$A team and everything it manages.

Made with `rpc/create_workspace`, whose caller becomes the owner. A workspace that has a lease which has begun cannot be
deleted.$$;
comment on column public.workspaces.id is $$Identifies the workspace; every other row names it as `workspace_id`.$$;
comment on column public.workspaces.name is $$What people call it, 1 to 120 characters; it stands in the mails it sends.$$;
comment on column public.workspaces.currency is $$ISO 4217 code that new properties start with.$$;
comment on column public.workspaces.timezone is $$IANA name, such as America/Chicago, that new properties start with.$$;
comment on column public.workspaces.audit_retention_months is
    $$For how many months the change log is kept: 12 to 240. What is older is dropped, and an entry says so.$$;
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

create trigger record_inserts after insert on public.workspace_members
    referencing new table as new_rows
    for each statement execute function private.record_changes('{user_id}');

create trigger record_updates after update on public.workspace_members
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{user_id}');

create trigger record_deletes after delete on public.workspace_members
    referencing old table as old_rows
    for each statement execute function private.record_changes('{user_id}');

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
