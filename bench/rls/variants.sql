-- Other policies for the same table, each for a role of its own: so all read the very same pages.

-- What many starter kits ask for each row.
create function bench.has_permission(p_workspace_id uuid, p_permission text)
    returns boolean
    stable
    security definer
    set search_path = ''
    language sql
as $$
    select exists (
        select
        from public.workspace_members as m
        join private.role_permissions as rp on rp.role = m.role
        where
            m.workspace_id = p_workspace_id
            and m.user_id = (select auth.uid())
            and m.status = 'active'
            and rp.permission = p_permission
    )
$$;

do $$
begin
    if not exists (select from pg_roles where rolname = 'bench_unguarded') then
        create role bench_unguarded bypassrls;
        create role bench_members;
        create role bench_two_arms;
        create role bench_in_select;
        create role bench_per_row;
    end if;
end
$$;

grant usage on schema bench, private to bench_unguarded, bench_members, bench_two_arms, bench_in_select, bench_per_row, authenticated;
grant select on public.leases, public.lease_terms to bench_unguarded, bench_members, bench_two_arms, bench_in_select, bench_per_row;
grant execute on all functions in schema bench to bench_unguarded, bench_members, bench_two_arms, bench_in_select, bench_per_row, authenticated;
grant execute on all functions in schema private to bench_members, bench_two_arms, bench_in_select, bench_per_row;

-- Freehold's policy for what renters never see: one arm.
create policy bench_members on public.leases
    for select to bench_members
    using (workspace_id = any (array(select private.workspaces_with('leases.read'))));

-- Both arms as one would write them first: members, or parties to the lease.
create policy bench_two_arms on public.leases
    for select to bench_two_arms
    using (
        workspace_id = any (array(select private.workspaces_with('leases.read')))
        or id = any (array(select private.my_lease_ids()))
    );

create policy bench_two_arms on public.lease_terms
    for select to bench_two_arms
    using (
        workspace_id = any (array(select private.workspaces_with('leases.read')))
        or lease_id = any (array(select private.my_lease_ids()))
    );

create policy bench_in_select on public.leases
    for select to bench_in_select
    using (workspace_id in (select private.workspaces_with('leases.read')));

create policy bench_in_select on public.lease_terms
    for select to bench_in_select
    using (workspace_id in (select private.workspaces_with('leases.read')));

create policy bench_per_row on public.leases
    for select to bench_per_row
    using (bench.has_permission(workspace_id, 'leases.read'));

create policy bench_per_row on public.lease_terms
    for select to bench_per_row
    using (bench.has_permission(workspace_id, 'leases.read'));
