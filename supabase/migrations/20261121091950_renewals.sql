set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

alter table "public"."leases"
    add column "renewal_day" integer;

create or replace function private.check_custom_fields()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_wrong record;
begin
    perform pg_advisory_xact_lock_shared(l.lock)
    from (
        select distinct private.custom_fields_lock(t.workspace_id, tg_argv[0]) as lock from touched as t order by 1
    ) as l;
    select
        f.key,
        d.id is null as is_unknown,
        d.status = 'archived' and tg_op = 'INSERT' as is_archived,
        wrong.must_be,
        left(array_to_string(d.options, ', '), 1000) as options,
        to_jsonb(t) ->> tg_argv[1] as entity_id
    into v_wrong
    from touched as t
    cross join lateral jsonb_each(t.fields) as f
    left join public.custom_field_definitions as d
        on d.workspace_id = t.workspace_id and d.entity = tg_argv[0] and d.key = f.key
    cross join lateral (
        select case when d.id is not null then private.custom_field_problem(d.type, d.options, f.value) end as must_be
    ) as wrong
    where d.id is null or d.status = 'archived' and tg_op = 'INSERT' or wrong.must_be is not null
    limit 1;
    if v_wrong.is_unknown then
        perform private.fail(
            422, 'custom_field_unknown', format('The workspace defines no field %s for %s.', v_wrong.key, tg_argv[0]),
            format('key=%s %s=%s', v_wrong.key, tg_argv[1], v_wrong.entity_id),
            'List the fields there are: GET /custom_field_definitions?entity=eq.' || tg_argv[0] || '.'
        );
    elsif v_wrong.is_archived then
        perform private.refuse_archived_field(v_wrong.key, tg_argv[1], v_wrong.entity_id);
    elsif v_wrong.must_be is not null then
        perform private.fail(
            422, 'custom_field_invalid', format('The field %s must be %s.', v_wrong.key, v_wrong.must_be),
            format('key=%s %s=%s', v_wrong.key, tg_argv[1], v_wrong.entity_id),
            coalesce('Its options are ' || v_wrong.options || '.', 'Leave the key out for no value.')
        );
    end if;
    select d.key, to_jsonb(t) ->> tg_argv[1] as entity_id
    into v_wrong
    from touched as t
    join public.custom_field_definitions as d on d.workspace_id = t.workspace_id and d.entity = tg_argv[0]
    where
        d.required
        and d.status = 'active'
        and not t.fields ? d.key
        -- A renewal may lack what the lease before it lacks: nobody is there to be asked when a lease renews by itself.
        and not (
            tg_op = 'INSERT'
            and tg_argv[0] = 'leases'
            and exists (
                select from public.leases as l
                join public.lease_custom_fields as c on c.workspace_id = l.workspace_id and c.lease_id = l.renewed_from_id
                where
                    l.workspace_id = t.workspace_id
                    and l.id = (to_jsonb(t) ->> tg_argv[1])::uuid
                    and not c.fields ? d.key
            )
        )
    limit 1;
    if found then
        perform private.fail(
            422, 'custom_field_required', format('The field %s is required.', v_wrong.key),
            format('key=%s %s=%s', v_wrong.key, tg_argv[1], v_wrong.entity_id),
            'Give it a value in the same call, or delete the row of values as a whole.'
        );
    end if;
    if tg_op = 'UPDATE' then
        select f.key, to_jsonb(t) ->> tg_argv[1] as entity_id
        into v_wrong
        from touched as t
        cross join lateral jsonb_each(t.fields) as f
        join public.custom_field_definitions as d
            on d.workspace_id = t.workspace_id and d.entity = tg_argv[0] and d.key = f.key and d.status = 'archived'
        left join before as was
            on
                was.workspace_id = t.workspace_id
                and to_jsonb(was) ->> tg_argv[1] = to_jsonb(t) ->> tg_argv[1]
        where was.fields -> f.key is distinct from f.value
        limit 1;
        if found then
            perform private.refuse_archived_field(v_wrong.key, tg_argv[1], v_wrong.entity_id);
        end if;
    end if;
    return null;
end
$function$;

create or replace function private.day_of_month (
    p_month date,
    p_day integer
)
    returns date
    language sql
    immutable
    parallel safe
    strict
    set search_path to ''
    AS $function$
    select least(
        date_trunc('month', p_month)::date + p_day - 1, (date_trunc('month', p_month) + interval '1 month - 1 day')::date
    )
$function$;

create or replace function private.draft_renewal (
    p_lease public.leases,
    p_lease_number text,
    p_starts_on date,
    p_ends_on date,
    p_rent_minor bigint
)
    returns public.leases
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_rent public.lease_terms := private.rent_on(p_lease, p_starts_on);
    v_renewal public.leases;
begin
    insert into public.leases (
        workspace_id, property_id, whole_property, lease_number, starts_on, ends_on, on_expiry, renewal_months,
        renewal_day, holdover_rent_percent, notice_days, currency, deposit_minor, deposit_nonrefundable_minor,
        deposit_held_by, deposit_conditions, renewed_from_id
    )
    values (
        p_lease.workspace_id, p_lease.property_id, p_lease.whole_property, p_lease_number, p_starts_on, p_ends_on,
        p_lease.on_expiry, p_lease.renewal_months,
        case when p_lease.on_expiry = 'renews' and p_starts_on = p_lease.ends_on + 1 then private.renewal_day(p_lease) end,
        p_lease.holdover_rent_percent, p_lease.notice_days, p_lease.currency, p_lease.deposit_minor,
        p_lease.deposit_nonrefundable_minor, p_lease.deposit_held_by, p_lease.deposit_conditions, p_lease.id
    )
    returning * into v_renewal;
    -- The units it has at its end: one that was given up before is not renewed.
    insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession)
    select p_lease.workspace_id, p_lease.property_id, v_renewal.id, h.unit_id, v_renewal.term
    from unnest(private.holds_until(private.holds(p_lease), p_starts_on)) as h
    where upper(h.possession) = p_starts_on
    order by h.unit_id;
    insert into public.lease_tenants (workspace_id, lease_id, tenant_id, role, share)
    select lt.workspace_id, v_renewal.id, lt.tenant_id, lt.role, lt.share
    from public.lease_tenants as lt
    where lt.workspace_id = p_lease.workspace_id and lt.lease_id = p_lease.id;
    insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor, due_day)
    values (
        p_lease.workspace_id, v_renewal.id, p_starts_on, coalesce(p_rent_minor, v_rent.rent_minor), v_rent.due_day
    );
    -- Later rents that were agreed on hold, unless the renewal has a rent of its own.
    insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor, due_day)
    select t.workspace_id, v_renewal.id, t.effective_on, t.rent_minor, t.due_day
    from public.lease_terms as t
    where
        p_rent_minor is null
        and t.workspace_id = p_lease.workspace_id
        and t.lease_id = p_lease.id
        and t.superseded_at is null
        and t.effective_on > p_starts_on;
    -- What was signed beside the lease: a pet, a parking space. What changed the lease itself stands in the renewal's own terms.
    insert into public.lease_addenda (workspace_id, lease_id, title, body, effective_on, signed_on)
    select a.workspace_id, v_renewal.id, a.title, a.body, greatest(a.effective_on, p_starts_on), a.signed_on
    from public.lease_addenda as a
    where
        a.workspace_id = p_lease.workspace_id
        and a.lease_id = p_lease.id
        and a.signed_on is not null
        and a.changes is null
    order by a.created_at, a.id;
    perform private.renew_custom_fields(p_lease, v_renewal);
    return v_renewal;
end
$function$;

create or replace function private.renew_custom_fields (
    p_lease public.leases,
    p_renewal public.leases
)
    returns void
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    -- As whoever writes values: no field is archived between the look and the copy.
    perform pg_advisory_xact_lock_shared(private.custom_fields_lock(p_lease.workspace_id, 'leases'));
    insert into public.lease_custom_fields (workspace_id, lease_id, fields)
    select p_lease.workspace_id, p_renewal.id, kept.fields
    from (
        select jsonb_object_agg(f.key, f.value) as fields
        from public.lease_custom_fields as c
        cross join lateral jsonb_each(c.fields) as f
        join public.custom_field_definitions as d
            on d.workspace_id = c.workspace_id and d.entity = 'leases' and d.key = f.key and d.status = 'active'
        where c.workspace_id = p_lease.workspace_id and c.lease_id = p_lease.id
    ) as kept
    where kept.fields is not null;
end
$function$;

create or replace function private.renew_leases (
    p_now timestamp with time zone,
    p_limit integer
)
    returns integer
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_lease public.leases;
    v_renewals integer := 0;
begin
    for v_lease in
        select l.*
        from public.leases as l
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        where
            l.status = 'active'
            and l.on_expiry = 'renews'
            and l.ends_on < ((p_now at time zone 'UTC') + interval '14 hours')::date
            and l.ends_on < private.local_date(p.timezone, p_now)
            and not exists (
                select from public.leases as r
                where
                    r.workspace_id = l.workspace_id
                    and r.property_id = l.property_id
                    and r.renewed_from_id = l.id
                    and r.status <> 'terminated'
            )
        order by l.ends_on, l.id
        limit p_limit
        for update of l skip locked
    loop
        -- Units of one lease after the other are not in id order, so it does not wait: somebody is at them, and the next run
        -- will find them free.
        if private.units_are_free_to_lock(v_lease) then
            begin
                perform private.bind_lease(
                    private.draft_renewal(
                        v_lease,
                        private.renewal_number(v_lease),
                        v_lease.ends_on + 1,
                        private.renewed_until(v_lease),
                        null
                    ),
                    p_now
                );
                v_renewals := v_renewals + 1;
            exception when sqlstate 'PGRST' or integrity_constraint_violation then
                -- One that cannot be renewed runs on as it is, and keeps no other from it.
                raise warning 'lease % was not renewed: %', v_lease.id, sqlerrm;
            end;
        end if;
    end loop;
    return v_renewals;
end
$function$;

create or replace function private.renewal_day (
    p_lease public.leases
)
    returns integer
    language sql
    immutable
    set search_path to ''
    AS $function$
    select d.day
    from unnest(array[
        p_lease.renewal_day,
        extract(day from p_lease.starts_on)::integer,
        extract(day from p_lease.ends_on + 1)::integer
    ]) with ordinality as d (day, choice)
    where private.day_of_month(p_lease.ends_on + 1, d.day) = p_lease.ends_on + 1
    order by d.choice
    limit 1
$function$;

create or replace function private.renewed_until (
    p_lease public.leases
)
    returns date
    language sql
    immutable
    set search_path to ''
    AS $function$
    select private.day_of_month(
        (date_trunc('month', p_lease.ends_on + 1) + make_interval(months => p_lease.renewal_months))::date,
        private.renewal_day(p_lease)
    ) - 1
$function$;

alter table "public"."leases"
    -- Its column is new: no row has a value yet.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "leases_renewal_day_check" check (((renewal_day >= 1) AND (renewal_day <= 31)));

comment on column "public"."leases"."renewal_day" is 'Day of the month on which the terms of a lease that renews by itself begin, as in the first of them; a shorter month''s last
day stands in for a day that it lacks. Set with a renewal; empty: by the lease''s own dates.';

comment on function "public"."renew_lease"(uuid, date, bigint, date, text) is 'Drafts the lease that renews this one

A lease of its own, linked by renewed_from_id, with the same units, people (guarantors and occupants, too), deposit, rules and custom
fields and the signed addenda that changed none of these, from the day after the last one (or tomorrow, where there is none; or `starts_on`)
until `ends_on`, at `rent_minor` or else the rent as it is and was to become. Change the draft as you
like, then call `activate_lease`: on its first day it ends this one. Needs `leases.write`. 409 `lease_not_active`, 409
`lease_renewed` if there is a renewal, 409 `lease_number_taken`, 422 `renewal_out_of_range`. Answers the draft.';

revoke all on function "private"."day_of_month"(date, integer) from public;

revoke all on function "private"."day_of_month"(date, integer) from "postgres";

grant execute on function "private"."day_of_month"(date, integer) to "postgres";

revoke all on function "private"."renew_custom_fields"(public.leases, public.leases) from public;

revoke all on function "private"."renew_custom_fields"(public.leases, public.leases) from "postgres";

grant execute on function "private"."renew_custom_fields"(public.leases, public.leases) to "postgres";

revoke all on function "private"."renewal_day"(public.leases) from public;

revoke all on function "private"."renewal_day"(public.leases) from "postgres";

grant execute on function "private"."renewal_day"(public.leases) to "postgres";

revoke all on function "private"."renewed_until"(public.leases) from public;

revoke all on function "private"."renewed_until"(public.leases) from "postgres";

grant execute on function "private"."renewed_until"(public.leases) to "postgres";
