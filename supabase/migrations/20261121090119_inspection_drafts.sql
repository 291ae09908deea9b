set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

create or replace function private.complete_inspection (
    p_inspection_id uuid,
    p_now timestamp with time zone
)
    returns public.inspections
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.hold_draft_inspection (
    p_workspace_id uuid,
    p_inspection_id uuid,
    p_wait boolean
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
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
$function$;
