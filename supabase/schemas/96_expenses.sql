-- Expenses: what a property has cost. Recorded and voided, never rewritten.

create table public.expenses (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    property_id uuid not null,
    unit_id uuid,
    vendor_id uuid,
    lease_id uuid,
    tenant_id uuid,
    maintenance_request_id uuid,
    category text not null check (
        category in (
            'repairs', 'maintenance', 'cleaning', 'supplies', 'utilities', 'insurance', 'taxes', 'fees', 'legal',
            'advertising', 'travel', 'interest', 'improvement', 'other'
        )
    ),
    amount_minor bigint not null check (abs(amount_minor) <= 9007199254740991 and amount_minor <> 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    incurred_on date not null check (incurred_on between '1900-01-01' and '2200-01-01'),
    description text not null default '' check (length(description) <= 2000),
    recorded_by uuid references auth.users (id) on delete set null,
    recorded_at timestamptz not null default clock_timestamp(),
    voided_by uuid references auth.users (id) on delete set null,
    voided_at timestamptz,
    void_reason text check (length(void_reason) <= 500 and btrim(void_reason) <> ''),
    unique (workspace_id, id),
    -- With its currency: an expense is in its property's, and that stays what it is while there are expenses.
    foreign key (workspace_id, property_id, currency)
    references public.properties (workspace_id, id, currency) on delete cascade,
    foreign key (workspace_id, property_id, unit_id)
    references public.units (workspace_id, property_id, id) on delete set null (unit_id),
    foreign key (workspace_id, property_id, lease_id)
    references public.leases (workspace_id, property_id, id) on delete set null (lease_id),
    foreign key (workspace_id, tenant_id) references public.tenants (workspace_id, id) on delete set null (tenant_id),
    foreign key (workspace_id, vendor_id) references public.vendors (workspace_id, id) on delete set null (vendor_id),
    foreign key (workspace_id, maintenance_request_id) references public.maintenance_requests (workspace_id, id)
        on delete set null (maintenance_request_id),
    constraint voided_expenses_say_why check ((voided_at is null) = (void_reason is null)),
    constraint a_billed_renter_has_a_lease check (tenant_id is null or lease_id is not null)
);

create index expenses_incurred_on_idx on public.expenses (workspace_id, incurred_on desc);
-- A page of all workspaces that one is in: these are walked, and others' rows passed over without a visit.
create index expenses_page_by_incurred_on_idx on public.expenses (incurred_on desc, workspace_id);
create index expenses_page_by_id_idx on public.expenses (id, workspace_id);
create index expenses_property_id_idx on public.expenses (workspace_id, property_id, incurred_on desc);
create index expenses_category_idx on public.expenses (workspace_id, category, incurred_on desc);
create index expenses_unit_id_idx on public.expenses (workspace_id, property_id, unit_id) where unit_id is not null;
create index expenses_lease_id_idx on public.expenses (workspace_id, lease_id) where lease_id is not null;
create index expenses_tenant_id_idx on public.expenses (workspace_id, tenant_id) where tenant_id is not null;
create index expenses_vendor_id_idx on public.expenses (workspace_id, vendor_id, incurred_on desc)
    where vendor_id is not null;
create index expenses_maintenance_request_id_idx on public.expenses (workspace_id, maintenance_request_id)
    where maintenance_request_id is not null;
create index expenses_recorded_by_idx on public.expenses (recorded_by) where recorded_by is not null;
create index expenses_voided_by_idx on public.expenses (voided_by) where voided_by is not null;

comment on table public.expenses is $$What was spent on properties.

Recorded with `rpc/record_expense`. Amount, date, place and who is to bear it stay as recorded: a mistake is voided with
`rpc/void_expense` and recorded anew. Category and description can be mended until then. Sums leave rows with a `voided_at`
out. The receipt is a document that names the expense (`documents.expense_id`).$$;
comment on column public.expenses.id is $$Identifies the expense.$$;
comment on column public.expenses.workspace_id is $$The workspace that spent it.$$;
comment on column public.expenses.property_id is $$The property it was spent on. One with expenses cannot be deleted.$$;
comment on column public.expenses.unit_id is $$The unit; empty: the property as a whole.$$;
comment on column public.expenses.vendor_id is $$Who was paid, if they are on record.$$;
comment on column public.expenses.lease_id is $$The lease that it is to be billed to; empty: the landlord bears it.$$;
comment on column public.expenses.tenant_id is
    $$The renter of that lease who alone is to be billed; empty: its renters jointly, or nobody.$$;
comment on column public.expenses.maintenance_request_id is $$The request whose work it paid for.$$;
comment on column public.expenses.category is
    $$repairs, maintenance, cleaning, supplies, utilities, insurance, taxes, fees, legal, advertising, travel, interest,
improvement or other.$$;
comment on column public.expenses.amount_minor is $$In minor units (cents) of the currency. Negative: the money came back.$$;
comment on column public.expenses.currency is $$ISO 4217 code; the property's.$$;
comment on column public.expenses.incurred_on is $$The property's date on which the money was owed or spent.$$;
comment on column public.expenses.description is $$What it was for, in words.$$;
comment on column public.expenses.recorded_by is $$Who recorded it; empty once that account is deleted.$$;
comment on column public.expenses.recorded_at is $$When the database learned of it.$$;
comment on column public.expenses.voided_by is $$Who voided it; empty while it counts, or once that account is deleted.$$;
comment on column public.expenses.voided_at is $$When it was voided; empty while it counts.$$;
comment on column public.expenses.void_reason is $$Why it was voided.$$;


-- Only what an expense is called can be mended, and not once it is void. What it refers to may vanish, and the reference with
-- it. With its workspace it goes.
create function private.guard_expense()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
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
$$;

create trigger guard_expense before update or delete on public.expenses
    for each row execute function private.guard_expense();

create trigger refuse_truncate before truncate on public.expenses
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.expenses
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.expenses
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.expenses
    referencing old table as old_rows
    for each statement execute function private.record_changes();


create function private.record_expense(
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
    p_now timestamptz
)
    returns public.expenses
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


create function private.void_expense(p_expense_id uuid, p_reason text, p_now timestamptz)
    returns public.expenses
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

grant execute on function private.record_expense(
    uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, uuid, timestamptz
) to authenticated;
grant execute on function private.void_expense(uuid, text, timestamptz) to authenticated;


create function public.record_expense(
    property_id uuid,
    category text,
    amount_minor bigint,
    incurred_on date,
    description text default '',
    currency text default null,
    unit_id uuid default null,
    vendor_id uuid default null,
    lease_id uuid default null,
    tenant_id uuid default null,
    maintenance_request_id uuid default null
)
    returns public.expenses
    volatile
    set search_path = ''
    language sql
as $$
    select private.record_expense(
        property_id, category, amount_minor, incurred_on, description, currency, unit_id, vendor_id, lease_id,
        tenant_id, maintenance_request_id, now()
    )
$$;

comment on function public.record_expense(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, uuid) is
$$Records what was spent on a property

`amount_minor` is in minor units of the property's currency; give `currency` to have it checked (422 `currency_mismatch`).
`incurred_on` is a date at the property, no later than its today (422 `incurred_ahead`). `unit_id` narrows the place. `lease_id`
says that it is to be billed to a lease that has begun (422 `lease_not_billable`), `tenant_id` to one party of it alone (422
`renter_not_billable`). `maintenance_request_id` is the request that it paid for, at the same property (422
`request_elsewhere`). Needs `money.write` and an `Idempotency-Key`. 404 `property_not_found`. Answers the expense.$$;

grant execute on function public.record_expense(uuid, text, bigint, date, text, text, uuid, uuid, uuid, uuid, uuid)
to authenticated;


create function public.void_expense(expense_id uuid, reason text)
    returns public.expenses
    volatile
    set search_path = ''
    language sql
as $$
    select private.void_expense(expense_id, reason, now())
$$;

comment on function public.void_expense(uuid, text) is $$Takes an expense out of every sum

It stays on record with `reason`, and cannot be brought back: record another. Needs `money.write`. 404 `expense_not_found`, 409
`expense_void` if it is void already, 422 `reason_required`. Answers the expense.$$;

grant execute on function public.void_expense(uuid, text) to authenticated;
