-- Who may do what with documents. Members by permission; renters and vendors see what is shown to them and is theirs.

alter table public.documents enable row level security;
revoke all on public.documents from anon, authenticated, service_role;
grant select on public.documents to service_role;
grant select, delete on public.documents to authenticated;
grant insert (
    workspace_id, document_type, title, file_name, storage_path, content_type, size_bytes, sha256, expires_on,
    visible_to_renters, visible_to_vendors, property_id, unit_id, tenant_id, lease_id, vendor_id,
    maintenance_request_id, inspection_id, inspection_item_id, expense_id
) on public.documents to authenticated;
grant update (
    document_type, title, file_name, status, content_type, size_bytes, sha256, expires_on, visible_to_renters,
    visible_to_vendors, property_id, unit_id, tenant_id, lease_id, vendor_id, maintenance_request_id, inspection_id,
    inspection_item_id, expense_id
) on public.documents to authenticated;

create policy members_and_portal_select on public.documents
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('documents.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('documents.read'))
            or id in (select private.my_document_ids())
        )
    );

create policy members_insert on public.documents
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('documents.write'))));

create policy members_update on public.documents
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('documents.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('documents.write'))));

create policy members_delete on public.documents
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('documents.write'))));
