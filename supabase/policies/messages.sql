-- Who may do what with messages. Members read what was sent in their name; the database alone writes.

alter table public.messages enable row level security;
revoke all on public.messages from anon, authenticated, service_role;
grant select on public.messages to service_role;
grant select on public.messages to authenticated;

create policy members_select on public.messages
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('messages.read'))));
