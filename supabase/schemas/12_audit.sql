-- The change log: what was changed in any table, by whom, when, and from what to what. Triggers write it, statement by statement.

create table public.audit_entries (
    id bigint not null generated always as identity,
    workspace_id uuid not null,
    entity text not null,
    entity_id text not null,
    operation text not null check (operation in ('insert', 'update', 'delete', 'erase', 'prune')),
    actor_id uuid,
    actor_role text not null,
    request_id text,
    recorded_at timestamptz not null default clock_timestamp(),
    transaction_id xid8 not null default pg_current_xact_id(),
    before jsonb,
    after jsonb,
    personal_columns text[],
    personal_digest bytea,
    primary key (workspace_id, id),
    constraint before_and_after_fit_the_operation check (
        (operation in ('update', 'delete')) = (before is not null) and (operation = 'delete') = (after is null)
    ),
    constraint personal_columns_have_a_digest check ((personal_columns is null) = (personal_digest is null))
);

create index audit_entries_entity_idx on public.audit_entries (workspace_id, entity, entity_id, recorded_at);
create index audit_entries_actor_id_idx on public.audit_entries (workspace_id, actor_id, recorded_at)
    where actor_id is not null;
create index audit_entries_recorded_at_idx on public.audit_entries (workspace_id, recorded_at);
-- Transactions are done with in no order that a clock or a sequence knows: who follows the log follows their ids.
create index audit_entries_transaction_id_idx on public.audit_entries (transaction_id, id);

create trigger refuse_truncate before truncate on public.audit_entries
    for each statement execute function private.refuse_truncate();

-- No foreign keys: what is recorded outlives rows, accounts and the workspace itself.
comment on table public.audit_entries is $$Every change to a workspace's data, one row each.

Written by the database alone, in the transaction that makes the change; nobody updates or deletes it through the API. Read by
those who hold `audit.read`. Values of personal columns stand in audit_values.$$;
comment on column public.audit_entries.id is $$Identifies the entry; grows, but neither without gaps nor in the order of commits.$$;
comment on column public.audit_entries.workspace_id is $$The workspace whose data it was. The entry outlives it.$$;
comment on column public.audit_entries.entity is $$The table, such as leases.$$;
comment on column public.audit_entries.entity_id is
    $$The row's id. Where several columns make the key: those after workspace_id, in the key's order, with / between.$$;
comment on column public.audit_entries.operation is
    $$insert, update or delete (a row whose key changes is deleted and inserted); erase: personal values of the entries about this
row were erased; prune: entries older than the workspace keeps them were dropped, `after` says which.$$;
comment on column public.audit_entries.actor_id is $$The account that did it; empty for workers and operators.$$;
comment on column public.audit_entries.actor_role is $$authenticated, worker or service_role; else the database role that was logged in.$$;
comment on column public.audit_entries.request_id is $$The x-request-id of the request that did it; empty outside requests.$$;
comment on column public.audit_entries.recorded_at is $$When it was done.$$;
comment on column public.audit_entries.transaction_id is $$The transaction that did it: changes with the same one were made together.$$;
comment on column public.audit_entries.before is
    $$Columns before the change: those that changed, all of a deleted row. Without workspace_id, updated_at and personal ones.$$;
comment on column public.audit_entries.after is
    $$Columns after the change: those that changed, all of a new row. Without workspace_id, updated_at and personal ones.$$;
comment on column public.audit_entries.personal_columns is $$Which personal columns changed; their values stand in audit_values.$$;
comment on column public.audit_entries.personal_digest is
    $$SHA-256 of what audit_values says, salted: it holds the values to the entry, and tells nothing once they are erased.$$;


create table public.audit_values (
    workspace_id uuid not null,
    entry_id bigint not null,
    salt uuid not null default gen_random_uuid(),
    before jsonb,
    after jsonb,
    primary key (workspace_id, entry_id)
);

create trigger refuse_truncate before truncate on public.audit_values
    for each statement execute function private.refuse_truncate();

comment on table public.audit_values is $$Personal values of audit entries: names, addresses, phone numbers.

Apart from the entries, so that a person's data can be erased while the record of what was done stands. Read by those who hold
`audit.read`; an entry with personal_columns and no row here had its values erased, and a later entry (`erase`) says so.$$;
comment on column public.audit_values.workspace_id is $$The workspace whose data it was.$$;
comment on column public.audit_values.entry_id is $$The entry (audit_entries.id).$$;
comment on column public.audit_values.salt is $$Random, so that nobody can guess values from the entry's digest.$$;
comment on column public.audit_values.before is $$Personal columns before the change.$$;
comment on column public.audit_values.after is $$Personal columns after the change.$$;


-- What an entry's personal_digest must be. Named by position in the text: neither side can pass for the other.
create function private.personal_digest(p_salt uuid, p_before jsonb, p_after jsonb)
    returns bytea
    immutable
    parallel safe
    set search_path = ''
    language sql
as $$
    select sha256(convert_to(jsonb_build_array(p_salt, p_before, p_after)::text, 'UTF8'))
$$;


-- Records what a statement changed: set-based, however many rows it has. Three triggers on every table of a workspace:
--
--     create trigger record_inserts after insert on public.things
--         referencing new table as new_rows
--         for each statement execute function private.record_changes(…);
--     create trigger record_updates after update on public.things
--         referencing old table as old_rows new table as new_rows
--         for each statement execute function private.record_changes(…);
--     create trigger record_deletes after delete on public.things
--         referencing old table as old_rows
--         for each statement execute function private.record_changes(…);
--
-- Up to three arguments, the same for all three, each a list like '{first_name, last_name}': the columns that make the key after
-- workspace_id, four at most ('{id}' if left out); personal columns; secret columns, whose values are never kept.
--
-- Every write waits for this. So it calls nothing that a look at a setting can say, and spells out personal_digest().
create function private.record_changes()
    returns trigger
    volatile
    security definer
    set search_path = ''
    set timezone = 'UTC'
    language plpgsql
as $$
declare
    v_keys text[] := coalesce(tg_argv[0], '{id}');
    v_personal text[] := coalesce(tg_argv[1], '{}');
    v_secret text[] := coalesce(tg_argv[2], '{}');
    v_redacted jsonb := case
        when v_secret = '{}' then '{}'
        else jsonb_object(v_secret, array_fill('[redacted]'::text, array[cardinality(v_secret)]))
    end;
    v_workspace_key text := case tg_table_name when 'workspaces' then 'id' else 'workspace_id' end;
    v_unsaid text[] := array['workspace_id', 'updated_at'] || v_personal;
    v_claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    v_actor_id uuid := case v_claims ->> 'role' when 'authenticated' then v_claims ->> 'sub' end;
    v_actor_role text := coalesce(v_claims ->> 'role', session_user);
    v_request_id text := nullif(current_setting('freehold.request_id', true), '');
    v_now timestamptz := clock_timestamp();
begin
    if tg_op = 'INSERT' then
        with changed as materialized (
            select
                nextval('public.audit_entries_id_seq') as id,
                r.whole,
                case
                    when v_personal <> '{}'
                        then (select jsonb_object_agg(p.name, r.whole -> p.name) from unnest(v_personal) as p (name))
                end as personal,
                gen_random_uuid() as salt
            from (select to_jsonb(new_rows) as whole from new_rows offset 0) as r
        ),
        apart as (
            insert into public.audit_values (workspace_id, entry_id, salt, after)
            select (c.whole ->> v_workspace_key)::uuid, c.id, c.salt, c.personal
            from changed as c
            where c.personal is not null
        )
        insert into public.audit_entries (
            id, workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, recorded_at, after,
            personal_columns, personal_digest
        )
        overriding system value
        select
            c.id,
            (c.whole ->> v_workspace_key)::uuid,
            tg_table_name,
            concat_ws('/', c.whole ->> v_keys[1], c.whole ->> v_keys[2], c.whole ->> v_keys[3], c.whole ->> v_keys[4]),
            'insert',
            v_actor_id,
            v_actor_role,
            v_request_id,
            v_now,
            c.whole - v_unsaid || v_redacted,
            case when c.personal is not null then v_personal end,
            case
                when c.personal is not null
                    then sha256(convert_to(jsonb_build_array(c.salt, null, c.personal)::text, 'UTF8'))
            end
        from changed as c;
    elsif tg_op = 'DELETE' then
        with changed as materialized (
            select
                nextval('public.audit_entries_id_seq') as id,
                r.whole,
                case
                    when v_personal <> '{}'
                        then (select jsonb_object_agg(p.name, r.whole -> p.name) from unnest(v_personal) as p (name))
                end as personal,
                gen_random_uuid() as salt
            from (select to_jsonb(old_rows) as whole from old_rows offset 0) as r
        ),
        apart as (
            insert into public.audit_values (workspace_id, entry_id, salt, before)
            select (c.whole ->> v_workspace_key)::uuid, c.id, c.salt, c.personal
            from changed as c
            where c.personal is not null
        )
        insert into public.audit_entries (
            id, workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, recorded_at, before,
            personal_columns, personal_digest
        )
        overriding system value
        select
            c.id,
            (c.whole ->> v_workspace_key)::uuid,
            tg_table_name,
            concat_ws('/', c.whole ->> v_keys[1], c.whole ->> v_keys[2], c.whole ->> v_keys[3], c.whole ->> v_keys[4]),
            'delete',
            v_actor_id,
            v_actor_role,
            v_request_id,
            v_now,
            c.whole - v_unsaid || v_redacted,
            case when c.personal is not null then v_personal end,
            case
                when c.personal is not null
                    then sha256(convert_to(jsonb_build_array(c.salt, c.personal, null)::text, 'UTF8'))
            end
        from changed as c;
    else
        -- Before and after meet by their key. What then stands alone had its key changed: one row went, another came.
        with compared as materialized (
            select
                nextval('public.audit_entries_id_seq') as id,
                coalesce(n.whole, o.whole) as whole,
                case when o.whole is null then 'insert' when n.whole is null then 'delete' else 'update' end as operation,
                d.before,
                d.after,
                d.personal_columns,
                gen_random_uuid() as salt
            from (select to_jsonb(old_rows) as whole from old_rows offset 0) as o
            full join (select to_jsonb(new_rows) as whole from new_rows offset 0) as n
                on
                    concat_ws(
                        '/', n.whole ->> v_workspace_key, n.whole ->> v_keys[1], n.whole ->> v_keys[2],
                        n.whole ->> v_keys[3], n.whole ->> v_keys[4]
                    )
                    = concat_ws(
                        '/', o.whole ->> v_workspace_key, o.whole ->> v_keys[1], o.whole ->> v_keys[2],
                        o.whole ->> v_keys[3], o.whole ->> v_keys[4]
                    )
            cross join lateral (
                select
                    jsonb_object_agg(e.key, coalesce(v_redacted -> e.key, o.whole -> e.key)) as before,
                    jsonb_object_agg(e.key, coalesce(v_redacted -> e.key, n.whole -> e.key)) as after,
                    array_agg(e.key) filter (where e.key = any (v_personal)) as personal_columns
                from jsonb_each(coalesce(n.whole, o.whole) - array['workspace_id', 'updated_at']) as e
                where o.whole -> e.key is distinct from n.whole -> e.key
            ) as d
            where d.before is not null
        ),
        changed as materialized (
            select
                c.id,
                c.whole,
                c.operation,
                c.personal_columns,
                c.salt,
                case when c.operation <> 'insert' then c.before - v_personal end as before,
                case when c.operation <> 'delete' then c.after - v_personal end as after,
                case
                    when c.personal_columns is not null and c.operation <> 'insert'
                        then (select jsonb_object_agg(p.name, c.before -> p.name) from unnest(c.personal_columns) as p (name))
                end as personal_before,
                case
                    when c.personal_columns is not null and c.operation <> 'delete'
                        then (select jsonb_object_agg(p.name, c.after -> p.name) from unnest(c.personal_columns) as p (name))
                end as personal_after
            from compared as c
        ),
        apart as (
            insert into public.audit_values (workspace_id, entry_id, salt, before, after)
            select (c.whole ->> v_workspace_key)::uuid, c.id, c.salt, c.personal_before, c.personal_after
            from changed as c
            where c.personal_columns is not null
        )
        insert into public.audit_entries (
            id, workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, recorded_at, before, after,
            personal_columns, personal_digest
        )
        overriding system value
        select
            c.id,
            (c.whole ->> v_workspace_key)::uuid,
            tg_table_name,
            concat_ws('/', c.whole ->> v_keys[1], c.whole ->> v_keys[2], c.whole ->> v_keys[3], c.whole ->> v_keys[4]),
            c.operation,
            v_actor_id,
            v_actor_role,
            v_request_id,
            v_now,
            c.before,
            c.after,
            c.personal_columns,
            case
                when c.personal_columns is not null
                    then sha256(convert_to(jsonb_build_array(c.salt, c.personal_before, c.personal_after)::text, 'UTF8'))
            end
        from changed as c;
    end if;
    return null;
end
$$;
