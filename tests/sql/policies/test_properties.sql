begin;
select plan(32);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, name from public.properties order by name',
    $$ values (ws('a'), 'Elm Court'), (ws('a'), 'Empty Lot') $$, 'sees the properties of A only'
);
select throws_ok(
    $$
        insert into public.properties (workspace_id, name, address_line1, city)
        values (ws('a'), 'Oak House', '1 Oak', 'Ames')
    $$,
    '42501', 'new row violates row-level security policy for table "properties"', 'adds none'
);
select is_empty($$ update public.properties set status = 'inactive' returning id $$, 'changes none');
select is_empty($$ delete from public.properties where id = prop('a', 2) returning id $$, 'deletes none');

\echo '# an accountant of workspace A'
select act_as('accountant_a');
select results_eq('select count(*) from public.properties', array[2::bigint], 'sees them');
select is_empty($$ update public.properties set currency = 'EUR' returning id $$, 'changes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.properties (workspace_id, name, address_line1, city)
        values (ws('a'), 'Oak House', '1 Oak', 'Ames') returning name, currency, timezone
    $$,
    $$ values ('Oak House', 'USD', 'America/New_York') $$, 'adds one, which takes what its workspace has'
);
select results_eq(
    $$ update public.properties set status = 'inactive' where id = prop('a') returning status $$,
    array['inactive'], 'changes one'
);
select results_eq(
    $$ update public.properties set manager_id = member('viewer_a') where id = prop('a') returning manager_id $$,
    $$ values (member('viewer_a')) $$, 'puts a member in charge'
);
select throws_ok(
    $$ update public.properties set manager_id = member('manager_b') where id = prop('a') $$,
    '23503', null, 'puts nobody in charge who is no member'
);
select throws_ok(
    $$ update public.properties set workspace_id = ws('b') where id = prop('a', 2) $$,
    '42501', 'permission denied for table properties', 'moves none to another workspace'
);
select throws_ok(
    $$
        insert into public.properties (workspace_id, name, address_line1, city)
        values (ws('b'), 'Elm Court', '1 Oak', 'Ames')
    $$,
    '42501', 'new row violates row-level security policy for table "properties"',
    'adds none to B, and is not told whether B has one of that name'
);
select is_empty($$ delete from public.properties where id = prop('b', 2) returning id $$, 'deletes none of B');
select throws_matching(
    $$ delete from public.properties where id = prop('a') $$,
    'lease_has_begun', 'deletes none with a lease that has begun'
);
select results_eq(
    $$ delete from public.properties where id = prop('a', 2) returning name $$,
    array['Empty Lot'], 'deletes one without'
);

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    'select workspace_id, count(*) from public.properties group by 1 order by 1',
    $$ values (ws('a'), 2::bigint), (ws('b'), 2) $$, 'sees both'
);
select results_eq(
    $$ update public.properties set city = 'Ames' returning workspace_id $$,
    $$ values (ws('a')), (ws('a')) $$, 'changes those of A alone'
);

\echo '# the renter of a unit of Elm Court'
select act_as('renter_a');
select results_eq('select name from public.properties', array['Elm Court'], 'sees the property they rent in');
select is_empty($$ update public.properties set status = 'active' returning id $$, 'changes nothing');
select is_empty('delete from public.properties returning id', 'deletes nothing');

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq(
    'select workspace_id, count(*) from public.properties group by 1 order by 1',
    $$ values (ws('a'), 2::bigint), (ws('b'), 1) $$, 'sees the properties of A, and the one they rent in'
);

\echo '# a renter whose only lease has ended'
select act_as('former_a');
select is_empty('select from public.properties', 'sees none');

\echo '# an occupant, a vendor, a suspended and a removed member, an outsider'
select act_as('occupant_a');
select is_empty('select from public.properties', 'an occupant sees none');
select act_as('vendor_a');
select is_empty('select from public.properties', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.properties', 'a suspended member sees none');
select is_empty($$ update public.properties set status = 'active' returning id $$, 'a suspended member changes none');
select act_as('removed_a');
select is_empty('select from public.properties', 'a removed member sees none, not even one they looked after');
select act_as('outsider');
select is_empty('select from public.properties', 'an outsider sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok('select from public.properties', '42501', 'permission denied for table properties', 'sees none');

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.properties', array[4::bigint], 'sees both workspaces');
select throws_ok(
    $$ update public.properties set status = 'active' $$,
    '42501', 'permission denied for table properties', 'changes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, name, status, city from public.properties order by 1, 2',
    $$
        values
        (ws('a'), 'Elm Court', 'inactive', 'Ames'),
        (ws('a'), 'Oak House', 'active', 'Ames'),
        (ws('b'), 'Elm Court', 'active', 'Springfield'),
        (ws('b'), 'Empty Lot', 'active', 'Springfield')
    $$,
    'what the managers did, and nothing else'
);
select * from finish();
rollback;
