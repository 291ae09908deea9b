-- Who may do what with the change log. Owners and admins read it; triggers alone write it, and nobody changes it.

alter table public.audit_entries enable row level security;
revoke all on public.audit_entries from anon, authenticated, service_role;
grant select on public.audit_entries to service_role;
grant select on public.audit_entries to authenticated;

create policy members_select on public.audit_entries
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('audit.read'))));
