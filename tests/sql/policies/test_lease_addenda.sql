begin;
select plan(27);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, count(*) from public.lease_addenda group by 1', $$ values (ws('a'), 5::bigint) $$,
    'sees the addenda of A only, unsigned ones too'
);
select throws_ok(
    $$
        insert into public.lease_addenda (workspace_id, lease_id, title, effective_on)
        values (ws('a'), lease('a', 'active'), 'Pets', '2031-01-01')
    $$,
    '42501', 'new row violates row-level security policy for table "lease_addenda"', 'adds none'
);
select is_empty($$ update public.lease_addenda set title = 'Mine' returning id $$, 'changes none');
select is_empty('delete from public.lease_addenda returning id', 'deletes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.lease_addenda (workspace_id, lease_id, title, effective_on)
        values (ws('a'), lease('a', 'active'), 'Cat', '2020-02-01') returning title
    $$,
    array['Cat'], 'adds one'
);
select results_eq(
    $$ update public.lease_addenda set title = 'Cats', body = 'Two of them.' where title = 'Cat' returning title $$,
    array['Cats'], 'changes it as long as it is not signed'
);
select results_eq(
    $$ update public.lease_addenda set signed_on = '2020-01-20' where title = 'Cats' returning title $$,
    array['Cats'], 'has it signed'
);
select throws_matching(
    $$ update public.lease_addenda set body = 'Three.' where title = 'Cats' $$, 'addendum_in_effect',
    'changes none that is in effect'
);
select throws_matching(
    $$ update public.lease_addenda set signed_on = null where title = 'Cats' $$, 'addendum_in_effect',
    'nor takes its signature away'
);
select throws_matching(
    $$ delete from public.lease_addenda where title = 'Cats' $$, 'addendum_in_effect', 'nor deletes it'
);
select throws_ok(
    $$ update public.lease_addenda set changes = '{}' $$,
    '42501', 'permission denied for table lease_addenda', 'does not say what it changed'
);
select results_eq(
    $$ delete from public.lease_addenda where title = 'Garden' returning title $$, array['Garden'], 'deletes another'
);
select throws_ok(
    $$
        insert into public.lease_addenda (workspace_id, lease_id, title, effective_on)
        values (ws('b'), lease('b', 'active'), 'Pets', '2031-01-01')
    $$,
    '42501', 'new row violates row-level security policy for table "lease_addenda"', 'adds none to B'
);
select throws_ok(
    $$
        insert into public.lease_addenda (workspace_id, lease_id, title, effective_on)
        values (ws('a'), lease('b', 'active'), 'Pets', '2031-01-01')
    $$,
    '23503', null, 'nor to a lease of B'
);

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    $$ update public.lease_addenda set title = title || '*' where signed_on is not null and title <> 'Cats'
    returning workspace_id $$,
    $$ select ws('a') from generate_series(1, 4) $$, 'sees both, changes those of A alone'
);

\echo '# the renter of two leases, and of a draft'
select act_as('renter_b');
select results_eq(
    'select title from public.lease_addenda order by 1', array['Cellar', 'Parking'],
    'sees what was signed, of leases that bind or did'
);
select throws_ok(
    $$
        insert into public.lease_addenda (workspace_id, lease_id, title, effective_on)
        values (ws('b'), lease('b', 'active'), 'Dog', '2031-01-01')
    $$,
    '42501', 'new row violates row-level security policy for table "lease_addenda"', 'adds none'
);
select is_empty($$ update public.lease_addenda set title = 'Mine' returning id $$, 'changes none');

\echo '# a renter whose only lease has ended'
select act_as('former_b');
select results_eq('select title from public.lease_addenda', array['Cellar'], 'keeps the papers of their own contract');

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq(
    'select workspace_id, count(*) from public.lease_addenda group by 1 order by 1',
    $$ values (ws('a'), 5::bigint), (ws('b'), 1) $$, 'sees those of A, and theirs in B'
);

\echo '# an occupant, a vendor, a suspended member, an outsider'
select act_as('occupant_a');
select is_empty('select from public.lease_addenda', 'an occupant sees none');
select act_as('vendor_a');
select is_empty('select from public.lease_addenda', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.lease_addenda', 'a suspended member sees none');
select act_as('outsider');
select is_empty('select from public.lease_addenda', 'an outsider sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok('select from public.lease_addenda', '42501', 'permission denied for table lease_addenda', 'sees none');

\echo '# the service role, which reads alone'
select act_as('service_role');
select throws_ok(
    'delete from public.lease_addenda', '42501', 'permission denied for table lease_addenda', 'deletes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, title from public.lease_addenda order by 1, 2',
    $$
        values
        (ws('a'), 'Attic*'), (ws('a'), 'Cats'), (ws('a'), 'Cellar*'), (ws('a'), 'Parking*'), (ws('a'), 'Pets*'),
        (ws('b'), 'Attic'), (ws('b'), 'Cellar'), (ws('b'), 'Garden'), (ws('b'), 'Parking'), (ws('b'), 'Pets')
    $$,
    'what the managers did, and nothing else'
);
select * from finish();
rollback;
