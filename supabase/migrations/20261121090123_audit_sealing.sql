set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

-- Dropping takes a moment.
-- squawk-ignore require-concurrent-index-deletion
drop index "public"."audit_entries_transaction_id_idx";

alter table "public"."audit_entries"
    -- A wider one takes its place below, in the same transaction.
    -- squawk-ignore ban-drop-constraint
    drop constraint "audit_entries_operation_check";

alter table "public"."audit_entries"
    -- A wider one takes its place below, in the same transaction.
    -- squawk-ignore ban-drop-constraint
    drop constraint "before_and_after_fit_the_operation";

create table "private"."audit_heads" (
    "workspace_id" uuid not null,
    "position" bigint not null,
    "digest" bytea not null,
    "sealed_at" timestamp with time zone not null,
    constraint "audit_heads_pkey" primary key (workspace_id)
);

create table "private"."audit_progress" (
    "id" boolean not null default true,
    "system_identifier" bigint,
    "transaction_id" xid8 not null default '0'::xid8,
    "entry_id" bigint not null default 0,
    constraint "audit_progress_id_check" check (id),
    constraint "audit_progress_pkey" primary key (id)
);

create table "private"."audit_seals" (
    "workspace_id" uuid not null,
    "position" bigint not null,
    "entry_id" bigint not null,
    "digest" bytea not null,
    "sealed_at" timestamp with time zone not null,
    constraint "audit_seals_pkey" primary key (workspace_id, "position"),
    constraint "audit_seals_position_check" check (("position" > 0)),
    constraint "audit_seals_workspace_id_entry_id_key" unique (workspace_id, entry_id)
);

alter table "public"."workspaces"
    add column "audit_retention_months" integer not null default 84;

create or replace function private.audit_head (
    p_workspace_id uuid
)
    returns jsonb
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    perform private.require_permission(p_workspace_id, 'audit.read');
    return (
        select
            jsonb_build_object(
                'workspace_id', p_workspace_id,
                'position', coalesce(h.position, 0),
                'digest', encode(h.digest, 'hex'),
                'sealed_at', h.sealed_at
            )
        from (select 1) as once
        left join private.audit_heads as h on h.workspace_id = p_workspace_id
    );
end
$function$;

create or replace function private.audit_link (
    p_previous bytea,
    p_payload bytea,
    p_position bigint
)
    returns bytea
    language sql
    immutable
    parallel safe
    set search_path to ''
    AS $function$
    select sha256(coalesce(p_previous, '') || p_payload || int8send(p_position))
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
    v_entity text := case when p_vendor_id is null then 'tenants' else 'vendors' end;
    v_id text := coalesce(p_tenant_id, p_vendor_id);
    v_lease_number text;
    v_addresses text[];
    v_invitations bigint;
    v_messages bigint;
    v_under_way bigint;
    v_entries bigint;
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
    select l.lease_number into v_lease_number
    from public.lease_tenants as lt
    join public.leases as l on l.workspace_id = lt.workspace_id and l.id = lt.lease_id
    where
        lt.workspace_id = v_workspace_id
        and lt.tenant_id = p_tenant_id
        and l.in_force
    order by l.lease_number
    limit 1;
    if found then
        perform private.fail(
            409, 'lease_not_over', format('This renter is on lease %s, which is not over.', v_lease_number),
            p_hint := 'Erase a renter when their last lease has ended.'
        );
    end if;

    -- Every address that the record ever had: mails to any of them are about this person.
    v_addresses := array(
        select lower(v.address)
        from (
            select t.email as address
            from public.tenants as t
            where t.workspace_id = v_workspace_id and t.id = p_tenant_id
            union
            select v.email
            from public.vendors as v
            where v.workspace_id = v_workspace_id and v.id = p_vendor_id
            union
            select side.value ->> 'email'
            from public.audit_entries as e
            join public.audit_values as a on a.workspace_id = e.workspace_id and a.entry_id = e.id
            cross join lateral (values (a.before), (a.after)) as side (value)
            where e.workspace_id = v_workspace_id and e.entity = v_entity and e.entity_id = v_id
        ) as v
        where v.address <> ''
    );

    delete from public.workspace_invitations
    where workspace_id = v_workspace_id and (tenant_id = p_tenant_id or vendor_id = p_vendor_id);
    get diagnostics v_invitations = row_count;
    update public.messages
    set to_address = 'erased@example.invalid', to_name = null, payload = '{}', last_error = null
    where
        workspace_id = v_workspace_id
        and lower(to_address) = any (v_addresses)
        and status in ('sent', 'failed', 'unknown');
    get diagnostics v_messages = row_count;
    select count(*) into v_under_way
    from public.messages as m
    where m.workspace_id = v_workspace_id and lower(m.to_address) = any (v_addresses);
    delete from public.tenant_custom_fields where workspace_id = v_workspace_id and tenant_id = p_tenant_id;
    update public.tenants
    set first_name = '', last_name = 'Erased', email = null, phone = null, status = 'former', user_id = null
    where workspace_id = v_workspace_id and id = p_tenant_id;
    update public.vendors
    set
        name = 'Erased', email = null, phone = null, license_number = null, insurance_policy_number = null,
        status = 'inactive', user_id = null
    where workspace_id = v_workspace_id and id = p_vendor_id;

    -- The log, what the statements above have just added to it included.
    with about as (
        select e.id, e.entity, e.entity_id
        from public.audit_entries as e
        where e.workspace_id = v_workspace_id and e.entity in (v_entity, 'tenant_custom_fields') and e.entity_id = v_id
        union all
        select e.id, e.entity, e.entity_id
        from public.audit_entries as e
        where
            e.workspace_id = v_workspace_id
            and e.entity = 'workspace_invitations'
            and coalesce(e.after, e.before) ->> case when p_vendor_id is null then 'tenant_id' else 'vendor_id' end = v_id
        union all
        select e.id, e.entity, e.entity_id
        from public.audit_entries as e
        join public.audit_values as a on a.workspace_id = e.workspace_id and a.entry_id = e.id
        where
            e.workspace_id = v_workspace_id
            and e.entity = 'messages'
            and (lower(a.before ->> 'to_address') = any (v_addresses) or lower(a.after ->> 'to_address') = any (v_addresses))
    ),
    erased as (
        delete from public.audit_values as a
        using about
        where a.workspace_id = v_workspace_id and a.entry_id = about.id
        returning about.entity, about.entity_id
    ),
    told as (
        insert into public.audit_entries (
            workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, after
        )
        select
            v_workspace_id, e.entity, e.entity_id, 'erase', auth.uid(), 'authenticated', private.request_id(),
            jsonb_build_object('entries', count(*))
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

create or replace function private.keep_audit_head (
    p_head private.audit_heads
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
begin
    if p_head.workspace_id is null then
        return;
    end if;
    insert into private.audit_heads as h (workspace_id, position, digest, sealed_at)
    values (p_head.workspace_id, p_head.position, p_head.digest, p_head.sealed_at)
    on conflict (workspace_id) do update
    set position = excluded.position, digest = excluded.digest, sealed_at = excluded.sealed_at;
end
$function$;

create or replace function private.prune_audit (
    p_workspace_id uuid,
    p_before timestamp with time zone,
    p_now timestamp with time zone,
    p_limit integer
)
    returns integer
    language plpgsql
    set search_path to ''
    AS $function$
declare
    v_first bigint;
    v_last bigint;
    v_digest bytea;
    v_dropped record;
begin
    select min(s.position) into v_first from private.audit_seals as s where s.workspace_id = p_workspace_id;
    select s.position into v_last
    from public.audit_entries as e
    join private.audit_seals as s on s.workspace_id = e.workspace_id and s.entry_id = e.id
    where e.workspace_id = p_workspace_id and e.recorded_at < p_before
    order by e.recorded_at desc
    limit 1;
    v_last := least(v_last, v_first + p_limit - 1);
    -- Positions follow transactions, not the clock: among these some may be younger, and with them stays all that follows.
    select coalesce(min(s.position) - 1, v_last) into v_last
    from private.audit_seals as s
    join public.audit_entries as e on e.workspace_id = s.workspace_id and e.id = s.entry_id
    where s.workspace_id = p_workspace_id and s.position <= v_last and e.recorded_at >= p_before;
    if v_last is null or v_last < v_first then
        return 0;
    end if;

    select s.digest into v_digest
    from private.audit_seals as s
    where s.workspace_id = p_workspace_id and s.position = v_last;
    with seals as (
        delete from private.audit_seals as s
        where s.workspace_id = p_workspace_id and s.position <= v_last
        returning s.entry_id
    ),
    personal as (
        delete from public.audit_values as a
        using seals
        where a.workspace_id = p_workspace_id and a.entry_id = seals.entry_id
    ),
    entries as (
        delete from public.audit_entries as e
        using seals
        where e.workspace_id = p_workspace_id and e.id = seals.entry_id
        returning e.recorded_at
    )
    select count(*)::integer as entries, min(e.recorded_at) as since, max(e.recorded_at) as until into v_dropped
    from entries as e;
    insert into public.audit_entries (workspace_id, entity, entity_id, operation, actor_role, recorded_at, after)
    values (
        p_workspace_id, 'audit_entries', p_workspace_id::text, 'prune', 'worker', p_now,
        jsonb_build_object(
            'entries', v_dropped.entries,
            'from_position', v_first,
            'to_position', v_last,
            'recorded_from', v_dropped.since,
            'recorded_to', v_dropped.until,
            'digest', encode(v_digest, 'hex')
        )
    );
    return v_dropped.entries;
end
$function$;

create or replace function private.record_changes()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    set "TimeZone" to 'UTC'
    AS $function$
declare
    v_keys text[] := coalesce(tg_argv[0], '{id}');
    v_personal text[] := coalesce(tg_argv[1], '{}');
    v_secret text[] := coalesce(tg_argv[2], '{}');
    v_redacted jsonb := case
        when v_secret = '{}' then '{}'
        else jsonb_object(v_secret, array_fill('[redacted]'::text, array[cardinality(v_secret)]))
    end;
    v_workspace_key text := case tg_table_name when 'workspaces' then 'id' else 'workspace_id' end;
    v_unsaid text[] := array['workspace_id', 'updated_at'] || v_personal;
    v_claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    v_actor_id uuid := case v_claims ->> 'role' when 'authenticated' then v_claims ->> 'sub' end;
    v_actor_role text := coalesce(v_claims ->> 'role', session_user);
    v_request_id text := nullif(current_setting('freehold.request_id', true), '');
    v_now timestamptz := clock_timestamp();
begin
    if tg_op = 'INSERT' then
        with changed as materialized (
            select
                nextval('public.audit_entries_id_seq') as id,
                r.whole,
                case
                    when v_personal <> '{}'
                        then (select jsonb_object_agg(p.name, r.whole -> p.name) from unnest(v_personal) as p (name))
                end as personal,
                gen_random_uuid() as salt
            from (select to_jsonb(new_rows) as whole from new_rows offset 0) as r
        ),
        apart as (
            insert into public.audit_values (workspace_id, entry_id, salt, after)
            select (c.whole ->> v_workspace_key)::uuid, c.id, c.salt, c.personal
            from changed as c
            where c.personal is not null
        )
        insert into public.audit_entries (
            id, workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, recorded_at, after,
            personal_columns, personal_digest
        )
        overriding system value
        select
            c.id,
            (c.whole ->> v_workspace_key)::uuid,
            tg_table_name,
            concat_ws('/', c.whole ->> v_keys[1], c.whole ->> v_keys[2], c.whole ->> v_keys[3], c.whole ->> v_keys[4]),
            'insert',
            v_actor_id,
            v_actor_role,
            v_request_id,
            v_now,
            c.whole - v_unsaid || v_redacted,
            case when c.personal is not null then v_personal end,
            case
                when c.personal is not null
                    then sha256(convert_to(jsonb_build_array(c.salt, null, c.personal)::text, 'UTF8'))
            end
        from changed as c;
    elsif tg_op = 'DELETE' then
        with changed as materialized (
            select
                nextval('public.audit_entries_id_seq') as id,
                r.whole,
                case
                    when v_personal <> '{}'
                        then (select jsonb_object_agg(p.name, r.whole -> p.name) from unnest(v_personal) as p (name))
                end as personal,
                gen_random_uuid() as salt
            from (select to_jsonb(old_rows) as whole from old_rows offset 0) as r
        ),
        apart as (
            insert into public.audit_values (workspace_id, entry_id, salt, before)
            select (c.whole ->> v_workspace_key)::uuid, c.id, c.salt, c.personal
            from changed as c
            where c.personal is not null
        )
        insert into public.audit_entries (
            id, workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, recorded_at, before,
            personal_columns, personal_digest
        )
        overriding system value
        select
            c.id,
            (c.whole ->> v_workspace_key)::uuid,
            tg_table_name,
            concat_ws('/', c.whole ->> v_keys[1], c.whole ->> v_keys[2], c.whole ->> v_keys[3], c.whole ->> v_keys[4]),
            'delete',
            v_actor_id,
            v_actor_role,
            v_request_id,
            v_now,
            c.whole - v_unsaid || v_redacted,
            case when c.personal is not null then v_personal end,
            case
                when c.personal is not null
                    then sha256(convert_to(jsonb_build_array(c.salt, c.personal, null)::text, 'UTF8'))
            end
        from changed as c;
    else
        -- Before and after meet by their key. What then stands alone had its key changed: one row went, another came.
        with compared as materialized (
            select
                nextval('public.audit_entries_id_seq') as id,
                coalesce(n.whole, o.whole) as whole,
                case when o.whole is null then 'insert' when n.whole is null then 'delete' else 'update' end as operation,
                d.before,
                d.after,
                d.personal_columns,
                gen_random_uuid() as salt
            from (select to_jsonb(old_rows) as whole from old_rows offset 0) as o
            full join (select to_jsonb(new_rows) as whole from new_rows offset 0) as n
                on
                    concat_ws(
                        '/', n.whole ->> v_workspace_key, n.whole ->> v_keys[1], n.whole ->> v_keys[2],
                        n.whole ->> v_keys[3], n.whole ->> v_keys[4]
                    )
                    = concat_ws(
                        '/', o.whole ->> v_workspace_key, o.whole ->> v_keys[1], o.whole ->> v_keys[2],
                        o.whole ->> v_keys[3], o.whole ->> v_keys[4]
                    )
            cross join lateral (
                select
                    jsonb_object_agg(e.key, coalesce(v_redacted -> e.key, o.whole -> e.key)) as before,
                    jsonb_object_agg(e.key, coalesce(v_redacted -> e.key, n.whole -> e.key)) as after,
                    array_agg(e.key) filter (where e.key = any (v_personal)) as personal_columns
                from jsonb_each(coalesce(n.whole, o.whole) - array['workspace_id', 'updated_at']) as e
                where o.whole -> e.key is distinct from n.whole -> e.key
            ) as d
            where d.before is not null
        ),
        changed as materialized (
            select
                c.id,
                c.whole,
                c.operation,
                c.personal_columns,
                c.salt,
                case when c.operation <> 'insert' then c.before - v_personal end as before,
                case when c.operation <> 'delete' then c.after - v_personal end as after,
                case
                    when c.personal_columns is not null and c.operation <> 'insert'
                        then (select jsonb_object_agg(p.name, c.before -> p.name) from unnest(c.personal_columns) as p (name))
                end as personal_before,
                case
                    when c.personal_columns is not null and c.operation <> 'delete'
                        then (select jsonb_object_agg(p.name, c.after -> p.name) from unnest(c.personal_columns) as p (name))
                end as personal_after
            from compared as c
        ),
        apart as (
            insert into public.audit_values (workspace_id, entry_id, salt, before, after)
            select (c.whole ->> v_workspace_key)::uuid, c.id, c.salt, c.personal_before, c.personal_after
            from changed as c
            where c.personal_columns is not null
        )
        insert into public.audit_entries (
            id, workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, recorded_at, before, after,
            personal_columns, personal_digest
        )
        overriding system value
        select
            c.id,
            (c.whole ->> v_workspace_key)::uuid,
            tg_table_name,
            concat_ws('/', c.whole ->> v_keys[1], c.whole ->> v_keys[2], c.whole ->> v_keys[3], c.whole ->> v_keys[4]),
            c.operation,
            v_actor_id,
            v_actor_role,
            v_request_id,
            v_now,
            c.before,
            c.after,
            c.personal_columns,
            case
                when c.personal_columns is not null
                    then sha256(convert_to(jsonb_build_array(c.salt, c.personal_before, c.personal_after)::text, 'UTF8'))
            end
        from changed as c;
    end if;
    return null;
end
$function$;

create or replace function private.verify_audit (
    p_workspace_id uuid,
    p_position bigint,
    p_digest text,
    p_after_position bigint,
    p_limit integer default 50000
)
    returns jsonb
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_head private.audit_heads;
    v_progress private.audit_progress;
    v_pruned record;
    v_after bigint;
    v_digest bytea;
    v_checked record;
    v_complete boolean;
    v_unsealed bigint;
    v_stray bigint;
    v_held boolean;
    v_problem jsonb;
    v_moved_id bigint;
begin
    perform private.require_permission(p_workspace_id, 'audit.read');
    select * into v_head from private.audit_heads where workspace_id = p_workspace_id;
    select * into v_progress from private.audit_progress;
    select
        (e.after ->> 'to_position')::bigint as position,
        decode(e.after ->> 'digest', 'hex') as digest,
        (e.after ->> 'recorded_to')::timestamptz as recorded_to,
        e.id,
        e.recorded_at,
        e.after
    into v_pruned
    from public.audit_entries as e
    where e.workspace_id = p_workspace_id and e.entity = 'audit_entries' and e.operation = 'prune'
    order by e.id desc
    limit 1;
    v_after := greatest(p_after_position, v_pruned.position, 0);
    v_digest := case
        when v_after = v_pruned.position then v_pruned.digest
        else (select s.digest from private.audit_seals as s where s.workspace_id = p_workspace_id and s.position = v_after)
    end;

    with links as materialized (
        select s.position, s.entry_id, s.digest, lag(s.digest, 1, v_digest) over (order by s.position) as previous,
            lag(s.position, 1, v_after) over (order by s.position) as previous_position
        from private.audit_seals as s
        where s.workspace_id = p_workspace_id and s.position > v_after
        order by s.position
        limit p_limit
    ),
    checked as (
        select
            l.position,
            l.entry_id,
            l.digest,
            erased.by_id is not null as is_erased,
            case
                when l.position <> l.previous_position + 1 then 'seal_missing'
                when e.id is null then 'entry_missing'
                when l.digest <> sha256(coalesce(l.previous, '') || p.payload || int8send(l.position)) then 'entry_changed'
                when e.personal_columns is null and v.entry_id is not null then 'values_added'
                when e.personal_columns is not null and v.entry_id is null and erased.by_id is null then 'values_missing'
                when
                    v.entry_id is not null
                    and e.personal_digest
                    <> sha256(convert_to(jsonb_build_array(v.salt, v.before, v.after)::text, 'UTF8'))
                    then 'values_changed'
            end as problem,
            l.previous,
            l.previous_position
        from links as l
        left join public.audit_entries as e on e.workspace_id = p_workspace_id and e.id = l.entry_id
        left join private.audit_payloads as p on p.workspace_id = p_workspace_id and p.id = l.entry_id
        left join public.audit_values as v on v.workspace_id = p_workspace_id and v.entry_id = l.entry_id
        -- Values that are gone were erased, if a later entry says so.
        left join lateral (
            select max(x.id) as by_id
            from public.audit_entries as x
            where
                e.personal_columns is not null
                and v.entry_id is null
                and x.workspace_id = p_workspace_id
                and x.entity = e.entity
                and x.entity_id = e.entity_id
                and x.operation = 'erase'
                and x.id > e.id
        ) as erased on true
    )
    select
        count(*) as entries,
        max(c.position) as last_position,
        count(*) filter (where c.is_erased) as erased,
        (array_agg(c.digest order by c.position desc))[1] as digest,
        (
            array_agg(jsonb_build_object(
                'kind', c.problem,
                'position', case c.problem when 'seal_missing' then c.previous_position + 1 else c.position end,
                'entry_id', case when c.problem <> 'seal_missing' then c.entry_id end,
                'previous', encode(c.previous, 'hex'),
                'digest', encode(c.digest, 'hex')
            ) order by c.position) filter (where c.problem is not null)
        )[1] as problem
    into v_checked
    from checked as c;
    v_problem := v_checked.problem;

    -- Is it the wrong entry that stands here? One whose seal fits was moved.
    if v_problem ->> 'kind' in ('entry_changed', 'entry_missing') then
        select p.id into v_moved_id
        from private.audit_payloads as p
        where
            p.workspace_id = p_workspace_id
            and p.id <> (v_problem ->> 'entry_id')::bigint
            and sha256(
                coalesce(decode(v_problem ->> 'previous', 'hex'), '')
                || p.payload
                || int8send((v_problem ->> 'position')::bigint)
            ) = decode(v_problem ->> 'digest', 'hex')
        limit 1;
        if found then
            v_problem := v_problem || jsonb_build_object('kind', 'order_changed', 'entry_id', v_moved_id);
        end if;
    end if;

    v_complete := v_checked.entries < p_limit;
    if v_complete then
        -- Whatever is older than all that is sealed should have been sealed; and no transaction is of the future.
        select
            count(*),
            min(e.id) filter (
                where
                v_progress.system_identifier = (select c.system_identifier from pg_catalog.pg_control_system() as c)
                and (
                    (e.transaction_id, e.id) <= (v_progress.transaction_id, v_progress.entry_id)
                    or e.transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
                )
            )
        into v_unsealed, v_stray
        from public.audit_entries as e
        where
            e.workspace_id = p_workspace_id
            and not exists (
                select from private.audit_seals as s where s.workspace_id = p_workspace_id and s.entry_id = e.id
            );
        v_problem := coalesce(
            v_problem,
            case
                when v_head.position > coalesce(v_checked.last_position, v_after)
                    then jsonb_build_object(
                        'kind', 'seal_missing', 'position', coalesce(v_checked.last_position, v_after) + 1, 'entry_id', null
                    )
                when v_checked.digest is not null and v_head.digest is distinct from v_checked.digest
                    then jsonb_build_object('kind', 'head_changed', 'position', v_checked.last_position, 'entry_id', null)
                when v_stray is not null
                    then jsonb_build_object('kind', 'entry_inserted', 'position', null, 'entry_id', v_stray)
                when v_pruned.recorded_to > v_pruned.recorded_at - interval '12 months'
                    then jsonb_build_object('kind', 'pruned_early', 'position', v_pruned.position, 'entry_id', v_pruned.id)
            end
        );
    end if;

    -- A head that was taken out of the database's reach tells of a chain that was written anew.
    if p_position is not null and p_position >= coalesce(v_pruned.position, 0) then
        v_held := coalesce(
            encode(
                case
                    when p_position = v_pruned.position then v_pruned.digest
                    else (
                        select s.digest
                        from private.audit_seals as s
                        where s.workspace_id = p_workspace_id and s.position = p_position
                    )
                end,
                'hex'
            ) = lower(p_digest),
            false
        );
        if not v_held then
            v_problem := coalesce(
                v_problem, jsonb_build_object('kind', 'head_differs', 'position', p_position, 'entry_id', null)
            );
        end if;
    end if;

    return jsonb_build_object(
        'valid', v_problem is null,
        'problem', (v_problem - '{previous,digest}'::text[]) || jsonb_build_object('message', case v_problem ->> 'kind'
            when 'seal_missing' then 'The chain has a gap: the seal at this position is gone.'
            when 'entry_missing' then 'The entry that was sealed at this position is gone.'
            when 'entry_changed' then 'The entry is not what was sealed at this position.'
            when 'order_changed' then 'Another entry was sealed at this position: this one.'
            when 'entry_inserted' then 'The entry was put in past the seal: entries of its time are sealed, and it is not.'
            when 'values_missing' then 'The personal values of this entry are gone, and no erasure says so.'
            when 'values_changed' then 'The personal values of this entry are not what they were.'
            when 'values_added' then 'This entry has got personal values that it never had.'
            when 'head_changed' then 'The last seal is not the one that was made last.'
            when 'head_differs' then 'The chain is not the one that the given head is of: it was cut off or written anew.'
            when 'pruned_early' then 'Entries younger than any workspace may drop were dropped.'
        end),
        'entries', v_checked.entries,
        'erased', v_checked.erased,
        'position', coalesce(v_checked.last_position, v_after),
        'digest', encode(coalesce(v_checked.digest, v_digest), 'hex'),
        'more', not v_complete,
        'unsealed', v_unsealed,
        'pruned', v_pruned.after,
        'head_held', v_held
    );
end
$function$;

create or replace function public.audit_head (
    workspace_id uuid
)
    returns jsonb
    language sql
    stable
    set search_path to ''
    AS $function$
    select private.audit_head(workspace_id)
$function$;

revoke all on function "public"."audit_head"(uuid) from public, "anon", "service_role";

create or replace function public.erase_personal_data (
    tenant_id uuid default null::uuid,
    vendor_id uuid default null::uuid
)
    returns jsonb
    language sql
    set search_path to ''
    AS $function$
    select private.erase_personal_data(tenant_id, vendor_id)
$function$;

revoke all on function "public"."erase_personal_data"(uuid, uuid) from public, "anon", "service_role";

create or replace function public.verify_audit (
    workspace_id uuid,
    head_position bigint default null::bigint,
    head_digest text default null::text,
    after_position bigint default 0
)
    returns jsonb
    language sql
    stable
    set search_path to ''
    AS $function$
    select private.verify_audit(workspace_id, head_position, head_digest, after_position)
$function$;

revoke all on function "public"."verify_audit"(uuid, bigint, text, bigint) from public, "anon", "service_role";

create or replace function worker.prune_audit (
    p_now timestamp with time zone default now(),
    p_limit integer default 10000
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_kept record;
    v_dropped integer := 0;
begin
    -- Sealers and other prunings wait.
    perform from private.audit_progress for update;
    for v_kept in
        select h.workspace_id, w.id is null as is_gone, p_now - make_interval(months => coalesce(w.audit_retention_months, 84)) as since
        from private.audit_heads as h
        left join public.workspaces as w on w.id = h.workspace_id
        order by h.workspace_id
    loop
        exit when v_dropped >= p_limit;
        v_dropped := v_dropped + private.prune_audit(v_kept.workspace_id, v_kept.since, p_now, p_limit - v_dropped);
    end loop;
    return jsonb_build_object('entries', v_dropped, 'more', v_dropped >= p_limit);
end
$function$;

create or replace function worker.seal_audit (
    p_now timestamp with time zone default now(),
    p_limit integer default 5000
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_progress private.audit_progress;
    v_here bigint := (select c.system_identifier from pg_catalog.pg_control_system() as c);
    v_horizon xid8;
    v_elsewhere boolean;
    v_entry record;
    v_head private.audit_heads;
    v_count integer := 0;
    v_sealed integer := 0;
    v_last_transaction_id xid8;
    v_last_entry_id bigint;
begin
    -- A second sealer waits here, and then goes on where the first one ended.
    select * into strict v_progress from private.audit_progress for update;
    v_horizon := pg_snapshot_xmin(pg_current_snapshot());
    v_elsewhere := v_progress.system_identifier is distinct from v_here or v_progress.transaction_id > v_horizon;

    for v_entry in
        with next_ones as materialized (
            (
                select e.workspace_id, e.id, e.transaction_id
                from public.audit_entries as e
                where
                    not v_elsewhere
                    and (e.transaction_id, e.id) > (v_progress.transaction_id, v_progress.entry_id)
                    and e.transaction_id < v_horizon
                order by e.transaction_id, e.id
                limit p_limit
            )
            union all
            (
                select e.workspace_id, e.id, e.transaction_id
                from public.audit_entries as e
                where
                    v_elsewhere
                    -- What is visible and no transaction of this cluster yet is of the other one; what may be of either waits.
                    and (e.transaction_id < v_horizon or e.transaction_id >= pg_snapshot_xmax(pg_current_snapshot()))
                    and not exists (
                        select from private.audit_seals as s where s.workspace_id = e.workspace_id and s.entry_id = e.id
                    )
                order by e.id
                limit p_limit
            )
        )
        select
            n.workspace_id, n.id, n.transaction_id, p.payload,
            exists (
                select from private.audit_seals as s where s.workspace_id = n.workspace_id and s.entry_id = n.id
            ) as is_sealed
        from next_ones as n
        join private.audit_payloads as p on p.workspace_id = n.workspace_id and p.id = n.id
        order by n.workspace_id, n.transaction_id, n.id
    loop
        v_count := v_count + 1;
        if v_last_transaction_id is null or (v_entry.transaction_id, v_entry.id) > (v_last_transaction_id, v_last_entry_id) then
            v_last_transaction_id := v_entry.transaction_id;
            v_last_entry_id := v_entry.id;
        end if;
        -- Chained in another cluster, whose transaction ids this one has reached by now.
        continue when v_entry.is_sealed;
        if v_entry.workspace_id is distinct from v_head.workspace_id then
            perform private.keep_audit_head(v_head);
            select * into v_head from private.audit_heads where workspace_id = v_entry.workspace_id;
            v_head.workspace_id := v_entry.workspace_id;
            v_head.sealed_at := p_now;
        end if;
        v_head.position := coalesce(v_head.position, 0) + 1;
        v_head.digest := private.audit_link(v_head.digest, v_entry.payload, v_head.position);
        insert into private.audit_seals (workspace_id, position, entry_id, digest, sealed_at)
        values (v_head.workspace_id, v_head.position, v_entry.id, v_head.digest, p_now);
        v_sealed := v_sealed + 1;
    end loop;
    perform private.keep_audit_head(v_head);

    if v_elsewhere and v_count < p_limit then
        update private.audit_progress set system_identifier = v_here, transaction_id = v_horizon, entry_id = 0;
    elsif not v_elsewhere and v_count > 0 then
        update private.audit_progress set transaction_id = v_last_transaction_id, entry_id = v_last_entry_id;
    end if;
    return jsonb_build_object('entries', v_sealed, 'more', v_count = p_limit);
end
$function$;

alter table "public"."audit_entries"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "audit_entries_operation_check"
        check ((operation = ANY (ARRAY['insert'::text, 'update'::text, 'delete'::text, 'erase'::text, 'prune'::text])));

alter table "public"."audit_entries"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "before_and_after_fit_the_operation"
        check ((((operation = ANY (ARRAY['update'::text, 'delete'::text])) = (before IS
        NOT NULL)) AND ((operation = 'delete'::text) = (after IS NULL))));

alter table "public"."workspaces"
    -- Rows in use satisfy it, and reading them once is short.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "workspaces_audit_retention_months_check"
        check (((audit_retention_months >= 12) AND (audit_retention_months <= 240)));

create view "private"."audit_payloads" with (security_invoker=true) AS  SELECT workspace_id,
    id,
    transaction_id,
    sha256(convert_to((jsonb_build_array(id, workspace_id, entity, entity_id, operation, actor_id, actor_role, request_id, EXTRACT(epoch FROM recorded_at), (transaction_id)::text, before, after, personal_columns, encode(personal_digest, 'hex'::text)))::text, 'UTF8'::name)) AS payload
   FROM public.audit_entries e;

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index audit_entries_transaction_id_idx on public.audit_entries using btree (transaction_id, id);

comment on column "public"."audit_entries"."after" is 'Columns after the change: those that changed, all of a new row. Without workspace_id, updated_at and personal ones.';

comment on column "public"."audit_entries"."before" is 'Columns before the change: those that changed, all of a deleted row. Without workspace_id, updated_at and personal ones.';

comment on column "public"."audit_entries"."operation" is 'insert, update or delete (a row whose key changes is deleted and inserted); erase: personal values of the entries about this
row were erased; prune: entries older than the workspace keeps them were dropped, `after` says which.';

comment on column "public"."workspaces"."audit_retention_months" is 'For how many months the change log is kept: 12 to 240. What is older is dropped, and an entry says so.';

comment on function "public"."audit_head"(uuid) is 'Where the sealed change log ends

Answers {workspace_id, position, digest, sealed_at}; position 0 where nothing is sealed yet. Keep it outside of the database:
`verify_audit` told this position and digest notices a chain that was cut off or written anew as a whole. Needs `audit.read`.';

comment on function "public"."erase_personal_data"(uuid, uuid) is 'Erases who a renter or a vendor is

Their record stays, without name, addresses and account; their custom fields and invitations go, mails to any address they had
lose address and content, and the change log loses the values of all of these, while it still tells what was done and stays
valid. What was written about the work or the house (requests, comments, documents) is left: it is no part of who they are.
Needs `settings.manage`. 409 `lease_not_over` for a renter of a lease that has not ended. Answers {audit_entries, invitations,
messages, messages_under_way}: mails that are still on their way keep their address; call again once they are out.';

comment on function "public"."verify_audit"(uuid, bigint, text, bigint) is 'Whether the change log is what it was when it was sealed

Answers {valid, problem, entries, erased, position, digest, more, unsealed, pruned, head_held}. `problem` is null or the first
broken link: {kind, position, entry_id, message}, kind one of seal_missing, entry_missing, entry_changed, order_changed,
entry_inserted, values_missing, values_changed, values_added, head_changed, head_differs, pruned_early. `entries` were checked,
`erased` of them had personal values erased, `unsealed` are too new to have a seal, `pruned` says what the workspace no longer
keeps. A call checks 50,000 entries: while `more` is true, call again with `after_position` = `position`. Give the position
and digest of an earlier `audit_head` to have the chain held against it: `head_held`. Needs `audit.read`.';

comment on function "worker"."prune_audit"(timestamp with time zone, integer) is 'Drops entries of the change log that are older than their workspace keeps them

Answers {entries, more}: call it again while `more` is true.';

comment on function "worker"."seal_audit"(timestamp with time zone, integer) is 'Chains what the change log has got since the last time

Answers {entries, more}: call it again while `more` is true. Any number of workers may call it at once.';

comment on table "private"."audit_heads" is 'Where each chain ends: a chain that is cut off shows.';

comment on table "private"."audit_progress" is 'One row, which a sealer locks: entries up to this transaction and, within it, this entry are sealed.
Transaction ids mean something within one database cluster alone: system_identifier says which.';

comment on table "private"."audit_seals" is 'The chain of each workspace: digest is the SHA-256 of the digest before, the entry''s payload and the position.';

comment on table "public"."audit_values" is 'Personal values of audit entries: names, addresses, phone numbers.

Apart from the entries, so that a person''s data can be erased while the record of what was done stands. Read by those who hold
`audit.read`; an entry with personal_columns and no row here had its values erased, and a later entry (`erase`) says so.';

comment on view "private"."audit_payloads" is 'SHA-256 of all that an entry says.';

revoke all on function "private"."audit_head"(uuid) from public;

grant execute on function "private"."audit_head"(uuid) to "authenticated";

revoke all on function "private"."audit_head"(uuid) from "postgres";

grant execute on function "private"."audit_head"(uuid) to "postgres";

revoke all on function "private"."audit_link"(bytea, bytea, bigint) from public;

revoke all on function "private"."audit_link"(bytea, bytea, bigint) from "postgres";

grant execute on function "private"."audit_link"(bytea, bytea, bigint) to "postgres";

revoke all on function "private"."erase_personal_data"(uuid, uuid) from public;

grant execute on function "private"."erase_personal_data"(uuid, uuid) to "authenticated";

revoke all on function "private"."erase_personal_data"(uuid, uuid) from "postgres";

grant execute on function "private"."erase_personal_data"(uuid, uuid) to "postgres";

revoke all on function "private"."keep_audit_head"(private.audit_heads) from public;

revoke all on function "private"."keep_audit_head"(private.audit_heads) from "postgres";

grant execute on function "private"."keep_audit_head"(private.audit_heads) to "postgres";

revoke all
    on function "private"."prune_audit"(uuid, timestamp with time zone, timestamp with time zone, integer)
    from public;

revoke all
    on function "private"."prune_audit"(uuid, timestamp with time zone, timestamp with time zone, integer)
    from "postgres";

grant execute
    on function "private"."prune_audit"(uuid, timestamp with time zone, timestamp with time zone, integer)
    to "postgres";

revoke all on function "private"."verify_audit"(uuid, bigint, text, bigint, integer) from public;

grant execute on function "private"."verify_audit"(uuid, bigint, text, bigint, integer) to "authenticated";

revoke all on function "private"."verify_audit"(uuid, bigint, text, bigint, integer) from "postgres";

grant execute on function "private"."verify_audit"(uuid, bigint, text, bigint, integer) to "postgres";

grant execute on function "public"."audit_head"(uuid) to "authenticated";

revoke all on function "public"."audit_head"(uuid) from "postgres";

grant execute on function "public"."audit_head"(uuid) to "postgres";

grant execute on function "public"."erase_personal_data"(uuid, uuid) to "authenticated";

revoke all on function "public"."erase_personal_data"(uuid, uuid) from "postgres";

grant execute on function "public"."erase_personal_data"(uuid, uuid) to "postgres";

grant execute on function "public"."verify_audit"(uuid, bigint, text, bigint) to "authenticated";

revoke all on function "public"."verify_audit"(uuid, bigint, text, bigint) from "postgres";

grant execute on function "public"."verify_audit"(uuid, bigint, text, bigint) to "postgres";

revoke all on function "worker"."prune_audit"(timestamp with time zone, integer) from public;

revoke all on function "worker"."prune_audit"(timestamp with time zone, integer) from "postgres";

grant execute on function "worker"."prune_audit"(timestamp with time zone, integer) to "postgres";

grant execute on function "worker"."prune_audit"(timestamp with time zone, integer) to "worker";

revoke all on function "worker"."seal_audit"(timestamp with time zone, integer) from public;

revoke all on function "worker"."seal_audit"(timestamp with time zone, integer) from "postgres";

grant execute on function "worker"."seal_audit"(timestamp with time zone, integer) to "postgres";

grant execute on function "worker"."seal_audit"(timestamp with time zone, integer) to "worker";

revoke all ("audit_retention_months") on table "public"."workspaces" from "authenticated";

grant update ("audit_retention_months") on table "public"."workspaces" to "authenticated";
