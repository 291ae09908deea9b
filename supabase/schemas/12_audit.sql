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

-- Every write waits for these. A row's few entries are told apart and sorted as they are read.
create index audit_entries_entity_id_idx on public.audit_entries (workspace_id, entity_id);
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


-- Stands for the function that records a table's changes, which 98_audit_recorders.sql writes for each table. A table of a
-- workspace has three triggers:
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
-- workspace_id ('{id}' if left out); personal columns; secret columns, whose values are never kept.
create function private.record_changes()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.fail(
        500, 'recorder_missing', format('Nothing records changes of %s yet.', tg_relid::regclass),
        p_hint := 'Whoever runs this: select private.write_recorders().'
    );
    return null;
end
$$;
