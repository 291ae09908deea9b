begin;
select plan(17);
\ir ../helpers/two_workspaces.sql

\echo '# a viewer of workspace A'
select act_as('viewer_a');
select results_eq(
    'select workspace_id, place_id from public.place_coordinates order by 2',
    $$ values (ws('a'), 'place-1'), (ws('a'), 'place-2') $$, 'sees the places of A only'
);
select results_eq(
    'select p.coordinates from public.properties as p',
    $$
        select jsonb_build_object('latitude', 39.78, 'longitude', -89.65, 'source', 'google', 'fetched_at', now())
        from generate_series(1, 2)
    $$,
    'and where each property is'
);

\echo '# what is too old to be kept, and not deleted yet'
select act_as_postgres();
insert into public.place_coordinates (workspace_id, place_id, latitude, longitude, provider, fetched_at)
values
(ws('a'), 'old', 1, 2, 'google', now() - interval '29 days'),
(ws('a'), 'not quite', 1, 2, 'google', now() - interval '29 days' + interval '1 second'),
(ws('a'), 'photon:1', 1, 2, 'photon', now() - interval '9 years');
select act_as('viewer_a');
select results_eq(
    $$ select place_id from public.place_coordinates where latitude = 1 order by 1 $$,
    array['not quite', 'photon:1'], 'is in nobody''s sight, if it is Google''s'
);
select act_as_postgres();
select results_eq(
    $$ with gone as (delete from public.place_coordinates where latitude = 1 returning place_id) select count(*) from gone $$,
    array[3::bigint], 'though it is there'
);

\echo '# the owner of workspace A'
select act_as('owner_a');
select throws_ok(
    $$
        insert into public.place_coordinates (workspace_id, place_id, latitude, longitude, provider, fetched_at)
        values (ws('a'), 'place-3', 0, 0, 'google', now())
    $$,
    '42501', 'permission denied for table place_coordinates', 'adds none'
);
select throws_ok(
    'update public.place_coordinates set fetched_at = now()', '42501', 'permission denied for table place_coordinates',
    'makes none younger'
);
select throws_ok(
    'delete from public.place_coordinates', '42501', 'permission denied for table place_coordinates', 'deletes none'
);
select results_eq(
    $$
        update public.properties set latitude = 1, longitude = 2 where id = prop('a')
        returning properties.coordinates ->> 'source'
    $$,
    array['person'], 'says where a property is, and is believed before any service'
);

\echo '# a renter of workspace A'
select act_as('renter_a');
select results_eq(
    'select workspace_id, place_id from public.place_coordinates',
    $$ values (ws('a'), 'place-1') $$, 'sees where the house is that they rent in'
);

\echo '# one who rents in A and in B'
select act_as_postgres();
savepoint in_both;
update public.tenants set user_id = member('renter_a') where workspace_id = ws('b') and user_id = member('tied_a');
update public.properties set place_id = 'elsewhere' where id = prop('a');
insert into public.place_coordinates (workspace_id, place_id, latitude, longitude, provider, fetched_at)
values (ws('a'), 'elsewhere', 1, 2, 'photon', now()), (ws('b'), 'elsewhere', 1, 2, 'photon', now());
select act_as('renter_a');
select results_eq(
    'select workspace_id, place_id from public.place_coordinates order by 1, 2',
    $$ values (ws('a'), 'elsewhere'), (ws('b'), 'place-1') $$, 'sees each house, and not that B asked about the one in A'
);
select act_as_postgres();
rollback to savepoint in_both;

\echo '# a viewer of A who rents in B'
select act_as('tied_a');
select results_eq(
    'select workspace_id, place_id from public.place_coordinates order by 1, 2',
    $$ values (ws('a'), 'place-1'), (ws('a'), 'place-2'), (ws('b'), 'place-1') $$, 'sees all of A, and of B their house'
);

\echo '# a former renter, a vendor, a suspended member, strangers'
select act_as('former_a');
select is_empty('select from public.place_coordinates', 'a former renter sees none');
select act_as('vendor_a');
select is_empty('select from public.place_coordinates', 'a vendor sees none');
select act_as('suspended_a');
select is_empty('select from public.place_coordinates', 'a suspended member sees none');
select act_as('outsider');
select is_empty('select from public.place_coordinates', 'an outsider sees none');
select act_as('anon');
select throws_ok(
    'select from public.place_coordinates', '42501', 'permission denied for table place_coordinates', 'nor does anybody'
);

\echo '# what is left'
select act_as_postgres();
select results_eq(
    'select workspace_id, place_id, latitude from public.place_coordinates order by 1, 2',
    $$
        values
        (ws('a'), 'place-1', 39.78::double precision),
        (ws('a'), 'place-2', 39.78),
        (ws('b'), 'place-1', 39.78),
        (ws('b'), 'place-2', 39.78)
    $$,
    'is as it was'
);
select * from finish();
rollback;
