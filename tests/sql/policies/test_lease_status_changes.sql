begin;
select plan(18);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, count(*) from public.lease_status_changes group by 1', $$ values (ws('a'), 4::bigint) $$,
    'sees the history of A only'
);

\echo '# the owner of workspace A, who makes history and does not write it'
select act_as('owner_a');
select throws_ok(
    $$
        insert into public.lease_status_changes (workspace_id, lease_id, to_status, effective_on)
        values (ws('a'), lease('a', 'draft'), 'active', '2031-01-01')
    $$,
    '42501', 'permission denied for table lease_status_changes', 'adds none'
);
select throws_ok(
    $$ update public.lease_status_changes set to_status = 'draft' $$,
    '42501', 'permission denied for table lease_status_changes', 'changes none'
);
select throws_ok(
    'delete from public.lease_status_changes', '42501', 'permission denied for table lease_status_changes',
    'deletes none'
);
select lives_ok($$ select public.end_lease(lease('a', 'active'), '2021-06-30') $$, 'ends a lease');
select results_eq(
    $$
        select from_status, to_status, effective_on, changed_by from public.lease_status_changes
        where lease_id = lease('a', 'active') order by recorded_at desc limit 1
    $$,
    $$ values ('active', 'ended', date '2021-06-30', member('owner_a')) $$, 'which is written down with their name'
);

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    'select workspace_id, count(*) from public.lease_status_changes group by 1 order by 1',
    $$ values (ws('a'), 5::bigint), (ws('b'), 4) $$, 'sees both'
);

\echo '# the renter of two leases, and of a draft'
select act_as('renter_b');
select results_eq(
    'select lease_id, to_status from public.lease_status_changes order by 1',
    $$ values (lease('b', 'active'), 'active'), (lease('b', 'ended'), 'ended') $$,
    'sees the history of leases that have begun'
);

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq(
    'select workspace_id, count(*) from public.lease_status_changes group by 1 order by 1',
    $$ values (ws('a'), 5::bigint), (ws('b'), 1) $$, 'sees the history of A, and of their lease in B'
);

\echo '# an occupant, a vendor, a suspended and a removed member, an outsider'
select act_as('occupant_a');
select is_empty('select from public.lease_status_changes', 'an occupant sees none');
select act_as('vendor_a');
select is_empty('select from public.lease_status_changes', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.lease_status_changes', 'a suspended member sees none');
select act_as('removed_a');
select is_empty('select from public.lease_status_changes', 'a removed member sees none');
select act_as('outsider');
select is_empty('select from public.lease_status_changes', 'an outsider sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok(
    'select from public.lease_status_changes', '42501', 'permission denied for table lease_status_changes',
    'sees none'
);

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.lease_status_changes', array[9::bigint], 'sees both workspaces');
select throws_ok(
    'delete from public.lease_status_changes', '42501', 'permission denied for table lease_status_changes',
    'deletes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, count(*) from public.lease_status_changes group by 1 order by 1',
    $$ values (ws('a'), 5::bigint), (ws('b'), 4) $$, 'what the database wrote, and nothing else'
);
select * from finish();
rollback;
