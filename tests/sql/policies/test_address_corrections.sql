begin;
select plan(32);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, address_line1 from public.address_corrections order by 2',
    $$ values (ws('a'), '1 Elm St'), (ws('a'), '2 Elm St') $$, 'sees the proposals of A only'
);
select throws_matching(
    $$ select public.accept_address_correction(tests.id_of('a', 'address_correction')) $$, 'permission_denied', 'accepts none'
);
select throws_matching(
    $$ select public.dismiss_address_correction(tests.id_of('a', 'address_correction')) $$, 'permission_denied',
    'dismisses none'
);
select throws_matching($$ select public.verify_addresses(ws('a')) $$, 'permission_denied', 'has none checked');
select throws_matching($$ select public.locate_property(prop('a')) $$, 'permission_denied', 'has none located');

select results_eq(
    $$ select public.address_summary(ws('a')) - 'waiting' $$,
    $$ values ('{"verified": 0, "corrected": 0, "unverified": 2, "proposed": 1}'::jsonb) $$, 'is told how far it is'
);
select throws_matching($$ select public.address_summary(ws('b')) $$, 'workspace_not_found', 'but not of B');
select act_as_postgres();
update public.address_corrections
set proposed_at = now() - interval '29 days'
where id = tests.id_of('a', 'address_correction');
select act_as('viewer_a');
select results_eq(
    'select address_line1 from public.address_corrections', array['2 Elm St'], 'sees none that is too old to be kept'
);
select act_as_postgres();
update public.address_corrections set proposed_at = now() where id = tests.id_of('a', 'address_correction');

\echo '# the owner of workspace A, past the RPCs'
select act_as('owner_a');
select throws_ok(
    $$
        insert into public.address_corrections
            (workspace_id, property_id, address_line1, city, country, provider, of_address, proposed_at)
        values (ws('a'), prop('a', 2), '2 Elm St', 'Springfield', 'US', 'google', '', now())
    $$,
    '42501', 'permission denied for table address_corrections', 'proposes none'
);
select throws_ok(
    $$ update public.address_corrections set status = 'open', decided_at = null $$,
    '42501', 'permission denied for table address_corrections', 'changes none'
);
select throws_ok(
    'delete from public.address_corrections', '42501', 'permission denied for table address_corrections', 'deletes none'
);

\echo '# a manager of workspace A'
select act_as('manager_a');
select throws_matching(
    $$ select public.accept_address_correction(tests.id_of('a', 'address_correction', 2)) $$, 'correction_settled',
    'accepts none that was dismissed'
);
select throws_matching(
    $$ select public.accept_address_correction(tests.id_of('b', 'address_correction')) $$, 'correction_not_found',
    'accepts none of B'
);
select throws_matching(
    $$ select public.dismiss_address_correction(tests.id_of('b', 'address_correction')) $$, 'correction_not_found',
    'dismisses none of B'
);
select throws_matching(
    $$ select public.accept_address_correction(gen_random_uuid()) $$, 'correction_not_found',
    'and is told the same of one that does not exist'
);
select throws_matching($$ select public.verify_addresses(ws('b')) $$, 'workspace_not_found', 'has none of B checked');
select throws_matching($$ select public.locate_property(prop('b')) $$, 'property_not_found', 'has none of B located');
select results_eq(
    $$
        select address_line1, postal_code, address_status
        from public.accept_address_correction(tests.id_of('a', 'address_correction'))
    $$,
    $$ values ('1 Elm St', '62701-1000', 'corrected') $$, 'accepts one: the property is written so'
);
select results_eq(
    $$ select status, decided_by from public.address_corrections where id = tests.id_of('a', 'address_correction') $$,
    $$ values ('accepted', member('manager_a')) $$, 'and it is noted who did'
);
select throws_matching(
    $$ select public.dismiss_address_correction(tests.id_of('a', 'address_correction')) $$, 'correction_settled', 'but once'
);
select is(public.verify_addresses(ws('a')), 1, 'has the address checked that is still unverified');
select is(public.verify_addresses(ws('a')), 0, 'but once');

\echo '# those who don''t work there'
select act_as('both');
select throws_matching(
    $$ select public.dismiss_address_correction(tests.id_of('b', 'address_correction')) $$, 'permission_denied',
    'an accountant dismisses none'
);
select act_as('renter_a');
select is_empty('select from public.address_corrections', 'a renter sees none');
select throws_matching($$ select public.address_summary(ws('a')) $$, 'workspace_not_found', 'nor how far it is');
select act_as('vendor_a');
select is_empty('select from public.address_corrections', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.address_corrections', 'a suspended member sees none');
select throws_matching(
    $$ select public.dismiss_address_correction(tests.id_of('a', 'address_correction')) $$, 'correction_not_found',
    'and dismisses none'
);
select act_as('outsider');
select is_empty('select from public.address_corrections', 'an outsider sees none');
select throws_matching($$ select public.address_summary(ws('a')) $$, 'workspace_not_found', 'nor how far it is');
select act_as('anon');
select throws_ok(
    'select from public.address_corrections', '42501', 'permission denied for table address_corrections',
    'nor does anybody'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, status from public.address_corrections order by 1, 2',
    $$ values (ws('a'), 'accepted'), (ws('a'), 'dismissed'), (ws('b'), 'dismissed'), (ws('b'), 'open') $$,
    'what the manager accepted, and nothing else'
);
select * from finish();
rollback;
