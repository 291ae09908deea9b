-- Who may do what with invitations. Whoever manages members sees and withdraws them.

alter table public.workspace_invitations enable row level security;
revoke all on public.workspace_invitations from anon, authenticated, service_role;
grant select on public.workspace_invitations to service_role;
grant select, delete on public.workspace_invitations to authenticated;

create policy members_select on public.workspace_invitations
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_with('members.manage')))
        or (kind = 'renter' and workspace_id = any (array(select private.workspaces_with('renters.write'))))
        or (kind = 'vendor' and workspace_id = any (array(select private.workspaces_with('portfolio.write'))))
    );

create policy members_delete on public.workspace_invitations
    for delete to authenticated
    using (
        workspace_id = any (array(select private.workspaces_with('members.manage')))
        or (kind = 'renter' and workspace_id = any (array(select private.workspaces_with('renters.write'))))
        or (kind = 'vendor' and workspace_id = any (array(select private.workspaces_with('portfolio.write'))))
    );
