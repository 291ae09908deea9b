-- Who may do what with expenses. Members by permission: they are recorded and voided by RPCs, and only renamed here.

alter table public.expenses enable row level security;
revoke all on public.expenses from anon, authenticated, service_role;
grant select on public.expenses to service_role;
grant select on public.expenses to authenticated;
grant update (category, description) on public.expenses to authenticated;

create policy members_select on public.expenses
    for select to authenticated
    using (workspace_id = any (array(select private.workspaces_with('money.read'))));

create policy members_update on public.expenses
    for update to authenticated
    using (workspace_id = any (array(select private.workspaces_with('money.write'))))
    with check (workspace_id = any (array(select private.workspaces_with('money.write'))));
