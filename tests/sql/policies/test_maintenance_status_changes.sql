begin;
select plan(14);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    $$
        select workspace_id, from_status, to_status from public.maintenance_status_changes
        where request_id in (request('a', 3), request('b', 3)) order by recorded_at
    $$,
    $$ values (ws('a'), null, 'open'), (ws('a'), 'open', 'completed') $$, 'sees the history of A only'
);
select throws_ok(
    $$
        insert into public.maintenance_status_changes (workspace_id, request_id, to_status)
        values (ws('a'), request('a'), 'closed')
    $$,
    '42501', 'permission denied for table maintenance_status_changes', 'adds nothing to it'
);

\echo '# a manager of workspace A'
select act_as('manager_a');
select throws_ok(
    $$ update public.maintenance_status_changes set reason = 'Not me' $$,
    '42501', 'permission denied for table maintenance_status_changes', 'changes no history'
);
select throws_ok(
    'delete from public.maintenance_status_changes',
    '42501', 'permission denied for table maintenance_status_changes', 'deletes none'
);
select lives_ok(
    $$ insert into public.maintenance_requests (workspace_id, property_id, title) values (ws('a'), prop('a'), 'New') $$,
    'writes it by what they do'
);
select results_eq(
    $$
        select c.to_status, c.changed_by
        from public.maintenance_status_changes as c
        join public.maintenance_requests as r on r.id = c.request_id
        where r.title = 'New'
    $$,
    $$ values ('open', member('manager_a')) $$, 'under their name'
);

\echo '# a manager of A who is an accountant of B, and a viewer of A who rents in B'
select act_as('both');
select results_eq('select count(*) from public.maintenance_status_changes', array[11::bigint], 'the one sees both');
select act_as('tied_a');
select results_eq(
    'select distinct workspace_id from public.maintenance_status_changes', $$ values (ws('a')) $$,
    'the other none of B: reasons are the members'' own'
);

\echo '# renter, vendor, suspended member, outsider'
select act_as('renter_a');
select is_empty('select from public.maintenance_status_changes', 'a renter sees none');
select act_as('vendor_a');
select is_empty('select from public.maintenance_status_changes', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.maintenance_status_changes', 'a suspended member sees none');
select act_as('outsider');
select is_empty('select from public.maintenance_status_changes', 'an outsider sees none');

\echo '# somebody who is not signed in'
select act_as('anon');
select throws_ok(
    'select from public.maintenance_status_changes',
    '42501', 'permission denied for table maintenance_status_changes', 'sees none'
);

\echo '# the service role, which reads alone'
select act_as('service_role');
select results_eq('select count(*) from public.maintenance_status_changes', array[11::bigint], 'sees both workspaces');
select * from finish();
rollback;
