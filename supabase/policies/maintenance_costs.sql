-- Who may do what with the costs of requests. Members by their permissions for money; neither renters nor vendors.

alter table public.maintenance_costs enable row level security;
revoke all on public.maintenance_costs from anon, authenticated, service_role;
grant select on public.maintenance_costs to service_role;
grant select, delete on public.maintenance_costs to authenticated;
grant insert (
    workspace_id, request_id, currency, estimate_minor, actual_minor
) on public.maintenance_costs to authenticated;
grant update (currency, estimate_minor, actual_minor) on public.maintenance_costs to authenticated;

create policy members_select on public.maintenance_costs
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('money.read'))));

create policy members_insert on public.maintenance_costs
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('money.write'))));

create policy members_update on public.maintenance_costs
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('money.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('money.write'))));

create policy members_delete on public.maintenance_costs
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('money.write'))));
