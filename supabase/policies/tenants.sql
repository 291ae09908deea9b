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
