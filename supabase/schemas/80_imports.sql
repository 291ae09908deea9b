-- Imports: a file's rows are staged in batches, checked, then committed all or not at all.

create table public.imports (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    kind text not null check (kind in ('rent_roll')),
    status text not null default 'staged' check (status in ('staged', 'committed')),
    file_name text not null check (length(btrim(file_name)) between 1 and 255),
    file_digest text not null check (file_digest ~ '^[0-9a-f]{64}$'),
    row_count integer not null default 0 check (row_count >= 0),
    result jsonb,
    created_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    committed_at timestamptz,
    unique (workspace_id, id),
    constraint committed_imports_have_a_result check (
        (status = 'committed') = (committed_at is not null) and (status = 'committed') = (result is not null)
    )
);

create index imports_created_at_idx on public.imports (workspace_id, created_at desc);
create index imports_created_by_idx on public.imports (created_by) where created_by is not null;
create index imports_staged_idx on public.imports (created_at) where status = 'staged';

create trigger refuse_truncate before truncate on public.imports
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.imports
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.imports
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.imports
    referencing old table as old_rows
    for each statement execute function private.record_changes();

comment on table public.imports is $$Files that were brought in, and what each changed.

Made with `rpc/start_import`, filled with `rpc/stage_import_rows`, looked at with `rpc/check_import` and carried out with
`rpc/commit_import`. One that is still staged after a day is deleted.$$;
comment on column public.imports.id is $$Identifies the import.$$;
comment on column public.imports.workspace_id is $$The workspace that it changes.$$;
comment on column public.imports.kind is $$rent_roll.$$;
comment on column public.imports.status is $$staged (nothing has changed yet) or committed.$$;
comment on column public.imports.file_name is $$The file's name, without its folder.$$;
comment on column public.imports.file_digest is $$SHA-256 of the file, in hexadecimal.$$;
comment on column public.imports.row_count is $$Rows staged.$$;
comment on column public.imports.result is $$What the commit changed, as `rpc/commit_import` answered.$$;
comment on column public.imports.created_by is $$Who started it; empty once that account is deleted.$$;
comment on column public.imports.created_at is $$When the row was made.$$;
comment on column public.imports.committed_at is $$When it was carried out; empty while it is staged.$$;


create table private.import_rows (
    import_id uuid not null references public.imports (id) on delete cascade,
    line integer not null check (line > 0),
    data jsonb not null,
    problems jsonb,
    primary key (import_id, line)
);

comment on table private.import_rows is $$Rows of imports under way, and which of their cells cannot be read. Deleted with the commit.$$;


-- The cells a rent-roll row may have: what each belongs to, how it must look, and what to do when it doesn't.
create function private.rent_roll_columns()
    returns table (name text, scope text, max_length integer, pattern text, remedy text)
    immutable
    set search_path = ''
    language sql
as $$
    with text_like (pattern) as (values ('^\S(.*\S)?$')),
    day (pattern, remedy) as (
        values ('^(19|20|21)[0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$', 'Give a day of 1900 to 2199 as YYYY-MM-DD.')
    ),
    money (pattern, remedy) as (values ('^[0-9]{1,15}$', 'Give a whole number of minor units (cents), not negative.'))
    select c.name, c.scope, c.max_length, c.pattern, c.remedy
    from text_like, day, money, lateral (
        values
        ('property_name', 'property', 120, text_like.pattern, 'Give a name of 1 to 120 characters.'),
        (
            'property_type', 'property', 20,
            '^(single_family|multi_family|apartment|condo|townhouse|manufactured|commercial|other)$',
            'Use single_family, multi_family, apartment, condo, townhouse, manufactured, commercial or other.'
        ),
        ('address_line1', 'property', 200, text_like.pattern, 'Give a street address of 1 to 200 characters.'),
        ('address_line2', 'property', 200, text_like.pattern, 'Give at most 200 characters.'),
        ('city', 'property', 120, text_like.pattern, 'Give a city of 1 to 120 characters.'),
        ('state', 'property', 60, text_like.pattern, 'Give at most 60 characters, such as CA.'),
        ('postal_code', 'property', 20, text_like.pattern, 'Give at most 20 characters.'),
        ('country', 'property', 2, '^[A-Z]{2}$', 'Give the two-letter ISO code, such as US.'),
        ('timezone', 'property', 60, '^[A-Z]\S*$', 'Give an IANA name, such as America/Chicago.'),
        ('currency', 'property', 3, '^[A-Z]{3}$', 'Give the three-letter ISO code, such as USD.'),
        ('latitude', 'property', 30, '^-?(90(\.0+)?|[0-8]?[0-9](\.[0-9]+)?)$', 'Give degrees between -90 and 90.'),
        (
            'longitude', 'property', 30, '^-?(180(\.0+)?|(1[0-7][0-9]|[0-9]{1,2})(\.[0-9]+)?)$',
            'Give degrees between -180 and 180.'
        ),
        ('manager_email', 'property', 254, '^[^@\s]+@[^@\s]+$', 'Give an address such as name@example.com.'),
        ('unit_number', 'unit', 40, text_like.pattern, 'Give a number or name of 1 to 40 characters.'),
        ('bedrooms', 'unit', 5, '^[0-9]{1,3}(\.[0-9])?$', 'Give a number such as 2; 0 is a studio.'),
        ('bathrooms', 'unit', 5, '^[0-9]{1,3}(\.[0-9])?$', 'Give a number such as 1.5.'),
        ('area_sqft', 'unit', 9, '^[1-9][0-9]*$', 'Give a whole number of square feet.'),
        ('market_rent_minor', 'unit', 15, money.pattern, money.remedy),
        ('lease_number', 'lease', 60, text_like.pattern, 'Give a number of 1 to 60 characters.'),
        ('lease_start', 'lease', 10, day.pattern, day.remedy),
        ('lease_end', 'lease', 10, day.pattern, day.remedy),
        ('notice_days', 'lease', 3, '^([0-3]?[0-9]?[0-9]|400)$', 'Give a number of days between 0 and 400.'),
        ('rent_minor', 'lease', 15, money.pattern, money.remedy),
        ('due_day', 'lease', 2, '^([1-9]|[12][0-9]|3[01])$', 'Give a day of the month, 1 to 31.'),
        ('deposit_minor', 'lease', 15, money.pattern, money.remedy),
        ('lease_status', 'lease', 6, '^(draft|active)$', 'Use draft or active; leave out leases that have ended.')
    ) as c (name, scope, max_length, pattern, remedy)
    union all
    select who.prefix || what.name, 'renter', what.max_length, what.pattern, what.remedy
    from text_like
    cross join unnest(array['tenant_', 'co_tenant_', 'co_tenant_2_', 'co_tenant_3_', 'co_tenant_4_']) as who (prefix)
    cross join lateral (
        values
        ('first_name', 120, text_like.pattern, 'Give at most 120 characters.'),
        ('last_name', 120, text_like.pattern, 'Give a name of 1 to 120 characters.'),
        ('email', 254, '^[^@\s]+@[^@\s]+$', 'Give an address such as name@example.com.'),
        ('phone', 40, '^\S.+\S$', 'Give 3 to 40 characters.')
    ) as what (name, max_length, pattern, remedy)
$$;


-- The import, locked, for whoever started it and may still do what it does.
create function private.lock_import(p_import_id uuid)
    returns public.imports
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_import public.imports;
begin
    select * into v_import
    from public.imports
    where
        id = p_import_id
        and created_by = (select auth.uid())
        and workspace_id = any (array(select private.my_workspaces()))
    for update;
    if not found then
        perform private.fail(
            404, 'import_not_found', 'There is no such import, or somebody else started it.',
            p_hint := 'Start one with rpc/start_import. One that is not committed within a day is deleted.'
        );
    end if;
    perform private.require_import(v_import.workspace_id);
    return v_import;
end
$$;


-- An import writes what its caller could write row by row, and takes a permission of its own besides.
create function private.require_import(p_workspace_id uuid)
    returns void
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.require_permission(p_workspace_id, 'imports.run');
    perform private.require_permission(p_workspace_id, 'portfolio.write');
    perform private.require_permission(p_workspace_id, 'renters.write');
    perform private.require_permission(p_workspace_id, 'leases.write');
end
$$;


create function private.start_import(p_workspace_id uuid, p_kind text, p_file_name text, p_file_digest text)
    returns public.imports
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_import public.imports;
begin
    perform private.require_import(p_workspace_id);
    if p_kind is distinct from 'rent_roll' then
        perform private.fail(
            422, 'import_kind_unknown', format('There is no kind of import called %L.', p_kind),
            p_hint := 'Use rent_roll.'
        );
    end if;
    if coalesce(p_file_digest, '') !~ '^[0-9a-f]{64}$' or coalesce(btrim(p_file_name), '') = '' then
        perform private.fail(
            422, 'import_file_invalid', 'file_name or file_digest cannot be read.',
            p_hint := 'Give the file''s name, and its SHA-256 as 64 lower-case hexadecimal digits.'
        );
    end if;
    insert into public.imports (workspace_id, kind, file_name, file_digest, created_by)
    values (p_workspace_id, p_kind, left(btrim(p_file_name), 255), p_file_digest, auth.uid())
    returning * into v_import;
    return v_import;
end
$$;


create function private.stage_import_rows(p_import_id uuid, p_rows jsonb)
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_import public.imports := private.lock_import(p_import_id);
    v_staged integer;
begin
    if v_import.status <> 'staged' then
        perform private.fail(
            409, 'import_committed', 'This import is committed: it takes no more rows.',
            p_hint := 'Start another with rpc/start_import.'
        );
    end if;
    if p_rows is null or jsonb_typeof(p_rows) <> 'array' or jsonb_array_length(p_rows) not between 1 and 1000
        or exists (
            select from jsonb_array_elements(p_rows) as r (entry)
            where
                jsonb_typeof(r.entry) <> 'object'
                or case
                    when jsonb_typeof(r.entry -> 'data') = 'object'
                        then (select count(*) from jsonb_object_keys(r.entry -> 'data')) > 100
                    else true
                end
                or coalesce(r.entry ->> 'line', '') !~ '^[1-9][0-9]{0,8}$'
        )
    then
        perform private.fail(
            422, 'import_batch_invalid', 'rows is no list of 1 to 1,000 rows of at most 100 cells.',
            p_hint := 'Give [{"line": 2, "data": {"property_name": "…", …}}, …]; docs/reference/rent-roll-csv.md has the names.'
        );
    end if;
    insert into private.import_rows as r (import_id, line, data, problems)
    select distinct on ((given.entry ->> 'line')::integer)
        p_import_id,
        (given.entry ->> 'line')::integer,
        jsonb_strip_nulls(given.entry -> 'data'),
        found.problems
    from jsonb_array_elements(p_rows) with ordinality as given (entry, position)
    cross join lateral (
        select jsonb_agg(jsonb_build_object(
            'column_name', left(cell.name, 100),
            'value', left(cell.value, 300),
            'remedy', coalesce(c.remedy, 'Leave this column out.')
        )) as problems
        from jsonb_each_text(given.entry -> 'data') as cell (name, value)
        left join private.rent_roll_columns() as c on c.name = cell.name
        where
            cell.value is not null
            and (
                c.name is null
                or length(cell.value) > c.max_length
                or cell.value !~ c.pattern
                or (c.name in ('lease_start', 'lease_end') and not pg_input_is_valid(cell.value, 'date'))
            )
    ) as found
    order by (given.entry ->> 'line')::integer, given.position desc
    on conflict (import_id, line) do update
    set data = excluded.data, problems = excluded.problems;
    select count(*) into v_staged from private.import_rows where import_id = p_import_id;
    if v_staged > 12000 then
        perform private.fail(
            413, 'import_too_large', format('An import takes 12,000 rows; this would be row %s.', v_staged),
            p_hint := 'Split the file by property, and import one part after the other.'
        );
    end if;
    update public.imports set row_count = v_staged where id = p_import_id;
    return v_staged;
end
$$;


create function private.discard_import(p_import_id uuid)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_import public.imports := private.lock_import(p_import_id);
begin
    if v_import.status <> 'staged' then
        perform private.fail(409, 'import_committed', 'This import is committed: it stays on record.');
    end if;
    delete from public.imports where id = p_import_id;
end
$$;
