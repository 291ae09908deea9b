begin;
select plan(11);
\ir ../helpers/two_workspaces.sql

\echo '# an admin of workspace A'
select act_as('admin_a');
select results_eq(
    'select workspace_id, kind, calls, cost_microdollars from public.places_usage order by 2',
    $$ values (ws('a'), 'autocomplete', 6::bigint, 16980::bigint), (ws('a'), 'details', 1, 5000) $$,
    'sees what A spent, and nobody else'
);
select throws_ok(
    'update public.places_usage set cost_microdollars = 0', '42501', 'permission denied for table places_usage',
    'makes nothing cheaper'
);
select throws_ok(
    'delete from public.places_usage', '42501', 'permission denied for table places_usage', 'deletes nothing'
);
select throws_ok(
    $$
        insert into public.places_usage (workspace_id, on_day, provider, kind, calls, cost_microdollars)
        values (ws('a'), '2020-01-02', 'google', 'details', 1, -5000)
    $$,
    '42501', 'permission denied for table places_usage', 'adds nothing'
);

\echo '# those who don''t run a workspace'
select act_as('manager_a');
select is_empty('select from public.places_usage', 'a manager sees nothing');
select act_as('both');
select is_empty('select from public.places_usage', 'nor does one who is accountant elsewhere');
select act_as('renter_a');
select is_empty('select from public.places_usage', 'nor does a renter');
select act_as('suspended_a');
select is_empty('select from public.places_usage', 'nor does a suspended member');
select act_as('outsider');
select is_empty('select from public.places_usage', 'nor does an outsider');
select act_as('anon');
select throws_ok('select from public.places_usage', '42501', 'permission denied for table places_usage', 'nor does anybody');

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, sum(calls), sum(cost_microdollars) from public.places_usage group by 1 order by 1',
    $$ values (ws('a'), 7::numeric, 21980::numeric), (ws('b'), 7, 21980) $$, 'is as it was'
);
select * from finish();
rollback;
