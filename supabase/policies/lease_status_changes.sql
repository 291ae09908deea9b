-- Who may do what with the history of statuses. Members and parties read it; the database alone writes it.

alter table public.lease_status_changes enable row level security;
revoke all on public.lease_status_changes from anon, authenticated, service_role;
grant select on public.lease_status_changes to service_role;
grant select on public.lease_status_changes to authenticated;

create policy members_and_portal_select on public.lease_status_changes
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('leases.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('leases.read'))
            or lease_id in (select private.my_lease_ids())
        )
    );
