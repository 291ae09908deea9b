-- Who may do what with vendors. Members by permission; a signed-in vendor sees their own record.

alter table public.vendors enable row level security;
revoke all on public.vendors from anon, authenticated, service_role;
grant select on public.vendors to service_role;
grant select, delete on public.vendors to authenticated;
grant insert (
    workspace_id, name, email, phone, status, trades, license_number, license_expires_on, insurance_carrier,
    insurance_policy_number, insurance_expires_on
) on public.vendors to authenticated;
grant update (
    name, email, phone, status, trades, license_number, license_expires_on, insurance_carrier,
    insurance_policy_number, insurance_expires_on
) on public.vendors to authenticated;

create policy members_and_portal_select on public.vendors
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_with('portfolio.read')))
        or user_id = (select auth.uid())
    );

create policy members_insert on public.vendors
    for insert to authenticated
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_update on public.vendors
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));

create policy members_delete on public.vendors
    for delete to authenticated
    using (workspace_id = any (array(select private.workspaces_with('portfolio.write'))));
