-- Who may do what with notifications. Each person reads their own, in workspaces that they are an active member of. The database
-- alone writes; rpc/mark_notifications_read marks.

alter table public.notifications enable row level security;
revoke all on public.notifications from anon, authenticated, service_role;
grant select on public.notifications to service_role;
grant select on public.notifications to authenticated;

create policy recipients_select on public.notifications
    for select to authenticated
    using (
        user_id = (select auth.uid())
        and workspace_id = any (array(select private.my_workspaces()))
    );
