begin;
select plan(47);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, title from public.maintenance_requests order by 2',
    $$ select ws('a'), t from unnest(array['Broken stove', 'Draughty window', 'Leak', 'Old lock']) as t $$,
    'sees the requests of A only'
);
select throws_ok(
    $$ insert into public.maintenance_requests (workspace_id, property_id, title) values (ws('a'), prop('a'), 'New') $$,
    '42501', 'new row violates row-level security policy for table "maintenance_requests"', 'adds none'
);
select is_empty($$ update public.maintenance_requests set title = 'Mine' returning id $$, 'changes none');
select throws_ok(
    'delete from public.maintenance_requests', '42501', 'permission denied for table maintenance_requests', 'deletes none'
);

\echo '# an accountant of workspace A'
select act_as('accountant_a');
select is_empty($$ update public.maintenance_requests set title = 'Mine' returning id $$, 'changes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.maintenance_requests (workspace_id, property_id, unit_id, title)
        values (ws('a'), prop('a'), unit('a', 4), 'New')
        returning request_number, status, location, created_by
    $$,
    $$
        values (
            5, 'open', 'Elm Court, 1 Elm Street, Springfield, IL 62701, unit 4A', member('manager_a')
        )
    $$,
    'adds one, which is numbered and placed'
);
select results_eq(
    $$ update public.maintenance_requests set priority = 'high' where title = 'New' returning priority $$,
    array['high'], 'changes it'
);
select throws_ok(
    $$ update public.maintenance_requests set status = 'closed' where title = 'New' $$,
    '42501', 'permission denied for table maintenance_requests', 'moves no status past the RPCs'
);
select throws_ok(
    $$ update public.maintenance_requests set assigned_vendor_id = vendor('a') where title = 'New' $$,
    '42501', 'permission denied for table maintenance_requests', 'nor gives work to anybody'
);
select throws_ok(
    $$ update public.maintenance_requests set lease_id = lease('a', 'neighbour') where title = 'Leak' $$,
    '42501', 'permission denied for table maintenance_requests', 'nor takes it to another household'
);
select throws_ok(
    'delete from public.maintenance_requests', '42501', 'permission denied for table maintenance_requests', 'deletes none'
);
select throws_ok(
    $$ insert into public.maintenance_requests (workspace_id, property_id, title) values (ws('b'), prop('b'), 'New') $$,
    '42501', 'new row violates row-level security policy for table "maintenance_requests"', 'adds none to B'
);
select throws_ok(
    $$
        insert into public.maintenance_requests (workspace_id, property_id, title)
        values (gen_random_uuid(), gen_random_uuid(), 'New')
    $$,
    '42501', 'new row violates row-level security policy for table "maintenance_requests"',
    'and is told the same of a workspace that does not exist'
);
select throws_ok(
    $$ insert into public.maintenance_requests (workspace_id, property_id, title) values (ws('a'), prop('b'), 'New') $$,
    '23503', null, 'adds none for a property of B'
);
select throws_ok(
    $$
        insert into public.maintenance_requests (workspace_id, property_id, title)
        values (ws('a'), gen_random_uuid(), 'New')
    $$,
    '23503', null, 'and is told the same of one that does not exist'
);
select throws_ok(
    $$
        insert into public.maintenance_requests (workspace_id, property_id, unit_id, title)
        values (ws('a'), prop('a'), unit('b'), 'New')
    $$,
    '23503', null, 'adds none for a unit of B'
);
select is_empty(
    $$ update public.maintenance_requests set title = 'Mine' where workspace_id = ws('b') returning id $$,
    'changes none of B'
);

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    $$ update public.maintenance_requests set due_on = '2031-01-01' where title = 'Leak' returning workspace_id $$,
    $$ values (ws('a')) $$, 'sees both, changes those of A alone'
);

\echo '# the renter of one of them, who has another that is not shown, and one of a lease that has ended'
select act_as('renter_a');
select results_eq('select title from public.maintenance_requests', array['Leak'], 'sees what is shown of their current lease');
select throws_ok(
    $$
        insert into public.maintenance_requests (workspace_id, property_id, lease_id, title)
        values (ws('a'), prop('a'), lease('a', 'active'), 'New')
    $$,
    '42501', 'new row violates row-level security policy for table "maintenance_requests"', 'adds none past the RPC'
);
select is_empty($$ update public.maintenance_requests set title = 'Mine' returning id $$, 'changes nothing');
select act_as('manager_a');
select lives_ok(
    $$ select public.transfer_unit(lease('a', 'active'), unit('a', 1), unit('a', 2), '2021-01-01') $$,
    'until they are moved to another unit'
);
select act_as('renter_a');
select is_empty('select from public.maintenance_requests', 'and what is to be done in the old one is not theirs');
select act_as('manager_a');
select lives_ok(
    $$ select public.transfer_unit(lease('a', 'active'), unit('a', 2), unit('a', 1), '2021-02-01') $$, 'or moved back'
);
select act_as('renter_a');
select results_eq('select title from public.maintenance_requests', array['Leak'], 'and it is again');
select act_as('manager_a');
select lives_ok(
    $$ update public.maintenance_requests set shown_to_renter = false where title = 'Leak' $$, 'until it is kept from them'
);
select act_as('renter_a');
select is_empty('select from public.maintenance_requests', 'and they see it no more');

\echo '# the vendor of one of them'
select act_as('vendor_a');
select results_eq(
    'select title, location from public.maintenance_requests',
    $$ values ('Leak', 'Elm Court, 1 Elm Street, Springfield, IL 62701, unit 1A') $$,
    'sees what is assigned to them, and where it is'
);
select is_empty($$ update public.maintenance_requests set title = 'Mine' returning id $$, 'changes nothing');
select is_empty('select from public.properties', 'sees no property');
select is_empty('select from public.units', 'and no unit');
select is_empty('select from public.tenants', 'and no renter');
select act_as('manager_a');
select lives_ok($$ update public.vendors set status = 'inactive' where id = vendor('a') $$, 'until they are inactive');
select act_as('vendor_a');
select is_empty('select from public.maintenance_requests', 'and they see it no more, with the token they hold');
select act_as('manager_a');
update public.vendors set status = 'active' where id = vendor('a');
select act_as('vendor_a');
select results_eq('select title from public.maintenance_requests', array['Leak'], 'active again, they see it again');
select act_as_postgres();
update public.maintenance_requests set assigned_vendor_id = vendor('a', 3) where id = request('a');
select act_as('vendor_a');
select is_empty('select from public.maintenance_requests', 'taken from them, it is gone at once');
select act_as('unassigned_a');
select results_eq('select title from public.maintenance_requests', array['Leak'], 'and with whoever has it now');

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq(
    'select workspace_id, count(*) from public.maintenance_requests group by 1 order by 1',
    $$ values (ws('a'), 5::bigint), (ws('b'), 1) $$, 'sees the requests of A, and theirs in B'
);

\echo '# an occupant, a former renter, a suspended and a removed member, an outsider'
select act_as('occupant_a');
select is_empty('select from public.maintenance_requests', 'an occupant is no party to a lease');
select act_as('former_a');
select is_empty('select from public.maintenance_requests', 'a former renter sees none, not even what was theirs');
select act_as('suspended_a');
select is_empty('select from public.maintenance_requests', 'a suspended member sees none');
select act_as('removed_a');
select is_empty('select from public.maintenance_requests', 'a removed member sees none');
select act_as('outsider');
select is_empty('select from public.maintenance_requests', 'an outsider sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok(
    'select from public.maintenance_requests', '42501', 'permission denied for table maintenance_requests', 'sees none'
);

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.maintenance_requests', array[9::bigint], 'sees both workspaces');
select throws_ok(
    'delete from public.maintenance_requests', '42501', 'permission denied for table maintenance_requests', 'deletes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    $$
        select workspace_id, title, status, priority, due_on, shown_to_renter
        from public.maintenance_requests order by 1, 2
    $$,
    $$
        values
        (ws('a'), 'Broken stove', 'assigned', 'normal', null::date, true),
        (ws('a'), 'Draughty window', 'open', 'normal', null, false),
        (ws('a'), 'Leak', 'assigned', 'normal', '2031-01-01', false),
        (ws('a'), 'New', 'open', 'high', null, false),
        (ws('a'), 'Old lock', 'completed', 'normal', null, true),
        (ws('b'), 'Broken stove', 'assigned', 'normal', null, true),
        (ws('b'), 'Draughty window', 'open', 'normal', null, false),
        (ws('b'), 'Leak', 'assigned', 'normal', null, true),
        (ws('b'), 'Old lock', 'completed', 'normal', null, true)
    $$,
    'what the managers did, and nothing else'
);
select * from finish();
rollback;
