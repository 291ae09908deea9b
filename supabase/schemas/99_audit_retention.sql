-- How long the change log is kept. What is older is dropped from its beginning, and an entry that says what is chained in turn.

-- Drops entries of one workspace that are older than p_before: sealed ones, from the first on, as far as all are older; at most
-- p_limit. Whoever calls holds the lock on private.audit_progress.
create function private.prune_audit(p_workspace_id uuid, p_before timestamptz, p_now timestamptz, p_limit integer)
    returns integer
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_first bigint;
    v_last bigint;
    v_digest bytea;
    v_dropped record;
begin
    select min(s.position) into v_first from private.audit_seals as s where s.workspace_id = p_workspace_id;
    select s.position into v_last
    from public.audit_entries as e
    join private.audit_seals as s on s.workspace_id = e.workspace_id and s.entry_id = e.id
    where e.workspace_id = p_workspace_id and e.recorded_at < p_before
    order by e.recorded_at desc
    limit 1;
    v_last := least(v_last, v_first + p_limit - 1);
    -- Positions follow transactions, not the clock: among these some may be younger, and with them stays all that follows.
    select coalesce(min(s.position) - 1, v_last) into v_last
    from private.audit_seals as s
    join public.audit_entries as e on e.workspace_id = s.workspace_id and e.id = s.entry_id
    where s.workspace_id = p_workspace_id and s.position <= v_last and e.recorded_at >= p_before;
    if v_last is null or v_last < v_first then
        return 0;
    end if;

    select s.digest into v_digest
    from private.audit_seals as s
    where s.workspace_id = p_workspace_id and s.position = v_last;
    with seals as (
        delete from private.audit_seals as s
        where s.workspace_id = p_workspace_id and s.position <= v_last
        returning s.entry_id
    ),
    personal as (
        delete from public.audit_values as a
        using seals
        where a.workspace_id = p_workspace_id and a.entry_id = seals.entry_id
    ),
    entries as (
        delete from public.audit_entries as e
        using seals
        where e.workspace_id = p_workspace_id and e.id = seals.entry_id
        returning e.recorded_at
    )
    select count(*)::integer as entries, min(e.recorded_at) as since, max(e.recorded_at) as until into v_dropped
    from entries as e;
    insert into public.audit_entries (workspace_id, entity, entity_id, operation, actor_role, recorded_at, after)
    values (
        p_workspace_id, 'audit_entries', p_workspace_id::text, 'prune', 'worker', p_now,
        jsonb_build_object(
            'entries', v_dropped.entries,
            'from_position', v_first,
            'to_position', v_last,
            'recorded_from', v_dropped.since,
            'recorded_to', v_dropped.until,
            'digest', encode(v_digest, 'hex')
        )
    );
    return v_dropped.entries;
end
$$;


create function worker.prune_audit(p_now timestamptz default now(), p_limit integer default 10000)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_kept record;
    v_dropped integer := 0;
begin
    -- Sealers and other prunings wait.
    perform from private.audit_progress for update;
    for v_kept in
        select h.workspace_id, w.id is null as is_gone, p_now - make_interval(months => coalesce(w.audit_retention_months, 84)) as since
        from private.audit_heads as h
        left join public.workspaces as w on w.id = h.workspace_id
        order by h.workspace_id
    loop
        exit when v_dropped >= p_limit;
        v_dropped := v_dropped + private.prune_audit(v_kept.workspace_id, v_kept.since, p_now, p_limit - v_dropped);
    end loop;
    return jsonb_build_object('entries', v_dropped, 'more', v_dropped >= p_limit);
end
$$;

comment on function worker.prune_audit(timestamptz, integer) is $$Drops entries of the change log that are older than their workspace keeps them

Answers {entries, more}: call it again while `more` is true.$$;

grant execute on function worker.prune_audit(timestamptz, integer) to worker;
