set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

create or replace function private.drop_import_plan()
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.has_held (
    p_workspace_id uuid,
    p_lease_id uuid,
    p_unit_id uuid
)
    returns boolean
    language plpgsql
    stable
    set search_path to ''
    AS $function$
begin
    return exists (
        select from public.lease_units as lu
        where
            lu.workspace_id = p_workspace_id
            and lu.lease_id = p_lease_id
            and lu.unit_id = p_unit_id
            and lu.binding
            and lu.superseded_at is null
    );
end
$function$;

create or replace function private.move_household_requests()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    update public.maintenance_requests as r
    set lease_id = renewal.id
    from touched as l
    join before as was on was.workspace_id = l.workspace_id and was.id = l.id and was.status <> l.status
    join public.leases as renewal
        on
            renewal.workspace_id = l.workspace_id
            and renewal.property_id = l.property_id
            and renewal.renewed_from_id = l.id
            and renewal.in_force
    where
        l.status = 'ended'
        and r.workspace_id = l.workspace_id
        and r.property_id = l.property_id
        and r.lease_id = l.id
        and r.status not in ('closed', 'cancelled')
        and (
            r.unit_id is null
            or private.has_held(l.workspace_id, renewal.id, r.unit_id)
            or not private.has_held(l.workspace_id, l.id, r.unit_id)
        );
    return null;
end
$function$;

create or replace function private.my_household_request_ids()
    returns SETOF uuid
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return query
    select r.id
    from public.leases as l
    join public.maintenance_requests as r
        on r.workspace_id = l.workspace_id and r.property_id = l.property_id and r.lease_id = l.id
    where
        l.id = any (array(select private.my_current_lease_ids()))
        and r.shown_to_renter
        and (
            r.unit_id is null
            or r.unit_id in (select private.my_unit_ids())
            or not private.has_held(l.workspace_id, l.id, r.unit_id)
        );
end
$function$;

create or replace function private.plan_import (
    p_import public.imports,
    p_now timestamp with time zone
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
begin
    perform private.drop_import_plan();
    perform private.plan_import_lines(p_import.id);
    perform private.refuse_contradictions();
    perform private.plan_import_properties(p_import.workspace_id);
    perform private.plan_import_units(p_import.workspace_id);
    perform private.plan_import_leases(p_import.workspace_id, p_now);
    perform private.plan_import_lease_units(p_import.workspace_id);
    perform private.plan_import_successions(p_import.workspace_id);
    perform private.plan_import_tenants(p_import.workspace_id);
    perform private.refuse_lease_conflicts(p_import.workspace_id);
    perform private.refuse_import_overlaps(p_import.workspace_id, p_now);
end
$function$;

create or replace function private.plan_import_leases (
    p_workspace_id uuid,
    p_now timestamp with time zone
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
begin
    create temporary table import_leases on commit drop as
    with stated as (
        select
            l.lease_key as key,
            min(l.line) as line,
            (array_agg(l.lease_number order by l.line))[1] as lease_number,
            (array_agg(l.property_key order by l.line))[1] as property_key,
            min(l.lease_start) as starts_on,
            min(l.lease_end) as ends_on,
            min(l.notice_days) as notice_days,
            min(l.rent_minor) as rent_minor,
            min(l.due_day) as due_day,
            min(l.deposit_minor) as deposit_minor,
            min(l.lease_status) as status
        from pg_temp.import_lines as l
        where l.lease_key is not null and l.property_key is not null
        group by l.lease_key
    ),
    compared as (
        select
            s.*,
            l as known,
            p.id as property_id,
            p.currency,
            coalesce(s.starts_on, l.starts_on) as new_starts_on,
            private.local_date(p.timezone, p_now) as today,
            case when l.in_force then greatest(private.local_date(p.timezone, p_now), l.starts_on)
                else coalesce(s.starts_on, l.starts_on)
            end as rent_asked_on
        from stated as s
        join pg_temp.import_properties as p on p.key = s.property_key
        left join public.leases as l on l.workspace_id = p_workspace_id and lower(l.lease_number) = s.key
    ),
    decided as (
        select
            c.key,
            c.line,
            c.property_key,
            c.property_id,
            c.currency,
            c.known,
            c.today,
            c.status as stated_status,
            c.rent_minor as stated_rent_minor,
            c.due_day as stated_due_day,
            t.rent_minor as known_rent_minor,
            t.due_day as known_due_day,
            (c.known).id is null as is_new,
            coalesce((c.known).id, gen_random_uuid()) as id,
            coalesce((c.known).lease_number, c.lease_number) as lease_number,
            c.new_starts_on as starts_on,
            coalesce(c.ends_on, (c.known).ends_on) as ends_on,
            coalesce(c.notice_days, (c.known).notice_days, 30) as notice_days,
            coalesce(c.deposit_minor, (c.known).deposit_minor, 0) as deposit_minor,
            coalesce(c.rent_minor, t.rent_minor) as rent_minor,
            coalesce(c.due_day, t.due_day, 1) as due_day,
            coalesce((c.known).status, 'draft') = 'draft'
            and coalesce(c.status, (c.known).status, 'active') = 'active' as activates,
            case when c.new_starts_on > c.today then 'pending' else 'active' end as status_once_active
        from compared as c
        left join lateral (
            select t.rent_minor, t.due_day
            from public.lease_terms as t
            where
                t.workspace_id = p_workspace_id
                and t.lease_id = (c.known).id
                and t.superseded_at is null
                and t.effective_on <= c.rent_asked_on
            order by t.effective_on desc
            limit 1
        ) as t on true
    )
    select
        d.*,
        case when d.ends_on >= d.starts_on or d.ends_on is null and d.starts_on is not null
            then daterange(d.starts_on, d.ends_on, '[]')
        end as term,
        not d.is_new and (d.starts_on, d.notice_days, d.deposit_minor) is distinct from
        ((d.known).starts_on, (d.known).notice_days, (d.known).deposit_minor)
        or not d.is_new and d.ends_on is distinct from (d.known).ends_on as changes,
        d.rent_minor is not null
        and (d.rent_minor, d.due_day) is distinct from (d.known_rent_minor, d.known_due_day) as sets_rent
    from decided as d;
    analyze pg_temp.import_leases;
end
$function$;

create or replace function private.plan_import_successions (
    p_workspace_id uuid
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
begin
    create temporary table import_successions on commit drop as
    with lapsed as (
        select l.key, l.today, lu.unit_id, upper(lu.possession) as free_from
        from pg_temp.import_leases as l
        join pg_temp.import_lease_units as lu on lu.lease_key = l.key
        where l.activates and l.ends_on < l.today and upper(lu.possession) = l.ends_on + 1
    ),
    followed as (
        select o.key, o.unit_id, l.lease_number, lower(lu.possession) as begins_on
        from lapsed as o
        join pg_temp.import_lease_units as lu
            on lu.unit_id = o.unit_id and lower(lu.possession) >= o.free_from and lower(lu.possession) <= o.today
        join pg_temp.import_leases as l on l.key = lu.lease_key and l.activates
        union all
        select o.key, o.unit_id, l.lease_number, lower(lu.possession)
        from lapsed as o
        join public.lease_units as lu
            on
                lu.workspace_id = p_workspace_id
                and lu.unit_id = o.unit_id
                and lu.binding
                and lu.superseded_at is null
                and lower(lu.possession) >= o.free_from
                and lower(lu.possession) <= o.today
        join public.leases as l
            on l.workspace_id = lu.workspace_id and l.id = lu.lease_id and l.status in ('active', 'notice_given', 'ended')
    )
    select o.key as lease_key, (array_agg(f.lease_number order by f.begins_on, f.lease_number))[1] as followed_by
    from lapsed as o
    left join followed as f on f.key = o.key and f.unit_id = o.unit_id
    group by o.key
    having bool_and(f.lease_number is not null);
    analyze pg_temp.import_successions;
end
$function$;

create or replace function private.refuse_lease_conflicts (
    p_workspace_id uuid
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.report_maintenance (
    p_unit_id uuid,
    p_title text,
    p_description text,
    p_category text,
    p_priority text,
    p_access_notes text,
    p_permission_to_enter boolean,
    p_now timestamp with time zone
)
    returns public.maintenance_requests
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_home record;
    v_request public.maintenance_requests;
begin
    -- The lease that holds the unit today, or else the next; locked, so that it does not end meanwhile.
    select l.workspace_id, l.property_id, l.id as lease_id, t.id as tenant_id into v_home
    from public.tenants as t
    join public.lease_tenants as lt on lt.workspace_id = t.workspace_id and lt.tenant_id = t.id
    join public.leases as l on l.workspace_id = lt.workspace_id and l.id = lt.lease_id
    join public.lease_units as lu
        on lu.workspace_id = l.workspace_id and lu.property_id = l.property_id and lu.lease_id = l.id
    join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
    where
        t.user_id = (select auth.uid())
        and l.id = any (array(select private.my_current_lease_ids()))
        and l.in_force
        and lu.unit_id = p_unit_id
        -- Not one that they were moved out of.
        and p_unit_id = any (array(select private.my_unit_ids()))
        and lu.binding
        and lu.superseded_at is null
    order by lu.possession @> private.local_date(p.timezone, p_now) desc, lower(lu.possession)
    limit 1
    for share of l;
    if not found then
        perform private.fail(
            404, 'unit_not_rented', 'No lease of yours holds such a unit today.',
            p_hint := 'List your units: GET /units.'
        );
    end if;
    insert into public.maintenance_requests (
        workspace_id, request_number, property_id, unit_id, lease_id, tenant_id, title, description, category, priority,
        access_notes, permission_to_enter, shown_to_renter
    )
    values (
        v_home.workspace_id, private.take_request_numbers(v_home.workspace_id, 1), v_home.property_id, p_unit_id,
        v_home.lease_id, v_home.tenant_id, p_title, p_description, coalesce(p_category, 'other'),
        coalesce(p_priority, 'normal'), p_access_notes, coalesce(p_permission_to_enter, false), true
    )
    returning * into v_request;
    return v_request;
end
$function$;

create or replace function private.write_import_leases (
    p_workspace_id uuid,
    p_now timestamp with time zone
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
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

    insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession, binding)
    select p_workspace_id, l.property_id, l.id, lu.unit_id, lu.possession, l.activates
    from pg_temp.import_lease_units as lu
    join pg_temp.import_leases as l on l.key = lu.lease_key
    where lu.is_new
    order by lu.unit_id;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.lease_units', v_rows);

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

    update public.leases as known
    set status = 'ended', ended_on = l.ends_on, status_reason = format('Followed by lease %s', s.followed_by)
    from pg_temp.import_successions as s
    join pg_temp.import_leases as l on l.key = s.lease_key
    where known.id = l.id;
end
$function$;

comment on function "public"."transfer_unit"(uuid, uuid, uuid, date) is 'Moves the renters of a lease to another unit of the property

From `on_date` on the lease holds the other unit instead, for as long as it would have held the first. The change is on record
as an addendum; for another rent call `amend_lease`. Work that was asked for in the first unit stays there, for the members and whoever
is to do it: from that day the renters neither see it nor report any, and if they come back they do. Needs `leases.write`. 409 `lease_not_active`, 409
`lease_of_whole_property`, 409 `lease_renewed` once a renewal is signed, 409 `possession_overlap`, 422 `transfer_impossible`.
Answers the lease.';

revoke all on function "private"."has_held"(uuid, uuid, uuid) from public;

revoke all on function "private"."has_held"(uuid, uuid, uuid) from "postgres";

grant execute on function "private"."has_held"(uuid, uuid, uuid) to "postgres";

revoke all on function "private"."plan_import_successions"(uuid) from public;

revoke all on function "private"."plan_import_successions"(uuid) from "postgres";

grant execute on function "private"."plan_import_successions"(uuid) to "postgres";
