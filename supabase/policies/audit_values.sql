-- Who may do what with the personal values of the change log. Who reads the log reads them; triggers alone write them.

alter table public.audit_values enable row level security;
revoke all on public.audit_values from anon, authenticated, service_role;
grant select on public.audit_values to service_role;
grant select on public.audit_values to authenticated;

create policy members_select on public.audit_values
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('audit.read'))));
