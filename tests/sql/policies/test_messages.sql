begin;
select plan(24);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, template from public.messages order by 2',
    $$ values (ws('a'), 'invitation'), (ws('a'), 'lease_expiry') $$, 'sees the messages of A only'
);
select throws_matching(
    $$ select public.resolve_message(tests.id_of('a', 'message'), 'sent') $$, 'permission_denied', 'settles none'
);

\echo '# the owner of workspace A'
select act_as('owner_a');
select throws_ok(
    $$
        insert into public.messages (workspace_id, template, to_address, dedupe_key)
        values (ws('a'), 'invitation', 'new@example.com', 'new')
    $$,
    '42501', 'permission denied for table messages', 'adds none'
);
select throws_ok(
    $$ update public.messages set to_address = 'elsewhere@example.com' $$,
    '42501', 'permission denied for table messages', 'changes none'
);
select throws_ok('delete from public.messages', '42501', 'permission denied for table messages', 'deletes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$ select status from public.resolve_message(tests.id_of('a', 'message'), 'sent') $$, array['sent'],
    'settles one whose outcome is unknown'
);
select throws_matching(
    $$ select public.resolve_message(tests.id_of('b', 'message'), 'sent') $$, 'message_not_found', 'settles none of B'
);
select throws_matching(
    $$ select public.resolve_message(gen_random_uuid(), 'sent') $$, 'message_not_found',
    'and is told the same of one that does not exist'
);
select throws_ok(
    'select from private.message_secrets', '42501', 'permission denied for table message_secrets', 'reads no token'
);

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    'select workspace_id, count(*) from public.messages group by 1 order by 1',
    $$ values (ws('a'), 2::bigint), (ws('b'), 2) $$, 'sees both'
);
select throws_matching(
    $$ select public.resolve_message(tests.id_of('b', 'message'), 'sent') $$, 'permission_denied', 'settles none of B'
);

\echo '# those about whom or to whom a message may be'
select act_as('renter_a');
select is_empty('select from public.messages', 'a renter sees none');
select act_as('occupant_a');
select is_empty('select from public.messages', 'an occupant sees none');
select act_as('vendor_a');
select is_empty('select from public.messages', 'a vendor sees none');

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq('select distinct workspace_id from public.messages', $$ values (ws('a')) $$, 'sees none of B');

\echo '# a suspended and a removed member, an outsider'
select act_as('suspended_a');
select is_empty('select from public.messages', 'a suspended member sees none');
select throws_matching(
    $$ select public.resolve_message(tests.id_of('a', 'message'), 'resend') $$, 'message_not_found',
    'a suspended member settles none'
);
select act_as('removed_a');
select is_empty('select from public.messages', 'a removed member sees none');
select act_as('outsider');
select is_empty('select from public.messages', 'an outsider sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok('select from public.messages', '42501', 'permission denied for table messages', 'sees none');

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.messages', array[4::bigint], 'sees both workspaces');
select throws_ok('delete from public.messages', '42501', 'permission denied for table messages', 'deletes none');
select throws_ok(
    $$ select worker.claim_messages('email') $$, '42501', 'permission denied for schema worker', 'claims none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, template, status, to_address from public.messages order by 1, 2',
    $$
        values
        (ws('a'), 'invitation', 'queued', 'rita@example.com'),
        (ws('a'), 'lease_expiry', 'sent', 'rita@example.com'),
        (ws('b'), 'invitation', 'queued', 'rita@example.com'),
        (ws('b'), 'lease_expiry', 'unknown', 'rita@example.com')
    $$,
    'what the manager settled, and nothing else'
);
select * from finish();
rollback;
