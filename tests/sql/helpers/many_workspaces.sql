-- 200 more workspaces with 50 rows of each kind, beside those of two_workspaces.sql, for plans that mean something.
-- manager_a manages five of them; tied_a is a viewer of the same five.

-- Rows as they are stored, without what triggers would add: what is asked is how they are read.
set local session_replication_role = replica;

create table tests.many as
select n, gen_random_uuid() as workspace_id, gen_random_uuid() as property_id from generate_series(1, 200) as n;

insert into public.workspaces (id, name)
select workspace_id, 'Workspace ' || n from tests.many;

insert into public.workspace_members (workspace_id, user_id, role)
select workspace_id, member('manager_a'), 'manager' from tests.many where n <= 5
union all
select workspace_id, member('tied_a'), 'viewer' from tests.many where n <= 5
union all
select workspace_id, gen_random_uuid(), 'viewer' from tests.many, generate_series(1, 10);

insert into public.properties (id, workspace_id, name, address_line1, city, timezone, currency)
select property_id, workspace_id, 'Main House', '1 Elm Street', 'Springfield', 'UTC', 'USD' from tests.many
union all
select gen_random_uuid(), workspace_id, 'House ' || k, '1 Elm Street', 'Springfield', 'UTC', 'USD'
from tests.many, generate_series(1, 9) as k;

-- A renter, a vendor, a unit and a lease of the same number belong together.
create table tests.rows as
select
    m.workspace_id, m.property_id, k,
    gen_random_uuid() as unit_id, gen_random_uuid() as tenant_id, gen_random_uuid() as vendor_id,
    gen_random_uuid() as lease_id
from tests.many as m, generate_series(1, 50) as k;

insert into public.units (id, workspace_id, property_id, unit_number)
select unit_id, workspace_id, property_id, k::text from tests.rows;

insert into public.tenants (id, workspace_id, last_name)
select tenant_id, workspace_id, 'Renter ' || k from tests.rows;

insert into public.vendors (id, workspace_id, name)
select vendor_id, workspace_id, 'Vendor ' || k from tests.rows;

insert into public.leases (id, workspace_id, property_id, lease_number, status, starts_on, currency, activated_at)
select lease_id, workspace_id, property_id, k::text, 'active', '2020-01-01', 'USD', now() from tests.rows;

insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession, binding)
select workspace_id, property_id, lease_id, unit_id, '[2020-01-01,)', true from tests.rows;

insert into public.lease_tenants (workspace_id, lease_id, tenant_id, role)
select workspace_id, lease_id, tenant_id, 'primary' from tests.rows;

insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor)
select workspace_id, lease_id, '2020-01-01', 100000 from tests.rows;

insert into public.lease_status_changes (workspace_id, lease_id, to_status, effective_on)
select workspace_id, lease_id, 'active', '2020-01-01' from tests.rows;

insert into public.workspace_invitations (workspace_id, kind, email, tenant_id, expires_at)
select workspace_id, 'renter', 'new@example.com', tenant_id, now() from tests.rows;

insert into public.messages (workspace_id, template, to_address, dedupe_key)
select workspace_id, 'lease_expiry', 'new@example.com', lease_id::text from tests.rows;

insert into public.imports (workspace_id, kind, file_name, file_digest)
select workspace_id, 'rent_roll', 'rents.csv', repeat('0', 64) from tests.rows;

insert into public.audit_entries (
    workspace_id, entity, entity_id, operation, actor_role, after, personal_columns, personal_digest
)
select workspace_id, 'tenants', tenant_id::text, 'insert', 'worker', '{}', '{phone}', '' from tests.rows;

insert into public.audit_values (workspace_id, entry_id, after)
select workspace_id, id, '{"phone": "555-0100"}' from public.audit_entries where workspace_id in (select workspace_id from tests.many);

insert into public.maintenance_requests
    (workspace_id, request_number, property_id, unit_id, lease_id, title, location, status, assigned_vendor_id)
select workspace_id, k, property_id, unit_id, lease_id, 'Leak', 'Main House', 'assigned', vendor_id from tests.rows;

insert into public.maintenance_status_changes (workspace_id, request_id, to_status)
select workspace_id, id, status from public.maintenance_requests;

insert into public.maintenance_comments (workspace_id, request_id, body, author_kind, visible_to_renter)
select workspace_id, id, 'On our way', 'member', true from public.maintenance_requests;

insert into public.maintenance_costs (workspace_id, request_id, currency, estimate_minor)
select workspace_id, id, 'USD', 10000 from public.maintenance_requests where request_number > 4;

insert into public.maintenance_plans (workspace_id, property_id, unit_id, title, interval_unit, anchor_on)
select workspace_id, property_id, unit_id, 'Filter', 'month', '2020-01-31' from tests.rows;

insert into public.custom_field_definitions (workspace_id, entity, key, label, type)
select m.workspace_id, e.entity, 'key_' || k, 'Field ' || k, 'text'
from tests.many as m, generate_series(1, 12) as k, unnest(
    '{properties, units, tenants, leases, maintenance_requests}'::text []
) as e (entity);

insert into public.property_custom_fields (workspace_id, property_id, fields)
select workspace_id, property_id, '{"key_1": "A1"}' from tests.many;

insert into public.unit_custom_fields (workspace_id, unit_id, fields)
select workspace_id, unit_id, '{"key_1": "A1"}' from tests.rows;

insert into public.tenant_custom_fields (workspace_id, tenant_id, fields)
select workspace_id, tenant_id, '{"key_1": "A1"}' from tests.rows;

insert into public.maintenance_request_custom_fields (workspace_id, request_id, fields)
select workspace_id, id, '{"key_1": "A1"}' from public.maintenance_requests where request_number > 4;

insert into public.lease_custom_fields (workspace_id, lease_id, fields)
select workspace_id, lease_id, '{"key_1": "A1"}' from tests.rows;

insert into public.inspection_templates (workspace_id, name)
select workspace_id, 'Template ' || k from tests.rows;

insert into public.inspection_template_items (workspace_id, template_id, room, item)
select workspace_id, id, 'Kitchen', 'Oven' from public.inspection_templates where name like 'Template %';

insert into public.inspections (id, workspace_id, property_id, unit_id, lease_id, title)
select lease_id, workspace_id, property_id, unit_id, lease_id, 'Inspection ' || k from tests.rows;

insert into public.inspection_items (workspace_id, inspection_id, room, item)
select workspace_id, lease_id, 'Kitchen', 'Oven' from tests.rows;

insert into public.inspection_signatures
    (workspace_id, inspection_id, signed_as, tenant_id, signer_name, content_digest, signed_at)
select workspace_id, lease_id, 'renter', tenant_id, 'Renter ' || k, repeat('0', 64), now() from tests.rows;

insert into public.expenses (workspace_id, property_id, unit_id, vendor_id, category, amount_minor, currency, incurred_on)
select workspace_id, property_id, unit_id, vendor_id, 'repairs', 12500, 'USD', '2020-01-01' from tests.rows;

insert into public.documents (workspace_id, title, storage_path, lease_id, visible_to_renters)
select workspace_id, 'Document ' || k, workspace_id || '/' || lease_id, lease_id, true from tests.rows;

-- Each of manager_a's five workspaces told them, and each of the others somebody else.
insert into public.notifications (workspace_id, user_id, category, title, lease_id, dedupe_key)
select
    r.workspace_id, case when m.n <= 5 then member('manager_a') else r.unit_id end, 'lease_expiry', 'Notice', r.lease_id,
    r.lease_id::text
from tests.rows as r
join tests.many as m on m.workspace_id = r.workspace_id;

insert into public.notification_preferences (workspace_id, user_id, category, channel, enabled)
select m.workspace_id, case when m.n <= 5 then member('manager_a') else k.id end, 'lease_expiry', k.channel, false
from tests.many as m
cross join lateral (
    select gen_random_uuid() as id, channel from unnest('{in_app, email, sms}'::text []) as c (channel)
) as k;

insert into public.lease_addenda (workspace_id, lease_id, title, effective_on, signed_on)
select workspace_id, lease_id, 'Parking', '2020-01-01', '2020-01-01' from tests.rows;

insert into public.place_coordinates (workspace_id, place_id, latitude, longitude, provider, fetched_at)
select workspace_id, 'place-' || k, 39.78, -89.65, 'google', now() from tests.rows;

insert into public.address_corrections (
    workspace_id, property_id, status, address_line1, city, country, provider, of_address, proposed_at, decided_at
)
select workspace_id, property_id, 'dismissed', k || ' Elm St', 'Springfield', 'US', 'google', '', now(), now() from tests.rows;

insert into public.places_usage (workspace_id, on_day, provider, kind, calls, cost_microdollars)
select workspace_id, date '2020-01-01' + k, 'google', 'autocomplete', 6, 16980 from tests.rows;

set local session_replication_role = origin;

analyze public.workspaces, public.workspace_members, public.workspace_invitations, public.properties, public.units,
    public.tenants, public.vendors, public.leases, public.lease_units, public.lease_tenants, public.lease_terms,
    public.lease_status_changes, public.messages, public.imports, public.audit_entries, public.audit_values,
    public.maintenance_requests, public.maintenance_status_changes, public.maintenance_comments,
    public.maintenance_costs, public.maintenance_plans;

analyze public.custom_field_definitions, public.property_custom_fields, public.unit_custom_fields,
    public.tenant_custom_fields, public.lease_custom_fields, public.maintenance_request_custom_fields;
analyze public.inspection_templates, public.inspection_template_items, public.inspections, public.inspection_items,
    public.inspection_signatures, public.expenses, public.documents;

analyze public.notifications, public.notification_preferences,
    public.lease_addenda, public.place_coordinates, public.places_usage, public.address_corrections;
