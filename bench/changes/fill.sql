-- %(units)s units of one workspace, noted and settled as a client finds them. As a superuser: triggers and foreign keys are off for the
-- fill, and notes are left as a migration leaves them.

set session_replication_role = replica;
set synchronous_commit = off;

create schema bench;

create function bench.id(p_kind text, p_number integer)
    returns uuid
    immutable
    language sql
as $$
    select (lpad(to_hex(ascii(p_kind)), 8, '0') || '-0000-4000-8000-' || lpad(p_number::text, 12, '0'))::uuid
$$;

grant usage on schema bench to authenticated;

grant execute on function bench.id(text, integer) to authenticated;

insert into auth.users (id, email) values (bench.id('user', 1), 'changes@bench.test');

insert into public.workspaces (id, name) values (bench.id('workspace', 1), 'Bench');

insert into public.workspace_members (workspace_id, user_id, role) values (bench.id('workspace', 1), bench.id('user', 1), 'owner');

insert into public.properties (id, workspace_id, name, address_line1, city, timezone, currency)
values (bench.id('property', 1), bench.id('workspace', 1), 'Long Row', '1 Long Row', 'Springfield', 'UTC', 'USD');

-- Spread over the table as rows are that were written at all times.
insert into public.units (id, workspace_id, property_id, unit_number)
select bench.id('nit', n), bench.id('workspace', 1), bench.id('property', 1), 'U' || n
from generate_series(1, %(units)s) as n
order by md5(n::text);

select private.note_existing_rows();

vacuum (analyze);
