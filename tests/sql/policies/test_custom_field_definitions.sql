begin;
select plan(25);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, key from public.custom_field_definitions order by 2',
    $$ select ws('a'), k from unnest(array['floor', 'gate_code', 'nickname', 'old_code', 'parking', 'pets', 'roof_year']) as k $$,
    'sees those of A only'
);
select throws_ok(
    $$
        insert into public.custom_field_definitions (workspace_id, entity, key, label, type)
        values (ws('a'), 'units', 'new', 'New', 'text')
    $$,
    '42501', 'new row violates row-level security policy for table "custom_field_definitions"', 'adds none'
);

\echo '# a manager of workspace A'
select act_as('manager_a');
select is_empty($$ update public.custom_field_definitions set label = 'Mine' returning id $$, 'changes none');
select is_empty('delete from public.custom_field_definitions returning id', 'deletes none');

\echo '# an admin of workspace A'
select act_as('admin_a');
select results_eq(
    $$
        insert into public.custom_field_definitions (workspace_id, entity, key, label, type)
        values (ws('a'), 'units', 'new', 'New', 'text') returning status, required
    $$,
    $$ values ('active', false) $$, 'adds one'
);
select results_eq(
    $$ update public.custom_field_definitions set label = 'Newer' where key = 'new' returning label $$,
    array['Newer'], 'changes it'
);
select results_eq(
    $$ update public.custom_field_definitions set status = 'archived' where key = 'new' returning archived_at is not null $$,
    array[true], 'archives it'
);
select throws_ok(
    $$ update public.custom_field_definitions set key = 'newer' where key = 'new' $$,
    '42501', 'permission denied for table custom_field_definitions', 'renames no key'
);
select throws_ok(
    $$ update public.custom_field_definitions set type = 'date' where key = 'new' $$,
    '42501', 'permission denied for table custom_field_definitions', 'changes no type'
);
select results_eq(
    $$ delete from public.custom_field_definitions where key = 'new' returning key $$, array['new'], 'deletes it'
);
select throws_matching(
    $$ delete from public.custom_field_definitions where key = 'parking' $$, 'custom_field_in_use',
    'deletes none that values use'
);
select throws_matching(
    $$ update public.custom_field_definitions set options = '{A2}' where key = 'parking' $$, 'custom_field_in_use',
    'takes off no option that values use'
);
select throws_ok(
    $$
        insert into public.custom_field_definitions (workspace_id, entity, key, label, type)
        values (ws('b'), 'leases', 'gate_code', 'Gate', 'text')
    $$,
    '42501', 'new row violates row-level security policy for table "custom_field_definitions"',
    'adds none to B, and is not told which keys B uses'
);
select is_empty($$ delete from public.custom_field_definitions where workspace_id = ws('b') returning id $$, 'deletes none of B');

\echo '# a viewer of workspace A whose role may not read everything'
select act_as_postgres();
savepoint permission;
delete from private.role_permissions where role = 'viewer' and permission = 'portfolio.read';
select act_as('viewer_a');
select results_eq(
    'select key from public.custom_field_definitions order by 1', array['floor', 'gate_code', 'nickname', 'old_code', 'pets'],
    'without portfolio.read sees no parking and roof_year'
);
rollback to savepoint permission;
select act_as_postgres();
savepoint permission;
delete from private.role_permissions where role = 'viewer' and permission = 'renters.read';
select act_as('viewer_a');
select results_eq(
    'select key from public.custom_field_definitions order by 1', array['floor', 'gate_code', 'old_code', 'parking', 'roof_year'],
    'without renters.read sees no nickname and pets'
);
rollback to savepoint permission;
select act_as_postgres();
savepoint permission;
delete from private.role_permissions where role = 'viewer' and permission = 'leases.read';
select act_as('viewer_a');
select results_eq(
    'select key from public.custom_field_definitions order by 1', array['floor', 'nickname', 'parking', 'pets', 'roof_year'],
    'without leases.read sees no gate_code and old_code'
);
rollback to savepoint permission;
select act_as_postgres();
savepoint permission;
delete from private.role_permissions where role = 'viewer' and permission = 'maintenance.read';
select act_as('viewer_a');
select results_eq(
    'select key from public.custom_field_definitions order by 1', array['gate_code', 'nickname', 'old_code', 'parking', 'pets', 'roof_year'],
    'without maintenance.read sees no floor'
);
rollback to savepoint permission;

\echo '# those who are no members'
select act_as('renter_a');
select is_empty('select from public.custom_field_definitions', 'a renter sees none');
select act_as('vendor_a');
select is_empty('select from public.custom_field_definitions', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.custom_field_definitions', 'a suspended member sees none');
select act_as('anon');
select throws_ok(
    'select from public.custom_field_definitions', '42501', 'permission denied for table custom_field_definitions',
    'anybody else sees none'
);

\echo '# the service role, which reads alone'
select act_as('service_role');
select throws_ok(
    'delete from public.custom_field_definitions', '42501',
    'permission denied for table custom_field_definitions', 'deletes none'
);

\echo '# the database''s owner, whom no grant holds'
select act_as_postgres();
select throws_matching(
    $$ update public.custom_field_definitions set type = 'text' where key = 'roof_year' $$, 'custom_field_fixed',
    'changes no type either'
);
select results_eq(
    $$ select workspace_id, count(*), count(*) filter (where label = key) from public.custom_field_definitions group by 1 order by 1 $$,
    $$ values (ws('a'), 7::bigint, 7::bigint), (ws('b'), 7, 7) $$, 'all is as it was'
);
select * from finish();
rollback;
