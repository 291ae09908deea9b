begin;
select plan(17);
\ir ../helpers/two_workspaces.sql

\echo '# an admin of workspace A'
select act_as('admin_a');
select results_eq(
    'select workspace_id, entry_id, before, after from public.audit_values',
    $$ values (ws('a'), 2::bigint, '{"phone": "555-0100"}'::jsonb, '{"phone": "555-0101"}'::jsonb) $$,
    'sees the values of A only'
);

\echo '# the owner of workspace A, whose changes are recorded and who changes no record'
select act_as('owner_a');
select throws_ok(
    $$ insert into public.audit_values (workspace_id, entry_id, after) values (ws('a'), 1, '{}') $$,
    '42501', 'permission denied for table audit_values', 'adds none'
);
select throws_ok(
    $$ update public.audit_values set after = '{}' $$, '42501', 'permission denied for table audit_values',
    'changes none'
);
select throws_ok(
    'delete from public.audit_values', '42501', 'permission denied for table audit_values', 'deletes none'
);
select lives_ok($$ update public.tenants set email = 'new@example.com' where id = tenant('a') $$, 'corrects an address');
select results_eq(
    $$
        select e.before, e.after, e.personal_columns, v.before, v.after
        from public.audit_entries as e
        join public.audit_values as v on v.workspace_id = e.workspace_id and v.entry_id = e.id
        where e.entity = 'tenants'
        order by e.id desc
        limit 1
    $$,
    $$
        values (
            '{}'::jsonb, '{}'::jsonb, '{email}'::text [], '{"email": "rita@example.com"}'::jsonb,
            '{"email": "new@example.com"}'::jsonb
        )
    $$,
    'which stands here, and not in the entry'
);

\echo '# those without the permission'
select act_as('manager_a');
select is_empty('select from public.audit_values', 'a manager sees none');
select act_as('viewer_a');
select is_empty('select from public.audit_values', 'a viewer sees none');
select act_as('both');
select is_empty('select from public.audit_values', 'a manager of A who is an accountant of B sees none');
select act_as('suspended_a');
select is_empty('select from public.audit_values', 'a suspended admin sees none');
select act_as('removed_a');
select is_empty('select from public.audit_values', 'a removed admin sees none');
select act_as('renter_a');
select is_empty('select from public.audit_values', 'a renter sees none, own data included');
select act_as('outsider');
select is_empty('select from public.audit_values', 'an outsider sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok('select from public.audit_values', '42501', 'permission denied for table audit_values', 'sees none');

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.audit_values', array[3::bigint], 'sees both workspaces');
select throws_ok(
    'delete from public.audit_values', '42501', 'permission denied for table audit_values', 'deletes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, count(*) from public.audit_values group by 1 order by 1',
    $$ values (ws('a'), 2::bigint), (ws('b'), 1) $$, 'what the database wrote, and nothing else'
);
select * from finish();
rollback;
