begin;
select plan(13);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, room, item from public.inspection_template_items order by position',
    $$ values (ws('a'), 'Kitchen', 'Oven'), (ws('a'), 'Kitchen', 'Walls') $$, 'sees the items of A only'
);

\echo '# a manager of workspace A, who may not change settings'
select act_as('manager_a');
select throws_ok(
    $$
        insert into public.inspection_template_items (workspace_id, template_id, room, item)
        values (ws('a'), tests.id_of('a', 'inspection_template'), 'Bathroom', 'Taps')
    $$,
    '42501', 'new row violates row-level security policy for table "inspection_template_items"', 'adds none'
);
select is_empty($$ update public.inspection_template_items set room = 'Mine' returning id $$, 'changes none');
select is_empty('delete from public.inspection_template_items returning id', 'deletes none');

\echo '# an owner of workspace A'
select act_as('owner_a');
select results_eq(
    $$
        insert into public.inspection_template_items (workspace_id, template_id, room, item)
        values (ws('a'), tests.id_of('a', 'inspection_template'), 'Bathroom', 'Taps') returning item
    $$,
    array['Taps'], 'adds one'
);
select results_eq(
    $$ update public.inspection_template_items set item = 'Tap' where item = 'Taps' returning item $$,
    array['Tap'], 'changes it'
);
select results_eq(
    $$ delete from public.inspection_template_items where item = 'Walls' returning workspace_id $$,
    $$ values (ws('a')) $$, 'deletes one'
);
select throws_ok(
    $$
        insert into public.inspection_template_items (workspace_id, template_id, room, item)
        values (ws('a'), tests.id_of('b', 'inspection_template'), 'Bathroom', 'Taps')
    $$,
    '23503', null, 'adds none to a template of B'
);

\echo '# a renter and an outsider'
select act_as('renter_a');
select is_empty('select from public.inspection_template_items', 'a renter sees none');
select act_as('outsider');
select is_empty('select from public.inspection_template_items', 'an outsider sees none');

\echo '# an owner of A with a smaller role in B, were the column theirs to write'
select act_as_postgres();
insert into public.workspace_members (workspace_id, user_id, role) values (ws('b'), member('owner_a'), 'manager');
grant update (workspace_id) on public.inspection_template_items to authenticated;
select act_as('owner_a');
select throws_ok(
    $$ update public.inspection_template_items set workspace_id = ws('b') where workspace_id = ws('a') $$,
    '42501', 'new row violates row-level security policy for table "inspection_template_items"', 'a manager of B takes nothing there'
);
select act_as_postgres();
update public.workspace_members set role = 'accountant' where workspace_id = ws('b') and user_id = member('owner_a');
select act_as('owner_a');
select throws_ok(
    $$ update public.inspection_template_items set workspace_id = ws('b') where workspace_id = ws('a') $$,
    '42501', 'new row violates row-level security policy for table "inspection_template_items"', 'nor does an accountant'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, item from public.inspection_template_items order by 1, 2',
    $$ values (ws('a'), 'Oven'), (ws('a'), 'Tap'), (ws('b'), 'Oven'), (ws('b'), 'Walls') $$,
    'what the owner did, and nothing else'
);
select * from finish();
rollback;
