-- What surrounds a request: its id, its limits, revoked worker tokens, and idempotency keys.

create table private.limits (
    name text primary key,
    allowed integer not null check (allowed > 0),
    per interval not null check (per > interval '0'),
    description text not null
);

comment on table private.limits is $$How much of something is allowed in how long. An operator may change the numbers at any time.$$;


create table private.revoked_tokens (
    jti text primary key,
    revoked_at timestamptz not null default now(),
    reason text not null
);

comment on table private.revoked_tokens is $$Worker tokens that are refused although their signature and `exp` still hold.$$;


create unlogged table private.write_counts (
    user_id uuid not null,
    minute timestamptz not null,
    writes integer not null default 1,
    primary key (user_id, minute)
);

comment on table private.write_counts is $$Writes a user made in a minute. Unlogged: after a crash everybody starts at nothing.$$;


create table private.idempotency_keys (
    user_id uuid not null references auth.users (id) on delete cascade,
    function text not null,
    key text not null check (length(key) between 1 and 255),
    body_digest bytea not null,
    response jsonb,
    created_at timestamptz not null default now(),
    primary key (user_id, function, key)
);

create index idempotency_keys_created_at_idx on private.idempotency_keys (created_at);

comment on table private.idempotency_keys is $$Answers kept for 24 hours, so that a repeated call has one effect.$$;


-- A header of the request, by its lower-case name; null outside a request.
create function private.request_header(p_name text)
    returns text
    stable
    set search_path = ''
    language sql
as $$
    select nullif(current_setting('request.headers', true), '')::json ->> p_name
$$;


-- The request's id: as the caller or the gateway gave it, else minted by pre_request; null outside a request.
create function private.request_id()
    returns text
    stable
    set search_path = ''
    language sql
as $$
    select nullif(current_setting('freehold.request_id', true), '')
$$;


-- Counts a write, and refuses one too many. Another write of the same user under way is let through uncounted:
-- waiting for it would make a long import block everything else that its user does.
create function private.count_write(p_user_id uuid)
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_limit private.limits;
    v_writes integer;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('freehold.count_write', 0) # hashtextextended(p_user_id::text, 0)) then
        return;
    end if;
    select * into v_limit from private.limits where name = 'writes_per_user';
    insert into private.write_counts as c (user_id, minute)
    values (p_user_id, date_bin(v_limit.per, now(), timestamptz 'epoch'))
    on conflict (user_id, minute) do update set writes = c.writes + 1
    returning c.writes into v_writes;
    if v_writes > v_limit.allowed then
        perform private.fail(
            429, 'write_limit', format('More than %s writes in %s.', v_limit.allowed, v_limit.per),
            p_hint := 'Wait for Retry-After seconds; use the import for many rows.',
            p_headers := jsonb_build_object('Retry-After', ceil(extract(epoch from
                date_bin(v_limit.per, now(), timestamptz 'epoch') + v_limit.per - now()))::text)
        );
    end if;
end
$$;


-- PostgREST runs this before every request, as the caller's role.
create function private.pre_request()
    returns void
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    v_request_id text := private.request_header('x-request-id');
begin
    -- A request that came past the gateway has an id too, and a hostile one is replaced before it reaches a log.
    if v_request_id is null or v_request_id !~ '^[A-Za-z0-9_-]{8,64}$' then
        v_request_id := gen_random_uuid()::text;
    end if;
    perform set_config('freehold.request_id', v_request_id, true);
    perform set_config('application_name', left('req:' || v_request_id, 63), true);
    if v_request_id is distinct from private.request_header('x-request-id') then
        perform set_config(
            'response.headers', jsonb_build_array(jsonb_build_object('X-Request-Id', v_request_id))::text, true
        );
    end if;
    if exists (select from private.revoked_tokens where jti = v_claims ->> 'jti') then
        perform private.fail(
            401, 'token_revoked', 'This token was revoked.',
            p_hint := 'Ask the operator for a new one.'
        );
    end if;
    if v_claims ->> 'role' = 'authenticated' and not pg_input_is_valid(coalesce(v_claims ->> 'sub', ''), 'uuid') then
        perform private.fail(
            401, 'token_without_account', 'This token names no account: its claim sub is no UUID.',
            p_hint := 'Sign in, and send the access token you get.'
        );
    end if;
    -- The planner guesses from statistics over everybody's rows: filtered by another workspace, it tells how large that is.
    if private.request_header('prefer') ~* '\mcount\s*=\s*"?(planned|estimated)' then
        perform private.fail(
            400, 'count_not_exact', 'Rows are counted exactly or not at all.',
            p_hint := 'Send Prefer: count=exact.'
        );
    end if;
    if v_claims ->> 'role' = 'authenticated' and current_setting('transaction_read_only') = 'off' then
        perform private.count_write((v_claims ->> 'sub')::uuid);
    end if;
end
$$;

grant execute on function private.pre_request() to anon, authenticated, service_role, worker;

-- PostgREST reads its own settings from its role, as at a hosted project.
alter role authenticator set pgrst.db_pre_request = 'private.pre_request'; -- noqa: PRS
notify pgrst, 'reload config';


-- Starts a call that must have one effect. Null: go on, and keep the answer with keep_answer(). Else the kept answer.
create function private.begin_idempotent(p_function text, p_body jsonb)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_key text := private.request_header('idempotency-key');
    v_digest bytea := sha256(convert_to(p_body::text, 'UTF8'));
    v_kept private.idempotency_keys;
begin
    if coalesce(v_key, '') = '' or length(v_key) > 255 then
        perform private.fail(
            400, 'idempotency_key_required', 'This call needs an Idempotency-Key header of 1 to 255 characters.',
            p_hint := 'Send a fresh UUID for each thing you want done, and the same one when you repeat a call.'
        );
    end if;
    delete from private.idempotency_keys
    where user_id = auth.uid() and function = p_function and key = v_key and created_at < now() - interval '24 hours';
    -- A call with this key under way makes this one wait, then finds what it kept.
    insert into private.idempotency_keys (user_id, function, key, body_digest)
    values (auth.uid(), p_function, v_key, v_digest)
    on conflict do nothing;
    if found then
        return null;
    end if;
    select * into strict v_kept
    from private.idempotency_keys
    where user_id = auth.uid() and function = p_function and key = v_key;
    if v_kept.body_digest <> v_digest then
        perform private.fail(
            409, 'idempotency_key_reused', 'This Idempotency-Key was used for a call with another body.',
            p_hint := 'Use a fresh key for another call.'
        );
    end if;
    return v_kept.response;
end
$$;


-- Keeps the answer of a call that begin_idempotent() let through, and returns it.
create function private.keep_answer(p_function text, p_response jsonb)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    update private.idempotency_keys
    set response = p_response
    where
        user_id = auth.uid()
        and function = p_function
        and key = private.request_header('idempotency-key');
    return p_response;
end
$$;
