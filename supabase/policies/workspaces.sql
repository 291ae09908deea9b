-- Who may do what with workspaces. Members see theirs, portal users the one that keeps their record.

alter table public.workspaces enable row level security;
revoke all on public.workspaces from anon, authenticated, service_role;
grant select on public.workspaces to service_role;
grant select, delete on public.workspaces to authenticated;
grant update (name, currency, timezone, audit_retention_months) on public.workspaces to authenticated;

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
