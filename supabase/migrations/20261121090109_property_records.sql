set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

create table "public"."documents" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "document_type" text not null default 'other'::text,
    "title" text not null,
    "file_name" text,
    "status" text not null default 'pending_upload'::text,
    "storage_path" text not null,
    "content_type" text,
    "size_bytes" bigint,
    "sha256" text,
    "expires_on" date,
    "visible_to_renters" boolean not null default false,
    "visible_to_vendors" boolean not null default false,
    "property_id" uuid,
    "unit_id" uuid,
    "tenant_id" uuid,
    "lease_id" uuid,
    "vendor_id" uuid,
    "inspection_id" uuid,
    "inspection_item_id" uuid,
    "expense_id" uuid,
    "attached_to" uuid generated always as
        (COALESCE(tenant_id, lease_id, vendor_id, expense_id, inspection_id, unit_id, property_id)) stored,
    "created_at" timestamp with time zone not null default now(),
    "updated_at" timestamp with time zone not null default now(),
    constraint "a_unit_comes_with_its_property" check (((unit_id IS NULL) OR (property_id IS NOT NULL))),
    constraint "an_item_comes_with_its_inspection" check (((inspection_item_id IS NULL) OR (inspection_id IS
        NOT NULL))),
    constraint "documents_content_type_check"
        check ((content_type ~ '^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$'::text)),
    constraint "documents_document_type_check"
        check
        ((document_type = ANY (ARRAY['lease'::text, 'addendum'::text, 'notice'::text, 'insurance'::text,
        'license'::text,
        'identity'::text,
        'application'::text,
        'inspection'::text,
        'photo'::text, 'receipt'::text, 'invoice'::text, 'warranty'::text, 'rules'::text, 'other'::text]))),
    constraint "documents_expires_on_check"
        check (((expires_on >= '1900-01-01'::date) AND (expires_on <= '2200-01-01'::date))),
    constraint "documents_file_name_check"
        check (((length(file_name) <= 255) AND (file_name ~ '^[^/\\[:cntrl:]]+$'::text))),
    constraint "documents_pkey" primary key (id),
    constraint "documents_sha256_check" check ((sha256 ~ '^[0-9a-f]{64}$'::text)),
    constraint "documents_size_bytes_check" check (((size_bytes >= 1) AND (size_bytes <= '9007199254740991'::bigint))),
    constraint "documents_status_check"
        check ((status = ANY (ARRAY['pending_upload'::text, 'available'::text, 'archived'::text]))),
    constraint "documents_title_check" check (((length(title) <= 200) AND (btrim(title) <> ''::text))),
    constraint "documents_workspace_id_id_key" unique (workspace_id, id),
    constraint "documents_workspace_id_storage_path_key" unique (workspace_id, storage_path),
    constraint "stored_in_the_workspace_s_folder"
        check
        ((starts_with(storage_path, (workspace_id || '/'::text)) AND ((length(storage_path) >= 38) AND
        (length(storage_path) <= 500)) AND
        (storage_path ~ '^[A-Za-z0-9!.*''()&$@=;:+,?_ -]+(/[A-Za-z0-9!.*''()&$@=;:+,?_ -]+)+$'::text) AND
        (storage_path !~ '(^|/)\.{1,2}(/|$)'::text))),
    constraint "what_is_there_is_known" check (((status = 'pending_upload'::text) OR ((content_type IS
        NOT NULL) AND (size_bytes IS NOT NULL) AND (sha256 IS NOT NULL)))),
    "uploaded_by" uuid default auth.uid()
);

alter table "public"."documents"
    enable row level security;

revoke all on table "public"."documents" from "anon";

create table "public"."expenses" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "property_id" uuid not null,
    "unit_id" uuid,
    "vendor_id" uuid,
    "lease_id" uuid,
    "tenant_id" uuid,
    "category" text not null,
    "amount_minor" bigint not null,
    "currency" text not null,
    "incurred_on" date not null,
    "description" text not null default ''::text,
    "recorded_by" uuid,
    "recorded_at" timestamp with time zone not null default clock_timestamp(),
    "voided_by" uuid,
    "voided_at" timestamp with time zone,
    "void_reason" text,
    constraint "a_billed_renter_has_a_lease" check (((tenant_id IS NULL) OR (lease_id IS NOT NULL))),
    constraint "expenses_amount_minor_check"
        check (((abs(amount_minor) <= '9007199254740991'::bigint) AND (amount_minor <> 0))),
    constraint "expenses_category_check"
        check
        ((category = ANY (ARRAY['repairs'::text, 'maintenance'::text, 'cleaning'::text, 'supplies'::text,
        'utilities'::text,
        'insurance'::text,
        'taxes'::text,
        'fees'::text,
        'legal'::text, 'advertising'::text, 'travel'::text, 'interest'::text, 'improvement'::text, 'other'::text]))),
    constraint "expenses_currency_check" check ((currency ~ '^[A-Z]{3}$'::text)),
    constraint "expenses_description_check" check ((length(description) <= 2000)),
    constraint "expenses_incurred_on_check"
        check (((incurred_on >= '1900-01-01'::date) AND (incurred_on <= '2200-01-01'::date))),
    constraint "expenses_pkey" primary key (id),
    constraint "expenses_void_reason_check" check (((length(void_reason) <= 500) AND (btrim(void_reason) <> ''::text))),
    constraint "expenses_workspace_id_id_key" unique (workspace_id, id),
    constraint "voided_expenses_say_why" check (((voided_at IS NULL) = (void_reason IS NULL)))
);

alter table "public"."expenses"
    enable row level security;

revoke all on table "public"."expenses" from "anon";

create table "public"."inspection_items" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "inspection_id" uuid not null,
    "room" text not null,
    "item" text not null,
    "condition" text,
    "note" text,
    "position" integer not null default 0,
    "created_at" timestamp with time zone not null default now(),
    "updated_at" timestamp with time zone not null default now(),
    constraint "inspection_items_condition_check"
        check
        ((condition = ANY (ARRAY['new'::text, 'good'::text, 'fair'::text, 'poor'::text, 'damaged'::text,
        'missing'::text, 'not_inspected'::text]))),
    constraint "inspection_items_item_check" check (((length(item) <= 200) AND (btrim(item) <> ''::text))),
    constraint "inspection_items_note_check" check ((length(note) <= 4000)),
    constraint "inspection_items_pkey" primary key (id),
    constraint "inspection_items_room_check" check (((length(room) <= 120) AND (btrim(room) <> ''::text))),
    constraint "inspection_items_workspace_id_id_key" unique (workspace_id, id),
    constraint "inspection_items_workspace_id_inspection_id_id_key" unique (workspace_id, inspection_id, id)
);

alter table "public"."inspection_items"
    enable row level security;

revoke all on table "public"."inspection_items" from "anon";

create table "public"."inspection_signatures" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "inspection_id" uuid not null,
    "signed_as" text not null,
    "tenant_id" uuid,
    "user_id" uuid,
    "signer_name" text not null,
    "content_digest" text not null,
    "remarks" text,
    "signed_at" timestamp with time zone not null,
    constraint "inspection_signatures_content_digest_check" check ((content_digest ~ '^[0-9a-f]{64}$'::text)),
    constraint "inspection_signatures_pkey" primary key (id),
    constraint "inspection_signatures_remarks_check" check ((length(remarks) <= 4000)),
    constraint "inspection_signatures_signed_as_check"
        check ((signed_as = ANY (ARRAY['landlord'::text, 'renter'::text]))),
    constraint "inspection_signatures_signer_name_check"
        check (((length(signer_name) <= 200) AND (btrim(signer_name) <> ''::text))),
    constraint "inspection_signatures_workspace_id_id_key" unique (workspace_id, id),
    constraint "renters_sign_as_themselves" check (((signed_as = 'renter'::text) = (tenant_id IS NOT NULL)))
);

alter table "public"."inspection_signatures"
    enable row level security;

revoke all on table "public"."inspection_signatures" from "anon";

create table "public"."inspection_template_items" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "template_id" uuid not null,
    "room" text not null,
    "item" text not null,
    "position" integer not null default 0,
    "created_at" timestamp with time zone not null default now(),
    constraint "inspection_template_items_item_check" check (((length(item) <= 200) AND (btrim(item) <> ''::text))),
    constraint "inspection_template_items_pkey" primary key (id),
    constraint "inspection_template_items_room_check" check (((length(room) <= 120) AND (btrim(room) <> ''::text))),
    constraint "inspection_template_items_workspace_id_id_key" unique (workspace_id, id)
);

alter table "public"."inspection_template_items"
    enable row level security;

revoke all on table "public"."inspection_template_items" from "anon";

create table "public"."inspection_templates" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "name" text not null,
    "inspection_type" text not null default 'routine'::text,
    "status" text not null default 'active'::text,
    "created_at" timestamp with time zone not null default now(),
    "updated_at" timestamp with time zone not null default now(),
    constraint "inspection_templates_inspection_type_check"
        check
        ((inspection_type = ANY (ARRAY['move_in'::text, 'move_out'::text, 'routine'::text, 'safety'::text,
        'turnover'::text, 'other'::text]))),
    constraint "inspection_templates_name_check" check (((length(name) <= 120) AND (btrim(name) <> ''::text))),
    constraint "inspection_templates_pkey" primary key (id),
    constraint "inspection_templates_status_check" check ((status = ANY (ARRAY['active'::text, 'archived'::text]))),
    constraint "inspection_templates_workspace_id_id_key" unique (workspace_id, id)
);

alter table "public"."inspection_templates"
    enable row level security;

revoke all on table "public"."inspection_templates" from "anon";

create table "public"."inspections" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "property_id" uuid not null,
    "unit_id" uuid,
    "lease_id" uuid,
    "inspection_type" text not null default 'routine'::text,
    "title" text not null,
    "status" text not null default 'draft'::text,
    "scheduled_at" timestamp with time zone,
    "performed_at" timestamp with time zone,
    "inspector_id" uuid,
    "notes" text,
    "completed_at" timestamp with time zone,
    "completed_by" uuid,
    "content_digest" text,
    "created_at" timestamp with time zone not null default now(),
    "updated_at" timestamp with time zone not null default now(),
    constraint "completed_inspections_are_sealed" check ((((status = 'completed'::text) = (completed_at IS
        NOT NULL)) AND ((status = 'completed'::text) = (content_digest IS
        NOT NULL)) AND ((status = 'draft'::text) OR (performed_at IS NOT NULL)))),
    constraint "inspections_content_digest_check" check ((content_digest ~ '^[0-9a-f]{64}$'::text)),
    constraint "inspections_inspection_type_check"
        check
        ((inspection_type = ANY (ARRAY['move_in'::text, 'move_out'::text, 'routine'::text, 'safety'::text,
        'turnover'::text, 'other'::text]))),
    constraint "inspections_notes_check" check ((length(notes) <= 10000)),
    constraint "inspections_performed_at_check" check (((performed_at >= '1900-01-01 00:00:00+00'::timestamp
        with time zone) AND (performed_at <= '2200-01-01 00:00:00+00'::timestamp with time zone))),
    constraint "inspections_pkey" primary key (id),
    constraint "inspections_scheduled_at_check" check (((scheduled_at >= '1900-01-01 00:00:00+00'::timestamp
        with time zone) AND (scheduled_at <= '2200-01-01 00:00:00+00'::timestamp with time zone))),
    constraint "inspections_status_check" check ((status = ANY (ARRAY['draft'::text, 'completed'::text]))),
    constraint "inspections_title_check" check (((length(title) <= 120) AND (btrim(title) <> ''::text))),
    constraint "inspections_workspace_id_id_key" unique (workspace_id, id)
);

alter table "public"."inspections"
    enable row level security;

revoke all on table "public"."inspections" from "anon";

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

create or replace function private.default_document()
    returns trigger
    language plpgsql
    set search_path to ''
    AS $function$
begin
    new.storage_path := coalesce(new.storage_path, new.workspace_id || '/' || new.id);
    return new;
end
$function$;

create or replace function private.find_inspection (
    p_inspection_id uuid
)
    returns public.inspections
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.guard_document()
    returns trigger
    language plpgsql
    set search_path to ''
    AS $function$
begin
    -- With a property or an inspection, what was named inside of it is gone.
    if new.property_id is null and old.property_id is not null then
        new.unit_id := null;
    end if;
    if new.inspection_id is null and old.inspection_id is not null then
        new.inspection_item_id := null;
    end if;
    if new.storage_path <> old.storage_path
        or old.status <> 'pending_upload' and (new.content_type, new.size_bytes, new.sha256)
        is distinct from (old.content_type, old.size_bytes, old.sha256)
    then
        perform private.fail(
            409, 'document_stored', 'The bytes of this document are stored: their path, type, size and digest stay.',
            p_hint := 'Add another document, and archive this one.'
        );
    end if;
    if new.status <> old.status and (old.status, new.status) not in (
        ('pending_upload', 'available'), ('available', 'archived'), ('archived', 'available')
    ) then
        perform private.fail(
            409, 'document_status_refused', format('A document does not go from %s to %s.', old.status, new.status),
            p_hint := 'pending_upload becomes available; available and archived become each other.'
        );
    end if;
    return new;
end
$function$;

create or replace function private.guard_expense()
    returns trigger
    language plpgsql
    set search_path to ''
    AS $function$
begin
    if tg_op = 'DELETE' then
        if not exists (select from public.workspaces as w where w.id = old.workspace_id) then
            return old;
        end if;
        perform private.fail(
            409, 'expense_recorded', 'An expense is voided, never deleted.',
            p_hint := 'Void it with rpc/void_expense; set its property to inactive instead of deleting it.'
        );
    end if;
    if (new.property_id, new.amount_minor, new.currency, new.incurred_on, new.recorded_at)
        is distinct from (old.property_id, old.amount_minor, old.currency, old.incurred_on, old.recorded_at)
        or (
            coalesce(new.unit_id, old.unit_id), coalesce(new.vendor_id, old.vendor_id),
            coalesce(new.lease_id, old.lease_id), coalesce(new.tenant_id, old.tenant_id),
            coalesce(new.recorded_by, old.recorded_by)
        )
        is distinct from (old.unit_id, old.vendor_id, old.lease_id, old.tenant_id, old.recorded_by)
    then
        perform private.fail(
            409, 'expense_recorded', 'An expense keeps its amount, its date, its place and who is to bear it.',
            p_hint := 'Void it with rpc/void_expense, and record it anew.'
        );
    end if;
    if old.voided_at is not null
        and (
            new.category, new.description, new.voided_at, new.void_reason, coalesce(new.voided_by, old.voided_by)
        )
        is distinct from (old.category, old.description, old.voided_at, old.void_reason, old.voided_by)
    then
        perform private.fail(
            409, 'expense_void', 'This expense is void: nothing of it changes.',
            p_hint := 'Record another one: rpc/record_expense.'
        );
    end if;
    return new;
end
$function$;

create or replace function private.guard_inspection()
    returns trigger
    language plpgsql
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.guard_inspection_item()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    if tg_op <> 'INSERT' then
        perform private.hold_draft_inspection(old.workspace_id, old.inspection_id, p_wait := false);
    end if;
    if tg_op = 'INSERT' or tg_op = 'UPDATE' and new.inspection_id <> old.inspection_id then
        perform private.hold_draft_inspection(new.workspace_id, new.inspection_id, p_wait := tg_op = 'INSERT');
    end if;
    return null;
end
$function$;

create or replace function private.guard_inspection_photo()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    if tg_op <> 'INSERT' and old.inspection_item_id is not null then
        perform private.hold_draft_inspection(old.workspace_id, old.inspection_id, p_wait := false);
    end if;
    if tg_op <> 'DELETE' and new.inspection_item_id is not null then
        perform private.hold_draft_inspection(new.workspace_id, new.inspection_id, p_wait := tg_op = 'INSERT');
    end if;
    return null;
end
$function$;

create or replace function private.guard_inspection_signature()
    returns trigger
    language plpgsql
    set search_path to ''
    AS $function$
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
        for share;
    else
        select * into v_inspection
        from public.inspections
        where workspace_id = p_workspace_id and id = p_inspection_id
        for share skip locked;
        if not found and exists (
            select from public.inspections as i where i.workspace_id = p_workspace_id and i.id = p_inspection_id
        ) then
            perform private.fail(
                409, 'inspection_busy', 'Somebody else is changing this inspection right now.', p_hint := 'Try again.'
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

create or replace function private.inspection_content (
    p_inspection_id uuid
)
    returns text
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return private.write_inspection_content(private.find_inspection(p_inspection_id));
end
$function$;

create or replace function private.my_document_ids()
    returns SETOF uuid
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return query
    select d.id
    from public.documents as d
    where
        d.workspace_id = any (array(select private.my_portal_workspaces()))
        and d.attached_to = any (array(select private.my_records_as_renter()))
        and d.visible_to_renters
        and d.status = 'available'
    union all
    select d.id
    from public.documents as d
    where
        d.workspace_id = any (array(select private.my_portal_workspaces()))
        and d.attached_to = any (array(select private.my_records_as_vendor()))
        and d.visible_to_vendors
        and d.status = 'available';
end
$function$;

create or replace function private.my_inspection_ids()
    returns SETOF uuid
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.my_records_as_renter()
    returns SETOF uuid
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_user_id uuid := auth.uid();
begin
    return query
    select t.id from public.tenants as t where t.user_id = v_user_id
    union all
    select private.my_lease_ids()
    union all
    select private.my_inspection_ids()
    union all
    select private.my_unit_ids()
    union all
    select private.my_property_ids();
end
$function$;

create or replace function private.my_records_as_vendor()
    returns SETOF uuid
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_user_id uuid := auth.uid();
begin
    return query
    select v.id from public.vendors as v where v.user_id = v_user_id;
end
$function$;

create or replace function private.record_expense (
    p_property_id uuid,
    p_category text,
    p_amount_minor bigint,
    p_incurred_on date,
    p_description text,
    p_currency text,
    p_unit_id uuid,
    p_vendor_id uuid,
    p_lease_id uuid,
    p_tenant_id uuid,
    p_now timestamp with time zone
)
    returns public.expenses
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_kept jsonb;
    v_property public.properties;
    v_expense public.expenses;
begin
    select * into v_property
    from public.properties
    where id = p_property_id and workspace_id = any (array(select private.my_workspaces()));
    if not found then
        perform private.fail(
            404, 'property_not_found', 'There is no such property, or it is not yours to see.',
            p_hint := 'List the properties you can see: GET /properties.'
        );
    end if;
    perform private.require_permission(v_property.workspace_id, 'money.write');
    v_kept := private.begin_idempotent('record_expense', jsonb_build_array(
        p_property_id, p_category, p_amount_minor, p_incurred_on, p_description, p_currency, p_unit_id, p_vendor_id,
        p_lease_id, p_tenant_id
    ));
    if v_kept is not null then
        return jsonb_populate_record(null::public.expenses, v_kept);
    end if;

    if coalesce(p_currency, v_property.currency) <> v_property.currency then
        perform private.fail(
            422, 'currency_mismatch', format('Money of this property is in %s.', v_property.currency),
            p_hint := 'Leave currency out, or give the amount in the property''s.'
        );
    end if;
    if p_incurred_on > private.local_date(v_property.timezone, p_now) then
        perform private.fail(
            422, 'incurred_ahead', format(
                'incurred_on lies ahead: at the property it is %s.', private.local_date(v_property.timezone, p_now)
            ),
            p_hint := 'Record it once it is owed or spent.'
        );
    end if;
    if exists (
        select from public.leases as l
        where l.workspace_id = v_property.workspace_id and l.id = p_lease_id and l.status = 'draft'
    ) then
        perform private.fail(
            422, 'lease_not_billable', 'A draft lease cannot be billed.',
            p_hint := 'Name a lease that has begun, or none.'
        );
    end if;
    if p_tenant_id is not null and not exists (
        select from public.lease_tenants as lt
        where
            lt.workspace_id = v_property.workspace_id
            and lt.lease_id = p_lease_id
            and lt.tenant_id = p_tenant_id
            and lt.role <> 'occupant'
    ) then
        perform private.fail(
            422, 'renter_not_billable', 'The renter is no party to the lease.',
            p_hint := 'Give lease_id with tenant_id; an occupant is billed through the lease''s renters.'
        );
    end if;
    insert into public.expenses (
        workspace_id, property_id, unit_id, vendor_id, lease_id, tenant_id, category, amount_minor, currency,
        incurred_on, description, recorded_by
    )
    values (
        v_property.workspace_id, v_property.id, p_unit_id, p_vendor_id, p_lease_id, p_tenant_id, p_category,
        p_amount_minor, v_property.currency, p_incurred_on, coalesce(p_description, ''), auth.uid()
    )
    returning * into v_expense;
    perform private.keep_answer('record_expense', to_jsonb(v_expense));
    return v_expense;
end
$function$;

create or replace function private.sign_inspection (
    p_inspection_id uuid,
    p_signed_as text,
    p_signer_name text,
    p_content_digest text,
    p_remarks text,
    p_now timestamp with time zone
)
    returns public.inspection_signatures
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.start_inspection (
    p_template_id uuid,
    p_property_id uuid,
    p_unit_id uuid,
    p_lease_id uuid,
    p_inspector_id uuid,
    p_scheduled_at timestamp with time zone,
    p_title text
)
    returns public.inspections
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
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
$function$;

create or replace function private.void_expense (
    p_expense_id uuid,
    p_reason text,
    p_now timestamp with time zone
)
    returns public.expenses
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_expense public.expenses;
begin
    -- Whoever voids it second waits here, then finds it void.
    select * into v_expense
    from public.expenses
    where id = p_expense_id and workspace_id = any (array(select private.my_workspaces()))
    for update;
    if not found then
        perform private.fail(
            404, 'expense_not_found', 'There is no such expense, or it is not yours to see.',
            p_hint := 'List the expenses you can see: GET /expenses.'
        );
    end if;
    perform private.require_permission(v_expense.workspace_id, 'money.write');
    if v_expense.voided_at is not null then
        perform private.fail(409, 'expense_void', 'This expense is void already.');
    end if;
    if coalesce(btrim(p_reason), '') = '' then
        perform private.fail(422, 'reason_required', 'Say why: the reason stays beside the expense.');
    end if;
    update public.expenses
    set voided_at = p_now, voided_by = auth.uid(), void_reason = btrim(p_reason)
    where id = v_expense.id
    returning * into v_expense;
    return v_expense;
end
$function$;

create or replace function private.write_inspection_content (
    p_inspection public.inspections
)
    returns text
    language sql
    stable
    set search_path to ''
    AS $function$
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
$function$;

create or replace function public.complete_inspection (
    inspection_id uuid
)
    returns public.inspections
    language sql
    set search_path to ''
    AS $function$
    select private.complete_inspection(inspection_id, now())
$function$;

revoke all on function "public"."complete_inspection"(uuid) from public, "anon", "service_role";

create or replace function public.inspection_content (
    inspection_id uuid
)
    returns text
    language sql
    stable
    set search_path to ''
    AS $function$
    select private.inspection_content(inspection_id)
$function$;

revoke all on function "public"."inspection_content"(uuid) from public, "anon", "service_role";

create or replace function public.record_expense (
    property_id uuid,
    category text,
    amount_minor bigint,
    incurred_on date,
    description text default ''::text,
    currency text default null::text,
    unit_id uuid default null::uuid,
    vendor_id uuid default null::uuid,
    lease_id uuid default null::uuid,
    tenant_id uuid default null::uuid
)
    returns public.expenses
    language sql
    set search_path to ''
    AS $function$
    select private.record_expense(
        property_id, category, amount_minor, incurred_on, description, currency, unit_id, vendor_id, lease_id,
        tenant_id, now()
    )
$function$;

revoke all
    on function "public"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid)
    from public, "anon", "service_role";

create or replace function public.sign_inspection (
    inspection_id uuid,
    signed_as text,
    signer_name text,
    content_digest text,
    remarks text default null::text
)
    returns public.inspection_signatures
    language sql
    set search_path to ''
    AS $function$
    select private.sign_inspection(inspection_id, signed_as, signer_name, content_digest, remarks, now())
$function$;

revoke all on function "public"."sign_inspection"(uuid, text, text, text, text) from public, "anon", "service_role";

create or replace function public.start_inspection (
    template_id uuid,
    property_id uuid,
    unit_id uuid default null::uuid,
    lease_id uuid default null::uuid,
    inspector_id uuid default null::uuid,
    scheduled_at timestamp with time zone default null::timestamp with time zone,
    title text default null::text
)
    returns public.inspections
    language sql
    set search_path to ''
    AS $function$
    select private.start_inspection(template_id, property_id, unit_id, lease_id, inspector_id, scheduled_at, title)
$function$;

revoke all
    on function "public"."start_inspection"(uuid, uuid, uuid, uuid, uuid, timestamp with time zone, text)
    from public, "anon", "service_role";

create or replace function public.void_expense (
    expense_id uuid,
    reason text
)
    returns public.expenses
    language sql
    set search_path to ''
    AS $function$
    select private.void_expense(expense_id, reason, now())
$function$;

revoke all on function "public"."void_expense"(uuid, text) from public, "anon", "service_role";

alter table "public"."documents"
    add constraint "documents_workspace_id_fkey" foreign key (workspace_id) references public.workspaces(id)
        on delete cascade;

alter table "public"."documents"
    add constraint "documents_workspace_id_lease_id_fkey" foreign key (workspace_id, lease_id)
        references public.leases(workspace_id, id) on delete set null (lease_id);

alter table "public"."documents"
    add constraint "documents_workspace_id_property_id_fkey" foreign key (workspace_id, property_id)
        references public.properties(workspace_id, id) on delete set null (property_id);

alter table "public"."documents"
    add constraint "documents_workspace_id_property_id_unit_id_fkey" foreign key (workspace_id, property_id, unit_id)
        references public.units(workspace_id, property_id, id) on delete set null (unit_id);

alter table "public"."documents"
    add constraint "documents_workspace_id_tenant_id_fkey" foreign key (workspace_id, tenant_id)
        references public.tenants(workspace_id, id) on delete set null (tenant_id);

alter table "public"."documents"
    add constraint "documents_workspace_id_vendor_id_fkey" foreign key (workspace_id, vendor_id)
        references public.vendors(workspace_id, id) on delete set null (vendor_id);

alter table "public"."expenses"
    add constraint "expenses_recorded_by_fkey" foreign key (recorded_by) references auth.users(id) on delete set null;

alter table "public"."expenses"
    add constraint "expenses_voided_by_fkey" foreign key (voided_by) references auth.users(id) on delete set null;

alter table "public"."documents"
    add constraint "documents_workspace_id_expense_id_fkey" foreign key (workspace_id, expense_id)
        references public.expenses(workspace_id, id) on delete set null (expense_id);

alter table "public"."expenses"
    add constraint "expenses_workspace_id_property_id_lease_id_fkey" foreign key (workspace_id, property_id, lease_id)
        references public.leases(workspace_id, property_id, id) on delete set null (lease_id);

alter table "public"."expenses"
    add constraint "expenses_workspace_id_property_id_unit_id_fkey" foreign key (workspace_id, property_id, unit_id)
        references public.units(workspace_id, property_id, id) on delete set null (unit_id);

alter table "public"."expenses"
    add constraint "expenses_workspace_id_tenant_id_fkey" foreign key (workspace_id, tenant_id)
        references public.tenants(workspace_id, id) on delete set null (tenant_id);

alter table "public"."expenses"
    add constraint "expenses_workspace_id_vendor_id_fkey" foreign key (workspace_id, vendor_id)
        references public.vendors(workspace_id, id) on delete set null (vendor_id);

alter table "public"."documents"
    add constraint "documents_workspace_id_inspection_id_inspection_item_id_fkey"
        foreign key (workspace_id, inspection_id, inspection_item_id)
        references public.inspection_items(workspace_id, inspection_id, id) on delete set null (inspection_item_id);

alter table "public"."inspection_signatures"
    add constraint "inspection_signatures_user_id_fkey" foreign key (user_id) references auth.users(id) on delete
        set null;

alter table "public"."inspection_signatures"
    add constraint "inspection_signatures_workspace_id_tenant_id_fkey" foreign key (workspace_id, tenant_id)
        references public.tenants(workspace_id, id) on delete cascade;

alter table "public"."inspection_templates"
    add constraint "inspection_templates_workspace_id_fkey" foreign key (workspace_id) references public.workspaces(id)
        on delete cascade;

alter table "public"."inspection_template_items"
    add constraint "inspection_template_items_workspace_id_template_id_fkey" foreign key (workspace_id, template_id)
        references public.inspection_templates(workspace_id, id) on delete cascade;

alter table "public"."inspections"
    add constraint "inspections_completed_by_fkey" foreign key (completed_by) references auth.users(id) on delete
        set null;

alter table "public"."documents"
    add constraint "documents_workspace_id_inspection_id_fkey" foreign key (workspace_id, inspection_id)
        references public.inspections(workspace_id, id) on delete set null (inspection_id);

alter table "public"."inspection_items"
    add constraint "inspection_items_workspace_id_inspection_id_fkey" foreign key (workspace_id, inspection_id)
        references public.inspections(workspace_id, id) on delete cascade;

alter table "public"."inspection_signatures"
    add constraint "inspection_signatures_workspace_id_inspection_id_fkey" foreign key (workspace_id, inspection_id)
        references public.inspections(workspace_id, id) on delete cascade;

alter table "public"."inspections"
    add constraint "inspections_workspace_id_inspector_id_fkey" foreign key (workspace_id, inspector_id)
        references public.workspace_members(workspace_id, user_id) on delete set null (inspector_id);

alter table "public"."inspections"
    add constraint "inspections_workspace_id_property_id_fkey" foreign key (workspace_id, property_id)
        references public.properties(workspace_id, id) on delete cascade;

alter table "public"."inspections"
    add constraint "inspections_workspace_id_property_id_lease_id_fkey"
        foreign key (workspace_id, property_id, lease_id) references public.leases(workspace_id, property_id, id)
        on delete set null (lease_id);

alter table "public"."inspections"
    add constraint "inspections_workspace_id_property_id_unit_id_fkey" foreign key (workspace_id, property_id, unit_id)
        references public.units(workspace_id, property_id, id) on delete cascade;

-- A workspace has properties by the hundred: the index is there in milliseconds, well within lock_timeout.
alter table "public"."properties"
    -- squawk-ignore constraint-missing-not-valid, disallowed-unique-constraint
    add constraint "properties_workspace_id_id_currency_key" unique (workspace_id, id, currency);

alter table "public"."expenses"
    add constraint "expenses_workspace_id_property_id_currency_fkey" foreign key (workspace_id, property_id, currency)
        references public.properties(workspace_id, id, currency) on delete cascade;

create index documents_attached_to_idx on public.documents using btree (workspace_id, attached_to);

create index documents_created_at_idx on public.documents using btree (workspace_id, created_at desc);

create index documents_document_type_idx on public.documents using btree (workspace_id, document_type, created_at desc);

create index documents_expense_id_idx on public.documents using btree (workspace_id, expense_id)
    where (expense_id is not null);

create index documents_expires_on_idx on public.documents using btree (workspace_id, expires_on)
    where (expires_on is not null);

create index documents_inspection_id_idx on public.documents
    using btree (workspace_id, inspection_id, inspection_item_id)
    where (inspection_id is not null);

create index documents_lease_id_idx on public.documents using btree (workspace_id, lease_id)
    where (lease_id is not null);

create index documents_property_id_idx on public.documents using btree (workspace_id, property_id, created_at desc)
    where (property_id is not null);

create index documents_tenant_id_idx on public.documents using btree (workspace_id, tenant_id)
    where (tenant_id is not null);

create index documents_unit_id_idx on public.documents using btree (workspace_id, property_id, unit_id)
    where (unit_id is not null);

create index documents_vendor_id_idx on public.documents using btree (workspace_id, vendor_id)
    where (vendor_id is not null);

create index expenses_category_idx on public.expenses using btree (workspace_id, category, incurred_on desc);

create index expenses_incurred_on_idx on public.expenses using btree (workspace_id, incurred_on desc);

create index expenses_lease_id_idx on public.expenses using btree (workspace_id, lease_id)
    where (lease_id is not null);

create index expenses_property_id_idx on public.expenses using btree (workspace_id, property_id, incurred_on desc);

create index expenses_recorded_by_idx on public.expenses using btree (recorded_by)
    where (recorded_by is not null);

create index expenses_tenant_id_idx on public.expenses using btree (workspace_id, tenant_id)
    where (tenant_id is not null);

create index expenses_unit_id_idx on public.expenses using btree (workspace_id, property_id, unit_id)
    where (unit_id is not null);

create index expenses_vendor_id_idx on public.expenses using btree (workspace_id, vendor_id, incurred_on desc)
    where (vendor_id is not null);

create index expenses_voided_by_idx on public.expenses using btree (voided_by)
    where (voided_by is not null);

create index inspection_items_position_idx on public.inspection_items
    using btree (workspace_id, inspection_id, "position");

create index inspection_signatures_inspection_id_idx on public.inspection_signatures
    using btree (workspace_id, inspection_id, signed_at);

create index inspection_signatures_tenant_id_idx on public.inspection_signatures using btree (workspace_id, tenant_id)
    where (tenant_id is not null);

create unique index inspection_signatures_tenant_key on public.inspection_signatures
    using btree (workspace_id, inspection_id, tenant_id)
    where (tenant_id is not null);

create index inspection_signatures_user_id_idx on public.inspection_signatures using btree (user_id)
    where (user_id is not null);

create unique index inspection_signatures_user_key on public.inspection_signatures
    using btree (workspace_id, inspection_id, user_id)
    where (signed_as = 'landlord'::text);

create index inspection_template_items_position_idx on public.inspection_template_items
    using btree (workspace_id, template_id, "position");

create unique index inspection_templates_name_key on public.inspection_templates using btree (workspace_id, lower(name));

create index inspections_completed_by_idx on public.inspections using btree (completed_by)
    where (completed_by is not null);

create index inspections_inspection_type_idx on public.inspections
    using btree (workspace_id, inspection_type, scheduled_at desc);

create index inspections_inspector_id_idx on public.inspections using btree (workspace_id, inspector_id)
    where (inspector_id is not null);

create index inspections_lease_id_idx on public.inspections using btree (workspace_id, lease_id)
    where (lease_id is not null);

create index inspections_performed_at_idx on public.inspections using btree (workspace_id, performed_at desc);

create index inspections_property_id_idx on public.inspections
    using btree (workspace_id, property_id, scheduled_at desc);

create index inspections_scheduled_at_idx on public.inspections using btree (workspace_id, scheduled_at desc);

create index inspections_unit_id_idx on public.inspections using btree (workspace_id, property_id, unit_id)
    where (unit_id is not null);

create trigger default_document
    before insert on public.documents
    for each row
    execute function private.default_document();

create trigger guard_document
    before update on public.documents
    for each row
    execute function private.guard_document();

create trigger guard_inspection_photo_on_update
    after update on public.documents
    for each row
    when
        (((old.inspection_id IS DISTINCT FROM new.inspection_id) OR (old.inspection_item_id IS DISTINCT FROM
        new.inspection_item_id)))
    execute function private.guard_inspection_photo();

create trigger guard_inspection_photo
    after insert or delete on public.documents
    for each row
    execute function private.guard_inspection_photo();

create trigger record_deletes after delete on public.documents
    referencing OLD table as old_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{title, file_name}'
);

create trigger record_inserts after insert on public.documents
    referencing NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{title, file_name}'
);

create trigger record_updates after update on public.documents
    referencing OLD table as old_rows NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{title, file_name}'
);

create trigger refuse_truncate
    before truncate on public.documents
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger touch_updated_at
    before update on public.documents
    for each row
    execute function private.touch_updated_at();

create trigger guard_expense
    before delete or update on public.expenses
    for each row
    execute function private.guard_expense();

create trigger record_deletes
    after delete on public.expenses referencing OLD table as old_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_inserts
    after insert on public.expenses referencing NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_updates
    after update on public.expenses referencing OLD table as old_rows NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger refuse_truncate
    before truncate on public.expenses
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger guard_inspection_item_on_update
    after update on public.inspection_items
    for each row
    when ((old.* IS DISTINCT FROM new.*))
    execute function private.guard_inspection_item();

create trigger guard_inspection_item
    after insert or delete on public.inspection_items
    for each row
    execute function private.guard_inspection_item();

create trigger record_deletes
    after delete on public.inspection_items referencing OLD table as old_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_inserts
    after insert on public.inspection_items referencing NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_updates
    after update on public.inspection_items referencing OLD table as old_rows NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger refuse_truncate
    before truncate on public.inspection_items
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger touch_updated_at
    before update on public.inspection_items
    for each row
    when ((old.* IS DISTINCT FROM new.*))
    execute function private.touch_updated_at();

create trigger guard_inspection_signature
    before delete or update on public.inspection_signatures
    for each row
    execute function private.guard_inspection_signature();

create trigger record_deletes after delete on public.inspection_signatures
    referencing OLD table as old_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{signer_name, remarks}'
);

create trigger record_inserts after insert on public.inspection_signatures
    referencing NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{signer_name, remarks}'
);

create trigger record_updates after update on public.inspection_signatures
    referencing OLD table as old_rows NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{signer_name, remarks}'
);

create trigger refuse_truncate
    before truncate on public.inspection_signatures
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger record_deletes
    after delete on public.inspection_template_items referencing OLD table as old_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_inserts
    after insert on public.inspection_template_items referencing NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_updates
    after update on public.inspection_template_items referencing OLD table as old_rows NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger refuse_truncate
    before truncate on public.inspection_template_items
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger record_deletes
    after delete on public.inspection_templates referencing OLD table as old_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_inserts
    after insert on public.inspection_templates referencing NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_updates
    after update on public.inspection_templates referencing OLD table as old_rows NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger refuse_truncate
    before truncate on public.inspection_templates
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger touch_updated_at
    before update on public.inspection_templates
    for each row
    execute function private.touch_updated_at();

create trigger guard_inspection
    before delete or update on public.inspections
    for each row
    execute function private.guard_inspection();

create trigger record_deletes
    after delete on public.inspections referencing OLD table as old_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_inserts
    after insert on public.inspections referencing NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_updates
    after update on public.inspections referencing OLD table as old_rows NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger refuse_truncate
    before truncate on public.inspections
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger touch_updated_at
    before update on public.inspections
    for each row
    when ((old.status = 'draft'::text))
    execute function private.touch_updated_at();

create policy "members_and_portal_select" on "public"."documents"
    for select
    to "authenticated"
    using
        (((workspace_id = ANY (ARRAY( select private.workspaces_in_reach('documents.read'::text) as
        workspaces_in_reach))) AND
        (( select (not private.has_portal())) or (workspace_id in ( select
        private.workspaces_with('documents.read'::text) as workspaces_with)) or
        (id in ( select private.my_document_ids() as my_document_ids)))));

create policy "members_delete" on "public"."documents"
    for delete
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('documents.write'::text) as workspaces_with))));

create policy "members_insert" on "public"."documents"
    for insert
    to "authenticated"
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('documents.write'::text) AS workspaces_with))));

create policy "members_update" on "public"."documents"
    for update
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('documents.write'::text) as workspaces_with))))
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('documents.write'::text) AS workspaces_with))));

create policy "members_select" on "public"."expenses"
    for select
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('money.read'::text) as workspaces_with))));

create policy "members_update" on "public"."expenses"
    for update
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('money.write'::text) as workspaces_with))))
    with check ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('money.write'::text) AS workspaces_with))));

create policy "members_and_portal_select" on "public"."inspection_items"
    for select
    to "authenticated"
    using
        (((workspace_id = ANY (ARRAY( select private.workspaces_in_reach('maintenance.read'::text) as
        workspaces_in_reach))) AND
        (( select (not private.has_portal())) or (workspace_id in ( select
        private.workspaces_with('maintenance.read'::text) as workspaces_with)) or
        (inspection_id in ( select private.my_inspection_ids() as my_inspection_ids)))));

create policy "members_delete" on "public"."inspection_items"
    for delete
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.write'::text) as workspaces_with))));

create policy "members_insert" on "public"."inspection_items"
    for insert
    to "authenticated"
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('maintenance.write'::text) AS workspaces_with))));

create policy "members_update" on "public"."inspection_items"
    for update
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.write'::text) as workspaces_with))))
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('maintenance.write'::text) AS workspaces_with))));

create policy "members_and_portal_select" on "public"."inspection_signatures"
    for select
    to "authenticated"
    using
        (((workspace_id = ANY (ARRAY( select private.workspaces_in_reach('maintenance.read'::text) as
        workspaces_in_reach))) AND
        (( select (not private.has_portal())) or (workspace_id in ( select
        private.workspaces_with('maintenance.read'::text) as workspaces_with)) or
        (inspection_id in ( select private.my_inspection_ids() as my_inspection_ids)))));

create policy "members_delete" on "public"."inspection_template_items"
    for delete
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('settings.manage'::text) as workspaces_with))));

create policy "members_insert" on "public"."inspection_template_items"
    for insert
    to "authenticated"
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('settings.manage'::text) AS workspaces_with))));

create policy "members_select" on "public"."inspection_template_items"
    for select
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.read'::text) as workspaces_with))));

create policy "members_update" on "public"."inspection_template_items"
    for update
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('settings.manage'::text) as workspaces_with))))
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('settings.manage'::text) AS workspaces_with))));

create policy "members_delete" on "public"."inspection_templates"
    for delete
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('settings.manage'::text) as workspaces_with))));

create policy "members_insert" on "public"."inspection_templates"
    for insert
    to "authenticated"
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('settings.manage'::text) AS workspaces_with))));

create policy "members_select" on "public"."inspection_templates"
    for select
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.read'::text) as workspaces_with))));

create policy "members_update" on "public"."inspection_templates"
    for update
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('settings.manage'::text) as workspaces_with))))
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('settings.manage'::text) AS workspaces_with))));

create policy "members_and_portal_select" on "public"."inspections"
    for select
    to "authenticated"
    using
        (((workspace_id = ANY (ARRAY( select private.workspaces_in_reach('maintenance.read'::text) as
        workspaces_in_reach))) AND
        (( select (not private.has_portal())) or (workspace_id in ( select
        private.workspaces_with('maintenance.read'::text) as workspaces_with)) or
        (id in ( select private.my_inspection_ids() as my_inspection_ids)))));

create policy "members_delete" on "public"."inspections"
    for delete
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.write'::text) as workspaces_with))));

create policy "members_insert" on "public"."inspections"
    for insert
    to "authenticated"
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('maintenance.write'::text) AS workspaces_with))));

create policy "members_update" on "public"."inspections"
    for update
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.write'::text) as workspaces_with))))
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('maintenance.write'::text) AS workspaces_with))));

comment on column "public"."documents"."attached_to" is 'The id of what it names most closely: renter, lease, vendor, expense, inspection, unit, property, in this order.';

comment on column "public"."documents"."content_type" is 'Media type such as application/pdf, in lower case.';

comment on column "public"."documents"."created_at" is 'When the row was made.';

comment on column "public"."documents"."document_type" is 'lease, addendum, notice, insurance, license, identity, application, inspection, photo, receipt, invoice, warranty, rules
or other.';

comment on column "public"."documents"."expense_id" is 'The expense of which it is the receipt. Never shown to renters.';

comment on column "public"."documents"."expires_on" is 'Last day on which it is good: an insurance, a licence. Empty: it does not expire.';

comment on column "public"."documents"."file_name" is 'The file''s name as its owner knew it.';

comment on column "public"."documents"."id" is 'Identifies the document.';

comment on column "public"."documents"."inspection_id" is 'An inspection. Shown to renters, it concerns those who may read that.';

comment on column "public"."documents"."inspection_item_id" is 'The item of that inspection of which it is a photo. Fixed once the inspection is completed.';

comment on column "public"."documents"."lease_id" is 'A lease. Shown to renters, it concerns its parties, after its end, too.';

comment on column "public"."documents"."property_id" is 'A property. Shown to renters, it concerns all who live there.';

comment on column "public"."documents"."sha256" is 'SHA-256 of the bytes, 64 hexadecimal digits.';

comment on column "public"."documents"."size_bytes" is 'Size in bytes.';

comment on column "public"."documents"."status" is 'pending_upload, available or archived. It goes from the first to the second, and between the last two.';

comment on column "public"."documents"."storage_path" is 'Where its bytes lie: `<workspace_id>/…`, unique in the workspace, in characters that Storage takes. Left out, it is made of
the id.';

comment on column "public"."documents"."tenant_id" is 'A renter. Shown to renters, it concerns this one alone, whatever else it names.';

comment on column "public"."documents"."title" is 'What people call it.';

comment on column "public"."documents"."unit_id" is 'A unit of that property. Shown to renters, it concerns those who hold it now.';

comment on column "public"."documents"."updated_at" is 'When the row last changed.';

comment on column "public"."documents"."vendor_id" is 'A vendor: the insurance they carry, their invoice. Never shown to renters.';

comment on column "public"."documents"."visible_to_renters" is 'Whether renters whose it is may see it.';

comment on column "public"."documents"."visible_to_vendors" is 'Whether the vendor whose it is may see it.';

comment on column "public"."documents"."workspace_id" is 'The workspace that keeps it.';

comment on column "public"."expenses"."amount_minor" is 'In minor units (cents) of the currency. Negative: the money came back.';

comment on column "public"."expenses"."category" is 'repairs, maintenance, cleaning, supplies, utilities, insurance, taxes, fees, legal, advertising, travel, interest,
improvement or other.';

comment on column "public"."expenses"."currency" is 'ISO 4217 code; the property''s.';

comment on column "public"."expenses"."description" is 'What it was for, in words.';

comment on column "public"."expenses"."id" is 'Identifies the expense.';

comment on column "public"."expenses"."incurred_on" is 'The property''s date on which the money was owed or spent.';

comment on column "public"."expenses"."lease_id" is 'The lease that it is to be billed to; empty: the landlord bears it.';

comment on column "public"."expenses"."property_id" is 'The property it was spent on. One with expenses cannot be deleted.';

comment on column "public"."expenses"."recorded_at" is 'When the database learned of it.';

comment on column "public"."expenses"."recorded_by" is 'Who recorded it; empty once that account is deleted.';

comment on column "public"."expenses"."tenant_id" is 'The renter of that lease who alone is to be billed; empty: its renters jointly, or nobody.';

comment on column "public"."expenses"."unit_id" is 'The unit; empty: the property as a whole.';

comment on column "public"."expenses"."vendor_id" is 'Who was paid, if they are on record.';

comment on column "public"."expenses"."void_reason" is 'Why it was voided.';

comment on column "public"."expenses"."voided_at" is 'When it was voided; empty while it counts.';

comment on column "public"."expenses"."voided_by" is 'Who voided it; empty while it counts, or once that account is deleted.';

comment on column "public"."expenses"."workspace_id" is 'The workspace that spent it.';

comment on column "public"."inspection_items"."condition" is 'new, good, fair, poor, damaged, missing or not_inspected. Every item has one before the inspection is completed.';

comment on column "public"."inspection_items"."created_at" is 'When the row was made.';

comment on column "public"."inspection_items"."id" is 'Identifies the item.';

comment on column "public"."inspection_items"."inspection_id" is 'The inspection.';

comment on column "public"."inspection_items"."item" is 'What: Oven, Smoke alarm, Walls.';

comment on column "public"."inspection_items"."note" is 'What was found, in words.';

comment on column "public"."inspection_items"."position" is 'Its place in the order, the smallest first.';

comment on column "public"."inspection_items"."room" is 'Where: Kitchen, Bathroom, Outside.';

comment on column "public"."inspection_items"."updated_at" is 'When the row last changed.';

comment on column "public"."inspection_items"."workspace_id" is 'The workspace that manages it.';

comment on column "public"."inspection_signatures"."content_digest" is 'The inspection''s content_digest, as the signer gave it.';

comment on column "public"."inspection_signatures"."id" is 'Identifies the signature.';

comment on column "public"."inspection_signatures"."inspection_id" is 'The inspection.';

comment on column "public"."inspection_signatures"."remarks" is 'What the signer wants to be read beside their name, such as an objection.';

comment on column "public"."inspection_signatures"."signed_as" is 'landlord (a member, for the workspace) or renter.';

comment on column "public"."inspection_signatures"."signed_at" is 'When it was signed.';

comment on column "public"."inspection_signatures"."signer_name" is 'The name as the signer typed it.';

comment on column "public"."inspection_signatures"."tenant_id" is 'The renter who signed; empty for the landlord.';

comment on column "public"."inspection_signatures"."user_id" is 'The account that signed; empty once it is deleted.';

comment on column "public"."inspection_signatures"."workspace_id" is 'The workspace that manages the inspection.';

comment on column "public"."inspection_template_items"."created_at" is 'When the row was made.';

comment on column "public"."inspection_template_items"."id" is 'Identifies the row.';

comment on column "public"."inspection_template_items"."item" is 'What: Oven, Smoke alarm, Walls.';

comment on column "public"."inspection_template_items"."position" is 'Its place in the order, the smallest first.';

comment on column "public"."inspection_template_items"."room" is 'Where: Kitchen, Bathroom, Outside.';

comment on column "public"."inspection_template_items"."template_id" is 'The template.';

comment on column "public"."inspection_template_items"."workspace_id" is 'The workspace that uses the template.';

comment on column "public"."inspection_templates"."created_at" is 'When the row was made.';

comment on column "public"."inspection_templates"."id" is 'Identifies the template.';

comment on column "public"."inspection_templates"."inspection_type" is 'What its inspections are: move_in, move_out, routine, safety, turnover or other.';

comment on column "public"."inspection_templates"."name" is 'What people call it; unique in the workspace, case-insensitively.';

comment on column "public"."inspection_templates"."status" is 'active or archived: nothing new starts from an archived one.';

comment on column "public"."inspection_templates"."updated_at" is 'When the row last changed.';

comment on column "public"."inspection_templates"."workspace_id" is 'The workspace that uses it.';

comment on column "public"."inspections"."completed_at" is 'When it was frozen; empty for a draft.';

comment on column "public"."inspections"."completed_by" is 'Who froze it; empty for a draft, or once that account is deleted.';

comment on column "public"."inspections"."content_digest" is 'SHA-256, hexadecimal, of what `rpc/inspection_content` answers: what signatures attest. Empty for a draft.';

comment on column "public"."inspections"."created_at" is 'When the row was made.';

comment on column "public"."inspections"."id" is 'Identifies the inspection.';

comment on column "public"."inspections"."inspection_type" is 'move_in, move_out, routine, safety, turnover or other.';

comment on column "public"."inspections"."inspector_id" is 'The member who inspects; empty once they have left the workspace.';

comment on column "public"."inspections"."lease_id" is 'The lease that it begins, ends or checks on; its renters read it if it is a move-in or move-out.';

comment on column "public"."inspections"."notes" is 'What belongs to no item. Renters who may read the inspection read this, too.';

comment on column "public"."inspections"."performed_at" is 'When it took place; completion sets it where it is empty.';

comment on column "public"."inspections"."property_id" is 'The property that is visited. One with a completed inspection cannot be deleted.';

comment on column "public"."inspections"."scheduled_at" is 'When it is planned for.';

comment on column "public"."inspections"."status" is 'draft or completed. Changed by `rpc/complete_inspection` only.';

comment on column "public"."inspections"."title" is 'What people call it; starts as the template''s name.';

comment on column "public"."inspections"."unit_id" is 'The unit; empty: the whole property, or what its units share.';

comment on column "public"."inspections"."updated_at" is 'When the row last changed.';

comment on column "public"."inspections"."workspace_id" is 'The workspace that manages it.';

comment on column "public"."properties"."currency" is 'ISO 4217 code of its money. Defaults to the workspace''s; fixed once there are expenses.';

comment on function "public"."complete_inspection"(uuid) is 'Freezes an inspection with its items and photos

Needs `maintenance.write`. 422 `inspection_incomplete` says what is missing: items, a condition, a photo''s upload. 409
`inspection_completed` if it is frozen already, 404 `inspection_not_found`. Answers the inspection with its `content_digest`.';

comment on function "public"."inspection_content"(uuid) is 'What signatures attest, as one text

JSON with the inspection''s facts, its items in order, and the SHA-256 of each photo. Of a completed inspection it never
changes, and its SHA-256 (UTF-8) is the inspection''s `content_digest`: keep both to prove what was signed. For members with
`maintenance.read`, and renters who may read the inspection. 404 `inspection_not_found`.';

comment on function "public"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid) is
    'Records what was spent on a property

`amount_minor` is in minor units of the property''s currency; give `currency` to have it checked (422 `currency_mismatch`).
`incurred_on` is a date at the property, no later than its today (422 `incurred_ahead`). `unit_id` narrows the place. `lease_id`
says that it is to be billed to a lease that has begun (422 `lease_not_billable`), `tenant_id` to one party of it alone (422
`renter_not_billable`). Needs `money.write` and an `Idempotency-Key`. 404 `property_not_found`. Answers the expense.';

comment on function "public"."sign_inspection"(uuid, text, text, text, text) is 'Signs a completed inspection

`signed_as` is landlord (a member with `maintenance.write`) or renter (a party to its lease, of a move-in or move-out);
`content_digest` is the inspection''s, as the signer read it; `remarks` stand beside the name. Once a person: 409
`inspection_signed`. 409 `inspection_not_completed`, 409 `inspection_digest_mismatch`, 403 `signer_not_party`, 422
`signed_as_unknown` or `signer_name_required`, 404 `inspection_not_found`. Answers the signature.';

comment on function "public"."start_inspection"(uuid, uuid, uuid, uuid, uuid, timestamp
    with time zone, text) is 'Drafts an inspection from a template

Copies the template''s type and items for the property, or one `unit_id` of it; `lease_id` names the lease that it begins, ends
or checks on, `title` replaces the template''s name. Needs `maintenance.write`. 404 `inspection_template_not_found`, 409
`inspection_template_archived`; 23503 where property, unit, lease or inspector are not of this workspace. Answers the
inspection.';

comment on function "public"."void_expense"(uuid, text) is 'Takes an expense out of every sum

It stays on record with `reason`, and cannot be brought back: record another. Needs `money.write`. 404 `expense_not_found`, 409
`expense_void` if it is void already, 422 `reason_required`. Answers the expense.';

comment on table "public"."documents" is 'What is known of each file: what it is, what it belongs to, who may see it.

A row is made first (`pending_upload`), the bytes are stored at its `storage_path`, and then it is `available`: from there on
the path, type, size and digest stay. `archived` takes it out of sight of renters and vendors. A document may name several
records. Renters and vendors see it only if it is shown to them, is available, and what it names most closely is theirs:
`attached_to` is that record.';

comment on table "public"."expenses" is 'What was spent on properties.

Recorded with `rpc/record_expense`. Amount, date, place and who is to bear it stay as recorded: a mistake is voided with
`rpc/void_expense` and recorded anew. Category and description can be mended until then. Sums leave rows with a `voided_at`
out. The receipt is a document that names the expense (`documents.expense_id`).';

comment on table "public"."inspection_items" is 'What an inspection looked at, room by room, and how it was found.

Photos are documents that name the item (`documents.inspection_item_id`). With the inspection''s completion its items are
fixed.';

comment on table "public"."inspection_signatures" is 'Who put their name to a completed inspection, and to what exactly.

Written by `rpc/sign_inspection`, never changed. A signature holds for the digest that it names.';

comment on table "public"."inspection_template_items" is 'What a template lists, room by room.';

comment on table "public"."inspection_templates" is 'Lists of what an inspection looks at.

`rpc/start_inspection` copies one: a later change of the template changes no inspection.';

comment on table "public"."inspections" is 'Visits to a property or unit, and what was found there.

A draft is worked on freely, alone or from a template (`rpc/start_inspection`). `rpc/complete_inspection` freezes it together
with its items and their photos, and seals it with a digest; from then on it is signed with `rpc/sign_inspection`, and neither
changed nor deleted, whoever asks. The renters of a lease read its completed move-in and move-out inspections, those of a
lease that has ended included.';

revoke all on function "private"."complete_inspection"(uuid, timestamp with time zone) from public;

grant execute on function "private"."complete_inspection"(uuid, timestamp with time zone) to "authenticated";

revoke all on function "private"."complete_inspection"(uuid, timestamp with time zone) from "postgres";

grant execute on function "private"."complete_inspection"(uuid, timestamp with time zone) to "postgres";

revoke all on function "private"."default_document"() from public;

revoke all on function "private"."default_document"() from "postgres";

grant execute on function "private"."default_document"() to "postgres";

revoke all on function "private"."find_inspection"(uuid) from public;

revoke all on function "private"."find_inspection"(uuid) from "postgres";

grant execute on function "private"."find_inspection"(uuid) to "postgres";

revoke all on function "private"."guard_document"() from public;

revoke all on function "private"."guard_document"() from "postgres";

grant execute on function "private"."guard_document"() to "postgres";

revoke all on function "private"."guard_expense"() from public;

revoke all on function "private"."guard_expense"() from "postgres";

grant execute on function "private"."guard_expense"() to "postgres";

revoke all on function "private"."guard_inspection"() from public;

revoke all on function "private"."guard_inspection"() from "postgres";

grant execute on function "private"."guard_inspection"() to "postgres";

revoke all on function "private"."guard_inspection_item"() from public;

revoke all on function "private"."guard_inspection_item"() from "postgres";

grant execute on function "private"."guard_inspection_item"() to "postgres";

revoke all on function "private"."guard_inspection_photo"() from public;

revoke all on function "private"."guard_inspection_photo"() from "postgres";

grant execute on function "private"."guard_inspection_photo"() to "postgres";

revoke all on function "private"."guard_inspection_signature"() from public;

revoke all on function "private"."guard_inspection_signature"() from "postgres";

grant execute on function "private"."guard_inspection_signature"() to "postgres";

revoke all on function "private"."hold_draft_inspection"(uuid, uuid, boolean) from public;

revoke all on function "private"."hold_draft_inspection"(uuid, uuid, boolean) from "postgres";

grant execute on function "private"."hold_draft_inspection"(uuid, uuid, boolean) to "postgres";

revoke all on function "private"."inspection_content"(uuid) from public;

grant execute on function "private"."inspection_content"(uuid) to "authenticated";

revoke all on function "private"."inspection_content"(uuid) from "postgres";

grant execute on function "private"."inspection_content"(uuid) to "postgres";

revoke all on function "private"."my_document_ids"() from public;

grant execute on function "private"."my_document_ids"() to "authenticated";

revoke all on function "private"."my_document_ids"() from "postgres";

grant execute on function "private"."my_document_ids"() to "postgres";

revoke all on function "private"."my_inspection_ids"() from public;

grant execute on function "private"."my_inspection_ids"() to "authenticated";

revoke all on function "private"."my_inspection_ids"() from "postgres";

grant execute on function "private"."my_inspection_ids"() to "postgres";

revoke all on function "private"."my_records_as_renter"() from public;

revoke all on function "private"."my_records_as_renter"() from "postgres";

grant execute on function "private"."my_records_as_renter"() to "postgres";

revoke all on function "private"."my_records_as_vendor"() from public;

revoke all on function "private"."my_records_as_vendor"() from "postgres";

grant execute on function "private"."my_records_as_vendor"() to "postgres";

revoke all
    on function "private"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, timestamp
        with time zone)
    from public;

grant execute
    on function "private"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, timestamp
        with time zone)
    to "authenticated";

revoke all
    on function "private"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, timestamp
        with time zone)
    from "postgres";

grant execute
    on function "private"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, timestamp
        with time zone)
    to "postgres";

revoke all on function "private"."sign_inspection"(uuid, text, text, text, text, timestamp with time zone) from public;

grant execute
    on function "private"."sign_inspection"(uuid, text, text, text, text, timestamp with time zone)
    to "authenticated";

revoke all
    on function "private"."sign_inspection"(uuid, text, text, text, text, timestamp with time zone)
    from "postgres";

grant execute
    on function "private"."sign_inspection"(uuid, text, text, text, text, timestamp with time zone)
    to "postgres";

revoke all
    on function "private"."start_inspection"(uuid, uuid, uuid, uuid, uuid, timestamp with time zone, text)
    from public;

grant execute
    on function "private"."start_inspection"(uuid, uuid, uuid, uuid, uuid, timestamp with time zone, text)
    to "authenticated";

revoke all
    on function "private"."start_inspection"(uuid, uuid, uuid, uuid, uuid, timestamp with time zone, text)
    from "postgres";

grant execute
    on function "private"."start_inspection"(uuid, uuid, uuid, uuid, uuid, timestamp with time zone, text)
    to "postgres";

revoke all on function "private"."void_expense"(uuid, text, timestamp with time zone) from public;

grant execute on function "private"."void_expense"(uuid, text, timestamp with time zone) to "authenticated";

revoke all on function "private"."void_expense"(uuid, text, timestamp with time zone) from "postgres";

grant execute on function "private"."void_expense"(uuid, text, timestamp with time zone) to "postgres";

revoke all on function "private"."write_inspection_content"(public.inspections) from public;

revoke all on function "private"."write_inspection_content"(public.inspections) from "postgres";

grant execute on function "private"."write_inspection_content"(public.inspections) to "postgres";

grant execute on function "public"."complete_inspection"(uuid) to "authenticated";

revoke all on function "public"."complete_inspection"(uuid) from "postgres";

grant execute on function "public"."complete_inspection"(uuid) to "postgres";

grant execute on function "public"."inspection_content"(uuid) to "authenticated";

revoke all on function "public"."inspection_content"(uuid) from "postgres";

grant execute on function "public"."inspection_content"(uuid) to "postgres";

grant execute
    on function "public"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid)
    to "authenticated";

revoke all
    on function "public"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid)
    from "postgres";

grant execute
    on function "public"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid)
    to "postgres";

grant execute on function "public"."sign_inspection"(uuid, text, text, text, text) to "authenticated";

revoke all on function "public"."sign_inspection"(uuid, text, text, text, text) from "postgres";

grant execute on function "public"."sign_inspection"(uuid, text, text, text, text) to "postgres";

grant execute
    on function "public"."start_inspection"(uuid, uuid, uuid, uuid, uuid, timestamp with time zone, text)
    to "authenticated";

revoke all
    on function "public"."start_inspection"(uuid, uuid, uuid, uuid, uuid, timestamp with time zone, text)
    from "postgres";

grant execute
    on function "public"."start_inspection"(uuid, uuid, uuid, uuid, uuid, timestamp with time zone, text)
    to "postgres";

grant execute on function "public"."void_expense"(uuid, text) to "authenticated";

revoke all on function "public"."void_expense"(uuid, text) from "postgres";

grant execute on function "public"."void_expense"(uuid, text) to "postgres";

revoke all on table "public"."documents" from "authenticated";

revoke all ("content_type") on table "public"."documents" from "authenticated";

grant insert ("content_type"), update ("content_type") on table "public"."documents" to "authenticated";

revoke all ("document_type") on table "public"."documents" from "authenticated";

grant insert ("document_type"), update ("document_type") on table "public"."documents" to "authenticated";

revoke all ("expense_id") on table "public"."documents" from "authenticated";

grant insert ("expense_id"), update ("expense_id") on table "public"."documents" to "authenticated";

revoke all ("expires_on") on table "public"."documents" from "authenticated";

grant insert ("expires_on"), update ("expires_on") on table "public"."documents" to "authenticated";

revoke all ("file_name") on table "public"."documents" from "authenticated";

grant insert ("file_name"), update ("file_name") on table "public"."documents" to "authenticated";

revoke all ("inspection_id") on table "public"."documents" from "authenticated";

grant insert ("inspection_id"), update ("inspection_id") on table "public"."documents" to "authenticated";

revoke all ("inspection_item_id") on table "public"."documents" from "authenticated";

grant insert ("inspection_item_id"), update ("inspection_item_id") on table "public"."documents" to "authenticated";

revoke all ("lease_id") on table "public"."documents" from "authenticated";

grant insert ("lease_id"), update ("lease_id") on table "public"."documents" to "authenticated";

revoke all ("property_id") on table "public"."documents" from "authenticated";

grant insert ("property_id"), update ("property_id") on table "public"."documents" to "authenticated";

revoke all ("sha256") on table "public"."documents" from "authenticated";

grant insert ("sha256"), update ("sha256") on table "public"."documents" to "authenticated";

revoke all ("size_bytes") on table "public"."documents" from "authenticated";

grant insert ("size_bytes"), update ("size_bytes") on table "public"."documents" to "authenticated";

revoke all ("status") on table "public"."documents" from "authenticated";

grant update ("status") on table "public"."documents" to "authenticated";

revoke all ("storage_path") on table "public"."documents" from "authenticated";

grant insert ("storage_path") on table "public"."documents" to "authenticated";

revoke all ("tenant_id") on table "public"."documents" from "authenticated";

grant insert ("tenant_id"), update ("tenant_id") on table "public"."documents" to "authenticated";

revoke all ("title") on table "public"."documents" from "authenticated";

grant insert ("title"), update ("title") on table "public"."documents" to "authenticated";

revoke all ("unit_id") on table "public"."documents" from "authenticated";

grant insert ("unit_id"), update ("unit_id") on table "public"."documents" to "authenticated";

revoke all ("vendor_id") on table "public"."documents" from "authenticated";

grant insert ("vendor_id"), update ("vendor_id") on table "public"."documents" to "authenticated";

revoke all ("visible_to_renters") on table "public"."documents" from "authenticated";

grant insert ("visible_to_renters"), update ("visible_to_renters") on table "public"."documents" to "authenticated";

revoke all ("visible_to_vendors") on table "public"."documents" from "authenticated";

grant insert ("visible_to_vendors"), update ("visible_to_vendors") on table "public"."documents" to "authenticated";

revoke all ("workspace_id") on table "public"."documents" from "authenticated";

grant insert ("workspace_id") on table "public"."documents" to "authenticated";

grant delete, select on table "public"."documents" to "authenticated";

revoke all on table "public"."documents" from "service_role";

grant select on table "public"."documents" to "service_role";

revoke all on table "public"."expenses" from "authenticated";

revoke all ("category") on table "public"."expenses" from "authenticated";

grant update ("category") on table "public"."expenses" to "authenticated";

revoke all ("description") on table "public"."expenses" from "authenticated";

grant update ("description") on table "public"."expenses" to "authenticated";

grant select on table "public"."expenses" to "authenticated";

revoke all on table "public"."expenses" from "service_role";

grant select on table "public"."expenses" to "service_role";

revoke all on table "public"."inspection_items" from "authenticated";

revoke all ("condition") on table "public"."inspection_items" from "authenticated";

grant insert ("condition"), update ("condition") on table "public"."inspection_items" to "authenticated";

revoke all ("inspection_id") on table "public"."inspection_items" from "authenticated";

grant insert ("inspection_id") on table "public"."inspection_items" to "authenticated";

revoke all ("item") on table "public"."inspection_items" from "authenticated";

grant insert ("item"), update ("item") on table "public"."inspection_items" to "authenticated";

revoke all ("note") on table "public"."inspection_items" from "authenticated";

grant insert ("note"), update ("note") on table "public"."inspection_items" to "authenticated";

revoke all ("position") on table "public"."inspection_items" from "authenticated";

grant insert ("position"), update ("position") on table "public"."inspection_items" to "authenticated";

revoke all ("room") on table "public"."inspection_items" from "authenticated";

grant insert ("room"), update ("room") on table "public"."inspection_items" to "authenticated";

revoke all ("workspace_id") on table "public"."inspection_items" from "authenticated";

grant insert ("workspace_id") on table "public"."inspection_items" to "authenticated";

grant delete, select on table "public"."inspection_items" to "authenticated";

revoke all on table "public"."inspection_items" from "service_role";

grant select on table "public"."inspection_items" to "service_role";

revoke all on table "public"."inspection_signatures" from "authenticated";

grant select on table "public"."inspection_signatures" to "authenticated";

revoke all on table "public"."inspection_signatures" from "service_role";

grant select on table "public"."inspection_signatures" to "service_role";

revoke all on table "public"."inspection_template_items" from "authenticated";

revoke all ("item") on table "public"."inspection_template_items" from "authenticated";

grant insert ("item"), update ("item") on table "public"."inspection_template_items" to "authenticated";

revoke all ("position") on table "public"."inspection_template_items" from "authenticated";

grant insert ("position"), update ("position") on table "public"."inspection_template_items" to "authenticated";

revoke all ("room") on table "public"."inspection_template_items" from "authenticated";

grant insert ("room"), update ("room") on table "public"."inspection_template_items" to "authenticated";

revoke all ("template_id") on table "public"."inspection_template_items" from "authenticated";

grant insert ("template_id") on table "public"."inspection_template_items" to "authenticated";

revoke all ("workspace_id") on table "public"."inspection_template_items" from "authenticated";

grant insert ("workspace_id") on table "public"."inspection_template_items" to "authenticated";

grant delete, select on table "public"."inspection_template_items" to "authenticated";

revoke all on table "public"."inspection_template_items" from "service_role";

grant select on table "public"."inspection_template_items" to "service_role";

revoke all on table "public"."inspection_templates" from "authenticated";

revoke all ("inspection_type") on table "public"."inspection_templates" from "authenticated";

grant insert ("inspection_type"), update ("inspection_type") on table "public"."inspection_templates" to "authenticated";

revoke all ("name") on table "public"."inspection_templates" from "authenticated";

grant insert ("name"), update ("name") on table "public"."inspection_templates" to "authenticated";

revoke all ("status") on table "public"."inspection_templates" from "authenticated";

grant insert ("status"), update ("status") on table "public"."inspection_templates" to "authenticated";

revoke all ("workspace_id") on table "public"."inspection_templates" from "authenticated";

grant insert ("workspace_id") on table "public"."inspection_templates" to "authenticated";

grant delete, select on table "public"."inspection_templates" to "authenticated";

revoke all on table "public"."inspection_templates" from "service_role";

grant select on table "public"."inspection_templates" to "service_role";

revoke all on table "public"."inspections" from "authenticated";

revoke all ("inspection_type") on table "public"."inspections" from "authenticated";

grant insert ("inspection_type"), update ("inspection_type") on table "public"."inspections" to "authenticated";

revoke all ("inspector_id") on table "public"."inspections" from "authenticated";

grant insert ("inspector_id"), update ("inspector_id") on table "public"."inspections" to "authenticated";

revoke all ("lease_id") on table "public"."inspections" from "authenticated";

grant insert ("lease_id"), update ("lease_id") on table "public"."inspections" to "authenticated";

revoke all ("notes") on table "public"."inspections" from "authenticated";

grant insert ("notes"), update ("notes") on table "public"."inspections" to "authenticated";

revoke all ("performed_at") on table "public"."inspections" from "authenticated";

grant insert ("performed_at"), update ("performed_at") on table "public"."inspections" to "authenticated";

revoke all ("property_id") on table "public"."inspections" from "authenticated";

grant insert ("property_id") on table "public"."inspections" to "authenticated";

revoke all ("scheduled_at") on table "public"."inspections" from "authenticated";

grant insert ("scheduled_at"), update ("scheduled_at") on table "public"."inspections" to "authenticated";

revoke all ("title") on table "public"."inspections" from "authenticated";

grant insert ("title"), update ("title") on table "public"."inspections" to "authenticated";

revoke all ("unit_id") on table "public"."inspections" from "authenticated";

grant insert ("unit_id"), update ("unit_id") on table "public"."inspections" to "authenticated";

revoke all ("workspace_id") on table "public"."inspections" from "authenticated";

grant insert ("workspace_id") on table "public"."inspections" to "authenticated";

grant delete, select on table "public"."inspections" to "authenticated";

revoke all on table "public"."inspections" from "service_role";

grant select on table "public"."inspections" to "service_role";

alter table "public"."documents"
    add constraint "documents_uploaded_by_fkey" foreign key (uploaded_by) references auth.users(id) on delete set null;

create index documents_uploaded_by_idx on public.documents using btree (uploaded_by)
    where (uploaded_by is not null);

comment on column "public"."documents"."uploaded_by" is 'Who added it; empty once that account is deleted.';
