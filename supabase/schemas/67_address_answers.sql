-- The queue of address checks as workers see it: claimed under a lease, asked, and what the answer changes.

-- An address that changed while it was asked about in vain is due again. To be called by whoever settles a check, holding it.
create function private.note_again(p_check_id uuid)
    returns void
    volatile
    set search_path = ''
    language sql
as $$
    update private.address_checks as c
    set
        subject = private.subject_of(p, c.kind),
        status = 'due',
        attempts = 0,
        fence = null,
        last_error = null,
        queued_at = now(),
        finished_at = null
    from public.properties as p
    where
        c.id = p_check_id
        and c.kind = 'verify'
        and p.workspace_id = c.workspace_id
        and p.id = c.property_id
        and private.subject_of(p, c.kind) <> c.subject
$$;


-- Gives a check up, and its message to the dead letters.
create function private.give_up_check(
    p_queue private.queues, p_msg_id bigint, p_read_ct integer, p_check private.address_checks, p_error text
)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    update private.address_checks
    set
        status = 'failed',
        attempts = p_check.attempts,
        fence = p_read_ct,
        last_error = left(p_error, 2000),
        finished_at = clock_timestamp()
    where id = p_check.id;
    perform pgmq.send((p_queue).dead_letter, jsonb_build_object(
        'check_id', p_check.id, 'error', left(p_error, 2000), 'attempts', p_check.attempts
    ));
    perform pgmq.delete((p_queue).name, p_msg_id);
    perform private.note_again(p_check.id);
end
$$;


-- Checks that were claimed and must not be asked about: settled before, with nothing to ask any more, or tried often enough by workers
-- that died of it.
create function private.settle_checks(p_msg_ids bigint[], p_read_cts integer[])
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named('compliance', 'address_checks');
    v_claimed record;
    v_check private.address_checks;
begin
    for v_claimed in
        select q.msg_id, q.read_ct, (q.message ->> 'check_id')::uuid as check_id
        from unnest(p_msg_ids, p_read_cts) as i (msg_id, read_ct)
        join pgmq.q_compliance as q on q.msg_id = i.msg_id and q.read_ct = i.read_ct
        order by q.msg_id
    loop
        select * into v_check from private.address_checks where id = v_claimed.check_id and status = 'queued' for update;
        if found and v_check.attempts >= v_queue.max_attempts then
            perform private.give_up_check(
                v_queue, v_claimed.msg_id, v_claimed.read_ct, v_check, 'Nobody who tried told what became of it.'
            );
            continue;
        end if;
        update private.address_checks
        -- Nobody was asked about anything: the same address would be due, were it unverified again.
        set status = 'done', subject = '', fence = v_claimed.read_ct, finished_at = clock_timestamp()
        where id = v_check.id;
        perform pgmq.delete(v_queue.name, v_claimed.msg_id);
    end loop;
end
$$;


create function worker.claim_address_checks(p_limit integer default 20, p_lease_seconds integer default 30)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named('compliance', 'address_checks');
    v_msg_ids bigint[];
    v_read_cts integer[];
    v_check_ids uuid[];
    v_claimed jsonb;
    v_settled_ids bigint[];
    v_settled_cts integer[];
begin
    -- Into arrays first: the planner expects a thousand rows of pgmq.read, and would read all checks to join as many.
    select array_agg(r.msg_id), array_agg(r.read_ct), array_agg((r.message ->> 'check_id')::uuid)
    into v_msg_ids, v_read_cts, v_check_ids
    from pgmq.read(v_queue.name, p_lease_seconds, p_limit) as r;
    if v_msg_ids is null then
        return '[]';
    end if;
    -- What changed while it waited is asked about as it stands now.
    update private.address_checks as c
    set subject = private.subject_of(p, c.kind)
    from public.properties as p
    where
        c.id = any (v_check_ids)
        and c.status = 'queued'
        and p.workspace_id = c.workspace_id
        and p.id = c.property_id
        and private.subject_of(p, c.kind) <> c.subject;
    select
        coalesce(jsonb_agg(jsonb_build_object(
            'msg_id', q.msg_id,
            'read_ct', q.read_ct,
            'check', jsonb_build_object(
                'id', c.id,
                'workspace_id', c.workspace_id,
                'property_id', c.property_id,
                'kind', c.kind,
                'subject', c.subject,
                'attempts', c.attempts,
                'place_id', p.place_id,
                'address', jsonb_build_object(
                    'address_line1', p.address_line1,
                    'address_line2', p.address_line2,
                    'city', p.city,
                    'state', p.state,
                    'postal_code', p.postal_code,
                    'country', p.country
                )
            )
        ) order by q.msg_id) filter (where f.is_due), '[]'),
        array_agg(q.msg_id) filter (where not f.is_due),
        array_agg(q.read_ct) filter (where not f.is_due)
    into v_claimed, v_settled_ids, v_settled_cts
    from unnest(v_msg_ids, v_read_cts, v_check_ids) as q (msg_id, read_ct, check_id)
    left join private.address_checks as c on c.id = q.check_id
    left join public.properties as p on p.workspace_id = c.workspace_id and p.id = c.property_id
    cross join lateral (
        select coalesce(
            c.status = 'queued' and c.attempts < v_queue.max_attempts and private.subject_of(p, c.kind) = c.subject, false
        ) as is_due
    ) as f;
    if v_settled_ids is not null then
        perform private.settle_checks(v_settled_ids, v_settled_cts);
    end if;
    return v_claimed;
end
$$;

comment on function worker.claim_address_checks(integer, integer) is $$Claims up to `p_limit` checks for `p_lease_seconds`

Answers [{msg_id, read_ct, check: {id, workspace_id, property_id, kind, subject, attempts, place_id, address}}]; kind is verify, renew or
locate. read_ct is the fencing token. A check with nothing to ask about any more is not among them, nor one that has spent its tries on
workers that died: it is given up.$$;


-- The check that a claim is about, locked; null: the claim was lost.
create function private.held_check(p_msg_id bigint, p_read_ct integer)
    returns private.address_checks
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_check private.address_checks;
begin
    select c.* into v_check
    from pgmq.q_compliance as q
    join private.address_checks as c on c.id = (q.message ->> 'check_id')::uuid and c.status = 'queued'
    where q.msg_id = p_msg_id and q.read_ct = p_read_ct
    for update;
    return v_check;
end
$$;


create function worker.begin_address_check(
    p_msg_id bigint, p_read_ct integer, p_provider text, p_lease_seconds integer default 30
)
    returns boolean
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_check private.address_checks := private.held_check(p_msg_id, p_read_ct);
    v_answer jsonb;
    v_wait integer;
begin
    if v_check.id is null then
        return false;
    end if;
    if v_check.fence is not distinct from p_read_ct then
        -- Begun under this very claim: its answer was lost, and the same worker asks again.
        return true;
    end if;
    -- A renewal that asks for nothing but the id is free, and counts as nothing.
    if v_check.kind <> 'renew' then
        v_answer := private.admit_place_calls(jsonb_build_array(jsonb_build_object(
            'workspace_id', v_check.workspace_id, 'user_id', v_check.workspace_id, 'provider', p_provider,
            'kind', case v_check.kind when 'verify' then 'validate' else 'details' end
        )), true, null) -> 0;
        if not (v_answer ->> 'admitted')::boolean then
            -- Not its turn yet. It waits for its limit, and no try is counted.
            -- And not all at once then: each that asks again in vain holds up those who type.
            v_wait := (v_answer ->> 'retry_after')::integer;
            perform pgmq.set_vt('compliance', p_msg_id, v_wait + (random() * least(600, greatest(60, v_wait)))::integer);
            return null;
        end if;
    end if;
    update private.address_checks
    set
        attempts = attempts + 1,
        fence = p_read_ct,
        asked_of = case when v_check.kind <> 'renew' then p_provider end,
        asked_on = case when v_check.kind <> 'renew' then (clock_timestamp() at time zone 'UTC')::date end
    where id = v_check.id;
    perform pgmq.set_vt('compliance', p_msg_id, p_lease_seconds);
    return true;
end
$$;

comment on function worker.begin_address_check(bigint, integer, text, integer) is $$Asks whether a claimed check may go out to the provider

By `p_msg_id` and `p_read_ct`, just before the call; counts an attempt and what the call costs with `p_provider`, and extends the lease to
`p_lease_seconds`. Do not call unless it answers true. False: the claim was lost. Null: the workspace has used up a limit, and the check waits
for it.$$;


-- What an answer about a check changes, and what that is called.
create function private.apply_check(
    p_check private.address_checks, p_property public.properties, p_result jsonb, p_now timestamptz
)
    returns text
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_address jsonb := p_result -> 'address';
    v_place_id text := p_result ->> 'place_id';
    v_outcome text := case
        when p_check.kind = 'verify' then case p_result ->> 'address_status'
            when 'corrected' then 'proposed'
            when 'verified' then 'verified'
            else 'unknown'
        end
        when v_place_id is null then 'gone'
        when p_check.kind = 'renew' then 'renewed'
        else 'located'
    end;
begin
    if v_outcome = 'proposed' and exists (
        select from public.address_corrections as c
        where
            c.workspace_id = p_check.workspace_id
            and c.property_id = p_check.property_id
            and c.status = 'dismissed'
            and c.of_address = p_check.subject
            and (c.address_line1, c.address_line2, c.city, c.state, c.postal_code, c.country)
            is not distinct from (
                v_address ->> 'address_line1', v_address ->> 'address_line2', v_address ->> 'city', v_address ->> 'state',
                v_address ->> 'postal_code', v_address ->> 'country'
            )
    ) then
        v_outcome := 'dismissed';
    end if;
    if v_outcome in ('verified', 'unknown') then
        -- What was proposed before doesn't hold any more.
        delete from public.address_corrections
        where workspace_id = p_check.workspace_id and property_id = p_check.property_id and status = 'open';
    end if;
    if v_outcome = 'verified' then
        update public.properties
        set address_status = 'verified', place_id = coalesce(place_id, v_place_id)
        where id = p_property.id;
    elsif v_outcome = 'proposed' then
        insert into public.address_corrections as c (
            workspace_id, property_id, address_line1, address_line2, city, state, postal_code, country, place_id,
            provider, of_address, proposed_at
        )
        values (
            p_check.workspace_id, p_check.property_id, v_address ->> 'address_line1', v_address ->> 'address_line2',
            v_address ->> 'city', v_address ->> 'state', v_address ->> 'postal_code', v_address ->> 'country', v_place_id,
            p_result ->> 'provider', p_check.subject, p_now
        )
        on conflict (workspace_id, property_id) where status = 'open' do update set
            address_line1 = excluded.address_line1,
            address_line2 = excluded.address_line2,
            city = excluded.city,
            state = excluded.state,
            postal_code = excluded.postal_code,
            country = excluded.country,
            place_id = excluded.place_id,
            provider = excluded.provider,
            of_address = excluded.of_address,
            proposed_at = excluded.proposed_at;
    elsif v_outcome = 'gone' then
        -- The service no longer knows the place: the address is to be asked about anew, as if it never had been.
        delete from private.address_checks
        where
            workspace_id = p_check.workspace_id
            and property_id = p_check.property_id
            and kind = 'verify'
            and status in ('done', 'failed');
        update public.properties set place_id = null, address_status = 'unverified' where id = p_property.id;
    elsif v_outcome = 'renewed' then
        update public.properties set place_id = v_place_id, place_checked_at = p_now where id = p_property.id;
    end if;
    if p_result ->> 'latitude' is not null and v_place_id is not null then
        perform worker.record_place(
            p_check.workspace_id, v_place_id, (p_result ->> 'latitude')::double precision,
            (p_result ->> 'longitude')::double precision, p_result ->> 'provider', p_now
        );
    end if;
    return v_outcome;
end
$$;


-- Takes one answer down, and says what came of it.
create function private.complete_address_check(p_msg_id bigint, p_read_ct integer, p_result jsonb, p_now timestamptz)
    returns text
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_check private.address_checks;
    v_property public.properties;
    v_outcome text := 'outdated';
begin
    -- The property before the check, as by whoever deletes it.
    select p.* into v_property
    from pgmq.q_compliance as q
    join private.address_checks as c on c.id = (q.message ->> 'check_id')::uuid
    join public.properties as p on p.workspace_id = c.workspace_id and p.id = c.property_id
    where q.msg_id = p_msg_id and q.read_ct = p_read_ct
    for no key update of p;
    v_check := private.held_check(p_msg_id, p_read_ct);
    if v_check.id is null then
        return 'stale';
    end if;
    if v_check.subject = private.subject_of(v_property, v_check.kind) then
        begin
            v_outcome := private.apply_check(v_check, v_property, p_result, p_now);
        exception when integrity_constraint_violation or data_exception or program_limit_exceeded then
            -- Asked again, it would answer the same. The error is not told: it may repeat the answer.
            perform private.give_up_check(
                private.queue_named('compliance', 'address_checks'), p_msg_id, p_read_ct, v_check,
                format('The answer can''t be kept (%s).', sqlstate)
            );
            return 'failed';
        end;
    end if;
    update private.address_checks
    set status = 'done', fence = p_read_ct, last_error = null, finished_at = p_now
    where id = v_check.id;
    perform pgmq.delete('compliance', p_msg_id);
    perform private.note_again(v_check.id);
    return v_outcome;
end
$$;


create function worker.complete_address_checks(p_items jsonb, p_now timestamptz default now())
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language sql
as $$
    select coalesce(jsonb_agg(jsonb_build_object(
        'msg_id', i.msg_id, 'outcome', private.complete_address_check(i.msg_id, i.read_ct, i.result, p_now)
    ) order by i.msg_id), '[]')
    from (
        select * from jsonb_to_recordset(p_items) as x (msg_id bigint, read_ct integer, result jsonb) order by x.msg_id
    ) as i
$$;

comment on function worker.complete_address_checks(jsonb, timestamptz) is $$Records what a provider said of addresses

Items are [{msg_id, read_ct, result: {provider, address_status, address, place_id, latitude, longitude}}]; place_id is null when the
provider no longer knows the place that it was asked about. An address becomes verified, or a correction is proposed; nothing typed is
changed. Answers [{msg_id, outcome}]: verified, proposed (a correction), dismissed (somebody didn't want this very one) or unknown; renewed,
located or gone; outdated (the address changed meanwhile: the answer was dropped); failed (it can't be kept) or stale (the claim moved on,
or an earlier call was answered).$$;


-- Records one try that failed; answers {msg_id, outcome, delay_seconds}.
create function private.fail_address_check(
    p_msg_id bigint, p_read_ct integer, p_kind text, p_error text, p_retry_after integer
)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named('compliance', 'address_checks');
    v_check private.address_checks := private.held_check(p_msg_id, p_read_ct);
    v_delay integer;
begin
    if v_check.id is null then
        return jsonb_build_object('msg_id', p_msg_id, 'outcome', 'stale', 'delay_seconds', null);
    end if;
    if v_check.fence is distinct from p_read_ct then
        -- Failed before the call was let through: a try all the same.
        v_check.attempts := v_check.attempts + 1;
    end if;
    if p_kind <> 'permanent' and v_check.attempts < v_queue.max_attempts then
        v_delay := coalesce(p_retry_after, private.retry_delay(v_queue, v_check.attempts));
        update private.address_checks
        set attempts = v_check.attempts, fence = p_read_ct, last_error = left(p_error, 2000)
        where id = v_check.id;
        perform pgmq.set_vt(v_queue.name, p_msg_id, v_delay);
        return jsonb_build_object('msg_id', p_msg_id, 'outcome', 'retry', 'delay_seconds', v_delay);
    end if;
    perform private.give_up_check(v_queue, p_msg_id, p_read_ct, v_check, p_error);
    return jsonb_build_object('msg_id', p_msg_id, 'outcome', 'failed', 'delay_seconds', null);
end
$$;


create function worker.fail_address_checks(p_items jsonb)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language sql
as $$
    select coalesce(jsonb_agg(private.fail_address_check(
        i.msg_id, i.read_ct, i.kind, i.error, i.retry_after_seconds
    ) order by i.msg_id), '[]')
    from (
        select *
        from jsonb_to_recordset(p_items) as x (
            msg_id bigint, read_ct integer, kind text, error text, retry_after_seconds integer
        )
        order by x.msg_id
    ) as i
$$;

comment on function worker.fail_address_checks(jsonb) is $$Records checks that failed

Items are [{msg_id, read_ct, kind, error, retry_after_seconds?}] with kind retryable, unknown (the same: asking twice harms nobody) or
permanent. Answers [{msg_id, outcome: retry, failed or stale, delay_seconds}]. What is given up goes to the dead-letter queue, and is
queued again when the address changes.$$;


create function worker.release_address_checks(p_items jsonb)
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_msg_ids bigint[];
    v_begun uuid[];
begin
    with released as (
        update pgmq.q_compliance as q
        set vt = clock_timestamp()
        from jsonb_to_recordset(p_items) as i (msg_id bigint, read_ct integer)
        where q.msg_id = i.msg_id and q.read_ct = i.read_ct
        returning q.msg_id, q.read_ct, (q.message ->> 'check_id')::uuid as check_id
    )
    select array_agg(r.msg_id), array_agg(c.id)
    into v_msg_ids, v_begun
    from released as r
    left join private.address_checks as c on c.id = r.check_id and c.status = 'queued' and c.fence = r.read_ct;
    -- The same lock as by admission, which counts under it.
    if array_remove(v_begun, null) <> '{}' then
        perform pg_advisory_xact_lock(hashtextextended('freehold.admit_place_calls', 0));
        update public.places_usage as u
        set calls = u.calls - b.calls, cost_microdollars = u.cost_microdollars - b.calls * coalesce(p.microdollars, 0)
        from (
            select c.workspace_id, c.asked_on, c.asked_of, k.kind, count(*) as calls
            from jsonb_to_recordset(p_items) as i (msg_id bigint, spent boolean)
            join unnest(v_msg_ids, v_begun) as r (msg_id, check_id) on r.msg_id = i.msg_id and i.spent is not true
            join private.address_checks as c on c.id = r.check_id
            cross join lateral (select case c.kind when 'verify' then 'validate' else 'details' end as kind) as k
            group by c.workspace_id, c.asked_on, c.asked_of, k.kind
        ) as b
        left join private.place_call_costs as p on p.provider = b.asked_of and p.kind = b.kind
        where
            u.workspace_id = b.workspace_id and u.on_day = b.asked_on and u.provider = b.asked_of and u.kind = b.kind
            and u.calls >= b.calls;
        update private.address_checks
        set attempts = attempts - 1, fence = null, asked_of = null, asked_on = null
        where id = any (v_begun);
    end if;
    return coalesce(cardinality(v_msg_ids), 0);
end
$$;

comment on function worker.release_address_checks(jsonb) is $$Gives claims of checks back

Items are [{msg_id, read_ct, spent?}] (`p_items`); they can be claimed again at once, and no try is counted. What was let through is taken off
places_usage again, unless it is spent: the provider may have acted on it, and bill it. Answers how many claims there were.$$;

grant execute on all functions in schema worker to worker;
