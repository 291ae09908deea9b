-- Roles, schemas and grants as a hosted Supabase project has them. Run once by supabase_admin in template1, so that
-- every database made later starts as a new project does.

create role postgres login createdb createrole bypassrls password 'postgres';
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit password 'postgres';
create role supabase_auth_admin login noinherit createrole password 'postgres';
create role supabase_storage_admin login noinherit createrole password 'postgres';

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres with admin option;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role supabase_auth_admin set search_path = 'auth';
alter role supabase_auth_admin set idle_in_transaction_session_timeout = '60s';
alter role supabase_storage_admin set search_path = 'storage';

-- A hosted project lets `postgres` set these without being a superuser.
grant set on parameter
    pgrst.db_aggregates_enabled, pgrst.db_extra_search_path, pgrst.db_max_rows, pgrst.db_plan_enabled,
    pgrst.db_pre_config, pgrst.db_pre_request, pgrst.db_schemas, pgrst.db_tx_end, pgrst.jwt_aud,
    pgrst.jwt_role_claim_key, pgrst.openapi_mode, pgrst.server_timing_enabled, pgrst.server_trace_header,
    log_lock_waits, log_min_duration_statement, log_min_messages, log_statement, session_replication_role,
    track_functions, track_io_timing
    to postgres;

alter database template1 owner to postgres;
grant create on database template1 to supabase_auth_admin, supabase_storage_admin;
grant usage on schema public to anon, authenticated, service_role;

-- Realtime reads what this publishes; a new project publishes nothing.
create publication supabase_realtime;
alter publication supabase_realtime owner to postgres;

create schema extensions authorization postgres;
grant usage on schema extensions to anon, authenticated, service_role, supabase_auth_admin, supabase_storage_admin;
create extension pg_stat_statements with schema extensions;


-- Tells PostgREST to read its schema cache anew after any change of the schema.
create function extensions.pgrst_ddl_watch()
    returns event_trigger
    set search_path = ''
    language plpgsql
as $$
begin
    if exists (
        select from pg_catalog.pg_event_trigger_ddl_commands() as c
        where c.schema_name is distinct from 'pg_temp'
    ) then
        notify pgrst, 'reload schema';
    end if;
end
$$;


-- The same after a drop.
create function extensions.pgrst_drop_watch()
    returns event_trigger
    set search_path = ''
    language plpgsql
as $$
begin
    if exists (select from pg_catalog.pg_event_trigger_dropped_objects() as o where not o.is_temporary) then
        notify pgrst, 'reload schema';
    end if;
end
$$;

create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
