-- What the tables of maintenance keep by themselves, whoever writes: numbers, places, the status machine, authors.

-- Takes that many numbers of the workspace, and answers the first. Others wait for the end of the transaction.
create function private.take_request_numbers(p_workspace_id uuid, p_count integer)
    returns integer
    volatile
    security definer
    set search_path = ''
    language sql
as $$
    insert into private.maintenance_counters as c (workspace_id, last_number)
    values (p_workspace_id, p_count)
    on conflict (workspace_id) do update set last_number = c.last_number + p_count
    returning c.last_number - p_count + 1
$$;


-- Where somebody has to go: the property's name and address, and the unit. Null where there is no such property.
create function private.maintenance_location(p_workspace_id uuid, p_property_id uuid, p_unit_id uuid)
    returns text
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return (
        select concat_ws(
            ', ', p.name, p.address_line1, nullif(btrim(p.address_line2), ''), p.city,
            nullif(concat_ws(' ', p.state, p.postal_code), ''), 'unit ' || u.unit_number
        )
        from public.properties as p
        left join public.units as u
            on u.workspace_id = p.workspace_id and u.property_id = p.id and u.id = p_unit_id
        where p.workspace_id = p_workspace_id and p.id = p_property_id
    );
end
$$;


-- Numbers a new request and says where it is. Refuses nothing, so that a stranger, whom row security refuses next, learns
-- nothing, nor makes others wait.
create function private.begin_maintenance_request()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if new.request_number is null and (
        (select auth.uid()) is null
        or new.workspace_id = any (array(select private.workspaces_with('maintenance.write')))
    ) then
        new.request_number := private.take_request_numbers(new.workspace_id, 1);
    end if;
    -- Nowhere: the foreign key refuses it.
    new.location := coalesce(private.maintenance_location(new.workspace_id, new.property_id, new.unit_id), '');
    new.created_by := (select auth.uid());
    new.status := case
        when new.assigned_member_id is null and new.assigned_vendor_id is null then 'open' else 'assigned'
    end;
    new.vendor_accepted_at := null;
    new.scheduled_starts_at := null;
    new.scheduled_ends_at := null;
    new.completed_at := null;
    new.closed_at := null;
    return new;
end
$$;

create trigger begin_maintenance_request before insert on public.maintenance_requests
    for each row execute function private.begin_maintenance_request();


-- Keeps status, assignee, window and times in step, and refuses what is no edge of the machine.
create function private.move_maintenance_request()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_reassigned boolean := (new.assigned_member_id, new.assigned_vendor_id)
    is distinct from (old.assigned_member_id, old.assigned_vendor_id);
    v_is_somebodys boolean := new.assigned_member_id is not null or new.assigned_vendor_id is not null;
begin
    -- Whoever leaves or is deleted leaves the work to be given to somebody else; whoever gets it agrees on a time anew.
    if v_reassigned and new.status = old.status and new.status not in ('completed', 'closed', 'cancelled') then
        new.status := case when v_is_somebodys then 'assigned' else 'open' end;
    end if;
    if new.status <> old.status and not exists (
        select from private.maintenance_transitions as t
        where t.from_status = old.status and t.to_status = new.status
    ) then
        perform private.fail(
            409, 'maintenance_transition_refused',
            format('Request %s is %s: from there it cannot become %s.', old.request_number, old.status, new.status),
            format('from=%s to=%s allowed=%s', old.status, new.status, (
                select string_agg(t.to_status, ',' order by t.to_status)
                from private.maintenance_transitions as t
                where t.from_status = old.status
            )),
            'Read the request again: somebody may have moved it on.'
        );
    end if;
    if new.status = 'open' then
        new.assigned_member_id := null;
        new.assigned_vendor_id := null;
    elsif new.status in ('assigned', 'scheduled', 'in_progress', 'on_hold') and not v_is_somebodys then
        perform private.fail(
            409, 'assignee_missing', format('Nobody is assigned to request %s.', old.request_number),
            p_hint := 'Assign a member or a vendor first: rpc/assign_maintenance.'
        );
    end if;
    if v_reassigned or new.status = 'open' then
        new.vendor_accepted_at := null;
    end if;
    if new.status in ('open', 'assigned') then
        new.scheduled_starts_at := null;
        new.scheduled_ends_at := null;
    elsif new.status = 'scheduled' and new.scheduled_starts_at is null then
        perform private.fail(
            422, 'window_invalid', 'A scheduled request has a window of time.',
            p_hint := 'Give it one with rpc/schedule_maintenance.'
        );
    end if;
    new.completed_at := case
        when new.status = 'closed' then old.completed_at
        when new.status = 'completed' then coalesce(old.completed_at, now())
    end;
    new.closed_at := case when new.status = 'closed' then coalesce(old.closed_at, now()) end;
    return new;
end
$$;

create trigger move_maintenance_request
    before update of status, assigned_member_id, assigned_vendor_id on public.maintenance_requests
    for each row execute function private.move_maintenance_request();

create trigger touch_updated_at before update on public.maintenance_requests
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.maintenance_requests
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.maintenance_requests
    referencing new table as new_rows
    for each statement execute function private.record_changes('{id}', '{title, description, access_notes}');

create trigger record_updates after update on public.maintenance_requests
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{id}', '{title, description, access_notes}');

create trigger record_deletes after delete on public.maintenance_requests
    referencing old table as old_rows
    for each statement execute function private.record_changes('{id}', '{title, description, access_notes}');


-- Keeps the history of statuses. Why, says the RPC that made the change.
create function private.record_maintenance_status()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        insert into public.maintenance_status_changes (workspace_id, request_id, to_status, changed_by)
        select r.workspace_id, r.id, r.status, u.id
        from touched as r
        left join auth.users as u on u.id = (select auth.uid());
    else
        insert into public.maintenance_status_changes
            (workspace_id, request_id, from_status, to_status, reason, changed_by)
        select
            r.workspace_id, r.id, was.status, r.status,
            nullif(current_setting('freehold.maintenance_reason', true), ''), u.id
        from touched as r
        join before as was on was.workspace_id = r.workspace_id and was.id = r.id and was.status <> r.status
        -- A request may lose its vendor while it is itself deleted with its workspace.
        join public.maintenance_requests as still_there
            on still_there.workspace_id = r.workspace_id and still_there.id = r.id
        left join auth.users as u on u.id = (select auth.uid());
    end if;
    return null;
end
$$;

create trigger record_maintenance_status_on_insert after insert on public.maintenance_requests
    referencing new table as touched
    for each statement execute function private.record_maintenance_status();

create trigger record_maintenance_status_on_update after update on public.maintenance_requests
    referencing old table as before new table as touched
    for each statement execute function private.record_maintenance_status();

create trigger refuse_truncate before truncate on public.maintenance_status_changes
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.maintenance_status_changes
    referencing new table as new_rows
    for each statement execute function private.record_changes('{id}', '{reason}');

create trigger record_updates after update on public.maintenance_status_changes
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{id}', '{reason}');

create trigger record_deletes after delete on public.maintenance_status_changes
    referencing old table as old_rows
    for each statement execute function private.record_changes('{id}', '{reason}');


-- Requests that are not finished follow when a property's address or name, or a unit's number, is put right.
create function private.move_maintenance_locations()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if tg_table_name = 'properties' then
        update public.maintenance_requests as r
        set location = private.maintenance_location(r.workspace_id, r.property_id, r.unit_id)
        from touched as p
        join before as was on was.workspace_id = p.workspace_id and was.id = p.id
        where
            r.workspace_id = p.workspace_id
            and r.property_id = p.id
            and r.status not in ('closed', 'cancelled')
            and (p.name, p.address_line1, p.address_line2, p.city, p.state, p.postal_code)
            is distinct from
            (was.name, was.address_line1, was.address_line2, was.city, was.state, was.postal_code);
    else
        update public.maintenance_requests as r
        set location = private.maintenance_location(r.workspace_id, r.property_id, r.unit_id)
        from touched as u
        join before as was on was.workspace_id = u.workspace_id and was.id = u.id
        where
            r.workspace_id = u.workspace_id
            and r.unit_id = u.id
            and r.status not in ('closed', 'cancelled')
            and u.unit_number <> was.unit_number;
    end if;
    return null;
end
$$;

create trigger move_maintenance_locations after update on public.properties
    referencing old table as before new table as touched
    for each statement execute function private.move_maintenance_locations();

create trigger move_maintenance_locations after update on public.units
    referencing old table as before new table as touched
    for each statement execute function private.move_maintenance_locations();


-- What is still to be done moves with the household to the lease that renews theirs: they live there as before. What is to be done
-- in a unit that they were moved out of stays behind, with the lease under which it was reported. Whoever moves in has not said that
-- somebody may come in while they are out.
create function private.move_household_requests()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
    update public.maintenance_requests as r
    set permission_to_enter = false
    from touched as l
    join before as was on was.workspace_id = l.workspace_id and was.id = l.id and was.status <> l.status
    where
        l.status in ('ended', 'terminated')
        and r.workspace_id = l.workspace_id
        and r.property_id = l.property_id
        and r.lease_id = l.id
        and r.status not in ('closed', 'cancelled')
        and r.permission_to_enter;
    return null;
end
$$;

create trigger move_household_requests after update on public.leases
    referencing old table as before new table as touched
    for each statement execute function private.move_household_requests();


-- Says who speaks, and keeps what renters and vendors say between them and the members. Refuses nothing: row security does.
create function private.sign_maintenance_comment()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    new.author_id := (select auth.uid());
    if new.author_id is null then
        new.author_kind := 'system';
    elsif new.workspace_id in (select private.workspaces_with('maintenance.write')) then
        new.author_kind := 'member';
    else
        new.author_kind := case
            when new.request_id in (select private.my_assigned_request_ids()) then 'vendor' else 'renter'
        end;
        new.visible_to_vendor := new.author_kind = 'vendor';
        new.visible_to_renter := new.author_kind = 'renter';
    end if;
    return new;
end
$$;

create trigger sign_maintenance_comment before insert on public.maintenance_comments
    for each row execute function private.sign_maintenance_comment();

create trigger refuse_truncate before truncate on public.maintenance_comments
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.maintenance_comments
    referencing new table as new_rows
    for each statement execute function private.record_changes('{id}', '{body}');

create trigger record_updates after update on public.maintenance_comments
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{id}', '{body}');

create trigger record_deletes after delete on public.maintenance_comments
    referencing old table as old_rows
    for each statement execute function private.record_changes('{id}', '{body}');


-- A cost that names no currency takes its property's. Runs as the caller: what they may not see defaults to nothing.
create function private.default_maintenance_cost()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if new.currency is null then
        select p.currency into new.currency
        from public.maintenance_requests as r
        join public.properties as p on p.workspace_id = r.workspace_id and p.id = r.property_id
        where r.workspace_id = new.workspace_id and r.id = new.request_id;
    end if;
    return new;
end
$$;

create trigger default_maintenance_cost before insert on public.maintenance_costs
    for each row execute function private.default_maintenance_cost();

create trigger touch_updated_at before update on public.maintenance_costs
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.maintenance_costs
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.maintenance_costs
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.maintenance_costs
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.maintenance_costs
    referencing old table as old_rows
    for each statement execute function private.record_changes();
