-- Who may do what with maintenance requests. Members by permission; a renter sees what is shown to their household, a vendor
-- what is assigned to them. Status, assignee and window move by RPC; nothing is deleted.

alter table public.maintenance_requests enable row level security;
revoke all on public.maintenance_requests from anon, authenticated, service_role;
grant select on public.maintenance_requests to service_role;
grant select on public.maintenance_requests to authenticated;
grant insert (
    workspace_id, property_id, unit_id, lease_id, tenant_id, title, description, category, priority, access_notes,
    permission_to_enter, shown_to_renter, due_on
) on public.maintenance_requests to authenticated;
grant update (
    title, description, category, priority, access_notes, permission_to_enter, shown_to_renter, due_on
) on public.maintenance_requests to authenticated;

create policy members_and_portal_select on public.maintenance_requests
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('maintenance.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('maintenance.read'))
            or id in (select private.my_request_ids())
        )
    );

create policy members_insert on public.maintenance_requests
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));

create policy members_update on public.maintenance_requests
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));
