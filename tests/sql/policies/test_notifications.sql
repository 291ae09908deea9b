begin;
select plan(20);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, title from public.notifications', $$ values (ws('a'), 'Notice 3') $$, 'sees their own only'
);
select throws_ok(
    $$
        insert into public.notifications (workspace_id, user_id, category, title, dedupe_key)
        values (ws('a'), member('viewer_a'), 'lease_expiry', 'Mine', 'mine')
    $$,
    '42501', 'permission denied for table notifications', 'tells nobody anything'
);
select throws_ok(
    'update public.notifications set read_at = now()', '42501', 'permission denied for table notifications',
    'marks none past the RPC'
);
select throws_ok(
    'delete from public.notifications', '42501', 'permission denied for table notifications', 'deletes none'
);
select is(
    public.mark_notifications_read(array[
        tests.id_of('a', 'notification', 1), tests.id_of('a', 'notification', 3), tests.id_of('a', 'notification', 4)
    ]),
    1, 'marks their own, whatever they name'
);
select is(public.mark_notifications_read(before => now()), 0, 'has no more to mark');

\echo '# the owner of workspace A, who was told nothing'
select act_as('owner_a');
select is_empty('select from public.notifications', 'sees nobody else''s');

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    'select workspace_id from public.notifications order by 1', $$ values (ws('a')), (ws('b')) $$, 'sees those of either'
);
select is(public.mark_notifications_read(before => now(), workspace_id => ws('b')), 1, 'marks those of one');

\echo '# a suspended and a removed member'
select act_as('suspended_a');
select is_empty('select from public.notifications', 'a suspended member sees none');
select is(public.mark_notifications_read(before => now()), 0, 'a suspended member marks none');
select act_as('removed_a');
select is_empty('select from public.notifications', 'a removed member sees none');

\echo '# a renter, a vendor, somebody who is not signed in'
select act_as('renter_a');
select is_empty('select from public.notifications', 'a renter sees none');
select act_as('vendor_a');
select is_empty('select from public.notifications', 'a vendor sees none');
select act_as('anon');
select throws_ok(
    'select from public.notifications', '42501', 'permission denied for table notifications', 'anybody else sees none'
);
select throws_ok(
    'select public.mark_notifications_read(before => now())',
    '42501', 'permission denied for function mark_notifications_read', 'and calls nothing'
);

\echo '# the service role, which reads alone'
select act_as('service_role');
select throws_ok(
    'delete from public.notifications', '42501', 'permission denied for table notifications', 'deletes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    $$ select title from public.notifications where workspace_id = ws('a') and read_at is not null order by 1 $$,
    array['Notice 2', 'Notice 3'], 'what they marked in A, and nothing else'
);
select results_eq(
    $$ select title from public.notifications where workspace_id = ws('b') and read_at is not null order by 1 $$,
    array['Notice 2', 'Notice 5'], 'and in B'
);
select is_empty(
    $$ select from public.notifications where user_id in (member('removed_a'), member('removed_b')) $$,
    'who left took theirs along'
);
select * from finish();
rollback;
