set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

alter table "public"."leases"
    -- A wider one takes its place below, in the same transaction.
    -- squawk-ignore ban-drop-constraint
    drop constraint "ended_leases_have_a_date";

alter table "public"."leases"
    -- A wider one takes its place below, in the same transaction.
    -- squawk-ignore ban-drop-constraint
    drop constraint "leases_status_check";

-- Called by nobody but functions that this migration replaces.
-- squawk-ignore ban-drop-function
drop function "private"."lease_status_day"(public.leases, text);

create table "private"."lease_transitions" (
    "from_status" text not null,
    "to_status" text not null,
    "description" text not null,
    constraint "lease_transitions_pkey" primary key (from_status, to_status)
);

alter table "public"."leases"
    -- Rewrites the table once, under the lock timeout above.
    -- squawk-ignore adding-field-with-default
    add column "in_force" boolean generated always as
        ((status = ANY (ARRAY['pending'::text, 'active'::text, 'notice_given'::text]))) stored not null;

create or replace function private.activate_lease (
    p_lease_id uuid,
    p_now timestamp with time zone
)
    returns public.leases
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_lease public.leases := private.lock_lease(p_lease_id, 'leases.write');
    v_unit_ids uuid[];
begin
    if v_lease.status <> 'draft' then
        perform private.fail(
            409, 'lease_not_draft', format('Lease %s is %s, not a draft.', v_lease.lease_number, v_lease.status)
        );
    end if;
    v_unit_ids := private.lock_units(v_lease);
    if v_unit_ids is null then
        perform private.fail(
            422, 'lease_incomplete', format('Lease %s has no unit.', v_lease.lease_number),
            p_hint := 'Insert a row into lease_units for each unit that it lets.'
        );
    end if;
    if not exists (
        select from public.lease_tenants as lt
        where lt.workspace_id = v_lease.workspace_id and lt.lease_id = v_lease.id and lt.role = 'primary'
    ) then
        perform private.fail(
            422, 'lease_incomplete', format('Lease %s has no primary renter.', v_lease.lease_number),
            p_hint := 'Insert a row with role primary into lease_tenants.'
        );
    end if;
    if not exists (
        select from public.lease_terms as t
        where
            t.workspace_id = v_lease.workspace_id
            and t.lease_id = v_lease.id
            and t.superseded_at is null
            and t.effective_on <= v_lease.starts_on
    ) then
        perform private.fail(
            422, 'lease_incomplete', format('Lease %s has no rent for its first day.', v_lease.lease_number),
            p_hint := 'Insert a row into lease_terms with effective_on no later than starts_on.'
        );
    end if;
    begin
        update public.lease_units
        set binding = true, recorded_at = clock_timestamp()
        where workspace_id = v_lease.workspace_id and lease_id = v_lease.id and superseded_at is null;
    exception when exclusion_violation then
        perform private.refuse_overlap(v_lease, v_unit_ids, null);
    end;
    update public.leases
    set
        status = case when starts_on > private.lease_today(v_lease, p_now) then 'pending' else 'active' end,
        activated_at = p_now
    where id = v_lease.id
    returning * into v_lease;
    return v_lease;
end
$function$;

create or replace function private.arm_lease_reminders()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    -- Each reminder refers to its lease.
    perform private.analyze_outgrown('public.leases', (select count(*) from touched));
    update private.lease_reminders as r
    set state = 'cancelled', decided_at = now()
    from touched as l
    where
        r.workspace_id = l.workspace_id
        and r.lease_id = l.id
        and r.state = 'pending'
        and (l.status not in ('pending', 'active') or l.ends_on is distinct from r.ends_on);
    insert into private.lease_reminders as r (workspace_id, lease_id, threshold, ends_on, due_on)
    select l.workspace_id, l.id, t.threshold, l.ends_on, l.ends_on - t.days
    from touched as l
    cross join lateral (
        values ('days_90', 90), ('days_60', 60), ('days_30', 30), ('notice_deadline', l.notice_days)
    ) as t (threshold, days)
    where l.status in ('pending', 'active') and l.ends_on is not null
    on conflict (workspace_id, lease_id, threshold, ends_on) do update
    set state = 'pending', decided_at = null
    where r.state = 'cancelled';
    return null;
end
$function$;

create or replace function private.end_lease (
    p_lease_id uuid,
    p_ended_on date,
    p_now timestamp with time zone
)
    returns public.leases
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_lease public.leases := private.lock_lease(p_lease_id, 'leases.write');
    v_today date := private.lease_today(v_lease, p_now);
    v_unit_ids uuid[];
begin
    if v_lease.status not in ('active', 'notice_given') then
        perform private.fail(
            409, 'lease_not_active', format('Lease %s is %s, not active.', v_lease.lease_number, v_lease.status)
        );
    end if;
    if p_ended_on is null or p_ended_on < v_lease.starts_on or p_ended_on > v_today then
        perform private.fail(
            422, 'end_out_of_range',
            format('ended_on must lie between the lease''s first day, %s, and today, %s.', v_lease.starts_on, v_today),
            p_hint := 'Give the last day on which the renters had the unit; record it once they have moved out.'
        );
    end if;
    v_unit_ids := private.lock_units(v_lease);
    begin
        with superseded as (
            update public.lease_units
            set superseded_at = greatest(clock_timestamp(), recorded_at)
            where workspace_id = v_lease.workspace_id and lease_id = v_lease.id and superseded_at is null
            returning *
        )
        select array_agg(s.unit_id) into v_unit_ids from superseded as s;
        insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession, binding)
        select distinct on (lu.unit_id)
            lu.workspace_id,
            lu.property_id,
            lu.lease_id,
            lu.unit_id,
            daterange(lower(lu.possession), p_ended_on, '[]'),
            true
        from public.lease_units as lu
        where
            lu.workspace_id = v_lease.workspace_id
            and lu.lease_id = v_lease.id
            and lu.unit_id = any (v_unit_ids)
            -- A unit that they were to have later was never theirs.
            and lower(lu.possession) <= p_ended_on
        order by lu.unit_id, lu.superseded_at desc;
    exception when exclusion_violation then
        -- They stayed beyond the term, into days that another lease already holds.
        perform private.refuse_overlap(v_lease, v_unit_ids, (
            select daterange(min(upper(lu.possession)), p_ended_on, '[]')
            from public.lease_units as lu
            where
                lu.workspace_id = v_lease.workspace_id
                and lu.lease_id = v_lease.id
                and lu.superseded_at is null
                and upper(lu.possession) <= p_ended_on
        ));
    end;
    update public.leases
    set status = 'ended', ended_on = p_ended_on
    where id = v_lease.id
    returning * into v_lease;
    return v_lease;
end
$function$;

create or replace function private.guard_lease_status()
    returns trigger
    language plpgsql
    set search_path to ''
    AS $function$
begin
    if not exists (
        select from private.lease_transitions as t where t.from_status = old.status and t.to_status = new.status
    ) then
        perform private.fail(
            409, 'lease_transition_refused',
            format('Lease %s is %s: it cannot become %s.', old.lease_number, old.status, new.status)
        );
    end if;
    return new;
end
$function$;

create or replace function private.lease_status_day (
    p_lease public.leases,
    p_was text,
    p_timezone text
)
    returns date
    language plpgsql
    stable
    set search_path to ''
    AS $function$
begin
    return coalesce(
        p_lease.ended_on,
        case when p_lease.status = 'active' and p_was is distinct from 'notice_given' then p_lease.starts_on end,
        private.local_date(p_timezone, now())
    );
end
$function$;

create or replace function private.lease_today (
    p_lease public.leases,
    p_now timestamp with time zone
)
    returns date
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return (
        select private.local_date(p.timezone, p_now)
        from public.properties as p
        where p.workspace_id = p_lease.workspace_id and p.id = p_lease.property_id
    );
end
$function$;

create or replace function private.lock_units (
    p_lease public.leases
)
    returns uuid[]
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    return (
        select array_agg(locked.id)
        from (
            select u.id
            from public.units as u
            where u.workspace_id = p_lease.workspace_id and u.id in (
                select lu.unit_id
                from public.lease_units as lu
                where
                    lu.workspace_id = p_lease.workspace_id
                    and lu.lease_id = p_lease.id
                    and lu.superseded_at is null
            )
            order by u.id
            for no key update
        ) as locked
    );
end
$function$;

create or replace function private.my_current_lease_ids()
    returns SETOF uuid
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return query
    select l.id
    from public.leases as l
    where l.id = any (array(select private.my_lease_ids())) and l.in_force;
end
$function$;

create or replace function private.my_property_ids()
    returns SETOF uuid
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return query
    select l.property_id
    from public.leases as l
    where l.id = any (array(select private.my_current_lease_ids()));
end
$function$;

create or replace function private.my_unit_ids()
    returns SETOF uuid
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return query
    select lu.unit_id
    from public.leases as l
    join public.lease_units as lu
        on lu.workspace_id = l.workspace_id and lu.property_id = l.property_id and lu.lease_id = l.id
    where
        l.id = any (array(select private.my_current_lease_ids()))
        and lu.binding
        and lu.superseded_at is null;
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

create or replace function private.plan_import_tenants (
    p_workspace_id uuid
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.record_lease_status()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    if tg_op = 'INSERT' then
        insert into public.lease_status_changes (workspace_id, lease_id, to_status, effective_on, changed_by)
        select l.workspace_id, l.id, l.status, private.lease_status_day(l, null, p.timezone), u.id
        from touched as l
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        left join auth.users as u on u.id = (select auth.uid());
    else
        insert into public.lease_status_changes
            (workspace_id, lease_id, from_status, to_status, effective_on, changed_by)
        select l.workspace_id, l.id, was.status, l.status, private.lease_status_day(l, was.status, p.timezone), u.id
        from touched as l
        join before as was on was.workspace_id = l.workspace_id and was.id = l.id and was.status <> l.status
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        left join auth.users as u on u.id = (select auth.uid());
    end if;
    return null;
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
            (l.known).status in ('ended', 'terminated'), 'lease_number', l.lease_number, 'lease_has_ended',
            coalesce('The lease ended on ' || (l.known).ended_on || '.', 'The lease was terminated before it began.'),
            'Leave it out, or give the renewal a number of its own.'
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
    where lu.is_new and (l.known).in_force;

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
end
$function$;

create or replace function worker.lease_turnover (
    p_now timestamp with time zone default now(),
    p_limit integer default 1000
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
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
$function$;

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "ended_leases_have_a_date" check (
CASE status
    WHEN 'ended'::text THEN (ended_on IS NOT NULL)
    WHEN 'terminated'::text THEN true
    ELSE (ended_on IS NULL)
END);

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "leases_status_check"
        check
        ((status = ANY (ARRAY['draft'::text, 'pending'::text, 'active'::text, 'notice_given'::text, 'ended'::text,
        'terminated'::text])));

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index leases_pending_idx on public.leases using btree (starts_on, id)
    where (status = 'pending'::text);

create trigger guard_lease_status
    before update on public.leases
    for each row
    when ((new.status <> old.status))
    execute function private.guard_lease_status();

comment on column "public"."leases"."in_force" is 'Whether it binds its units: pending, active or notice_given.';

comment on column "public"."leases"."status" is 'draft, pending (signed, not begun), active, notice_given, ended or terminated (ended early). Changed by the database alone;
each change is kept in lease_status_changes.';

comment on function "public"."activate_lease"(uuid) is 'Makes a draft lease binding

Its units are held from then on, and its dates and money fixed. It is active at once, or pending until its first day where
the property stands. Needs `leases.write`, a unit, a primary renter and a rent
for the first day (422 `lease_incomplete`). 409 `possession_overlap` names the lease that holds a unit in that time; 409
`lease_not_draft` if it has begun already. Answers the lease.';

comment on function "worker"."lease_turnover"(timestamp with time zone, integer) is 'Begins the leases whose first day has come

A pending lease becomes active on its first day where its property stands. Takes up to `p_limit`: call again while `more`.
Answers {leases_begun, more}.';

comment on table "private"."lease_transitions" is 'Which status of a lease may follow which. A trigger refuses every other step, whoever takes it.';

comment on table "public"."leases" is 'Contracts that let one or more units of a property.

A lease starts as a draft. `rpc/activate_lease` makes it binding: from then on its units are held and its dates fixed; it
is pending until its first day, and active from there. `rpc/end_lease` records the day on which the renters moved out. What the rent is stands in lease_terms, who holds which
unit in lease_units, who signed in lease_tenants.';

revoke all on function "private"."guard_lease_status"() from public;

revoke all on function "private"."guard_lease_status"() from "postgres";

grant execute on function "private"."guard_lease_status"() to "postgres";

revoke all on function "private"."lease_status_day"(public.leases, text, text) from public;

revoke all on function "private"."lease_status_day"(public.leases, text, text) from "postgres";

grant execute on function "private"."lease_status_day"(public.leases, text, text) to "postgres";

revoke all on function "private"."lease_today"(public.leases, timestamp with time zone) from public;

revoke all on function "private"."lease_today"(public.leases, timestamp with time zone) from "postgres";

grant execute on function "private"."lease_today"(public.leases, timestamp with time zone) to "postgres";

revoke all on function "private"."lock_units"(public.leases) from public;

revoke all on function "private"."lock_units"(public.leases) from "postgres";

grant execute on function "private"."lock_units"(public.leases) to "postgres";

revoke all on function "private"."my_current_lease_ids"() from public;

grant execute on function "private"."my_current_lease_ids"() to "authenticated";

revoke all on function "private"."my_current_lease_ids"() from "postgres";

grant execute on function "private"."my_current_lease_ids"() to "postgres";

revoke all on function "worker"."lease_turnover"(timestamp with time zone, integer) from public;

revoke all on function "worker"."lease_turnover"(timestamp with time zone, integer) from "postgres";

grant execute on function "worker"."lease_turnover"(timestamp with time zone, integer) to "postgres";

grant execute on function "worker"."lease_turnover"(timestamp with time zone, integer) to "worker";
