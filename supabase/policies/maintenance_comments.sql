-- Who may do what with comments. Members by permission; renter and vendor read what is shown to them, and answer. Words stay.

alter table public.maintenance_comments enable row level security;
revoke all on public.maintenance_comments from anon, authenticated, service_role;
grant select on public.maintenance_comments to service_role;
grant select on public.maintenance_comments to authenticated;
grant insert (
    workspace_id, request_id, body, visible_to_renter, visible_to_vendor
) on public.maintenance_comments to authenticated;
grant update (visible_to_renter, visible_to_vendor) on public.maintenance_comments to authenticated;

create policy members_and_portal_select on public.maintenance_comments
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('maintenance.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('maintenance.read'))
            or (visible_to_renter and request_id in (select private.my_household_request_ids()))
            or (visible_to_vendor and request_id in (select private.my_assigned_request_ids()))
        )
    );

create policy members_and_portal_insert on public.maintenance_comments
    for insert to authenticated
    with check (
        workspace_id = any (array(select private.workspaces_with('maintenance.write')))
        or request_id = any (array(select private.my_request_ids()))
    );

create policy members_update on public.maintenance_comments
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));
