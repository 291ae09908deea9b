-- Writing what the plan says, and only that: rows that are as they should be are not touched.

-- Holds still what the rows name until the import is through. Properties, leases, units: the order in which deleting a
-- property and activating a lease take them too. Then renters, by address or by lease: nothing waits for them alone.
create function private.lock_import_targets(p_import public.imports)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    perform from public.properties as p
    where
        p.workspace_id = p_import.workspace_id
        and lower(p.name) = any (array(
            select distinct lower(r.data ->> 'property_name') from private.import_rows as r where r.import_id = p_import.id
        ))
    order by p.id
    for no key update;
    perform from public.leases as l
    where
        l.workspace_id = p_import.workspace_id
        and lower(l.lease_number) = any (array(
            select distinct lower(r.data ->> 'lease_number') from private.import_rows as r where r.import_id = p_import.id
        ))
    order by l.id
    for no key update;
    perform from public.units as u
    where
        u.workspace_id = p_import.workspace_id
        and u.property_id = any (array(
            select p.id
            from public.properties as p
            where
                p.workspace_id = p_import.workspace_id
                and lower(p.name) = any (array(
                    select distinct lower(r.data ->> 'property_name')
                    from private.import_rows as r
                    where r.import_id = p_import.id
                ))
        ))
    order by u.id
    for no key update;
    perform from public.tenants as t
    where
        t.workspace_id = p_import.workspace_id
        and (
            lower(t.email) = any (array(
                select distinct lower(cell.value)
                from private.import_rows as r
                cross join lateral jsonb_each_text(r.data) as cell (name, value)
                where
                    r.import_id = p_import.id
                    and cell.name in (
                        'tenant_email', 'co_tenant_email', 'co_tenant_2_email', 'co_tenant_3_email', 'co_tenant_4_email'
                    )
            ))
            or t.id = any (array(
                select lt.tenant_id
                from public.lease_tenants as lt
                join public.leases as l on l.workspace_id = lt.workspace_id and l.id = lt.lease_id
                where
                    l.workspace_id = p_import.workspace_id
                    and lower(l.lease_number) = any (array(
                        select distinct lower(r.data ->> 'lease_number')
                        from private.import_rows as r
                        where r.import_id = p_import.id
                    ))
            ))
        )
    order by t.id
    for no key update;
end
$$;


create function private.write_import_portfolio(p_workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_rows bigint;
begin
    insert into public.properties (
        id, workspace_id, name, property_type, address_line1, address_line2, city, state, postal_code, country,
        latitude, longitude, timezone, currency, manager_id
    )
    select
        p.id, p_workspace_id, p.name, p.property_type, p.address_line1, p.address_line2, p.city, p.state, p.postal_code,
        p.country, p.latitude, p.longitude, p.timezone, p.currency, p.manager_id
    from pg_temp.import_properties as p
    where p.is_new
    order by p.line;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.properties', v_rows);

    -- An update that finds nothing costs what its plan does: where autovacuum has just seen the table empty, minutes.
    if exists (select from pg_temp.import_properties where changes) then
        update public.properties as known
        set
            property_type = p.property_type,
            address_line1 = p.address_line1,
            address_line2 = p.address_line2,
            city = p.city,
            state = p.state,
            postal_code = p.postal_code,
            country = p.country,
            latitude = p.latitude,
            longitude = p.longitude,
            timezone = p.timezone,
            manager_id = p.manager_id,
            address_status = case when p.moves then 'unverified' else known.address_status end,
            place_id = case when not p.moves then known.place_id end
        from pg_temp.import_properties as p
        where p.changes and known.id = p.id;
    end if;

    insert into public.units (
        id, workspace_id, property_id, unit_number, bedrooms, bathrooms, area_sqft, market_rent_minor
    )
    select
        u.id, p_workspace_id, u.property_id, u.unit_number, u.bedrooms, u.bathrooms, u.area_sqft, u.market_rent_minor
    from pg_temp.import_units as u
    where u.is_new
    order by u.line;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.units', v_rows);

    if exists (select from pg_temp.import_units where changes) then
        update public.units as known
        set
            bedrooms = u.bedrooms,
            bathrooms = u.bathrooms,
            area_sqft = u.area_sqft,
            market_rent_minor = u.market_rent_minor
        from pg_temp.import_units as u
        where u.changes and known.id = u.id;
    end if;

    insert into public.tenants (id, workspace_id, first_name, last_name, email, phone, status)
    select t.id, p_workspace_id, t.first_name, t.last_name, t.email, t.phone, t.status
    from pg_temp.import_tenants as t
    where t.is_new
    order by t.line;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.tenants', v_rows);

    if exists (select from pg_temp.import_tenants where changes) then
        update public.tenants as known
        set email = t.email, phone = t.phone, status = t.status
        from pg_temp.import_tenants as t
        where t.changes and known.id = t.id;
    end if;
end
$$;


-- A lease that is new begins as it is meant to be; a draft that begins does so as in activate_lease(), units first. One that was
-- over before another took its units has ended.
create function private.write_import_leases(p_workspace_id uuid, p_now timestamptz)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_rows bigint;
begin
    insert into public.leases (
        id, workspace_id, property_id, lease_number, status, starts_on, ends_on, notice_days, currency, deposit_minor,
        activated_at
    )
    select
        l.id, p_workspace_id, l.property_id, l.lease_number, case when l.activates then l.status_once_active else 'draft' end,
        l.starts_on, l.ends_on, l.notice_days, l.currency, l.deposit_minor, case when l.activates then p_now end
    from pg_temp.import_leases as l
    where l.is_new
    order by l.line;

    insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor, due_day)
    select p_workspace_id, l.id, l.starts_on, l.rent_minor, l.due_day
    from pg_temp.import_leases as l
    where l.sets_rent
    order by l.line;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.lease_terms', v_rows);

    insert into public.lease_tenants as lt (workspace_id, lease_id, tenant_id, role)
    select p_workspace_id, l.id, t.id, case when bool_or(it.is_primary) then 'primary' else 'co_tenant' end
    from pg_temp.import_lease_tenants as it
    join pg_temp.import_leases as l on l.key = it.lease_key
    join pg_temp.import_tenants as t on t.key = it.tenant_key
    group by l.id, t.id
    on conflict (workspace_id, lease_id, tenant_id) do update set role = 'primary'
    where excluded.role = 'primary' and lt.role <> 'primary';
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.lease_tenants', v_rows);

    if exists (select from pg_temp.import_lease_units where not is_new) then
        update public.lease_units as known
        set
            possession = lu.possession,
            binding = lu.activates,
            recorded_at = clock_timestamp()
        from pg_temp.import_lease_units as lu
        where
            not lu.is_new
            and known.workspace_id = p_workspace_id
            and known.lease_id = lu.lease_id
            and known.unit_id = lu.unit_id
            and known.superseded_at is null
            and not known.binding
            and (lu.activates or known.possession <> lu.possession);
    end if;

    insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession, binding)
    select p_workspace_id, l.property_id, l.id, lu.unit_id, lu.possession, l.activates
    from pg_temp.import_lease_units as lu
    join pg_temp.import_leases as l on l.key = lu.lease_key
    where lu.is_new
    order by lu.unit_id;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.lease_units', v_rows);

    if exists (select from pg_temp.import_leases where not is_new and (changes or activates)) then
        update public.leases as known
        set
            starts_on = l.starts_on,
            ends_on = l.ends_on,
            notice_days = l.notice_days,
            deposit_minor = l.deposit_minor,
            status = case when l.activates then l.status_once_active else known.status end,
            activated_at = case when l.activates then p_now else known.activated_at end
        from pg_temp.import_leases as l
        where not l.is_new and (l.changes or l.activates) and known.id = l.id;
    end if;

    if exists (select from pg_temp.import_successions) then
        update public.leases as known
        set status = 'ended', ended_on = l.ends_on, status_reason = format('Followed by lease %s', s.followed_by)
        from pg_temp.import_successions as s
        join pg_temp.import_leases as l on l.key = s.lease_key
        where known.id = l.id;
    end if;
end
$$;
