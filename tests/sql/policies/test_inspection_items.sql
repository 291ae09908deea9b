begin;
select plan(19);
\ir ../helpers/two_workspaces.sql
create function tests.inspection(p_workspace text, p_n integer) returns uuid immutable language sql
as $$ select tests.id_of(p_workspace, 'inspection', p_n) $$;
grant execute on function tests.inspection(text, integer) to public;

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, count(*) from public.inspection_items group by 1', $$ values (ws('a'), 6::bigint) $$,
    'sees the items of A only'
);
select throws_ok(
    $$
        insert into public.inspection_items (workspace_id, inspection_id, room, item)
        values (ws('a'), tests.inspection('a', 2), 'Bathroom', 'Taps')
    $$,
    '42501', 'new row violates row-level security policy for table "inspection_items"',
    'adds none, and is not told what is completed'
);
select is_empty($$ update public.inspection_items set note = 'Mine' returning id $$, 'changes none');
select is_empty('delete from public.inspection_items returning id', 'deletes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.inspection_items (workspace_id, inspection_id, room, item)
        values (ws('a'), tests.inspection('a', 1), 'Bathroom', 'Taps') returning condition
    $$,
    array[null::text], 'adds one to a draft'
);
select results_eq(
    $$ update public.inspection_items set condition = 'fair' where item = 'Taps' returning condition $$,
    array['fair'], 'changes it'
);
select results_eq(
    $$ delete from public.inspection_items where id = tests.id_of('a', 'inspection_item', 1) returning item $$,
    array['Oven'], 'deletes one of a draft'
);
select throws_matching(
    $$
        insert into public.inspection_items (workspace_id, inspection_id, room, item)
        values (ws('a'), tests.inspection('a', 2), 'Bathroom', 'Taps')
    $$,
    'inspection_completed', 'adds none to a completed one'
);
select throws_matching(
    $$ update public.inspection_items set condition = 'new' where inspection_id = tests.inspection('a', 2) $$,
    'inspection_completed', 'changes none of a completed one'
);
select throws_matching(
    $$ delete from public.inspection_items where inspection_id = tests.inspection('a', 2) $$,
    'inspection_completed', 'deletes none of a completed one'
);
select throws_ok(
    $$ update public.inspection_items set inspection_id = tests.inspection('a', 5) $$,
    '42501', 'permission denied for table inspection_items', 'moves none to another inspection'
);
select throws_ok(
    $$
        insert into public.inspection_items (workspace_id, inspection_id, room, item)
        values (ws('a'), tests.inspection('b', 1), 'Bathroom', 'Taps')
    $$,
    '23503', null, 'adds none to an inspection of B'
);
select throws_ok(
    $$
        insert into public.inspection_items (workspace_id, inspection_id, room, item)
        values (ws('b'), tests.inspection('b', 2), 'Bathroom', 'Taps')
    $$,
    '42501', 'new row violates row-level security policy for table "inspection_items"',
    'adds none to B, and is not told what is completed there'
);

\echo '# renters'
select act_as('renter_a');
select results_eq(
    'select id from public.inspection_items order by 1',
    $$ select tests.id_of('a', 'inspection_item', n) from generate_series(3, 5) as n $$,
    'a renter sees those of inspections that they may read'
);
select act_as('former_a');
select results_eq(
    'select id from public.inspection_items', $$ values (tests.id_of('a', 'inspection_item', 5)) $$,
    'one whose lease has ended, those of the move-out'
);
select act_as('occupant_a');
select is_empty('select from public.inspection_items', 'an occupant sees none');

\echo '# a vendor and an outsider'
select act_as('vendor_a');
select is_empty('select from public.inspection_items', 'a vendor sees none');
select act_as('outsider');
select is_empty('select from public.inspection_items', 'an outsider sees none');

\echo '# what is left'
select act_as_postgres();
select results_eq(
    $$ select workspace_id, item, condition from public.inspection_items where condition is null or item = 'Taps'
       order by 1, 2 $$,
    $$
        values
        (ws('a'), 'Taps', 'fair'),
        (ws('a'), 'Walls', null),
        (ws('b'), 'Oven', null),
        (ws('b'), 'Walls', null)
    $$,
    'what the manager did, and nothing else'
);
select * from finish();
rollback;
