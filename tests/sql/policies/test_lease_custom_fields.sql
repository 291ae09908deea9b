begin;
select plan(19);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, fields from public.lease_custom_fields',
    $$ select ws('a'), v from unnest(array['{"gate_code": "4711", "old_code": "12"}'::jsonb, '{"gate_code": "4711", "old_code": "12"}'::jsonb]) as v $$,
    'sees those of A only'
);
select throws_ok(
    $$ insert into public.lease_custom_fields (workspace_id, lease_id, fields) values (ws('a'), lease('a', 'neighbour'), '{"gate_code": "0815"}') $$,
    '42501', 'new row violates row-level security policy for table "lease_custom_fields"', 'adds none'
);
select is_empty($$ update public.lease_custom_fields set fields = '{}' returning lease_id $$, 'changes none');
select is_empty('delete from public.lease_custom_fields returning lease_id', 'deletes none');

\echo '# an accountant of workspace A'
select act_as('accountant_a');
select is_empty($$ update public.lease_custom_fields set fields = '{}' returning lease_id $$, 'changes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.lease_custom_fields (workspace_id, lease_id, fields)
        values (ws('a'), lease('a', 'neighbour'), '{"gate_code": "0815"}') returning fields
    $$,
    array['{"gate_code": "0815"}'::jsonb], 'records some'
);
select results_eq(
    $$ update public.lease_custom_fields set fields = '{"gate_code": "1234"}' where lease_id = lease('a', 'neighbour') returning fields $$,
    array['{"gate_code": "1234"}'::jsonb], 'changes them'
);
select throws_matching(
    $$ update public.lease_custom_fields set fields = '{"shoe_size": 44}' where lease_id = lease('a', 'neighbour') $$,
    'custom_field_unknown', 'records nothing that no field is for'
);
select results_eq(
    $$ delete from public.lease_custom_fields where lease_id = lease('a', 'active') returning lease_id $$,
    $$ values (lease('a', 'active')) $$, 'deletes them'
);
select throws_ok(
    $$ insert into public.lease_custom_fields (workspace_id, lease_id, fields) values (ws('b'), lease('b', 'active'), '{"shoe_size": 44}') $$,
    '42501', 'new row violates row-level security policy for table "lease_custom_fields"', 'adds none to B, and is not told what is there or which fields B has'
);
select throws_ok(
    $$ insert into public.lease_custom_fields (workspace_id, lease_id) values (ws('a'), lease('b', 'neighbour')) $$,
    '23503', null, 'adds none for a lease of B'
);
select throws_ok(
    $$ update public.lease_custom_fields set lease_id = lease('a', 'neighbour') where lease_id = lease('a', 'neighbour') $$,
    '42501', 'permission denied for table lease_custom_fields', 'moves none to another lease'
);

\echo '# the renter of a lease, and others who are no members'
select act_as('renter_a');
select is_empty('select from public.lease_custom_fields', 'a renter sees none, not even of what is theirs');
select is_empty('delete from public.lease_custom_fields returning lease_id', 'a renter deletes none');
select act_as('vendor_a');
select is_empty('select from public.lease_custom_fields', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.lease_custom_fields', 'a suspended member sees none');
select act_as('anon');
select throws_ok('select from public.lease_custom_fields', '42501', 'permission denied for table lease_custom_fields', 'anybody else sees none');

\echo '# the service role, which reads alone'
select act_as('service_role');
select throws_ok(
    'delete from public.lease_custom_fields', '42501', 'permission denied for table lease_custom_fields', 'deletes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, count(*), count(*) filter (where fields = ''{"gate_code": "1234"}'') from public.lease_custom_fields group by 1 order by 1',
    $$ values (ws('a'), 2::bigint, 1::bigint), (ws('b'), 2, 0) $$,
    'what the manager did, and nothing else'
);
select * from finish();
rollback;
