-- The plan's end: what of its leases cannot be.

create function private.refuse_lease_conflicts(p_workspace_id uuid)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    insert into pg_temp.import_errors
    select l.line, 'property_name', l.property_name, 'lease_in_two_properties',
        format('Lease %s is one of %s on line %s.', l.lease_number, p.name, le.line),
        'A lease lets units of one property: give each property a lease of its own.'
    from pg_temp.import_lines as l
    join pg_temp.import_leases as le on le.key = l.lease_key and le.property_key <> l.property_key
    join pg_temp.import_properties as p on p.key = le.property_key;

    insert into pg_temp.import_errors
    select l.line, wrong.column_name, wrong.value, wrong.code, wrong.message, wrong.remedy
    from pg_temp.import_leases as l
    left join public.properties as other
        on other.workspace_id = p_workspace_id and other.id = (l.known).property_id and other.id <> l.property_id
    left join (
        select distinct t.lease_key
        from pg_temp.import_lease_tenants as t
    ) as named on named.lease_key = l.key
    left join public.lease_tenants as primary_renter
        on
            primary_renter.workspace_id = p_workspace_id
            and primary_renter.lease_id = l.id
            and primary_renter.role = 'primary'
    cross join lateral (
        values
        (
            l.starts_on is null, 'lease_start', null, 'value_missing', 'The lease has no first day.',
            'Give the first day of its term.'
        ),
        (
            l.ends_on < l.starts_on, 'lease_end', l.ends_on::text, 'lease_ends_before_start',
            format('The lease begins on %s.', l.starts_on), 'Correct one of the two days.'
        ),
        (
            l.activates and l.rent_minor is null, 'rent_minor', null, 'value_missing',
            'A lease cannot begin without a rent.', 'Give the monthly rent, or lease_status draft.'
        ),
        (
            l.activates and named.lease_key is null and primary_renter.tenant_id is null,
            'tenant_last_name', null, 'value_missing', 'A lease cannot begin without a renter.',
            'Name the renter, or give lease_status draft.'
        ),
        (
            other.id is not null, 'property_name', other.name, 'lease_of_another_property',
            format('Lease %s is one of %s.', l.lease_number, other.name),
            'Correct the property, or give this lease another number.'
        ),
        (
            l.currency <> (l.known).currency, 'currency', l.currency, 'currency_differs',
            format('The lease is in %s, its property in %s.', (l.known).currency, l.currency),
            'Leave this lease out of the file.'
        ),
        (
            -- One that ran to its last day may be repeated, as one in force may.
            (l.known).status in ('ended', 'terminated')
            and (not coalesce((l.known).ended_on = l.ends_on, false) or l.changes or l.sets_rent), 'lease_number', l.lease_number, 'lease_has_ended',
            coalesce('The lease ended on ' || (l.known).ended_on || '.', 'The lease was terminated before it began.'),
            'Leave it out, or give the renewal a number of its own.'
        ),
        (
            l.activates and (l.known).whole_property, 'lease_status', l.stated_status, 'lease_of_whole_property',
            'This draft lets every unit of its property.', 'Give lease_status draft, and begin it with rpc/activate_lease.'
        ),
        (
            (l.known).in_force and l.stated_status = 'draft', 'lease_status', 'draft', 'lease_has_begun',
            'The lease binds already.', 'Give lease_status active, or leave the cell empty.'
        ),
        (
            (l.known).in_force and l.starts_on <> (l.known).starts_on, 'lease_start', l.starts_on::text,
            'lease_is_fixed', format('The lease has begun: its first day is %s.', (l.known).starts_on),
            'Correct the day, or give a renewal a number of its own.'
        ),
        (
            (l.known).in_force and l.ends_on is distinct from (l.known).ends_on, 'lease_end', l.ends_on::text,
            'lease_is_fixed', format('The lease has begun: its last day is %s.', coalesce((l.known).ends_on::text, 'open')),
            'Correct the day, or give a renewal a number of its own.'
        ),
        (
            (l.known).in_force and l.notice_days <> (l.known).notice_days, 'notice_days', l.notice_days::text,
            'lease_is_fixed', format('The lease has begun: its notice is %s days.', (l.known).notice_days),
            'Correct the number, or leave the cell empty.'
        ),
        (
            (l.known).in_force and l.deposit_minor <> (l.known).deposit_minor, 'deposit_minor',
            l.deposit_minor::text, 'lease_is_fixed', 'The lease has begun with another deposit.',
            'Correct the amount, or leave the cell empty.'
        ),
        (
            (l.known).in_force and l.stated_rent_minor <> l.known_rent_minor, 'rent_minor',
            l.stated_rent_minor::text, 'rent_differs', 'The lease has begun with another rent.',
            'Record the change with its first day as a new row of lease_terms, or leave the cell empty.'
        ),
        (
            (l.known).in_force and l.stated_due_day <> l.known_due_day, 'due_day', l.stated_due_day::text,
            'rent_differs', format('The rent of this lease is due on day %s.', l.known_due_day),
            'Record the change with its first day as a new row of lease_terms, or leave the cell empty.'
        )
    ) as wrong (is_wrong, column_name, value, code, message, remedy)
    where wrong.is_wrong;

    insert into pg_temp.import_errors
    select lu.line, 'unit_number', u.unit_number, 'lease_is_fixed',
        format('Lease %s has begun without this unit.', l.lease_number),
        'Give the unit a lease of its own.'
    from pg_temp.import_lease_units as lu
    join pg_temp.import_leases as l on l.key = lu.lease_key
    join pg_temp.import_units as u on u.id = lu.unit_id
    where lu.is_new and (l.known).status <> 'draft';

    insert into pg_temp.import_errors
    select who.line, 'tenant_last_name', who.last_name, 'primary_renter_differs',
        format('The primary renter of lease %s is %s.', l.lease_number, btrim(other.first_name || ' ' || other.last_name)),
        'Name that renter first and this one as co-tenant, or give a new lease a number of its own.'
    from pg_temp.import_lease_tenants as who
    join pg_temp.import_leases as l on l.key = who.lease_key
    join pg_temp.import_tenants as t on t.key = who.tenant_key
    join public.lease_tenants as lt
        on lt.workspace_id = p_workspace_id and lt.lease_id = l.id and lt.role = 'primary' and lt.tenant_id <> t.id
    join public.tenants as other on other.workspace_id = lt.workspace_id and other.id = lt.tenant_id
    where who.is_primary;
end
$$;


-- Two leases cannot hold a unit on the same day: neither two of the file, nor one of the file and one that binds already.
create function private.refuse_import_overlaps(p_workspace_id uuid, p_now timestamptz)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    with clashes as (
        select mine.line, mine.lease_key, mine.unit_id, other.lease_key as other_key, null::uuid as other_id, other.line as other_line
        from pg_temp.import_lease_units as mine
        join pg_temp.import_lease_units as other
            on
                other.unit_id = mine.unit_id
                and other.possession && mine.possession
                and (other.line, other.lease_key) < (mine.line, mine.lease_key)
                and other.lease_key <> mine.lease_key
        where mine.activates and other.activates
        union all
        select mine.line, mine.lease_key, mine.unit_id, null, lu.lease_id, null
        from pg_temp.import_lease_units as mine
        join public.lease_units as lu
            on
                lu.workspace_id = p_workspace_id
                and lu.unit_id = mine.unit_id
                and lu.lease_id <> mine.lease_id
                and lu.binding
                and lu.superseded_at is null
        join public.leases as other on other.workspace_id = lu.workspace_id and other.id = lu.lease_id
        join public.properties as p on p.workspace_id = other.workspace_id and p.id = other.property_id
        where
            mine.activates
            and mine.possession && daterange(
                lower(lu.possession),
                -- Renters who stay beyond their last day are still there.
                case when other.status not in ('active', 'notice_given')
                    or upper(lu.possession) <> other.leaves_on + 1
                    or other.leaves_on >= private.local_date(p.timezone, p_now)
                    then upper(lu.possession)
                end
            )
        union all
        -- A unit that is added to a property let whole belongs to that lease.
        select mine.line, mine.lease_key, mine.unit_id, null, other.id, null
        from pg_temp.import_lease_units as mine
        join pg_temp.import_units as iu on iu.id = mine.unit_id and iu.is_new
        join public.leases as other
            on
                other.workspace_id = p_workspace_id
                and other.property_id = iu.property_id
                and other.whole_property
                and other.in_force
        where mine.activates
    )
    insert into pg_temp.import_errors
    select distinct on (o.line, o.lease_key, o.unit_id)
        o.line,
        'unit_number',
        coalesce(iu.unit_number, u.unit_number),
        'possession_overlap',
        format(
            'Lease %s%s holds the unit in that time.', coalesce(il.lease_number, l.lease_number),
            ' of line ' || o.other_line
        ),
        'End that lease first, correct the days of one of them, or give lease_status draft.'
    from clashes as o
    left join pg_temp.import_units as iu on iu.id = o.unit_id
    left join public.units as u on u.workspace_id = p_workspace_id and u.id = o.unit_id
    left join pg_temp.import_leases as il on il.key = o.other_key
    left join public.leases as l on l.workspace_id = p_workspace_id and l.id = o.other_id
    order by o.line, o.lease_key, o.unit_id, o.other_line nulls last, l.lease_number;
end
$$;
