-- The plan goes on: renters, and who is on which lease.

-- People are found by address; one without an address, by name among those of the same lease.
create function private.plan_import_tenants(p_workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    create temporary table import_lease_tenants on commit drop as
    with people as (
        select
            l.line,
            l.lease_key,
            who.position,
            who.prefix,
            coalesce(l.data ->> (who.prefix || 'first_name'), '') as first_name,
            l.data ->> (who.prefix || 'last_name') as last_name,
            l.data ->> (who.prefix || 'email') as email,
            l.data ->> (who.prefix || 'phone') as phone
        from pg_temp.import_lines as l
        cross join lateral (
            values (1, 'tenant_'), (2, 'co_tenant_'), (3, 'co_tenant_2_'), (4, 'co_tenant_3_'), (5, 'co_tenant_4_')
        ) as who (position, prefix)
        where
            l.lease_key is not null
            and l.data ?| array[
                who.prefix || 'first_name', who.prefix || 'last_name', who.prefix || 'email', who.prefix || 'phone'
            ]
    ),
    named as (
        select p.*, lower(p.first_name || chr(31) || p.last_name) as name_key
        from people as p
    ),
    keyed as (
        select
            n.*,
            coalesce(
                lower(n.email),
                max(lower(n.email)) over (partition by n.lease_key, n.name_key),
                n.lease_key || chr(31) || n.name_key,
                n.line || chr(31) || n.position
            ) as tenant_key
        from named as n
    )
    select k.*, row_number() over (partition by k.lease_key order by k.line, k.position) = 1 as is_primary
    from keyed as k;
    analyze pg_temp.import_lease_tenants;

    insert into pg_temp.import_errors
    select
        t.line, t.prefix || 'last_name', null, 'value_missing', 'The renter has no family name.',
        'Give the family name; a company''s name belongs here too.'
    from pg_temp.import_lease_tenants as t
    where t.last_name is null;

    create temporary table import_tenants on commit drop as
    with stated as (
        select
            t.tenant_key as key,
            min(t.line) as line,
            (array_agg(t.first_name order by t.line, t.position))[1] as first_name,
            (array_agg(t.last_name order by t.line, t.position))[1] as last_name,
            (array_agg(t.name_key order by t.line, t.position))[1] as name_key,
            min(t.email) as email,
            (array_agg(t.phone order by t.line, t.position) filter (where t.phone is not null))[1] as phone,
            bool_or(l.activates) as moves_in,
            bool_or((l.known).in_force) as lives_there
        from pg_temp.import_lease_tenants as t
        join pg_temp.import_leases as l on l.key = t.lease_key
        where t.last_name is not null
        group by t.tenant_key
    ),
    by_address as (
        select s.key, t.id
        from stated as s
        join public.tenants as t on t.workspace_id = p_workspace_id and lower(t.email) = lower(s.email)
    ),
    -- Each record once: of two people of one name on a lease, the second is somebody else.
    by_name as (
        select distinct on (found.id) found.key, found.id
        from (
            select distinct on (it.tenant_key) it.tenant_key as key, t.id
            from pg_temp.import_lease_tenants as it
            join pg_temp.import_leases as l on l.key = it.lease_key
            join public.lease_tenants as lt on lt.workspace_id = p_workspace_id and lt.lease_id = l.id
            join public.tenants as t
                on
                    t.workspace_id = lt.workspace_id
                    and t.id = lt.tenant_id
                    and lower(t.first_name || chr(31) || t.last_name) = it.name_key
            where
                not exists (select from by_address as a where a.key = it.tenant_key)
                and not exists (select from by_address as a where a.id = t.id)
            order by it.tenant_key, t.id
        ) as found
        order by found.id, found.key
    )
    select
        s.key,
        s.line,
        s.email as stated_email,
        s.name_key,
        t as known,
        t.id is null as is_new,
        coalesce(t.id, gen_random_uuid()) as id,
        s.first_name,
        s.last_name,
        case when lower(s.email) = lower(t.email) then t.email else coalesce(s.email, t.email) end as email,
        coalesce(s.phone, t.phone) as phone,
        case when s.moves_in or (t.id is null and s.lives_there) then 'current' else coalesce(t.status, 'prospect') end
            as status,
        t.id is not null and (
            lower(s.email) is distinct from lower(t.email) and s.email is not null
            or s.phone is distinct from t.phone and s.phone is not null
            or s.moves_in and t.status <> 'current'
        ) as changes
    from stated as s
    left join (
        select a.key, a.id from by_address as a
        union all
        select n.key, n.id from by_name as n
    ) as found on found.key = s.key
    left join public.tenants as t on t.workspace_id = p_workspace_id and t.id = found.id;
    analyze pg_temp.import_tenants;

    insert into pg_temp.import_errors
    select
        who.line, who.prefix || 'email', who.email, 'email_of_another_renter',
        case when lower((t.known).first_name || chr(31) || (t.known).last_name) <> who.name_key
            then format('The workspace has this as the address of %s.',
                btrim((t.known).first_name || ' ' || (t.known).last_name))
            else format('Line %s has this as the address of %s.', t.line, btrim(t.first_name || ' ' || t.last_name))
        end,
        'Correct the address or the name; give an address to one renter only, or to none.'
    from pg_temp.import_lease_tenants as who
    join pg_temp.import_tenants as t on t.key = who.tenant_key
    where
        who.email is not null
        and (
            who.name_key <> t.name_key
            or lower((t.known).first_name || chr(31) || (t.known).last_name) <> who.name_key
            and lower((t.known).email) = lower(who.email)
        );
end
$$;
