-- Who may do what with signatures. Members and renters read those of inspections they may read; an RPC writes them.

alter table public.inspection_signatures enable row level security;
revoke all on public.inspection_signatures from anon, authenticated, service_role;
grant select on public.inspection_signatures to service_role;
grant select on public.inspection_signatures to authenticated;

create policy members_and_portal_select on public.inspection_signatures
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('maintenance.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('maintenance.read'))
            or inspection_id in (select private.my_inspection_ids())
        )
    );
