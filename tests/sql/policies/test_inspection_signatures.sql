begin;
select plan(23);
\ir ../helpers/two_workspaces.sql
create function tests.inspection(p_workspace text, p_n integer) returns uuid immutable language sql
as $$ select tests.id_of(p_workspace, 'inspection', p_n) $$;
create function tests.digest() returns text immutable language sql as $$ select repeat('0', 64) $$;
grant execute on function tests.inspection(text, integer), tests.digest() to public;

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, signer_name from public.inspection_signatures order by 2',
    $$ values (ws('a'), 'Finn Renter'), (ws('a'), 'May Manager'), (ws('a'), 'May Manager') $$,
    'sees the signatures of A only'
);
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('a', 2), 'landlord', 'Vi Viewer', tests.digest()) $$,
    'permission_denied', 'signs nothing'
);

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        select signed_as, tenant_id, user_id, signer_name
        from public.sign_inspection(tests.inspection('a', 3), 'landlord', ' May Manager ', tests.digest())
    $$,
    $$ values ('landlord', null::uuid, member('manager_a'), 'May Manager') $$, 'signs for the workspace'
);
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('a', 3), 'landlord', 'May Manager', tests.digest()) $$,
    'inspection_signed', 'but once'
);
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('a', 1), 'landlord', 'May Manager', tests.digest()) $$,
    'inspection_not_completed', 'signs no draft'
);
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('a', 6), 'landlord', 'May Manager', repeat('1', 64)) $$,
    'inspection_digest_mismatch', 'signs nothing but what is there'
);
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('a', 6), 'renter', 'May Manager', tests.digest()) $$,
    'signer_not_party', 'signs for no renter'
);
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('a', 6), 'landlord', ' ', tests.digest()) $$,
    'signer_name_required', 'signs with no empty name'
);
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('a', 6), 'witness', 'May Manager', tests.digest()) $$,
    'signed_as_unknown', 'signs as nothing else'
);
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('b', 2), 'landlord', 'May Manager', tests.digest()) $$,
    'inspection_not_found', 'signs nothing of B'
);
select throws_ok(
    'delete from public.inspection_signatures', '42501', 'permission denied for table inspection_signatures',
    'deletes none'
);

\echo '# the renter of the lease that it begins'
select act_as('renter_a');
select results_eq(
    'select count(*) from public.inspection_signatures', array[3::bigint], 'sees who signed what they may read'
);
select results_eq(
    $$
        select signed_as, tenant_id, remarks from public.sign_inspection(
            tests.inspection('a', 2), 'renter', 'Rita Renter', tests.digest(), 'The oven was dirty.'
        )
    $$,
    $$ values ('renter', tenant('a', 1), 'The oven was dirty.') $$, 'signs, with a remark'
);
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('a', 2), 'renter', 'Rita', tests.digest()) $$,
    'inspection_signed', 'but once'
);
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('a', 2), 'landlord', 'Rita', tests.digest()) $$,
    'workspace_not_found', 'signs not for the workspace'
);
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('a', 6), 'renter', 'Rita', tests.digest()) $$,
    'inspection_not_found', 'signs not the neighbour''s'
);

\echo '# a viewer of B who rents in A'
select act_as('tied_b');
select results_eq(
    $$
        select tenant_id
        from public.sign_inspection(tests.inspection('a', 6), 'renter', 'Tess Renter', tests.digest())
    $$,
    $$ values (tenant('a', 5)) $$, 'signs as the renter they are there'
);
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('b', 6), 'renter', 'Tess Renter', tests.digest()) $$,
    'signer_not_party', 'and not where they are none'
);

\echo '# an occupant, a vendor, a suspended member'
select act_as('occupant_a');
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('a', 2), 'renter', 'Otis', tests.digest()) $$,
    'inspection_not_found', 'an occupant signs nothing'
);
select act_as('vendor_a');
select is_empty('select from public.inspection_signatures', 'a vendor sees none');
select act_as('suspended_a');
select throws_matching(
    $$ select public.sign_inspection(tests.inspection('a', 2), 'landlord', 'Sue', tests.digest()) $$,
    'inspection_not_found', 'a suspended member signs nothing'
);

\echo '# what is left'
select act_as_postgres();
select throws_matching(
    $$ update public.inspection_signatures set signer_name = 'Somebody' $$, 'signature_given',
    'not even postgres changes a signature'
);
select results_eq(
    'select workspace_id, count(*) from public.inspection_signatures group by 1 order by 1',
    $$ values (ws('a'), 6::bigint), (ws('b'), 3) $$, 'three more, and nothing else'
);
select * from finish();
rollback;
