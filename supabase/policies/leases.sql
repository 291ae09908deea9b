-- Who may do what with leases. Members by permission; a renter sees those they are a party to. Status moves by RPC.

alter table public.leases enable row level security;
revoke all on public.leases from anon, authenticated, service_role;
grant select on public.leases to service_role;
grant select, delete on public.leases to authenticated;
grant insert (
    workspace_id, property_id, whole_property, lease_number, starts_on, ends_on, on_expiry, renewal_months,
    holdover_rent_percent, notice_days, currency, deposit_minor, deposit_nonrefundable_minor, deposit_held_by,
    deposit_conditions
) on public.leases to authenticated;
grant update (
    whole_property, lease_number, starts_on, ends_on, on_expiry, renewal_months, holdover_rent_percent, notice_days,
    currency, deposit_minor, deposit_nonrefundable_minor, deposit_held_by, deposit_conditions, moved_in_on, moved_out_on
) on public.leases to authenticated;

create policy members_and_portal_select on public.leases
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('leases.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('leases.read'))
            or id in (select private.my_lease_ids())
        )
    );

create policy members_insert on public.leases
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('leases.write'))));

create policy members_update on public.leases
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('leases.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('leases.write'))));

create policy members_delete on public.leases
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('leases.write'))));
