-- What is a signed-in renter's or vendor's own. A guarantor is a party to the lease; an occupant is not.

-- Workspaces that keep a renter's or a vendor's record tied to the caller.
create function private.my_portal_workspaces()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language sql
as $$
    select t.workspace_id from public.tenants as t where t.user_id = (select auth.uid())
    union
    select v.workspace_id from public.vendors as v where v.user_id = (select auth.uid())
$$;


-- Leases that the caller is a party to. A draft is the manager's business until it binds.
create function private.my_lease_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language sql
as $$
    select l.id
    from public.tenants as t
    join public.lease_tenants as lt on lt.workspace_id = t.workspace_id and lt.tenant_id = t.id
    join public.leases as l on l.workspace_id = lt.workspace_id and l.id = lt.lease_id
    where
        t.user_id = (select auth.uid())
        and lt.role <> 'occupant'
        and l.status <> 'draft'
$$;


-- Units that a lease of the caller's holds or held.
create function private.my_unit_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language sql
as $$
    select lu.unit_id
    from public.leases as l
    join public.lease_units as lu
        on lu.workspace_id = l.workspace_id and lu.property_id = l.property_id and lu.lease_id = l.id
    where
        l.id = any (array(select private.my_lease_ids()))
        and lu.binding
        and lu.superseded_at is null
$$;


-- Properties of those leases.
create function private.my_property_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language sql
as $$
    select l.property_id
    from public.leases as l
    where l.id = any (array(select private.my_lease_ids()))
$$;

grant execute on function private.my_portal_workspaces() to authenticated;
grant execute on function private.my_lease_ids() to authenticated;
grant execute on function private.my_unit_ids() to authenticated;
grant execute on function private.my_property_ids() to authenticated;
