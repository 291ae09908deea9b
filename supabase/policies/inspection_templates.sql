-- Who may do what with templates of inspections. Members read them; whoever manages settings writes them.

alter table public.inspection_templates enable row level security;
revoke all on public.inspection_templates from anon, authenticated, service_role;
grant select on public.inspection_templates to service_role;
grant select, delete on public.inspection_templates to authenticated;
grant insert (workspace_id, name, inspection_type, status) on public.inspection_templates to authenticated;
grant update (name, inspection_type, status) on public.inspection_templates to authenticated;

create policy members_select on public.inspection_templates
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.read'))));

create policy members_insert on public.inspection_templates
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('settings.manage'))));

create policy members_update on public.inspection_templates
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('settings.manage'))))
    with check (workspace_id = any (array(select private.workspaces_with('settings.manage'))));

create policy members_delete on public.inspection_templates
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('settings.manage'))));
