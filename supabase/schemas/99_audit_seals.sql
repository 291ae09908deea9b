-- Sealing: a job chains the entries of each workspace, so that nobody, the database's owner included, changes one unseen.

-- What is chained of an entry. Times as numbers: how they are written depends on settings. Personal values by their digest.
create view private.audit_payloads with (security_invoker = true) as
select
    e.workspace_id,
    e.id,
    e.transaction_id,
    sha256(convert_to(jsonb_build_array(
        e.id,
        e.workspace_id,
        e.entity,
        e.entity_id,
        e.operation,
        e.actor_id,
        e.actor_role,
        e.request_id,
        extract(epoch from e.recorded_at),
        e.transaction_id::text,
        e.before,
        e.after,
        e.personal_columns,
        encode(e.personal_digest, 'hex')
    )::text, 'UTF8')) as payload
from public.audit_entries as e;

comment on view private.audit_payloads is $$SHA-256 of all that an entry says.$$;


create table private.audit_seals (
    workspace_id uuid not null,
    position bigint not null check (position > 0),
    entry_id bigint not null,
    digest bytea not null,
    sealed_at timestamptz not null,
    primary key (workspace_id, position),
    unique (workspace_id, entry_id)
);

comment on table private.audit_seals is $$The chain of each workspace: digest is the SHA-256 of the digest before, the entry's payload and the position.$$;


create table private.audit_heads (
    workspace_id uuid primary key,
    position bigint not null,
    digest bytea not null,
    sealed_at timestamptz not null
);

comment on table private.audit_heads is $$Where each chain ends: a chain that is cut off shows.$$;


create table private.audit_progress (
    id boolean primary key default true check (id),
    system_identifier bigint,
    transaction_id xid8 not null default '0',
    entry_id bigint not null default 0
);

comment on table private.audit_progress is $$One row, which a sealer locks: entries up to this transaction and, within it, this entry are sealed.
Transaction ids mean something within one database cluster alone: system_identifier says which.$$;


-- A link of the chain.
create function private.audit_link(p_previous bytea, p_payload bytea, p_position bigint)
    returns bytea
    immutable
    parallel safe
    set search_path = ''
    language sql
as $$
    select sha256(coalesce(p_previous, '') || p_payload || int8send(p_position))
$$;


-- Chains the next entries. Only those of transactions older than every one that still runs: what commits later has a larger
-- transaction id than all that is sealed, so nothing slips in before. In another cluster than the last time (a dump was restored,
-- the cluster was upgraded) transaction ids tell nothing: then everything that has no seal is chained, before counting starts anew.
create function worker.seal_audit(p_now timestamptz default now(), p_limit integer default 5000)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_progress private.audit_progress;
    v_here bigint := (select c.system_identifier from pg_catalog.pg_control_system() as c);
    v_horizon xid8;
    v_elsewhere boolean;
    v_entry record;
    v_head private.audit_heads;
    v_count integer := 0;
    v_sealed integer := 0;
    v_last_transaction_id xid8;
    v_last_entry_id bigint;
begin
    -- A second sealer waits here, and then goes on where the first one ended.
    select * into strict v_progress from private.audit_progress for update;
    v_horizon := pg_snapshot_xmin(pg_current_snapshot());
    v_elsewhere := v_progress.system_identifier is distinct from v_here or v_progress.transaction_id > v_horizon;

    for v_entry in
        with next_ones as materialized (
            (
                select e.workspace_id, e.id, e.transaction_id
                from public.audit_entries as e
                where
                    not v_elsewhere
                    and (e.transaction_id, e.id) > (v_progress.transaction_id, v_progress.entry_id)
                    and e.transaction_id < v_horizon
                order by e.transaction_id, e.id
                limit p_limit
            )
            union all
            (
                select e.workspace_id, e.id, e.transaction_id
                from public.audit_entries as e
                where
                    v_elsewhere
                    -- What is visible and no transaction of this cluster yet is of the other one; what may be of either waits.
                    and (e.transaction_id < v_horizon or e.transaction_id >= pg_snapshot_xmax(pg_current_snapshot()))
                    and not exists (
                        select from private.audit_seals as s where s.workspace_id = e.workspace_id and s.entry_id = e.id
                    )
                order by e.id
                limit p_limit
            )
        )
        select
            n.workspace_id, n.id, n.transaction_id, p.payload,
            exists (
                select from private.audit_seals as s where s.workspace_id = n.workspace_id and s.entry_id = n.id
            ) as is_sealed
        from next_ones as n
        join private.audit_payloads as p on p.workspace_id = n.workspace_id and p.id = n.id
        order by n.workspace_id, n.transaction_id, n.id
    loop
        v_count := v_count + 1;
        if v_last_transaction_id is null or (v_entry.transaction_id, v_entry.id) > (v_last_transaction_id, v_last_entry_id) then
            v_last_transaction_id := v_entry.transaction_id;
            v_last_entry_id := v_entry.id;
        end if;
        -- Chained in another cluster, whose transaction ids this one has reached by now.
        continue when v_entry.is_sealed;
        if v_entry.workspace_id is distinct from v_head.workspace_id then
            perform private.keep_audit_head(v_head);
            select * into v_head from private.audit_heads where workspace_id = v_entry.workspace_id;
            v_head.workspace_id := v_entry.workspace_id;
            v_head.sealed_at := p_now;
        end if;
        v_head.position := coalesce(v_head.position, 0) + 1;
        v_head.digest := private.audit_link(v_head.digest, v_entry.payload, v_head.position);
        insert into private.audit_seals (workspace_id, position, entry_id, digest, sealed_at)
        values (v_head.workspace_id, v_head.position, v_entry.id, v_head.digest, p_now);
        v_sealed := v_sealed + 1;
    end loop;
    perform private.keep_audit_head(v_head);

    if v_elsewhere and v_count < p_limit then
        update private.audit_progress set system_identifier = v_here, transaction_id = v_horizon, entry_id = 0 where id;
    elsif not v_elsewhere and v_count > 0 then
        update private.audit_progress set transaction_id = v_last_transaction_id, entry_id = v_last_entry_id where id;
    end if;
    return jsonb_build_object('entries', v_sealed, 'more', v_count = p_limit);
end
$$;

comment on function worker.seal_audit(timestamptz, integer) is $$Chains what the change log has got since the last time

Answers {entries, more}: call it again while `more` is true. Any number of workers may call it at once.$$;

grant execute on function worker.seal_audit(timestamptz, integer) to worker;


create function private.keep_audit_head(p_head private.audit_heads)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if p_head.workspace_id is null then
        return;
    end if;
    insert into private.audit_heads as h (workspace_id, position, digest, sealed_at)
    values (p_head.workspace_id, p_head.position, p_head.digest, p_head.sealed_at)
    on conflict (workspace_id) do update
    set position = excluded.position, digest = excluded.digest, sealed_at = excluded.sealed_at;
end
$$;


-- How far sealing is behind: since when the oldest entry waits that could be sealed, since when the oldest that must wait for a
-- transaction which still runs, and since when the oldest runs that writes. That one may be in any database of the cluster; its age is
-- null where the roles of the database may not see it.
create function private.sealing_lag(p_now timestamptz)
    returns jsonb
    stable
    set search_path = ''
    language plpgsql
as $$
declare
    v_progress private.audit_progress;
    v_horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
begin
    select * into v_progress from private.audit_progress;
    -- In a copy that was restored elsewhere the next seal is the first that counts in its transaction ids.
    if v_progress.system_identifier is distinct from (select c.system_identifier from pg_catalog.pg_control_system() as c)
        or v_progress.transaction_id > v_horizon
    then
        v_progress.transaction_id := '0';
    end if;
    return jsonb_build_object(
        'waiting_seconds', (
            select floor(extract(epoch from p_now - e.recorded_at))::bigint
            from public.audit_entries as e
            where
                (e.transaction_id, e.id) > (v_progress.transaction_id, v_progress.entry_id)
                and e.transaction_id < v_horizon
                and not exists (
                    select from private.audit_seals as s where s.workspace_id = e.workspace_id and s.entry_id = e.id
                )
            order by e.transaction_id, e.id
            limit 1
        ),
        'held_up_seconds', (
            select floor(extract(epoch from p_now - min(e.recorded_at)))::bigint
            from public.audit_entries as e
            where e.transaction_id >= v_horizon and e.transaction_id < pg_snapshot_xmax(pg_current_snapshot())
        ),
        'oldest_transaction_seconds', (
            select floor(extract(epoch from p_now - min(a.xact_start)))::bigint
            from pg_catalog.pg_stat_activity as a
            where a.backend_xid is not null
        )
    );
end
$$;
