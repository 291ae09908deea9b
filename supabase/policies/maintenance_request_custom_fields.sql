-- Who may do what with the custom fields of a maintenance request. Members by permission. They are the workspace's own notes: no renter or
-- vendor sees them, not even of what is theirs to do.

alter table public.maintenance_request_custom_fields enable row level security;
revoke all on public.maintenance_request_custom_fields from anon, authenticated, service_role;
grant select on public.maintenance_request_custom_fields to service_role;
grant select, delete on public.maintenance_request_custom_fields to authenticated;
grant insert (workspace_id, request_id, fields) on public.maintenance_request_custom_fields to authenticated;
grant update (fields) on public.maintenance_request_custom_fields to authenticated;

create policy members_select on public.maintenance_request_custom_fields
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.read'))));

create policy members_insert on public.maintenance_request_custom_fields
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));

create policy members_update on public.maintenance_request_custom_fields
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));

create policy members_delete on public.maintenance_request_custom_fields
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));
