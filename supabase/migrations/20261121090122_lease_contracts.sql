set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

-- Dropping takes a moment.
-- squawk-ignore require-concurrent-index-deletion
drop index "public"."lease_units_unit_key";

-- Called by nobody but functions that this migration replaces.
-- squawk-ignore ban-drop-function
drop function "private"."lock_units"(public.leases);

-- Called by nobody but functions that this migration replaces.
-- squawk-ignore ban-drop-function
drop function "private"."refuse_import_overlaps"(uuid);

-- Called by nobody but functions that this migration replaces.
-- squawk-ignore ban-drop-function
drop function "private"."refuse_overlap"(public.leases, uuid[], daterange);

create table "public"."lease_addenda" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "lease_id" uuid not null,
    "title" text not null,
    "body" text,
    "effective_on" date not null,
    "signed_on" date,
    "changes" jsonb,
    "created_at" timestamp with time zone not null default now(),
    "updated_at" timestamp with time zone not null default now(),
    constraint "lease_addenda_body_check" check ((length(body) <= 100000)),
    constraint "lease_addenda_changes_check" check ((jsonb_typeof(changes) = 'object'::text)),
    constraint "lease_addenda_effective_on_check"
        check (((effective_on >= '1900-01-01'::date) AND (effective_on <= '2200-01-01'::date))),
    constraint "lease_addenda_pkey" primary key (id),
    constraint "lease_addenda_signed_on_check"
        check (((signed_on >= '1900-01-01'::date) AND (signed_on <= '2200-01-01'::date))),
    constraint "lease_addenda_title_check" check (((length(title) <= 200) AND (btrim(title) <> ''::text))),
    constraint "lease_addenda_workspace_id_id_key" unique (workspace_id, id)
);

alter table "public"."lease_addenda"
    enable row level security;

revoke all on table "public"."lease_addenda" from "anon";

alter table "public"."lease_status_changes"
    add column "reason" text;

alter table "public"."leases"
    add column "whole_property" boolean not null default false;

alter table "public"."leases"
    add column "on_expiry" text not null default 'ends'::text;

alter table "public"."leases"
    add column "renewal_months" integer;

alter table "public"."leases"
    add column "holdover_rent_percent" numeric(5,1) not null default 100;

alter table "public"."leases"
    add column "deposit_nonrefundable_minor" bigint not null default 0;

alter table "public"."leases"
    add column "deposit_held_by" text not null default 'manager'::text;

alter table "public"."leases"
    add column "deposit_conditions" text;

alter table "public"."leases"
    add column "renewed_from_id" uuid;

alter table "public"."leases"
    add column "moved_in_on" date;

alter table "public"."leases"
    add column "notice_given_on" date;

alter table "public"."leases"
    add column "notice_given_by" text;

alter table "public"."leases"
    add column "planned_move_out_on" date;

alter table "public"."leases"
    -- Rewrites the table once, under the lock timeout above.
    -- squawk-ignore adding-field-with-default
    add column "notice_is_late" boolean generated always as (((planned_move_out_on - notice_given_on) < notice_days))
        stored;

alter table "public"."leases"
    -- Rewrites the table once, under the lock timeout above.
    -- squawk-ignore adding-field-with-default
    add column "leaves_on" date generated always as (COALESCE(planned_move_out_on,
CASE on_expiry
    when 'ends'::text THEN ends_on
    ELSE null::date
end)) stored;

alter table "public"."leases"
    add column "moved_out_on" date;

alter table "public"."leases"
    add column "status_reason" text;

alter table "public"."leases"
    add column "amendments" integer not null default 0;

create type "private"."unit_hold" as (
    "unit_id" uuid,
    "possession" daterange
);

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
begin
    if v_lease.status <> 'draft' then
        perform private.fail(
            409, 'lease_not_draft', format('Lease %s is %s, not a draft.', v_lease.lease_number, v_lease.status)
        );
    end if;
    return private.bind_lease(v_lease, p_now);
end
$function$;

create or replace function private.amend_lease (
    p_lease_id uuid,
    p_title text,
    p_effective_on date,
    p_body text,
    p_signed_on date,
    p_starts_on date,
    p_ends_on date,
    p_open_ended boolean,
    p_on_expiry text,
    p_renewal_months integer,
    p_notice_days integer,
    p_rent_minor bigint,
    p_due_day integer,
    p_now timestamp with time zone
)
    returns public.leases
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_old public.leases := private.lock_lease(p_lease_id, 'leases.write');
    v_new public.leases := v_old;
    v_today date := private.lease_today(v_old, p_now);
    v_rent public.lease_terms;
    v_renewed public.leases;
    v_holds private.unit_hold[];
    v_changes jsonb;
begin
    perform private.require_lease_status(v_old, '{pending, active, notice_given}');
    if coalesce(btrim(p_title), '') = '' or length(p_title) > 200 or p_effective_on is null then
        perform private.fail(422, 'amendment_incomplete', 'An addendum has a title and a first day.');
    end if;
    v_new.starts_on := coalesce(p_starts_on, v_old.starts_on);
    v_new.ends_on := case when not coalesce(p_open_ended, false) then coalesce(p_ends_on, v_old.ends_on) end;
    v_new.on_expiry := coalesce(p_on_expiry, v_old.on_expiry);
    v_new.renewal_months := case v_new.on_expiry
        when 'renews' then coalesce(p_renewal_months, v_old.renewal_months)
    end;
    v_new.notice_days := coalesce(p_notice_days, v_old.notice_days);
    v_new.amendments := v_old.amendments + 1;
    v_rent := private.rent_on(v_old, p_effective_on);
    -- A renewal that begins on another day ends the lease before it on another, too. Both are locked.
    select * into v_renewed
    from public.leases as l
    where l.workspace_id = v_old.workspace_id and l.id = v_old.renewed_from_id and l.in_force;
    select jsonb_object_agg(c.name, jsonb_build_object('from', c.before, 'to', c.after))
    into v_changes
    from (
        values
        ('starts_on', to_jsonb(v_old.starts_on), to_jsonb(v_new.starts_on)),
        ('ends_on', to_jsonb(v_old.ends_on), to_jsonb(v_new.ends_on)),
        ('on_expiry', to_jsonb(v_old.on_expiry), to_jsonb(v_new.on_expiry)),
        ('renewal_months', to_jsonb(v_old.renewal_months), to_jsonb(v_new.renewal_months)),
        ('notice_days', to_jsonb(v_old.notice_days), to_jsonb(v_new.notice_days)),
        ('rent_minor', to_jsonb(v_rent.rent_minor), to_jsonb(coalesce(p_rent_minor, v_rent.rent_minor))),
        ('due_day', to_jsonb(v_rent.due_day), to_jsonb(coalesce(p_due_day, v_rent.due_day)))
    ) as c (name, before, after)
    where c.before is distinct from c.after;
    if v_changes is null then
        perform private.fail(
            422, 'amendment_incomplete', 'That changes nothing.',
            p_hint := 'For what Freehold does not keep itself insert a row into lease_addenda.'
        );
    end if;
    if v_new.starts_on <> v_old.starts_on and v_old.status <> 'pending'
        or v_new.starts_on <= v_renewed.starts_on
        or v_new.ends_on < v_new.starts_on
        or v_new.ends_on >= '2200-01-01'
        or v_new.starts_on not between '1900-01-01' and '2200-01-01'
        or p_effective_on not between '1900-01-01' and '2199-12-31'
        or p_signed_on not between '1900-01-01' and '2200-01-01'
        or v_new.on_expiry not in ('ends', 'month_to_month', 'renews')
        or v_new.on_expiry = 'renews' and (v_new.renewal_months is null or v_new.ends_on is null)
        or v_new.renewal_months not between 1 and 120
        or v_new.notice_days not between 0 and 400
        or p_rent_minor not between 0 and 9007199254740991
        or p_due_day not between 1 and 31
        or length(p_body) > 100000
        or (p_rent_minor is not null or p_due_day is not null) and p_effective_on < v_new.starts_on
    then
        perform private.fail(
            422, 'amendment_out_of_range', format('Lease %s cannot be changed to that.', v_old.lease_number),
            p_hint := 'starts_on moves only before it has come, ends_on lies on or after it, a rent counts from no earlier day; '
            'a lease that renews says for how many months.'
        );
    end if;
    if v_changes ?| array['starts_on', 'ends_on', 'on_expiry', 'renewal_months'] then
        perform private.refuse_pending_renewal(v_old);
    end if;
    update public.leases
    set
        starts_on = v_new.starts_on,
        ends_on = v_new.ends_on,
        on_expiry = v_new.on_expiry,
        renewal_months = v_new.renewal_months,
        notice_days = v_new.notice_days,
        amendments = v_new.amendments
    where id = v_old.id
    returning * into v_new;
    if v_new.starts_on <> v_old.starts_on or v_new.leaves_on is distinct from v_old.leaves_on then
        v_holds := array(
            select (
                h.unit_id,
                case when lower(h.possession) = v_old.starts_on
                    then daterange(
                        v_new.starts_on,
                        case when not upper_inf(h.possession) then greatest(upper(h.possession), v_new.starts_on + 1) end
                    )
                    else h.possession
                end
            )::private.unit_hold
            from unnest(private.holds(v_old)) as h
        );
        v_holds := private.holds_until(v_holds, private.holds_its_units_until(v_new, v_today));
        if v_new.leaves_on < v_today then
            v_holds := private.holds_till_the_next(v_new, v_holds);
        end if;
        if v_renewed.id is not null and v_new.starts_on <> v_old.starts_on then
            perform private.lock_units(v_new.workspace_id, array(
                select h.unit_id from unnest(v_holds || private.holds(v_old) || private.holds(v_renewed)) as h
            ));
            perform private.set_possession(
                v_renewed,
                private.holds_until(private.holds(v_renewed), least(v_old.starts_on, v_new.starts_on))
            );
            perform private.set_possession(v_new, v_holds);
            perform private.set_possession(
                v_renewed, private.holds_until(private.holds(v_renewed), v_new.starts_on)
            );
        else
            perform private.set_possession(v_new, v_holds);
        end if;
        perform private.refuse_held_over(v_new, v_today);
    end if;
    if v_changes ?| array['rent_minor', 'due_day'] then
        insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor, due_day)
        values (
            v_new.workspace_id, v_new.id, p_effective_on, coalesce(p_rent_minor, v_rent.rent_minor),
            coalesce(p_due_day, v_rent.due_day)
        );
    end if;
    -- One that begins earlier than it was to has a rent for its new first day, too.
    if v_new.starts_on < v_old.starts_on and (private.rent_on(v_new, v_new.starts_on)).id is null then
        v_rent := private.rent_on(v_old, v_old.starts_on);
        insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor, due_day)
        values (v_new.workspace_id, v_new.id, v_new.starts_on, v_rent.rent_minor, v_rent.due_day);
    end if;
    insert into public.lease_addenda (workspace_id, lease_id, title, body, effective_on, signed_on, changes)
    values (v_new.workspace_id, v_new.id, p_title, p_body, p_effective_on, p_signed_on, v_changes);
    if v_new.status = 'pending' and v_new.starts_on <= v_today then
        update public.leases set status = 'active' where id = v_new.id returning * into v_new;
        perform private.end_renewed_lease(v_new);
    end if;
    return v_new;
end
$function$;

create or replace function private.begin_leases (
    p_now timestamp with time zone,
    p_limit integer
)
    returns integer
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_due uuid[];
    v_renewed uuid[];
    v_begun uuid[];
begin
    v_due := array(
        select l.id
        from public.leases as l
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        where
            l.status = 'pending'
            -- No clock on earth is further ahead than UTC+14: the index ends here, the property's own date decides.
            and l.starts_on <= ((p_now at time zone 'UTC') + interval '14 hours')::date
            and l.starts_on <= private.local_date(p.timezone, p_now)
            and not exists (select from private.held_over_before(l.id))
        order by l.starts_on, l.id
        limit p_limit
        for update of l skip locked
    );
    v_renewed := array(
        select o.id
        from public.leases as o
        where o.id in (select l.renewed_from_id from public.leases as l where l.id = any (v_due)) and o.in_force
        order by o.id
        for update of o skip locked
    );
    with begun as (
        update public.leases as l
        set status = 'active', status_reason = null
        where
            l.id = any (v_due)
            and not exists (
                select from public.leases as o
                where
                    o.workspace_id = l.workspace_id
                    and o.id = l.renewed_from_id
                    and o.in_force
                    and o.id <> all (v_renewed)
            )
        returning l.id
    )
    select coalesce(array_agg(b.id), '{}') into v_begun from begun as b;
    update public.leases as o
    set
        status = 'ended',
        ended_on = l.starts_on - 1,
        status_reason = format('Renewed by lease %s', l.lease_number)
    from public.leases as l
    where l.id = any (v_begun) and o.id = l.renewed_from_id and o.id = any (v_renewed);
    return cardinality(v_begun);
end
$function$;

create or replace function private.bind_lease (
    p_lease public.leases,
    p_now timestamp with time zone
)
    returns public.leases
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_lease public.leases := p_lease;
    v_today date := private.lease_today(p_lease, p_now);
    v_until date := private.holds_its_units_until(p_lease, v_today);
    v_wanted private.unit_hold[] := private.holds(p_lease);
    v_renewed public.leases;
begin
    if v_lease.whole_property then
        v_wanted := array(
            select (u.id, coalesce(w.possession, v_lease.term))::private.unit_hold
            from public.units as u
            left join unnest(v_wanted) as w on w.unit_id = u.id
            where u.workspace_id = v_lease.workspace_id and u.property_id = v_lease.property_id
            order by u.id
        );
    end if;
    if cardinality(v_wanted) = 0 then
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
    -- Days that somebody planned for a single unit stay; those of the term run as the lease does.
    v_wanted := array(
        select (
            w.unit_id,
            case when upper(w.possession) is not distinct from upper(v_lease.term)
                then daterange(lower(w.possession), v_until)
                else w.possession
            end
        )::private.unit_hold
        from unnest(v_wanted) as w
    );
    if v_lease.leaves_on < v_today then
        v_wanted := private.holds_till_the_next(v_lease, v_wanted);
    end if;
    select * into v_renewed
    from public.leases as l
    where l.workspace_id = v_lease.workspace_id and l.id = v_lease.renewed_from_id and l.in_force;
    if v_renewed.starts_on >= v_lease.starts_on then
        perform private.fail(
            422, 'renewal_out_of_range',
            format('A renewal of lease %s begins after its first day, %s.', v_renewed.lease_number, v_renewed.starts_on),
            p_hint := 'Correct starts_on of the renewal.'
        );
    end if;
    if v_renewed.id is not null then
        perform private.lock_units(v_lease.workspace_id, array(
            select h.unit_id from unnest(v_wanted || private.holds(v_renewed)) as h
        ));
        perform private.set_possession(
            v_renewed,
            private.holds_until(private.holds(v_renewed), v_lease.starts_on)
        );
    end if;
    perform private.set_possession(v_lease, v_wanted);
    perform private.refuse_held_over(v_lease, v_today);
    update public.leases
    set
        status = case when starts_on > v_today then 'pending' else 'active' end,
        activated_at = p_now,
        status_reason = null
    where id = v_lease.id
    returning * into v_lease;
    if v_lease.status = 'active' then
        perform private.end_renewed_lease(v_lease);
    end if;
    return v_lease;
end
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
        holdover_rent_percent, notice_days, currency, deposit_minor, deposit_nonrefundable_minor, deposit_held_by,
        deposit_conditions, renewed_from_id
    )
    values (
        p_lease.workspace_id, p_lease.property_id, p_lease.whole_property, p_lease_number, p_starts_on, p_ends_on,
        p_lease.on_expiry, p_lease.renewal_months, p_lease.holdover_rent_percent, p_lease.notice_days, p_lease.currency,
        p_lease.deposit_minor, p_lease.deposit_nonrefundable_minor, p_lease.deposit_held_by, p_lease.deposit_conditions,
        p_lease.id
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
    return v_renewal;
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
begin
    perform private.require_lease_status(v_lease, '{active, notice_given}');
    perform private.require_last_day(v_lease, p_ended_on, p_now);
    perform private.refuse_pending_renewal(v_lease);
    perform private.set_possession(v_lease, private.holds_until(private.holds(v_lease), p_ended_on + 1));
    update public.leases
    set
        status = 'ended',
        ended_on = p_ended_on,
        moved_out_on = coalesce(moved_out_on, greatest(moved_in_on, p_ended_on)),
        status_reason = null
    where id = v_lease.id
    returning * into v_lease;
    return v_lease;
end
$function$;

create or replace function private.end_renewed_lease (
    p_renewal public.leases
)
    returns void
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    update public.leases
    set
        status = 'ended',
        ended_on = p_renewal.starts_on - 1,
        status_reason = format('Renewed by lease %s', p_renewal.lease_number)
    where
        workspace_id = p_renewal.workspace_id
        and id = p_renewal.renewed_from_id
        and status in ('active', 'notice_given');
end
$function$;

create or replace function private.give_notice (
    p_lease_id uuid,
    p_given_by text,
    p_move_out_on date,
    p_given_on date,
    p_reason text,
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
    v_given_on date := coalesce(p_given_on, v_today);
begin
    perform private.require_lease_status(v_lease, '{active}');
    if p_given_by is null or p_given_by not in ('renter', 'landlord') then
        perform private.fail(
            422, 'party_unknown', 'given_by says whose notice it is: renter or landlord.'
        );
    end if;
    if p_move_out_on is null
        or v_given_on > v_today
        or p_move_out_on < greatest(v_given_on, v_lease.starts_on)
        or p_move_out_on >= '2200-01-01'
        or v_given_on < '1900-01-01'
        or length(p_reason) > 1000
    then
        perform private.fail(
            422, 'notice_out_of_range',
            format('A notice is given by today, %s, and leaves a last day from then on.', v_today),
            p_hint := 'Give move_out_on, the last day on which the renters are to have the unit; reason is at most 1,000 characters.'
        );
    end if;
    perform private.refuse_pending_renewal(v_lease);
    update public.leases
    set
        status = 'notice_given',
        notice_given_on = v_given_on,
        notice_given_by = p_given_by,
        planned_move_out_on = p_move_out_on,
        status_reason = p_reason
    where id = v_lease.id
    returning * into v_lease;
    perform private.hold_as_things_stand(v_lease, v_today);
    return v_lease;
end
$function$;

create or replace function private.guard_lease()
    returns trigger
    language plpgsql
    set search_path to ''
    AS $function$
begin
    if old.status = 'draft' then
        return coalesce(new, old);
    end if;
    if tg_op = 'DELETE' then
        perform private.fail(
            409, 'lease_has_begun', format('Lease %s has begun and cannot be deleted.', old.lease_number),
            p_hint := 'End it with rpc/end_lease; set its property or unit to inactive instead of deleting them.'
        );
    end if;
    if (
        new.workspace_id, new.property_id, new.whole_property, new.currency, new.holdover_rent_percent,
        new.deposit_minor, new.deposit_nonrefundable_minor, new.deposit_held_by, new.deposit_conditions
    ) is distinct from (
        old.workspace_id, old.property_id, old.whole_property, old.currency, old.holdover_rent_percent,
        old.deposit_minor, old.deposit_nonrefundable_minor, old.deposit_held_by, old.deposit_conditions
    )
    -- An addendum may change these. It counts itself, which no client can.
    or (
        new.starts_on, new.ends_on, new.on_expiry, new.renewal_months, new.notice_days
    ) is distinct from (
        old.starts_on, old.ends_on, old.on_expiry, old.renewal_months, old.notice_days
    ) and not (old.in_force and new.amendments = old.amendments + 1)
    then
        perform private.fail(
            409, 'lease_not_draft', format('Lease %s has begun: its dates and its money are fixed.', old.lease_number),
            p_hint := 'Change its term with rpc/amend_lease; record a change of rent as a new row of lease_terms.'
        );
    end if;
    return new;
end
$function$;

create or replace function private.guard_lease_addendum()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_lease public.leases := private.hold_lease(old.workspace_id, old.lease_id);
begin
    if tg_op = 'UPDATE' and old.signed_on is null
        and to_jsonb(new) - '{signed_on, updated_at}'::text [] = to_jsonb(old) - '{signed_on, updated_at}'::text []
    then
        return null;
    end if;
    if old.changes is not null and v_lease.id is not null
        or v_lease.status <> 'draft'
        and old.signed_on is not null
        and old.effective_on <= private.lease_today(v_lease, now())
    then
        perform private.fail(
            409, 'addendum_in_effect', 'An addendum that is in effect is fixed.',
            p_hint := 'Write another one that says what is different from now on.'
        );
    end if;
    return null;
end
$function$;

create or replace function private.held_over_before (
    p_lease_id uuid
)
    returns table (
        lease_id uuid,
        lease_number text,
        unit_number text,
        possession daterange
    )
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return query
    select o.id, o.lease_number, u.unit_number, before.possession
    from public.leases as l
    join public.lease_units as mine
        on
            mine.workspace_id = l.workspace_id
            and mine.property_id = l.property_id
            and mine.lease_id = l.id
            and mine.superseded_at is null
    join public.lease_units as before
        on
            before.workspace_id = mine.workspace_id
            and before.unit_id = mine.unit_id
            and before.lease_id <> mine.lease_id
            and before.binding
            and before.superseded_at is null
            and upper(before.possession) <= lower(mine.possession)
    join public.leases as o on o.workspace_id = before.workspace_id and o.id = before.lease_id
    join public.units as u on u.workspace_id = before.workspace_id and u.id = before.unit_id
    where
        l.id = p_lease_id
        and o.status in ('active', 'notice_given')
        and o.id is distinct from l.renewed_from_id
        and not exists (
            select from public.lease_units as later
            where
                later.workspace_id = before.workspace_id
                and later.lease_id = before.lease_id
                and later.superseded_at is null
                and coalesce(upper(later.possession), 'infinity') > upper(before.possession)
        );
end
$function$;

create or replace function private.hold_as_things_stand (
    p_lease public.leases,
    p_today date
)
    returns void
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_holds private.unit_hold[] := private.holds_until(
        private.holds(p_lease), private.holds_its_units_until(p_lease, p_today)
    );
begin
    if p_lease.leaves_on < p_today then
        v_holds := private.holds_till_the_next(p_lease, v_holds);
    end if;
    perform private.set_possession(p_lease, v_holds);
end
$function$;

create or replace function private.hold_over_leases (
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
    v_held integer := 0;
begin
    for v_lease in
        select l.*
        from public.leases as l
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        where
            l.status in ('active', 'notice_given')
            and l.leaves_on < ((p_now at time zone 'UTC') + interval '14 hours')::date
            and l.leaves_on < private.local_date(p.timezone, p_now)
            and exists (
                select from public.lease_units as lu
                where
                    lu.workspace_id = l.workspace_id
                    and lu.lease_id = l.id
                    and lu.superseded_at is null
                    and upper(lu.possession) = l.leaves_on + 1
                    and not exists (
                        select from public.lease_units as next
                        where
                            next.workspace_id = lu.workspace_id
                            and next.unit_id = lu.unit_id
                            and next.lease_id <> lu.lease_id
                            and next.binding
                            and next.superseded_at is null
                            and lower(next.possession) = upper(lu.possession)
                    )
            )
        order by l.leaves_on, l.id
        limit p_limit
        for update of l skip locked
    loop
        if private.units_are_free_to_lock(v_lease) then
            perform private.hold_as_things_stand(v_lease, private.lease_today(v_lease, p_now));
            v_held := v_held + 1;
        end if;
    end loop;
    return v_held;
end
$function$;

create or replace function private.holds (
    p_lease public.leases
)
    returns private.unit_hold[]
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return array(
        select (lu.unit_id, lu.possession)::private.unit_hold
        from public.lease_units as lu
        where lu.workspace_id = p_lease.workspace_id and lu.lease_id = p_lease.id and lu.superseded_at is null
        order by lu.unit_id, lu.possession
    );
end
$function$;

create or replace function private.holds_its_units_until (
    p_lease public.leases,
    p_today date
)
    returns date
    language sql
    immutable
    set search_path to ''
    AS $function$
    select case when p_lease.leaves_on >= p_today then p_lease.leaves_on + 1 end
$function$;

create or replace function private.holds_till_the_next (
    p_lease public.leases,
    p_holds private.unit_hold[]
)
    returns private.unit_hold[]
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return array(
        select (
            h.unit_id,
            case when upper_inf(h.possession) then daterange(
                lower(h.possession),
                private.next_hold(p_lease.workspace_id, p_lease.id, h.unit_id, lower(h.possession))
            ) else h.possession end
        )::private.unit_hold
        from unnest(p_holds) as h
    );
end
$function$;

create or replace function private.holds_until (
    p_holds private.unit_hold[],
    p_until date
)
    returns private.unit_hold[]
    language sql
    immutable
    set search_path to ''
    AS $function$
    select coalesce(array_agg((h.unit_id, h.possession)::private.unit_hold order by h.unit_id, h.possession), '{}')
    from (
        select
            w.unit_id,
            case
                when w.is_last or upper(w.possession) > p_until
                    then daterange(lower(w.possession), p_until)
                else w.possession
            end as possession
        from (
            select
                h.unit_id,
                h.possession,
                coalesce(upper(h.possession), 'infinity')
                = max(coalesce(upper(h.possession), 'infinity')) over () as is_last
            from unnest(p_holds) as h
        ) as w
        where p_until is null or lower(w.possession) < p_until
    ) as h
$function$;

create or replace function private.join_whole_property_leases()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_lease public.leases;
begin
    for v_lease in
        select l.*
        from public.leases as l
        where l.whole_property and l.in_force and (l.workspace_id, l.property_id) in (
            select u.workspace_id, u.property_id from touched as u
        )
        order by l.id
    loop
        v_lease := private.hold_lease(v_lease.workspace_id, v_lease.id);
        if v_lease.in_force then
            insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession, binding)
            select
                u.workspace_id,
                u.property_id,
                v_lease.id,
                u.id,
                daterange(today.day, private.holds_its_units_until(v_lease, today.day)),
                true
            from touched as u
            cross join lateral (select private.lease_today(v_lease, now())) as local (day)
            cross join lateral (select greatest(local.day, v_lease.starts_on)) as today (day)
            where u.workspace_id = v_lease.workspace_id and u.property_id = v_lease.property_id
            order by u.id;
        end if;
    end loop;
    return null;
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
        case when p_lease.status = 'notice_given' then p_lease.notice_given_on end,
        case when p_lease.status = 'active' and p_was is distinct from 'notice_given' then p_lease.starts_on end,
        private.local_date(p_timezone, now())
    );
end
$function$;

create or replace function private.lock_lease (
    p_lease_id uuid,
    p_permission text
)
    returns public.leases
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_seen public.leases;
    v_lease public.leases;
begin
    select * into v_seen
    from public.leases
    where id = p_lease_id and workspace_id = any (array(select private.my_workspaces()));
    if v_seen.status = 'draft' and v_seen.whole_property then
        perform from public.properties as p
        where p.workspace_id = v_seen.workspace_id and p.id = v_seen.property_id
        for update;
    end if;
    perform from public.leases as l
    where l.workspace_id = v_seen.workspace_id and l.id in (v_seen.id, v_seen.renewed_from_id)
    order by l.id
    for update;
    select * into v_lease
    from public.leases
    where workspace_id = v_seen.workspace_id and id = v_seen.id
    for update;
    if not found then
        perform private.fail(
            404, 'lease_not_found', 'There is no such lease, or it is not yours to see.',
            p_hint := 'List the leases you can see: GET /leases.'
        );
    end if;
    perform private.require_permission(v_lease.workspace_id, p_permission);
    if v_lease.whole_property and not v_seen.whole_property then
        perform private.fail(
            409, 'lease_busy', 'Somebody else is changing this lease right now.', p_hint := 'Try again.'
        );
    end if;
    return v_lease;
end
$function$;

create or replace function private.lock_units (
    p_workspace_id uuid,
    p_unit_ids uuid[]
)
    returns void
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    perform from public.units as u
    where u.workspace_id = p_workspace_id and u.id = any (p_unit_ids)
    order by u.id
    for no key update;
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
        and lu.superseded_at is null
        and not exists (
            select from public.lease_units as later
            where
                later.workspace_id = lu.workspace_id
                and later.lease_id = lu.lease_id
                and later.superseded_at is null
                and lower(later.possession) >= upper(lu.possession)
                and lower(later.possession) <= current_date
        );
end
$function$;

create or replace function private.next_hold (
    p_workspace_id uuid,
    p_lease_id uuid,
    p_unit_id uuid,
    p_from date
)
    returns date
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return (
        select min(lower(lu.possession))
        from public.lease_units as lu
        where
            lu.workspace_id = p_workspace_id
            and lu.unit_id = p_unit_id
            and lu.lease_id <> p_lease_id
            and lu.binding
            and lu.superseded_at is null
            and lower(lu.possession) > p_from
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
    perform private.plan_import_tenants(p_import.workspace_id);
    perform private.refuse_lease_conflicts(p_import.workspace_id);
    perform private.refuse_import_overlaps(p_import.workspace_id, p_now);
end
$function$;

create or replace function private.plan_import_lease_units (
    p_workspace_id uuid
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
begin
    create temporary table import_lease_units on commit drop as
    with stated as (
        select l.lease_key, u.id as unit_id, min(l.line) as line
        from pg_temp.import_lines as l
        join pg_temp.import_units as u on u.property_key = l.property_key and u.key = l.unit_key
        where l.lease_key is not null
        group by l.lease_key, u.id
    )
    select
        le.key as lease_key,
        le.id as lease_id,
        coalesce(s.unit_id, lu.unit_id) as unit_id,
        coalesce(s.line, le.line) as line,
        lu.id is null as is_new,
        le.activates,
        -- What a draft planned by hand stays, unless its dates move.
        case
            when lu.id is not null
                and lu.possession is distinct from (le.known).term
                and (le.starts_on, le.ends_on) is not distinct from ((le.known).starts_on, (le.known).ends_on)
                then lu.possession
            -- As activate_lease() has it: one that runs on holds its units until it is ended.
            when le.activates and (le.known).on_expiry <> 'ends' then daterange(le.starts_on, null)
            else le.term
        end as possession
    from stated as s
    full join (
        select l.key as lease_key, lu.*
        from pg_temp.import_leases as l
        join public.lease_units as lu
            on lu.workspace_id = p_workspace_id and lu.lease_id = l.id and lu.superseded_at is null
        where not l.is_new
    ) as lu on lu.lease_key = s.lease_key and lu.unit_id = s.unit_id
    join pg_temp.import_leases as le on le.key = coalesce(s.lease_key, lu.lease_key);
    analyze pg_temp.import_lease_units;
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
        insert into public.lease_status_changes (workspace_id, lease_id, to_status, effective_on, reason, changed_by)
        select l.workspace_id, l.id, l.status, private.lease_status_day(l, null, p.timezone), l.status_reason, u.id
        from touched as l
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        left join auth.users as u on u.id = (select auth.uid());
    else
        insert into public.lease_status_changes
            (workspace_id, lease_id, from_status, to_status, effective_on, reason, changed_by)
        select
            l.workspace_id, l.id, was.status, l.status, private.lease_status_day(l, was.status, p.timezone),
            l.status_reason, u.id
        from touched as l
        join before as was on was.workspace_id = l.workspace_id and was.id = l.id and was.status <> l.status
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        left join auth.users as u on u.id = (select auth.uid());
    end if;
    return null;
end
$function$;

create or replace function private.refuse_held_over (
    p_lease public.leases,
    p_today date
)
    returns void
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_other record;
begin
    select * into v_other
    from private.held_over_before(p_lease.id) as o
    where upper(o.possession) <= p_today
    order by o.lease_number
    limit 1;
    if found then
        perform private.fail(
            409, 'possession_overlap',
            format('Lease %s still holds unit %s: its renters have not moved out.',
                v_other.lease_number, v_other.unit_number),
            format('lease_number=%s unit_number=%s possession=%s',
                v_other.lease_number, v_other.unit_number, v_other.possession),
            'Record with rpc/end_lease on which day they did.'
        );
    end if;
end
$function$;

create or replace function private.refuse_import_overlaps (
    p_workspace_id uuid,
    p_now timestamp with time zone
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
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

create or replace function private.refuse_overlap (
    p_lease public.leases,
    p_wanted private.unit_hold[]
)
    returns void
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_other record;
begin
    select l.lease_number, u.unit_number, lu.possession
    into v_other
    from unnest(p_wanted) as w
    join public.lease_units as lu
        on
            lu.workspace_id = p_lease.workspace_id
            and lu.unit_id = w.unit_id
            and lu.lease_id <> p_lease.id
            and lu.possession && w.possession
            and lu.binding
            and lu.superseded_at is null
    join public.leases as l on l.workspace_id = lu.workspace_id and l.id = lu.lease_id
    join public.units as u on u.workspace_id = lu.workspace_id and u.id = lu.unit_id
    order by lower(lu.possession), l.lease_number
    limit 1;
    perform private.fail(
        409, 'possession_overlap',
        format('Lease %s holds unit %s in that time.', v_other.lease_number, v_other.unit_number),
        format('lease_number=%s unit_number=%s possession=%s',
            v_other.lease_number, v_other.unit_number, v_other.possession),
        'End that lease first, or choose days on which the unit is free.'
    );
end
$function$;

create or replace function private.refuse_pending_renewal (
    p_lease public.leases
)
    returns void
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_renewal public.leases;
begin
    select * into v_renewal
    from public.leases as l
    where
        l.workspace_id = p_lease.workspace_id
        and l.property_id = p_lease.property_id
        and l.renewed_from_id = p_lease.id
        and l.status = 'pending';
    if found then
        perform private.fail(
            409, 'lease_renewed', format('Lease %s renews it.', v_renewal.lease_number),
            format('lease_number=%s', v_renewal.lease_number), 'Call the renewal off first with rpc/terminate_lease.'
        );
    end if;
end
$function$;

create or replace function private.renew_lease (
    p_lease_id uuid,
    p_ends_on date,
    p_rent_minor bigint,
    p_starts_on date,
    p_lease_number text,
    p_now timestamp with time zone
)
    returns public.leases
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_lease public.leases := private.lock_lease(p_lease_id, 'leases.write');
    v_tomorrow date := private.lease_today(v_lease, p_now) + 1;
    v_starts_on date := coalesce(p_starts_on, v_lease.ends_on + 1, v_tomorrow);
    v_other text;
    v_renewal public.leases;
begin
    perform private.require_lease_status(v_lease, '{active}');
    select l.lease_number into v_other
    from public.leases as l
    where
        l.workspace_id = v_lease.workspace_id
        and l.property_id = v_lease.property_id
        and l.renewed_from_id = v_lease.id
        and l.status <> 'terminated';
    if found then
        perform private.fail(
            409, 'lease_renewed', format('Lease %s renews it.', v_other), format('lease_number=%s', v_other),
            'Change that one while it is a draft, delete it, or call it off with rpc/terminate_lease.'
        );
    end if;
    if v_starts_on <= v_lease.starts_on
        or v_starts_on >= '2200-01-01'
        or p_ends_on < v_starts_on
        or p_ends_on >= '2200-01-01'
        or p_ends_on is null and v_lease.on_expiry = 'renews'
        or p_rent_minor not between 0 and 9007199254740991
        or length(p_lease_number) > 60
        or btrim(p_lease_number) = ''
    then
        perform private.fail(
            422, 'renewal_out_of_range',
            format('A renewal of lease %s begins after its first day, %s, and ends no earlier than it begins.',
                v_lease.lease_number, v_lease.starts_on),
            p_hint := 'ends_on may be left out, but for a lease that renews by itself; a number has 1 to 60 characters.'
        );
    end if;
    begin
        v_renewal := private.draft_renewal(
            v_lease, coalesce(p_lease_number, private.renewal_number(v_lease)), v_starts_on, p_ends_on, p_rent_minor
        );
    exception when unique_violation then
        perform private.fail(
            409, 'lease_number_taken', 'Another lease of the workspace has that number.',
            p_hint := 'Give lease_number, or try again.'
        );
    end;
    return v_renewal;
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
                        (v_lease.ends_on + 1 + make_interval(months => v_lease.renewal_months))::date - 1,
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

create or replace function private.renewal_number (
    p_lease public.leases
)
    returns text
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_stem text := left(regexp_replace(p_lease.lease_number, '-R[0-9]+$', ''), 50);
begin
    return (
        select format('%s-R%s', v_stem, n)
        from generate_series(1, 1000000) as n
        where not exists (
            select from public.leases as l
            where l.workspace_id = p_lease.workspace_id and lower(l.lease_number) = lower(format('%s-R%s', v_stem, n))
        )
        order by n
        limit 1
    );
end
$function$;

create or replace function private.rent_on (
    p_lease public.leases,
    p_day date
)
    returns public.lease_terms
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_rent public.lease_terms;
begin
    select * into v_rent
    from public.lease_terms as t
    where
        t.workspace_id = p_lease.workspace_id
        and t.lease_id = p_lease.id
        and t.superseded_at is null
        and t.effective_on <= p_day
    order by t.effective_on desc
    limit 1;
    return v_rent;
end
$function$;

create or replace function private.require_last_day (
    p_lease public.leases,
    p_ended_on date,
    p_now timestamp with time zone
)
    returns void
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_today date := private.lease_today(p_lease, p_now);
begin
    if p_ended_on is null or p_ended_on < p_lease.starts_on or p_ended_on > v_today then
        perform private.fail(
            422, 'end_out_of_range',
            format('ended_on must lie between the lease''s first day, %s, and today, %s.', p_lease.starts_on, v_today),
            p_hint := 'Give the last day on which the renters had the unit; record it once they have moved out.'
        );
    end if;
end
$function$;

create or replace function private.require_lease_status (
    p_lease public.leases,
    p_statuses text[]
)
    returns void
    language plpgsql
    stable
    set search_path to ''
    AS $function$
begin
    if p_lease.status <> all (p_statuses) then
        perform private.fail(
            409, 'lease_not_active',
            format('Lease %s is %s, not %s.', p_lease.lease_number, p_lease.status, array_to_string(p_statuses, ' or '))
        );
    end if;
end
$function$;

create or replace function private.set_possession (
    p_lease public.leases,
    p_wanted private.unit_hold[]
)
    returns void
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_at timestamptz;
begin
    perform private.lock_units(p_lease.workspace_id, array(
        select h.unit_id from unnest(p_wanted || private.holds(p_lease)) as h
    ));
    v_at := clock_timestamp();
    begin
        update public.lease_units as lu
        set superseded_at = greatest(v_at, lu.recorded_at)
        where
            lu.workspace_id = p_lease.workspace_id
            and lu.lease_id = p_lease.id
            and lu.binding
            and lu.superseded_at is null
            and (lu.unit_id, lu.possession) not in (select w.unit_id, w.possession from unnest(p_wanted) as w);
        -- A draft's plan becomes what binds.
        update public.lease_units as lu
        set possession = w.possession, binding = true, recorded_at = v_at
        from unnest(p_wanted) as w
        where
            lu.workspace_id = p_lease.workspace_id
            and lu.lease_id = p_lease.id
            and lu.unit_id = w.unit_id
            and not lu.binding
            and lu.superseded_at is null;
        insert into public.lease_units
            (workspace_id, property_id, lease_id, unit_id, possession, binding, recorded_at)
        select p_lease.workspace_id, p_lease.property_id, p_lease.id, w.unit_id, w.possession, true, v_at
        from unnest(p_wanted) as w
        where not exists (
            select from public.lease_units as lu
            where
                lu.workspace_id = p_lease.workspace_id
                and lu.lease_id = p_lease.id
                and lu.unit_id = w.unit_id
                and lu.possession = w.possession
                and lu.binding
                and lu.superseded_at is null
        )
        order by w.unit_id;
    exception when exclusion_violation then
        perform private.refuse_overlap(p_lease, p_wanted);
    end;
end
$function$;

create or replace function private.terminate_lease (
    p_lease_id uuid,
    p_reason text,
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
    v_renewed public.leases;
begin
    perform private.require_lease_status(v_lease, '{pending, active, notice_given}');
    if coalesce(btrim(p_reason), '') = '' or length(p_reason) > 1000 then
        perform private.fail(
            422, 'reason_required', 'Say why the lease ends early, in up to 1,000 characters.',
            p_hint := 'Renters read it, too.'
        );
    end if;
    if v_lease.status = 'pending' then
        if p_ended_on is not null then
            perform private.fail(
                422, 'end_out_of_range', format('Lease %s has not begun: it has no last day.', v_lease.lease_number),
                p_hint := 'Leave ended_on out.'
            );
        end if;
        select * into v_renewed
        from public.leases as l
        where
            l.workspace_id = v_lease.workspace_id
            and l.id = v_lease.renewed_from_id
            and l.status in ('active', 'notice_given');
        perform private.lock_units(v_lease.workspace_id, array(
            select h.unit_id from unnest(private.holds(v_lease) || private.holds(v_renewed)) as h
        ));
        perform private.set_possession(v_lease, '{}');
        -- What it was to renew runs on as if it had never been.
        if v_renewed.id is not null then
            perform private.set_possession(v_renewed, private.holds_till_the_next(v_renewed, private.holds_until(
                private.holds(v_renewed),
                private.holds_its_units_until(v_renewed, private.lease_today(v_renewed, p_now))
            )));
        end if;
    else
        perform private.require_last_day(v_lease, p_ended_on, p_now);
        perform private.refuse_pending_renewal(v_lease);
        perform private.set_possession(v_lease, private.holds_until(private.holds(v_lease), p_ended_on + 1));
    end if;
    update public.leases
    set
        status = 'terminated',
        ended_on = p_ended_on,
        moved_out_on = case when p_ended_on is not null
            then coalesce(moved_out_on, greatest(moved_in_on, p_ended_on))
        end,
        status_reason = p_reason
    where id = v_lease.id
    returning * into v_lease;
    return v_lease;
end
$function$;

create or replace function private.transfer_unit (
    p_lease_id uuid,
    p_from_unit_id uuid,
    p_to_unit_id uuid,
    p_on date,
    p_now timestamp with time zone
)
    returns public.leases
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_lease public.leases := private.lock_lease(p_lease_id, 'leases.write');
    v_holds private.unit_hold[] := private.holds(v_lease);
    v_moved private.unit_hold;
    v_from text;
    v_to text;
begin
    perform private.require_lease_status(v_lease, '{pending, active, notice_given}');
    if v_lease.whole_property then
        perform private.fail(
            409, 'lease_of_whole_property', format('Lease %s lets every unit of its property.', v_lease.lease_number)
        );
    end if;
    perform private.refuse_pending_renewal(v_lease);
    select u.unit_number into v_from
    from public.units as u
    where u.workspace_id = v_lease.workspace_id and u.property_id = v_lease.property_id and u.id = p_from_unit_id;
    select u.unit_number into v_to
    from public.units as u
    where
        u.workspace_id = v_lease.workspace_id
        and u.property_id = v_lease.property_id
        and u.id = p_to_unit_id
        and u.id <> p_from_unit_id;
    select h.* into v_moved
    from unnest(v_holds) as h
    where h.unit_id = p_from_unit_id and h.possession @> p_on;
    if v_from is null or v_to is null or v_moved is null then
        perform private.fail(
            422, 'transfer_impossible',
            format('Lease %s does not hold that unit on that day, or the other is no unit of its property.',
                v_lease.lease_number),
            p_hint := 'from_unit_id is a unit that the lease holds on on_date, to_unit_id another one of the same property.'
        );
    end if;
    if exists (
        select from unnest(v_holds) as h
        where h.unit_id = p_to_unit_id and h.possession && daterange(p_on, upper(v_moved.possession))
    ) then
        perform private.fail(
            409, 'possession_overlap',
            format('Lease %s holds unit %s in that time.', v_lease.lease_number, v_to),
            format('lease_number=%s unit_number=%s', v_lease.lease_number, v_to),
            'It is this lease itself: choose another unit.'
        );
    end if;
    perform private.set_possession(v_lease, array(
        select (kept.unit_id, kept.possession)::private.unit_hold
        from (
            select h.unit_id, h.possession
            from unnest(v_holds) as h
            where h is distinct from v_moved
            union all
            select p_from_unit_id, daterange(lower(v_moved.possession), p_on)
            union all
            select p_to_unit_id, daterange(p_on, upper(v_moved.possession))
        ) as kept
        where not isempty(kept.possession)
    ));
    perform private.refuse_held_over(v_lease, private.lease_today(v_lease, p_now));
    insert into public.lease_addenda (workspace_id, lease_id, title, effective_on, changes)
    values (
        v_lease.workspace_id, v_lease.id, left(format('Transfer from unit %s to unit %s', v_from, v_to), 200), p_on,
        jsonb_build_object('unit_id', jsonb_build_object('from', p_from_unit_id, 'to', p_to_unit_id))
    );
    update public.leases
    set amendments = amendments + 1
    where id = v_lease.id
    returning * into v_lease;
    return v_lease;
end
$function$;

create or replace function private.units_are_free_to_lock (
    p_lease public.leases
)
    returns boolean
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_unit_ids uuid[] := array(select distinct h.unit_id from unnest(private.holds(p_lease)) as h);
    v_locked uuid[];
begin
    v_locked := array(
        select u.id
        from public.units as u
        where u.workspace_id = p_lease.workspace_id and u.id = any (v_unit_ids)
        order by u.id
        for no key update skip locked
    );
    return cardinality(v_locked) = cardinality(v_unit_ids);
end
$function$;

create or replace function private.withdraw_notice (
    p_lease_id uuid,
    p_reason text,
    p_now timestamp with time zone
)
    returns public.leases
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_lease public.leases := private.lock_lease(p_lease_id, 'leases.write');
begin
    perform private.require_lease_status(v_lease, '{notice_given}');
    if length(p_reason) > 1000 then
        perform private.fail(422, 'notice_out_of_range', 'reason is at most 1,000 characters.');
    end if;
    update public.leases
    set
        status = 'active',
        notice_given_on = null,
        notice_given_by = null,
        planned_move_out_on = null,
        status_reason = p_reason
    where id = v_lease.id
    returning * into v_lease;
    perform private.hold_as_things_stand(v_lease, private.lease_today(v_lease, p_now));
    return v_lease;
end
$function$;

create or replace function public.amend_lease (
    lease_id uuid,
    title text,
    effective_on date,
    body text default null::text,
    signed_on date default null::date,
    starts_on date default null::date,
    ends_on date default null::date,
    open_ended boolean default false,
    on_expiry text default null::text,
    renewal_months integer default null::integer,
    notice_days integer default null::integer,
    rent_minor bigint default null::bigint,
    due_day integer default null::integer
)
    returns public.leases
    language sql
    set search_path to ''
    AS $function$
    select private.amend_lease(
        lease_id, title, effective_on, body, signed_on, starts_on, ends_on, open_ended, on_expiry, renewal_months,
        notice_days, rent_minor, due_day, now()
    )
$function$;

revoke all
    on function
        "public"."amend_lease"(uuid, text, date, text, date, date, date, boolean, text, integer, integer, bigint,
        integer)
    from public, "anon", "service_role";

create or replace function public.give_notice (
    lease_id uuid,
    given_by text,
    move_out_on date,
    given_on date default null::date,
    reason text default null::text
)
    returns public.leases
    language sql
    set search_path to ''
    AS $function$
    select private.give_notice(lease_id, given_by, move_out_on, given_on, reason, now())
$function$;

revoke all on function "public"."give_notice"(uuid, text, date, date, text) from public, "anon", "service_role";

create or replace function public.renew_lease (
    lease_id uuid,
    ends_on date default null::date,
    rent_minor bigint default null::bigint,
    starts_on date default null::date,
    lease_number text default null::text
)
    returns public.leases
    language sql
    set search_path to ''
    AS $function$
    select private.renew_lease(lease_id, ends_on, rent_minor, starts_on, lease_number, now())
$function$;

revoke all on function "public"."renew_lease"(uuid, date, bigint, date, text) from public, "anon", "service_role";

create or replace function public.terminate_lease (
    lease_id uuid,
    reason text,
    ended_on date default null::date
)
    returns public.leases
    language sql
    set search_path to ''
    AS $function$
    select private.terminate_lease(lease_id, reason, ended_on, now())
$function$;

revoke all on function "public"."terminate_lease"(uuid, text, date) from public, "anon", "service_role";

create or replace function public.transfer_unit (
    lease_id uuid,
    from_unit_id uuid,
    to_unit_id uuid,
    on_date date
)
    returns public.leases
    language sql
    set search_path to ''
    AS $function$
    select private.transfer_unit(lease_id, from_unit_id, to_unit_id, on_date, now())
$function$;

revoke all on function "public"."transfer_unit"(uuid, uuid, uuid, date) from public, "anon", "service_role";

create or replace function public.withdraw_notice (
    lease_id uuid,
    reason text default null::text
)
    returns public.leases
    language sql
    set search_path to ''
    AS $function$
    select private.withdraw_notice(lease_id, reason, now())
$function$;

revoke all on function "public"."withdraw_notice"(uuid, text) from public, "anon", "service_role";

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
    v_begun integer := private.begin_leases(p_now, p_limit);
    v_renewed integer := private.renew_leases(p_now, p_limit);
    v_held_over integer := private.hold_over_leases(p_now, p_limit);
begin
    return jsonb_build_object(
        'leases_begun', v_begun,
        'leases_renewed', v_renewed,
        'leases_held_over', v_held_over,
        -- A renewal may be over already, and renew in its turn.
        'more', v_renewed > 0 or greatest(v_begun, v_held_over) >= p_limit
    );
end
$function$;

alter table "public"."lease_addenda"
    add constraint "lease_addenda_workspace_id_lease_id_fkey" foreign key (workspace_id, lease_id)
        references public.leases(workspace_id, id) on delete cascade;

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "a_notice_says_who_when_and_until"
        check (((num_nulls(notice_given_on, notice_given_by, planned_move_out_on) = ANY (ARRAY[0, 3])) AND
CASE status
    WHEN 'notice_given'::text THEN (notice_given_on IS NOT NULL)
    WHEN 'ended'::text THEN true
    WHEN 'terminated'::text THEN true
    ELSE (notice_given_on IS NULL)
END));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "leases_amendments_check" check ((amendments >= 0));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "leases_deposit_conditions_check" check ((length(deposit_conditions) <= 4000));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "leases_deposit_held_by_check"
        check ((deposit_held_by = ANY (ARRAY['manager'::text, 'owner'::text, 'third_party'::text])));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "leases_deposit_nonrefundable_minor_check" check ((deposit_nonrefundable_minor >= 0));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "leases_holdover_rent_percent_check"
        check (((holdover_rent_percent >= (100)::numeric) AND (holdover_rent_percent <= (1000)::numeric)));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "leases_notice_given_by_check"
        check ((notice_given_by = ANY (ARRAY['renter'::text, 'landlord'::text])));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "leases_on_expiry_check"
        check ((on_expiry = ANY (ARRAY['ends'::text, 'month_to_month'::text, 'renews'::text])));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "leases_planned_move_out_on_check" check ((planned_move_out_on < '2200-01-01'::date));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "leases_renewal_months_check" check (((renewal_months >= 1) AND (renewal_months <= 120)));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "leases_status_reason_check" check ((length(status_reason) <= 1000));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- A new column, empty so far: there is nothing to check.
    -- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
    add constraint "leases_workspace_id_property_id_renewed_from_id_fkey"
        foreign key (workspace_id, property_id, renewed_from_id) references public.leases(workspace_id, property_id, id)
        on delete set null (renewed_from_id);

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "no_more_is_kept_than_was_paid" check ((deposit_nonrefundable_minor <= deposit_minor));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "nobody_leaves_before_they_came"
        check (((moved_out_on >= moved_in_on) AND (planned_move_out_on >= notice_given_on)));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "nobody_moves_into_a_draft"
        check (((status <> 'draft'::text) OR ((moved_in_on IS NULL) AND (moved_out_on IS NULL))));

alter table "public"."leases"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "who_renews_says_for_how_long" check ((((on_expiry = 'renews'::text) = (renewal_months IS
        NOT NULL)) AND ((on_expiry <> 'renews'::text) OR (ends_on IS NOT NULL))));

create index lease_addenda_created_at_idx on public.lease_addenda using btree (workspace_id, created_at desc);

create index lease_addenda_lease_id_idx on public.lease_addenda using btree (workspace_id, lease_id, effective_on);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create unique index lease_units_unit_key on public.lease_units using btree (workspace_id, lease_id, unit_id)
    where ((superseded_at is null) AND (not binding));

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index leases_leaves_on_idx on public.leases using btree (leaves_on, id)
    where (status = ANY (ARRAY['active'::text, 'notice_given'::text]));

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index leases_renewed_from_id_idx on public.leases using btree (workspace_id, property_id, renewed_from_id);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create unique index leases_renewed_from_id_key on public.leases using btree (workspace_id, renewed_from_id)
    where ((renewed_from_id is not null) AND (status <> 'terminated'::text));

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index leases_renews_idx on public.leases using btree (ends_on, id)
    where ((status = 'active'::text) AND (on_expiry = 'renews'::text));

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index leases_whole_property_idx on public.leases using btree (workspace_id, property_id)
    where whole_property;

create trigger guard_lease_addendum
    after delete or update on public.lease_addenda
    for each row
    execute function private.guard_lease_addendum();

create trigger record_deletes
    after delete on public.lease_addenda referencing OLD table as old_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_inserts
    after insert on public.lease_addenda referencing NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_updates
    after update on public.lease_addenda referencing OLD table as old_rows NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger refuse_truncate
    before truncate on public.lease_addenda
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger touch_updated_at
    before update on public.lease_addenda
    for each row
    execute function private.touch_updated_at();

create trigger join_whole_property_leases
    after insert on public.units referencing NEW table as touched
    for each STATEMENT
    execute function private.join_whole_property_leases();

create policy "members_and_portal_select" on "public"."lease_addenda"
    for select
    to "authenticated"
    using
        (((workspace_id = ANY (ARRAY( select private.workspaces_in_reach('leases.read'::text) as workspaces_in_reach)))
        AND
        (( select (not private.has_portal())) or (workspace_id in ( select private.workspaces_with('leases.read'::text)
        as workspaces_with)) or ((signed_on is
        not null) AND (lease_id in ( select private.my_lease_ids() as my_lease_ids))))));

create policy "members_delete" on "public"."lease_addenda"
    for delete
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('leases.write'::text) as workspaces_with))));

create policy "members_insert" on "public"."lease_addenda"
    for insert
    to "authenticated"
    with check ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('leases.write'::text) AS workspaces_with))));

create policy "members_update" on "public"."lease_addenda"
    for update
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('leases.write'::text) as workspaces_with))))
    with check ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('leases.write'::text) AS workspaces_with))));

comment on column "public"."lease_addenda"."body" is 'Its text, up to 100,000 characters.';

comment on column "public"."lease_addenda"."changes" is 'What it changed: {"ends_on": {"from": "2026-12-31", "to": "2027-06-30"}}. Empty: nothing that Freehold keeps itself.';

comment on column "public"."lease_addenda"."created_at" is 'When the row was made.';

comment on column "public"."lease_addenda"."effective_on" is 'First day on which it applies.';

comment on column "public"."lease_addenda"."id" is 'Identifies the addendum.';

comment on column "public"."lease_addenda"."lease_id" is 'The lease.';

comment on column "public"."lease_addenda"."signed_on" is 'Day on which it was signed; the renters see it from then on. Empty: not yet.';

comment on column "public"."lease_addenda"."title" is 'What it is about, 1 to 200 characters.';

comment on column "public"."lease_addenda"."updated_at" is 'When the row last changed.';

comment on column "public"."lease_addenda"."workspace_id" is 'The workspace that manages the lease.';

comment on column "public"."lease_status_changes"."reason" is 'Why, if somebody said so.';

comment on column "public"."leases"."amendments" is 'How often its terms were changed by addendum.';

comment on column "public"."leases"."deposit_conditions" is 'On what it is returned, as agreed, up to 4,000 characters.';

comment on column "public"."leases"."deposit_held_by" is 'Who holds it: manager, owner or third_party (a bank, an insurer, a scheme).';

comment on column "public"."leases"."deposit_nonrefundable_minor" is 'The part of it that is not returned, in minor units (cents).';

comment on column "public"."leases"."holdover_rent_percent" is 'Rent beyond the last day, in percent of the rent before: 100 if nothing else was agreed on.';

comment on column "public"."leases"."leaves_on" is 'Last day on which the renters are to have the unit, as things stand; empty: it runs until somebody ends it.';

comment on column "public"."leases"."moved_in_on" is 'Day on which the renters moved in, as it happened; set by whoever handed over the keys.';

comment on column "public"."leases"."moved_out_on" is 'Day on which the renters moved out, as it happened; empty if they stayed, on a renewal.';

comment on column "public"."leases"."notice_given_by" is 'renter or landlord.';

comment on column "public"."leases"."notice_given_on" is 'Day on which notice was given; empty: nobody did, or it was withdrawn.';

comment on column "public"."leases"."notice_is_late" is 'Whether fewer than notice_days lay between the notice and that day.';

comment on column "public"."leases"."on_expiry" is 'What follows the last day: ends (the renters leave), month_to_month (it runs on until notice), or renews (for another
renewal_months, by itself). Whatever it says, the units are held until the lease has ended.';

comment on column "public"."leases"."planned_move_out_on" is 'Last day that the notice leaves.';

comment on column "public"."leases"."renewal_months" is 'For how many months it renews; only with on_expiry renews.';

comment on column "public"."leases"."renewed_from_id" is 'The lease that it renews. Set by rpc/renew_lease.';

comment on column "public"."leases"."status_reason" is 'Why it has its status, if somebody said so.';

comment on column "public"."leases"."whole_property" is 'Whether it lets every unit of the property, those included that are added later. Its units need no naming.';

comment on function "public"."activate_lease"(uuid) is 'Makes a draft lease binding

Its units are held from then on, and its dates and money fixed. It is active at once, or pending until its first day where
the property stands. One that renews another takes over its units and, on its first day, ends it. Needs `leases.write`, a
unit, a primary renter and a rent for the first day (422 `lease_incomplete`). 409 `possession_overlap` names the lease that
holds a unit in that time, or whose renters have not moved out; 409 `lease_not_draft` if it has begun already. Answers the
lease.';

comment on function
    "public"."amend_lease"(uuid, text, date, text, date, date, date, boolean, text, integer, integer, bigint, integer)
    is 'Changes a lease in force by an addendum

`title` and `body` are the addendum''s, `signed_on` is the day on which it was signed: renters see it from then on. What is left out
stays as it is; `open_ended` takes the last day away. A new `rent_minor` or `due_day` counts from `effective_on`, the rest at
once: units are held as the new dates say, and what they were stays on record. `starts_on` moves only before it has come. The
addendum tells what changed, from what to what. Needs `leases.write`. 409 `lease_not_active`, 409 `lease_renewed` for a change of dates
once a renewal is signed, 409 `possession_overlap`, 422 `amendment_incomplete`, 422 `amendment_out_of_range`. Answers the lease.';

comment on function "public"."end_lease"(uuid, date) is 'Records that the renters have moved out

`ended_on` is the last day on which they had the unit, whatever the paper says: from the next day it is free. Needs
`leases.write`. 409 `lease_not_active`, 409 `lease_renewed` if a renewal is signed, 422 `end_out_of_range`, 409
`possession_overlap` if another lease holds the unit on a day before. Answers the lease.';

comment on function "public"."give_notice"(uuid, text, date, date, text) is 'Records that a renter or the landlord gave notice

`given_by` is renter or landlord, `given_on` the day, today if left out, `move_out_on` the last day that the notice leaves: from
the next one the units can be let; `reason` is kept and shown to the renters. A notice shorter than the lease''s notice_days is recorded, too: `notice_is_late` tells. Needs
`leases.write`. 409 `lease_not_active`, 409 `lease_renewed` once a renewal is signed, 409 `possession_overlap`, 422
`party_unknown`, 422 `notice_out_of_range`. Answers the lease.';

comment on function "public"."renew_lease"(uuid, date, bigint, date, text) is 'Drafts the lease that renews this one

A lease of its own, linked by renewed_from_id, with the same units, people, deposit and rules, from the day after the last one
(or tomorrow, where there is none; or `starts_on`) until `ends_on`, at `rent_minor` or the rent as it is. Change the draft as you
like, then call `activate_lease`: on its first day it ends this one. Needs `leases.write`. 409 `lease_not_active`, 409
`lease_renewed` if there is a renewal, 409 `lease_number_taken`, 422 `renewal_out_of_range`. Answers the draft.';

comment on function "public"."terminate_lease"(uuid, text, date) is 'Ends a lease early, or calls it off before it began

`reason` says why, and is shown to the renters. `ended_on` is the last day on which they had the unit; a pending lease has none.
Calling off a renewal lets the lease that it was to renew run on. Needs `leases.write`. 422 `reason_required`, and what
`end_lease` answers. Answers the lease.';

comment on function "public"."transfer_unit"(uuid, uuid, uuid, date) is 'Moves the renters of a lease to another unit of the property

From `on_date` on the lease holds the other unit instead, for as long as it would have held the first. The change is on record
as an addendum; for another rent call `amend_lease`. Needs `leases.write`. 409 `lease_not_active`, 409
`lease_of_whole_property`, 409 `lease_renewed` once a renewal is signed, 409 `possession_overlap`, 422 `transfer_impossible`.
Answers the lease.';

comment on function "public"."withdraw_notice"(uuid, text) is 'Takes a notice back

The lease is active again, `reason` says why, and it holds its units as it did before: 409 `possession_overlap` if one of them has been let since.
Needs `leases.write`. 409 `lease_not_active` if no notice was given. Answers the lease.';

comment on function "worker"."lease_turnover"(timestamp with time zone, integer) is 'Does to leases what a new day brings

A pending lease becomes active on its first day where its property stands, and ends the one it renews; it waits as long as
renters before it have not moved out. A lease that renews by itself does so once its last day has passed; of others, the units
stay held. Takes up to `p_limit` of each: call again while `more`. Answers {leases_begun, leases_renewed, leases_held_over,
more}.';

comment on table "public"."lease_addenda" is 'What was agreed on beside a lease, or changed about it since.

Anybody who may write leases adds one: a pet, a parking space, a house rule. One that changes the term, the rent or the unit is
written by `rpc/amend_lease` or `rpc/transfer_unit` together with the change. It is fixed once it is signed and in effect.';

revoke all
    on function
        "private"."amend_lease"(uuid, text, date, text, date, date, date, boolean, text, integer, integer, bigint,
        integer, timestamp with time zone)
    from public;

grant execute
    on function
        "private"."amend_lease"(uuid, text, date, text, date, date, date, boolean, text, integer, integer, bigint,
        integer, timestamp with time zone)
    to "authenticated";

revoke all
    on function
        "private"."amend_lease"(uuid, text, date, text, date, date, date, boolean, text, integer, integer, bigint,
        integer, timestamp with time zone)
    from "postgres";

grant execute
    on function
        "private"."amend_lease"(uuid, text, date, text, date, date, date, boolean, text, integer, integer, bigint,
        integer, timestamp with time zone)
    to "postgres";

revoke all on function "private"."begin_leases"(timestamp with time zone, integer) from public;

revoke all on function "private"."begin_leases"(timestamp with time zone, integer) from "postgres";

grant execute on function "private"."begin_leases"(timestamp with time zone, integer) to "postgres";

revoke all on function "private"."bind_lease"(public.leases, timestamp with time zone) from public;

revoke all on function "private"."bind_lease"(public.leases, timestamp with time zone) from "postgres";

grant execute on function "private"."bind_lease"(public.leases, timestamp with time zone) to "postgres";

revoke all on function "private"."draft_renewal"(public.leases, text, date, date, bigint) from public;

revoke all on function "private"."draft_renewal"(public.leases, text, date, date, bigint) from "postgres";

grant execute on function "private"."draft_renewal"(public.leases, text, date, date, bigint) to "postgres";

revoke all on function "private"."end_renewed_lease"(public.leases) from public;

revoke all on function "private"."end_renewed_lease"(public.leases) from "postgres";

grant execute on function "private"."end_renewed_lease"(public.leases) to "postgres";

revoke all on function "private"."give_notice"(uuid, text, date, date, text, timestamp with time zone) from public;

grant execute
    on function "private"."give_notice"(uuid, text, date, date, text, timestamp with time zone)
    to "authenticated";

revoke all on function "private"."give_notice"(uuid, text, date, date, text, timestamp with time zone) from "postgres";

grant execute on function "private"."give_notice"(uuid, text, date, date, text, timestamp with time zone) to "postgres";

revoke all on function "private"."guard_lease_addendum"() from public;

revoke all on function "private"."guard_lease_addendum"() from "postgres";

grant execute on function "private"."guard_lease_addendum"() to "postgres";

revoke all on function "private"."held_over_before"(uuid) from public;

revoke all on function "private"."held_over_before"(uuid) from "postgres";

grant execute on function "private"."held_over_before"(uuid) to "postgres";

revoke all on function "private"."hold_as_things_stand"(public.leases, date) from public;

revoke all on function "private"."hold_as_things_stand"(public.leases, date) from "postgres";

grant execute on function "private"."hold_as_things_stand"(public.leases, date) to "postgres";

revoke all on function "private"."hold_over_leases"(timestamp with time zone, integer) from public;

revoke all on function "private"."hold_over_leases"(timestamp with time zone, integer) from "postgres";

grant execute on function "private"."hold_over_leases"(timestamp with time zone, integer) to "postgres";

revoke all on function "private"."holds"(public.leases) from public;

revoke all on function "private"."holds"(public.leases) from "postgres";

grant execute on function "private"."holds"(public.leases) to "postgres";

revoke all on function "private"."holds_its_units_until"(public.leases, date) from public;

revoke all on function "private"."holds_its_units_until"(public.leases, date) from "postgres";

grant execute on function "private"."holds_its_units_until"(public.leases, date) to "postgres";

revoke all on function "private"."holds_till_the_next"(public.leases, private.unit_hold[]) from public;

revoke all on function "private"."holds_till_the_next"(public.leases, private.unit_hold[]) from "postgres";

grant execute on function "private"."holds_till_the_next"(public.leases, private.unit_hold[]) to "postgres";

revoke all on function "private"."holds_until"(private.unit_hold[], date) from public;

revoke all on function "private"."holds_until"(private.unit_hold[], date) from "postgres";

grant execute on function "private"."holds_until"(private.unit_hold[], date) to "postgres";

revoke all on function "private"."join_whole_property_leases"() from public;

revoke all on function "private"."join_whole_property_leases"() from "postgres";

grant execute on function "private"."join_whole_property_leases"() to "postgres";

revoke all on function "private"."lock_units"(uuid, uuid[]) from public;

revoke all on function "private"."lock_units"(uuid, uuid[]) from "postgres";

grant execute on function "private"."lock_units"(uuid, uuid[]) to "postgres";

revoke all on function "private"."next_hold"(uuid, uuid, uuid, date) from public;

revoke all on function "private"."next_hold"(uuid, uuid, uuid, date) from "postgres";

grant execute on function "private"."next_hold"(uuid, uuid, uuid, date) to "postgres";

revoke all on function "private"."refuse_held_over"(public.leases, date) from public;

revoke all on function "private"."refuse_held_over"(public.leases, date) from "postgres";

grant execute on function "private"."refuse_held_over"(public.leases, date) to "postgres";

revoke all on function "private"."refuse_import_overlaps"(uuid, timestamp with time zone) from public;

revoke all on function "private"."refuse_import_overlaps"(uuid, timestamp with time zone) from "postgres";

grant execute on function "private"."refuse_import_overlaps"(uuid, timestamp with time zone) to "postgres";

revoke all on function "private"."refuse_overlap"(public.leases, private.unit_hold[]) from public;

revoke all on function "private"."refuse_overlap"(public.leases, private.unit_hold[]) from "postgres";

grant execute on function "private"."refuse_overlap"(public.leases, private.unit_hold[]) to "postgres";

revoke all on function "private"."refuse_pending_renewal"(public.leases) from public;

revoke all on function "private"."refuse_pending_renewal"(public.leases) from "postgres";

grant execute on function "private"."refuse_pending_renewal"(public.leases) to "postgres";

revoke all on function "private"."renew_lease"(uuid, date, bigint, date, text, timestamp with time zone) from public;

grant execute
    on function "private"."renew_lease"(uuid, date, bigint, date, text, timestamp with time zone)
    to "authenticated";

revoke all on function "private"."renew_lease"(uuid, date, bigint, date, text, timestamp with time zone) from "postgres";

grant execute
    on function "private"."renew_lease"(uuid, date, bigint, date, text, timestamp with time zone)
    to "postgres";

revoke all on function "private"."renew_leases"(timestamp with time zone, integer) from public;

revoke all on function "private"."renew_leases"(timestamp with time zone, integer) from "postgres";

grant execute on function "private"."renew_leases"(timestamp with time zone, integer) to "postgres";

revoke all on function "private"."renewal_number"(public.leases) from public;

revoke all on function "private"."renewal_number"(public.leases) from "postgres";

grant execute on function "private"."renewal_number"(public.leases) to "postgres";

revoke all on function "private"."rent_on"(public.leases, date) from public;

revoke all on function "private"."rent_on"(public.leases, date) from "postgres";

grant execute on function "private"."rent_on"(public.leases, date) to "postgres";

revoke all on function "private"."require_last_day"(public.leases, date, timestamp with time zone) from public;

revoke all on function "private"."require_last_day"(public.leases, date, timestamp with time zone) from "postgres";

grant execute on function "private"."require_last_day"(public.leases, date, timestamp with time zone) to "postgres";

revoke all on function "private"."require_lease_status"(public.leases, text[]) from public;

revoke all on function "private"."require_lease_status"(public.leases, text[]) from "postgres";

grant execute on function "private"."require_lease_status"(public.leases, text[]) to "postgres";

revoke all on function "private"."set_possession"(public.leases, private.unit_hold[]) from public;

revoke all on function "private"."set_possession"(public.leases, private.unit_hold[]) from "postgres";

grant execute on function "private"."set_possession"(public.leases, private.unit_hold[]) to "postgres";

revoke all on function "private"."terminate_lease"(uuid, text, date, timestamp with time zone) from public;

grant execute on function "private"."terminate_lease"(uuid, text, date, timestamp with time zone) to "authenticated";

revoke all on function "private"."terminate_lease"(uuid, text, date, timestamp with time zone) from "postgres";

grant execute on function "private"."terminate_lease"(uuid, text, date, timestamp with time zone) to "postgres";

revoke all on function "private"."transfer_unit"(uuid, uuid, uuid, date, timestamp with time zone) from public;

grant execute on function "private"."transfer_unit"(uuid, uuid, uuid, date, timestamp with time zone) to "authenticated";

revoke all on function "private"."transfer_unit"(uuid, uuid, uuid, date, timestamp with time zone) from "postgres";

grant execute on function "private"."transfer_unit"(uuid, uuid, uuid, date, timestamp with time zone) to "postgres";

revoke all on function "private"."units_are_free_to_lock"(public.leases) from public;

revoke all on function "private"."units_are_free_to_lock"(public.leases) from "postgres";

grant execute on function "private"."units_are_free_to_lock"(public.leases) to "postgres";

revoke all on function "private"."withdraw_notice"(uuid, text, timestamp with time zone) from public;

grant execute on function "private"."withdraw_notice"(uuid, text, timestamp with time zone) to "authenticated";

revoke all on function "private"."withdraw_notice"(uuid, text, timestamp with time zone) from "postgres";

grant execute on function "private"."withdraw_notice"(uuid, text, timestamp with time zone) to "postgres";

grant execute
    on function
        "public"."amend_lease"(uuid, text, date, text, date, date, date, boolean, text, integer, integer, bigint,
        integer)
    to "authenticated";

revoke all
    on function
        "public"."amend_lease"(uuid, text, date, text, date, date, date, boolean, text, integer, integer, bigint,
        integer)
    from "postgres";

grant execute
    on function
        "public"."amend_lease"(uuid, text, date, text, date, date, date, boolean, text, integer, integer, bigint,
        integer)
    to "postgres";

grant execute on function "public"."give_notice"(uuid, text, date, date, text) to "authenticated";

revoke all on function "public"."give_notice"(uuid, text, date, date, text) from "postgres";

grant execute on function "public"."give_notice"(uuid, text, date, date, text) to "postgres";

grant execute on function "public"."renew_lease"(uuid, date, bigint, date, text) to "authenticated";

revoke all on function "public"."renew_lease"(uuid, date, bigint, date, text) from "postgres";

grant execute on function "public"."renew_lease"(uuid, date, bigint, date, text) to "postgres";

grant execute on function "public"."terminate_lease"(uuid, text, date) to "authenticated";

revoke all on function "public"."terminate_lease"(uuid, text, date) from "postgres";

grant execute on function "public"."terminate_lease"(uuid, text, date) to "postgres";

grant execute on function "public"."transfer_unit"(uuid, uuid, uuid, date) to "authenticated";

revoke all on function "public"."transfer_unit"(uuid, uuid, uuid, date) from "postgres";

grant execute on function "public"."transfer_unit"(uuid, uuid, uuid, date) to "postgres";

grant execute on function "public"."withdraw_notice"(uuid, text) to "authenticated";

revoke all on function "public"."withdraw_notice"(uuid, text) from "postgres";

grant execute on function "public"."withdraw_notice"(uuid, text) to "postgres";

revoke all on table "public"."lease_addenda" from "authenticated";

revoke all ("body") on table "public"."lease_addenda" from "authenticated";

grant insert ("body"), update ("body") on table "public"."lease_addenda" to "authenticated";

revoke all ("effective_on") on table "public"."lease_addenda" from "authenticated";

grant insert ("effective_on"), update ("effective_on") on table "public"."lease_addenda" to "authenticated";

revoke all ("lease_id") on table "public"."lease_addenda" from "authenticated";

grant insert ("lease_id") on table "public"."lease_addenda" to "authenticated";

revoke all ("signed_on") on table "public"."lease_addenda" from "authenticated";

grant insert ("signed_on"), update ("signed_on") on table "public"."lease_addenda" to "authenticated";

revoke all ("title") on table "public"."lease_addenda" from "authenticated";

grant insert ("title"), update ("title") on table "public"."lease_addenda" to "authenticated";

revoke all ("workspace_id") on table "public"."lease_addenda" from "authenticated";

grant insert ("workspace_id") on table "public"."lease_addenda" to "authenticated";

grant delete, select on table "public"."lease_addenda" to "authenticated";

revoke all on table "public"."lease_addenda" from "service_role";

grant select on table "public"."lease_addenda" to "service_role";

revoke all ("deposit_conditions") on table "public"."leases" from "authenticated";

grant insert ("deposit_conditions"), update ("deposit_conditions") on table "public"."leases" to "authenticated";

revoke all ("deposit_held_by") on table "public"."leases" from "authenticated";

grant insert ("deposit_held_by"), update ("deposit_held_by") on table "public"."leases" to "authenticated";

revoke all ("deposit_nonrefundable_minor") on table "public"."leases" from "authenticated";

grant insert ("deposit_nonrefundable_minor"), update ("deposit_nonrefundable_minor")
    on table "public"."leases"
    to "authenticated";

revoke all ("holdover_rent_percent") on table "public"."leases" from "authenticated";

grant insert ("holdover_rent_percent"), update ("holdover_rent_percent") on table "public"."leases" to "authenticated";

revoke all ("moved_in_on") on table "public"."leases" from "authenticated";

grant update ("moved_in_on") on table "public"."leases" to "authenticated";

revoke all ("moved_out_on") on table "public"."leases" from "authenticated";

grant update ("moved_out_on") on table "public"."leases" to "authenticated";

revoke all ("on_expiry") on table "public"."leases" from "authenticated";

grant insert ("on_expiry"), update ("on_expiry") on table "public"."leases" to "authenticated";

revoke all ("renewal_months") on table "public"."leases" from "authenticated";

grant insert ("renewal_months"), update ("renewal_months") on table "public"."leases" to "authenticated";

revoke all ("whole_property") on table "public"."leases" from "authenticated";

grant insert ("whole_property"), update ("whole_property") on table "public"."leases" to "authenticated";
