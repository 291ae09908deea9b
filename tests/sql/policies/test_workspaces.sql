begin;
select plan(29);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq('select name from public.workspaces', array['Workspace A'], 'sees A only');
select is_empty($$ update public.workspaces set name = 'Mine' returning id $$, 'changes nothing');
select is_empty('delete from public.workspaces returning id', 'deletes nothing');
select throws_ok(
    $$ insert into public.workspaces (name) values ('Mine') $$,
    '42501', 'permission denied for table workspaces', 'adds none: rpc/create_workspace does'
);

\echo '# a manager of workspace A, who runs the portfolio but not the team'
select act_as('manager_a');
select is_empty($$ update public.workspaces set currency = 'EUR' returning id $$, 'changes nothing');
select is_empty('delete from public.workspaces returning id', 'deletes nothing');

\echo '# an admin of workspace A'
select act_as('admin_a');
select results_eq(
    $$ update public.workspaces set name = 'Renamed' returning name $$, array['Renamed'], 'changes its settings'
);
select throws_ok(
    $$ update public.workspaces set created_by = null $$,
    '42501', 'permission denied for table workspaces', 'does not rewrite who made it'
);
select is_empty('delete from public.workspaces returning id', 'does not delete it');

\echo '# the owner of workspace A'
select act_as('owner_a');
select results_eq(
    $$ update public.workspaces set timezone = 'America/Denver' returning timezone $$,
    array['America/Denver'], 'changes its settings'
);
select throws_matching(
    'delete from public.workspaces', 'lease_has_begun', 'cannot delete it while it has a lease that has begun'
);
select act_as_postgres();
set local session_replication_role = replica;
delete from public.leases;
delete from public.lease_units;
set local session_replication_role = origin;
select act_as('owner_a');
select results_eq('delete from public.workspaces returning id', $$ values (ws('a')) $$, 'deletes it otherwise');

\echo '# a manager of A, now gone, who is an accountant of B'
select act_as('both');
select results_eq('select id from public.workspaces', $$ values (ws('b')) $$, 'sees B');
select is_empty($$ update public.workspaces set name = 'Mine' returning id $$, 'changes nothing of B');

\echo '# those whom B keeps a record of'
select act_as('renter_b');
select results_eq('select id from public.workspaces', $$ values (ws('b')) $$, 'a renter sees the workspace');
select is_empty($$ update public.workspaces set name = 'Mine' returning id $$, 'a renter changes nothing');
select act_as('tied_a');
select results_eq('select id from public.workspaces', $$ values (ws('b')) $$, 'so does one who was a member of A');
select act_as('occupant_b');
select results_eq('select id from public.workspaces', $$ values (ws('b')) $$, 'an occupant sees it too');
select act_as('vendor_b');
select results_eq('select id from public.workspaces', $$ values (ws('b')) $$, 'a vendor sees it too');
select is_empty('delete from public.workspaces returning id', 'a vendor deletes nothing');

\echo '# those who are out'
select act_as('suspended_b');
select is_empty('select from public.workspaces', 'a suspended member sees nothing');
select is_empty($$ update public.workspaces set name = 'Mine' returning id $$, 'a suspended member changes nothing');
select act_as('removed_b');
select is_empty('select from public.workspaces', 'a removed member sees nothing');
select act_as('outsider');
select is_empty('select from public.workspaces', 'an outsider sees nothing, whatever address stands in its records');
select is_empty('delete from public.workspaces returning id', 'an outsider deletes nothing');
select act_as('anon');
select throws_ok(
    'select from public.workspaces', '42501', 'permission denied for table workspaces',
    'nobody reads without signing in'
);

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select name from public.workspaces', array['Workspace B'], 'sees what is left');
select throws_ok(
    $$ update public.workspaces set name = 'Mine' $$,
    '42501', 'permission denied for table workspaces', 'changes nothing'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select name, currency, timezone from public.workspaces',
    $$ values ('Workspace B', 'USD', 'America/New_York') $$, 'B is as it was'
);
select * from finish();
rollback;
