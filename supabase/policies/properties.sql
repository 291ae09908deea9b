-- Who may do what with properties. Members by permission; a renter sees the one they rent in.

alter table public.properties enable row level security;
revoke all on public.properties from anon, authenticated, service_role;
grant select on public.properties to service_role;
grant select, delete on public.properties to authenticated;
grant insert (
    workspace_id, name, property_type, status, address_line1, address_line2, city, state, postal_code,
    country, latitude, longitude, place_id, address_status, timezone, currency, manager_id
) on public.properties to authenticated;
grant update (
    name, property_type, status, address_line1, address_line2, city, state, postal_code, country,
    latitude, longitude, place_id, address_status, timezone, currency, manager_id
) on public.properties to authenticated;

create policy members_and_portal_select on public.properties
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('portfolio.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('portfolio.read'))
            or id in (select private.my_property_ids())
        )
    );

create policy members_insert on public.properties
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_update on public.properties
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_delete on public.properties
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));
