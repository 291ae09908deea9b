-- Checking the chain: what was sealed is there, unchanged, in its order; and nothing has been slipped in.

-- The chain from p_after_position on, at most p_limit entries of it: what is wrong first, or where it ends.
create function private.verify_audit(
    p_workspace_id uuid, p_position bigint, p_digest text, p_after_position bigint, p_limit integer default 50000
)
    returns jsonb
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_head private.audit_heads;
    v_progress private.audit_progress;
    v_pruning public.audit_entries;
    v_pruned_position bigint;
    v_pruned_digest bytea;
    v_pruned_recorded_to timestamptz;
    v_first bigint;
    v_after bigint;
    v_digest bytea;
    v_checked record;
    v_complete boolean;
    v_unsealed bigint;
    v_stray bigint;
    v_held boolean;
    v_problem jsonb;
    v_moved_id bigint;
begin
    perform private.require_permission(p_workspace_id, 'audit.read');
    select * into v_head from private.audit_heads where workspace_id = p_workspace_id;
    select * into v_progress from private.audit_progress;
    select * into v_pruning
    from public.audit_entries as e
    where e.workspace_id = p_workspace_id and e.entity = 'audit_entries' and e.operation = 'prune'
    order by e.id desc
    limit 1;
    -- One that says nothing of the kind is no summary; below it is a problem.
    if pg_input_is_valid(v_pruning.after ->> 'to_position', 'bigint')
        and pg_input_is_valid(v_pruning.after ->> 'recorded_to', 'timestamptz')
        and v_pruning.after ->> 'digest' ~ '^[0-9a-f]{64}$'
    then
        v_pruned_position := v_pruning.after ->> 'to_position';
        v_pruned_digest := decode(v_pruning.after ->> 'digest', 'hex');
        v_pruned_recorded_to := v_pruning.after ->> 'recorded_to';
    end if;
    select min(s.position) into v_first from private.audit_seals as s where s.workspace_id = p_workspace_id;
    v_after := greatest(p_after_position, v_pruned_position, 0);
    v_digest := case
        when v_after = v_pruned_position then v_pruned_digest
        else (select s.digest from private.audit_seals as s where s.workspace_id = p_workspace_id and s.position = v_after)
    end;

    with links as materialized (
        select s.position, s.entry_id, s.digest, lag(s.digest, 1, v_digest) over (order by s.position) as previous,
            lag(s.position, 1, v_after) over (order by s.position) as previous_position
        from private.audit_seals as s
        where s.workspace_id = p_workspace_id and s.position > v_after
        order by s.position
        limit p_limit
    ),
    checked as (
        select
            l.position,
            l.entry_id,
            l.digest,
            erased.by_id is not null as is_erased,
            case
                when l.position <> l.previous_position + 1 then 'seal_missing'
                when e.id is null then 'entry_missing'
                when l.digest <> sha256(coalesce(l.previous, '') || p.payload || int8send(l.position)) then 'entry_changed'
                when e.personal_columns is null and v.entry_id is not null then 'values_added'
                when e.personal_columns is not null and v.entry_id is null and erased.by_id is null then 'values_missing'
                when
                    v.entry_id is not null
                    and e.personal_digest
                    <> sha256(convert_to(jsonb_build_array(v.salt, v.before, v.after)::text, 'UTF8'))
                    then 'values_changed'
            end as problem,
            l.previous,
            l.previous_position
        from links as l
        left join public.audit_entries as e on e.workspace_id = p_workspace_id and e.id = l.entry_id
        left join private.audit_payloads as p on p.workspace_id = p_workspace_id and p.id = l.entry_id
        left join public.audit_values as v on v.workspace_id = p_workspace_id and v.entry_id = l.entry_id
        -- Values that are gone were erased, if a later entry says so.
        left join lateral (
            select max(x.id) as by_id
            from public.audit_entries as x
            where
                e.personal_columns is not null
                and v.entry_id is null
                and x.workspace_id = p_workspace_id
                and x.entity = e.entity
                and x.entity_id = e.entity_id
                and x.operation = 'erase'
                and x.id > e.id
        ) as erased on true
    )
    select
        count(*) as entries,
        max(c.position) as last_position,
        count(*) filter (where c.is_erased) as erased,
        (array_agg(c.digest order by c.position desc))[1] as digest,
        (
            array_agg(jsonb_build_object(
                'kind', c.problem,
                'position', case c.problem when 'seal_missing' then c.previous_position + 1 else c.position end,
                'entry_id', case when c.problem <> 'seal_missing' then c.entry_id end,
                'previous', encode(c.previous, 'hex'),
                'digest', encode(c.digest, 'hex')
            ) order by c.position) filter (where c.problem is not null)
        )[1] as problem
    into v_checked
    from checked as c;
    v_problem := v_checked.problem;

    -- Is it the wrong entry that stands here? One whose seal fits was moved.
    if v_problem ->> 'kind' in ('entry_changed', 'entry_missing') then
        select p.id into v_moved_id
        from private.audit_payloads as p
        where
            p.workspace_id = p_workspace_id
            and p.id <> (v_problem ->> 'entry_id')::bigint
            and sha256(
                coalesce(decode(v_problem ->> 'previous', 'hex'), '')
                || p.payload
                || int8send((v_problem ->> 'position')::bigint)
            ) = decode(v_problem ->> 'digest', 'hex')
        limit 1;
        if found then
            v_problem := v_problem || jsonb_build_object('kind', 'order_changed', 'entry_id', v_moved_id);
        end if;
    end if;

    -- What is said to be dropped is gone, or what was altered in it would be passed over.
    if v_pruning.id is not null and (v_pruned_position is null or v_first <= v_pruned_position) then
        v_problem := jsonb_build_object(
            'kind', 'prune_differs',
            'position', case when v_first <= v_pruned_position then v_first end,
            'entry_id', v_pruning.id
        );
    end if;

    v_complete := v_checked.entries < p_limit;
    if v_complete then
        -- Whatever is older than all that is sealed should have been sealed; and no transaction is of the future.
        select
            count(*),
            min(e.id) filter (
                where
                v_progress.system_identifier = (select c.system_identifier from pg_catalog.pg_control_system() as c)
                and (
                    (e.transaction_id, e.id) <= (v_progress.transaction_id, v_progress.entry_id)
                    or e.transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
                )
            )
        into v_unsealed, v_stray
        from public.audit_entries as e
        where
            e.workspace_id = p_workspace_id
            and not exists (
                select from private.audit_seals as s where s.workspace_id = p_workspace_id and s.entry_id = e.id
            );
        v_problem := coalesce(
            v_problem,
            case
                when v_head.position > coalesce(v_checked.last_position, v_after)
                    then jsonb_build_object(
                        'kind', 'seal_missing', 'position', coalesce(v_checked.last_position, v_after) + 1, 'entry_id', null
                    )
                when
                    v_checked.digest is not null
                    and (v_head.position, v_head.digest) is distinct from (v_checked.last_position, v_checked.digest)
                    then jsonb_build_object('kind', 'head_changed', 'position', v_checked.last_position, 'entry_id', null)
                when v_stray is not null
                    then jsonb_build_object('kind', 'entry_inserted', 'position', null, 'entry_id', v_stray)
                when v_pruned_recorded_to > v_pruning.recorded_at - interval '12 months'
                    then jsonb_build_object('kind', 'pruned_early', 'position', v_pruned_position, 'entry_id', v_pruning.id)
            end
        );
    end if;

    -- A head that was taken out of the database's reach tells of a chain that was written anew.
    if p_position is not null and p_position >= coalesce(v_pruned_position, 0) then
        v_held := coalesce(
            encode(
                case
                    when p_position = v_pruned_position then v_pruned_digest
                    else (
                        select s.digest
                        from private.audit_seals as s
                        where s.workspace_id = p_workspace_id and s.position = p_position
                    )
                end,
                'hex'
            ) = lower(p_digest),
            false
        );
        if not v_held then
            v_problem := coalesce(
                v_problem, jsonb_build_object('kind', 'head_differs', 'position', p_position, 'entry_id', null)
            );
        end if;
    end if;

    return jsonb_build_object(
        'valid', v_problem is null,
        'problem', (v_problem - '{previous,digest}'::text[]) || jsonb_build_object('message', case v_problem ->> 'kind'
            when 'seal_missing' then 'The chain has a gap: the seal at this position is gone.'
            when 'entry_missing' then 'The entry that was sealed at this position is gone.'
            when 'entry_changed' then 'The entry is not what was sealed at this position.'
            when 'order_changed' then 'Another entry was sealed at this position: this one.'
            when 'entry_inserted' then 'The entry was put in past the seal: entries of its time are sealed, and it is not.'
            when 'values_missing' then 'The personal values of this entry are gone, and no erasure says so.'
            when 'values_changed' then 'The personal values of this entry are not what they were.'
            when 'values_added' then 'This entry has got personal values that it never had.'
            when 'head_changed' then 'The last seal is not the one that was made last.'
            when 'head_differs' then 'The chain is not the one that the given head is of: it was cut off or written anew.'
            when 'prune_differs' then 'The entry about what was dropped does not fit: what it says is gone is there, or it says nothing.'
            when 'pruned_early' then 'Entries younger than any workspace may drop were dropped.'
        end),
        'entries', v_checked.entries,
        'erased', v_checked.erased,
        'position', coalesce(v_checked.last_position, v_after),
        'digest', encode(coalesce(v_checked.digest, v_digest), 'hex'),
        'more', not v_complete,
        'unsealed', v_unsealed,
        'pruned', v_pruning.after,
        'head_held', v_held
    );
end
$$;

grant execute on function private.verify_audit(uuid, bigint, text, bigint, integer) to authenticated;


create function public.verify_audit(
    workspace_id uuid, head_position bigint default null, head_digest text default null, after_position bigint default 0
)
    returns jsonb
    stable
    set search_path = ''
    language sql
as $$
    select private.verify_audit(workspace_id, head_position, head_digest, after_position)
$$;

comment on function public.verify_audit(uuid, bigint, text, bigint) is $$Whether the change log is what it was when it was sealed

Answers {valid, problem, entries, erased, position, digest, more, unsealed, pruned, head_held}. `problem` is null or the first
broken link: {kind, position, entry_id, message}, kind one of seal_missing, entry_missing, entry_changed, order_changed,
entry_inserted, values_missing, values_changed, values_added, head_changed, head_differs, prune_differs, pruned_early. `entries` were checked,
`erased` of them had personal values erased, `unsealed` are too new to have a seal, `pruned` says what the workspace no longer
keeps. A call checks 50,000 entries: while `more` is true, call again with `after_position` = `position`. `head_position` and
`head_digest`, those of an earlier `audit_head`, have the chain held against it: `head_held`. Needs `audit.read`.$$;

grant execute on function public.verify_audit(uuid, bigint, text, bigint) to authenticated;


create function private.audit_head(p_workspace_id uuid)
    returns jsonb
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.require_permission(p_workspace_id, 'audit.read');
    return (
        select
            jsonb_build_object(
                'workspace_id', p_workspace_id,
                'position', coalesce(h.position, 0),
                'digest', encode(h.digest, 'hex'),
                'sealed_at', h.sealed_at
            )
        from (select 1) as once
        left join private.audit_heads as h on h.workspace_id = p_workspace_id
    );
end
$$;

grant execute on function private.audit_head(uuid) to authenticated;


create function public.audit_head(workspace_id uuid)
    returns jsonb
    stable
    set search_path = ''
    language sql
as $$
    select private.audit_head(workspace_id)
$$;

comment on function public.audit_head(uuid) is $$Where the sealed change log ends

Answers {workspace_id, position, digest, sealed_at}; position 0 where nothing is sealed yet. Keep it outside of the database:
`verify_audit` told this position and digest notices a chain that was cut off or written anew as a whole. Needs `audit.read`.$$;

grant execute on function public.audit_head(uuid) to authenticated;
