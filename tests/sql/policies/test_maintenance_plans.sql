begin;
select plan(20);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, title, next_due_on from public.maintenance_plans order by 2',
    $$ values (ws('a'), 'Filter', date '2031-01-31'), (ws('a'), 'Mow', '2031-01-31') $$, 'sees the plans of A only'
);
select throws_ok(
    $$
        insert into public.maintenance_plans (workspace_id, property_id, title, interval_unit, anchor_on)
        values (ws('a'), prop('a'), 'New', 'month', '2031-01-31')
    $$,
    '42501', 'new row violates row-level security policy for table "maintenance_plans"', 'adds none'
);
select is_empty('update public.maintenance_plans set lead_days = 1 returning id', 'changes none');
select is_empty('delete from public.maintenance_plans returning id', 'deletes none');

\echo '# an accountant of workspace A'
select act_as('accountant_a');
select is_empty('update public.maintenance_plans set lead_days = 1 returning id', 'changes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.maintenance_plans (workspace_id, property_id, title, interval_unit, anchor_on)
        values (ws('a'), prop('a'), 'New', 'year', '2031-06-01') returning next_due_on, next_creation_on
    $$,
    $$ values (date '2031-06-01', date '2031-05-18') $$, 'adds one, and is told when'
);
select results_eq(
    $$ update public.maintenance_plans set lead_days = 0 where title = 'New' returning next_creation_on $$,
    array[date '2031-06-01'], 'changes it'
);
select throws_ok(
    $$ update public.maintenance_plans set next_due_on = '2020-01-01' $$,
    '42501', 'permission denied for table maintenance_plans', 'moves no date past the database'
);
select results_eq(
    $$ delete from public.maintenance_plans where title = 'Filter' returning title $$, array['Filter'], 'deletes one'
);
select throws_ok(
    $$
        insert into public.maintenance_plans (workspace_id, property_id, title, interval_unit, anchor_on)
        values (ws('b'), prop('b'), 'New', 'month', '2031-01-31')
    $$,
    '42501', 'new row violates row-level security policy for table "maintenance_plans"', 'adds none to B'
);
select throws_ok(
    $$ update public.maintenance_plans set assigned_vendor_id = vendor('b', 2) where title = 'New' $$,
    '23503', null, 'gives no work to a vendor of B'
);

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    $$ update public.maintenance_plans set lead_days = 3 where title = 'Mow' returning workspace_id $$,
    $$ values (ws('a')) $$, 'sees both, changes those of A alone'
);

\echo '# whoever is no member'
select act_as('renter_a');
select is_empty('select from public.maintenance_plans', 'a renter sees none');
select act_as('vendor_a');
select is_empty('select from public.maintenance_plans', 'the vendor who gets the work sees none');
select act_as('suspended_a');
select is_empty('select from public.maintenance_plans', 'a suspended member sees none');
select act_as('outsider');
select is_empty('select from public.maintenance_plans', 'an outsider sees none');
select act_as('anon');
select throws_ok('select from public.maintenance_plans', '42501', 'permission denied for table maintenance_plans', 'anon is refused');

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.maintenance_plans', array[4::bigint], 'sees both workspaces');
select throws_ok('delete from public.maintenance_plans', '42501', 'permission denied for table maintenance_plans', 'deletes none');

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, title, lead_days from public.maintenance_plans order by 1, 2',
    $$ values (ws('a'), 'Mow', 3), (ws('a'), 'New', 0), (ws('b'), 'Filter', 14), (ws('b'), 'Mow', 14) $$,
    'what the managers did, and nothing else'
);
select * from finish();
rollback;
