set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

drop policy "members_select" on "public"."address_corrections";

drop policy "members_and_portal_select" on "public"."place_coordinates";

-- Writes to properties wait while the index is built anew: of those with places, of which there are thousands.
-- squawk-ignore require-concurrent-index-deletion
drop index "public"."properties_place_checked_at_idx";

alter table "private"."address_checks"
    -- squawk-ignore ban-drop-constraint
    drop constraint "address_checks_status_check";

-- squawk-ignore ban-drop-function
drop function "private"."unchecked_properties"(uuid, integer);

-- Callers that name p_workspace alone find the one below.
-- squawk-ignore ban-drop-function
drop function "worker"."verify_addresses"(text);

create or replace function private.address_summary (
    p_workspace_id uuid
)
    returns jsonb
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    perform private.require_permission(p_workspace_id, 'portfolio.read');
    return jsonb_build_object(
        'waiting', (
            select count(*)
            from private.address_checks as c
            where c.status in ('due', 'queued') and c.workspace_id = p_workspace_id and c.kind = 'verify'
        ),
        'proposed', (
            select count(*)
            from public.address_corrections as c
            where
                c.workspace_id = p_workspace_id
                and c.status = 'open'
                and c.proposed_at > now() - private.google_retention()
        )
    ) || (
        select jsonb_build_object(
            'verified', count(*) filter (where p.address_status = 'verified'),
            'corrected', count(*) filter (where p.address_status = 'corrected'),
            'unverified', count(*) filter (where p.address_status = 'unverified')
        )
        from public.properties as p
        where p.workspace_id = p_workspace_id
    );
end
$function$;

create or replace function private.apply_check (
    p_check private.address_checks,
    p_property public.properties,
    p_result jsonb,
    p_now timestamp with time zone
)
    returns text
    language plpgsql
    set search_path to ''
    AS $function$
declare
    v_address jsonb := p_result -> 'address';
    v_place_id text := p_result ->> 'place_id';
    v_outcome text := case
        when p_check.kind = 'verify' then case p_result ->> 'address_status'
            when 'corrected' then 'proposed'
            when 'verified' then 'verified'
            else 'unknown'
        end
        when v_place_id is null then 'gone'
        when p_check.kind = 'renew' then 'renewed'
        else 'located'
    end;
begin
    if v_outcome = 'proposed' and exists (
        select from public.address_corrections as c
        where
            c.workspace_id = p_check.workspace_id
            and c.property_id = p_check.property_id
            and c.status = 'dismissed'
            and c.of_address = p_check.subject
            and (c.address_line1, c.address_line2, c.city, c.state, c.postal_code, c.country)
            is not distinct from (
                v_address ->> 'address_line1', v_address ->> 'address_line2', v_address ->> 'city', v_address ->> 'state',
                v_address ->> 'postal_code', v_address ->> 'country'
            )
    ) then
        v_outcome := 'dismissed';
    end if;
    if v_outcome in ('verified', 'unknown') then
        -- What was proposed before doesn't hold any more.
        delete from public.address_corrections
        where workspace_id = p_check.workspace_id and property_id = p_check.property_id and status = 'open';
    end if;
    if v_outcome = 'verified' then
        update public.properties
        set address_status = 'verified', place_id = coalesce(place_id, v_place_id)
        where id = p_property.id;
    elsif v_outcome = 'proposed' then
        insert into public.address_corrections as c (
            workspace_id, property_id, address_line1, address_line2, city, state, postal_code, country, place_id,
            provider, of_address, proposed_at
        )
        values (
            p_check.workspace_id, p_check.property_id, v_address ->> 'address_line1', v_address ->> 'address_line2',
            v_address ->> 'city', v_address ->> 'state', v_address ->> 'postal_code', v_address ->> 'country', v_place_id,
            p_result ->> 'provider', p_check.subject, p_now
        )
        on conflict (workspace_id, property_id) where status = 'open' do update set
            address_line1 = excluded.address_line1,
            address_line2 = excluded.address_line2,
            city = excluded.city,
            state = excluded.state,
            postal_code = excluded.postal_code,
            country = excluded.country,
            place_id = excluded.place_id,
            provider = excluded.provider,
            of_address = excluded.of_address,
            proposed_at = excluded.proposed_at;
    elsif v_outcome = 'gone' then
        -- The service no longer knows the place: the address is to be asked about anew, as if it never had been.
        delete from private.address_checks
        where
            workspace_id = p_check.workspace_id
            and property_id = p_check.property_id
            and kind = 'verify'
            and status in ('done', 'failed');
        update public.properties set place_id = null, address_status = 'unverified' where id = p_property.id;
    elsif v_outcome = 'renewed' then
        update public.properties set place_id = v_place_id, place_checked_at = p_now where id = p_property.id;
    end if;
    if p_result ->> 'latitude' is not null and v_place_id is not null then
        perform worker.record_place(
            p_check.workspace_id, v_place_id, (p_result ->> 'latitude')::double precision,
            (p_result ->> 'longitude')::double precision, p_result ->> 'provider', p_now
        );
    end if;
    return v_outcome;
end
$function$;

create or replace function private.complete_address_check (
    p_msg_id bigint,
    p_read_ct integer,
    p_result jsonb,
    p_now timestamp with time zone
)
    returns text
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_check private.address_checks;
    v_property public.properties;
    v_outcome text := 'outdated';
begin
    -- The property before the check, as by whoever deletes it.
    select p.* into v_property
    from pgmq.q_compliance as q
    join private.address_checks as c on c.id = (q.message ->> 'check_id')::uuid
    join public.properties as p on p.workspace_id = c.workspace_id and p.id = c.property_id
    where q.msg_id = p_msg_id and q.read_ct = p_read_ct
    for no key update of p;
    v_check := private.held_check(p_msg_id, p_read_ct);
    if v_check.id is null then
        return 'stale';
    end if;
    if v_check.subject = private.subject_of(v_property, v_check.kind) then
        begin
            v_outcome := private.apply_check(v_check, v_property, p_result, p_now);
        exception when integrity_constraint_violation or data_exception or program_limit_exceeded then
            -- Asked again, it would answer the same. The error is not told: it may repeat the answer.
            perform private.give_up_check(
                private.queue_named('compliance', 'address_checks'), p_msg_id, p_read_ct, v_check,
                format('The answer can''t be kept (%s).', sqlstate)
            );
            return 'failed';
        end;
    end if;
    update private.address_checks
    set status = 'done', fence = p_read_ct, last_error = null, finished_at = p_now
    where id = v_check.id;
    perform pgmq.delete('compliance', p_msg_id);
    perform private.note_again(v_check.id);
    return v_outcome;
end
$function$;

create or replace function private.give_up_check (
    p_queue private.queues,
    p_msg_id bigint,
    p_read_ct integer,
    p_check private.address_checks,
    p_error text
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
begin
    update private.address_checks
    set
        status = 'failed',
        attempts = p_check.attempts,
        fence = p_read_ct,
        last_error = left(p_error, 2000),
        finished_at = clock_timestamp()
    where id = p_check.id;
    perform pgmq.send((p_queue).dead_letter, jsonb_build_object(
        'check_id', p_check.id, 'error', left(p_error, 2000), 'attempts', p_check.attempts
    ));
    perform pgmq.delete((p_queue).name, p_msg_id);
    perform private.note_again(p_check.id);
end
$function$;

create or replace function private.keep_address_status()
    returns trigger
    language plpgsql
    set search_path to ''
    AS $function$
begin
    if tg_op = 'UPDATE' then
        if (lower(new.address_line1), lower(new.city), lower(new.state), lower(new.postal_code), new.country)
            is distinct from (lower(old.address_line1), lower(old.city), lower(old.state), lower(old.postal_code), old.country)
            and (new.place_id is null or new.place_id is not distinct from old.place_id)
            and new.address_status = old.address_status
        then
            new.address_status := 'unverified';
            new.place_id := null;
        end if;
        if new.place_id is distinct from old.place_id and new.place_checked_at is not distinct from old.place_checked_at then
            new.place_checked_at := case when new.place_id is not null then now() end;
        end if;
    elsif new.place_id is not null then
        new.place_checked_at := now();
    end if;
    -- What Google told may not be kept here: a form that hands it on saves nothing. The field `coordinates` tells it as long as it may.
    if new.latitude is not null and exists (
        select from public.place_coordinates as c
        where
            c.workspace_id = new.workspace_id
            and c.place_id = new.place_id
            and c.provider = 'google'
            and (c.latitude, c.longitude) = (new.latitude, new.longitude)
    ) then
        new.latitude := null;
        new.longitude := null;
    end if;
    return new;
end
$function$;

create or replace function private.kept_since()
    returns timestamp with time zone
    language plpgsql
    stable
    parallel safe
    set search_path to ''
    AS $function$
begin
    return now() - private.google_retention();
end
$function$;

create or replace function private.note_addresses()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    insert into private.address_checks as c (workspace_id, property_id, kind, subject, status, queued_at)
    select n.workspace_id, n.id, 'verify', private.address_digest(row(n.*)::public.properties), 'due', now()
    from new_rows as n
    where n.address_status = 'unverified'
    order by n.workspace_id, n.id
    on conflict (workspace_id, property_id, kind) do update set
        subject = excluded.subject,
        status = 'due',
        attempts = 0,
        fence = null,
        last_error = null,
        queued_at = excluded.queued_at,
        finished_at = null
    where c.status in ('done', 'failed') and c.subject <> excluded.subject;
    return null;
end
$function$;

create or replace function private.note_again (
    p_check_id uuid
)
    returns void
    language sql
    set search_path to ''
    AS $function$
    update private.address_checks as c
    set
        subject = private.subject_of(p, c.kind),
        status = 'due',
        attempts = 0,
        fence = null,
        last_error = null,
        queued_at = now(),
        finished_at = null
    from public.properties as p
    where
        c.id = p_check_id
        and c.kind = 'verify'
        and p.workspace_id = c.workspace_id
        and p.id = c.property_id
        and private.subject_of(p, c.kind) <> c.subject
$function$;

create or replace function private.queue_due_checks (
    p_workspace_id uuid,
    p_limit integer,
    p_now timestamp with time zone
)
    returns integer
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_ids uuid[];
begin
    with recursive waiting as (
        -- One look at the index for each workspace.
        (
            select c.workspace_id
            from private.address_checks as c
            where c.status = 'due' and (p_workspace_id is null or c.workspace_id = p_workspace_id)
            order by c.workspace_id
            limit 1
        )
        union all
        select (
            select c.workspace_id
            from private.address_checks as c
            where c.status = 'due' and c.workspace_id > w.workspace_id
            order by c.workspace_id
            limit 1
        )
        from waiting as w
        where w.workspace_id is not null and p_workspace_id is null
    ),
    chosen as (
        select d.id, d.turn, w.workspace_id
        from waiting as w
        cross join lateral (
            select count(*) as queued
            from (
                select from private.address_checks as c
                where c.status = 'queued' and c.workspace_id = w.workspace_id
                limit 1000
            ) as q
        ) as q
        cross join lateral (
            select c.id, row_number() over (order by c.queued_at, c.id) as turn
            from private.address_checks as c
            where c.status = 'due' and c.workspace_id = w.workspace_id
            order by c.queued_at, c.id
            limit 1000 - q.queued
        ) as d
        where w.workspace_id is not null
        order by d.turn, w.workspace_id
        limit p_limit
    ),
    queued as (
        update private.address_checks as c
        set
            -- A person may have confirmed it meanwhile.
            status = case when p.address_status = 'unverified' then 'queued' else 'done' end,
            subject = case when p.address_status = 'unverified' then c.subject else '' end,
            queued_at = p_now,
            finished_at = case when p.address_status <> 'unverified' then p_now end
        from public.properties as p
        where
            p.workspace_id = c.workspace_id
            and p.id = c.property_id
            and c.id in (
                select d.id
                from private.address_checks as d
                where d.id = any (array(select chosen.id from chosen)) and d.status = 'due'
                for update skip locked
            )
        returning c.id, c.status
    )
    select array_agg(q.id order by chosen.turn, chosen.workspace_id)
    into v_ids
    from queued as q
    join chosen on chosen.id = q.id
    where q.status = 'queued';
    if v_ids is null then
        return 0;
    end if;
    perform pgmq.send_batch('compliance', array(
        select jsonb_build_object('check_id', i.id) from unnest(v_ids) with ordinality as i (id, n) order by i.n
    ));
    return cardinality(v_ids);
end
$function$;

create or replace function private.settle_checks (
    p_msg_ids bigint[],
    p_read_cts integer[]
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
declare
    v_queue private.queues := private.queue_named('compliance', 'address_checks');
    v_claimed record;
    v_check private.address_checks;
begin
    for v_claimed in
        select q.msg_id, q.read_ct, (q.message ->> 'check_id')::uuid as check_id
        from unnest(p_msg_ids, p_read_cts) as i (msg_id, read_ct)
        join pgmq.q_compliance as q on q.msg_id = i.msg_id and q.read_ct = i.read_ct
        order by q.msg_id
    loop
        select * into v_check from private.address_checks where id = v_claimed.check_id and status = 'queued' for update;
        if found and v_check.attempts >= v_queue.max_attempts then
            perform private.give_up_check(
                v_queue, v_claimed.msg_id, v_claimed.read_ct, v_check, 'Nobody who tried told what became of it.'
            );
            continue;
        end if;
        update private.address_checks
        -- Nobody was asked about anything: the same address would be due, were it unverified again.
        set status = 'done', subject = '', fence = v_claimed.read_ct, finished_at = clock_timestamp()
        where id = v_check.id;
        perform pgmq.delete(v_queue.name, v_claimed.msg_id);
    end loop;
end
$function$;

create or replace function private.verify_addresses (
    p_workspace_id uuid
)
    returns integer
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    perform private.require_permission(p_workspace_id, 'portfolio.write');
    return private.queue_due_checks(p_workspace_id, 1000, now());
end
$function$;

create or replace function public.address_summary (
    workspace_id uuid
)
    returns jsonb
    language sql
    stable
    set search_path to ''
    AS $function$
    select private.address_summary(workspace_id)
$function$;

revoke all on function "public"."address_summary"(uuid) from public, "anon", "service_role";

create or replace function worker.begin_address_check (
    p_msg_id bigint,
    p_read_ct integer,
    p_provider text,
    p_lease_seconds integer default 30
)
    returns boolean
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_check private.address_checks := private.held_check(p_msg_id, p_read_ct);
    v_answer jsonb;
    v_wait integer;
begin
    if v_check.id is null then
        return false;
    end if;
    if v_check.fence is not distinct from p_read_ct then
        -- Begun under this very claim: its answer was lost, and the same worker asks again.
        return true;
    end if;
    -- A renewal that asks for nothing but the id is free, and counts as nothing.
    if v_check.kind <> 'renew' then
        v_answer := private.admit_place_calls(jsonb_build_array(jsonb_build_object(
            'workspace_id', v_check.workspace_id, 'user_id', v_check.workspace_id, 'provider', p_provider,
            'kind', case v_check.kind when 'verify' then 'validate' else 'details' end
        )), true, null) -> 0;
        if not (v_answer ->> 'admitted')::boolean then
            -- Not its turn yet. It waits for its limit, and no try is counted.
            -- And not all at once then: each that asks again in vain holds up those who type.
            v_wait := (v_answer ->> 'retry_after')::integer;
            perform pgmq.set_vt('compliance', p_msg_id, v_wait + (random() * least(600, greatest(60, v_wait)))::integer);
            return null;
        end if;
    end if;
    update private.address_checks
    set
        attempts = attempts + 1,
        fence = p_read_ct,
        asked_of = case when v_check.kind <> 'renew' then p_provider end,
        asked_on = case when v_check.kind <> 'renew' then (clock_timestamp() at time zone 'UTC')::date end
    where id = v_check.id;
    perform pgmq.set_vt('compliance', p_msg_id, p_lease_seconds);
    return true;
end
$function$;

create or replace function worker.places_spend (
    p_days integer default 30,
    p_now timestamp with time zone default now()
)
    returns jsonb
    language sql
    stable
    security definer
    set search_path to ''
    AS $function$
    select coalesce(jsonb_agg(to_jsonb(s) order by s.cost_microdollars desc, s.calls desc, s.workspace_id, s.provider), '[]')
    from (
        select
            u.workspace_id,
            w.name as workspace,
            u.provider,
            sum(u.calls) as calls,
            sum(u.cost_microdollars) as cost_microdollars
        from public.places_usage as u
        join public.workspaces as w on w.id = u.workspace_id
        where u.on_day > (p_now at time zone 'UTC')::date - p_days
        group by u.workspace_id, w.name, u.provider
        order by 5 desc, 4 desc, 1, 3
        limit 1000
    ) as s
$function$;

create or replace function worker.purge_places (
    p_now timestamp with time zone default now()
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_deleted jsonb := '{}';
    v_rows bigint;
begin
    delete from public.place_coordinates
    where provider = 'google' and fetched_at <= p_now - private.google_retention();
    get diagnostics v_rows = row_count;
    v_deleted := v_deleted || jsonb_build_object('place_coordinates', v_rows);

    -- What is still open is asked for anew.
    with gone as (
        delete from public.address_corrections
        where proposed_at <= p_now - private.google_retention()
        returning workspace_id, property_id, status
    ),
    again as (
        update private.address_checks as c
        set status = 'due', attempts = 0, fence = null, queued_at = p_now, finished_at = null
        from gone as g
        where
            g.status = 'open'
            and c.workspace_id = g.workspace_id
            and c.property_id = g.property_id
            and c.kind = 'verify'
            and c.status in ('done', 'failed')
    )
    select count(*) into v_rows from gone;
    v_deleted := v_deleted || jsonb_build_object('address_corrections', v_rows);

    delete from private.place_sessions where opened_at < p_now - interval '1 hour';
    get diagnostics v_rows = row_count;
    v_deleted := v_deleted || jsonb_build_object('place_sessions', v_rows);

    -- A window counts in the one after it, too.
    delete from private.place_counts as n
    where n.starts_at < p_now - 2 * (select max(l.per) from private.limits as l where l.name like 'places\_%');
    get diagnostics v_rows = row_count;
    return v_deleted || jsonb_build_object('place_counts', v_rows);
end
$function$;

create or replace function worker.queue_address_checks (
    p_now timestamp with time zone default now()
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_stale uuid[];
begin
    v_stale := array(
        select p.id
        from public.properties as p
        where
            p.place_id is not null
            -- Other services' ids are renewed with their list.
            and p.place_id !~ '^(local|photon|nominatim):'
            and p.place_checked_at < p_now - interval '12 months'
            -- One that failed is left alone for a while.
            and not exists (
                select from private.address_checks as c
                where
                    c.workspace_id = p.workspace_id
                    and c.property_id = p.id
                    and c.kind = 'renew'
                    and (c.status = 'queued' or c.finished_at > p_now - interval '30 days')
            )
        order by p.place_checked_at
        limit 1000
    );
    return jsonb_build_object(
        'verify', private.queue_due_checks(null, 5000, p_now),
        'renew', private.queue_address_checks(v_stale, 'renew', p_now)
    );
end
$function$;

create or replace function worker.verify_addresses (
    p_workspace text,
    p_after uuid default null::uuid
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_ids uuid[];
    v_properties uuid[];
begin
    select array_agg(w.id) into v_ids
    from public.workspaces as w
    where w.id::text = lower(p_workspace) or w.name = p_workspace;
    if v_ids is null then
        perform private.fail(404, 'workspace_not_found', 'There is no such workspace.', p_hint := 'Give its id, or its whole name.');
    elsif cardinality(v_ids) > 1 then
        perform private.fail(
            409, 'workspace_ambiguous', format('%s workspaces have this name.', cardinality(v_ids)), p_hint := 'Give its id.'
        );
    end if;
    -- Asked for on purpose: an address that nobody knew may be known by now.
    v_properties := array(
        select p.id
        from public.properties as p
        where p.workspace_id = v_ids[1] and p.address_status = 'unverified' and (p_after is null or p.id > p_after)
        order by p.id
        limit 1000
    );
    return jsonb_build_object(
        'workspace_id', v_ids[1],
        'unverified', cardinality(v_properties),
        'queued', private.queue_address_checks(v_properties, 'verify', now()),
        'last', case when cardinality(v_properties) = 1000 then v_properties[1000] end
    );
end
$function$;

alter table "private"."address_checks"
    -- squawk-ignore constraint-missing-not-valid
    add constraint "address_checks_status_check"
        check ((status = ANY (ARRAY['due'::text, 'queued'::text, 'done'::text, 'failed'::text])));

-- squawk-ignore require-concurrent-index-creation
create index address_checks_waiting_idx on private.address_checks using btree (status, workspace_id, queued_at, id)
    where (status = ANY (ARRAY['due'::text, 'queued'::text]));

-- squawk-ignore require-concurrent-index-creation
create index places_usage_on_day_idx on public.places_usage using btree (on_day);

-- squawk-ignore require-concurrent-index-creation
create index properties_place_checked_at_idx on public.properties using btree (place_checked_at)
    where (place_id !~ '^(local|photon|nominatim):'::text);

create trigger note_added_addresses
    after insert on public.properties referencing NEW table as new_rows
    for each STATEMENT
    execute function private.note_addresses();

create trigger note_changed_addresses
    after update on public.properties referencing NEW table as new_rows
    for each STATEMENT
    execute function private.note_addresses();

create policy "members_select" on "public"."address_corrections"
    for select
    to "authenticated"
    using
        (((workspace_id = ANY (ARRAY( select private.workspaces_with('portfolio.read'::text) as workspaces_with))) AND
        (proposed_at > ( select private.kept_since() as kept_since))));

create policy "members_and_portal_select" on "public"."place_coordinates"
    for select
    to "authenticated"
    using
        (((workspace_id = ANY (ARRAY( select private.workspaces_in_reach('portfolio.read'::text) as
        workspaces_in_reach))) AND
        (( select (not private.has_portal())) or (workspace_id in ( select
        private.workspaces_with('portfolio.read'::text) as workspaces_with)) or
        (place_id in ( select private.my_place_ids() as my_place_ids))) AND
        ((provider <> 'google'::text) or (fetched_at > ( select private.kept_since() as kept_since)))));

comment on column "public"."properties"."latitude" is 'WGS 84, degrees north, as confirmed by a person. What Google told of the place is not kept here.';

comment on function "public"."address_summary"(uuid) is 'How far the checking of addresses is

Of `workspace_id`; needs `portfolio.read`. Answers {waiting, verified, corrected, unverified, proposed}: properties by their address_status;
checks that still wait for an answer; and proposals that wait for somebody to accept or dismiss them.';

comment on function "public"."verify_addresses"(uuid) is 'Has addresses checked that were typed by hand

Queues those of `workspace_id` that are unverified and were not checked as they stand; without this call they are queued within ten
minutes. Needs `portfolio.write`. Answers how many: of very many the first 1,000, and the others follow by themselves. What comes of it:
properties.address_status, and proposals in address_corrections; `address_summary` tells how far it is.';

comment on function "worker"."places_spend"(integer, timestamp with time zone) is 'What workspaces asked of services for addresses, and what that costs

On the last `p_days` days (UTC), today included. Answers [{workspace_id, workspace, provider, calls, cost_microdollars}], the dearest first, 1,000
at most.';

comment on function "worker"."queue_address_checks"(timestamp with time zone) is 'Queues what of addresses is to be checked

Addresses typed by hand, each once until it changes, at most 5,000 of all workspaces in turn and 1,000 of each that are not answered yet; and
place ids that were last checked over twelve months ago, at most 1,000. Answers how many.';

comment on function "worker"."verify_addresses"(text, uuid) is 'Queues the unverified addresses of a workspace

`p_workspace` is its id or name. At most 1,000: answers {workspace_id, unverified, queued, last}; what waits already is not queued twice. `last`
is null when these were all; else it is `p_after` of the call for the next ones.';

comment on table "private"."address_checks" is 'What was or is to be asked about a property''s address, once of each kind.

verify: is the address known? renew: is the place id still good? locate: where is the place? subject is what is asked about, the address''
digest or the place id: an answer about another one is dropped. due: to be queued when it is its workspace''s turn. asked_of and asked_on are what the last try is counted under in
places_usage, as long as it may turn out that nobody was asked.';

revoke all on function "private"."address_summary"(uuid) from public;

grant execute on function "private"."address_summary"(uuid) to "authenticated";

revoke all on function "private"."address_summary"(uuid) from "postgres";

grant execute on function "private"."address_summary"(uuid) to "postgres";

revoke all on function "private"."kept_since"() from public;

grant execute on function "private"."kept_since"() to "authenticated";

revoke all on function "private"."kept_since"() from "postgres";

grant execute on function "private"."kept_since"() to "postgres";

revoke all on function "private"."note_addresses"() from public;

revoke all on function "private"."note_addresses"() from "postgres";

grant execute on function "private"."note_addresses"() to "postgres";

revoke all on function "private"."note_again"(uuid) from public;

revoke all on function "private"."note_again"(uuid) from "postgres";

grant execute on function "private"."note_again"(uuid) to "postgres";

revoke all on function "private"."queue_due_checks"(uuid, integer, timestamp with time zone) from public;

revoke all on function "private"."queue_due_checks"(uuid, integer, timestamp with time zone) from "postgres";

grant execute on function "private"."queue_due_checks"(uuid, integer, timestamp with time zone) to "postgres";

grant execute on function "public"."address_summary"(uuid) to "authenticated";

revoke all on function "public"."address_summary"(uuid) from "postgres";

grant execute on function "public"."address_summary"(uuid) to "postgres";

revoke all on function "worker"."places_spend"(integer, timestamp with time zone) from public;

revoke all on function "worker"."places_spend"(integer, timestamp with time zone) from "postgres";

grant execute on function "worker"."places_spend"(integer, timestamp with time zone) to "postgres";

grant execute on function "worker"."places_spend"(integer, timestamp with time zone) to "worker";

revoke all on function "worker"."verify_addresses"(text, uuid) from public;

revoke all on function "worker"."verify_addresses"(text, uuid) from "postgres";

grant execute on function "worker"."verify_addresses"(text, uuid) to "postgres";

grant execute on function "worker"."verify_addresses"(text, uuid) to "worker";
