-- Who may do what with maintenance plans. Members by permission; nobody else.

alter table public.maintenance_plans enable row level security;
revoke all on public.maintenance_plans from anon, authenticated, service_role;
grant select on public.maintenance_plans to service_role;
grant select, delete on public.maintenance_plans to authenticated;
grant insert (
    workspace_id, property_id, unit_id, title, description, category, priority, access_notes, shown_to_renter,
    assigned_member_id, assigned_vendor_id, status, interval_unit, interval_count, anchor_on, ends_on, season_months,
    lead_days
) on public.maintenance_plans to authenticated;
grant update (
    title, description, category, priority, access_notes, shown_to_renter, assigned_member_id, assigned_vendor_id,
    status, interval_unit, interval_count, anchor_on, ends_on, season_months, lead_days
) on public.maintenance_plans to authenticated;

create policy members_select on public.maintenance_plans
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.read'))));

create policy members_insert on public.maintenance_plans
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));

create policy members_update on public.maintenance_plans
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));

create policy members_delete on public.maintenance_plans
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.write'))));
