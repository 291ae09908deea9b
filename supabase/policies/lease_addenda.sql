-- Who may do what with addenda. Members by permission; a party sees those that were signed. What is in effect is fixed.

alter table public.lease_addenda enable row level security;
revoke all on public.lease_addenda from anon, authenticated, service_role;
grant select on public.lease_addenda to service_role;
grant select, delete on public.lease_addenda to authenticated;
grant insert (workspace_id, lease_id, title, body, effective_on, signed_on) on public.lease_addenda to authenticated;
grant update (title, body, effective_on, signed_on) on public.lease_addenda to authenticated;

create policy members_and_portal_select on public.lease_addenda
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('leases.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('leases.read'))
            or signed_on is not null and lease_id in (select private.my_lease_ids())
        )
    );

create policy members_insert on public.lease_addenda
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('leases.write'))));

create policy members_update on public.lease_addenda
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('leases.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('leases.write'))));

create policy members_delete on public.lease_addenda
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('leases.write'))));
