-- Notice, and renewals: what is said about the end of a lease before it comes.

create function private.give_notice(
    p_lease_id uuid, p_given_by text, p_move_out_on date, p_given_on date, p_reason text, p_now timestamptz
)
    returns public.leases
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


create function private.withdraw_notice(p_lease_id uuid, p_reason text, p_now timestamptz)
    returns public.leases
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- Holds the units of a lease until the day that it now says, or, where that has passed, until the next lease begins.
create function private.hold_as_things_stand(p_lease public.leases, p_today date)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- The draft that renews a locked lease for another term: its units, people, money and rules, its custom fields, and what was
-- agreed on beside it.
create function private.draft_renewal(
    p_lease public.leases, p_lease_number text, p_starts_on date, p_ends_on date, p_rent_minor bigint
)
    returns public.leases
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- Gives a renewal the custom fields of the lease before it, but for the archived ones, which are written nowhere any more.
create function private.renew_custom_fields(p_lease public.leases, p_renewal public.leases)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- A number for the renewal of a lease: L-7 becomes L-7-R1, and that L-7-R2; one that is taken is left out.
create function private.renewal_number(p_lease public.leases)
    returns text
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_stem text := left(regexp_replace(p_lease.lease_number, '-R[0-9]{1,6}$', ''), 50);
    v_n integer := coalesce(substring(p_lease.lease_number from '-R([0-9]{1,6})$')::integer, 0);
    v_number text;
begin
    loop
        v_n := v_n + 1;
        v_number := format('%s-R%s', v_stem, v_n);
        exit when not exists (
            select from public.leases as l
            where l.workspace_id = p_lease.workspace_id and lower(l.lease_number) = lower(v_number)
        );
    end loop;
    return v_number;
end
$$;


create function private.renew_lease(
    p_lease_id uuid, p_ends_on date, p_rent_minor bigint, p_starts_on date, p_lease_number text, p_now timestamptz
)
    returns public.leases
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

grant execute on function private.give_notice(uuid, text, date, date, text, timestamptz) to authenticated;
grant execute on function private.withdraw_notice(uuid, text, timestamptz) to authenticated;
grant execute on function private.renew_lease(uuid, date, bigint, date, text, timestamptz) to authenticated;


create function public.give_notice(
    lease_id uuid, given_by text, move_out_on date, given_on date default null, reason text default null
)
    returns public.leases
    volatile
    set search_path = ''
    language sql
as $$
    select private.give_notice(lease_id, given_by, move_out_on, given_on, reason, now())
$$;

comment on function public.give_notice(uuid, text, date, date, text) is $$Records that a renter or the landlord gave notice

`given_by` is renter or landlord, `given_on` the day, today if left out, `move_out_on` the last day that the notice leaves: from
the next one the units can be let; `reason` is kept and shown to the renters. A notice shorter than the lease's notice_days is recorded, too: `notice_is_late` tells. Needs
`leases.write`. 409 `lease_not_active`, 409 `lease_renewed` once a renewal is signed, 409 `possession_overlap`, 422
`party_unknown`, 422 `notice_out_of_range`. Answers the lease.$$;

grant execute on function public.give_notice(uuid, text, date, date, text) to authenticated;


create function public.withdraw_notice(lease_id uuid, reason text default null)
    returns public.leases
    volatile
    set search_path = ''
    language sql
as $$
    select private.withdraw_notice(lease_id, reason, now())
$$;

comment on function public.withdraw_notice(uuid, text) is $$Takes a notice back

The lease is active again, `reason` says why, and it holds its units as it did before: 409 `possession_overlap` if one of them has been let since.
Needs `leases.write`. 409 `lease_not_active` if no notice was given. Answers the lease.$$;

grant execute on function public.withdraw_notice(uuid, text) to authenticated;


create function public.renew_lease(
    lease_id uuid,
    ends_on date default null,
    rent_minor bigint default null,
    starts_on date default null,
    lease_number text default null
)
    returns public.leases
    volatile
    set search_path = ''
    language sql
as $$
    select private.renew_lease(lease_id, ends_on, rent_minor, starts_on, lease_number, now())
$$;

comment on function public.renew_lease(uuid, date, bigint, date, text) is $$Drafts the lease that renews this one

A lease of its own, linked by renewed_from_id, with the same units, people (guarantors and occupants, too), deposit, rules and custom
fields and the signed addenda that changed none of these, from the day after the last one (or tomorrow, where there is none; or `starts_on`)
until `ends_on`, at `rent_minor` or else the rent as it is and was to become. Change the draft as you
like, then call `activate_lease`: on its first day it ends this one. Needs `leases.write`. 409 `lease_not_active`, 409
`lease_renewed` if there is a renewal, 409 `lease_number_taken`, 422 `renewal_out_of_range`. Answers the draft.$$;

grant execute on function public.renew_lease(uuid, date, bigint, date, text) to authenticated;
