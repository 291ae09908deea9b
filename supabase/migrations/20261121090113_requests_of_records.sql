-- The tables were made a migration ago and hold little: what scans or locks them is done at once, well within lock_timeout.
-- squawk-ignore-file constraint-missing-not-valid, adding-foreign-key-constraint, require-concurrent-index-creation
-- squawk-ignore-file ban-drop-column, ban-drop-function, adding-field-with-default
-- squawk-ignore-file require-concurrent-index-deletion
set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

drop index "public"."documents_attached_to_idx";

drop function "private"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, timestamp
    with time zone);

drop function "public"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid);

alter table "public"."documents"
    drop column "attached_to";

alter table "public"."documents"
    add column "maintenance_request_id" uuid;

alter table "public"."documents"
    add column "attached_to" uuid generated always as
        (COALESCE(tenant_id, vendor_id, expense_id, maintenance_request_id, inspection_id, lease_id, unit_id,
        property_id)) stored;

alter table "public"."expenses"
    add column "maintenance_request_id" uuid;

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
            coalesce(new.maintenance_request_id, old.maintenance_request_id), coalesce(new.recorded_by, old.recorded_by)
        )
        is distinct from (
            old.unit_id, old.vendor_id, old.lease_id, old.tenant_id, old.maintenance_request_id, old.recorded_by
        )
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
    select private.my_household_request_ids()
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
    select v.id from public.vendors as v where v.user_id = v_user_id
    union all
    select private.my_assigned_request_ids();
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
    p_maintenance_request_id uuid,
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
        p_lease_id, p_tenant_id, p_maintenance_request_id
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
    if exists (
        select from public.maintenance_requests as r
        where
            r.workspace_id = v_property.workspace_id
            and r.id = p_maintenance_request_id
            and r.property_id <> v_property.id
    ) then
        perform private.fail(
            422, 'request_elsewhere', 'The maintenance request is about another property.',
            p_hint := 'Record the expense at the property where the work was done.'
        );
    end if;
    insert into public.expenses (
        workspace_id, property_id, unit_id, vendor_id, lease_id, tenant_id, maintenance_request_id, category,
        amount_minor, currency, incurred_on, description, recorded_by
    )
    values (
        v_property.workspace_id, v_property.id, p_unit_id, p_vendor_id, p_lease_id, p_tenant_id,
        p_maintenance_request_id, p_category, p_amount_minor, v_property.currency, p_incurred_on,
        coalesce(p_description, ''), auth.uid()
    )
    returning * into v_expense;
    perform private.keep_answer('record_expense', to_jsonb(v_expense));
    return v_expense;
end
$function$;

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
    tenant_id uuid default null::uuid,
    maintenance_request_id uuid default null::uuid
)
    returns public.expenses
    language sql
    set search_path to ''
    AS $function$
    select private.record_expense(
        property_id, category, amount_minor, incurred_on, description, currency, unit_id, vendor_id, lease_id,
        tenant_id, maintenance_request_id, now()
    )
$function$;

revoke all
    on function "public"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, uuid)
    from public, "anon", "service_role";

alter table "public"."documents"
    add constraint "documents_workspace_id_maintenance_request_id_fkey"
        foreign key (workspace_id, maintenance_request_id) references public.maintenance_requests(workspace_id, id)
        on delete set null (maintenance_request_id);

alter table "public"."expenses"
    add constraint "expenses_workspace_id_maintenance_request_id_fkey"
        foreign key (workspace_id, maintenance_request_id) references public.maintenance_requests(workspace_id, id)
        on delete set null (maintenance_request_id);

create index documents_attached_to_idx on public.documents using btree (workspace_id, attached_to);

create index documents_maintenance_request_id_idx on public.documents using btree (workspace_id, maintenance_request_id)
    where (maintenance_request_id is not null);

create index expenses_maintenance_request_id_idx on public.expenses using btree (workspace_id, maintenance_request_id)
    where (maintenance_request_id is not null);

comment on column "public"."documents"."attached_to" is 'The id of what it names most closely: renter, vendor, expense, request, inspection, lease, unit or property, in this order.';

comment on column "public"."documents"."maintenance_request_id" is 'A request. Shown to renters, it concerns the household that sees the request; shown to vendors, whoever has it now.';

comment on column "public"."expenses"."maintenance_request_id" is 'The request whose work it paid for.';

comment on function "public"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, uuid) is
    'Records what was spent on a property

`amount_minor` is in minor units of the property''s currency; give `currency` to have it checked (422 `currency_mismatch`).
`incurred_on` is a date at the property, no later than its today (422 `incurred_ahead`). `unit_id` narrows the place. `lease_id`
says that it is to be billed to a lease that has begun (422 `lease_not_billable`), `tenant_id` to one party of it alone (422
`renter_not_billable`). `maintenance_request_id` is the request that it paid for, at the same property (422
`request_elsewhere`). Needs `money.write` and an `Idempotency-Key`. 404 `property_not_found`. Answers the expense.';

revoke all
    on function "private"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, uuid, timestamp
        with time zone)
    from public;

grant execute
    on function "private"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, uuid, timestamp
        with time zone)
    to "authenticated";

revoke all
    on function "private"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, uuid, timestamp
        with time zone)
    from "postgres";

grant execute
    on function "private"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, uuid, timestamp
        with time zone)
    to "postgres";

grant execute
    on function "public"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, uuid)
    to "authenticated";

revoke all
    on function "public"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, uuid)
    from "postgres";

grant execute
    on function "public"."record_expense"(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, uuid)
    to "postgres";

revoke all ("maintenance_request_id") on table "public"."documents" from "authenticated";

grant insert ("maintenance_request_id"), update ("maintenance_request_id")
    on table "public"."documents"
    to "authenticated";
