-- Who may do what with the count of calls to services for addresses. Those who run the workspace read it; the database alone writes.

alter table public.places_usage enable row level security;
revoke all on public.places_usage from anon, authenticated, service_role;
grant select on public.places_usage to service_role;
grant select on public.places_usage to authenticated;

create policy members_select on public.places_usage
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('settings.manage'))));
