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
