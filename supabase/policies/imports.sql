-- Who may do what with imports. Members who run them see them all; every change goes through an RPC.

alter table public.imports enable row level security;
revoke all on public.imports from anon, authenticated, service_role;
grant select on public.imports to service_role;
grant select on public.imports to authenticated;

create policy members_select on public.imports
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('imports.run'))));
