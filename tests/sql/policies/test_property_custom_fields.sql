begin;
select plan(19);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, fields from public.property_custom_fields',
    $$ select ws('a'), v from unnest(array['{"roof_year": 1999}'::jsonb]) as v $$,
    'sees those of A only'
);
select throws_ok(
    $$ insert into public.property_custom_fields (workspace_id, property_id, fields) values (ws('a'), prop('a', 2), '{"roof_year": 2020}') $$,
    '42501', 'new row violates row-level security policy for table "property_custom_fields"', 'adds none'
);
select is_empty($$ update public.property_custom_fields set fields = '{}' returning property_id $$, 'changes none');
select is_empty('delete from public.property_custom_fields returning property_id', 'deletes none');

\echo '# an accountant of workspace A'
select act_as('accountant_a');
select is_empty($$ update public.property_custom_fields set fields = '{}' returning property_id $$, 'changes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.property_custom_fields (workspace_id, property_id, fields)
        values (ws('a'), prop('a', 2), '{"roof_year": 2020}') returning fields
    $$,
    array['{"roof_year": 2020}'::jsonb], 'records some'
);
select results_eq(
    $$ update public.property_custom_fields set fields = '{"roof_year": 2021}' where property_id = prop('a', 2) returning fields $$,
    array['{"roof_year": 2021}'::jsonb], 'changes them'
);
select throws_matching(
    $$ update public.property_custom_fields set fields = '{"shoe_size": 44}' where property_id = prop('a', 2) $$,
    'custom_field_unknown', 'records nothing that no field is for'
);
select results_eq(
    $$ delete from public.property_custom_fields where property_id = prop('a') returning property_id $$,
    $$ values (prop('a')) $$, 'deletes them'
);
select throws_ok(
    $$ insert into public.property_custom_fields (workspace_id, property_id, fields) values (ws('b'), prop('b'), '{"shoe_size": 44}') $$,
    '42501', 'new row violates row-level security policy for table "property_custom_fields"', 'adds none to B, and is not told what is there or which fields B has'
);
select throws_ok(
    $$ insert into public.property_custom_fields (workspace_id, property_id) values (ws('a'), prop('b', 2)) $$,
    '23503', null, 'adds none for a property of B'
);
select throws_ok(
    $$ update public.property_custom_fields set property_id = prop('a', 2) where property_id = prop('a', 2) $$,
    '42501', 'permission denied for table property_custom_fields', 'moves none to another property'
);

\echo '# the renter who lives in it, and others who are no members'
select act_as('renter_a');
select is_empty('select from public.property_custom_fields', 'a renter sees none, not even of what is theirs');
select is_empty('delete from public.property_custom_fields returning property_id', 'a renter deletes none');
select act_as('vendor_a');
select is_empty('select from public.property_custom_fields', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.property_custom_fields', 'a suspended member sees none');
select act_as('anon');
select throws_ok('select from public.property_custom_fields', '42501', 'permission denied for table property_custom_fields', 'anybody else sees none');

\echo '# the service role, which reads alone'
select act_as('service_role');
select throws_ok(
    'delete from public.property_custom_fields', '42501', 'permission denied for table property_custom_fields', 'deletes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, count(*), count(*) filter (where fields = ''{"roof_year": 2021}'') from public.property_custom_fields group by 1 order by 1',
    $$ values (ws('a'), 1::bigint, 1::bigint), (ws('b'), 1, 0) $$,
    'what the manager did, and nothing else'
);
select * from finish();
rollback;
