-- Who may do what with notification preferences. Each person reads their own, as long as they are what they are told things as;
-- rpc/set_notification_preference writes.

alter table public.notification_preferences enable row level security;
revoke all on public.notification_preferences from anon, authenticated, service_role;
grant select on public.notification_preferences to service_role;
grant select on public.notification_preferences to authenticated;

create policy recipients_select on public.notification_preferences
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
