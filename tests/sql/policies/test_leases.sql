begin;
select plan(36);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, lease_number from public.leases order by 2',
    $$ select ws('a'), n from unnest(array['ACTIVE', 'DRAFT', 'ENDED', 'NEIGHBOUR']) as n $$,
    'sees the leases of A only'
);
select throws_ok(
    $$
        insert into public.leases (workspace_id, property_id, lease_number, starts_on)
        values (ws('a'), prop('a'), 'NEW', '2032-01-01')
    $$,
    '42501', 'new row violates row-level security policy for table "leases"', 'adds none'
);
select is_empty($$ update public.leases set lease_number = 'MINE' returning id $$, 'changes none');
select is_empty($$ delete from public.leases where id = lease('a', 'draft') returning id $$, 'deletes none');
select throws_matching(
    $$ select public.end_lease(lease('a', 'active'), '2021-01-01') $$, 'permission_denied', 'ends none'
);

\echo '# an accountant of workspace A'
select act_as('accountant_a');
select is_empty($$ update public.leases set deposit_minor = 0 returning id $$, 'changes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.leases (workspace_id, property_id, lease_number, starts_on)
        values (ws('a'), prop('a'), 'NEW', '2032-01-01') returning lease_number, status, currency
    $$,
    $$ values ('NEW', 'draft', 'USD') $$, 'adds a draft'
);
select results_eq(
    $$ update public.leases set lease_number = 'BETTER' where lease_number = 'NEW' returning lease_number $$,
    array['BETTER'], 'changes it'
);
select throws_ok(
    $$ update public.leases set status = 'active' where lease_number = 'BETTER' $$,
    '42501', 'permission denied for table leases', 'moves no status past the RPCs'
);
select throws_matching(
    $$ delete from public.leases where id = lease('a', 'active') $$, 'lease_has_begun', 'deletes none that has begun'
);
select results_eq(
    $$ delete from public.leases where lease_number = 'BETTER' returning lease_number $$,
    array['BETTER'], 'deletes a draft'
);
select results_eq(
    $$ select status from public.end_lease(lease('a', 'neighbour'), '2021-01-01') $$,
    array['ended'], 'ends one by RPC'
);
select throws_ok(
    $$
        insert into public.leases (workspace_id, property_id, lease_number, starts_on)
        values (ws('b'), prop('b'), 'active', '2032-01-01')
    $$,
    '42501', 'new row violates row-level security policy for table "leases"',
    'adds none to B, and is not told which numbers B uses'
);
select throws_ok(
    $$
        insert into public.leases (workspace_id, property_id, lease_number, starts_on, currency)
        values (ws('a'), prop('b'), 'NEW', '2032-01-01', 'USD')
    $$,
    '23503', null, 'adds none for a property of B'
);
select throws_matching(
    $$ select public.end_lease(lease('b', 'active'), '2021-01-01') $$, 'lease_not_found', 'ends none of B'
);
select throws_matching(
    $$ select public.end_lease(gen_random_uuid(), '2021-01-01') $$, 'lease_not_found',
    'and is told the same of one that does not exist'
);

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    $$ update public.leases set lease_number = lease_number || '*' where status = 'draft' returning workspace_id $$,
    $$ values (ws('a')) $$, 'sees both, changes those of A alone'
);
select throws_matching(
    $$ select public.activate_lease(lease('b', 'draft')) $$, 'permission_denied', 'makes none of B binding'
);

\echo '# the renter of two of them, and of a draft'
select act_as('renter_a');
select results_eq(
    'select lease_number from public.leases order by 1', array['ACTIVE', 'ENDED'],
    'sees what has begun, not the draft, not the neighbour''s'
);
select is_empty($$ update public.leases set ends_on = '2040-01-01' returning id $$, 'changes nothing');
select is_empty('delete from public.leases returning id', 'deletes nothing');
select throws_matching(
    $$ select public.end_lease(lease('a', 'active'), '2021-01-01') $$, 'lease_not_found', 'ends nothing'
);

\echo '# a renter whose only lease has ended'
select act_as('former_a');
select results_eq('select lease_number from public.leases', array['ENDED'], 'keeps their own contract');

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq(
    'select workspace_id, count(*) from public.leases group by 1 order by 1',
    $$ values (ws('a'), 4::bigint), (ws('b'), 1) $$, 'sees the leases of A, and theirs in B'
);

\echo '# an occupant, a vendor, a suspended and a removed member, an outsider'
select act_as('occupant_a');
select is_empty('select from public.leases', 'an occupant is no party to a lease');
select act_as('vendor_a');
select is_empty('select from public.leases', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.leases', 'a suspended member sees none');
select throws_matching(
    $$ select public.activate_lease(lease('a', 'draft')) $$,
    'lease_not_found', 'a suspended member makes none binding'
);
select act_as('removed_a');
select is_empty('select from public.leases', 'a removed member sees none');
select act_as('outsider');
select is_empty('select from public.leases', 'an outsider sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok('select from public.leases', '42501', 'permission denied for table leases', 'sees none');
select throws_ok(
    $$ select public.activate_lease(lease('a', 'draft')) $$,
    '42501', 'permission denied for function activate_lease', 'calls nothing'
);

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.leases', array[8::bigint], 'sees both workspaces');
select throws_ok('delete from public.leases', '42501', 'permission denied for table leases', 'deletes none');
select throws_ok(
    $$ select public.end_lease(lease('a', 'active'), '2021-01-01') $$,
    '42501', 'permission denied for function end_lease', 'ends none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, lease_number, status, ends_on from public.leases order by 1, 2',
    $$
        values
        (ws('a'), 'ACTIVE', 'active', null::date),
        (ws('a'), 'DRAFT*', 'draft', '2031-12-31'),
        (ws('a'), 'ENDED', 'ended', '2018-12-31'),
        (ws('a'), 'NEIGHBOUR', 'ended', null),
        (ws('b'), 'ACTIVE', 'active', null),
        (ws('b'), 'DRAFT', 'draft', '2031-12-31'),
        (ws('b'), 'ENDED', 'ended', '2018-12-31'),
        (ws('b'), 'NEIGHBOUR', 'active', null)
    $$,
    'what the managers did, and nothing else'
);
select * from finish();
rollback;
