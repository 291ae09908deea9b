begin;
select plan(15);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, name from public.inspection_templates order by 2',
    $$ values (ws('a'), 'Move-in'), (ws('a'), 'Spare') $$, 'sees the templates of A only'
);

\echo '# a manager of workspace A, who may not change settings'
select act_as('manager_a');
select throws_ok(
    $$ insert into public.inspection_templates (workspace_id, name) values (ws('a'), 'New') $$,
    '42501', 'new row violates row-level security policy for table "inspection_templates"', 'adds none'
);
select is_empty($$ update public.inspection_templates set name = 'Mine' returning id $$, 'changes none');
select is_empty('delete from public.inspection_templates returning id', 'deletes none');

\echo '# an admin of workspace A'
select act_as('admin_a');
select results_eq(
    $$
        insert into public.inspection_templates (workspace_id, name) values (ws('a'), 'New')
        returning inspection_type, status
    $$,
    $$ values ('routine', 'active') $$, 'adds one'
);
select throws_ok(
    $$ insert into public.inspection_templates (workspace_id, name) values (ws('a'), 'NEW') $$,
    '23505', null, 'adds no second one of that name, whatever its case'
);
select results_eq(
    $$ update public.inspection_templates set status = 'archived' where name = 'New' returning name $$,
    array['New'], 'changes it'
);
select results_eq(
    $$ delete from public.inspection_templates where name = 'Move-in' returning workspace_id $$,
    $$ values (ws('a')) $$, 'deletes one with its items'
);
select throws_ok(
    $$ insert into public.inspection_templates (workspace_id, name) values (ws('b'), 'Move-in') $$,
    '42501', 'new row violates row-level security policy for table "inspection_templates"',
    'adds none to B, and is not told which names B uses'
);

\echo '# a renter, a vendor, an outsider'
select act_as('renter_a');
select is_empty('select from public.inspection_templates', 'a renter sees none');
select act_as('vendor_a');
select is_empty('select from public.inspection_templates', 'a vendor sees none');
select act_as('outsider');
select is_empty('select from public.inspection_templates', 'an outsider sees none');

\echo '# an admin of A with a smaller role in B, were the column theirs to write'
select act_as_postgres();
insert into public.workspace_members (workspace_id, user_id, role) values (ws('b'), member('admin_a'), 'manager');
grant update (workspace_id) on public.inspection_templates to authenticated;
select act_as('admin_a');
select throws_ok(
    $$ update public.inspection_templates set workspace_id = ws('b') where workspace_id = ws('a') $$,
    '42501', 'new row violates row-level security policy for table "inspection_templates"', 'a manager of B takes nothing there'
);
select act_as_postgres();
update public.workspace_members set role = 'accountant' where workspace_id = ws('b') and user_id = member('admin_a');
select act_as('admin_a');
select throws_ok(
    $$ update public.inspection_templates set workspace_id = ws('b') where workspace_id = ws('a') $$,
    '42501', 'new row violates row-level security policy for table "inspection_templates"', 'nor does an accountant'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, name, status from public.inspection_templates order by 1, 2',
    $$
        values
        (ws('a'), 'New', 'archived'),
        (ws('a'), 'Spare', 'active'),
        (ws('b'), 'Move-in', 'active'),
        (ws('b'), 'Spare', 'active')
    $$,
    'what the admin did, and nothing else'
);
select * from finish();
rollback;
