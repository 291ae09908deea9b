-- How an inspection is started, frozen and signed, and what holds it frozen, whoever writes.

-- A completed inspection keeps everything, and itself. With its workspace it goes. Runs as the caller.
create function private.guard_inspection()
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
        if not exists (select from public.workspaces as w where w.id = old.workspace_id) then
            return old;
        end if;
        perform private.fail(
            409, 'inspection_completed', format('Inspection "%s" is completed and stays.', old.title),
            p_hint := 'Set its property or unit to inactive instead of deleting them.'
        );
    end if;
    -- A member who leaves and an account that is deleted drop out of it; nothing else ever changes.
    if to_jsonb(new) - '{inspector_id, completed_by}'::text []
        is distinct from to_jsonb(old) - '{inspector_id, completed_by}'::text []
        or new.completed_by is distinct from old.completed_by and new.completed_by is not null
        or new.inspector_id is distinct from old.inspector_id and (
            new.inspector_id is not null or exists (
                select from public.workspace_members as m
                where m.workspace_id = old.workspace_id and m.user_id = old.inspector_id
            )
        )
    then
        perform private.fail(
            409, 'inspection_completed', format('Inspection "%s" is completed: nothing of it changes.', old.title),
            p_hint := 'Record what is new in another inspection.'
        );
    end if;
    return new;
end
$$;

create trigger guard_inspection before update or delete on public.inspections
    for each row execute function private.guard_inspection();

create trigger touch_updated_at before update on public.inspections
    for each row when (old.status = 'draft') execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.inspections
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.inspections
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.inspections
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.inspections
    referencing old table as old_rows
    for each statement execute function private.record_changes();


-- Refuses unless the inspection is a draft, and keeps it from being completed or deleted until the transaction ends; somebody
-- may change the draft itself meanwhile. One that is being deleted refuses nothing. Whoever waits must hold no lock on a row of
-- the inspection: its deletion may want that row.
create function private.hold_draft_inspection(p_workspace_id uuid, p_inspection_id uuid, p_wait boolean)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_inspection public.inspections;
begin
    if p_wait then
        select * into v_inspection
        from public.inspections
        where workspace_id = p_workspace_id and id = p_inspection_id
        for key share;
    else
        select * into v_inspection
        from public.inspections
        where workspace_id = p_workspace_id and id = p_inspection_id
        for key share skip locked;
        if not found and exists (
            select from public.inspections as i where i.workspace_id = p_workspace_id and i.id = p_inspection_id
        ) then
            perform private.fail(
                409, 'inspection_busy', 'Somebody else is completing this inspection right now.', p_hint := 'Try again.'
            );
        end if;
    end if;
    if v_inspection.status = 'completed' and exists (
        select from public.workspaces as w where w.id = p_workspace_id
    ) then
        perform private.fail(
            409, 'inspection_completed',
            format('Inspection "%s" is completed: nothing of it changes.', v_inspection.title),
            p_hint := 'Record what is new in another inspection.'
        );
    end if;
end
$$;


-- Items come, change and go while their inspection is a draft. After row security has let the row in, so that a refusal tells
-- no stranger anything.
create function private.guard_inspection_item()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if tg_op <> 'INSERT' then
        perform private.hold_draft_inspection(old.workspace_id, old.inspection_id, p_wait := false);
    end if;
    if tg_op = 'INSERT' or tg_op = 'UPDATE' and new.inspection_id <> old.inspection_id then
        perform private.hold_draft_inspection(new.workspace_id, new.inspection_id, p_wait := tg_op = 'INSERT');
    end if;
    return null;
end
$$;

create trigger guard_inspection_item after insert or delete on public.inspection_items
    for each row execute function private.guard_inspection_item();

create trigger guard_inspection_item_on_update after update on public.inspection_items
    for each row when (old.* is distinct from new.*) execute function private.guard_inspection_item();

create trigger touch_updated_at before update on public.inspection_items
    for each row when (old.* is distinct from new.*) execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.inspection_items
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.inspection_items
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.inspection_items
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.inspection_items
    referencing old table as old_rows
    for each statement execute function private.record_changes();


-- A signature stays as it was given. With its workspace it goes; an account that is deleted drops out of it.
create function private.guard_inspection_signature()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if tg_op = 'DELETE' and not exists (select from public.workspaces as w where w.id = old.workspace_id) then
        return old;
    end if;
    if tg_op = 'UPDATE' and to_jsonb(new) - 'user_id' = to_jsonb(old) - 'user_id'
        and (new.user_id is null or new.user_id = old.user_id)
    then
        return new;
    end if;
    perform private.fail(409, 'signature_given', format('%s has signed: that stays.', old.signer_name));
    return null;
end
$$;

create trigger guard_inspection_signature before update or delete on public.inspection_signatures
    for each row execute function private.guard_inspection_signature();

create trigger refuse_truncate before truncate on public.inspection_signatures
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.inspection_signatures
    referencing new table as new_rows
    for each statement execute function private.record_changes('{id}', '{signer_name, remarks}');

create trigger record_updates after update on public.inspection_signatures
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{id}', '{signer_name, remarks}');

create trigger record_deletes after delete on public.inspection_signatures
    referencing old table as old_rows
    for each statement execute function private.record_changes('{id}', '{signer_name, remarks}');


-- Completed move-in and move-out inspections of the caller's leases, as a renter.
create function private.my_inspection_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select i.id
    from public.leases as l
    join public.inspections as i on i.workspace_id = l.workspace_id and i.lease_id = l.id
    where
        l.id = any (array(select private.my_lease_ids()))
        and i.status = 'completed'
        and i.inspection_type in ('move_in', 'move_out');
end
$$;

grant execute on function private.my_inspection_ids() to authenticated;


-- What a completed inspection says, in one canonical text: keys as jsonb orders them, instants in UTC, items in their order,
-- photos by their digests. Its form is what digests were taken of: change it by a new version beside it, never in place.
create function private.write_inspection_content(p_inspection public.inspections)
    returns text
    stable
    set search_path = ''
    language sql
as $$
    select jsonb_build_object(
        'version', 1,
        'inspection_id', p_inspection.id,
        'workspace_id', p_inspection.workspace_id,
        'property_id', p_inspection.property_id,
        'unit_id', p_inspection.unit_id,
        'lease_id', p_inspection.lease_id,
        'inspection_type', p_inspection.inspection_type,
        'title', p_inspection.title,
        'performed_at', to_char(p_inspection.performed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'notes', p_inspection.notes,
        'items', coalesce((
            select jsonb_agg(jsonb_build_object(
                'room', i.room,
                'item', i.item,
                'condition', i.condition,
                'note', i.note,
                'photos', coalesce((
                    select jsonb_agg(d.sha256 order by d.sha256)
                    from public.documents as d
                    where
                        d.workspace_id = i.workspace_id
                        and d.inspection_id = i.inspection_id
                        and d.inspection_item_id = i.id
                ), '[]')
            ) order by i.position, i.id)
            from public.inspection_items as i
            where i.workspace_id = p_inspection.workspace_id and i.inspection_id = p_inspection.id
        ), '[]')
    )::text
$$;


-- The inspection, for a member of its workspace or a renter whose it is; a foreign one and none at all answer alike.
create function private.find_inspection(p_inspection_id uuid)
    returns public.inspections
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_inspection public.inspections;
begin
    select * into v_inspection
    from public.inspections
    where
        id = p_inspection_id
        and (
            workspace_id = any (array(select private.workspaces_with('maintenance.read')))
            or id = any (array(select private.my_inspection_ids()))
        );
    if not found then
        perform private.fail(
            404, 'inspection_not_found', 'There is no such inspection, or it is not yours to see.',
            p_hint := 'List the inspections you can see: GET /inspections.'
        );
    end if;
    return v_inspection;
end
$$;


create function private.inspection_content(p_inspection_id uuid)
    returns text
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return private.write_inspection_content(private.find_inspection(p_inspection_id));
end
$$;


-- The last three arguments say who comes when; all the rest is the template's.
create function private.start_inspection(
    p_template_id uuid,
    p_property_id uuid,
    p_unit_id uuid,
    p_lease_id uuid,
    p_inspector_id uuid,
    p_scheduled_at timestamptz,
    p_title text
)
    returns public.inspections
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_template public.inspection_templates;
    v_inspection public.inspections;
begin
    select * into v_template
    from public.inspection_templates
    where id = p_template_id and workspace_id = any (array(select private.my_workspaces()));
    if not found then
        perform private.fail(
            404, 'inspection_template_not_found', 'There is no such template, or it is not yours to see.',
            p_hint := 'List them: GET /inspection_templates.'
        );
    end if;
    perform private.require_permission(v_template.workspace_id, 'maintenance.write');
    if v_template.status = 'archived' then
        perform private.fail(
            409, 'inspection_template_archived', format('Template "%s" is archived.', v_template.name),
            p_hint := 'Choose another one, or set its status to active.'
        );
    end if;
    insert into public.inspections
        (workspace_id, property_id, unit_id, lease_id, inspection_type, title, scheduled_at, inspector_id)
    values (
        v_template.workspace_id, p_property_id, p_unit_id, p_lease_id, v_template.inspection_type,
        coalesce(p_title, v_template.name), p_scheduled_at, p_inspector_id
    )
    returning * into v_inspection;
    insert into public.inspection_items (workspace_id, inspection_id, room, item, position)
    select i.workspace_id, v_inspection.id, i.room, i.item, i.position
    from public.inspection_template_items as i
    where i.workspace_id = v_template.workspace_id and i.template_id = v_template.id;
    return v_inspection;
end
$$;


create function private.complete_inspection(p_inspection_id uuid, p_now timestamptz)
    returns public.inspections
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_inspection public.inspections;
    v_unsaid text;
begin
    perform private.find_inspection(p_inspection_id);
    -- Waits for items and photos under way; what they leave is read afterwards, and stays.
    select * into v_inspection from public.inspections where id = p_inspection_id for update;
    if not found then
        perform private.find_inspection(p_inspection_id); -- it was deleted meanwhile
    end if;
    perform private.require_permission(v_inspection.workspace_id, 'maintenance.write');
    if v_inspection.status <> 'draft' then
        perform private.fail(
            409, 'inspection_completed', format('Inspection "%s" is completed already.', v_inspection.title)
        );
    end if;
    v_inspection.performed_at := coalesce(v_inspection.performed_at, p_now);
    if v_inspection.performed_at > p_now then
        perform private.fail(
            422, 'inspection_incomplete', 'performed_at lies ahead: the inspection has not taken place.',
            p_hint := 'Mend performed_at, or leave it empty for now.'
        );
    end if;
    select string_agg(format('%s, %s', i.room, i.item), '; ' order by i.position, i.id) into v_unsaid
    from public.inspection_items as i
    where
        i.workspace_id = v_inspection.workspace_id
        and i.inspection_id = v_inspection.id
        and i.condition is null;
    if v_unsaid is not null then
        perform private.fail(
            422, 'inspection_incomplete', format('Items have no condition: %s.', left(v_unsaid, 300)),
            p_hint := 'Set a condition, not_inspected if need be, or delete the item.'
        );
    end if;
    if not exists (
        select from public.inspection_items as i
        where i.workspace_id = v_inspection.workspace_id and i.inspection_id = v_inspection.id
    ) then
        perform private.fail(
            422, 'inspection_incomplete', 'The inspection has no items.',
            p_hint := 'Insert a row into inspection_items for each thing that was looked at.'
        );
    end if;
    if exists (
        select from public.documents as d
        where
            d.workspace_id = v_inspection.workspace_id
            and d.inspection_id = v_inspection.id
            and d.inspection_item_id is not null
            and d.status = 'pending_upload'
    ) then
        perform private.fail(
            422, 'inspection_incomplete', 'A photo of an item is still being uploaded.',
            p_hint := 'Finish the upload, or delete the document.'
        );
    end if;
    update public.inspections
    set
        status = 'completed',
        performed_at = v_inspection.performed_at,
        completed_at = p_now,
        completed_by = (select u.id from auth.users as u where u.id = auth.uid()),
        content_digest = encode(sha256(convert_to(private.write_inspection_content(v_inspection), 'UTF8')), 'hex')
    where id = v_inspection.id
    returning * into v_inspection;
    return v_inspection;
end
$$;


create function private.sign_inspection(
    p_inspection_id uuid,
    p_signed_as text,
    p_signer_name text,
    p_content_digest text,
    p_remarks text,
    p_now timestamptz
)
    returns public.inspection_signatures
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_inspection public.inspections := private.find_inspection(p_inspection_id);
    v_tenant_id uuid;
    v_signature public.inspection_signatures;
begin
    if p_signed_as = 'landlord' then
        perform private.require_permission(v_inspection.workspace_id, 'maintenance.write');
    elsif p_signed_as = 'renter' then
        select t.id into v_tenant_id
        from public.tenants as t
        where
            t.user_id = auth.uid()
            and t.workspace_id = v_inspection.workspace_id
            and v_inspection.id = any (array(select private.my_inspection_ids()));
        if not found then
            perform private.fail(
                403, 'signer_not_party', 'You are no renter of this inspection''s lease.',
                p_hint := 'Members sign as landlord.'
            );
        end if;
    else
        perform private.fail(422, 'signed_as_unknown', 'signed_as is landlord or renter.');
    end if;
    if v_inspection.status <> 'completed' then
        perform private.fail(
            409, 'inspection_not_completed', format('Inspection "%s" is a draft.', v_inspection.title),
            p_hint := 'Complete it first: rpc/complete_inspection.'
        );
    end if;
    if p_content_digest is distinct from v_inspection.content_digest then
        perform private.fail(
            409, 'inspection_digest_mismatch', 'content_digest is not that of this inspection.',
            p_hint := 'Read the inspection again, and sign what it says now.'
        );
    end if;
    if coalesce(btrim(p_signer_name), '') = '' then
        perform private.fail(422, 'signer_name_required', 'A signature needs the signer''s name.');
    end if;
    insert into public.inspection_signatures
        (workspace_id, inspection_id, signed_as, tenant_id, user_id, signer_name, content_digest, remarks, signed_at)
    values (
        v_inspection.workspace_id, v_inspection.id, p_signed_as, v_tenant_id, auth.uid(), btrim(p_signer_name),
        v_inspection.content_digest, nullif(btrim(p_remarks), ''), p_now
    )
    on conflict do nothing
    returning * into v_signature;
    if v_signature.id is null then
        perform private.fail(409, 'inspection_signed', 'You have signed this inspection already.');
    end if;
    return v_signature;
end
$$;

grant execute on function private.start_inspection(uuid, uuid, uuid, uuid, uuid, timestamptz, text) to authenticated;
grant execute on function private.complete_inspection(uuid, timestamptz) to authenticated;
grant execute on function private.sign_inspection(uuid, text, text, text, text, timestamptz) to authenticated;
grant execute on function private.inspection_content(uuid) to authenticated;


create function public.start_inspection(
    template_id uuid,
    property_id uuid,
    unit_id uuid default null,
    lease_id uuid default null,
    inspector_id uuid default null,
    scheduled_at timestamptz default null,
    title text default null
)
    returns public.inspections
    volatile
    set search_path = ''
    language sql
as $$
    select private.start_inspection(template_id, property_id, unit_id, lease_id, inspector_id, scheduled_at, title)
$$;

comment on function public.start_inspection(uuid, uuid, uuid, uuid, uuid, timestamptz, text) is $$Drafts an inspection from a template

Copies the template's type and items for the property, or one `unit_id` of it; `lease_id` names the lease that it begins, ends
or checks on, `title` replaces the template's name. Needs `maintenance.write`. 404 `inspection_template_not_found`, 409
`inspection_template_archived`; 23503 where property, unit, lease or inspector are not of this workspace. Answers the
inspection.$$;

grant execute on function public.start_inspection(uuid, uuid, uuid, uuid, uuid, timestamptz, text) to authenticated;


create function public.complete_inspection(inspection_id uuid)
    returns public.inspections
    volatile
    set search_path = ''
    language sql
as $$
    select private.complete_inspection(inspection_id, now())
$$;

comment on function public.complete_inspection(uuid) is $$Freezes an inspection with its items and photos

Needs `maintenance.write`. 422 `inspection_incomplete` says what is missing: items, a condition, a photo's upload. 409
`inspection_completed` if it is frozen already, 404 `inspection_not_found`. Answers the inspection with its `content_digest`.$$;

grant execute on function public.complete_inspection(uuid) to authenticated;


create function public.sign_inspection(
    inspection_id uuid, signed_as text, signer_name text, content_digest text, remarks text default null
)
    returns public.inspection_signatures
    volatile
    set search_path = ''
    language sql
as $$
    select private.sign_inspection(inspection_id, signed_as, signer_name, content_digest, remarks, now())
$$;

comment on function public.sign_inspection(uuid, text, text, text, text) is $$Signs a completed inspection

`signed_as` is landlord (a member with `maintenance.write`) or renter (a party to its lease, of a move-in or move-out);
`content_digest` is the inspection's, as the signer read it; `remarks` stand beside the name. Once a person: 409
`inspection_signed`. 409 `inspection_not_completed`, 409 `inspection_digest_mismatch`, 403 `signer_not_party`, 422
`signed_as_unknown` or `signer_name_required`, 404 `inspection_not_found`. Answers the signature.$$;

grant execute on function public.sign_inspection(uuid, text, text, text, text) to authenticated;


create function public.inspection_content(inspection_id uuid)
    returns text
    stable
    set search_path = ''
    language sql
as $$
    select private.inspection_content(inspection_id)
$$;

comment on function public.inspection_content(uuid) is $$What signatures attest, as one text

JSON with the inspection's facts, its items in order, and the SHA-256 of each photo. Of a completed inspection it never
changes, and its SHA-256 (UTF-8) is the inspection's `content_digest`: keep both to prove what was signed. For members with
`maintenance.read`, and renters who may read the inspection. 404 `inspection_not_found`.$$;

grant execute on function public.inspection_content(uuid) to authenticated;
