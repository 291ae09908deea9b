begin;
select plan(27);
\ir ../helpers/two_workspaces.sql
select set_config('request.headers', '{"idempotency-key": "k"}', true);

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, amount_minor from public.expenses order by 2',
    $$ values (ws('a'), 12500::bigint), (ws('a'), 12500) $$, 'sees the expenses of A only'
);
select throws_matching(
    $$ select public.record_expense(prop('a'), 'repairs', 100, '2020-01-01') $$, 'permission_denied', 'records none'
);
select throws_matching(
    $$ select public.void_expense(tests.id_of('a', 'expense', 1), 'Mine') $$, 'permission_denied', 'voids none'
);
select is_empty($$ update public.expenses set description = 'Mine' returning id $$, 'changes none');

\echo '# an accountant of workspace A'
select act_as('accountant_a');
select results_eq(
    $$
        select workspace_id, amount_minor, currency, recorded_by
        from public.record_expense(prop('a'), 'utilities', 4200, '2020-03-01', 'Water')
    $$,
    $$ values (ws('a'), 4200::bigint, 'USD', member('accountant_a')) $$, 'records one'
);
select results_eq(
    $$ select description from public.record_expense(prop('a'), 'utilities', 4200, '2020-03-01', 'Water') $$,
    array['Water'], 'and is answered the same when the call is repeated'
);
select throws_matching(
    $$ select public.record_expense(prop('a'), 'utilities', 4300, '2020-03-01', 'Water') $$, 'idempotency_key_reused',
    'but not with another body'
);
select results_eq(
    $$ update public.expenses set category = 'fees' where description = 'Water' returning category $$,
    array['fees'], 'files it elsewhere'
);
select throws_ok(
    'update public.expenses set amount_minor = 1', '42501', 'permission denied for table expenses',
    'changes no amount'
);
select throws_ok(
    'delete from public.expenses', '42501', 'permission denied for table expenses', 'deletes none'
);
select throws_ok(
    $$
        insert into public.expenses (workspace_id, property_id, category, amount_minor, currency, incurred_on)
        values (ws('a'), prop('a'), 'fees', 1, 'USD', '2020-01-01')
    $$,
    '42501', 'permission denied for table expenses', 'writes none past the RPC'
);
select results_eq(
    $$
        select void_reason, voided_by, voided_at is not null
        from public.void_expense(tests.id_of('a', 'expense', 1), 'Another house')
    $$,
    $$ values ('Another house', member('accountant_a'), true) $$, 'voids one'
);
select throws_matching(
    $$ select public.void_expense(tests.id_of('a', 'expense', 1), 'Again') $$, 'expense_void', 'but once'
);
select throws_matching(
    $$ update public.expenses set description = 'Mine' where id = tests.id_of('a', 'expense', 1) $$, 'expense_void',
    'and changes nothing of it'
);
select throws_matching(
    $$ select public.record_expense(prop('b'), 'repairs', 100, '2020-01-01') $$, 'property_not_found',
    'records none at a property of B'
);
select throws_matching(
    $$ select public.record_expense(gen_random_uuid(), 'repairs', 100, '2020-01-01') $$, 'property_not_found',
    'and is told the same of one that does not exist'
);
select throws_matching(
    $$ select public.void_expense(tests.id_of('b', 'expense', 1), 'Mine') $$, 'expense_not_found', 'voids none of B'
);

\echo '# a manager of A who is an accountant of B'
select act_as('both');
select results_eq(
    $$ select workspace_id from public.void_expense(tests.id_of('b', 'expense', 1), 'Twice') $$,
    $$ values (ws('b')) $$, 'has a hand in the money of both'
);

\echo '# renters, vendors, strangers'
select act_as('renter_a');
select is_empty('select from public.expenses', 'a renter sees none');
select throws_matching(
    $$ select public.record_expense(prop('a'), 'repairs', 100, '2020-01-01') $$, 'property_not_found',
    'and records none where they live'
);
select act_as('vendor_a');
select is_empty('select from public.expenses', 'a vendor sees none, not even what they were paid');
select act_as('suspended_a');
select is_empty('select from public.expenses', 'a suspended member sees none');
select act_as('outsider');
select is_empty('select from public.expenses', 'an outsider sees none');
select act_as('anon');
select throws_ok('select from public.expenses', '42501', 'permission denied for table expenses', 'nor does anybody');

\echo '# a manager of A who looks on in B, were the column theirs to write'
select act_as_postgres();
insert into public.workspace_members (workspace_id, user_id, role) values (ws('b'), member('manager_a'), 'viewer');
grant update (workspace_id) on public.expenses to authenticated;
select act_as('manager_a');
select throws_ok(
    $$ update public.expenses set workspace_id = ws('b') where workspace_id = ws('a') $$,
    '42501', 'new row violates row-level security policy for table "expenses"', 'takes nothing there'
);

\echo '# what is left'
select act_as_postgres();
select throws_matching('delete from public.expenses', 'expense_recorded', 'not even postgres deletes one');
select results_eq(
    'select workspace_id, category, amount_minor, voided_at is not null from public.expenses order by 1, 2, 3',
    $$
        values
        (ws('a'), 'fees', 4200::bigint, false),
        (ws('a'), 'repairs', 12500, true),
        (ws('a'), 'repairs', 12500, true),
        (ws('b'), 'repairs', 12500, true),
        (ws('b'), 'repairs', 12500, true)
    $$,
    'what was recorded and voided, and nothing else'
);
select * from finish();
rollback;
