begin;
select plan(19);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, fields from public.maintenance_request_custom_fields',
    $$ select ws('a'), v from unnest(array['{"floor": 2}'::jsonb, '{"floor": 2}'::jsonb]) as v $$,
    'sees those of A only'
);
select throws_ok(
    $$ insert into public.maintenance_request_custom_fields (workspace_id, request_id, fields) values (ws('a'), request('a', 3), '{"floor": 5}') $$,
    '42501', 'new row violates row-level security policy for table "maintenance_request_custom_fields"', 'adds none'
);
select is_empty($$ update public.maintenance_request_custom_fields set fields = '{}' returning request_id $$, 'changes none');
select is_empty('delete from public.maintenance_request_custom_fields returning request_id', 'deletes none');

\echo '# an accountant of workspace A'
select act_as('accountant_a');
select is_empty($$ update public.maintenance_request_custom_fields set fields = '{}' returning request_id $$, 'changes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.maintenance_request_custom_fields (workspace_id, request_id, fields)
        values (ws('a'), request('a', 3), '{"floor": 5}') returning fields
    $$,
    array['{"floor": 5}'::jsonb], 'records some'
);
select results_eq(
    $$ update public.maintenance_request_custom_fields set fields = '{"floor": 6}' where request_id = request('a', 3) returning fields $$,
    array['{"floor": 6}'::jsonb], 'changes them'
);
select throws_matching(
    $$ update public.maintenance_request_custom_fields set fields = '{"shoe_size": 44}' where request_id = request('a', 3) $$,
    'custom_field_unknown', 'records nothing that no field is for'
);
select results_eq(
    $$ delete from public.maintenance_request_custom_fields where request_id = request('a', 1) returning request_id $$,
    $$ values (request('a', 1)) $$, 'deletes them'
);
select throws_ok(
    $$ insert into public.maintenance_request_custom_fields (workspace_id, request_id, fields) values (ws('b'), request('b', 1), '{"shoe_size": 44}') $$,
    '42501', 'new row violates row-level security policy for table "maintenance_request_custom_fields"', 'adds none to B, and is not told what is there or which fields B has'
);
select throws_ok(
    $$ insert into public.maintenance_request_custom_fields (workspace_id, request_id) values (ws('a'), request('b', 3)) $$,
    '23503', null, 'adds none for a request of B'
);
select throws_ok(
    $$ update public.maintenance_request_custom_fields set request_id = request('a', 3) where request_id = request('a', 3) $$,
    '42501', 'permission denied for table maintenance_request_custom_fields', 'moves none to another request'
);

\echo '# the renter who reported it, and others who are no members'
select act_as('renter_a');
select is_empty('select from public.maintenance_request_custom_fields', 'a renter sees none, not even of what is theirs');
select is_empty('delete from public.maintenance_request_custom_fields returning request_id', 'a renter deletes none');
select act_as('vendor_a');
select is_empty('select from public.maintenance_request_custom_fields', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.maintenance_request_custom_fields', 'a suspended member sees none');
select act_as('anon');
select throws_ok('select from public.maintenance_request_custom_fields', '42501', 'permission denied for table maintenance_request_custom_fields', 'anybody else sees none');

\echo '# the service role, which reads alone'
select act_as('service_role');
select throws_ok(
    'delete from public.maintenance_request_custom_fields', '42501', 'permission denied for table maintenance_request_custom_fields', 'deletes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, count(*), count(*) filter (where fields = ''{"floor": 6}'') from public.maintenance_request_custom_fields group by 1 order by 1',
    $$ values (ws('a'), 2::bigint, 1::bigint), (ws('b'), 2, 0) $$,
    'what the manager did, and nothing else'
);
select * from finish();
rollback;
