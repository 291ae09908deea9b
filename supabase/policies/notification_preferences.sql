-- Who may do what with notification preferences. Each member reads their own; rpc/set_notification_preference writes.

alter table public.notification_preferences enable row level security;
revoke all on public.notification_preferences from anon, authenticated, service_role;
grant select on public.notification_preferences to service_role;
grant select on public.notification_preferences to authenticated;

create policy members_select on public.notification_preferences
    for select to authenticated
    using (
        user_id = (select auth.uid())
        and workspace_id = any (array(select private.my_workspaces()))
    );
