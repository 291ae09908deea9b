begin;
select plan(25);
\ir ../helpers/two_workspaces.sql

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    'select workspace_id, status from public.imports order by 2',
    $$ values (ws('a'), 'committed'), (ws('a'), 'staged') $$, 'sees the imports of A only'
);
select throws_ok(
    $$
        insert into public.imports (workspace_id, kind, file_name, file_digest)
        values (ws('a'), 'rent_roll', 'new.csv', repeat('0', 64))
    $$,
    '42501', 'permission denied for table imports', 'adds none: rpc/start_import does'
);
select throws_ok(
    $$ update public.imports set status = 'staged' $$, '42501', 'permission denied for table imports', 'changes none'
);
select throws_ok('delete from public.imports', '42501', 'permission denied for table imports', 'deletes none');
select throws_ok(
    'select from private.import_rows', '42501', 'permission denied for table import_rows', 'reads no staged row'
);
select lives_ok(
    $$ select public.start_import(ws('a'), 'rent_roll', 'new.csv', repeat('0', 64)) $$, 'starts one by RPC'
);
select throws_matching(
    $$ select public.start_import(ws('b'), 'rent_roll', 'new.csv', repeat('0', 64)) $$, 'workspace_not_found',
    'starts none in B'
);
select throws_matching(
    $$ select public.commit_import(tests.id_of('b', 'import')) $$, 'import_not_found', 'carries out none of B'
);
select throws_matching(
    $$ select public.commit_import(gen_random_uuid()) $$, 'import_not_found',
    'and is told the same of one that does not exist'
);

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq('select distinct workspace_id from public.imports', $$ values (ws('a')) $$, 'sees those of A alone');
select throws_matching(
    $$ select public.discard_import(tests.id_of('b', 'import')) $$, 'import_not_found',
    'discards none of B'
);

\echo '# members who run no imports'
select act_as('viewer_a');
select is_empty('select from public.imports', 'a viewer sees none');
select throws_matching(
    $$ select public.start_import(ws('a'), 'rent_roll', 'new.csv', repeat('0', 64)) $$, 'permission_denied',
    'a viewer starts none'
);
select act_as('accountant_a');
select is_empty('select from public.imports', 'an accountant sees none');
select throws_matching(
    $$ select public.discard_import(tests.id_of('a', 'import')) $$, 'import_not_found',
    'an accountant discards none'
);

\echo '# everybody else'
select act_as('suspended_a');
select is_empty('select from public.imports', 'a suspended member sees none');
select throws_matching(
    $$ select public.discard_import(tests.id_of('a', 'import')) $$, 'import_not_found', 'a suspended member discards none'
);
select act_as('removed_a');
select is_empty('select from public.imports', 'a removed member sees none');
select act_as('renter_a');
select is_empty('select from public.imports', 'a renter sees none');
select act_as('vendor_a');
select is_empty('select from public.imports', 'a vendor sees none');
select act_as('outsider');
select is_empty('select from public.imports', 'an outsider sees none');
select act_as('anon');
select throws_ok(
    'select from public.imports', '42501', 'permission denied for table imports', 'nobody reads without signing in'
);

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.imports', array[5::bigint], 'sees both workspaces');
select throws_ok('delete from public.imports', '42501', 'permission denied for table imports', 'deletes none');

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, file_name, status from public.imports order by 1, 2, 3',
    $$
        values
        (ws('a'), 'new.csv', 'staged'),
        (ws('a'), 'rents.csv', 'committed'),
        (ws('a'), 'rents.csv', 'staged'),
        (ws('b'), 'rents.csv', 'committed'),
        (ws('b'), 'rents.csv', 'staged')
    $$,
    'what the manager started, and nothing else'
);
select * from finish();
rollback;
