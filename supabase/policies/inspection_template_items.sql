-- Who may do what with what templates list. Members read it; whoever manages settings writes it.

alter table public.inspection_template_items enable row level security;
revoke all on public.inspection_template_items from anon, authenticated, service_role;
grant select on public.inspection_template_items to service_role;
grant select, delete on public.inspection_template_items to authenticated;
grant insert (workspace_id, template_id, room, item, position) on public.inspection_template_items to authenticated;
grant update (room, item, position) on public.inspection_template_items to authenticated;

create policy members_select on public.inspection_template_items
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.read'))));

create policy members_insert on public.inspection_template_items
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('settings.manage'))));

create policy members_update on public.inspection_template_items
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('settings.manage'))))
    with check (workspace_id = any (array(select private.workspaces_with('settings.manage'))));

create policy members_delete on public.inspection_template_items
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('settings.manage'))));
