begin;
select plan(22);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, channel, enabled from public.notification_preferences',
    $$ values (ws('a'), 'email', false) $$, 'sees their own only'
);
select results_eq(
    $$
        select channel, enabled, is_default from public.notification_settings(ws('a')) where category = 'lease_expiry'
    $$,
    $$ values ('in_app', true, true), ('email', false, false), ('sms', false, true) $$, 'is told what holds'
);
select is(public.set_notification_preference(ws('a'), 'lease_expiry', 'in_app', false), false, 'says otherwise');
select is(public.set_notification_preference(ws('a'), 'lease_expiry', 'email', null), true, 'goes back to the default');
select throws_ok(
    'update public.notification_preferences set enabled = true',
    '42501', 'permission denied for table notification_preferences', 'changes none past the RPC'
);
select throws_matching(
    $$ select public.set_notification_preference(ws('a'), 'lease_expiry', 'pigeon', true) $$,
    'notification_unknown', 'there are so many channels'
);
select throws_matching(
    $$ select public.set_notification_preference(ws('b'), 'lease_expiry', 'email', true) $$,
    'workspace_not_found', 'says nothing in B'
);
select throws_matching(
    $$ select public.set_notification_preference(gen_random_uuid(), 'lease_expiry', 'email', true) $$,
    'workspace_not_found', 'nor in one that does not exist'
);
select is_empty($$ select from public.notification_settings(ws('b')) $$, 'is told nothing of B');

\echo '# a suspended member'
select act_as('suspended_a');
select is_empty('select from public.notification_preferences', 'a suspended member sees none');
select throws_matching(
    $$ select public.set_notification_preference(ws('a'), 'lease_expiry', 'email', true) $$,
    'workspace_not_found', 'and says none'
);

\echo '# a renter and a vendor of workspace A'
select act_as('renter_a');
select results_eq(
    'select workspace_id, category, enabled from public.notification_preferences',
    $$ values (ws('a'), 'request_status', false) $$, 'a renter sees their own'
);
select results_eq(
    $$ select category, enabled from public.notification_settings(ws('a')) $$,
    $$
        values
        ('document_shown', true), ('lease_notice', true), ('lease_renewed', true), ('request_commented', true),
        ('request_status', false)
    $$,
    'and is told what holds for renters alone'
);
select is(public.set_notification_preference(ws('a'), 'document_shown', 'in_app', false), false, 'and says otherwise');
select throws_matching(
    $$ select public.set_notification_preference(ws('a'), 'maintenance_reported', 'in_app', true) $$,
    'notification_unknown', 'not what members are told of'
);
select throws_matching(
    $$ select public.set_notification_preference(ws('b'), 'document_shown', 'in_app', true) $$,
    'workspace_not_found', 'nor anything in B'
);
select is_empty($$ select from public.notification_settings(ws('b')) $$, 'and is told nothing of B');
select act_as('vendor_a');
select results_eq(
    $$ select category, enabled from public.notification_settings(ws('a')) $$,
    $$ values ('work_assigned', false), ('work_commented', true), ('work_status', true) $$,
    'a vendor is told what holds for vendors'
);

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok(
    'select from public.notification_preferences',
    '42501', 'permission denied for table notification_preferences', 'anybody else sees none'
);

\echo '# the service role, which reads alone'
select act_as('service_role');
select throws_ok(
    'delete from public.notification_preferences',
    '42501', 'permission denied for table notification_preferences', 'deletes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    $$ select channel, enabled from public.notification_preferences where user_id = member('viewer_a') $$,
    $$ values ('in_app', false) $$, 'what the viewer said'
);
select results_eq(
    'select workspace_id, count(*) from public.notification_preferences group by 1 order by 1',
    $$ values (ws('a'), 9::bigint), (ws('b'), 8) $$, 'and nothing else'
);
select * from finish();
rollback;
