set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

drop policy "members_select" on "public"."custom_field_definitions";

alter table "public"."custom_field_definitions"
    -- A wider one takes its place below, in the same transaction.
    -- squawk-ignore ban-drop-constraint
    drop constraint "custom_field_definitions_entity_check";

create table "public"."maintenance_request_custom_fields" (
    "workspace_id" uuid not null,
    "request_id" uuid not null,
    "fields" jsonb not null default '{}'::jsonb,
    "created_at" timestamp with time zone not null default now(),
    "updated_at" timestamp with time zone not null default now(),
    constraint "maintenance_request_custom_fields_fields_check"
        check (((jsonb_typeof(fields) = 'object'::text) AND (length((fields)::text) <= 32000))),
    constraint "maintenance_request_custom_fields_pkey" primary key (workspace_id, request_id)
);

alter table "public"."maintenance_request_custom_fields"
    enable row level security;

revoke all on table "public"."maintenance_request_custom_fields" from "anon";

create or replace function private.notify (
    p_category text,
    p_notices jsonb,
    p_actor uuid default auth.uid()
)
    returns integer
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_told integer;
begin
    if p_notices is null then
        return 0;
    end if;
    -- Whoever is just being removed is not waited for: their removal may wait for what the caller holds.
    with there as materialized (
        select m.workspace_id, m.user_id
        from public.workspace_members as m
        where (m.workspace_id, m.user_id) in (
            select n.workspace_id, n.user_id
            from jsonb_to_recordset(p_notices) as n (workspace_id uuid, user_id uuid)
        )
        order by m.workspace_id, m.user_id
        for key share skip locked
    )
    insert into public.notifications (
        workspace_id, user_id, category, title, body, payload, lease_id, maintenance_request_id, dedupe_key
    )
    select
        n.workspace_id,
        n.user_id,
        p_category,
        left(n.title, 200),
        left(coalesce(n.body, ''), 2000),
        coalesce(n.payload, '{}'),
        n.lease_id,
        n.maintenance_request_id,
        n.dedupe_key
    from jsonb_to_recordset(p_notices) as n (
        workspace_id uuid, user_id uuid, title text, body text, payload jsonb, lease_id uuid, maintenance_request_id uuid,
        dedupe_key text
    )
    join there as m on m.workspace_id = n.workspace_id and m.user_id = n.user_id
    join private.notification_wishes as w
        on
            w.workspace_id = n.workspace_id
            and w.user_id = n.user_id
            and w.category = p_category
            and w.channel = 'in_app'
            and w.enabled
    where n.user_id is distinct from p_actor
    -- Two who tell the same people of the same events at once wait for each other in one order.
    order by n.workspace_id, n.user_id, n.dedupe_key
    on conflict (workspace_id, user_id, dedupe_key) do nothing;
    get diagnostics v_told = row_count;
    return v_told;
end
$function$;

create or replace function private.set_custom_fields (
    p_entity text,
    p_entity_id uuid,
    p_fields jsonb
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_table text;
    v_id_column text;
    v_permission text;
    v_workspace_id uuid;
    v_fields jsonb;
begin
    select e.values_table, e.id_column, e.permission
    into v_table, v_id_column, v_permission
    from private.custom_field_entities as e
    where e.entity = p_entity;
    if not found then
        perform private.fail(
            422, 'entity_unknown', format('%s has no custom fields.', coalesce(quote_literal(p_entity), 'Nothing')),
            p_hint := 'Use properties, units, tenants, leases or maintenance_requests.'
        );
    end if;
    if jsonb_typeof(p_fields) is distinct from 'object' then
        perform private.fail(
            422, 'custom_fields_no_object', 'fields must be an object of values by key.',
            p_hint := 'Send {"key": value}; null takes a value away.'
        );
    end if;
    execute format(
        'select workspace_id from public.%I where id = $1 and workspace_id = any (array(select private.my_workspaces()))',
        p_entity
    )
    into v_workspace_id
    using p_entity_id;
    if v_workspace_id is null then
        perform private.fail(
            404, 'record_not_found', format('There is no such row of %s, or it is not yours to see.', p_entity),
            p_hint := format('List those you can see: GET /%s.', p_entity)
        );
    end if;
    perform private.require_permission(v_workspace_id, v_permission);
    execute format(
        'insert into public.%1$I as t (workspace_id, %2$I, fields) values ($1, $2, jsonb_strip_nulls($3))'
        ' on conflict (workspace_id, %2$I) do update set fields = jsonb_strip_nulls(t.fields || $3)'
        ' returning fields',
        v_table, v_id_column
    )
    into v_fields
    using v_workspace_id, p_entity_id, p_fields;
    return v_fields;
end
$function$;

create or replace function private.settle_custom_field_definition()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_field public.custom_field_definitions := coalesce(old, new);
    v_gone text[];
    v_used boolean;
begin
    perform pg_advisory_xact_lock(private.custom_fields_lock(v_field.workspace_id, v_field.entity));
    if tg_op = 'INSERT' then
        if (
            select count(*) > 100
            from public.custom_field_definitions as d
            where d.workspace_id = v_field.workspace_id and d.entity = v_field.entity
        ) then
            perform private.fail(
                409, 'custom_field_limit', format('A workspace defines up to 100 fields for %s.', v_field.entity),
                p_hint := 'Delete those that no value uses.'
            );
        end if;
        return null;
    end if;
    if tg_op = 'UPDATE' then
        if
            (new.workspace_id, new.entity, new.key, new.type)
            is distinct from (old.workspace_id, old.entity, old.key, old.type)
        then
            perform private.fail(
                409, 'custom_field_fixed', format('The key and the type of the field %s are fixed.', old.key),
                p_hint := 'Define another field, and archive this one.'
            );
        end if;
        select array_agg(o.option) into v_gone
        from unnest(old.options) as o (option)
        where o.option <> all (new.options);
        if v_gone is null then
            return null;
        end if;
    elsif not exists (select from public.workspaces as w where w.id = old.workspace_id) then
        -- The workspace itself is being deleted, values and all.
        return null;
    end if;
    execute format(
        'select exists (select from public.%I where workspace_id = $1 and fields ? $2 and ($3 is null or fields -> $2 ?| $3))',
        (select e.values_table from private.custom_field_entities as e where e.entity = v_field.entity)
    )
    into v_used
    using v_field.workspace_id, v_field.key, v_gone;
    if v_used then
        perform private.fail(
            409, 'custom_field_in_use',
            case
                when v_gone is null then format('Values use the field %s.', v_field.key)
                else format(
                    'Values of the field %s use an option that you take off: %s.',
                    v_field.key, left(array_to_string(v_gone, ', '), 500)
                )
            end,
            p_hint := 'Change those values first; or archive the field, and they stay as they are.'
        );
    end if;
    return null;
end
$function$;

alter table "public"."custom_field_definitions"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "custom_field_definitions_entity_check"
        check
        ((entity = ANY (ARRAY['properties'::text, 'units'::text, 'tenants'::text, 'leases'::text,
        'maintenance_requests'::text])));

alter table "public"."maintenance_request_custom_fields"
    add constraint "maintenance_request_custom_fields_workspace_id_request_id_fkey"
        foreign key (workspace_id, request_id) references public.maintenance_requests(workspace_id, id)
        on delete cascade;

create view "private"."custom_field_entities" with (security_invoker=true) AS  SELECT entity,
    values_table,
    id_column,
    permission
   FROM ( VALUES ('properties'::text,'property_custom_fields'::text,'property_id'::text,'portfolio.write'::text), ('units'::text,'unit_custom_fields'::text,'unit_id'::text,'portfolio.write'::text), ('tenants'::text,'tenant_custom_fields'::text,'tenant_id'::text,'renters.write'::text), ('leases'::text,'lease_custom_fields'::text,'lease_id'::text,'leases.write'::text), ('maintenance_requests'::text,'maintenance_request_custom_fields'::text,'request_id'::text,'maintenance.write'::text)) e(entity, values_table, id_column, permission);

create trigger check_custom_fields_on_insert after insert on public.maintenance_request_custom_fields
    referencing NEW table as touched for each STATEMENT execute function private.check_custom_fields (
    'maintenance_requests',
    'request_id'
);

create trigger check_custom_fields_on_update after update on public.maintenance_request_custom_fields
    referencing OLD table as before NEW table as touched for each STATEMENT execute function private.check_custom_fields
    (
    'maintenance_requests',
    'request_id'
);

create trigger record_deletes after delete on public.maintenance_request_custom_fields
    referencing OLD table as old_rows for each STATEMENT execute function private.record_changes (
    '{request_id}'
);

create trigger record_inserts after insert on public.maintenance_request_custom_fields
    referencing NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{request_id}'
);

create trigger record_updates after update on public.maintenance_request_custom_fields
    referencing OLD table as old_rows NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{request_id}'
);

create trigger refuse_truncate
    before truncate on public.maintenance_request_custom_fields
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger touch_updated_at
    before update on public.maintenance_request_custom_fields
    for each row
    execute function private.touch_updated_at();

create policy "members_select" on "public"."custom_field_definitions"
    for select
    to "authenticated"
    using
        ((((entity = ANY (ARRAY['properties'::text, 'units'::text])) AND (workspace_id = ANY (ARRAY( select
        private.workspaces_with('portfolio.read'::text) as workspaces_with)))) or
        ((entity = 'tenants'::text) AND (workspace_id = ANY (ARRAY( select private.workspaces_with('renters.read'::text)
        as workspaces_with)))) or
        ((entity = 'leases'::text) AND (workspace_id = ANY (ARRAY( select private.workspaces_with('leases.read'::text)
        as workspaces_with)))) or
        ((entity = 'maintenance_requests'::text) AND (workspace_id = ANY (ARRAY( select
        private.workspaces_with('maintenance.read'::text) as workspaces_with))))));

create policy "members_delete" on "public"."maintenance_request_custom_fields"
    for delete
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.write'::text) as workspaces_with))));

create policy "members_insert" on "public"."maintenance_request_custom_fields"
    for insert
    to "authenticated"
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('maintenance.write'::text) AS workspaces_with))));

create policy "members_select" on "public"."maintenance_request_custom_fields"
    for select
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.read'::text) as workspaces_with))));

create policy "members_update" on "public"."maintenance_request_custom_fields"
    for update
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.write'::text) as workspaces_with))))
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('maintenance.write'::text) AS workspaces_with))));

comment on column "public"."custom_field_definitions"."entity" is 'What it describes, by its table: properties, units, tenants, leases or maintenance_requests. Never changes.';

comment on column "public"."maintenance_request_custom_fields"."created_at" is 'When the row was made.';

comment on column "public"."maintenance_request_custom_fields"."fields" is 'Values by key, as custom_field_definitions wants them. Filter with `fields->>key=eq.…` or `fields=cs.{…}`.';

comment on column "public"."maintenance_request_custom_fields"."request_id" is 'The request.';

comment on column "public"."maintenance_request_custom_fields"."updated_at" is 'When the row last changed.';

comment on column "public"."maintenance_request_custom_fields"."workspace_id" is 'The workspace that manages the request.';

comment on function "public"."set_custom_fields"(text, uuid, jsonb) is 'Sets some custom fields of a record, and leaves the others

`entity` is properties, units, tenants, leases or maintenance_requests; `fields` has values by key; null takes a value away. Two callers who set
different keys at once both hold. Needs the permission to write the record. 422 `custom_field_unknown`,
`custom_field_invalid`, `custom_field_required`, `custom_field_archived`: `details` names the key. 404 `record_not_found`.
Answers all the record''s values.';

comment on table "public"."custom_field_definitions" is 'Fields that a workspace adds to its records.

Up to 100 for each kind of record. What was recorded stands in property_custom_fields, unit_custom_fields,
tenant_custom_fields, lease_custom_fields and maintenance_request_custom_fields, which members alone can read: no renter or vendor sees a custom field. A
definition that values use cannot be deleted: archive it, and they stay as they are.';

comment on table "public"."maintenance_request_custom_fields" is 'Values of a maintenance request''s custom fields.

One row a request, made by the first value. `rpc/set_custom_fields` writes single values whether there is a row or not;
a PATCH replaces them all. Only members see them.';

comment on view "private"."custom_field_entities" is 'What can have custom fields, where their values stand, and what it takes to write them.';

revoke all on table "public"."maintenance_request_custom_fields" from "authenticated";

revoke all ("fields") on table "public"."maintenance_request_custom_fields" from "authenticated";

grant insert ("fields"), update ("fields") on table "public"."maintenance_request_custom_fields" to "authenticated";

revoke all ("request_id") on table "public"."maintenance_request_custom_fields" from "authenticated";

grant insert ("request_id") on table "public"."maintenance_request_custom_fields" to "authenticated";

revoke all ("workspace_id") on table "public"."maintenance_request_custom_fields" from "authenticated";

grant insert ("workspace_id") on table "public"."maintenance_request_custom_fields" to "authenticated";

grant delete, select on table "public"."maintenance_request_custom_fields" to "authenticated";

revoke all on table "public"."maintenance_request_custom_fields" from "service_role";

grant select on table "public"."maintenance_request_custom_fields" to "service_role";
