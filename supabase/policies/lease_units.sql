-- Who may do what with possession. Members plan a draft's units; what binds, and what supersedes it, comes from RPCs.

alter table public.lease_units enable row level security;
revoke all on public.lease_units from anon, authenticated, service_role;
grant select on public.lease_units to service_role;
grant select, delete on public.lease_units to authenticated;
grant insert (
    workspace_id, property_id, lease_id, unit_id, possession
) on public.lease_units to authenticated;

create policy members_and_portal_select on public.lease_units
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('leases.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('leases.read'))
            or lease_id in (select private.my_lease_ids())
        )
    );

create policy members_insert on public.lease_units
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('leases.write'))));

create policy members_delete on public.lease_units
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('leases.write'))));
