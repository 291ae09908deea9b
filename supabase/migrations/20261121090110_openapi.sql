set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

create or replace function private.pre_request()
    returns void
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
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
$function$;

comment on function "public"."start_import"(uuid, text, text, text) is 'Starts an import

`kind` is rent_roll; `file_name` is for people to know it by; `file_digest` is the file''s SHA-256 in hexadecimal. Needs
`imports.run`, `portfolio.write`, `renters.write` and `leases.write`. Answers the import, to be filled with
`rpc/stage_import_rows`.';

comment on schema "public" is 'Freehold

Properties, units, renters, leases and what happens with them, for property managers. Tables are read and written as
https://postgrest.org describes; what a caller sees and may write follows from their token. What is more than a row goes
through functions (`/rpc/...`). Every refusal is {code, message, details, hint}; `code` is stable.';
