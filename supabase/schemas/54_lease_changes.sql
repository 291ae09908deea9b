-- What changes about a lease that binds: addenda, and the changes of term, rent and unit that are recorded as such.

create table public.lease_addenda (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    lease_id uuid not null,
    title text not null check (length(title) <= 200 and btrim(title) <> ''),
    body text check (length(body) <= 100000),
    effective_on date not null check (effective_on between '1900-01-01' and '2200-01-01'),
    signed_on date check (signed_on between '1900-01-01' and '2200-01-01'),
    changes jsonb check (jsonb_typeof(changes) = 'object'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    foreign key (workspace_id, lease_id) references public.leases (workspace_id, id) on delete cascade
);

create index lease_addenda_lease_id_idx on public.lease_addenda (workspace_id, lease_id, effective_on);
create index lease_addenda_created_at_idx on public.lease_addenda (workspace_id, created_at desc);

comment on table public.lease_addenda is $$What was agreed on beside a lease, or changed about it since.

Anybody who may write leases adds one: a pet, a parking space, a house rule. One that changes the term, the rent or the unit is
written by `rpc/amend_lease` or `rpc/transfer_unit` together with the change. It is fixed once it is signed and in effect.$$;
comment on column public.lease_addenda.id is $$Identifies the addendum.$$;
comment on column public.lease_addenda.workspace_id is $$The workspace that manages the lease.$$;
comment on column public.lease_addenda.lease_id is $$The lease.$$;
comment on column public.lease_addenda.title is $$What it is about, 1 to 200 characters.$$;
comment on column public.lease_addenda.body is $$Its text, up to 100,000 characters.$$;
comment on column public.lease_addenda.effective_on is $$First day on which it applies.$$;
comment on column public.lease_addenda.signed_on is $$Day on which it was signed; the renters see it from then on. Empty: not yet.$$;
comment on column public.lease_addenda.changes is
    $$What it changed: {"ends_on": {"from": "2026-12-31", "to": "2027-06-30"}}. Empty: nothing that Freehold keeps itself.$$;
comment on column public.lease_addenda.created_at is $$When the row was made.$$;
comment on column public.lease_addenda.updated_at is $$When the row last changed.$$;

create trigger touch_updated_at before update on public.lease_addenda
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.lease_addenda
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.lease_addenda
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.lease_addenda
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.lease_addenda
    referencing old table as old_rows
    for each statement execute function private.record_changes();


-- What was signed and is in effect stays as it is, and so does what changed the lease, but for its signature. After row
-- security has let the row go, so that a refusal tells no stranger anything; a lease that is being deleted takes its addenda
-- with it.
create function private.guard_lease_addendum()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

create trigger guard_lease_addendum after update or delete on public.lease_addenda
    for each row execute function private.guard_lease_addendum();


-- Changes the term of a lease in force, its rent, or both. Null: as it was.
create function private.amend_lease(
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
    p_now timestamptz
)
    returns public.leases
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- What the lease costs on a day: the last rent to take effect by then.
create function private.rent_on(p_lease public.leases, p_day date)
    returns public.lease_terms
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- Moves the renters to another unit of the property.
create function private.transfer_unit(
    p_lease_id uuid, p_from_unit_id uuid, p_to_unit_id uuid, p_on date, p_now timestamptz
)
    returns public.leases
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
    where h.unit_id = p_from_unit_id and h.possession @> p_on and isfinite(p_on);
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
$$;

grant execute on function private.amend_lease(
    uuid, text, date, text, date, date, date, boolean, text, integer, integer, bigint, integer, timestamptz
) to authenticated;
grant execute on function private.transfer_unit(uuid, uuid, uuid, date, timestamptz) to authenticated;


create function public.amend_lease(
    lease_id uuid,
    title text,
    effective_on date,
    body text default null,
    signed_on date default null,
    starts_on date default null,
    ends_on date default null,
    open_ended boolean default false,
    on_expiry text default null,
    renewal_months integer default null,
    notice_days integer default null,
    rent_minor bigint default null,
    due_day integer default null
)
    returns public.leases
    volatile
    set search_path = ''
    language sql
as $$
    select private.amend_lease(
        lease_id, title, effective_on, body, signed_on, starts_on, ends_on, open_ended, on_expiry, renewal_months,
        notice_days, rent_minor, due_day, now()
    )
$$;

comment on function public.amend_lease(
    uuid, text, date, text, date, date, date, boolean, text, integer, integer, bigint, integer
) is $$Changes a lease in force by an addendum

`title` and `body` are the addendum's, `signed_on` is the day on which it was signed: renters see it from then on. What is left out
stays as it is; `open_ended` takes the last day away. A new `rent_minor` or `due_day` counts from `effective_on`, the rest at
once: units are held as the new dates say, and what they were stays on record. `starts_on` moves only before it has come. The
addendum tells what changed, from what to what. Needs `leases.write`. 409 `lease_not_active`, 409 `lease_renewed` for a change of dates
once a renewal is signed, 409 `possession_overlap`, 422 `amendment_incomplete`, 422 `amendment_out_of_range`. Answers the lease.$$;

grant execute on function public.amend_lease(
    uuid, text, date, text, date, date, date, boolean, text, integer, integer, bigint, integer
) to authenticated;


create function public.transfer_unit(lease_id uuid, from_unit_id uuid, to_unit_id uuid, on_date date)
    returns public.leases
    volatile
    set search_path = ''
    language sql
as $$
    select private.transfer_unit(lease_id, from_unit_id, to_unit_id, on_date, now())
$$;

comment on function public.transfer_unit(uuid, uuid, uuid, date) is $$Moves the renters of a lease to another unit of the property

From `on_date` on the lease holds the other unit instead, for as long as it would have held the first. The change is on record
as an addendum; for another rent call `amend_lease`. Work that was asked for in the first unit stays there, for the members and whoever
is to do it: from that day the renters neither see it nor report any, and if they come back they do. Needs `leases.write`. 409 `lease_not_active`, 409
`lease_of_whole_property`, 409 `lease_renewed` once a renewal is signed, 409 `possession_overlap`, 422 `transfer_impossible`.
Answers the lease.$$;

grant execute on function public.transfer_unit(uuid, uuid, uuid, date) to authenticated;
