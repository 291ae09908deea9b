-- What pgmq leaves to the consumer: leases with fencing, retry with full jitter, a dead-letter queue. For role `worker`.
--
-- A claim is a pgmq lease, and its read_ct the fencing token: whoever holds an older one changes nothing any more.
-- Each call may be repeated when its answer was lost.

-- The queue's settings; refuses a name that is not one of ours, or whose items are something else. Null: whatever they are.
create function private.queue_named(p_queue text, p_holds text default 'messages')
    returns private.queues
    stable
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues;
begin
    select * into v_queue from private.queues where name = p_queue and holds = coalesce(p_holds, holds);
    if not found then
        perform private.fail(404, 'queue_not_found', format('There is no queue %L.', p_queue));
    end if;
    return v_queue;
end
$$;


-- Items that a claim has just met and that must not be sent: deleted, settled, or begun by a sender who is gone.
create function private.settle_abandoned(p_queue text, p_msg_ids bigint[], p_message_ids uuid[])
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    update public.messages
    set
        status = 'unknown',
        unknown_at = clock_timestamp(),
        last_error = 'Its sender died, or lost its claim, while sending.'
    where id = any (p_message_ids) and status = 'sending';
    perform pgmq.delete(p_queue, p_msg_ids);
end
$$;


create function worker.claim_messages(p_queue text, p_limit integer default 100, p_lease_seconds integer default 30)
    returns json
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named(p_queue);
    v_msg_ids bigint[];
    v_read_cts integer[];
    v_message_ids uuid[];
    v_claims json;
    v_abandoned_msg_ids bigint[];
    v_abandoned_ids uuid[];
begin
    -- Into arrays first: the planner expects a thousand rows of pgmq.read, and would read all messages to join as many.
    select array_agg(r.msg_id), array_agg(r.read_ct), array_agg((r.message ->> 'message_id')::uuid)
    into v_msg_ids, v_read_cts, v_message_ids
    from pgmq.read(v_queue.name, p_lease_seconds, p_limit) as r;
    -- json, not jsonb: nobody looks into it before it is text.
    select
        coalesce(json_agg(json_build_object(
            'msg_id', c.msg_id,
            'read_ct', c.read_ct,
            'message', json_build_object(
                'id', m.id,
                'workspace_id', m.workspace_id,
                'channel', m.channel,
                'template', m.template,
                'to_address', m.to_address,
                'to_name', m.to_name,
                'payload', case when m.has_secret then m.payload || coalesce(s.payload, '{}') else m.payload end,
                'attempts', m.attempts,
                'request_id', m.request_id
            )
        ) order by c.msg_id) filter (where m.status = 'queued'), '[]'),
        array_agg(c.msg_id) filter (where m.status is distinct from 'queued'),
        array_agg(c.message_id) filter (where m.status is distinct from 'queued')
    into v_claims, v_abandoned_msg_ids, v_abandoned_ids
    from unnest(v_msg_ids, v_read_cts, v_message_ids) as c (msg_id, read_ct, message_id)
    left join public.messages as m on m.id = c.message_id
    left join private.message_secrets as s on m.has_secret and s.message_id = m.id;
    if v_abandoned_msg_ids is not null then
        perform private.settle_abandoned(v_queue.name, v_abandoned_msg_ids, v_abandoned_ids);
    end if;
    return v_claims;
end
$$;

comment on function worker.claim_messages(text, integer, integer) is $$Claims up to `p_limit` messages for `p_lease_seconds`

Answers [{msg_id, read_ct, message: {id, workspace_id, channel, template, to_address, to_name, payload, attempts,
request_id}}]. A message whose sender died while sending is not among them: it becomes `unknown`.$$;


create function worker.begin_send(p_queue text, p_msg_id bigint, p_read_ct integer, p_lease_seconds integer default 30)
    returns boolean
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named(p_queue);
    v_message_id uuid;
begin
    -- The mark must outlive a crash of the server, or the mail would go out twice: whatever the server's own setting.
    perform set_config('synchronous_commit', 'on', true);
    execute format(
        $sql$
            select (q.message ->> 'message_id')::uuid
            from pgmq.%I as q
            where q.msg_id = $1 and q.read_ct = $2
            for update
        $sql$,
        'q_' || v_queue.name
    )
    into v_message_id
    using p_msg_id, p_read_ct;
    -- Begun under this very claim: its answer was lost, and the same sender asks again.
    update public.messages
    set
        status = 'sending',
        attempts = attempts + case status when 'queued' then 1 else 0 end,
        fence = p_read_ct
    where id = v_message_id and (status = 'queued' or (status = 'sending' and fence = p_read_ct));
    if not found then
        return false;
    end if;
    perform pgmq.set_vt(v_queue.name, p_msg_id, p_lease_seconds);
    return true;
end
$$;

comment on function worker.begin_send(text, bigint, integer, integer) is $$Marks a claimed message as being sent

To be called just before the first byte goes to a server; extends the lease and counts an attempt. False: the claim was lost,
or the message settled: do not send.$$;


create function worker.complete_messages(p_queue text, p_items jsonb)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named(p_queue);
    v_outcomes jsonb;
    v_missed jsonb;
begin
    execute format(
        $sql$
            with items as (
                select * from jsonb_to_recordset($1) as x (msg_id bigint, read_ct integer, message_id uuid)
            ),
            done as (
                delete from pgmq.%I as q
                using items as i
                where q.msg_id = i.msg_id and q.read_ct = i.read_ct
                returning q.msg_id, q.read_ct, (q.message ->> 'message_id')::uuid as message_id
            ),
            sent as (
                update public.messages as m
                set status = 'sent', sent_at = clock_timestamp(), fence = d.read_ct, last_error = null
                from done as d
                where m.id = d.message_id and m.status in ('queued', 'sending')
                returning m.id, m.has_secret
            ),
            forgotten as (
                delete from private.message_secrets as s
                using sent
                where sent.has_secret and s.message_id = sent.id
            )
            select
                coalesce(jsonb_agg(jsonb_build_object('msg_id', i.msg_id, 'outcome', 'completed'))
                    filter (where d.msg_id is not null), '[]'),
                jsonb_agg(to_jsonb(i)) filter (where d.msg_id is null)
            from items as i
            left join done as d on d.msg_id = i.msg_id
        $sql$,
        'q_' || v_queue.name
    )
    into v_outcomes, v_missed
    using p_items;
    if v_missed is null then
        return v_outcomes;
    end if;

    -- The claim moved on meanwhile. Whoever began the message last still knows best what became of it.
    with items as (
        select * from jsonb_to_recordset(v_missed) as x (msg_id bigint, read_ct integer, message_id uuid)
    ),
    late as (
        update public.messages as m
        set status = 'sent', sent_at = clock_timestamp(), unknown_at = null, last_error = null
        from items as i
        where m.id = i.message_id and m.fence = i.read_ct and m.status in ('sending', 'unknown')
        returning i.msg_id
    )
    select v_outcomes || jsonb_agg(jsonb_build_object('msg_id', i.msg_id, 'outcome', case
        when l.msg_id is not null then 'completed'
        when m.status = 'sent' and m.fence = i.read_ct then 'already_completed'
        else 'stale'
    end))
    into v_outcomes
    from items as i
    left join late as l on l.msg_id = i.msg_id
    left join public.messages as m on m.id = i.message_id;
    return v_outcomes;
end
$$;

comment on function worker.complete_messages(text, jsonb) is $$Records that mails were taken by a server

Items are [{msg_id, read_ct, message_id}]; answers [{msg_id, outcome}] with completed, already_completed (the answer of an
earlier call was lost) or stale (the claim moved on, and another sender has begun since).$$;


-- Seconds to wait before try number p_attempts + 1: full jitter, uniform in [0, min(cap, base * 2^(p_attempts - 1))].
-- Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
create function private.retry_delay(p_queue private.queues, p_attempts integer)
    returns integer
    volatile
    set search_path = ''
    language sql
as $$
    select ceil(random() * least(
        extract(epoch from (p_queue).backoff_cap),
        extract(epoch from (p_queue).backoff_base) * 2 ^ least(p_attempts - 1, 30)
    ))::integer
$$;


-- Records one failed try; answers {msg_id, outcome, delay_seconds}.
create function private.fail_message(
    p_queue private.queues, p_msg_id bigint, p_read_ct integer, p_kind text, p_error text, p_retry_after integer
)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_message public.messages;
    v_message_id uuid;
    v_outcome text;
    v_delay integer;
begin
    execute format(
        $sql$
            select (q.message ->> 'message_id')::uuid
            from pgmq.%I as q
            where q.msg_id = $1 and q.read_ct = $2
            for update
        $sql$,
        'q_' || (p_queue).name
    )
    into v_message_id
    using p_msg_id, p_read_ct;
    select * into v_message
    from public.messages
    where id = v_message_id and (status = 'queued' or (status = 'sending' and fence = p_read_ct))
    for update;
    if not found then
        return jsonb_build_object('msg_id', p_msg_id, 'outcome', 'stale', 'delay_seconds', null);
    end if;

    if v_message.status = 'queued' and v_message.fence is distinct from p_read_ct then
        -- Failed before sending began: a try all the same.
        v_message.attempts := v_message.attempts + 1;
    elsif v_message.status = 'queued' and p_kind = 'retryable' then
        -- Recorded before; that answer was lost.
        return jsonb_build_object('msg_id', p_msg_id, 'outcome', 'retry', 'delay_seconds', null);
    end if;

    v_outcome := case
        when p_kind = 'unknown' then 'unknown'
        when p_kind = 'retryable' and v_message.attempts < (p_queue).max_attempts then 'retry'
        else 'failed'
    end;
    update public.messages
    set
        status = case v_outcome when 'retry' then 'queued' else v_outcome end,
        attempts = v_message.attempts,
        fence = p_read_ct,
        last_error = left(p_error, 2000),
        unknown_at = case v_outcome when 'unknown' then clock_timestamp() end,
        failed_at = case v_outcome when 'failed' then clock_timestamp() end
    where id = v_message.id;
    if v_outcome = 'retry' then
        v_delay := coalesce(p_retry_after, private.retry_delay(p_queue, v_message.attempts));
        perform pgmq.set_vt((p_queue).name, p_msg_id, v_delay);
    else
        if v_outcome = 'failed' then
            perform pgmq.send((p_queue).dead_letter, jsonb_build_object(
                'message_id', v_message.id, 'error', left(p_error, 2000), 'attempts', v_message.attempts
            ));
        end if;
        perform pgmq.delete((p_queue).name, p_msg_id);
    end if;
    return jsonb_build_object('msg_id', p_msg_id, 'outcome', v_outcome, 'delay_seconds', v_delay);
end
$$;


create function worker.fail_messages(p_queue text, p_items jsonb)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language sql
as $$
    select coalesce(jsonb_agg(private.fail_message(
        private.queue_named(p_queue), i.msg_id, i.read_ct, i.kind, i.error, i.retry_after_seconds
    ) order by i.msg_id), '[]')
    from jsonb_to_recordset(p_items) as i (
        msg_id bigint, read_ct integer, kind text, error text, retry_after_seconds integer
    )
$$;

comment on function worker.fail_messages(text, jsonb) is $$Records tries that failed

Items are [{msg_id, read_ct, kind, error, retry_after_seconds?}] with kind retryable (tried again after retry_after_seconds,
else after a delay with full jitter, until the queue's attempts are spent), permanent (given up) or unknown (perhaps sent:
never tried again by itself). Answers [{msg_id, outcome: retry, failed, unknown or stale, delay_seconds}]. What is given up
goes to the dead-letter queue.$$;


create function worker.extend_claims(p_queue text, p_items jsonb, p_lease_seconds integer default 30)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named(p_queue, null);
    v_held jsonb;
begin
    execute format(
        $sql$
            with held as (
                update pgmq.%I as q
                set vt = clock_timestamp() + make_interval(secs => $2)
                from jsonb_to_recordset($1) as i (msg_id bigint, read_ct integer)
                where q.msg_id = i.msg_id and q.read_ct = i.read_ct
                returning q.msg_id
            )
            select coalesce(jsonb_agg(h.msg_id order by h.msg_id), '[]') from held as h
        $sql$,
        'q_' || v_queue.name
    )
    into v_held
    using p_items, p_lease_seconds;
    return v_held;
end
$$;

comment on function worker.extend_claims(text, jsonb, integer) is $$Keeps claims for another `p_lease_seconds`

Items are [{msg_id, read_ct}]; answers the msg_ids still held. Stop working on the others.$$;


create function worker.release_messages(p_queue text, p_items jsonb)
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named(p_queue);
    v_released integer;
begin
    execute format(
        $sql$
            update pgmq.%I as q
            set vt = clock_timestamp()
            from jsonb_to_recordset($1) as i (msg_id bigint, read_ct integer)
            where
                q.msg_id = i.msg_id
                and q.read_ct = i.read_ct
                and exists (
                    select from public.messages as m
                    where m.id = (q.message ->> 'message_id')::uuid and m.status = 'queued'
                )
        $sql$,
        'q_' || v_queue.name
    )
    using p_items;
    get diagnostics v_released = row_count;
    return v_released;
end
$$;

comment on function worker.release_messages(text, jsonb) is $$Gives claims back, unbegun

Items are [{msg_id, read_ct}]; they can be claimed again at once, and no attempt is counted. Answers how many there were.$$;


create function worker.queue_metrics()
    returns jsonb
    stable
    security definer
    set search_path = ''
    language sql
as $$
    select coalesce(jsonb_agg(jsonb_build_object(
        'queue', named.name,
        'length', m.queue_length,
        'visible', m.queue_visible_length,
        'oldest_age_seconds', m.oldest_msg_age_sec
    ) order by named.name), '[]')
    from (
        select q.name from private.queues as q
        union
        select q.dead_letter from private.queues as q
    ) as named
    cross join lateral pgmq.metrics(named.name) as m
$$;

comment on function worker.queue_metrics() is $$How full the queues are

Answers [{queue, length, visible, oldest_age_seconds}], dead-letter queues included.$$;


create function worker.health()
    returns jsonb
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_migration text;
begin
    if to_regclass('supabase_migrations.schema_migrations') is not null then
        execute 'select max(version) from supabase_migrations.schema_migrations' into v_migration;
    end if;
    return jsonb_build_object(
        'migration', v_migration,
        'database_time', clock_timestamp(),
        'queues', worker.queue_metrics(),
        'messages', jsonb_build_object(
            'unknown', (select count(*) from public.messages where unknown_at is not null),
            'failed', (select count(*) from public.messages where failed_at is not null)
        ),
        'sealing', private.sealing_lag(clock_timestamp())
    );
end
$$;

comment on function worker.health() is $$Whether the database is as the workers need it

Answers {migration, database_time, queues, messages: {unknown, failed}, sealing: {waiting_seconds, held_up_seconds,
oldest_transaction_seconds}}: how long the change log's oldest entries wait for a seal that could be made, and for one that a
transaction still open in the cluster holds up.$$;

grant execute on all functions in schema worker to worker;
