begin;
select plan(29);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, count(*) from public.lease_tenants group by 1', $$ values (ws('a'), 8::bigint) $$,
    'sees who is on the leases of A only'
);
select throws_ok(
    $$
        insert into public.lease_tenants (workspace_id, lease_id, tenant_id)
        values (ws('a'), lease('a', 'draft'), tenant('a', 4))
    $$,
    '42501', 'new row violates row-level security policy for table "lease_tenants"', 'adds nobody'
);
select is_empty($$ update public.lease_tenants set share = 50 returning tenant_id $$, 'changes nobody');
select is_empty(
    $$ delete from public.lease_tenants where lease_id = lease('a', 'draft') returning tenant_id $$, 'removes nobody'
);

\echo '# an accountant of workspace A'
select act_as('accountant_a');
select is_empty($$ update public.lease_tenants set share = 50 returning tenant_id $$, 'changes nobody');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.lease_tenants (workspace_id, lease_id, tenant_id)
        values (ws('a'), lease('a', 'draft'), tenant('a', 4)) returning role
    $$,
    array['co_tenant'], 'adds somebody'
);
select results_eq(
    $$
        update public.lease_tenants set share = 50
        where lease_id = lease('a', 'draft') and role = 'primary' returning tenant_id
    $$,
    $$ values (tenant('a')) $$, 'changes somebody''s share'
);
select results_eq(
    $$ delete from public.lease_tenants where tenant_id = tenant('a', 4) returning tenant_id $$,
    $$ values (tenant('a', 4)) $$, 'removes somebody'
);
select throws_ok(
    $$ update public.lease_tenants set tenant_id = tenant('a', 4) $$,
    '42501', 'permission denied for table lease_tenants', 'puts nobody in another''s place'
);
select throws_ok(
    $$
        insert into public.lease_tenants (workspace_id, lease_id, tenant_id)
        values (ws('a'), lease('a', 'draft'), tenant('b', 4))
    $$,
    '23503', null, 'adds no renter of B'
);
select throws_ok(
    $$
        insert into public.lease_tenants (workspace_id, lease_id, tenant_id)
        values (ws('b'), lease('b', 'draft'), tenant('b'))
    $$,
    '42501', 'new row violates row-level security policy for table "lease_tenants"',
    'adds nobody to a lease of B, and is not told who is on it'
);
select is_empty(
    $$ delete from public.lease_tenants where workspace_id = ws('b') returning tenant_id $$, 'removes nobody of B'
);

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    $$ update public.lease_tenants set share = 40 where role = 'co_tenant' returning workspace_id $$,
    $$ values (ws('a')), (ws('a')), (ws('a')) $$, 'sees both, changes those of A alone'
);

\echo '# the renter of two leases, and of a draft'
select act_as('renter_a');
select results_eq(
    'select lease_id, tenant_id, role from public.lease_tenants order by 1, 2',
    $$
        values
        (lease('a', 'active'), tenant('a', 1), 'primary'),
        (lease('a', 'active'), tenant('a', 2), 'occupant'),
        (lease('a', 'ended'), tenant('a', 1), 'co_tenant'),
        (lease('a', 'ended'), tenant('a', 3), 'primary'),
        (lease('a', 'ended'), tenant('a', 6), 'co_tenant')
    $$,
    'sees who else is on their leases'
);
select is_empty($$ update public.lease_tenants set share = 1 returning tenant_id $$, 'changes nothing');
select is_empty('delete from public.lease_tenants returning tenant_id', 'removes nobody');
select throws_ok(
    $$
        insert into public.lease_tenants (workspace_id, lease_id, tenant_id)
        values (ws('a'), lease('a', 'neighbour'), tenant('a'))
    $$,
    '42501', 'new row violates row-level security policy for table "lease_tenants"',
    'does not put themselves on another lease'
);

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq(
    'select workspace_id, count(*) from public.lease_tenants group by 1 order by 1',
    $$ values (ws('a'), 8::bigint), (ws('b'), 2) $$, 'sees who is on the leases of A, and on theirs in B'
);

\echo '# an occupant, a vendor, a suspended and a removed member, an outsider'
select act_as('occupant_a');
select is_empty('select from public.lease_tenants', 'an occupant sees nobody');
select act_as('vendor_a');
select is_empty('select from public.lease_tenants', 'a vendor sees nobody');
select act_as('suspended_a');
select is_empty('select from public.lease_tenants', 'a suspended member sees nobody');
select is_empty('delete from public.lease_tenants returning tenant_id', 'a suspended member removes nobody');
select act_as('removed_a');
select is_empty('select from public.lease_tenants', 'a removed member sees nobody');
select act_as('outsider');
select is_empty('select from public.lease_tenants', 'an outsider sees nobody');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok(
    'select from public.lease_tenants', '42501', 'permission denied for table lease_tenants', 'sees nobody'
);

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.lease_tenants', array[16::bigint], 'sees both workspaces');
select throws_ok(
    'delete from public.lease_tenants', '42501', 'permission denied for table lease_tenants', 'removes nobody'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    $$
        select workspace_id, lease_id, tenant_id, share from public.lease_tenants
        where share is not null order by 1, 2, 3
    $$,
    $$
        values
        (ws('a'), lease('a', 'draft'), tenant('a'), 50::numeric(7, 4)),
        (ws('a'), lease('a', 'ended'), tenant('a'), 40),
        (ws('a'), lease('a', 'ended'), tenant('a', 6), 40),
        (ws('a'), lease('a', 'neighbour'), tenant('a', 5), 40)
    $$,
    'the shares that managers set, and no other'
);
select results_eq(
    'select workspace_id, count(*) from public.lease_tenants group by 1 order by 1',
    $$ values (ws('a'), 8::bigint), (ws('b'), 8) $$, 'everybody whom no manager removed'
);
select * from finish();
rollback;
