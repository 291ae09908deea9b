-- Who may do what with the custom fields of a property. Members by permission. They are the workspace's own notes: no portal user
-- sees them, not even of what is theirs.

alter table public.property_custom_fields enable row level security;
revoke all on public.property_custom_fields from anon, authenticated, service_role;
grant select on public.property_custom_fields to service_role;
grant select, delete on public.property_custom_fields to authenticated;
grant insert (workspace_id, property_id, fields) on public.property_custom_fields to authenticated;
grant update (fields) on public.property_custom_fields to authenticated;

create policy members_select on public.property_custom_fields
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.read'))));

create policy members_insert on public.property_custom_fields
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_update on public.property_custom_fields
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_delete on public.property_custom_fields
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));
