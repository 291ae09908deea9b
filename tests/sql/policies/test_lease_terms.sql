begin;
select plan(29);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, count(*) from public.lease_terms group by 1', $$ values (ws('a'), 4::bigint) $$,
    'sees the rents of A only'
);
select throws_ok(
    $$
        insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor)
        values (ws('a'), lease('a', 'active'), '2020-01-01', 1)
    $$,
    '42501', 'new row violates row-level security policy for table "lease_terms"', 'adds none'
);
select is_empty(
    $$ delete from public.lease_terms where lease_id = lease('a', 'draft') returning id $$, 'deletes none'
);

\echo '# an accountant of workspace A'
select act_as('accountant_a');
select throws_ok(
    $$
        insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor)
        values (ws('a'), lease('a', 'active'), '2020-01-01', 1)
    $$,
    '42501', 'new row violates row-level security policy for table "lease_terms"', 'adds none'
);
select act_as_postgres();
select is_empty(
    'select from public.lease_terms where superseded_at is not null', 'and a refused row supersedes nothing'
);

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor)
        values (ws('a'), lease('a', 'active'), '2020-01-01', 130000) returning rent_minor
    $$,
    array[130000::bigint], 'adds one for a day that has one'
);
select results_eq(
    $$
        select rent_minor, superseded_at is not null from public.lease_terms
        where lease_id = lease('a', 'active') order by recorded_at
    $$,
    $$ values (125000::bigint, true), (130000, false) $$, 'which supersedes the first'
);
select results_eq(
    $$ delete from public.lease_terms where lease_id = lease('a', 'draft') returning rent_minor $$,
    array[125000::bigint], 'deletes one of a draft'
);
select throws_matching(
    $$ delete from public.lease_terms where lease_id = lease('a', 'active') $$, 'lease_has_begun',
    'deletes none of a lease that has begun'
);
select throws_ok(
    'update public.lease_terms set rent_minor = 1', '42501', 'permission denied for table lease_terms', 'changes none'
);
select throws_ok(
    $$
        insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor)
        values (ws('b'), lease('b', 'active'), '2020-01-01', 1)
    $$,
    '42501', 'new row violates row-level security policy for table "lease_terms"', 'adds none to B'
);
select throws_ok(
    $$
        insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor)
        values (ws('a'), lease('b', 'active'), '2020-01-01', 1)
    $$,
    '23503', null, 'adds none to a lease of B'
);
select is_empty($$ delete from public.lease_terms where workspace_id = ws('b') returning id $$, 'deletes none of B');

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    'select workspace_id, count(*) from public.lease_terms group by 1 order by 1',
    $$ values (ws('a'), 4::bigint), (ws('b'), 4) $$, 'sees both'
);
select is_empty(
    $$ delete from public.lease_terms where lease_id = lease('b', 'draft') returning id $$, 'deletes none of B'
);

\echo '# the renter of two leases, and of a draft'
select act_as('renter_a');
select results_eq(
    'select distinct lease_id from public.lease_terms order by 1',
    $$ values (lease('a', 'active')), (lease('a', 'ended')) $$, 'sees the rents of leases that have begun'
);
select throws_ok(
    $$
        insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor)
        values (ws('a'), lease('a', 'active'), '2020-01-01', 1)
    $$,
    '42501', 'new row violates row-level security policy for table "lease_terms"', 'adds none'
);
select is_empty('delete from public.lease_terms returning id', 'deletes none');

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq(
    'select workspace_id, count(*) from public.lease_terms group by 1 order by 1',
    $$ values (ws('a'), 4::bigint), (ws('b'), 1) $$, 'sees the rents of A, and theirs in B'
);

\echo '# an occupant, a vendor, a suspended and a removed member, an outsider'
select act_as('occupant_a');
select is_empty('select from public.lease_terms', 'an occupant sees none');
select act_as('vendor_a');
select is_empty('select from public.lease_terms', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.lease_terms', 'a suspended member sees none');
select throws_ok(
    $$
        insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor)
        values (ws('a'), lease('a', 'active'), '2020-01-01', 1)
    $$,
    '42501', 'new row violates row-level security policy for table "lease_terms"', 'a suspended member adds none'
);
select act_as('removed_a');
select is_empty('select from public.lease_terms', 'a removed member sees none');
select act_as('outsider');
select is_empty('select from public.lease_terms', 'an outsider sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok('select from public.lease_terms', '42501', 'permission denied for table lease_terms', 'sees none');

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.lease_terms', array[8::bigint], 'sees both workspaces');
select throws_ok(
    'delete from public.lease_terms', '42501', 'permission denied for table lease_terms', 'deletes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    $$
        select workspace_id, lease_id, rent_minor, superseded_at is not null
        from public.lease_terms order by 1, 2, recorded_at
    $$,
    $$
        values
        (ws('a'), lease('a', 'active'), 125000::bigint, true),
        (ws('a'), lease('a', 'active'), 130000, false),
        (ws('a'), lease('a', 'ended'), 125000, false),
        (ws('a'), lease('a', 'neighbour'), 125000, false),
        (ws('b'), lease('b', 'draft'), 125000, false),
        (ws('b'), lease('b', 'active'), 125000, false),
        (ws('b'), lease('b', 'ended'), 125000, false),
        (ws('b'), lease('b', 'neighbour'), 125000, false)
    $$,
    'what the manager did, and nothing else'
);
select * from finish();
rollback;
