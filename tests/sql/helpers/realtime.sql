-- What Supabase Realtime puts into a project's database, as far as its authorisation and broadcasts go: the service itself is in no registry.

create schema realtime;
grant usage on schema realtime to anon, authenticated, service_role;

create table realtime.messages (
    id uuid not null default gen_random_uuid(),
    topic text not null,
    extension text not null,
    event text,
    payload jsonb,
    private boolean default false,
    inserted_at timestamp not null default now(),
    updated_at timestamp not null default now(),
    primary key (id, inserted_at)
) partition by range (inserted_at);

create table realtime.messages_today partition of realtime.messages default;

alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to anon, authenticated, service_role;

create function realtime.topic() returns text stable language sql
as $$ select nullif(current_setting('realtime.topic', true), '') $$;

-- As the caller, and whatever goes wrong is a warning.
create function realtime.send(payload jsonb, event text, topic text, private boolean default true)
    returns void
    volatile
    language plpgsql
as $$
begin
    insert into realtime.messages (payload, event, topic, private, extension)
    values (payload, event, topic, private, 'broadcast');
exception when others then
    raise warning 'realtime.send: %', sqlerrm;
end
$$;
-- Default privileges of the project don't reach here.
grant execute on function realtime.topic() to public;
grant execute on function realtime.send(jsonb, text, text, boolean) to public;
