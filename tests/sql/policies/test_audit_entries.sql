begin;
select plan(19);
\ir ../helpers/two_workspaces.sql

\echo '# an admin of workspace A'
select act_as('admin_a');
select results_eq(
    'select workspace_id, entity, operation, actor_id from public.audit_entries order by id',
    $$
        values
        (ws('a'), 'units', 'update', member('manager_a')),
        (ws('a'), 'tenants', 'update', member('manager_a'))
    $$,
    'sees the log of A only'
);

\echo '# the owner of workspace A, whose changes are recorded and who changes no record'
select act_as('owner_a');
select throws_ok(
    $$
        insert into public.audit_entries (workspace_id, entity, entity_id, operation, actor_role, after)
        values (ws('a'), 'units', 'x', 'insert', 'worker', '{}')
    $$,
    '42501', 'permission denied for table audit_entries', 'adds none'
);
select throws_ok(
    $$ update public.audit_entries set actor_id = null $$, '42501', 'permission denied for table audit_entries',
    'changes none'
);
select throws_ok(
    'delete from public.audit_entries', '42501', 'permission denied for table audit_entries', 'deletes none'
);
select throws_ok(
    'truncate public.audit_entries', '42501', 'permission denied for table audit_entries', 'truncates nothing'
);
select lives_ok($$ update public.units set bedrooms = 2 where id = unit('a') $$, 'changes a unit');
select results_eq(
    $$
        select entity, entity_id, operation, actor_id, actor_role, before, after, personal_columns
        from public.audit_entries
        order by id desc
        limit 1
    $$,
    $$
        values (
            'units', unit('a')::text, 'update', member('owner_a'), 'authenticated', '{"bedrooms": null}'::jsonb,
            '{"bedrooms": 2}'::jsonb, null::text []
        )
    $$,
    'which is written down with their name'
);

\echo '# those without the permission'
select act_as('manager_a');
select is_empty('select from public.audit_entries', 'a manager sees none, own doings included');
select act_as('viewer_a');
select is_empty('select from public.audit_entries', 'a viewer sees none');
select act_as('both');
select is_empty('select from public.audit_entries', 'a manager of A who is an accountant of B sees none');
select act_as('suspended_a');
select is_empty('select from public.audit_entries', 'a suspended admin sees none');
select act_as('removed_a');
select is_empty('select from public.audit_entries', 'a removed admin sees none');
select act_as('renter_a');
select is_empty('select from public.audit_entries', 'a renter sees none');
select act_as('outsider');
select is_empty('select from public.audit_entries', 'an outsider sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok('select from public.audit_entries', '42501', 'permission denied for table audit_entries', 'sees none');

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.audit_entries', array[5::bigint], 'sees both workspaces');
select throws_ok(
    'delete from public.audit_entries', '42501', 'permission denied for table audit_entries', 'deletes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, count(*) from public.audit_entries group by 1 order by 1',
    $$ values (ws('a'), 3::bigint), (ws('b'), 2) $$, 'what the database wrote, and nothing else'
);
select throws_matching('truncate public.audit_entries', 'truncate_refused', 'even its owner does not truncate it unawares');
select * from finish();
rollback;
