begin;
select plan(28);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select unit_id from public.lease_units order by 1', $$ select unit('a', n) from generate_series(1, 5) as n $$,
    'sees the rows of A only, superseded ones too'
);
select throws_ok(
    $$
        insert into public.lease_units (workspace_id, property_id, lease_id, unit_id)
        values (ws('a'), prop('a'), lease('a', 'draft'), unit('a', 5))
    $$,
    '42501', 'new row violates row-level security policy for table "lease_units"', 'adds none'
);
select is_empty(
    $$ delete from public.lease_units where lease_id = lease('a', 'draft') returning id $$, 'deletes none'
);

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.lease_units (workspace_id, property_id, lease_id, unit_id)
        values (ws('a'), prop('a'), lease('a', 'draft'), unit('a', 5)) returning possession, binding
    $$,
    $$ values (daterange('2031-01-01', '2032-01-01'), false) $$, 'plans a unit of a draft, for its term'
);
select results_eq(
    $$ delete from public.lease_units where unit_id = unit('a', 4) returning unit_id $$,
    $$ values (unit('a', 4)) $$, 'takes one out of a draft'
);
select throws_ok(
    $$
        insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, binding)
        values (ws('a'), prop('a'), lease('a', 'draft'), unit('a', 4), true)
    $$,
    '42501', 'permission denied for table lease_units', 'makes none binding'
);
select throws_ok(
    $$ update public.lease_units set superseded_at = now() $$,
    '42501', 'permission denied for table lease_units', 'changes none'
);
select throws_matching(
    $$ delete from public.lease_units where unit_id = unit('a') $$, 'lease_has_begun', 'deletes none that binds'
);
select throws_ok(
    $$
        insert into public.lease_units (workspace_id, property_id, lease_id, unit_id)
        values (ws('b'), prop('b'), lease('b', 'active'), unit('b'))
    $$,
    '42501', 'new row violates row-level security policy for table "lease_units"',
    'adds none to B, and is not told that B''s lease has begun'
);
select throws_ok(
    $$
        insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession)
        values (ws('a'), prop('a'), lease('a', 'draft'), unit('b'), '[2031-01-01,2032-01-01)')
    $$,
    '23503', null, 'plans no unit of B'
);
select throws_ok(
    $$
        insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession)
        values (ws('a'), prop('b'), lease('b', 'draft'), unit('b'), '[2031-01-01,2032-01-01)')
    $$,
    '23503', null, 'plans nothing for a lease of B'
);
select is_empty($$ delete from public.lease_units where workspace_id = ws('b') returning id $$, 'deletes none of B');

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    'select workspace_id, count(*) from public.lease_units group by 1 order by 1',
    $$ values (ws('a'), 5::bigint), (ws('b'), 5) $$, 'sees both'
);
select is_empty(
    $$ delete from public.lease_units where lease_id = lease('b', 'draft') returning id $$, 'deletes none of B'
);

\echo '# the renter of two leases, and of a draft'
select act_as('renter_a');
select results_eq(
    'select unit_id from public.lease_units order by 1',
    $$ values (unit('a', 1)), (unit('a', 2)), (unit('a', 3)) $$, 'sees those of leases that have begun'
);
select throws_ok(
    $$
        insert into public.lease_units (workspace_id, property_id, lease_id, unit_id)
        values (ws('a'), prop('a'), lease('a', 'active'), unit('a', 4))
    $$,
    '42501', 'new row violates row-level security policy for table "lease_units"', 'adds none'
);
select is_empty('delete from public.lease_units returning id', 'deletes none');

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq(
    'select workspace_id, count(*) from public.lease_units group by 1 order by 1',
    $$ values (ws('a'), 5::bigint), (ws('b'), 1) $$, 'sees what the leases of A hold, and what theirs in B does'
);

\echo '# an occupant, a vendor, a suspended and a removed member, an outsider'
select act_as('occupant_a');
select is_empty('select from public.lease_units', 'an occupant sees none');
select act_as('vendor_a');
select is_empty('select from public.lease_units', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.lease_units', 'a suspended member sees none');
select is_empty('delete from public.lease_units returning id', 'a suspended member deletes none');
select act_as('removed_a');
select is_empty('select from public.lease_units', 'a removed member sees none');
select act_as('outsider');
select is_empty('select from public.lease_units', 'an outsider sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok('select from public.lease_units', '42501', 'permission denied for table lease_units', 'sees none');

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.lease_units', array[10::bigint], 'sees both workspaces');
select throws_ok(
    'delete from public.lease_units', '42501', 'permission denied for table lease_units', 'deletes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, unit_id, lease_id from public.lease_units order by 1, 2, 3',
    $$
        values
        (ws('a'), unit('a', 1), lease('a', 'active')),
        (ws('a'), unit('a', 2), lease('a', 'active')),
        (ws('a'), unit('a', 3), lease('a', 'ended')),
        (ws('a'), unit('a', 5), lease('a', 'draft')),
        (ws('a'), unit('a', 5), lease('a', 'neighbour')),
        (ws('b'), unit('b', 1), lease('b', 'active')),
        (ws('b'), unit('b', 2), lease('b', 'active')),
        (ws('b'), unit('b', 3), lease('b', 'ended')),
        (ws('b'), unit('b', 4), lease('b', 'draft')),
        (ws('b'), unit('b', 5), lease('b', 'neighbour'))
    $$,
    'what the manager did, and nothing else'
);
select * from finish();
rollback;
