begin;
select plan(27);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, name from public.vendors order by 2',
    $$ values (ws('a'), 'Brooms'), (ws('a'), 'Locks'), (ws('a'), 'Pipes & Sons') $$, 'sees the vendors of A only'
);
select throws_ok(
    $$ insert into public.vendors (workspace_id, name) values (ws('a'), 'New') $$,
    '42501', 'new row violates row-level security policy for table "vendors"', 'adds none'
);
select is_empty($$ update public.vendors set phone = '555-0100' returning id $$, 'changes none');
select is_empty('delete from public.vendors returning id', 'deletes none');

\echo '# an accountant of workspace A'
select act_as('accountant_a');
select is_empty($$ update public.vendors set phone = '555-0100' returning id $$, 'changes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.vendors (workspace_id, name)
        values (ws('a'), 'New') returning name
    $$, array['New'], 'adds one'
);
select results_eq(
    $$ update public.vendors set phone = '555-0100' where id = vendor('a') returning phone $$,
    array['555-0100'], 'changes one'
);
select results_eq(
    $$ delete from public.vendors where id = vendor('a', 2) returning name $$, array['Brooms'], 'deletes one'
);
select throws_ok(
    $$ update public.vendors set user_id = member('manager_a') where id = vendor('a') $$,
    '42501', 'permission denied for table vendors', 'ties no account to a record'
);
select throws_ok(
    $$ insert into public.vendors (workspace_id, name, email) values (ws('b'), 'New', 'pipes@example.com') $$,
    '42501', 'new row violates row-level security policy for table "vendors"',
    'adds none to B, and is not told whose address B knows'
);
select is_empty($$ delete from public.vendors where workspace_id = ws('b') returning id $$, 'deletes none of B');

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    $$ update public.vendors set status = 'inactive' where name = 'Pipes & Sons' returning workspace_id $$,
    $$ values (ws('a')) $$, 'sees both, changes those of A alone'
);

\echo '# a vendor with an account'
select act_as('vendor_a');
select results_eq(
    'select name from public.vendors', array['Pipes & Sons'], 'sees their own record, not those of other vendors'
);
select is_empty($$ update public.vendors set name = 'Us' returning id $$, 'changes nothing');
select is_empty('delete from public.vendors returning id', 'deletes nothing');
select act_as('manager_a');
select lives_ok(
    $$ select public.revoke_portal_access(vendor_id => vendor('a')) $$, 'until a manager ends their access'
);
select act_as('vendor_a');
select is_empty('select from public.vendors', 'sees nothing any more, with the token they hold');

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq('select distinct workspace_id from public.vendors', $$ values (ws('a')) $$, 'sees none of B');

\echo '# a renter, a suspended and a removed member, an outsider'
select act_as('renter_a');
select is_empty('select from public.vendors', 'a renter sees none');
select act_as('suspended_a');
select is_empty('select from public.vendors', 'a suspended member sees none');
select is_empty($$ update public.vendors set name = 'Us' returning id $$, 'a suspended member changes none');
select act_as('removed_a');
select is_empty('select from public.vendors', 'a removed member sees none');
select act_as('outsider');
select is_empty('select from public.vendors', 'an outsider sees none: an address ties nobody to a record');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok('select from public.vendors', '42501', 'permission denied for table vendors', 'sees none');

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.vendors', array[6::bigint], 'sees both workspaces');
select throws_ok('delete from public.vendors', '42501', 'permission denied for table vendors', 'deletes none');

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, name, phone, status, user_id from public.vendors order by 1, 2',
    $$
        values
        (ws('a'), 'Locks', null, 'active', member('unassigned_a')),
        (ws('a'), 'New', null, 'active', null),
        (ws('a'), 'Pipes & Sons', '555-0100', 'inactive', null),
        (ws('b'), 'Brooms', null, 'active', null),
        (ws('b'), 'Locks', null, 'active', member('unassigned_b')),
        (ws('b'), 'Pipes & Sons', null, 'active', member('vendor_b'))
    $$,
    'what the managers did, and nothing else'
);
select * from finish();
rollback;
