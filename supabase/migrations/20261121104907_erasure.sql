set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

create or replace function private.erase_account (
    p_user_id uuid
)
    returns jsonb
    language plpgsql
    set search_path to ''
    AS $function$
declare
    v_address text;
    v_place record;
    v_memberships bigint;
    v_erased jsonb := '[]';
    v_kept jsonb := '[]';
begin
    -- Whoever ties the account to a record meanwhile waits for this, or this for them.
    select lower(u.email) into v_address from auth.users as u where u.id = p_user_id for update;
    if not found then
        perform private.fail(
            404, 'account_not_found', 'There is no such account.',
            p_hint := 'Erase before you delete the account itself: afterwards nothing tells what was theirs.'
        );
    end if;
    delete from public.workspace_members where user_id = p_user_id;
    get diagnostics v_memberships = row_count;
    perform from public.tenants as t where t.user_id = p_user_id order by t.id for update;
    perform from public.vendors as v where v.user_id = p_user_id order by v.id for update;
    for v_place in
        select w.id as workspace_id, t.id as tenant_id, v.id as vendor_id, private.lease_in_force_of(w.id, t.id) as lease_number
        from public.workspaces as w
        left join public.tenants as t on t.workspace_id = w.id and t.user_id = p_user_id
        left join public.vendors as v on v.workspace_id = w.id and v.user_id = p_user_id
        where
            t.id is not null
            or v.id is not null
            or exists (
                select from public.workspace_invitations as i where i.workspace_id = w.id and lower(i.email) = v_address
            )
            or exists (
                select from public.messages as m where m.workspace_id = w.id and lower(m.to_address) = v_address
            )
        order by w.id
    loop
        if v_place.lease_number is not null then
            -- The contract needs its parties.
            v_kept := v_kept || jsonb_build_object(
                'workspace_id', v_place.workspace_id,
                'tenant_id', v_place.tenant_id,
                'lease_number', v_place.lease_number
            );
        else
            v_erased := v_erased || (
                jsonb_build_object(
                    'workspace_id', v_place.workspace_id,
                    'tenant_id', v_place.tenant_id,
                    'vendor_id', v_place.vendor_id
                )
                || private.erase_in_workspace(
                    v_place.workspace_id, v_place.tenant_id, v_place.vendor_id, array_remove(array[v_address], null)
                )
            );
        end if;
    end loop;
    return jsonb_build_object('memberships', v_memberships, 'erased', v_erased, 'kept', v_kept);
end
$function$;

create or replace function private.erase_in_workspace (
    p_workspace_id uuid,
    p_tenant_id uuid,
    p_vendor_id uuid,
    p_addresses text[] default '{}'::text[]
)
    returns jsonb
    language plpgsql
    set search_path to ''
    AS $function$
declare
    v_claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    v_addresses text[];
    v_invitations bigint;
    v_messages bigint;
    v_under_way bigint;
    v_entries bigint;
begin
    -- Every address that the record ever had: mails to any of them are about this person.
    v_addresses := array(
        select lower(v.address)
        from (
            select u.address
            from unnest(p_addresses) as u (address)
            union
            select t.email
            from public.tenants as t
            where t.workspace_id = p_workspace_id and t.id = p_tenant_id
            union
            select v.email
            from public.vendors as v
            where v.workspace_id = p_workspace_id and v.id = p_vendor_id
            union
            select side.value ->> 'email'
            from public.audit_entries as e
            join public.audit_values as a on a.workspace_id = e.workspace_id and a.entry_id = e.id
            cross join lateral (values (a.before), (a.after)) as side (value)
            where
                e.workspace_id = p_workspace_id
                and (e.entity, e.entity_id) in (('tenants', p_tenant_id::text), ('vendors', p_vendor_id::text))
        ) as v
        where v.address <> ''
    );

    delete from public.workspace_invitations
    where
        workspace_id = p_workspace_id
        and (tenant_id = p_tenant_id or vendor_id = p_vendor_id or lower(email) = any (p_addresses));
    get diagnostics v_invitations = row_count;
    update public.messages
    set to_address = 'erased@example.invalid', to_name = null, payload = '{}', last_error = null
    where
        workspace_id = p_workspace_id
        and lower(to_address) = any (v_addresses)
        and status in ('sent', 'failed', 'unknown');
    get diagnostics v_messages = row_count;
    select count(*) into v_under_way
    from public.messages as m
    where m.workspace_id = p_workspace_id and lower(m.to_address) = any (v_addresses);
    delete from public.notifications as n
    using private.told_as(p_workspace_id, p_tenant_id, p_vendor_id) as person
    where n.workspace_id = p_workspace_id and n.user_id = person.user_id and n.audience = person.audience;
    delete from public.notification_preferences as n
    using private.told_as(p_workspace_id, p_tenant_id, p_vendor_id) as person
    where n.workspace_id = p_workspace_id and n.user_id = person.user_id and n.audience = person.audience;
    delete from public.tenant_custom_fields where workspace_id = p_workspace_id and tenant_id = p_tenant_id;
    update public.tenants
    set first_name = '', last_name = 'Erased', email = null, phone = null, status = 'former', user_id = null
    where workspace_id = p_workspace_id and id = p_tenant_id;
    update public.vendors
    set
        name = 'Erased', email = null, phone = null, license_number = null, insurance_policy_number = null,
        status = 'inactive', user_id = null
    where workspace_id = p_workspace_id and id = p_vendor_id;

    -- The log, what the statements above have just added to it included.
    with about as (
        select e.id, e.entity, e.entity_id
        from public.audit_entries as e
        where
            e.workspace_id = p_workspace_id
            and (e.entity, e.entity_id) in (
                ('tenants', p_tenant_id::text), ('tenant_custom_fields', p_tenant_id::text), ('vendors', p_vendor_id::text)
            )
        union
        select e.id, e.entity, e.entity_id
        from public.audit_entries as e
        join public.audit_values as a on a.workspace_id = e.workspace_id and a.entry_id = e.id
        cross join lateral (values (a.before), (a.after)) as side (value)
        where
            e.workspace_id = p_workspace_id
            and (
                e.entity = 'messages' and lower(side.value ->> 'to_address') = any (v_addresses)
                or e.entity = 'workspace_invitations'
                and (
                    lower(side.value ->> 'email') = any (p_addresses)
                    or coalesce(e.after, e.before) ->> 'tenant_id' = p_tenant_id::text
                    or coalesce(e.after, e.before) ->> 'vendor_id' = p_vendor_id::text
                )
            )
    ),
    erased as (
        delete from public.audit_values as a
        using about
        where a.workspace_id = p_workspace_id and a.entry_id = about.id
        returning about.entity, about.entity_id
    ),
    told as (
        insert into public.audit_entries (
            workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, after
        )
        select
            p_workspace_id, e.entity, e.entity_id, 'erase', auth.uid(), coalesce(v_claims ->> 'role', session_user),
            private.request_id(), jsonb_build_object('entries', count(*))
        from erased as e
        group by e.entity, e.entity_id
    )
    select count(*) into v_entries from erased;
    return jsonb_build_object(
        'audit_entries', v_entries,
        'invitations', v_invitations,
        'messages', v_messages,
        'messages_under_way', v_under_way
    );
end
$function$;

create or replace function private.erase_personal_data (
    p_tenant_id uuid,
    p_vendor_id uuid
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_workspace_id uuid;
    v_lease_number text;
begin
    if (p_tenant_id is null) = (p_vendor_id is null) then
        perform private.fail(422, 'one_record_expected', 'Give either tenant_id or vendor_id.');
    end if;
    select found_in.workspace_id into v_workspace_id
    from (
        select t.workspace_id from public.tenants as t where t.id = p_tenant_id
        union all
        select v.workspace_id from public.vendors as v where v.id = p_vendor_id
    ) as found_in
    where found_in.workspace_id = any (array(select private.my_workspaces()));
    if not found then
        perform private.fail(
            404, 'record_not_found', 'There is no such record, or it is not yours to see.',
            p_hint := 'List the records you can see: GET /tenants or /vendors.'
        );
    end if;
    perform private.require_permission(v_workspace_id, 'settings.manage');
    perform from public.tenants as t where t.workspace_id = v_workspace_id and t.id = p_tenant_id for update;
    perform from public.vendors as v where v.workspace_id = v_workspace_id and v.id = p_vendor_id for update;
    v_lease_number := private.lease_in_force_of(v_workspace_id, p_tenant_id);
    if v_lease_number is not null then
        perform private.fail(
            409, 'lease_not_over', format('This renter is on lease %s, which is not over.', v_lease_number),
            p_hint := 'Erase a renter when their last lease has ended.'
        );
    end if;
    return private.erase_in_workspace(v_workspace_id, p_tenant_id, p_vendor_id);
end
$function$;

create or replace function private.lease_in_force_of (
    p_workspace_id uuid,
    p_tenant_id uuid
)
    returns text
    language sql
    stable
    set search_path to ''
    AS $function$
    select l.lease_number
    from public.lease_tenants as lt
    join public.leases as l on l.workspace_id = lt.workspace_id and l.id = lt.lease_id
    where lt.workspace_id = p_workspace_id and lt.tenant_id = p_tenant_id and l.in_force
    order by l.lease_number
    limit 1
$function$;

create or replace function private.sealing_lag (
    p_now timestamp with time zone
)
    returns jsonb
    language plpgsql
    stable
    set search_path to ''
    AS $function$
declare
    v_progress private.audit_progress;
    v_horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
begin
    select * into v_progress from private.audit_progress;
    -- In a copy that was restored elsewhere the next seal is the first that counts in its transaction ids.
    if v_progress.system_identifier is distinct from (select c.system_identifier from pg_catalog.pg_control_system() as c)
        or v_progress.transaction_id > v_horizon
    then
        v_progress.transaction_id := '0';
    end if;
    return jsonb_build_object(
        'waiting_seconds', (
            select floor(extract(epoch from p_now - e.recorded_at))::bigint
            from public.audit_entries as e
            where
                (e.transaction_id, e.id) > (v_progress.transaction_id, v_progress.entry_id)
                and e.transaction_id < v_horizon
                and not exists (
                    select from private.audit_seals as s where s.workspace_id = e.workspace_id and s.entry_id = e.id
                )
            order by e.transaction_id, e.id
            limit 1
        ),
        'held_up_seconds', (
            select floor(extract(epoch from p_now - min(e.recorded_at)))::bigint
            from public.audit_entries as e
            where e.transaction_id >= v_horizon and e.transaction_id < pg_snapshot_xmax(pg_current_snapshot())
        ),
        'oldest_transaction_seconds', (
            select floor(extract(epoch from p_now - min(a.xact_start)))::bigint
            from pg_catalog.pg_stat_activity as a
            where a.backend_xid is not null
        )
    );
end
$function$;

create or replace function private.write_import_leases (
    p_workspace_id uuid,
    p_now timestamp with time zone
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
declare
    v_rows bigint;
begin
    insert into public.leases (
        id, workspace_id, property_id, lease_number, status, starts_on, ends_on, notice_days, currency, deposit_minor,
        activated_at
    )
    select
        l.id, p_workspace_id, l.property_id, l.lease_number, case when l.activates then l.status_once_active else 'draft' end,
        l.starts_on, l.ends_on, l.notice_days, l.currency, l.deposit_minor, case when l.activates then p_now end
    from pg_temp.import_leases as l
    where l.is_new
    order by l.line;

    insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor, due_day)
    select p_workspace_id, l.id, l.starts_on, l.rent_minor, l.due_day
    from pg_temp.import_leases as l
    where l.sets_rent
    order by l.line;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.lease_terms', v_rows);

    insert into public.lease_tenants as lt (workspace_id, lease_id, tenant_id, role)
    select p_workspace_id, l.id, t.id, case when bool_or(it.is_primary) then 'primary' else 'co_tenant' end
    from pg_temp.import_lease_tenants as it
    join pg_temp.import_leases as l on l.key = it.lease_key
    join pg_temp.import_tenants as t on t.key = it.tenant_key
    group by l.id, t.id
    on conflict (workspace_id, lease_id, tenant_id) do update set role = 'primary'
    where excluded.role = 'primary' and lt.role <> 'primary';
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.lease_tenants', v_rows);

    if exists (select from pg_temp.import_lease_units where not is_new) then
        update public.lease_units as known
        set
            possession = lu.possession,
            binding = lu.activates,
            recorded_at = clock_timestamp()
        from pg_temp.import_lease_units as lu
        where
            not lu.is_new
            and known.workspace_id = p_workspace_id
            and known.lease_id = lu.lease_id
            and known.unit_id = lu.unit_id
            and known.superseded_at is null
            and not known.binding
            and (lu.activates or known.possession <> lu.possession);
    end if;

    insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, possession, binding)
    select p_workspace_id, l.property_id, l.id, lu.unit_id, lu.possession, l.activates
    from pg_temp.import_lease_units as lu
    join pg_temp.import_leases as l on l.key = lu.lease_key
    where lu.is_new
    order by lu.unit_id;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.lease_units', v_rows);

    if exists (select from pg_temp.import_leases where not is_new and (changes or activates)) then
        update public.leases as known
        set
            starts_on = l.starts_on,
            ends_on = l.ends_on,
            notice_days = l.notice_days,
            deposit_minor = l.deposit_minor,
            status = case when l.activates then l.status_once_active else known.status end,
            activated_at = case when l.activates then p_now else known.activated_at end
        from pg_temp.import_leases as l
        where not l.is_new and (l.changes or l.activates) and known.id = l.id;
    end if;

    if exists (select from pg_temp.import_successions) then
        update public.leases as known
        set status = 'ended', ended_on = l.ends_on, status_reason = format('Followed by lease %s', s.followed_by)
        from pg_temp.import_successions as s
        join pg_temp.import_leases as l on l.key = s.lease_key
        where known.id = l.id;
    end if;
end
$function$;

create or replace function private.write_import_portfolio (
    p_workspace_id uuid
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
declare
    v_rows bigint;
begin
    insert into public.properties (
        id, workspace_id, name, property_type, address_line1, address_line2, city, state, postal_code, country,
        latitude, longitude, timezone, currency, manager_id
    )
    select
        p.id, p_workspace_id, p.name, p.property_type, p.address_line1, p.address_line2, p.city, p.state, p.postal_code,
        p.country, p.latitude, p.longitude, p.timezone, p.currency, p.manager_id
    from pg_temp.import_properties as p
    where p.is_new
    order by p.line;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.properties', v_rows);

    -- An update that finds nothing costs what its plan does: where autovacuum has just seen the table empty, minutes.
    if exists (select from pg_temp.import_properties where changes) then
        update public.properties as known
        set
            property_type = p.property_type,
            address_line1 = p.address_line1,
            address_line2 = p.address_line2,
            city = p.city,
            state = p.state,
            postal_code = p.postal_code,
            country = p.country,
            latitude = p.latitude,
            longitude = p.longitude,
            timezone = p.timezone,
            manager_id = p.manager_id,
            address_status = case when p.moves then 'unverified' else known.address_status end,
            place_id = case when not p.moves then known.place_id end
        from pg_temp.import_properties as p
        where p.changes and known.id = p.id;
    end if;

    insert into public.units (
        id, workspace_id, property_id, unit_number, bedrooms, bathrooms, area_sqft, market_rent_minor
    )
    select
        u.id, p_workspace_id, u.property_id, u.unit_number, u.bedrooms, u.bathrooms, u.area_sqft, u.market_rent_minor
    from pg_temp.import_units as u
    where u.is_new
    order by u.line;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.units', v_rows);

    if exists (select from pg_temp.import_units where changes) then
        update public.units as known
        set
            bedrooms = u.bedrooms,
            bathrooms = u.bathrooms,
            area_sqft = u.area_sqft,
            market_rent_minor = u.market_rent_minor
        from pg_temp.import_units as u
        where u.changes and known.id = u.id;
    end if;

    insert into public.tenants (id, workspace_id, first_name, last_name, email, phone, status)
    select t.id, p_workspace_id, t.first_name, t.last_name, t.email, t.phone, t.status
    from pg_temp.import_tenants as t
    where t.is_new
    order by t.line;
    get diagnostics v_rows = row_count;
    perform private.analyze_outgrown('public.tenants', v_rows);

    if exists (select from pg_temp.import_tenants where changes) then
        update public.tenants as known
        set email = t.email, phone = t.phone, status = t.status
        from pg_temp.import_tenants as t
        where t.changes and known.id = t.id;
    end if;
end
$function$;

create or replace function worker.health()
    returns jsonb
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_migration text;
begin
    if to_regclass('supabase_migrations.schema_migrations') is not null then
        execute 'select max(version) from supabase_migrations.schema_migrations' into v_migration;
    end if;
    return jsonb_build_object(
        'migration', v_migration,
        'database_time', clock_timestamp(),
        'queues', worker.queue_metrics(),
        'messages', jsonb_build_object(
            'unknown', (select count(*) from public.messages where unknown_at is not null),
            'failed', (select count(*) from public.messages where failed_at is not null)
        ),
        'sealing', private.sealing_lag(clock_timestamp())
    );
end
$function$;

comment on function "private"."erase_account"(uuid) is 'Erases a person by their account, p_user_id: see docs/how-to/erase-a-person.md.';

comment on function "worker"."health"() is 'Whether the database is as the workers need it

Answers {migration, database_time, queues, messages: {unknown, failed}, sealing: {waiting_seconds, held_up_seconds,
oldest_transaction_seconds}}: how long the change log''s oldest entries wait for a seal that could be made, and for one that a
transaction still open in the cluster holds up.';

revoke all on function "private"."erase_account"(uuid) from public;

revoke all on function "private"."erase_account"(uuid) from "postgres";

grant execute on function "private"."erase_account"(uuid) to "postgres";

revoke all on function "private"."erase_in_workspace"(uuid, uuid, uuid, text[]) from public;

revoke all on function "private"."erase_in_workspace"(uuid, uuid, uuid, text[]) from "postgres";

grant execute on function "private"."erase_in_workspace"(uuid, uuid, uuid, text[]) to "postgres";

revoke all on function "private"."lease_in_force_of"(uuid, uuid) from public;

revoke all on function "private"."lease_in_force_of"(uuid, uuid) from "postgres";

grant execute on function "private"."lease_in_force_of"(uuid, uuid) to "postgres";

revoke all on function "private"."sealing_lag"(timestamp with time zone) from public;

revoke all on function "private"."sealing_lag"(timestamp with time zone) from "postgres";

grant execute on function "private"."sealing_lag"(timestamp with time zone) to "postgres";
