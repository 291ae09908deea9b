-- What committing a rent roll would do, worked out whole before anything is written. Each step is a temporary table:
--   import_errors        what stands in the way, by line and column
--   import_lines         the rows that can be read, typed
--   import_properties, import_units, import_leases, import_tenants
--                        what each will be, beside what it is: `is_new`, `changes`
--   import_lease_units, import_lease_tenants
--                        which unit and which renter is on which lease
-- An empty cell says nothing: what is there stays. Keys are compared without regard to case.

create function private.drop_import_plan()
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_table text;
begin
    foreach v_table in array array[
        'import_errors', 'import_lines', 'import_properties', 'import_units', 'import_leases', 'import_tenants',
        'import_lease_units', 'import_lease_tenants', 'import_successions'
    ] loop
        if to_regclass('pg_temp.' || v_table) is not null then
            execute format('drop table pg_temp.%I', v_table);
        end if;
    end loop;
end
$$;


create function private.plan_import_lines(p_import_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    create temporary table import_errors (
        line integer not null,
        column_name text not null,
        value text,
        code text not null,
        message text not null,
        remedy text not null
    ) on commit drop;

    create temporary table import_lines on commit drop as
    select
        r.line,
        r.data,
        lower(cells.property_name) as property_key,
        lower(cells.unit_number) as unit_key,
        lower(cells.lease_number) as lease_key,
        cells.*
    from private.import_rows as r
    cross join lateral jsonb_to_record(r.data) as cells (
        property_name text,
        property_type text,
        address_line1 text,
        address_line2 text,
        city text,
        state text,
        postal_code text,
        country text,
        timezone text,
        currency text,
        latitude double precision,
        longitude double precision,
        manager_email text,
        unit_number text,
        bedrooms numeric,
        bathrooms numeric,
        area_sqft integer,
        market_rent_minor bigint,
        lease_number text,
        lease_start date,
        lease_end date,
        notice_days integer,
        rent_minor bigint,
        due_day integer,
        deposit_minor bigint,
        lease_status text
    )
    where r.import_id = p_import_id and r.problems is null;
    analyze pg_temp.import_lines;

    insert into pg_temp.import_errors
    select r.line, cell.column_name, cell.value, 'value_invalid', 'This value cannot be read.', cell.remedy
    from private.import_rows as r
    cross join lateral jsonb_to_recordset(r.problems) as cell (column_name text, value text, remedy text)
    where r.import_id = p_import_id and r.problems is not null;

    insert into pg_temp.import_errors
    select l.line, missing.column_name, null, 'value_missing', 'The cell is empty.', missing.remedy
    from pg_temp.import_lines as l
    cross join lateral (
        values
        ('property_name', l.property_name is null, 'Name the property.'),
        ('unit_number', l.unit_number is null, 'Give the unit''s number as it stands on the door.'),
        (
            'lease_number',
            l.lease_number is null and exists (
                select
                from private.rent_roll_columns() as c
                where c.scope in ('lease', 'renter') and l.data ? c.name
            ),
            'Give the lease a number, such as 2026-014; a vacant unit has no cells of a lease or a renter.'
        )
    ) as missing (column_name, is_missing, remedy)
    where missing.is_missing;
end
$$;


-- Rows that speak of the same property, unit or lease must not contradict each other.
create function private.refuse_contradictions()
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    with cells as materialized (
        select
            l.line,
            c.scope,
            c.name,
            cell.value,
            case c.scope
                when 'property' then l.property_key
                when 'unit' then l.property_key || chr(31) || l.unit_key
                else l.lease_key
            end as subject
        from pg_temp.import_lines as l
        cross join lateral jsonb_each_text(l.data) as cell (name, value)
        join private.rent_roll_columns() as c on c.name = cell.name
        where
            c.scope in ('property', 'unit', 'lease')
            and c.name not in ('property_name', 'unit_number', 'lease_number')
    ),
    contested as (
        select c.scope, c.subject, c.name, min(c.line) as first_line
        from cells as c
        where c.subject is not null
        group by c.scope, c.subject, c.name
        having min(lower(c.value)) <> max(lower(c.value))
    )
    insert into pg_temp.import_errors
    select
        c.line,
        c.name,
        c.value,
        c.scope || '_contradicted',
        format('Line %s says %s of the same %s.', first_said.line, first_said.value, c.scope),
        case c.scope
            when 'property' then 'Say the same on both lines, or give two properties two names.'
            when 'unit' then 'Say the same on both lines, or leave the cell empty on all but one.'
            else 'Say the same on both lines: rent and deposit are those of the whole lease. Give two leases two numbers.'
        end
    from contested as k
    join cells as first_said
        on (first_said.scope, first_said.subject, first_said.name, first_said.line)
        = (k.scope, k.subject, k.name, k.first_line)
    join cells as c on (c.scope, c.subject, c.name) = (k.scope, k.subject, k.name)
    where lower(c.value) <> lower(first_said.value);
end
$$;


create function private.plan_import_properties(p_workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    create temporary table import_properties on commit drop as
    with stated as (
        select
            l.property_key as key,
            min(l.line) as line,
            count(distinct l.unit_key) as units,
            (array_agg(l.property_name order by l.line))[1] as name,
            min(l.property_type) as property_type,
            min(l.address_line1) as address_line1,
            min(l.address_line2) as address_line2,
            min(l.city) as city,
            min(l.state) as state,
            min(l.postal_code) as postal_code,
            min(l.country) as country,
            min(l.timezone) as timezone,
            min(l.currency) as currency,
            min(l.latitude) as latitude,
            min(l.longitude) as longitude,
            lower(min(l.manager_email)) as manager_email
        from pg_temp.import_lines as l
        where l.property_key is not null
        group by l.property_key
    ),
    compared as (
        select
            s.*,
            p as known,
            w.currency as workspace_currency,
            w.timezone as workspace_timezone,
            member.user_id as stated_manager_id,
            -- Another street is another place: what a service or a person confirmed of the old one is void.
            p.id is not null and (
                lower(coalesce(s.address_line1, p.address_line1)),
                lower(coalesce(s.city, p.city)),
                lower(coalesce(s.state, p.state)),
                lower(coalesce(s.postal_code, p.postal_code)),
                coalesce(s.country, p.country)
            ) is distinct from (
                lower(p.address_line1), lower(p.city), lower(p.state), lower(p.postal_code), p.country
            ) as moves
        from stated as s
        join public.workspaces as w on w.id = p_workspace_id
        left join public.properties as p on p.workspace_id = p_workspace_id and lower(p.name) = s.key
        left join lateral (
            select m.user_id
            from public.workspace_members as m
            join auth.users as u on u.id = m.user_id
            where m.workspace_id = p_workspace_id and m.status = 'active' and lower(u.email) = s.manager_email
            order by m.user_id
            limit 1
        ) as member on s.manager_email is not null
    ),
    decided as (
        select
            c.key,
            c.line,
            c.manager_email,
            c.stated_manager_id,
            c.currency as stated_currency,
            c.moves,
            c.known,
            (c.known).id is null as is_new,
            coalesce((c.known).id, gen_random_uuid()) as id,
            coalesce((c.known).name, c.name) as name,
            coalesce(
                c.property_type, (c.known).property_type,
                case when c.units > 1 then 'multi_family' else 'single_family' end
            ) as property_type,
            coalesce(c.address_line1, (c.known).address_line1) as address_line1,
            coalesce(c.address_line2, case when not c.moves then (c.known).address_line2 end) as address_line2,
            coalesce(c.city, (c.known).city) as city,
            coalesce(c.state, (c.known).state) as state,
            coalesce(c.postal_code, (c.known).postal_code) as postal_code,
            coalesce(c.country, (c.known).country, 'US') as country,
            coalesce(c.timezone, (c.known).timezone, c.workspace_timezone) as timezone,
            coalesce((c.known).currency, c.currency, c.workspace_currency) as currency,
            coalesce(c.latitude, case when not c.moves then (c.known).latitude end) as latitude,
            coalesce(c.longitude, case when not c.moves then (c.known).longitude end) as longitude,
            coalesce(c.stated_manager_id, (c.known).manager_id) as manager_id
        from compared as c
    )
    select
        d.*,
        not d.is_new and (
            d.property_type, d.address_line1, d.address_line2, d.city, d.state, d.postal_code, d.country,
            d.timezone, d.latitude, d.longitude, d.manager_id
        ) is distinct from (
            (d.known).property_type, (d.known).address_line1, (d.known).address_line2, (d.known).city,
            (d.known).state, (d.known).postal_code, (d.known).country, (d.known).timezone, (d.known).latitude,
            (d.known).longitude, (d.known).manager_id
        ) as changes
    from decided as d;
    analyze pg_temp.import_properties;

    insert into pg_temp.import_errors
    select p.line, wrong.column_name, wrong.value, wrong.code, wrong.message, wrong.remedy
    from pg_temp.import_properties as p
    cross join lateral (
        values
        (
            p.address_line1 is null, 'address_line1', null, 'value_missing',
            'A property that Freehold does not know yet needs an address.',
            'Give the street address, or the name under which the property is known.'
        ),
        (
            p.city is null, 'city', null, 'value_missing',
            'A property that Freehold does not know yet needs a city.', 'Give the city.'
        ),
        (
            p.moves
            and lower(p.address_line1) <> lower((p.known).address_line1)
            and lower(p.city) <> lower((p.known).city),
            'address_line1', p.address_line1, 'property_elsewhere',
            format('The workspace has a property of this name at %s, %s.',
                (p.known).address_line1, (p.known).city),
            'Give this one another name, or correct the address in Freehold first.'
        ),
        (
            (p.latitude is null) <> (p.longitude is null), 'latitude', null, 'coordinates_incomplete',
            'Latitude and longitude come together.', 'Give both, or neither.'
        ),
        (
            not private.is_timezone(p.timezone), 'timezone', p.timezone, 'timezone_unknown',
            'There is no such time zone.', 'Give an IANA name, such as America/Chicago.'
        ),
        (
            p.stated_currency <> p.currency, 'currency', p.stated_currency, 'currency_differs',
            format('The property keeps its money in %s.', p.currency),
            format('Give amounts in %s, and %s in the column currency.', p.currency, p.currency)
        ),
        (
            p.manager_email is not null and p.stated_manager_id is null, 'manager_email', p.manager_email,
            'manager_not_a_member', 'No active member of the workspace has this address.',
            'Invite them first, or leave the cell empty: the owners then get the notices.'
        )
    ) as wrong (is_wrong, column_name, value, code, message, remedy)
    where wrong.is_wrong;
end
$$;


create function private.plan_import_units(p_workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    create temporary table import_units on commit drop as
    with stated as (
        select
            l.property_key,
            l.unit_key as key,
            min(l.line) as line,
            (array_agg(l.unit_number order by l.line))[1] as unit_number,
            min(l.bedrooms) as bedrooms,
            min(l.bathrooms) as bathrooms,
            min(l.area_sqft) as area_sqft,
            min(l.market_rent_minor) as market_rent_minor
        from pg_temp.import_lines as l
        where l.property_key is not null and l.unit_key is not null
        group by l.property_key, l.unit_key
    )
    select
        s.property_key,
        s.key,
        s.line,
        p.id as property_id,
        coalesce(u.id, gen_random_uuid()) as id,
        u.id is null as is_new,
        coalesce(u.unit_number, s.unit_number) as unit_number,
        coalesce(s.bedrooms, u.bedrooms) as bedrooms,
        coalesce(s.bathrooms, u.bathrooms) as bathrooms,
        coalesce(s.area_sqft, u.area_sqft) as area_sqft,
        coalesce(s.market_rent_minor, u.market_rent_minor) as market_rent_minor,
        u.id is not null and (
            coalesce(s.bedrooms, u.bedrooms),
            coalesce(s.bathrooms, u.bathrooms),
            coalesce(s.area_sqft, u.area_sqft),
            coalesce(s.market_rent_minor, u.market_rent_minor)
        ) is distinct from (u.bedrooms, u.bathrooms, u.area_sqft, u.market_rent_minor) as changes
    from stated as s
    join pg_temp.import_properties as p on p.key = s.property_key
    left join public.units as u
        on u.workspace_id = p_workspace_id and u.property_id = p.id and lower(u.unit_number) = s.key;
    analyze pg_temp.import_units;
end
$$;
