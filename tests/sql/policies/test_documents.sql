begin;
select plan(29);
\ir ../helpers/two_workspaces.sql
create function tests.document(p_workspace text, p_n integer) returns uuid immutable language sql
as $$ select tests.id_of(p_workspace, 'document', p_n) $$;
grant execute on function tests.document(text, integer) to public;

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, count(*) from public.documents group by 1', $$ values (ws('a'), 17::bigint) $$,
    'sees the documents of A only'
);
select throws_ok(
    $$ insert into public.documents (workspace_id, title) values (ws('a'), 'New') $$,
    '42501', 'new row violates row-level security policy for table "documents"', 'adds none'
);
select is_empty('update public.documents set visible_to_renters = true returning id', 'shows none to anybody');
select is_empty('delete from public.documents returning id', 'deletes none');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.documents (workspace_id, title, lease_id) values (ws('a'), 'New', lease('a', 'active'))
        returning status, storage_path = workspace_id || '/' || id, uploaded_by, attached_to
    $$,
    $$ values ('pending_upload', true, member('manager_a'), lease('a', 'active')) $$,
    'adds one, whose place is made of its id'
);
select throws_ok(
    $$ update public.documents set status = 'available' where title = 'New' $$, '23514', null,
    'says of none that it is there before it is known what is'
);
select results_eq(
    $$
        update public.documents
        set status = 'available', content_type = 'application/pdf', size_bytes = 1, sha256 = repeat('a', 64)
        where title = 'New' returning status
    $$,
    array['available'], 'says so once it is'
);
select throws_matching(
    $$ update public.documents set sha256 = repeat('b', 64) where title = 'New' $$, 'document_stored',
    'from then on the bytes are what they are'
);
select throws_ok(
    $$ update public.documents set storage_path = workspace_id || '/x' where title = 'New' $$,
    '42501', 'permission denied for table documents', 'and where they are'
);
select throws_matching(
    $$ update public.documents set status = 'pending_upload' where title = 'New' $$, 'document_status_refused',
    'nothing becomes pending again'
);
select throws_matching(
    $$ update public.documents set inspection_item_id = null where id = tests.document('a', 9) $$,
    'inspection_completed', 'takes no photo from a completed inspection'
);
select throws_matching(
    $$ delete from public.documents where id = tests.document('a', 9) $$, 'inspection_completed', 'and deletes none'
);
select throws_matching(
    $$
        insert into public.documents (workspace_id, title, inspection_id, inspection_item_id)
        values (ws('a'), 'Late', tests.id_of('a', 'inspection', 2), tests.id_of('a', 'inspection_item', 3))
    $$,
    'inspection_completed', 'and adds none'
);
select throws_ok(
    $$
        insert into public.documents (workspace_id, title, storage_path)
        values (ws('a'), 'Theirs', ws('b') || '/1')
    $$,
    '23514', null, 'stores none in the folder of B'
);
select throws_ok(
    $$ insert into public.documents (workspace_id, title, lease_id) values (ws('a'), 'New', lease('b', 'active')) $$,
    '23503', null, 'attaches none to a lease of B'
);
select throws_ok(
    $$
        insert into public.documents (workspace_id, title, storage_path)
        values (ws('b'), 'Probe', ws('b') || '/1')
    $$,
    '42501', 'new row violates row-level security policy for table "documents"',
    'adds none to B, and is not told which paths B uses'
);

\echo '# the renter of two leases'
select act_as('renter_a');
select results_eq(
    'select id from public.documents order by 1',
    $$ select tests.document('a', n) from unnest(array[1, 2, 3, 7, 8, 9, 15]) as n $$,
    'sees what is shown to renters and about them, their leases and requests, where they live and how they moved in'
);
select is_empty(
    $$ select from public.documents where sha256 = repeat('a', 64) or title = 'Document 4' $$,
    'finds nothing else by what it holds'
);
select is_empty('update public.documents set visible_to_renters = true returning id', 'shows themselves nothing');
select is_empty('delete from public.documents returning id', 'deletes none');

\echo '# an occupant, and a renter whose lease has ended'
select act_as('occupant_a');
select results_eq(
    'select id from public.documents', $$ values (tests.document('a', 4)) $$,
    'an occupant sees what is about them, which the lease''s parties do not'
);
select act_as('former_a');
select results_eq(
    'select id from public.documents', $$ values (tests.document('a', 3)) $$,
    'a former renter sees the papers of the lease, and no longer those of the house'
);

\echo '# vendors'
select act_as('vendor_a');
select results_eq(
    'select id from public.documents order by 1', $$ values (tests.document('a', 10)), (tests.document('a', 16)) $$,
    'a vendor sees what is shown to them and theirs, or their work''s, unless it is archived'
);
select act_as('unassigned_a');
select is_empty('select from public.documents', 'another vendor sees none');

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq(
    'select workspace_id, count(*) from public.documents group by 1 order by 1',
    $$ values (ws('a'), 18::bigint), (ws('b'), 2) $$, 'sees those of A, and in B the rules of the house and a request''s'
);

\echo '# a suspended and a removed member, an outsider'
select act_as('suspended_a');
select is_empty('select from public.documents', 'a suspended member sees none');
select act_as('removed_a');
select is_empty('select from public.documents', 'a removed member sees none');
select act_as('outsider');
select is_empty('select from public.documents', 'an outsider sees none');

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, count(*) from public.documents group by 1 order by 1',
    $$ values (ws('a'), 18::bigint), (ws('b'), 17) $$, 'what the manager added, and nothing else'
);
select * from finish();
rollback;
