-- Who may do what with units. Members by permission; a renter sees those that their leases hold.

alter table public.units enable row level security;
revoke all on public.units from anon, authenticated, service_role;
grant select on public.units to service_role;
grant select, delete on public.units to authenticated;
grant insert (
    workspace_id, property_id, unit_number, status, bedrooms, bathrooms, area_sqft, market_rent_minor
) on public.units to authenticated;
grant update (
    unit_number, status, bedrooms, bathrooms, area_sqft, market_rent_minor
) on public.units to authenticated;

create policy members_and_portal_select on public.units
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('portfolio.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('portfolio.read'))
            or id in (select private.my_unit_ids())
        )
    );

create policy members_insert on public.units
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_update on public.units
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_delete on public.units
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));
