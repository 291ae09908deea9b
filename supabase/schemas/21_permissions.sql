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
