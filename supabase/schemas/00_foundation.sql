-- What everything else stands on: extensions, the schemas that no client reaches, and no privilege by default.

create extension if not exists btree_gist with schema extensions;
create extension if not exists pg_trgm with schema extensions;

create schema if not exists private;
create schema if not exists worker;

-- The title and description of the API's OpenAPI document.
comment on schema public is $$Freehold

Properties, units, renters, leases and what happens with them, for property managers. Tables are read and written as
https://postgrest.org describes; what a caller sees and may write follows from their token. What is more than a row goes
through functions (`/rpc/...`). Every refusal is {code, message, details, hint}; `code` is stable.$$;

comment on schema private is $$Helpers, triggers and definer internals. Never exposed through the API.$$;

comment on schema worker is $$Freehold's workers

What the workers call, and nothing else: claim, begin, complete, fail, run a check. Exposed as a second profile
(`Accept-Profile: worker`), executable by the role `worker` alone. It holds no tables.$$;

-- The workers' role: a custom JWT with `role: worker` and a revocable `jti`. It can execute `worker.*` and read no table.
do $$
begin
    if not exists (select from pg_roles where rolname = 'worker') then
        create role worker nologin noinherit;
    end if;
    grant worker to authenticator;
    grant worker to postgres with set true;
end
$$;

-- PostgREST takes these for the time of a request, as it does those of anon and authenticated.
alter role worker set statement_timeout = '30s';

-- Pages are cached or on solid-state disks: at the default of 4 a page of 50 rows of a large workspace is sorted, not read
-- off the index that has its order (bench/).
alter role authenticated set random_page_cost = 1.1;

-- Hosted projects of before May 2026 grant new objects to the API's roles by name; `from public` alone would leave those.
alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke execute on functions from anon, authenticated, service_role;

grant usage on schema private to anon, authenticated, service_role, worker;
grant usage on schema worker to worker;
