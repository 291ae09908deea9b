-- What a new day does to leases, each by the date of its property.

create function worker.lease_turnover(p_now timestamptz default now(), p_limit integer default 1000)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_begun integer;
begin
    with due as (
        select l.id
        from public.leases as l
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        where
            l.status = 'pending'
            -- No clock on earth is further ahead than UTC+14: the index ends here, the property's own date decides.
            and l.starts_on <= ((p_now at time zone 'UTC') + interval '14 hours')::date
            and l.starts_on <= private.local_date(p.timezone, p_now)
        order by l.starts_on, l.id
        limit p_limit
        -- One that is being changed is taken up by the next run.
        for update of l skip locked
    )
    update public.leases as l
    set status = 'active'
    from due
    where l.id = due.id;
    get diagnostics v_begun = row_count;
    return jsonb_build_object('leases_begun', v_begun, 'more', v_begun >= p_limit);
end
$$;

comment on function worker.lease_turnover(timestamptz, integer) is $$Begins the leases whose first day has come

A pending lease becomes active on its first day where its property stands. Takes up to `p_limit`: call again while `more`.
Answers {leases_begun, more}.$$;
