-- Who records changes: for each table a function of its own, written here from the table's columns.
--
-- Every write waits for it. A function that knows its columns compares them as what they are, and its statements are planned once
-- a session; one for all tables would have to make JSON of both rows to find out what differs, or plan anew each time.

-- The statement that records what one of a table's triggers sees. Rows before and after are o and n, or only one of them.
create function private.recording_statement(
    p_table regclass, p_operation text, p_keys text[], p_personal text[], p_secret text[]
)
    returns text
    stable
    set search_path = ''
    language plpgsql
as $$
declare
    v_table text := (select c.relname from pg_catalog.pg_class as c where c.oid = p_table);
    v_workspace_key text := case v_table when 'workspaces' then 'id' else 'workspace_id' end;
    v_row text := case p_operation when 'DELETE' then 'o' else 'n' end;
    v_columns text[] := array(
        select a.attname::text
        from pg_catalog.pg_attribute as a
        where
            a.attrelid = p_table
            and a.attnum > 0
            and not a.attisdropped
            and a.attname <> all (array['workspace_id', 'updated_at'])
        order by a.attname
    );
    v_plain text[] := array(select c.name from unnest(v_columns) as c (name) where c.name <> all (p_keys || p_personal));
    v_workspace_id text := format('%s.%I', v_row, v_workspace_key);
    v_entity_id text;
    v_operation text := quote_literal(lower(p_operation));
    v_before text := 'null';
    v_after text := 'null';
    v_personal_columns text;
    v_personal_before text := 'null';
    v_personal_after text := 'null';
    v_from text;
begin
    -- All of a row, or what differs in it; of the columns that stand in the entry, or of the personal ones.
    if p_operation = 'UPDATE' then
        v_workspace_id := format('coalesce(n.%1$I, o.%1$I)', v_workspace_key);
        v_entity_id := format(
            'coalesce(%s, %s)', private.recorded_key('n', p_keys), private.recorded_key('o', p_keys)
        );
        -- Before and after meet by their key. What then stands alone had its key changed: one row went, another came.
        v_operation := format(
            $q$case when o.%1$I is null then 'insert' when n.%1$I is null then 'delete' else 'update' end$q$, v_workspace_key
        );
        v_before := format(
            'case when n.%1$I is null then %2$s when o.%1$I is not null then %3$s end',
            v_workspace_key, private.recorded_row('o', p_personal, p_secret), private.recorded_difference('o', v_plain, p_secret)
        );
        v_after := format(
            'case when o.%1$I is null then %2$s when n.%1$I is not null then %3$s end',
            v_workspace_key, private.recorded_row('n', p_personal, p_secret), private.recorded_difference('n', v_plain, p_secret)
        );
        v_personal_columns := format(
            $q$nullif(array_remove(array[%s], null), '{}')$q$,
            (
                select string_agg(format('case when o.%1$I is distinct from n.%1$I then %1$L end', c.name), ', ')
                from unnest(p_personal) as c (name)
            )
        );
        v_personal_before := format(
            'case when o.%I is not null then %s end', v_workspace_key, private.recorded_difference('o', p_personal, p_secret)
        );
        v_personal_after := format(
            'case when n.%I is not null then %s end', v_workspace_key, private.recorded_difference('n', p_personal, p_secret)
        );
        v_from := format(
            'old_rows as o full join new_rows as n on %s where (%s) is distinct from (%s)',
            (
                select string_agg(format('n.%1$I = o.%1$I', k.name), ' and ')
                from unnest(array[v_workspace_key] || p_keys) as k (name)
            ),
            (select string_agg(format('o.%I', c.name), ', ') from unnest(v_columns) as c (name)),
            (select string_agg(format('n.%I', c.name), ', ') from unnest(v_columns) as c (name))
        );
    else
        v_entity_id := private.recorded_key(v_row, p_keys);
        v_personal_columns := quote_literal(p_personal);
        if p_operation = 'INSERT' then
            v_after := private.recorded_row('n', p_personal, p_secret);
            v_personal_after := private.recorded_values('n', p_personal);
            v_from := 'new_rows as n';
        else
            v_before := private.recorded_row('o', p_personal, p_secret);
            v_personal_before := private.recorded_values('o', p_personal);
            v_from := 'old_rows as o';
        end if;
    end if;

    if p_personal = '{}' then
        return format(
            $q$
        insert into public.audit_entries (
            workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, recorded_at, before, after
        )
        select %s, %L, %s, %s, v_actor_id, v_actor_role, v_request_id, v_now, %s, %s
        from %s;$q$,
            v_workspace_id, v_table, v_entity_id, v_operation, v_before, v_after, v_from
        );
    end if;
    return format(
        -- personal_digest(), spelled out.
        $q$
        with changed as materialized (
            select
                nextval('public.audit_entries_id_seq') as id, %s as workspace_id, %s as entity_id, %s as operation,
                %s as before, %s as after, %s::text[] as personal_columns,
                %s::jsonb as personal_before, %s::jsonb as personal_after, gen_random_uuid() as salt
            from %s
        ),
        apart as (
            insert into public.audit_values (workspace_id, entry_id, salt, before, after)
            select c.workspace_id, c.id, c.salt, c.personal_before, c.personal_after
            from changed as c
            where c.personal_columns is not null
        )
        insert into public.audit_entries (
            id, workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, recorded_at, before, after,
            personal_columns, personal_digest
        )
        overriding system value
        select
            c.id, c.workspace_id, %L, c.entity_id, c.operation, v_actor_id, v_actor_role, v_request_id, v_now,
            c.before::jsonb, c.after::jsonb, c.personal_columns,
            case
                when c.personal_columns is not null
                    then sha256(convert_to(jsonb_build_array(c.salt, c.personal_before, c.personal_after)::text, 'UTF8'))
            end
        from changed as c;$q$,
        v_workspace_id, v_entity_id, v_operation, v_before, v_after, v_personal_columns, v_personal_before, v_personal_after,
        v_from, v_table
    );
end
$$;


-- The row's key, as text; null where the row is.
create function private.recorded_key(p_row text, p_keys text[])
    returns text
    immutable
    set search_path = ''
    language sql
as $$
    select string_agg(format('%s.%I::text', p_row, k.name), $q$ || '/' || $q$ order by k.n)
    from unnest(p_keys) with ordinality as k (name, n)
$$;


-- All that an entry says of a row.
create function private.recorded_row(p_row text, p_personal text[], p_secret text[])
    returns text
    immutable
    set search_path = ''
    language sql
as $$
    select format('to_jsonb(%s) - %L::text[]', p_row, array['workspace_id', 'updated_at'] || p_personal)
        || case
            when p_secret <> '{}' then format(
                ' || %L::jsonb', jsonb_object(p_secret, array_fill('[redacted]'::text, array[cardinality(p_secret)]))
            )
            else ''
        end
$$;


-- The columns, whatever they hold.
create function private.recorded_values(p_row text, p_columns text[])
    returns text
    immutable
    set search_path = ''
    language sql
as $$
    select format('jsonb_build_object(%s)', string_agg(format('%1$L, %2$s.%1$I', c.name, p_row), ', '))
    from unnest(p_columns) as c (name)
$$;


-- Those of the columns that differ between o and n, as one of the two has them.
create function private.recorded_difference(p_row text, p_columns text[], p_secret text[])
    returns text
    immutable
    set search_path = ''
    language sql
as $$
    select coalesce(
        string_agg(
            format(
                $q$case when o.%1$I is distinct from n.%1$I then jsonb_build_object(%1$L, %2$s) else '{}' end$q$,
                c.name, case when c.name = any (p_secret) then $q$'[redacted]'$q$ else format('%s.%I', p_row, c.name) end
            ),
            ' || '
        ),
        $q$'{}'::jsonb$q$
    )
    from unnest(p_columns) as c (name)
$$;


-- Writes the function that records a table's changes, and has the table's three triggers call it. Their arguments say what is
-- recorded how.
create function private.write_recorder(p_table regclass)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_name text := 'record_changes_of_' || (select c.relname from pg_catalog.pg_class as c where c.oid = p_table);
    v_arguments text[] := (
        select array_remove(string_to_array(encode(t.tgargs, 'escape'), '\000'), '')
        from pg_catalog.pg_trigger as t
        where t.tgrelid = p_table and t.tgname = 'record_updates'
    );
    v_keys text[] := coalesce(v_arguments[1], '{id}');
    v_personal text[] := coalesce(v_arguments[2], '{}');
    v_secret text[] := coalesce(v_arguments[3], '{}');
    v_trigger text;
begin
    execute format(
        $sql$
            create or replace function private.%I()
                returns trigger
                volatile
                security definer
                set search_path = ''
                set timezone = 'UTC'
                language plpgsql
            as %L
        $sql$,
        v_name,
        format(
            $body$
-- Written by private.write_recorder().
declare
    v_claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    v_actor_id uuid := case v_claims ->> 'role' when 'authenticated' then v_claims ->> 'sub' end;
    v_actor_role text := coalesce(v_claims ->> 'role', session_user);
    v_request_id text := nullif(current_setting('freehold.request_id', true), '');
    v_now timestamptz := clock_timestamp();
begin
    if tg_op = 'INSERT' then%s
    elsif tg_op = 'UPDATE' then%s
    else%s
    end if;
    return null;
end
$body$,
            private.recording_statement(p_table, 'INSERT', v_keys, v_personal, v_secret),
            private.recording_statement(p_table, 'UPDATE', v_keys, v_personal, v_secret),
            private.recording_statement(p_table, 'DELETE', v_keys, v_personal, v_secret)
        )
    );
    for v_trigger in
        select pg_catalog.pg_get_triggerdef(t.oid)
        from pg_catalog.pg_trigger as t
        where t.tgrelid = p_table and t.tgname in ('record_inserts', 'record_updates', 'record_deletes')
    loop
        execute regexp_replace(
            replace(v_trigger, 'CREATE TRIGGER', 'CREATE OR REPLACE TRIGGER'),
            'EXECUTE FUNCTION private\.\w+', 'EXECUTE FUNCTION private.' || v_name
        );
    end loop;
end
$$;


create function private.write_recorders()
    returns void
    volatile
    set search_path = ''
    language sql
as $$
    select private.write_recorder(t.tgrelid)
    from pg_catalog.pg_trigger as t
    where t.tgname = 'record_updates'
$$;

comment on function private.write_recorders() is $$Writes anew what records changes, from the columns that tables have now.

The sources of the schema do so themselves. Whoever adds a column to a table by hand calls it: until then, changes of that column
alone leave no entry.$$;

select private.write_recorders();
