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
