-- The one way by which Freehold refuses, and the small functions that tables lean on.

-- Raises {code, message, details, hint} with the HTTP status; PostgREST reads both from sqlstate PGRST.
create function private.fail(
    p_status integer,
    p_code text,
    p_message text,
    p_details text default null,
    p_hint text default null,
    p_headers jsonb default '{}'
)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_request_id text := nullif(current_setting('freehold.request_id', true), '');
begin
    -- PostgREST echoes an id that came with the request; one that was minted here travels in the error itself.
    if v_request_id is distinct from nullif(current_setting('request.headers', true), '')::jsonb ->> 'x-request-id' then
        p_headers := p_headers || jsonb_build_object('X-Request-Id', v_request_id);
    end if;
    raise sqlstate 'PGRST' using
        message = json_build_object('code', p_code, 'message', p_message, 'details', p_details, 'hint', p_hint)::text,
        detail = json_build_object('status', p_status, 'headers', p_headers)::text;
end
$$;

comment on function private.fail(integer, text, text, text, text, jsonb) is
    $$Refuses the request. Every code is listed in docs/reference/errors.md with what the caller should do.$$;

grant execute on function private.fail(integer, text, text, text, text, jsonb) to authenticated, service_role;


-- Whether the text is an IANA time zone name. Abbreviations and POSIX forms, which Postgres takes too (Foo/Bar5), are not: but
-- for those of Etc, no name has a digit.
create function private.is_timezone(p_name text)
    returns boolean
    immutable
    strict
    parallel safe
    set search_path = ''
    language plpgsql
as $$
begin
    perform timestamptz 'epoch' at time zone p_name;
    return p_name ~ '^(UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_-]+){1,2}|Etc/GMT([+-]?0|[+]([1-9]|1[0-2])|-([1-9]|1[0-4])))$';
exception when invalid_parameter_value then
    return false;
end
$$;

grant execute on function private.is_timezone(text) to authenticated, service_role;


-- Keeps updated_at true whatever the client sends.
create function private.touch_updated_at()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    new.updated_at := now();
    return new;
end
$$;


-- TRUNCATE bypasses row triggers and row security: no table of the domain allows it.
create function private.refuse_truncate()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.fail(
        405, 'truncate_refused', format('%I.%I cannot be truncated.', tg_table_schema, tg_table_name),
        p_hint := 'Delete the rows: triggers and constraints then guard what must stay.'
    );
    return null;
end
$$;


-- Tells the planner at once of rows that outnumber all it knew of the table. Until autovacuum's next round it would go on taking
-- the table for a page or two: foreign keys into it would be checked by reading it whole, row by row, and a list with two
-- embedded tables would take seconds instead of milliseconds. Who fills several tables does so in one order, always, so that
-- two of them queue up here instead of deadlocking. For the tables' owner.
create function private.analyze_outgrown(p_table regclass, p_rows bigint)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if p_rows > (select c.reltuples from pg_class as c where c.oid = p_table) then
        execute format('analyze %s', p_table);
    end if;
end
$$;
