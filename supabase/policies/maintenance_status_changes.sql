-- Who may do what with the history of requests. Members read it, reasons included; the database alone writes it.

alter table public.maintenance_status_changes enable row level security;
revoke all on public.maintenance_status_changes from anon, authenticated, service_role;
grant select on public.maintenance_status_changes to service_role;
grant select on public.maintenance_status_changes to authenticated;

create policy members_select on public.maintenance_status_changes
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('maintenance.read'))));
