begin;
select plan(29);
\ir ../helpers/two_workspaces.sql

\echo '# an admin of workspace A, who manages members'
select act_as('admin_a');
select results_eq(
    'select kind from public.workspace_invitations order by 1', array['member', 'renter', 'vendor'], 'sees all of A'
);
select throws_ok(
    'select digest from private.invitation_tokens',
    '42501', 'permission denied for table invitation_tokens', 'sees no token''s digest'
);
select throws_ok(
    $$
        insert into public.workspace_invitations (workspace_id, kind, email, role, expires_at)
        values (ws('a'), 'member', 'me@example.com', 'owner', now() + interval '1 year')
    $$,
    '42501', 'permission denied for table workspace_invitations', 'adds none: rpc/invite does'
);
select throws_ok(
    $$ update public.workspace_invitations set role = 'owner' $$,
    '42501', 'permission denied for table workspace_invitations', 'changes none'
);

\echo '# a manager of workspace A, who invites renters and vendors'
select act_as('manager_a');
select results_eq(
    'select kind from public.workspace_invitations order by 1', array['renter', 'vendor'],
    'sees those of renters and vendors'
);
select is_empty(
    $$ delete from public.workspace_invitations where kind = 'member' returning id $$, 'withdraws none of a member'
);
select results_eq(
    $$ delete from public.workspace_invitations where kind = 'renter' returning kind $$,
    array['renter'], 'withdraws one of a renter'
);
select is_empty(
    $$ delete from public.workspace_invitations where workspace_id = ws('b') returning id $$, 'withdraws none of B'
);

\echo '# the owner of workspace A'
select act_as('owner_a');
select results_eq(
    $$ delete from public.workspace_invitations where kind = 'member' returning kind $$,
    array['member'], 'withdraws one of a member'
);

\echo '# those who invite nobody'
select act_as('viewer_a');
select is_empty('select id from public.workspace_invitations', 'a viewer sees none');
select is_empty('delete from public.workspace_invitations returning id', 'a viewer withdraws none');
select act_as('accountant_a');
select is_empty('select id from public.workspace_invitations', 'an accountant sees none');
select is_empty('delete from public.workspace_invitations returning id', 'an accountant withdraws none');

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    'select workspace_id, kind from public.workspace_invitations', $$ values (ws('a'), 'vendor') $$,
    'sees what is left in A'
);

\echo '# whoever has the address that was invited, but not the token'
select act_as('outsider');
select is_empty('select id from public.workspace_invitations', 'sees none');
select throws_matching(
    $$ select public.accept_invitation('a guess') $$, 'invitation_not_found', 'accepts none without the token'
);
select lives_ok($$ select public.accept_invitation('token b1') $$, 'accepts with it');
select throws_matching($$ select public.accept_invitation('token b1') $$, 'invitation_used', 'once only');
select results_eq('select id from public.workspaces', $$ values (ws('b')) $$, 'and is a member then');

\echo '# everybody else'
select act_as('suspended_a');
select is_empty('select id from public.workspace_invitations', 'a suspended admin sees none');
select is_empty('delete from public.workspace_invitations returning id', 'a suspended admin withdraws none');
select act_as('removed_a');
select is_empty('select id from public.workspace_invitations', 'a removed admin sees none');
select act_as('renter_a');
select is_empty('select id from public.workspace_invitations', 'a renter sees none');
select act_as('vendor_a');
select is_empty('select id from public.workspace_invitations', 'a vendor sees none');
select act_as('anon');
select throws_ok(
    'select id from public.workspace_invitations', '42501', 'permission denied for table workspace_invitations',
    'nobody reads without signing in'
);

\echo '# the service role, which reads alone, and no digest'
select act_as('service_role');
select results_eq('select count(*) from public.workspace_invitations', array[4::bigint], 'sees both workspaces');
select throws_ok(
    'select digest from private.invitation_tokens',
    '42501', 'permission denied for table invitation_tokens', 'sees no token''s digest'
);
select throws_ok(
    'delete from public.workspace_invitations', '42501', 'permission denied for table workspace_invitations',
    'withdraws none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, kind, role from public.workspace_invitations order by 1, 2',
    $$
        values
        (ws('a'), 'vendor', null),
        (ws('b'), 'member', 'manager'),
        (ws('b'), 'renter', null),
        (ws('b'), 'vendor', null)
    $$,
    'what the manager and the owner withdrew is gone, and nothing else'
);
select * from finish();
rollback;
