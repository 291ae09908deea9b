begin;
select plan(26);
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

\echo '# a renter, before and after their record is tied to them'
select act_as('renter_a');
select results_eq('select title from public.notifications', array['Notice 8'], 'a renter sees their own');
select is(
    public.mark_notifications_read(array[tests.id_of('a', 'notification', 8), tests.id_of('a', 'notification', 9)]),
    1, 'and marks it'
);
select act_as_postgres();
update public.tenants set user_id = null where user_id = member('renter_a');
select act_as('renter_a');
select is_empty('select from public.notifications', 'without their record they see none');
select is(public.mark_notifications_read(before => now()), 0, 'nor mark any');

\echo '# somebody who is a viewer of A and rents in B, before and after they rent there'
select act_as('tied_a');
select results_eq(
    'select workspace_id, audience from public.notifications', $$ values (ws('b'), 'renter') $$, 'sees theirs of B'
);
select act_as_postgres();
update public.tenants set user_id = null where user_id = member('tied_a');
insert into public.workspace_members (workspace_id, user_id, role) values (ws('b'), member('tied_a'), 'viewer');
select act_as('tied_a');
select is_empty('select from public.notifications', 'not as a member what they were told as a renter');

\echo '# a vendor, while active'
select act_as('vendor_a');
select results_eq('select title from public.notifications', array['Notice 10'], 'a vendor sees their own');
select act_as_postgres();
update public.vendors set status = 'inactive' where user_id = member('vendor_a');
select act_as('vendor_a');
select is_empty('select from public.notifications', 'an inactive one sees none');

\echo '# somebody who is not signed in'
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
    array['Notice 2', 'Notice 3', 'Notice 8'], 'what they marked in A, and nothing else'
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
