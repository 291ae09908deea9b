set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

create or replace function private.rows_in_sight (
    p_table text,
    p_key_columns text[],
    p_workspace_id uuid,
    p_keys text[],
    p_condition text default null::text
)
    returns jsonb
    language plpgsql
    stable
    set search_path to ''
    AS $function$
declare
    v_columns text;
    v_keys text;
    v_matches text;
    v_rows jsonb;
begin
    select
        string_agg(format('t.%I', a.attname), ', ' order by a.attnum),
        string_agg(format('split_part(u.key, ''/'', %s)::%s as %I', key.n, format_type(a.atttypid, a.atttypmod), a.attname), ', ')
            filter (where key.n is not null),
        string_agg(format('t.%1$I = k.%1$I', a.attname), ' and ') filter (where key.n is not null)
    into v_columns, v_keys, v_matches
    from pg_catalog.pg_attribute as a
    left join unnest(p_key_columns) with ordinality as key (name, n) on key.name = a.attname
    where
        a.attrelid = format('public.%I', p_table)::regclass
        and a.attnum > 0
        and not a.attisdropped
        and has_column_privilege(a.attrelid, a.attnum, 'select');
    execute format(
        'select coalesce(jsonb_object_agg(concat_ws(''/'', %s), to_jsonb(r)), ''{}'') from (select %s from %s where t.%I = $1 and %s) as r',
        (select string_agg(format('r.%I', k), ', ') from unnest(p_key_columns) as k),
        v_columns,
        case
            -- The keys are taken apart first: row security would let no index use an expression that might tell of a row.
            when p_condition is null then format(
                '(select %s from unnest($2) as u (key) offset 0) as k join public.%I as t on %s', v_keys, p_table, v_matches
            )
            else format('public.%I as t', p_table)
        end,
        case p_table when 'workspaces' then 'id' else 'workspace_id' end,
        coalesce(p_condition, 'true')
    )
    into v_rows
    using p_workspace_id, p_keys;
    return v_rows;
end
$function$;

create or replace function private.synced_tables()
    returns table (
        ordinal bigint,
        name text,
        key_columns text[],
        seen_with text[],
        seen_where text
    )
    language sql
    immutable
    set search_path to ''
    AS $function$
    select row_number() over (), t.*
    from (
        values
        ('workspaces', '{id}'::text[], '{}'::text[], 'id = any (array(select private.my_portal_workspaces()))'),
        ('workspace_members', '{user_id}', '{}', null),
        ('workspace_invitations', '{id}', '{members.manage}', 'true'),
        ('properties', '{id}', '{portfolio.read}', 'id = any (array(select private.my_property_ids()))'),
        ('units', '{id}', '{portfolio.read}', 'id = any (array(select private.my_unit_ids()))'),
        ('tenants', '{id}', '{renters.read}', 'user_id = (select auth.uid())'),
        ('vendors', '{id}', '{portfolio.read}', 'user_id = (select auth.uid())'),
        ('leases', '{id}', '{leases.read}', 'id = any (array(select private.my_lease_ids()))'),
        ('lease_units', '{id}', '{leases.read}', 'lease_id = any (array(select private.my_lease_ids()))'),
        (
            'lease_tenants', '{lease_id, tenant_id}', '{leases.read}',
            'lease_id = any (array(select private.my_lease_ids()))'
        ),
        ('lease_terms', '{id}', '{leases.read}', 'lease_id = any (array(select private.my_lease_ids()))'),
        (
            'lease_addenda', '{id}', '{leases.read}',
            'signed_on is not null and lease_id = any (array(select private.my_lease_ids()))'
        ),
        ('lease_status_changes', '{id}', '{leases.read}', 'lease_id = any (array(select private.my_lease_ids()))'),
        ('maintenance_plans', '{id}', '{maintenance.read}', null),
        ('maintenance_requests', '{id}', '{maintenance.read}', 'id = any (array(select private.my_request_ids()))'),
        ('maintenance_status_changes', '{id}', '{maintenance.read}', null),
        (
            'maintenance_comments', '{id}', '{maintenance.read}',
            'request_id = any (array(select private.my_request_ids()))'
        ),
        ('maintenance_costs', '{id}', '{money.read}', null),
        ('inspection_templates', '{id}', '{maintenance.read}', null),
        ('inspection_template_items', '{id}', '{maintenance.read}', null),
        ('inspections', '{id}', '{maintenance.read}', 'id = any (array(select private.my_inspection_ids()))'),
        (
            'inspection_items', '{id}', '{maintenance.read}',
            'inspection_id = any (array(select private.my_inspection_ids()))'
        ),
        (
            'inspection_signatures', '{id}', '{maintenance.read}',
            'inspection_id = any (array(select private.my_inspection_ids()))'
        ),
        ('expenses', '{id}', '{money.read}', null),
        ('documents', '{id}', '{documents.read}', 'id = any (array(select private.my_document_ids()))'),
        (
            'custom_field_definitions', '{id}', '{portfolio.read, renters.read, leases.read, maintenance.read}', 'true'
        ),
        ('property_custom_fields', '{property_id}', '{portfolio.read}', null),
        ('unit_custom_fields', '{unit_id}', '{portfolio.read}', null),
        ('tenant_custom_fields', '{tenant_id}', '{renters.read}', null),
        ('lease_custom_fields', '{lease_id}', '{leases.read}', null),
        ('maintenance_request_custom_fields', '{request_id}', '{maintenance.read}', null),
        ('notifications', '{id}', null, 'user_id = (select auth.uid())'),
        ('notification_preferences', '{user_id, category, channel}', null, 'user_id = (select auth.uid())'),
        ('messages', '{id}', '{messages.read}', null),
        ('imports', '{id}', '{imports.run}', null)
    ) as t (name, key_columns, seen_with, seen_where)
$function$;

create trigger note_delete
    after delete on public.lease_addenda referencing OLD table as touched
    for each STATEMENT
    execute function private.note_changes();

create trigger note_insert
    after insert on public.lease_addenda referencing NEW table as touched
    for each STATEMENT
    execute function private.note_changes();

create trigger note_update
    after update on public.lease_addenda referencing NEW table as touched
    for each STATEMENT
    execute function private.note_changes();

comment on function "public"."verify_audit"(uuid, bigint, text, bigint) is 'Whether the change log is what it was when it was sealed

Answers {valid, problem, entries, erased, position, digest, more, unsealed, pruned, head_held}. `problem` is null or the first
broken link: {kind, position, entry_id, message}, kind one of seal_missing, entry_missing, entry_changed, order_changed,
entry_inserted, values_missing, values_changed, values_added, head_changed, head_differs, pruned_early. `entries` were checked,
`erased` of them had personal values erased, `unsealed` are too new to have a seal, `pruned` says what the workspace no longer
keeps. A call checks 50,000 entries: while `more` is true, call again with `after_position` = `position`. `head_position` and
`head_digest`, those of an earlier `audit_head`, have the chain held against it: `head_held`. Needs `audit.read`.';
