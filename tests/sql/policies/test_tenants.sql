begin;
select plan(33);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, first_name from public.tenants order by 2',
    $$ select ws('a'), n from unnest(array['Finn', 'Nora', 'Otis', 'Pat', 'Rita', 'Tess']) as n $$,
    'sees the renters of A only'
);
select throws_ok(
    $$ insert into public.tenants (workspace_id, last_name) values (ws('a'), 'New') $$,
    '42501', 'new row violates row-level security policy for table "tenants"', 'adds none'
);
select is_empty($$ update public.tenants set phone = '555-0100' returning id $$, 'changes none');
select is_empty($$ delete from public.tenants where id = tenant('a', 4) returning id $$, 'deletes none');

\echo '# an accountant of workspace A'
select act_as('accountant_a');
select is_empty($$ update public.tenants set phone = '555-0100' returning id $$, 'changes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$ insert into public.tenants (workspace_id, last_name) values (ws('a'), 'New') returning last_name $$,
    array['New'], 'adds one'
);
select results_eq(
    $$ update public.tenants set phone = '555-0100' where id = tenant('a') returning phone $$,
    array['555-0100'], 'changes one'
);
select results_eq(
    $$ delete from public.tenants where id = tenant('a', 4) returning first_name $$, array['Pat'], 'deletes one'
);
select throws_matching(
    $$ delete from public.tenants where id = tenant('a', 3) $$, 'tenant_on_lease', 'deletes none who is on a lease'
);
select throws_ok(
    $$ update public.tenants set user_id = member('manager_a') where id = tenant('a', 3) $$,
    '42501', 'permission denied for table tenants', 'ties no account to a record'
);
select throws_ok(
    $$ insert into public.tenants (workspace_id, last_name, user_id) values (ws('a'), 'Me', member('manager_a')) $$,
    '42501', 'permission denied for table tenants', 'adds none with an account'
);
select throws_ok(
    $$ insert into public.tenants (workspace_id, last_name, email) values (ws('b'), 'New', 'rita@example.com') $$,
    '42501', 'new row violates row-level security policy for table "tenants"',
    'adds none to B, and is not told whose address B knows'
);
select is_empty(
    $$ update public.tenants set phone = '555-0199' where workspace_id = ws('b') returning id $$, 'changes none of B'
);

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    $$ update public.tenants set status = 'former' where first_name = 'Nora' returning workspace_id $$,
    $$ values (ws('a')) $$, 'sees both, changes those of A alone'
);

\echo '# a renter with an account'
select act_as('renter_a');
select results_eq(
    'select first_name from public.tenants', array['Rita'], 'sees their own record, not those of other renters'
);
select is_empty($$ update public.tenants set email = 'new@example.com' returning id $$, 'changes nothing');
select is_empty('delete from public.tenants returning id', 'deletes nothing');
select throws_ok(
    $$ insert into public.tenants (workspace_id, last_name) values (ws('a'), 'Friend') $$,
    '42501', 'new row violates row-level security policy for table "tenants"', 'adds none'
);
select act_as('occupant_a');
select results_eq('select first_name from public.tenants', array['Otis'], 'an occupant sees their own record too');

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq(
    'select workspace_id, count(*) from public.tenants group by 1 order by 1',
    $$ values (ws('a'), 6::bigint), (ws('b'), 1) $$, 'sees the renters of A, and their own record in B'
);
select is_empty($$ update public.tenants set phone = '555-0199' returning id $$, 'changes none');

\echo '# a renter whose access was ended'
select act_as('manager_a');
select lives_ok($$ select public.revoke_portal_access(tenant_id => tenant('a')) $$, 'a manager ends it');
select act_as('renter_a');
select is_empty('select from public.tenants', 'sees nothing any more, with the token they hold');
select is_empty('select from public.leases', 'nor the lease');

\echo '# a vendor, a suspended and a removed member, an outsider'
select act_as('vendor_a');
select is_empty('select from public.tenants', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.tenants', 'a suspended member sees none');
select act_as('removed_a');
select is_empty('select from public.tenants', 'a removed member sees none');
select is_empty('delete from public.tenants returning id', 'a removed member deletes none');
select act_as('outsider');
select is_empty('select from public.tenants', 'an outsider sees none: an address ties nobody to a record');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok('select from public.tenants', '42501', 'permission denied for table tenants', 'sees none');

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.tenants', array[12::bigint], 'sees both workspaces');
select throws_ok('delete from public.tenants', '42501', 'permission denied for table tenants', 'deletes none');

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, first_name, phone, status, user_id from public.tenants order by 1, 2',
    $$
        values
        (ws('a'), '', null, 'current', null::uuid),
        (ws('a'), 'Finn', null, 'current', member('former_a')),
        (ws('a'), 'Nora', null, 'former', null),
        (ws('a'), 'Otis', null, 'current', member('occupant_a')),
        (ws('a'), 'Rita', '555-0100', 'current', null),
        (ws('a'), 'Tess', null, 'current', member('tied_b')),
        (ws('b'), 'Finn', null, 'current', member('former_b')),
        (ws('b'), 'Nora', null, 'current', null),
        (ws('b'), 'Otis', null, 'current', member('occupant_b')),
        (ws('b'), 'Pat', null, 'current', null),
        (ws('b'), 'Rita', null, 'current', member('renter_b')),
        (ws('b'), 'Tess', null, 'current', member('tied_a'))
    $$,
    'what the managers did, and nothing else'
);
select * from finish();
rollback;
