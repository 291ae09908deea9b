begin;
select plan(20);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, count(*) from public.maintenance_costs group by 1',
    $$ values (ws('a'), 2::bigint) $$, 'sees the costs of A only'
);
select throws_ok(
    $$
        insert into public.maintenance_costs (workspace_id, request_id, estimate_minor)
        values (ws('a'), request('a', 2), 500)
    $$,
    '42501', 'new row violates row-level security policy for table "maintenance_costs"', 'adds none'
);
select is_empty('update public.maintenance_costs set actual_minor = 1 returning id', 'changes none');
select is_empty('delete from public.maintenance_costs returning id', 'deletes none');

\echo '# an accountant of workspace A'
select act_as('accountant_a');
select results_eq(
    $$
        insert into public.maintenance_costs (workspace_id, request_id, estimate_minor)
        values (ws('a'), request('a', 2), 500) returning currency, estimate_minor
    $$,
    $$ values ('USD', 500::bigint) $$, 'adds one, in the property''s currency'
);
select throws_ok(
    $$
        insert into public.maintenance_costs (workspace_id, request_id, estimate_minor)
        values (ws('a'), request('a'), 500)
    $$,
    '23505', null, 'and no second for a request'
);
select throws_ok(
    $$
        insert into public.maintenance_costs (workspace_id, request_id, currency, estimate_minor)
        values (ws('b'), request('b'), 'USD', 500)
    $$,
    '42501', 'new row violates row-level security policy for table "maintenance_costs"',
    'adds none to B, and is not told what B has'
);

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$ update public.maintenance_costs set actual_minor = 12000 where request_id = request('a') returning actual_minor $$,
    array[12000::bigint], 'changes one'
);
select results_eq(
    $$ delete from public.maintenance_costs where request_id = request('a', 3) returning request_id $$,
    array[request('a', 3)], 'deletes one'
);
select is_empty(
    $$ update public.maintenance_costs set actual_minor = 1 where workspace_id = ws('b') returning id $$, 'changes none of B'
);

\echo '# the renter and the vendor of a request'
select act_as('renter_a');
select is_empty('select from public.maintenance_costs', 'the renter sees no cost');
select act_as('vendor_a');
select is_empty('select from public.maintenance_costs', 'the vendor sees no cost');
select act_as('tied_a');
select results_eq('select distinct workspace_id from public.maintenance_costs', $$ values (ws('a')) $$, 'a viewer of A who rents in B none of B');

\echo '# a suspended member, an outsider, somebody who is not signed in'
select act_as('suspended_a');
select is_empty('select from public.maintenance_costs', 'a suspended member sees none');
select act_as('outsider');
select is_empty('select from public.maintenance_costs', 'an outsider sees none');
select act_as('anon');
select throws_ok('select from public.maintenance_costs', '42501', 'permission denied for table maintenance_costs', 'anon is refused');

\echo '# the service role, which reads alone'
select act_as('service_role');
select throws_ok('delete from public.maintenance_costs', '42501', 'permission denied for table maintenance_costs', 'deletes none');

\echo '# a manager of A who only reads in B, were the columns granted'
select act_as_postgres();
update public.workspace_members set role = 'viewer' where workspace_id = ws('b') and user_id = member('both');
grant update (workspace_id, request_id) on public.maintenance_costs to authenticated;
select act_as('both');
select throws_ok(
    $$
        update public.maintenance_costs set workspace_id = ws('b'), request_id = request('b', 2)
        where request_id = request('a')
    $$,
    '42501', 'new row violates row-level security policy for table "maintenance_costs"', 'takes no cost to B'
);
select results_eq(
    $$
        with changed as (
            update public.maintenance_costs set actual_minor = 12000 where workspace_id = ws('a') returning request_id
        )
        select request_id from changed order by 1
    $$,
    $$ values (request('a')), (request('a', 2)) $$, 'and changes those of A'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select request_id, estimate_minor, actual_minor from public.maintenance_costs order by 1',
    $$
        values
        (request('a'), 10000::bigint, 12000::bigint),
        (request('a', 2), 500, 12000),
        (request('b'), 10000, null),
        (request('b', 3), 10000, null)
    $$,
    'what accountant and manager did, and nothing else'
);
select * from finish();
rollback;
