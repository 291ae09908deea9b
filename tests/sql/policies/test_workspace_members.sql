begin;
select plan(24);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select set_eq(
    'select user_id from public.workspace_members',
    $$
        select user_id from tests.actors
        where name in ('owner_a', 'admin_a', 'manager_a', 'accountant_a', 'viewer_a', 'suspended_a', 'tied_a', 'both')
    $$,
    'sees every member of A, suspended ones too'
);

\echo '# the owner of workspace A, who does everything by RPC'
select act_as('owner_a');
select throws_ok(
    $$
        insert into public.workspace_members (workspace_id, user_id, role)
        values (ws('a'), member('outsider'), 'viewer')
    $$,
    '42501', 'permission denied for table workspace_members', 'adds none'
);
select throws_ok(
    $$ update public.workspace_members set role = 'owner' $$,
    '42501', 'permission denied for table workspace_members', 'changes none'
);
select throws_ok(
    'delete from public.workspace_members', '42501', 'permission denied for table workspace_members', 'removes none'
);
select results_eq(
    $$ select role from public.change_member_role(ws('a'), member('viewer_a'), 'accountant') $$,
    array['accountant'], 'gives a role by RPC'
);
select lives_ok($$ select public.remove_member(ws('a'), member('accountant_a')) $$, 'removes a member by RPC');
select throws_matching(
    $$ select public.remove_member(ws('b'), member('viewer_b')) $$, 'workspace_not_found', 'removes none of B'
);

\echo '# whoever was just removed, with the token they hold'
select act_as('accountant_a');
select is_empty('select from public.workspace_members', 'sees nothing');
select is_empty('select from public.leases', 'sees nothing elsewhere');

\echo '# a manager of workspace A, who does not manage members'
select act_as('manager_a');
select throws_matching(
    $$ select public.change_member_role(ws('a'), member('manager_a'), 'owner') $$,
    'permission_denied', 'gives no role'
);
select results_eq('select count(*) from public.workspace_members', array[7::bigint], 'sees who is left');

\echo '# a suspended admin of workspace A'
select act_as('suspended_a');
select is_empty('select from public.workspace_members', 'sees nobody, not even themselves');
select throws_matching(
    $$ select public.set_member_status(ws('a'), member('suspended_a'), 'active') $$, 'workspace_not_found',
    'does not take themselves back'
);
select lives_ok($$ select public.leave_workspace(ws('a')) $$, 'may leave');

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    'select workspace_id, count(*) from public.workspace_members group by 1 order by 1',
    $$ values (ws('a'), 6::bigint), (ws('b'), 8) $$, 'sees the members of both'
);

\echo '# everybody else'
select act_as('manager_b');
select results_eq(
    'select distinct workspace_id from public.workspace_members', $$ values (ws('b')) $$, 'a manager of B sees B'
);
select act_as('renter_a');
select is_empty('select from public.workspace_members', 'a renter sees no member');
select act_as('vendor_a');
select is_empty('select from public.workspace_members', 'a vendor sees no member');
select act_as('removed_a');
select is_empty('select from public.workspace_members', 'a removed member sees nobody');
select act_as('outsider');
select is_empty('select from public.workspace_members', 'an outsider sees nobody');
select act_as('anon');
select throws_ok(
    'select from public.workspace_members', '42501', 'permission denied for table workspace_members',
    'nobody reads without signing in'
);

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.workspace_members', array[14::bigint], 'sees both workspaces');
select throws_ok(
    $$ update public.workspace_members set role = 'owner' $$,
    '42501', 'permission denied for table workspace_members', 'changes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    $$ select role, count(*) from public.workspace_members where workspace_id = ws('a') group by 1 order by 1 $$,
    $$ values ('accountant', 1::bigint), ('admin', 1), ('manager', 2), ('owner', 1), ('viewer', 1) $$,
    'what the owner and the suspended member did, and nothing else'
);
select * from finish();
rollback;
