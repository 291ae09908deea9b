-- Who may do what with notifications. Each person reads their own, as long as they are what they were told it as: an active member, a
-- renter or an active vendor of the workspace. The database alone writes; rpc/mark_notifications_read marks.

alter table public.notifications enable row level security;
revoke all on public.notifications from anon, authenticated, service_role;
grant select on public.notifications to service_role;
grant select on public.notifications to authenticated;

create policy recipients_select on public.notifications
    for select to authenticated
    using (
        user_id = (select auth.uid())
        and (workspace_id, audience) in (
            select
                a.workspace_id,
                a.audience
            from private.my_audiences() as a
        )
    );
