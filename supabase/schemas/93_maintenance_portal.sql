-- What renters and vendors see of maintenance: asked anew in every query, so that it ends when the tie does.

-- Requests about the caller's household that are shown to it, while the lease is current. Not those of a unit that it was moved
-- out of: who lives there now has their own keys, times and words.
create function private.my_household_request_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select r.id
    from public.leases as l
    join public.maintenance_requests as r
        on r.workspace_id = l.workspace_id and r.property_id = l.property_id and r.lease_id = l.id
    where
        l.id = any (array(select private.my_current_lease_ids()))
        and r.shown_to_renter
        and (r.unit_id is null or not private.has_left(l.workspace_id, l.id, r.unit_id));
end
$$;


-- Requests that are assigned to the caller as a vendor, while the vendor is active.
create function private.my_assigned_request_ids()
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
    select r.id
    from public.vendors as v
    join public.maintenance_requests as r on r.workspace_id = v.workspace_id and r.assigned_vendor_id = v.id
    where
        v.user_id = v_user_id
        and v.status = 'active';
end
$$;


-- Both.
create function private.my_request_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select private.my_household_request_ids()
    union all
    select private.my_assigned_request_ids();
end
$$;

grant execute on function private.my_household_request_ids() to authenticated;
grant execute on function private.my_assigned_request_ids() to authenticated;
grant execute on function private.my_request_ids() to authenticated;
