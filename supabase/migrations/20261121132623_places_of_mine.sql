set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

drop policy "members_and_portal_select" on "public"."place_coordinates";

-- squawk-ignore ban-drop-function
drop function "private"."my_place_ids"();

create or replace function private.my_places()
    returns table (
        workspace_id uuid,
        place_id text
    )
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return query
    select p.workspace_id, p.place_id
    from public.properties as p
    where p.id = any (array(select private.my_property_ids()));
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
        (
            'place_coordinates', '{place_id}', '{portfolio.read}',
            'place_id = any (array(select m.place_id from private.my_places() as m))'
        ),
        ('address_corrections', '{id}', '{portfolio.read}', null),
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

create policy "members_and_portal_select" on "public"."place_coordinates"
    for select
    to "authenticated"
    using
        (((workspace_id = ANY (ARRAY( select private.workspaces_in_reach('portfolio.read'::text) as
        workspaces_in_reach))) AND
        (( select (not private.has_portal())) or (workspace_id in ( select
        private.workspaces_with('portfolio.read'::text) as workspaces_with)) or
        ((workspace_id, place_id) in ( select m.workspace_id,
    m.place_id
   from private.my_places() m(workspace_id, place_id)))) AND
       ((provider <> 'google'::text) or (fetched_at > ( select private.kept_since() as kept_since)))));

revoke all on function "private"."my_places"() from public;

grant execute on function "private"."my_places"() to "authenticated";

revoke all on function "private"."my_places"() from "postgres";

grant execute on function "private"."my_places"() to "postgres";
