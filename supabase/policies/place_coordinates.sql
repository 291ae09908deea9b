-- Who may do what with coordinates of places. Whoever sees a property there sees them; the workers alone write. Google's are in nobody's
-- sight once they are too old to be kept, whether they were deleted by then or not: a backup may have brought them back.

alter table public.place_coordinates enable row level security;
revoke all on public.place_coordinates from anon, authenticated, service_role;
grant select on public.place_coordinates to service_role;
grant select on public.place_coordinates to authenticated;

create policy members_and_portal_select on public.place_coordinates
    for select to authenticated
    using (
        workspace_id = any (array(select private.workspaces_in_reach('portfolio.read')))
        and (
            (select not private.has_portal())
            or workspace_id in (select private.workspaces_with('portfolio.read'))
            or (workspace_id, place_id) in (
                select
                    m.workspace_id,
                    m.place_id
                from private.my_places() as m
            )
        )
        and (provider <> 'google' or fetched_at > (select private.kept_since()))
    );
