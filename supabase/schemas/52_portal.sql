-- What is a signed-in renter's or vendor's own. A guarantor is a party to the lease; an occupant is not.

-- Workspaces that keep a renter's or a vendor's record tied to the caller.
create function private.my_portal_workspaces()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_user_id uuid := auth.uid();
begin
    return query
    select t.workspace_id from public.tenants as t where t.user_id = v_user_id
    union all
    select v.workspace_id from public.vendors as v where v.user_id = v_user_id;
end
$$;


-- Whether the caller is anybody's renter or vendor.
create function private.has_portal()
    returns boolean
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_user_id uuid := auth.uid();
begin
    return exists (select from public.tenants as t where t.user_id = v_user_id)
        or exists (select from public.vendors as v where v.user_id = v_user_id);
end
$$;


-- Workspaces that have anything to show to the caller: to one who holds the permission, or to a renter or vendor.
--
-- Policies for members and renters begin with it, as `= any (array(select …))`: an index led by workspace_id serves that, and
-- its order too. What else they ask no index serves, on purpose: an `or` of two conditions that one does is planned by
-- itself, row by row and sorted. For a caller without a portal all that is in reach is theirs to see as a member.
create function private.workspaces_in_reach(p_permission text)
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select private.workspaces_with(p_permission)
    union all
    select private.my_portal_workspaces();
end
$$;


-- Leases that the caller is a party to, those that are over included: a person's own contract stays theirs to read. A draft is
-- the manager's business until it binds.
create function private.my_lease_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_user_id uuid := auth.uid();
begin
    return query
    select l.id
    from public.tenants as t
    join public.lease_tenants as lt on lt.workspace_id = t.workspace_id and lt.tenant_id = t.id
    join public.leases as l on l.workspace_id = lt.workspace_id and l.id = lt.lease_id
    where
        t.user_id = v_user_id
        and lt.role <> 'occupant'
        and l.status <> 'draft';
end
$$;


-- Those of them that bind today: what else goes with a lease, a renter sees as long as it lasts.
create function private.my_current_lease_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select l.id
    from public.leases as l
    where l.id = any (array(select private.my_lease_ids())) and l.in_force;
end
$$;


-- Units that those hold: not one that the renters were moved out of. Renters who stay beyond their last day are still there.
create function private.my_unit_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select lu.unit_id
    from public.leases as l
    join public.lease_units as lu
        on lu.workspace_id = l.workspace_id and lu.property_id = l.property_id and lu.lease_id = l.id
    where
        l.id = any (array(select private.my_current_lease_ids()))
        and lu.binding
        and lu.superseded_at is null
        and not exists (
            select from public.lease_units as later
            where
                later.workspace_id = lu.workspace_id
                and later.lease_id = lu.lease_id
                and later.superseded_at is null
                and lower(later.possession) >= upper(lu.possession)
                and lower(later.possession) <= current_date
        );
end
$$;


-- Properties of the same.
create function private.my_property_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select l.property_id
    from public.leases as l
    where l.id = any (array(select private.my_current_lease_ids()));
end
$$;

grant execute on function private.my_portal_workspaces() to authenticated;
grant execute on function private.has_portal() to authenticated;
grant execute on function private.workspaces_in_reach(text) to authenticated;
grant execute on function private.my_lease_ids() to authenticated;
grant execute on function private.my_current_lease_ids() to authenticated;
grant execute on function private.my_unit_ids() to authenticated;
grant execute on function private.my_property_ids() to authenticated;
