begin;
select plan(38);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select unit_number from public.units order by 1', array['1A', '2A', '3A', '4A', '5A'],
    'sees the units of A'
);
select is_empty($$ select from public.units where workspace_id = ws('b') $$, 'sees none of B');
select throws_ok(
    $$ insert into public.units (workspace_id, property_id, unit_number) values (ws('a'), prop('a'), '9Z') $$,
    '42501', 'new row violates row-level security policy for table "units"', 'adds none'
);
select is_empty($$ update public.units set market_rent_minor = 1 returning id $$, 'changes none');
select is_empty($$ delete from public.units where id = unit('a', 4) returning id $$, 'deletes none');

\echo '# an accountant of workspace A, who writes money but no portfolio'
select act_as('accountant_a');
select is_empty($$ update public.units set market_rent_minor = 1 returning id $$, 'changes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.units (workspace_id, property_id, unit_number)
        values (ws('a'), prop('a'), '9Z') returning unit_number
    $$,
    array['9Z'], 'adds one'
);
select results_eq(
    $$ update public.units set market_rent_minor = 99000 where id = unit('a') returning market_rent_minor $$,
    array[99000::bigint], 'changes one'
);
select results_eq(
    $$ delete from public.units where id = unit('a', 4) returning unit_number $$, array['4A'], 'deletes one'
);
select throws_ok(
    $$ update public.units set workspace_id = ws('b') where id = unit('a') $$,
    '42501', 'permission denied for table units', 'moves none to another workspace'
);
select throws_ok(
    $$ insert into public.units (workspace_id, property_id, unit_number) values (ws('b'), prop('b'), '9Z') $$,
    '42501', 'new row violates row-level security policy for table "units"', 'adds none to B'
);
select throws_ok(
    $$ insert into public.units (workspace_id, property_id, unit_number) values (ws('a'), prop('b'), '9Y') $$,
    '23503', null, 'adds none to a property of B'
);
select is_empty(
    $$ update public.units set market_rent_minor = 1 where workspace_id = ws('b') returning id $$,
    'changes none of B'
);
select is_empty($$ delete from public.units where id = unit('b', 4) returning id $$, 'deletes none of B');

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    'select workspace_id, count(*) from public.units group by 1 order by 1',
    $$ values (ws('a'), 5::bigint), (ws('b'), 5) $$, 'sees both'
);
select results_eq(
    $$ update public.units set bedrooms = 2 returning workspace_id $$,
    $$ select ws('a') from generate_series(1, 5) $$, 'changes those of A alone'
);
select throws_ok(
    $$ insert into public.units (workspace_id, property_id, unit_number) values (ws('b'), prop('b'), '9Z') $$,
    '42501', 'new row violates row-level security policy for table "units"', 'adds none to B'
);

\echo '# the renter of 1A, who rented 3A before; 2A was on the lease by mistake, 4A is planned for'
select act_as('renter_a');
select results_eq(
    'select unit_number from public.units order by 1', array['1A'], 'sees what their lease holds, not what one held'
);
select is_empty($$ update public.units set market_rent_minor = 1 returning id $$, 'changes none');
select is_empty($$ delete from public.units returning id $$, 'deletes none');

\echo '# the same renter, moved to 2A, and to 3A in a month'
select act_as('manager_a');
select lives_ok($$ select public.transfer_unit(lease('a', 'active'), unit('a', 1), unit('a', 2), '2021-01-01') $$);
select lives_ok($$ select public.transfer_unit(lease('a', 'active'), unit('a', 2), unit('a', 3), current_date + 30) $$);
select act_as('renter_a');
select results_eq(
    'select unit_number from public.units order by 1', array['2A', '3A'], 'sees what their lease holds, and is to hold'
);

\echo '# the same renter, who stays in 2A beyond their last day; the move to 3A is off'
select act_as_postgres();
set local session_replication_role = replica;
update public.lease_units
set possession = '[2021-01-01,2022-01-01)'
where lease_id = lease('a', 'active') and unit_id = unit('a', 2) and superseded_at is null;
update public.lease_units
set possession = '[2022-01-01,)', superseded_at = clock_timestamp()
where lease_id = lease('a', 'active') and unit_id = unit('a', 3);
insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession, binding)
values (ws('a'), prop('a'), lease('a', 'neighbour'), unit('a', 2), '[2022-01-01,)', true);
set local session_replication_role = origin;
select act_as('renter_a');
select results_eq(
    'select unit_number from public.units order by 1', array['2A'], 'sees the unit, though the next lease has it on paper'
);

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq(
    'select workspace_id, count(*) from public.units group by 1 order by 1',
    $$ values (ws('a'), 5::bigint), (ws('b'), 1) $$, 'sees the units of A, and the one they rent in B'
);

\echo '# a renter whose only lease has ended'
select act_as('former_a');
select is_empty('select from public.units', 'sees none');

\echo '# an occupant, a vendor, a suspended and a removed member, an outsider'
select act_as('occupant_a');
select is_empty('select from public.units', 'an occupant sees none');
select act_as('vendor_a');
select is_empty('select from public.units', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.units', 'a suspended member sees none');
select throws_ok(
    $$ insert into public.units (workspace_id, property_id, unit_number) values (ws('a'), prop('a'), '9X') $$,
    '42501', 'new row violates row-level security policy for table "units"', 'a suspended member adds none'
);
select act_as('removed_a');
select is_empty('select from public.units', 'a removed member sees none');
select is_empty('delete from public.units returning id', 'a removed member deletes none');
select act_as('outsider');
select is_empty('select from public.units', 'an outsider sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok('select from public.units', '42501', 'permission denied for table units', 'sees none');

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.units', array[10::bigint], 'sees both workspaces');
select throws_ok('delete from public.units', '42501', 'permission denied for table units', 'deletes none');

\echo '# what is left'
select act_as_postgres();
select results_eq(
    $$ select unit_number, market_rent_minor from public.units where workspace_id = ws('a') order by 1 $$,
    $$ values ('1A', 99000::bigint), ('2A', null), ('3A', null), ('5A', null), ('9Z', null) $$,
    'what the manager did, and nothing else'
);
select results_eq(
    $$ select unit_number, market_rent_minor, bedrooms from public.units where workspace_id = ws('b') order by 1 $$,
    $$ select n || 'A', null::bigint, null::numeric(4, 1) from generate_series(1, 5) as n $$,
    'B is as it was'
);
select * from finish();
rollback;
