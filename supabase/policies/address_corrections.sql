-- Who may do what with proposals for addresses. Members by permission; they are accepted and dismissed by RPCs. Nobody sees one that is too
-- old to be kept, whether it was deleted by then or not.

alter table public.address_corrections enable row level security;
revoke all on public.address_corrections from anon, authenticated, service_role;
grant select on public.address_corrections to service_role;
grant select on public.address_corrections to authenticated;

create policy members_select on public.address_corrections
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_with('portfolio.read')))
        and proposed_at > (select private.kept_since())
    );
