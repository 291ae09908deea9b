-- Who may do what with inspections. Members by permission; renters read the completed move-in and move-out of their leases.

alter table public.inspections enable row level security;
revoke all on public.inspections from anon, authenticated, service_role;
grant select on public.inspections to service_role;
grant select, delete on public.inspections to authenticated;
grant insert (
    workspace_id, property_id, unit_id, lease_id, inspection_type, title, scheduled_at, performed_at, inspector_id,
    notes
) on public.inspections to authenticated;
grant update (
    unit_id, lease_id, inspection_type, title, scheduled_at, performed_at, inspector_id, notes
) on public.inspections to authenticated;

create policy members_and_portal_select on public.inspections
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('maintenance.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('maintenance.read'))
            or id in (select private.my_inspection_ids())
        )
    );

create policy members_insert on public.inspections
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));

create policy members_update on public.inspections
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));

create policy members_delete on public.inspections
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));
