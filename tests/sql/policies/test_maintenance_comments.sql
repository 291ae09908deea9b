begin;
select plan(32);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, count(*) from public.maintenance_comments group by 1',
    $$ values (ws('a'), 5::bigint) $$, 'sees the comments of A only'
);
select throws_ok(
    $$ insert into public.maintenance_comments (workspace_id, request_id, body) values (ws('a'), request('a'), 'New') $$,
    '42501', 'new row violates row-level security policy for table "maintenance_comments"', 'adds none'
);
select is_empty('update public.maintenance_comments set visible_to_renter = true returning id', 'shows none to anybody');

\echo '# a manager of workspace A'
select act_as('manager_a');
select results_eq(
    $$
        insert into public.maintenance_comments (workspace_id, request_id, body)
        values (ws('a'), request('a'), 'Ask Pipes & Sons')
        returning author_kind, author_id, visible_to_renter, visible_to_vendor
    $$,
    $$ values ('member', member('manager_a'), false, false) $$, 'adds one, internal unless they say otherwise'
);
select throws_ok(
    $$
        insert into public.maintenance_comments (workspace_id, request_id, body, author_id)
        values (ws('a'), request('a'), 'I pay', member('renter_a'))
    $$,
    '42501', 'permission denied for table maintenance_comments', 'puts words in nobody''s mouth'
);
select throws_ok(
    $$ update public.maintenance_comments set body = 'Never said' $$,
    '42501', 'permission denied for table maintenance_comments', 'takes no word back'
);
select throws_ok(
    'delete from public.maintenance_comments',
    '42501', 'permission denied for table maintenance_comments', 'deletes none'
);
select throws_ok(
    $$ insert into public.maintenance_comments (workspace_id, request_id, body) values (ws('b'), request('b'), 'New') $$,
    '42501', 'new row violates row-level security policy for table "maintenance_comments"', 'adds none to B'
);
select throws_ok(
    $$
        insert into public.maintenance_comments (workspace_id, request_id, body)
        values (ws('b'), gen_random_uuid(), 'New')
    $$,
    '42501', 'new row violates row-level security policy for table "maintenance_comments"',
    'and is told the same of a request that does not exist'
);
select throws_ok(
    $$ insert into public.maintenance_comments (workspace_id, request_id, body) values (ws('a'), request('b'), 'New') $$,
    '23503', null, 'adds none in A about a request of B'
);

\echo '# the renter'
select act_as('renter_a');
select results_eq(
    'select body from public.maintenance_comments', array['We come on Monday'],
    'sees what is for them of what they see'
);
select results_eq(
    $$
        insert into public.maintenance_comments (workspace_id, request_id, body, visible_to_renter, visible_to_vendor)
        values (ws('a'), request('a'), 'Monday is fine', false, true)
        returning author_kind, author_id, visible_to_renter, visible_to_vendor
    $$,
    $$ values ('renter', member('renter_a'), true, false) $$, 'answers the members, whatever they ask for'
);
select throws_ok(
    $$ insert into public.maintenance_comments (workspace_id, request_id, body) values (ws('a'), request('a', 2), 'New') $$,
    '42501', 'new row violates row-level security policy for table "maintenance_comments"',
    'says nothing about what is kept from them'
);
select throws_ok(
    $$ insert into public.maintenance_comments (workspace_id, request_id, body) values (ws('a'), request('a', 3), 'New') $$,
    '42501', 'new row violates row-level security policy for table "maintenance_comments"',
    'nor about a lease that has ended'
);
select is_empty('update public.maintenance_comments set visible_to_vendor = true returning id', 'shows none to the vendor');

\echo '# the vendor'
select act_as('vendor_a');
select results_eq(
    'select body from public.maintenance_comments', array['The tap is under the sink'], 'sees what is for them'
);
select results_eq(
    $$
        insert into public.maintenance_comments (workspace_id, request_id, body, visible_to_renter)
        values (ws('a'), request('a'), 'Found it', true)
        returning author_kind, author_id, visible_to_renter, visible_to_vendor
    $$,
    $$ values ('vendor', member('vendor_a'), false, true) $$, 'answers the members, whatever they ask for'
);
select throws_ok(
    $$ insert into public.maintenance_comments (workspace_id, request_id, body) values (ws('a'), request('a', 4), 'New') $$,
    '42501', 'new row violates row-level security policy for table "maintenance_comments"',
    'says nothing about another vendor''s work'
);

\echo '# a member shows to each side what the other said'
select act_as('manager_a');
select lives_ok(
    $$
        update public.maintenance_comments set visible_to_renter = true, visible_to_vendor = true
        where body in ('Monday is fine', 'Found it')
    $$,
    'by a change of the flags'
);
select act_as('renter_a');
select results_eq(
    'select body from public.maintenance_comments order by 1', array['Found it', 'Monday is fine', 'We come on Monday'],
    'the renter reads it'
);
select act_as('vendor_a');
select results_eq(
    'select body from public.maintenance_comments order by 1',
    array['Found it', 'Monday is fine', 'The tap is under the sink'], 'and the vendor'
);
select act_as('manager_a');
select lives_ok($$ select public.revoke_portal_access(vendor_id => vendor('a')) $$, 'until a manager ends their access');
select act_as('vendor_a');
select is_empty('select from public.maintenance_comments', 'who then sees none, with the token they hold');
select throws_ok(
    $$ insert into public.maintenance_comments (workspace_id, request_id, body) values (ws('a'), request('a'), 'New') $$,
    '42501', 'new row violates row-level security policy for table "maintenance_comments"', 'and adds none'
);

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq(
    $$ select body from public.maintenance_comments where workspace_id = ws('b') $$, array['It is on order'],
    'sees in B what is for the renter'
);

\echo '# a former renter, a suspended member, an outsider'
select act_as('former_a');
select is_empty('select from public.maintenance_comments', 'a former renter sees none');
select act_as('suspended_a');
select is_empty('select from public.maintenance_comments', 'a suspended member sees none');
select act_as('outsider');
select is_empty('select from public.maintenance_comments', 'an outsider sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok(
    'select from public.maintenance_comments', '42501', 'permission denied for table maintenance_comments', 'sees none'
);

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.maintenance_comments', array[13::bigint], 'sees both workspaces');
select throws_ok(
    'delete from public.maintenance_comments',
    '42501', 'permission denied for table maintenance_comments', 'deletes none'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    $$
        select body, author_kind, visible_to_renter, visible_to_vendor
        from public.maintenance_comments where author_kind <> 'system' order by 1
    $$,
    $$
        values
        ('Ask Pipes & Sons', 'member', false, false),
        ('Found it', 'vendor', true, true),
        ('Monday is fine', 'renter', true, true)
    $$,
    'what three people said, and nothing else'
);
select * from finish();
rollback;
