-- Fields that a workspace defines for itself: what there is to record, and what was recorded.

-- Whether the list can be chosen from: 1 to 100 different words, none of them blank.
create function private.are_options(p_options text[])
    returns boolean
    immutable
    strict
    parallel safe
    set search_path = ''
    language sql
as $$
    select
        cardinality(p_options) between 1 and 100
        and bool_and(coalesce(length(o.option) <= 120 and btrim(o.option) <> '', false))
        and count(distinct o.option) = cardinality(p_options)
    from unnest(p_options) as o (option)
$$;

grant execute on function private.are_options(text[]) to authenticated;


create table public.custom_field_definitions (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    entity text not null check (
        entity in ('properties', 'units', 'tenants', 'leases', 'maintenance_requests')
    ),
    key text not null check (key ~ '^[a-z][a-z0-9_]{0,39}$'),
    label text not null check (length(label) <= 120 and btrim(label) <> ''),
    type text not null check (
        type in ('text', 'url', 'number', 'integer', 'boolean', 'date', 'option', 'options')
    ),
    options text[] check (private.are_options(options)),
    required boolean not null default false,
    position integer not null default 0,
    status text not null default 'active' check (status in ('active', 'archived')),
    archived_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    unique (workspace_id, entity, key),
    constraint choices_have_options check ((type in ('option', 'options')) = (options is not null)),
    constraint archived_fields_have_a_time check ((status = 'archived') = (archived_at is not null))
);

create index custom_field_definitions_position_idx
    on public.custom_field_definitions (workspace_id, entity, position, key);

comment on table public.custom_field_definitions is $$Fields that a workspace adds to its records.

Up to 100 for each kind of record. What was recorded stands in property_custom_fields, unit_custom_fields,
tenant_custom_fields, lease_custom_fields and maintenance_request_custom_fields, which members alone can read: no renter or vendor sees a custom field. A
definition that values use cannot be deleted: archive it, and they stay as they are.$$;
comment on column public.custom_field_definitions.id is $$Identifies the definition.$$;
comment on column public.custom_field_definitions.workspace_id is $$The workspace that defines it.$$;
comment on column public.custom_field_definitions.entity is
    $$What it describes, by its table: properties, units, tenants, leases or maintenance_requests. Never changes.$$;
comment on column public.custom_field_definitions.key is
    $$Its name in `fields`, in snake_case, up to 40 characters. Never changes.$$;
comment on column public.custom_field_definitions.label is $$What people read beside it.$$;
comment on column public.custom_field_definitions.type is
    $$text, url, number, integer, boolean, date, option (one of `options`) or options (several). Never changes.$$;
comment on column public.custom_field_definitions.options is
    $$What can be chosen, for option and options. One that a value uses cannot be taken off.$$;
comment on column public.custom_field_definitions.required is
    $$Whether every row of values written from now on must have it.$$;
comment on column public.custom_field_definitions.position is $$Where forms show it: lower numbers first, then by key.$$;
comment on column public.custom_field_definitions.status is
    $$active, or archived: values stay and can be removed, but are neither added nor changed.$$;
comment on column public.custom_field_definitions.archived_at is $$When it was archived. Set by the database.$$;
comment on column public.custom_field_definitions.created_at is $$When the row was made.$$;
comment on column public.custom_field_definitions.updated_at is $$When the row last changed.$$;


-- What a value must be and is not; null: nothing stands against it.
create function private.custom_field_problem(p_type text, p_options text[], p_value jsonb)
    returns text
    immutable
    parallel safe
    set search_path = ''
    language plpgsql
as $$
declare
    v_kind text := jsonb_typeof(p_value);
    v_text text := case v_kind when 'string' then p_value #>> '{}' end;
    v_number numeric := case v_kind when 'number' then p_value::numeric end;
    v_wanted text;
    v_fits boolean;
begin
    case p_type
        when 'text' then
            v_wanted := 'a text of 1 to 2,000 characters that are not all blank';
            v_fits := length(v_text) <= 2000 and btrim(v_text) <> '';
        when 'url' then
            v_wanted := 'an address of at most 2,000 characters that begins with https:// or http://';
            v_fits := length(v_text) <= 2000 and v_text ~ '^https?://[^[:space:]/]+[^[:space:]]*$';
        when 'number' then
            -- 15 digits in all: what a client that knows floating point alone reads back as it was written.
            v_wanted := 'a number from -999999999999 to 999999999999 with at most 3 decimals';
            v_fits := abs(v_number) <= 999999999999 and scale(v_number) <= 3;
        when 'integer' then
            v_wanted := 'a whole number, written without decimals';
            v_fits := abs(v_number) <= 9007199254740991 and scale(v_number) = 0;
        when 'boolean' then
            v_wanted := 'true or false';
            v_fits := v_kind = 'boolean';
        when 'date' then
            v_wanted := 'a date from 1900 to 2199, such as "2026-11-30"';
            v_fits := v_text ~ '^(19|2[01])[0-9]{2}-[0-9]{2}-[0-9]{2}$' and pg_input_is_valid(v_text, 'date');
        when 'option' then
            v_wanted := 'one of its options';
            v_fits := v_text = any (p_options);
        when 'options' then
            v_wanted := 'a list of different options of its own';
            v_fits := v_kind = 'array' and (
                select
                    count(*) > 0
                    and count(distinct chosen.option) = count(*)
                    and bool_and(jsonb_typeof(chosen.option) = 'string' and chosen.option #>> '{}' = any (p_options))
                from jsonb_array_elements(case v_kind when 'array' then p_value end) as chosen (option)
            );
    end case;
    return case when coalesce(v_fits, false) then null else v_wanted end;
end
$$;


create table public.property_custom_fields (
    workspace_id uuid not null,
    property_id uuid not null,
    fields jsonb not null default '{}' check (jsonb_typeof(fields) = 'object' and length(fields::text) <= 32000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- One row a property: PostgREST embeds it as an object.
    primary key (workspace_id, property_id),
    foreign key (workspace_id, property_id) references public.properties (workspace_id, id) on delete cascade
);

comment on table public.property_custom_fields is $$Values of a property's custom fields.

One row a property, made by the first value. `rpc/set_custom_fields` writes single values whether there is a row or not;
a PATCH replaces them all. Only members see them.$$;
comment on column public.property_custom_fields.workspace_id is $$The workspace that manages the property.$$;
comment on column public.property_custom_fields.property_id is $$The property.$$;
comment on column public.property_custom_fields.fields is
    $$Values by key, as custom_field_definitions wants them. Filter with `fields->>key=eq.…` or `fields=cs.{…}`.$$;
comment on column public.property_custom_fields.created_at is $$When the row was made.$$;
comment on column public.property_custom_fields.updated_at is $$When the row last changed.$$;


create table public.unit_custom_fields (
    workspace_id uuid not null,
    unit_id uuid not null,
    fields jsonb not null default '{}' check (jsonb_typeof(fields) = 'object' and length(fields::text) <= 32000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (workspace_id, unit_id),
    foreign key (workspace_id, unit_id) references public.units (workspace_id, id) on delete cascade
);

comment on table public.unit_custom_fields is $$Values of a unit's custom fields.

One row a unit, made by the first value. `rpc/set_custom_fields` writes single values whether there is a row or not;
a PATCH replaces them all. Only members see them.$$;
comment on column public.unit_custom_fields.workspace_id is $$The workspace that manages the unit.$$;
comment on column public.unit_custom_fields.unit_id is $$The unit.$$;
comment on column public.unit_custom_fields.fields is
    $$Values by key, as custom_field_definitions wants them. Filter with `fields->>key=eq.…` or `fields=cs.{…}`.$$;
comment on column public.unit_custom_fields.created_at is $$When the row was made.$$;
comment on column public.unit_custom_fields.updated_at is $$When the row last changed.$$;


create table public.tenant_custom_fields (
    workspace_id uuid not null,
    tenant_id uuid not null,
    fields jsonb not null default '{}' check (jsonb_typeof(fields) = 'object' and length(fields::text) <= 32000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (workspace_id, tenant_id),
    foreign key (workspace_id, tenant_id) references public.tenants (workspace_id, id) on delete cascade
);

comment on table public.tenant_custom_fields is $$Values of a renter's custom fields.

One row a renter, made by the first value. `rpc/set_custom_fields` writes single values whether there is a row or not;
a PATCH replaces them all. Only members see them.$$;
comment on column public.tenant_custom_fields.workspace_id is $$The workspace that manages the renter.$$;
comment on column public.tenant_custom_fields.tenant_id is $$The renter.$$;
comment on column public.tenant_custom_fields.fields is
    $$Values by key, as custom_field_definitions wants them. Filter with `fields->>key=eq.…` or `fields=cs.{…}`.$$;
comment on column public.tenant_custom_fields.created_at is $$When the row was made.$$;
comment on column public.tenant_custom_fields.updated_at is $$When the row last changed.$$;


create table public.lease_custom_fields (
    workspace_id uuid not null,
    lease_id uuid not null,
    fields jsonb not null default '{}' check (jsonb_typeof(fields) = 'object' and length(fields::text) <= 32000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (workspace_id, lease_id),
    foreign key (workspace_id, lease_id) references public.leases (workspace_id, id) on delete cascade
);

comment on table public.lease_custom_fields is $$Values of a lease's custom fields.

One row a lease, made by the first value. `rpc/set_custom_fields` writes single values whether there is a row or not;
a PATCH replaces them all. Only members see them.$$;
comment on column public.lease_custom_fields.workspace_id is $$The workspace that manages the lease.$$;
comment on column public.lease_custom_fields.lease_id is $$The lease.$$;
comment on column public.lease_custom_fields.fields is
    $$Values by key, as custom_field_definitions wants them. Filter with `fields->>key=eq.…` or `fields=cs.{…}`.$$;
comment on column public.lease_custom_fields.created_at is $$When the row was made.$$;
comment on column public.lease_custom_fields.updated_at is $$When the row last changed.$$;


create table public.maintenance_request_custom_fields (
    workspace_id uuid not null,
    request_id uuid not null,
    fields jsonb not null default '{}' check (jsonb_typeof(fields) = 'object' and length(fields::text) <= 32000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (workspace_id, request_id),
    foreign key (workspace_id, request_id) references public.maintenance_requests (workspace_id, id) on delete cascade
);

comment on table public.maintenance_request_custom_fields is $$Values of a maintenance request's custom fields.

One row a request, made by the first value. `rpc/set_custom_fields` writes single values whether there is a row or not;
a PATCH replaces them all. Only members see them.$$;
comment on column public.maintenance_request_custom_fields.workspace_id is $$The workspace that manages the request.$$;
comment on column public.maintenance_request_custom_fields.request_id is $$The request.$$;
comment on column public.maintenance_request_custom_fields.fields is
    $$Values by key, as custom_field_definitions wants them. Filter with `fields->>key=eq.…` or `fields=cs.{…}`.$$;
comment on column public.maintenance_request_custom_fields.created_at is $$When the row was made.$$;
comment on column public.maintenance_request_custom_fields.updated_at is $$When the row last changed.$$;


-- What can have custom fields, where their values stand, and what it takes to write them.
create view private.custom_field_entities with (security_invoker = true) as
select
    e.entity,
    e.values_table,
    e.id_column,
    e.permission
from (
    values
    ('properties', 'property_custom_fields', 'property_id', 'portfolio.write'),
    ('units', 'unit_custom_fields', 'unit_id', 'portfolio.write'),
    ('tenants', 'tenant_custom_fields', 'tenant_id', 'renters.write'),
    ('leases', 'lease_custom_fields', 'lease_id', 'leases.write'),
    ('maintenance_requests', 'maintenance_request_custom_fields', 'request_id', 'maintenance.write')
) as e (entity, values_table, id_column, permission);

comment on view private.custom_field_entities is
    $$What can have custom fields, where their values stand, and what it takes to write them.$$;


-- Writers of values share the lock of a workspace's fields for one kind of record; a change to those fields takes it alone. So
-- it waits for values on their way, and sees them; and values that come later see it.
create function private.custom_fields_lock(p_workspace_id uuid, p_entity text)
    returns bigint
    immutable
    strict
    parallel safe
    set search_path = ''
    language sql
as $$
    select hashtextextended('freehold.custom_fields.' || p_entity, 0) # hashtextextended(p_workspace_id::text, 0)
$$;


-- Each value fits its field, and no required one is missing, whoever writes. After row security has let the rows in, so that
-- a refusal tells no stranger anything. Arguments: the entity, and the column that names it.
create function private.check_custom_fields()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_wrong record;
begin
    perform pg_advisory_xact_lock_shared(l.lock)
    from (
        select distinct private.custom_fields_lock(t.workspace_id, tg_argv[0]) as lock from touched as t order by 1
    ) as l;
    select
        f.key,
        d.id is null as is_unknown,
        d.status = 'archived' and tg_op = 'INSERT' as is_archived,
        wrong.must_be,
        left(array_to_string(d.options, ', '), 1000) as options,
        to_jsonb(t) ->> tg_argv[1] as entity_id
    into v_wrong
    from touched as t
    cross join lateral jsonb_each(t.fields) as f
    left join public.custom_field_definitions as d
        on d.workspace_id = t.workspace_id and d.entity = tg_argv[0] and d.key = f.key
    cross join lateral (
        select case when d.id is not null then private.custom_field_problem(d.type, d.options, f.value) end as must_be
    ) as wrong
    where d.id is null or d.status = 'archived' and tg_op = 'INSERT' or wrong.must_be is not null
    limit 1;
    if v_wrong.is_unknown then
        perform private.fail(
            422, 'custom_field_unknown', format('The workspace defines no field %s for %s.', v_wrong.key, tg_argv[0]),
            format('key=%s %s=%s', v_wrong.key, tg_argv[1], v_wrong.entity_id),
            'List the fields there are: GET /custom_field_definitions?entity=eq.' || tg_argv[0] || '.'
        );
    elsif v_wrong.is_archived then
        perform private.refuse_archived_field(v_wrong.key, tg_argv[1], v_wrong.entity_id);
    elsif v_wrong.must_be is not null then
        perform private.fail(
            422, 'custom_field_invalid', format('The field %s must be %s.', v_wrong.key, v_wrong.must_be),
            format('key=%s %s=%s', v_wrong.key, tg_argv[1], v_wrong.entity_id),
            coalesce('Its options are ' || v_wrong.options || '.', 'Leave the key out for no value.')
        );
    end if;
    select d.key, to_jsonb(t) ->> tg_argv[1] as entity_id
    into v_wrong
    from touched as t
    join public.custom_field_definitions as d on d.workspace_id = t.workspace_id and d.entity = tg_argv[0]
    where
        d.required
        and d.status = 'active'
        and not t.fields ? d.key
        -- A renewal may lack what the lease before it lacks: nobody is there to be asked when a lease renews by itself.
        and not (
            tg_op = 'INSERT'
            and tg_argv[0] = 'leases'
            and exists (
                select from public.leases as l
                join public.lease_custom_fields as c on c.workspace_id = l.workspace_id and c.lease_id = l.renewed_from_id
                where
                    l.workspace_id = t.workspace_id
                    and l.id = (to_jsonb(t) ->> tg_argv[1])::uuid
                    and not c.fields ? d.key
            )
        )
    limit 1;
    if found then
        perform private.fail(
            422, 'custom_field_required', format('The field %s is required.', v_wrong.key),
            format('key=%s %s=%s', v_wrong.key, tg_argv[1], v_wrong.entity_id),
            'Give it a value in the same call, or delete the row of values as a whole.'
        );
    end if;
    if tg_op = 'UPDATE' then
        select f.key, to_jsonb(t) ->> tg_argv[1] as entity_id
        into v_wrong
        from touched as t
        cross join lateral jsonb_each(t.fields) as f
        join public.custom_field_definitions as d
            on d.workspace_id = t.workspace_id and d.entity = tg_argv[0] and d.key = f.key and d.status = 'archived'
        left join before as was
            on
                was.workspace_id = t.workspace_id
                and to_jsonb(was) ->> tg_argv[1] = to_jsonb(t) ->> tg_argv[1]
        where was.fields -> f.key is distinct from f.value
        limit 1;
        if found then
            perform private.refuse_archived_field(v_wrong.key, tg_argv[1], v_wrong.entity_id);
        end if;
    end if;
    return null;
end
$$;


create function private.refuse_archived_field(p_key text, p_column text, p_entity_id text)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.fail(
        422, 'custom_field_archived', format('The field %s is archived: its values stay or go.', p_key),
        format('key=%s %s=%s', p_key, p_column, p_entity_id),
        'Leave it as it is, remove the key, or make the field active again.'
    );
end
$$;

create trigger touch_updated_at before update on public.property_custom_fields
    for each row execute function private.touch_updated_at();

create trigger check_custom_fields_on_insert after insert on public.property_custom_fields
    referencing new table as touched
    for each statement execute function private.check_custom_fields('properties', 'property_id');

create trigger check_custom_fields_on_update after update on public.property_custom_fields
    referencing old table as before new table as touched
    for each statement execute function private.check_custom_fields('properties', 'property_id');

create trigger refuse_truncate before truncate on public.property_custom_fields
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.property_custom_fields
    referencing new table as new_rows
    for each statement execute function private.record_changes('{property_id}');

create trigger record_updates after update on public.property_custom_fields
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{property_id}');

create trigger record_deletes after delete on public.property_custom_fields
    referencing old table as old_rows
    for each statement execute function private.record_changes('{property_id}');

create trigger touch_updated_at before update on public.unit_custom_fields
    for each row execute function private.touch_updated_at();

create trigger check_custom_fields_on_insert after insert on public.unit_custom_fields
    referencing new table as touched
    for each statement execute function private.check_custom_fields('units', 'unit_id');

create trigger check_custom_fields_on_update after update on public.unit_custom_fields
    referencing old table as before new table as touched
    for each statement execute function private.check_custom_fields('units', 'unit_id');

create trigger refuse_truncate before truncate on public.unit_custom_fields
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.unit_custom_fields
    referencing new table as new_rows
    for each statement execute function private.record_changes('{unit_id}');

create trigger record_updates after update on public.unit_custom_fields
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{unit_id}');

create trigger record_deletes after delete on public.unit_custom_fields
    referencing old table as old_rows
    for each statement execute function private.record_changes('{unit_id}');

create trigger touch_updated_at before update on public.tenant_custom_fields
    for each row execute function private.touch_updated_at();

create trigger check_custom_fields_on_insert after insert on public.tenant_custom_fields
    referencing new table as touched
    for each statement execute function private.check_custom_fields('tenants', 'tenant_id');

create trigger check_custom_fields_on_update after update on public.tenant_custom_fields
    referencing old table as before new table as touched
    for each statement execute function private.check_custom_fields('tenants', 'tenant_id');

create trigger refuse_truncate before truncate on public.tenant_custom_fields
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.tenant_custom_fields
    referencing new table as new_rows
    for each statement execute function private.record_changes('{tenant_id}', '{fields}');

create trigger record_updates after update on public.tenant_custom_fields
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{tenant_id}', '{fields}');

create trigger record_deletes after delete on public.tenant_custom_fields
    referencing old table as old_rows
    for each statement execute function private.record_changes('{tenant_id}', '{fields}');

create trigger touch_updated_at before update on public.lease_custom_fields
    for each row execute function private.touch_updated_at();

create trigger check_custom_fields_on_insert after insert on public.lease_custom_fields
    referencing new table as touched
    for each statement execute function private.check_custom_fields('leases', 'lease_id');

create trigger check_custom_fields_on_update after update on public.lease_custom_fields
    referencing old table as before new table as touched
    for each statement execute function private.check_custom_fields('leases', 'lease_id');

create trigger refuse_truncate before truncate on public.lease_custom_fields
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.lease_custom_fields
    referencing new table as new_rows
    for each statement execute function private.record_changes('{lease_id}');

create trigger record_updates after update on public.lease_custom_fields
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{lease_id}');

create trigger record_deletes after delete on public.lease_custom_fields
    referencing old table as old_rows
    for each statement execute function private.record_changes('{lease_id}');

create trigger touch_updated_at before update on public.maintenance_request_custom_fields
    for each row execute function private.touch_updated_at();

create trigger check_custom_fields_on_insert after insert on public.maintenance_request_custom_fields
    referencing new table as touched
    for each statement execute function private.check_custom_fields('maintenance_requests', 'request_id');

create trigger check_custom_fields_on_update after update on public.maintenance_request_custom_fields
    referencing old table as before new table as touched
    for each statement execute function private.check_custom_fields('maintenance_requests', 'request_id');

create trigger refuse_truncate before truncate on public.maintenance_request_custom_fields
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.maintenance_request_custom_fields
    referencing new table as new_rows
    for each statement execute function private.record_changes('{request_id}');

create trigger record_updates after update on public.maintenance_request_custom_fields
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{request_id}');

create trigger record_deletes after delete on public.maintenance_request_custom_fields
    referencing old table as old_rows
    for each statement execute function private.record_changes('{request_id}');


-- The time at which a field was archived is the database's to say.
create function private.stamp_archived_at()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if new.status <> old.status then
        new.archived_at := case new.status when 'archived' then now() end;
    end if;
    return new;
end
$$;

create trigger stamp_archived_at before update on public.custom_field_definitions
    for each row execute function private.stamp_archived_at();

create trigger touch_updated_at before update on public.custom_field_definitions
    for each row execute function private.touch_updated_at();


-- What values rely on stays: the key and the type always, the field and its options while a value uses them. And there is an
-- end to how many there are.
create function private.settle_custom_field_definition()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

create trigger settle_custom_field_definition after insert or update or delete on public.custom_field_definitions
    for each row execute function private.settle_custom_field_definition();

create trigger refuse_truncate before truncate on public.custom_field_definitions
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.custom_field_definitions
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.custom_field_definitions
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.custom_field_definitions
    referencing old table as old_rows
    for each statement execute function private.record_changes();


create function private.set_custom_fields(p_entity text, p_entity_id uuid, p_fields jsonb)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

grant execute on function private.set_custom_fields(text, uuid, jsonb) to authenticated;


create function public.set_custom_fields(entity text, entity_id uuid, fields jsonb)
    returns jsonb
    volatile
    set search_path = ''
    language sql
as $$
    select private.set_custom_fields(entity, entity_id, fields)
$$;

comment on function public.set_custom_fields(text, uuid, jsonb) is $$Sets some custom fields of a record, and leaves the others

`entity` is properties, units, tenants, leases or maintenance_requests; `fields` has values by key; null takes a value away. Two callers who set
different keys at once both hold. Needs the permission to write the record. 422 `custom_field_unknown`,
`custom_field_invalid`, `custom_field_required`, `custom_field_archived`: `details` names the key. 404 `record_not_found`.
Answers all the record's values.$$;

grant execute on function public.set_custom_fields(text, uuid, jsonb) to authenticated;
