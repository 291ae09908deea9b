set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

alter table "public"."lease_units"
    -- A narrower one takes its place below, in the same transaction.
    -- squawk-ignore ban-drop-constraint
    drop constraint "possession_is_of_our_times";

alter table "public"."maintenance_plans"
    -- A narrower one takes its place below, in the same transaction.
    -- squawk-ignore ban-drop-constraint
    drop constraint "maintenance_plans_ends_on_check";

create or replace function private.invite (
    p_workspace_id uuid,
    p_kind text,
    p_email text,
    p_role text,
    p_tenant_id uuid,
    p_vendor_id uuid
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_kept jsonb;
    v_token text := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
    v_email text := btrim(p_email);
    v_known_email text;
    v_tied_to uuid;
    v_invitation public.workspace_invitations;
begin
    perform private.require_permission(p_workspace_id, case p_kind
        when 'renter' then 'renters.write' when 'vendor' then 'portfolio.write' else 'members.manage'
    end);
    v_kept := private.begin_idempotent('invite', jsonb_build_array(
        p_workspace_id, p_kind, p_email, p_role, p_tenant_id, p_vendor_id
    ));
    if v_kept is not null then
        return v_kept;
    end if;

    if p_kind = 'member' then
        perform private.require_grantable(p_workspace_id, p_role);
    elsif p_kind = 'renter' then
        select t.email, t.user_id into v_known_email, v_tied_to
        from public.tenants as t where t.workspace_id = p_workspace_id and t.id = p_tenant_id;
    elsif p_kind = 'vendor' then
        select v.email, v.user_id into v_known_email, v_tied_to
        from public.vendors as v where v.workspace_id = p_workspace_id and v.id = p_vendor_id;
    else
        perform private.fail(
            422, 'kind_unknown', format('There is no kind %L.', p_kind), p_hint := 'Use member, renter or vendor.'
        );
    end if;
    if p_kind <> 'member' then
        if not found then
            perform private.fail(
                404, 'invitee_not_found', format('The workspace has no such %s.', p_kind),
                p_hint := 'Give tenant_id for a renter, vendor_id for a vendor.'
            );
        end if;
        if v_tied_to is not null then
            perform private.fail(409, 'already_tied', format('This %s has an account already.', p_kind));
        end if;
        v_email := coalesce(v_email, v_known_email);
    end if;
    if coalesce(v_email, '') !~ '^[^@[:space:]<>(),;:"]+@[^@[:space:]<>(),;:"]+$' or length(v_email) > 254 then
        perform private.fail(
            422, 'email_invalid', 'There is no valid e-mail address to send the invitation to.',
            p_hint := 'Give one such as name@example.com.'
        );
    end if;

    perform private.limit_invitations(v_email);
    -- Inviting again replaces what is open: the older token stops working.
    delete from public.workspace_invitations
    where
        workspace_id = p_workspace_id
        and accepted_at is null
        and kind = p_kind
        and (tenant_id, vendor_id) is not distinct from (
            case p_kind when 'renter' then p_tenant_id end, case p_kind when 'vendor' then p_vendor_id end
        )
        and lower(email) = lower(v_email);
    insert into public.workspace_invitations
        (workspace_id, kind, email, role, tenant_id, vendor_id, invited_by, expires_at)
    values (
        p_workspace_id, p_kind, v_email,
        case p_kind when 'member' then p_role end,
        case p_kind when 'renter' then p_tenant_id end,
        case p_kind when 'vendor' then p_vendor_id end,
        auth.uid(), now() + interval '7 days'
    )
    returning * into v_invitation;
    insert into private.invitation_tokens (digest, invitation_id)
    values (sha256(convert_to(v_token, 'UTF8')), v_invitation.id);

    perform private.queue_message(
        p_workspace_id, 'invitation', v_email, null,
        jsonb_build_object(
            'workspace_name', (select w.name from public.workspaces as w where w.id = p_workspace_id),
            'kind', p_kind,
            'role', v_invitation.role,
            'invited_by_email', (select u.email from auth.users as u where u.id = auth.uid()),
            'expires_at', v_invitation.expires_at
        ),
        'invitation/' || v_invitation.id,
        jsonb_build_object('token', v_token)
    );
    return private.keep_answer('invite', to_jsonb(v_invitation));
end
$function$;

create or replace function private.plan_dates (
    p_plan public.maintenance_plans,
    p_from date,
    p_until date
)
    returns SETOF date
    language plpgsql
    immutable
    set search_path to ''
    AS $function$
declare
    v_from date := greatest(p_from, p_plan.anchor_on);
    v_until date := least(p_until, p_plan.ends_on);
    -- Months between, for months and years; else days.
    v_is_calendar boolean := p_plan.interval_unit in ('month', 'year');
    -- Null: no interval, which the table's check refuses after this.
    v_length integer := nullif(p_plan.interval_count, 0)
    * case p_plan.interval_unit when 'week' then 7 when 'year' then 12 else 1 end;
    v_first integer;
    v_last integer;
begin
    if v_is_calendar then
        v_first := (
            (extract(year from v_from) - extract(year from p_plan.anchor_on)) * 12
            + extract(month from v_from) - extract(month from p_plan.anchor_on)
        )::integer / v_length;
        v_last := (
            (extract(year from v_until) - extract(year from p_plan.anchor_on)) * 12
            + extract(month from v_until) - extract(month from p_plan.anchor_on)
        )::integer / v_length;
    else
        v_first := (v_from - p_plan.anchor_on) / v_length;
        v_last := (v_until - p_plan.anchor_on) / v_length;
    end if;
    return query
    select d.due_on
    from generate_series(v_first, v_last) as s (n)
    cross join lateral (
        select private.plan_date(p_plan.anchor_on, p_plan.interval_unit, p_plan.interval_count, s.n) as due_on
    ) as d
    where
        d.due_on between v_from and v_until
        and (p_plan.season_months is null or extract(month from d.due_on)::integer = any (p_plan.season_months))
    order by d.due_on;
end
$function$;

create or replace function private.refuse_reversed_term()
    returns trigger
    language plpgsql
    set search_path to ''
    AS $function$
begin
    perform private.fail(
        422, 'lease_term_reversed', format('The lease would end on %s, before it starts on %s.', new.ends_on, new.starts_on),
        p_hint := 'ends_on is the last day: starts_on or later. Leave it out for a lease that runs until somebody ends it.'
    );
end
$function$;

create or replace function private.search (
    p_words text[],
    p_workspace_id uuid,
    p_tables text[],
    p_max integer
)
    returns table (
        place bigint,
        workspace_id uuid,
        table_name text,
        id uuid,
        score numeric
    )
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_query text := array_to_string(p_words, ' ');
    v_in_one text[] := array[array_to_string(p_words, '')];
    v_number text[] := private.without_unit_words(p_words);
    -- A property before its units, which are found by its name as well.
    v_tables text[] := '{properties, tenants, vendors, leases, units, maintenance_requests}';
    v_found uuid[] := '{}';
    v_hit record;
begin
    for v_stage in 1 .. 3 loop
        -- Several words that are all there are no slip; a single one that few rows have may be. Words by themselves stand for
        -- a query that finds nothing at all.
        exit when cardinality(v_found) >= least(p_max, case when v_stage = 2 and cardinality(p_words) = 1 then 5 else 1 end)
            and v_stage > 1;
        for v_hit in
            select judged.*
            from (
                select
                    c.workspace_id,
                    c.table_name,
                    c.id,
                    c.body,
                    max(round((
                        case
                            when starts_with(c.body || ' ', v_query || ' ') then 3
                            when starts_with(c.body, v_query) then 2
                            when v_stage = 1 and (
                                private.has_words(c.body, p_words)
                                or private.has_words(c.body, v_in_one)
                                or c.table_name = 'units' and private.has_words(c.body, v_number)
                            ) then 1
                            else 0
                        end + greatest(
                            extensions.word_similarity(v_query, c.body),
                            extensions.word_similarity(c.reading, c.body) * 0.9
                        )
                    )::numeric / 4, 3)) as score
                from private.search_candidates(p_words, v_stage, p_workspace_id, p_tables) as c
                group by c.workspace_id, c.table_name, c.id, c.body
            ) as judged
            where judged.score >= 0.1 and judged.id <> all (v_found)
            order by judged.score desc, array_position(v_tables, judged.table_name), judged.body, judged.id
            limit p_max - cardinality(v_found)
        loop
            v_found := v_found || v_hit.id;
            place := cardinality(v_found);
            workspace_id := v_hit.workspace_id;
            table_name := v_hit.table_name;
            id := v_hit.id;
            score := v_hit.score;
            return next;
        end loop;
    end loop;
end
$function$;

create or replace function private.search_body (
    p_row public.units
)
    returns text
    language plpgsql
    stable
    set search_path to ''
    set enable_seqscan to 'off'
    AS $function$
declare
    v_number text := private.search_text(p_row.unit_number);
begin
    return concat_ws(
        ' ',
        v_number,
        (
            select private.search_text(p.name)
            from public.properties as p
            where p.workspace_id = p_row.workspace_id and p.id = p_row.property_id
        ),
        nullif(replace(v_number, ' ', ''), v_number)
    );
end
$function$;

create or replace function private.search_candidates (
    p_words text[],
    p_stage integer,
    p_workspace_id uuid,
    p_tables text[]
)
    returns table (
        workspace_id uuid,
        table_name text,
        id uuid,
        body text,
        reading text
    )
    language plpgsql
    stable
    security definer
    set search_path to ''
    set enable_seqscan to 'off'
    AS $function$
begin
    return query
    with patterns as materialized (
        select array_agg(distinct t) as trigrams, null::text as reading
        from unnest(p_words) as w (word)
        cross join lateral unnest(private.word_trigrams(w.word)) as t
        where p_stage = 1
        union all
        -- 4-B is written 4B, too.
        select private.word_trigrams(array_to_string(p_words, '')), null
        where p_stage = 1 and cardinality(p_words) > 1
        union all
        select array_agg(distinct t), null
        from unnest(private.without_unit_words(p_words)) as w (word)
        cross join lateral unnest(private.word_trigrams(w.word)) as t
        where p_stage = 1
        having count(*) > 0
        union all
        select p.trigrams, p.reading
        from private.search_patterns(p_words, p_stage = 3) as p
        where p_stage > 1
    ),
    -- A slip is sought by some twenty patterns, in each workspace.
    reach as materialized (
        select r.workspace_id, r.table_names
        from private.searchable(p_workspace_id, p_tables) as r
        order by r.workspace_id
        limit case when p_stage > 1 then 20 end
    )
    select e.workspace_id, e.table_name, e.id, e.body, p.reading
    from reach as r
    cross join patterns as p
    cross join lateral (
        select e.*
        from private.search_entries as e
        where
            private.search_tokens(e.workspace_id, extensions.show_trgm(e.body))
            @> private.search_tokens(r.workspace_id, p.trigrams)
            -- Marks of two workspaces may be the same. Not a condition for an index: the one by workspace reads all it has.
            and (e.workspace_id = r.workspace_id) is true
            and e.table_name = any (r.table_names)
        limit case p_stage when 1 then 1000 else 300 end
    ) as e
    union all
    select m.workspace_id, m.table_name, m.id, m.body, null
    from private.my_search_entries(p_workspace_id, p_tables) as m;
end
$function$;

create or replace function private.transfer_unit (
    p_lease_id uuid,
    p_from_unit_id uuid,
    p_to_unit_id uuid,
    p_on date,
    p_now timestamp with time zone
)
    returns public.leases
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_lease public.leases := private.lock_lease(p_lease_id, 'leases.write');
    v_holds private.unit_hold[] := private.holds(v_lease);
    v_moved private.unit_hold;
    v_from text;
    v_to text;
begin
    perform private.require_lease_status(v_lease, '{pending, active, notice_given}');
    if v_lease.whole_property then
        perform private.fail(
            409, 'lease_of_whole_property', format('Lease %s lets every unit of its property.', v_lease.lease_number)
        );
    end if;
    perform private.refuse_pending_renewal(v_lease);
    select u.unit_number into v_from
    from public.units as u
    where u.workspace_id = v_lease.workspace_id and u.property_id = v_lease.property_id and u.id = p_from_unit_id;
    select u.unit_number into v_to
    from public.units as u
    where
        u.workspace_id = v_lease.workspace_id
        and u.property_id = v_lease.property_id
        and u.id = p_to_unit_id
        and u.id <> p_from_unit_id;
    select h.* into v_moved
    from unnest(v_holds) as h
    where h.unit_id = p_from_unit_id and h.possession @> p_on and isfinite(p_on);
    if v_from is null or v_to is null or v_moved is null then
        perform private.fail(
            422, 'transfer_impossible',
            format('Lease %s does not hold that unit on that day, or the other is no unit of its property.',
                v_lease.lease_number),
            p_hint := 'from_unit_id is a unit that the lease holds on on_date, to_unit_id another one of the same property.'
        );
    end if;
    if exists (
        select from unnest(v_holds) as h
        where h.unit_id = p_to_unit_id and h.possession && daterange(p_on, upper(v_moved.possession))
    ) then
        perform private.fail(
            409, 'possession_overlap',
            format('Lease %s holds unit %s in that time.', v_lease.lease_number, v_to),
            format('lease_number=%s unit_number=%s', v_lease.lease_number, v_to),
            'It is this lease itself: choose another unit.'
        );
    end if;
    perform private.set_possession(v_lease, array(
        select (kept.unit_id, kept.possession)::private.unit_hold
        from (
            select h.unit_id, h.possession
            from unnest(v_holds) as h
            where h is distinct from v_moved
            union all
            select p_from_unit_id, daterange(lower(v_moved.possession), p_on)
            union all
            select p_to_unit_id, daterange(p_on, upper(v_moved.possession))
        ) as kept
        where not isempty(kept.possession)
    ));
    perform private.refuse_held_over(v_lease, private.lease_today(v_lease, p_now));
    insert into public.lease_addenda (workspace_id, lease_id, title, effective_on, changes)
    values (
        v_lease.workspace_id, v_lease.id, left(format('Transfer from unit %s to unit %s', v_from, v_to), 200), p_on,
        jsonb_build_object('unit_id', jsonb_build_object('from', p_from_unit_id, 'to', p_to_unit_id))
    );
    update public.leases
    set amendments = amendments + 1
    where id = v_lease.id
    returning * into v_lease;
    return v_lease;
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
    v_pruning public.audit_entries;
    v_pruned_position bigint;
    v_pruned_digest bytea;
    v_pruned_recorded_to timestamptz;
    v_first bigint;
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
    select * into v_pruning
    from public.audit_entries as e
    where e.workspace_id = p_workspace_id and e.entity = 'audit_entries' and e.operation = 'prune'
    order by e.id desc
    limit 1;
    -- One that says nothing of the kind is no summary; below it is a problem.
    if pg_input_is_valid(v_pruning.after ->> 'to_position', 'bigint')
        and pg_input_is_valid(v_pruning.after ->> 'recorded_to', 'timestamptz')
        and v_pruning.after ->> 'digest' ~ '^[0-9a-f]{64}$'
    then
        v_pruned_position := v_pruning.after ->> 'to_position';
        v_pruned_digest := decode(v_pruning.after ->> 'digest', 'hex');
        v_pruned_recorded_to := v_pruning.after ->> 'recorded_to';
    end if;
    select min(s.position) into v_first from private.audit_seals as s where s.workspace_id = p_workspace_id;
    v_after := greatest(p_after_position, v_pruned_position, 0);
    v_digest := case
        when v_after = v_pruned_position then v_pruned_digest
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

    -- What is said to be dropped is gone, or what was altered in it would be passed over.
    if v_pruning.id is not null and (v_pruned_position is null or v_first <= v_pruned_position) then
        v_problem := jsonb_build_object(
            'kind', 'prune_differs',
            'position', case when v_first <= v_pruned_position then v_first end,
            'entry_id', v_pruning.id
        );
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
                when
                    v_checked.digest is not null
                    and (v_head.position, v_head.digest) is distinct from (v_checked.last_position, v_checked.digest)
                    then jsonb_build_object('kind', 'head_changed', 'position', v_checked.last_position, 'entry_id', null)
                when v_stray is not null
                    then jsonb_build_object('kind', 'entry_inserted', 'position', null, 'entry_id', v_stray)
                when v_pruned_recorded_to > v_pruning.recorded_at - interval '12 months'
                    then jsonb_build_object('kind', 'pruned_early', 'position', v_pruned_position, 'entry_id', v_pruning.id)
            end
        );
    end if;

    -- A head that was taken out of the database's reach tells of a chain that was written anew.
    if p_position is not null and p_position >= coalesce(v_pruned_position, 0) then
        v_held := coalesce(
            encode(
                case
                    when p_position = v_pruned_position then v_pruned_digest
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
            when 'prune_differs' then 'The entry about what was dropped does not fit: what it says is gone is there, or it says nothing.'
            when 'pruned_early' then 'Entries younger than any workspace may drop were dropped.'
        end),
        'entries', v_checked.entries,
        'erased', v_checked.erased,
        'position', coalesce(v_checked.last_position, v_after),
        'digest', encode(coalesce(v_checked.digest, v_digest), 'hex'),
        'more', not v_complete,
        'unsealed', v_unsealed,
        'pruned', v_pruning.after,
        'head_held', v_held
    );
end
$function$;

create or replace function private.without_unit_words (
    p_words text[]
)
    returns text[]
    language sql
    immutable
    strict
    set search_path to ''
    AS $function$
    select case when count(*) < cardinality(p_words) then array_agg(w.word order by w.n) end
    from unnest(p_words) with ordinality as w (word, n)
    where w.word not in ('unit', 'apt', 'apartment', 'suite', 'ste')
$function$;

alter table "public"."lease_units"
    add constraint "possession_is_of_our_times"
        check
        (((lower(possession) >= '1900-01-01'::date) AND (lower(possession) <= '2200-01-01'::date) AND
        (upper_inf(possession) OR (upper(possession) <= '2200-01-01'::date)))) not valid;

alter table "public"."leases"
    add constraint "leases_moved_in_on_check"
        check (((moved_in_on >= '1900-01-01'::date) AND (moved_in_on <= '2200-01-01'::date))) not valid;

alter table "public"."leases"
    add constraint "leases_moved_out_on_check"
        check (((moved_out_on >= '1900-01-01'::date) AND (moved_out_on <= '2200-01-01'::date))) not valid;

alter table "public"."maintenance_plans"
    add constraint "maintenance_plans_ends_on_check"
        check (((ends_on >= '1900-01-01'::date) AND (ends_on <= '2199-12-31'::date))) not valid;

create trigger refuse_reversed_term
    before insert or update of starts_on, ends_on on public.leases
    for each row
    when ((new.ends_on < new.starts_on))
    execute function private.refuse_reversed_term();

comment on function "public"."verify_audit"(uuid, bigint, text, bigint) is 'Whether the change log is what it was when it was sealed

Answers {valid, problem, entries, erased, position, digest, more, unsealed, pruned, head_held}. `problem` is null or the first
broken link: {kind, position, entry_id, message}, kind one of seal_missing, entry_missing, entry_changed, order_changed,
entry_inserted, values_missing, values_changed, values_added, head_changed, head_differs, prune_differs, pruned_early. `entries` were checked,
`erased` of them had personal values erased, `unsealed` are too new to have a seal, `pruned` says what the workspace no longer
keeps. A call checks 50,000 entries: while `more` is true, call again with `after_position` = `position`. `head_position` and
`head_digest`, those of an earlier `audit_head`, have the chain held against it: `head_held`. Needs `audit.read`.';

revoke all on function "private"."refuse_reversed_term"() from public;

revoke all on function "private"."refuse_reversed_term"() from "postgres";

grant execute on function "private"."refuse_reversed_term"() to "postgres";

revoke all on function "private"."without_unit_words"(text[]) from public;

revoke all on function "private"."without_unit_words"(text[]) from "postgres";

grant execute on function "private"."without_unit_words"(text[]) to "postgres";
