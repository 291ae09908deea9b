-- Who may do what with items of inspections. Members by permission; renters read those of inspections they may read.

alter table public.inspection_items enable row level security;
revoke all on public.inspection_items from anon, authenticated, service_role;
grant select on public.inspection_items to service_role;
grant select, delete on public.inspection_items to authenticated;
grant insert (
    workspace_id, inspection_id, room, item, condition, note, position
) on public.inspection_items to authenticated;
grant update (room, item, condition, note, position) on public.inspection_items to authenticated;

create policy members_and_portal_select on public.inspection_items
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('maintenance.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('maintenance.read'))
            or inspection_id in (select private.my_inspection_ids())
        )
    );

create policy members_insert on public.inspection_items
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));

create policy members_update on public.inspection_items
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));

create policy members_delete on public.inspection_items
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));
