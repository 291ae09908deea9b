begin;
select plan(40);
\ir ../helpers/two_workspaces.sql
create function tests.inspection(p_workspace text, p_n integer) returns uuid immutable language sql
as $$ select tests.id_of(p_workspace, 'inspection', p_n) $$;
grant execute on function tests.inspection(text, integer) to public;

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, title from public.inspections order by 2',
    $$ select ws('a'), 'Inspection ' || n from generate_series(1, 6) as n $$, 'sees the inspections of A only'
);
select throws_ok(
    $$ insert into public.inspections (workspace_id, property_id, title) values (ws('a'), prop('a'), 'New') $$,
    '42501', 'new row violates row-level security policy for table "inspections"', 'adds none'
);
select is_empty($$ update public.inspections set title = 'Mine' returning id $$, 'changes none');
select is_empty('delete from public.inspections returning id', 'deletes none');
select throws_matching(
    $$ select public.complete_inspection(tests.inspection('a', 1)) $$, 'permission_denied', 'completes none'
);
select throws_matching(
    $$ select public.start_inspection(tests.id_of('a', 'inspection_template'), prop('a')) $$, 'permission_denied',
    'starts none'
);
select isnt_empty($$ select public.inspection_content(tests.inspection('a', 1)) $$, 'reads what one says');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.inspections (workspace_id, property_id, title) values (ws('a'), prop('a'), 'New')
        returning status
    $$,
    array['draft'], 'adds a draft'
);
select results_eq(
    $$ update public.inspections set notes = 'Bring the ladder' where title = 'New' returning notes $$,
    array['Bring the ladder'], 'changes it'
);
select throws_ok(
    $$ update public.inspections set status = 'completed' where title = 'New' $$,
    '42501', 'permission denied for table inspections', 'moves no status past the RPC'
);
select throws_matching(
    $$ update public.inspections set notes = 'Mine' where id = tests.inspection('a', 2) $$, 'inspection_completed',
    'changes none that is completed'
);
select throws_matching(
    $$ delete from public.inspections where id = tests.inspection('a', 2) $$, 'inspection_completed',
    'deletes none that is completed'
);
select results_eq(
    $$ delete from public.inspections where title = 'New' returning title $$, array['New'], 'deletes a draft'
);
select results_eq(
    $$
        select title, inspection_type, status
        from public.start_inspection(tests.id_of('a', 'inspection_template'), prop('a'), unit('a', 1))
    $$,
    $$ values ('Move-in', 'move_in', 'draft') $$, 'starts one from a template'
);
select results_eq(
    $$ select i.item from public.inspection_items as i join public.inspections as p on p.id = i.inspection_id
       where p.title = 'Move-in' order by i.position $$,
    array['Oven', 'Walls'], 'with its items'
);
select throws_matching(
    $$ select public.complete_inspection(tests.inspection('a', 1)) $$, 'Kitchen, Oven; Kitchen, Walls',
    'completes none whose items have no condition'
);
update public.inspection_items set condition = 'good' where inspection_id = tests.inspection('a', 1);
select results_eq(
    $$
        select status, completed_by, length(content_digest)
        from public.complete_inspection(tests.inspection('a', 1))
    $$,
    $$ values ('completed', member('manager_a'), 64) $$, 'completes one'
);
select throws_matching(
    $$ select public.complete_inspection(tests.inspection('a', 1)) $$, 'inspection_completed', 'but once'
);
select throws_matching(
    $$ select public.complete_inspection(tests.inspection('b', 1)) $$, 'inspection_not_found', 'completes none of B'
);
select throws_matching(
    $$ select public.complete_inspection(gen_random_uuid()) $$, 'inspection_not_found',
    'and is told the same of one that does not exist'
);
select throws_matching(
    $$ select public.inspection_content(tests.inspection('b', 2)) $$, 'inspection_not_found', 'reads none of B'
);
select throws_matching(
    $$ select public.start_inspection(tests.id_of('b', 'inspection_template'), prop('a')) $$,
    'inspection_template_not_found', 'starts none from a template of B'
);
select throws_ok(
    $$ select public.start_inspection(tests.id_of('a', 'inspection_template'), prop('b')) $$, '23503', null,
    'starts none at a property of B'
);
select throws_ok(
    $$ insert into public.inspections (workspace_id, property_id, title) values (ws('a'), prop('b'), 'New') $$,
    '23503', null, 'adds none at a property of B'
);
select throws_ok(
    $$ insert into public.inspections (workspace_id, property_id, title) values (ws('b'), prop('b'), 'New') $$,
    '42501', 'new row violates row-level security policy for table "inspections"', 'adds none to B'
);

\echo '# the renter of two leases'
select act_as('renter_a');
select results_eq(
    'select id from public.inspections order by 1', $$ values (tests.inspection('a', 2)), (tests.inspection('a', 4)) $$,
    'sees the move-in and the move-out that are completed, not the routine one, not the draft, not the neighbour''s'
);
select is_empty($$ update public.inspections set title = 'Mine' returning id $$, 'changes none');
select is_empty('delete from public.inspections returning id', 'deletes none');
select isnt_empty($$ select public.inspection_content(tests.inspection('a', 2)) $$, 'reads what one says');
select throws_matching(
    $$ select public.inspection_content(tests.inspection('a', 3)) $$, 'inspection_not_found', 'but not of the routine one'
);
select throws_matching(
    $$ select public.complete_inspection(tests.inspection('a', 5)) $$, 'inspection_not_found', 'completes none'
);
select throws_matching(
    $$ select public.start_inspection(tests.id_of('a', 'inspection_template'), prop('a')) $$,
    'inspection_template_not_found', 'starts none'
);

\echo '# a renter whose lease has ended'
select act_as('former_a');
select results_eq(
    'select id from public.inspections', $$ values (tests.inspection('a', 4)) $$, 'sees how the lease ended'
);

\echo '# an occupant, a vendor, a suspended and a removed member'
select act_as('occupant_a');
select is_empty('select from public.inspections', 'an occupant sees none');
select act_as('vendor_a');
select is_empty('select from public.inspections', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.inspections', 'a suspended member sees none');
select throws_matching(
    $$ select public.complete_inspection(tests.inspection('a', 5)) $$, 'inspection_not_found', 'and completes none'
);
select act_as('removed_a');
select is_empty('select from public.inspections', 'a removed member sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok(
    $$ select public.complete_inspection(tests.inspection('a', 5)) $$,
    '42501', 'permission denied for function complete_inspection', 'calls nothing'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    $$ select workspace_id, title, status from public.inspections where status = 'draft' order by 1, 2 $$,
    $$
        values
        (ws('a'), 'Inspection 5', 'draft'),
        (ws('a'), 'Move-in', 'draft'),
        (ws('b'), 'Inspection 1', 'draft'),
        (ws('b'), 'Inspection 5', 'draft')
    $$,
    'what the manager did, and nothing else'
);
select * from finish();
rollback;
