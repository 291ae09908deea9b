-- Who may do what with memberships. Members see each other; every change goes through an RPC.

alter table public.workspace_members enable row level security;
revoke all on public.workspace_members from anon, authenticated, service_role;
grant select on public.workspace_members to service_role;
grant select on public.workspace_members to authenticated;

create policy members_select on public.workspace_members
    for select to authenticated
    using (workspace_id = any (array(select private.my_workspaces())));
