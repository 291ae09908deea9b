-- Who may do what with the definitions of custom fields. Whoever may read what they describe, as a member, reads them; whoever
-- manages the workspace's settings writes them.

alter table public.custom_field_definitions enable row level security;
revoke all on public.custom_field_definitions from anon, authenticated, service_role;
grant select on public.custom_field_definitions to service_role;
grant select, delete on public.custom_field_definitions to authenticated;
grant insert (
    workspace_id, entity, key, label, type, options, required, position
) on public.custom_field_definitions to authenticated;
grant update (label, options, required, position, status) on public.custom_field_definitions to authenticated;

create policy members_select on public.custom_field_definitions
    for select to authenticated
    using (
        entity in ('properties', 'units')
        and workspace_id = any (array(select private.workspaces_with('portfolio.read')))
        or entity = 'tenants' and workspace_id = any (array(select private.workspaces_with('renters.read')))
        or entity = 'leases' and workspace_id = any (array(select private.workspaces_with('leases.read')))
        or entity = 'maintenance_requests'
        and workspace_id = any (array(select private.workspaces_with('maintenance.read')))
    );

create policy members_insert on public.custom_field_definitions
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('settings.manage'))));

create policy members_update on public.custom_field_definitions
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('settings.manage'))))
    with check (workspace_id = any (array(select private.workspaces_with('settings.manage'))));

create policy members_delete on public.custom_field_definitions
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('settings.manage'))));
