-- What the tables of leases defend by themselves, whoever writes: drafts are free, what has begun is fixed.

-- The day it is at the property.
create function private.local_date(p_timezone text, p_now timestamptz)
    returns date
    immutable
    strict
    parallel safe
    set search_path = ''
    language sql
as $$
    select (p_now at time zone p_timezone)::date
$$;


-- A lease that names no currency takes its property's. Runs as the caller: what they may not see defaults to nothing.
create function private.default_lease()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if new.currency is null then
        select p.currency into new.currency
        from public.properties as p
        where p.workspace_id = new.workspace_id and p.id = new.property_id;
    end if;
    return new;
end
$$;

create trigger default_lease before insert on public.leases
    for each row execute function private.default_lease();


-- Says so before the range of its days is worked out, which would say less.
create function private.refuse_reversed_term()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.fail(
        422, 'lease_term_reversed', format('The lease would end on %s, before it starts on %s.', new.ends_on, new.starts_on),
        p_hint := 'ends_on is the last day: starts_on or later. Leave it out for a lease that runs until somebody ends it.'
    );
end
$$;

create trigger refuse_reversed_term before insert or update of starts_on, ends_on on public.leases
    for each row when (new.ends_on < new.starts_on) execute function private.refuse_reversed_term();


-- A status takes the steps that there are, whoever moves it.
create function private.guard_lease_status()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
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
$$;

create trigger guard_lease_status before update on public.leases
    for each row when (new.status <> old.status) execute function private.guard_lease_status();


-- A lease that binds keeps its dates, its money and itself.
create function private.guard_lease()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
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
$$;

create trigger guard_lease before update or delete on public.leases
    for each row execute function private.guard_lease();

create trigger touch_updated_at before update on public.leases
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.leases
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.leases
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.leases
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.leases
    referencing old table as old_rows
    for each statement execute function private.record_changes();


-- Units planned for a draft's whole term follow when its dates move; other days that somebody chose stay.
create function private.move_planned_units()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    update public.lease_units
    set possession = new.term
    where
        workspace_id = new.workspace_id
        and lease_id = new.id
        and possession = old.term
        and not binding
        and superseded_at is null;
    return null;
end
$$;

create trigger move_planned_units after update of starts_on, ends_on on public.leases
    for each row when (new.term <> old.term) execute function private.move_planned_units();


-- Keeps the history of statuses. The effective day is the property's, or the day on which the lease ended.
create function private.record_lease_status()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- The day from which a lease is as it now is: its last, its first, or else today where the property stands.
create function private.lease_status_day(p_lease public.leases, p_was text, p_timezone text)
    returns date
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    return coalesce(
        p_lease.ended_on,
        case when p_lease.status = 'notice_given' then p_lease.notice_given_on end,
        case when p_lease.status = 'active' and p_was is distinct from 'notice_given' then p_lease.starts_on end,
        private.local_date(p_timezone, now())
    );
end
$$;

create trigger record_lease_status_on_insert after insert on public.leases
    referencing new table as touched
    for each statement execute function private.record_lease_status();

create trigger record_lease_status_on_update after update on public.leases
    referencing old table as before new table as touched
    for each statement execute function private.record_lease_status();


-- Units of a draft come and go; a binding row is only ever superseded. Runs as the caller.
create function private.guard_lease_unit()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        -- Asked only where it must be: not everybody who is refused this row has a grant to ask.
        if new.possession is null then
            select l.term into new.possession
            from public.leases as l
            where l.workspace_id = new.workspace_id and l.id = new.lease_id;
        end if;
        return new;
    end if;
    if not old.binding then
        return coalesce(new, old);
    end if;
    if tg_op = 'DELETE' then
        perform private.fail(
            409, 'lease_has_begun', 'A lease that has begun holds this unit.',
            p_hint := 'End it with rpc/end_lease; set the unit to retired instead of deleting it.'
        );
    end if;
    if new.superseded_at is null or old.superseded_at is not null
        or to_jsonb(new) - 'superseded_at' is distinct from to_jsonb(old) - 'superseded_at'
    then
        perform private.fail(409, 'lease_unit_is_binding', 'A binding row is superseded, never changed.');
    end if;
    return new;
end
$$;


-- A plan belongs to a draft. After row security has let the row in, so that a refusal tells no stranger anything.
create function private.plan_for_drafts_only()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases;
begin
    -- Waits for an activation under way, then sees what it made of the lease.
    select * into v_lease
    from public.leases
    where workspace_id = new.workspace_id and id = new.lease_id
    for share;
    if not new.binding and v_lease.status <> 'draft' then
        perform private.fail(
            409, 'lease_not_draft', format('Lease %s has begun: its units are fixed.', v_lease.lease_number)
        );
    end if;
    return null;
end
$$;

-- The lease, held as it is until the transaction ends; null: it is being deleted itself. For triggers of rows that belong to
-- it, so it does not wait: whoever has the lease, an activation or an import, may be waiting for that very row.
create function private.hold_lease(p_workspace_id uuid, p_lease_id uuid)
    returns public.leases
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases;
begin
    select * into v_lease
    from public.leases
    where workspace_id = p_workspace_id and id = p_lease_id
    for share skip locked;
    if not found and exists (
        select from public.leases as l where l.workspace_id = p_workspace_id and l.id = p_lease_id
    ) then
        perform private.fail(
            409, 'lease_busy', 'Somebody else is changing this lease right now.', p_hint := 'Try again.'
        );
    end if;
    return v_lease;
end
$$;


-- Units and rents are taken from drafts only, and not from one that is being activated: it would begin without the unit or
-- the rent that activate_lease() has just seen.
create function private.take_from_drafts_only()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases := private.hold_lease(old.workspace_id, old.lease_id);
begin
    if v_lease.status <> 'draft' then
        perform private.fail(
            409, 'lease_has_begun', format('Lease %s has begun: nothing is taken from it.', v_lease.lease_number),
            p_hint := 'End it with rpc/end_lease; for another rent add a row of lease_terms.'
        );
    end if;
    return null;
end
$$;

create trigger guard_lease_unit before insert or update or delete on public.lease_units
    for each row execute function private.guard_lease_unit();

create trigger plan_for_drafts_only after insert or update on public.lease_units
    for each row execute function private.plan_for_drafts_only();

create trigger take_from_drafts_only after delete on public.lease_units
    for each row execute function private.take_from_drafts_only();

create trigger refuse_truncate before truncate on public.lease_units
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.lease_units
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.lease_units
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.lease_units
    referencing old table as old_rows
    for each statement execute function private.record_changes();


-- A rent is superseded by the next for the same day.
-- By index even while the table is small: a plan made then would be kept while an import fills it.
create function private.guard_lease_term()
    returns trigger
    volatile
    security definer
    set search_path = ''
    set enable_seqscan = off
    language plpgsql
as $$
begin
    -- Row security is asked after this trigger: a stranger's row must not touch anything before it is refused.
    if new.superseded_at is null and (
        (select auth.uid()) is null
        or new.workspace_id = any (array(select private.workspaces_with('leases.write')))
    ) then
        -- A statement that changes nothing still calls the triggers that watch it: ten thousand times in an import.
        perform from public.lease_terms as t
        where
            t.workspace_id = new.workspace_id
            and t.lease_id = new.lease_id
            and t.effective_on = new.effective_on
            and t.superseded_at is null;
        if found then
            update public.lease_terms
            set superseded_at = greatest(clock_timestamp(), recorded_at)
            where
                workspace_id = new.workspace_id
                and lease_id = new.lease_id
                and effective_on = new.effective_on
                and superseded_at is null;
        end if;
    end if;
    return new;
end
$$;

create trigger guard_lease_term before insert on public.lease_terms
    for each row execute function private.guard_lease_term();

create trigger take_from_drafts_only after delete on public.lease_terms
    for each row execute function private.take_from_drafts_only();

create trigger refuse_truncate before truncate on public.lease_terms
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.lease_terms
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.lease_terms
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.lease_terms
    referencing old table as old_rows
    for each statement execute function private.record_changes();

-- Who signed stays on the lease as what they signed for; occupants, who did not, come and go. How renters share the rent
-- among themselves stays theirs to change.
create function private.guard_lease_tenant()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_lease public.leases;
begin
    if tg_op = 'UPDATE' and new.role = old.role or tg_op = 'DELETE' and old.role = 'occupant' then
        return null;
    end if;
    v_lease := private.hold_lease(old.workspace_id, old.lease_id);
    if v_lease.status <> 'draft' then
        perform private.fail(
            409, 'lease_not_draft', format('Lease %s has begun: its parties are fixed.', v_lease.lease_number),
            p_hint := 'Occupants can still be added and taken off.'
        );
    end if;
    return null;
end
$$;

create trigger guard_lease_tenant after update or delete on public.lease_tenants
    for each row execute function private.guard_lease_tenant();

create trigger refuse_truncate before truncate on public.lease_tenants
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.lease_tenants
    referencing new table as new_rows
    for each statement execute function private.record_changes('{lease_id, tenant_id}');

create trigger record_updates after update on public.lease_tenants
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{lease_id, tenant_id}');

create trigger record_deletes after delete on public.lease_tenants
    referencing old table as old_rows
    for each statement execute function private.record_changes('{lease_id, tenant_id}');

create trigger refuse_truncate before truncate on public.lease_status_changes
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.lease_status_changes
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.lease_status_changes
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.lease_status_changes
    referencing old table as old_rows
    for each statement execute function private.record_changes();


-- A renter who is on a lease stays on record. Not the foreign key's work: it would keep a workspace from being deleted.
create function private.guard_tenant()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if exists (
        select from public.lease_tenants as lt
        where lt.workspace_id = old.workspace_id and lt.tenant_id = old.id
    ) and exists (select from public.workspaces as w where w.id = old.workspace_id) then
        perform private.fail(
            409, 'tenant_on_lease', 'A renter who is on a lease cannot be deleted.',
            p_hint := 'Take them off their draft leases first, or set their status to former.'
        );
    end if;
    return old;
end
$$;

create trigger guard_tenant before delete on public.tenants
    for each row execute function private.guard_tenant();
