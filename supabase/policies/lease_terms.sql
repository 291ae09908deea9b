-- Who may do what with rents. A change is a new row; a row of a lease that has begun is never deleted.

alter table public.lease_terms enable row level security;
revoke all on public.lease_terms from anon, authenticated, service_role;
grant select on public.lease_terms to service_role;
grant select, delete on public.lease_terms to authenticated;
grant insert (
    workspace_id, lease_id, effective_on, rent_minor, due_day
) on public.lease_terms to authenticated;

create policy members_and_portal_select on public.lease_terms
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('leases.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('leases.read'))
            or lease_id in (select private.my_lease_ids())
        )
    );

create policy members_insert on public.lease_terms
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('leases.write'))));

create policy members_delete on public.lease_terms
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('leases.write'))));
