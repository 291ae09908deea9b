-- What clients follow: changes(after) tells what came, what changed and what they no longer see.
--
-- Writers leave a note of each statement, in their own transaction and without waiting for anybody. Notes of transactions that
-- have committed are then given positions, by one settler at a time. So a position is never given to anything uncommitted, and
-- whatever commits later gets a later one: a reader who is at a position has missed nothing before it.

-- Every table that clients keep in step with, in an order in which no row comes before what it points to.
--
-- seen_with: the permissions that, together, show a member every row of the table; none: membership alone does; null: nobody
-- sees them all.
-- seen_where: what rows anybody else can see at most. It finds them by index, row security decides; null: none.
create function private.synced_tables()
    returns table (ordinal bigint, name text, key_columns text[], seen_with text[], seen_where text)
    immutable
    set search_path = ''
    language sql
as $$
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
$$;

comment on function private.synced_tables() is $$The tables that changes() tells of. A new table is added here, or to the
exceptions of the test that compares this with the catalog.$$;


create table private.change_notes (
    id bigint primary key generated always as identity,
    workspace_id uuid not null,
    table_name text not null,
    deleted boolean not null,
    row_keys text[] not null
)
-- Every row is deleted soon.
with (autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_scale_factor = 0.01);

comment on table private.change_notes is $$What statements did, up to 1,000 rows of a workspace a note, until it has positions.$$;


create table private.changes (
    workspace_id uuid not null,
    table_name text not null,
    row_key text not null,
    position bigint not null,
    deleted boolean not null,
    primary key (workspace_id, table_name, row_key),
    unique (workspace_id, position)
)
with (fillfactor = 90);

create index changes_deleted_idx on private.changes (position) where deleted;

comment on table private.changes is $$The latest change of each row there is or was: one entry a row, which moves ahead when the row changes again. Without a
foreign key to its workspace: the settler must not wait for whoever deletes one.$$;
comment on column private.changes.row_key is $$The key without its workspace; several columns are joined by a slash.$$;
comment on column private.changes.position is $$Later is larger. Follows the clock, in microseconds since 1970: it tells nobody how much happened, and grows on
after a restore.$$;


create table private.change_clock (
    id boolean primary key default true check (id),
    last_position bigint not null default 0,
    forgotten_before bigint not null default 0,
    database_oid oid,
    transaction_id xid8
);

comment on table private.change_clock is $$The last position given; before which time deletions are no longer told; and where and when that was, by which a
restored copy is known.$$;


create table private.lost_positions (
    after bigint primary key,
    upto bigint not null check (upto > after)
);

comment on table private.lost_positions is $$Positions that a restore has undone: whoever is at one of them has seen what never was.$$;


-- Leaves a note of what a statement did. Arguments: the columns of the key, where it is not `id`.
create function private.note_changes()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if tg_nargs = 0 then
        insert into private.change_notes (workspace_id, table_name, deleted, row_keys)
        select t.workspace_id, tg_table_name, tg_op = 'DELETE', array_agg(t.id::text)
        from (select r.workspace_id, r.id, (row_number() over () - 1) / 1000 as part from touched as r) as t
        group by t.workspace_id, t.part;
    else
        execute format(
            $sql$
                insert into private.change_notes (workspace_id, table_name, deleted, row_keys)
                select t.workspace_id, %L, %L, array_agg(t.row_key)
                from (
                    select r.%I as workspace_id, concat_ws('/', %s) as row_key, (row_number() over () - 1) / 1000 as part
                    from touched as r
                ) as t
                group by t.workspace_id, t.part
            $sql$,
            tg_table_name,
            tg_op = 'DELETE',
            case tg_table_name when 'workspaces' then 'id' else 'workspace_id' end,
            (select string_agg(format('r.%I', a.name), ', ' order by a.n) from unnest(tg_argv) with ordinality as a (name, n))
        );
    end if;
    return null;
end
$$;

-- Keys never change: no row has two of them.
do $$
declare
    v_table record;
    v_arguments text;
begin
    for v_table in select * from private.synced_tables() loop
        v_arguments := case
            when v_table.key_columns = '{id}' and v_table.name <> 'workspaces' then ''
            else (select string_agg(quote_literal(k), ', ') from unnest(v_table.key_columns) as k)
        end;
        execute format(
            $sql$
                create trigger note_insert after insert on public.%1$I referencing new table as touched
                    for each statement execute function private.note_changes(%2$s);
                create trigger note_update after update on public.%1$I referencing new table as touched
                    for each statement execute function private.note_changes(%2$s);
                create trigger note_delete after delete on public.%1$I referencing old table as touched
                    for each statement execute function private.note_changes(%2$s);
            $sql$,
            v_table.name, v_arguments
        );
    end loop;
end
$$;


-- Notes every row there is: for databases that had rows before they had notes.
create function private.note_existing_rows()
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_table record;
begin
    for v_table in select * from private.synced_tables() loop
        execute format(
            $sql$
                insert into private.change_notes (workspace_id, table_name, deleted, row_keys)
                select t.workspace_id, %1$L, false, array_agg(t.row_key)
                from (
                    select
                        r.%2$I as workspace_id,
                        concat_ws('/', %3$s) as row_key,
                        (row_number() over (partition by r.%2$I) - 1) / 1000 as part
                    from public.%1$I as r
                ) as t
                group by t.workspace_id, t.part
            $sql$,
            v_table.name,
            case v_table.name when 'workspaces' then 'id' else 'workspace_id' end,
            (select string_agg(format('r.%I', k), ', ') from unnest(v_table.key_columns) as k)
        );
    end loop;
end
$$;

comment on function private.note_existing_rows() is $$Whoever adds a table with rows to synced_tables() calls it in a migration.$$;


-- Gives positions to what has committed, some 5,000 rows at a time. Answers how many rows; 0 while another does it.
create function private.settle_changes(p_now timestamptz, p_limit integer default 5000)
    returns bigint
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_clock private.change_clock;
    v_base bigint;
    v_settled bigint;
begin
    if not exists (select from private.change_notes)
        or not pg_try_advisory_xact_lock(hashtextextended('freehold.settle_changes', 0))
    then
        return 0;
    end if;
    -- From here on until this transaction has ended nobody else gives positions; what the last one gave is committed.
    insert into private.change_clock default values on conflict (id) do nothing;
    select * into strict v_clock from private.change_clock;
    v_base := greatest(v_clock.last_position, floor(extract(epoch from p_now) * 1000000)::bigint);
    if v_clock.database_oid <> (select d.oid from pg_catalog.pg_database as d where d.datname = current_database())
        or v_clock.transaction_id > pg_current_xact_id()
    then
        insert into private.lost_positions (after, upto) values (v_clock.last_position, v_base + 1)
        on conflict (after) do update set upto = excluded.upto;
        v_base := v_base + 1;
    end if;
    with chosen as (
        select n.id
        from (
            select c.id, sum(cardinality(c.row_keys)) over (order by c.id) - cardinality(c.row_keys) as rows_before
            from (select * from private.change_notes order by id limit p_limit) as c
        ) as n
        where n.rows_before < p_limit
    ),
    taken as (
        delete from private.change_notes where id in (select c.id from chosen as c) returning *
    ),
    latest as (
        select distinct on (t.workspace_id, t.table_name, k.row_key)
            t.workspace_id, t.table_name, k.row_key, t.deleted, t.id, k.n
        from taken as t
        cross join lateral unnest(t.row_keys) with ordinality as k (row_key, n)
        where exists (select from public.workspaces as w where w.id = t.workspace_id)
        order by t.workspace_id, t.table_name, k.row_key, t.id desc
    ),
    settled as (
        insert into private.changes as c (workspace_id, table_name, row_key, position, deleted)
        select
            l.workspace_id, l.table_name, l.row_key,
            v_base + row_number() over (partition by l.workspace_id order by l.id, l.n),
            l.deleted
        from latest as l
        on conflict (workspace_id, table_name, row_key) do update
        set position = excluded.position, deleted = excluded.deleted
        returning c.position
    )
    select count(*), coalesce(max(s.position), v_base) into v_settled, v_base from settled as s;
    update private.change_clock
    set
        last_position = v_base,
        database_oid = (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()),
        transaction_id = pg_current_xact_id()
    where id;
    return v_settled;
end
$$;


-- Whether something that the caller is to be told of has no position yet, and nobody else is just giving it one: then they call again.
create function private.has_unsettled()
    returns boolean
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if exists (
        select from private.change_notes as n
        where n.workspace_id = any (array(select private.my_workspaces()))
    ) then
        return pg_try_advisory_xact_lock(hashtextextended('freehold.settle_changes', 0));
    end if;
    return false;
end
$$;


-- Whether a reader who is at the position, and had caught up at the given time, can go on from there.
create function private.can_go_on(p_position bigint, p_caught_up bigint)
    returns boolean
    stable
    security definer
    set search_path = ''
    language sql
as $$
    select
        p_position <= coalesce((select c.last_position from private.change_clock as c), 0)
        and p_caught_up >= coalesce((select c.forgotten_before from private.change_clock as c), 0)
        and not exists (
            select from private.lost_positions as l where p_position > l.after and p_position < l.upto
        )
$$;


-- Workspaces in the caller's reach, with the tables of which they see every row.
create function private.synced_workspaces()
    returns table (workspace_id uuid, wide text[])
    stable
    set search_path = ''
    language sql
as $$
    with memberships as materialized (
        select m.workspace_id, coalesce(array_agg(h.permission) filter (where h.permission is not null), '{}') as held
        from private.my_workspaces() as m (workspace_id)
        left join (
            select w.workspace_id, p.permission
            from (select distinct unnest(t.seen_with) as permission from private.synced_tables() as t) as p
            cross join lateral private.workspaces_with(p.permission) as w (workspace_id)
        ) as h on h.workspace_id = m.workspace_id
        group by m.workspace_id
    )
    select m.workspace_id, array_agg(t.name order by t.ordinal)
    from memberships as m
    join private.synced_tables() as t on t.seen_with <@ m.held
    group by m.workspace_id
    union all
    select distinct p.workspace_id, '{}'::text[]
    from private.my_portal_workspaces() as p (workspace_id)
    where p.workspace_id not in (select m.workspace_id from memberships as m)
$$;


-- The next changes of a workspace, among tables of which the caller sees every row.
create function private.next_changes(p_workspace_id uuid, p_after bigint, p_limit integer)
    returns setof private.changes
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    -- As in synced_workspaces(), for one workspace: null for whoever is no active member of it.
    v_held text[] := (
        select coalesce(array_agg(rp.permission), '{}')
        from public.workspace_members as m
        left join private.role_permissions as rp on rp.role = m.role
        where m.workspace_id = p_workspace_id and m.user_id = auth.uid() and m.status = 'active'
        group by m.user_id
    );
    v_wide text[] := array(select t.name from private.synced_tables() as t where t.seen_with <@ v_held);
begin
    return query
    select c.*
    from private.changes as c
    where c.workspace_id = p_workspace_id and c.position > p_after and c.table_name = any (v_wide)
    order by c.position
    limit p_limit;
end
$$;


-- Rows that the caller can see, by their keys: {key: row}. The condition is one of synced_tables(), or null for the rows of
-- the given keys. Runs as the caller, so row security and column grants decide.
create function private.rows_in_sight(
    p_table text, p_key_columns text[], p_workspace_id uuid, p_keys text[], p_condition text default null
)
    returns jsonb
    stable
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- Refuses a position that changes() did not give.
create function private.check_position(p_after jsonb)
    returns void
    immutable
    set search_path = ''
    language plpgsql
as $$
begin
    if jsonb_typeof(p_after) <> 'object' or exists (
        select
        from jsonb_each(case jsonb_typeof(p_after) when 'object' then p_after else '{}' end) as m (workspace_id, mark)
        where
            not pg_input_is_valid(m.workspace_id, 'uuid')
            or jsonb_typeof(m.mark -> 'held') is distinct from 'object'
            or jsonb_typeof(m.mark -> 'as') is distinct from 'string'
            or jsonb_typeof(m.mark -> 'at') is distinct from 'number'
            or jsonb_typeof(m.mark -> 'since') is distinct from 'number'
            or not pg_input_is_valid(m.mark ->> 'at', 'bigint')
            or not pg_input_is_valid(m.mark ->> 'since', 'bigint')
            or exists (
                select
                from jsonb_each(case jsonb_typeof(m.mark -> 'held') when 'object' then m.mark -> 'held' else '{}' end) as h (name, rows)
                where jsonb_typeof(h.rows) <> 'object'
            )
    ) then
        perform private.fail(
            422, 'position_unknown', '`after` is no position.',
            p_hint := 'Send what the last answer gave as `next`, unchanged; to begin, leave it out.'
        );
    end if;
end
$$;


-- The next changes among tables of which the caller sees every row: {changes, at, taken}. Positions and rows are of one moment.
create function private.wide_changes(p_workspace_id uuid, p_after bigint, p_limit integer)
    returns jsonb
    stable
    set search_path = ''
    language plpgsql
as $$
declare
    v_entries private.changes[] := array(
        select n from private.next_changes(p_workspace_id, p_after, p_limit) as n order by n.position
    );
begin
    return (
        with seen as materialized (
            select e.table_name, r.key as row_key, r.value as row
            from (
                select u.table_name, array_agg(u.row_key) as row_keys from unnest(v_entries) as u group by u.table_name
            ) as e
            join private.synced_tables() as t on t.name = e.table_name
            cross join lateral jsonb_each(
                private.rows_in_sight(e.table_name, t.key_columns, p_workspace_id, e.row_keys)
            ) as r
        )
        select jsonb_build_object(
            'taken', count(*),
            'at', coalesce(max(e.position), p_after),
            'changes', coalesce(jsonb_agg(jsonb_build_object(
                'workspace_id', p_workspace_id,
                'table', e.table_name,
                'key', jsonb_object(t.key_columns, string_to_array(e.row_key, '/')),
                'op', case when s.row is not null then 'upsert' when e.deleted then 'delete' else 'gone' end,
                'row', s.row
            ) order by e.position), '[]')
        )
        from unnest(v_entries) as e
        join private.synced_tables() as t on t.name = e.table_name
        left join seen as s on s.table_name = e.table_name and s.row_key = e.row_key
    );
end
$$;


-- The differences between what the caller was told (held: {table: {key: digest of the row}}) and what they see, in the tables
-- of which they see some rows: {changes, held, taken}. Others' rows leave no trace in it: no entry is read, only the caller's
-- own rows are.
create function private.narrow_changes(p_workspace_id uuid, p_wide text[], p_held jsonb, p_limit integer)
    returns jsonb
    stable
    set search_path = ''
    language plpgsql
as $$
declare
    v_table record;
    v_found jsonb;
    v_held jsonb := p_held;
    v_changes jsonb := '[]';
    v_left integer := p_limit;
begin
    for v_table in
        select t.*
        from private.synced_tables() as t
        where t.seen_where is not null and t.name <> all (p_wide)
        order by t.ordinal
    loop
        exit when v_left = 0;
        select jsonb_build_object(
            'taken', count(*),
            'held', (coalesce(v_held -> v_table.name, '{}') - coalesce(array_agg(d.row_key), '{}'))
                || coalesce(jsonb_object_agg(d.row_key, d.digest) filter (where d.row is not null), '{}'),
            'changes', coalesce(jsonb_agg(jsonb_build_object(
                'workspace_id', p_workspace_id,
                'table', v_table.name,
                'key', jsonb_object(v_table.key_columns, string_to_array(d.row_key, '/')),
                'op', case when d.row is null then 'gone' else 'upsert' end,
                'row', d.row
            ) order by d.row_key), '[]')
        )
        into v_found
        from (
            select coalesce(s.key, h.key) as row_key, s.value as row, left(md5(s.value::text), 16) as digest
            from jsonb_each(private.rows_in_sight(
                v_table.name, v_table.key_columns, p_workspace_id, null, v_table.seen_where
            )) as s
            full join jsonb_each_text(coalesce(v_held -> v_table.name, '{}')) as h on h.key = s.key
            where left(md5(s.value::text), 16) is distinct from h.value
            order by 1
            limit v_left
        ) as d;
        v_changes := v_changes || (v_found -> 'changes');
        v_left := v_left - (v_found ->> 'taken')::integer;
        if v_found -> 'held' <> '{}' then
            v_held := v_held || jsonb_build_object(v_table.name, v_found -> 'held');
        else
            v_held := v_held - v_table.name;
        end if;
    end loop;
    return jsonb_build_object('changes', v_changes, 'held', v_held, 'taken', p_limit - v_left);
end
$$;


create function private.changes(p_after jsonb, p_page_size integer, p_now timestamptz)
    returns jsonb
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_clock bigint := floor(extract(epoch from p_now) * 1000000);
    v_next jsonb := coalesce(p_after, '{}');
    v_left integer := p_page_size;
    v_drop jsonb;
    v_changes jsonb := '[]';
    v_reach record;
    v_mark jsonb;
    v_as text;
    v_page jsonb;
begin
    perform private.check_position(v_next);
    if p_page_size is null or p_page_size not between 1 and 1000 then
        perform private.fail(422, 'page_size_out_of_range', '`page_size` is from 1 to 1000.');
    end if;
    perform private.settle_changes(p_now);

    select coalesce(jsonb_agg(m.id order by m.id), '[]'), v_next - coalesce(array_agg(m.id), '{}')
    into v_drop, v_next
    from jsonb_object_keys(v_next) as m (id)
    where m.id::uuid not in (select s.workspace_id from private.synced_workspaces() as s);

    for v_reach in select s.* from private.synced_workspaces() as s order by s.workspace_id loop
        exit when v_left = 0;
        v_mark := v_next -> v_reach.workspace_id::text;
        v_as := md5(array_to_string(v_reach.wide, ','));
        if v_mark is not null and (
            v_mark ->> 'as' <> v_as or not private.can_go_on((v_mark ->> 'at')::bigint, (v_mark ->> 'since')::bigint)
        ) then
            v_drop := v_drop || to_jsonb(v_reach.workspace_id);
            v_mark := null;
        end if;
        v_mark := coalesce(v_mark, jsonb_build_object('as', v_as, 'at', 0, 'since', v_clock, 'held', '{}'::jsonb));

        v_page := private.wide_changes(v_reach.workspace_id, (v_mark ->> 'at')::bigint, v_left);
        v_changes := v_changes || (v_page -> 'changes');
        v_left := v_left - (v_page ->> 'taken')::integer;
        v_mark := v_mark || jsonb_build_object('at', v_page -> 'at');
        if v_left > 0 then
            v_mark := v_mark || jsonb_build_object('since', v_clock);
        end if;

        v_page := private.narrow_changes(v_reach.workspace_id, v_reach.wide, v_mark -> 'held', v_left);
        v_changes := v_changes || (v_page -> 'changes');
        v_left := v_left - (v_page ->> 'taken')::integer;
        v_mark := v_mark || jsonb_build_object('held', v_page -> 'held');

        v_next := v_next || jsonb_build_object(v_reach.workspace_id::text, v_mark);
    end loop;

    return jsonb_build_object(
        'next', v_next, 'has_more', v_left = 0 or private.has_unsettled(), 'drop', v_drop, 'changes', v_changes
    );
end
$$;

grant execute on function private.synced_tables() to authenticated;
grant execute on function private.settle_changes(timestamptz, integer) to authenticated;
grant execute on function private.has_unsettled() to authenticated;
grant execute on function private.can_go_on(bigint, bigint) to authenticated;
grant execute on function private.synced_workspaces() to authenticated;
grant execute on function private.next_changes(uuid, bigint, integer) to authenticated;
grant execute on function private.rows_in_sight(text, text[], uuid, text[], text) to authenticated;
grant execute on function private.check_position(jsonb) to authenticated;
grant execute on function private.wide_changes(uuid, bigint, integer) to authenticated;
grant execute on function private.narrow_changes(uuid, text[], jsonb, integer) to authenticated;
grant execute on function private.changes(jsonb, integer, timestamptz) to authenticated;


create function public.changes(after jsonb default null, page_size integer default 500)
    returns jsonb
    volatile
    set search_path = ''
    language sql
as $$
    select private.changes(after, page_size, now())
$$;

comment on function public.changes(jsonb, integer) is $$What the caller sees that has changed since: for clients that keep a copy

Answers {next, has_more, drop, changes}. First drop what you hold of each workspace in `drop`. Then take `changes` in order:
{workspace_id, table, key, op, row}, where op is upsert (`row` is the row as you see it now), delete, or gone (out of your
sight). Send `next` as `after` with the next call, at once while `has_more`. Without `after` it begins with everything there
is. `page_size` is from 1 to 1000. 422 `position_unknown` for an `after` that is none. See docs/how-to/sync-a-client.md.$$;

grant execute on function public.changes(jsonb, integer) to authenticated;


-- A workspace that is deleted takes its entries along.
create function private.forget_workspace()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    delete from private.changes where workspace_id in (select t.id from touched as t);
    return null;
end
$$;

create trigger forget_workspace after delete on public.workspaces
    referencing old table as touched
    for each statement execute function private.forget_workspace();


-- For an operator, after a restore to an earlier moment in place, which nothing in the database shows: clients that have seen
-- what was undone are told to begin anew. A copy restored elsewhere is known by itself.
create function private.note_restore(p_now timestamptz)
    returns void
    volatile
    set search_path = ''
    language sql
as $$
    insert into private.lost_positions (after, upto)
    select c.last_position, floor(extract(epoch from p_now) * 1000000)::bigint
    from private.change_clock as c;
    update private.change_clock set last_position = floor(extract(epoch from p_now) * 1000000)::bigint where id;
$$;


create function worker.settle_changes(p_now timestamptz default now(), p_limit integer default 5000)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_settled bigint := private.settle_changes(p_now, p_limit);
    v_before bigint := floor(extract(epoch from p_now - interval '90 days') * 1000000);
    v_forgotten bigint;
begin
    delete from private.changes as c
    where
        (c.workspace_id, c.position) in (
            select d.workspace_id, d.position
            from private.changes as d
            where d.deleted and d.position < v_before
            order by d.position
            limit p_limit
        );
    get diagnostics v_forgotten = row_count;
    if v_forgotten > 0 then
        -- A transaction that was under way for an hour may have settled with its own time.
        update private.change_clock set forgotten_before = v_before + 3600000000 where id;
    end if;
    return jsonb_build_object(
        'settled', v_settled,
        'forgotten', v_forgotten,
        'more', v_settled >= p_limit or v_forgotten >= p_limit
    );
end
$$;

comment on function worker.settle_changes(timestamptz, integer) is $$Gives positions to changes that clients will ask for

rpc/changes does so by itself; this keeps it from piling up while nobody asks. Deletions are told for 90 days, then forgotten:
whoever comes back later begins anew. Answers {settled, forgotten, more}: call again while `more`.$$;

grant execute on function worker.settle_changes(timestamptz, integer) to worker;
