set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

-- Made anew below, in the same transaction.
-- squawk-ignore ban-drop-function
drop function "private"."queue_named"(text);

-- Made anew below, in the same transaction.
-- squawk-ignore ban-drop-function
drop function "worker"."admit_place_calls"(jsonb, timestamp with time zone);

create extension if not exists "fuzzystrmatch" schema "extensions";

create table "private"."address_abbreviations" (
    "short" text not null,
    "long" text not null,
    constraint "address_abbreviations_pkey" primary key (short)
);

create table "private"."address_checks" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "property_id" uuid not null,
    "kind" text not null,
    "subject" text not null,
    "status" text not null default 'queued'::text,
    "attempts" integer not null default 0,
    "fence" integer,
    "last_error" text,
    "queued_at" timestamp with time zone not null,
    "finished_at" timestamp with time zone,
    constraint "address_checks_kind_check" check ((kind = ANY (ARRAY['verify'::text, 'renew'::text, 'locate'::text]))),
    constraint "address_checks_pkey" primary key (id),
    constraint "address_checks_status_check"
        check ((status = ANY (ARRAY['queued'::text, 'done'::text, 'failed'::text]))),
    constraint "address_checks_workspace_id_property_id_kind_key" unique (workspace_id, property_id, kind)
);

alter table "private"."address_checks"
    set (fillfactor=70);

create table "private"."address_lists" (
    "name" text not null,
    "loaded_at" timestamp with time zone not null,
    constraint "address_lists_name_check" check ((name ~ '^[a-z0-9_-]{1,60}$'::text)),
    constraint "address_lists_pkey" primary key (name)
);

create table "private"."address_words" (
    "word" text collate pg_catalog."C" not null,
    "addresses" bigint not null,
    constraint "address_words_pkey" primary key (word)
);

create table "private"."addresses" (
    "id" uuid not null,
    "list" text not null,
    "loaded_at" timestamp with time zone not null,
    "address_line1" text not null,
    "city" text not null,
    "state" text,
    "postal_code" text,
    "country" text not null,
    "latitude" double precision not null,
    "longitude" double precision not null,
    "body" text collate pg_catalog."C" not null,
    "street" text collate pg_catalog."C" not null,
    "locality" text collate pg_catalog."C" not null,
    constraint "addresses_address_line1_check"
        check (((length(address_line1) <= 200) AND (btrim(address_line1) <> ''::text))),
    constraint "addresses_city_check" check (((length(city) <= 120) AND (btrim(city) <> ''::text))),
    constraint "addresses_country_check" check ((country ~ '^[A-Z]{2}$'::text)),
    constraint "addresses_latitude_check"
        check (((latitude >= ('-90'::integer)::double precision) AND (latitude <= (90)::double precision))),
    constraint "addresses_longitude_check"
        check (((longitude >= ('-180'::integer)::double precision) AND (longitude <= (180)::double precision))),
    constraint "addresses_pkey" primary key (id),
    constraint "addresses_postal_code_check" check (((length(postal_code) >= 1) AND (length(postal_code) <= 20))),
    constraint "addresses_state_check" check (((length(state) >= 1) AND (length(state) <= 60)))
);

create table "public"."address_corrections" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "property_id" uuid not null,
    "status" text not null default 'open'::text,
    "address_line1" text not null,
    "address_line2" text,
    "city" text not null,
    "state" text,
    "postal_code" text,
    "country" text not null,
    "place_id" text,
    "provider" text not null,
    "of_address" text not null,
    "proposed_at" timestamp with time zone not null,
    "decided_at" timestamp with time zone,
    "decided_by" uuid,
    constraint "address_corrections_pkey" primary key (id),
    constraint "address_corrections_provider_check"
        check ((provider = ANY (ARRAY['google'::text, 'photon'::text, 'local'::text]))),
    constraint "address_corrections_status_check"
        check ((status = ANY (ARRAY['open'::text, 'accepted'::text, 'dismissed'::text]))),
    constraint "address_corrections_workspace_id_id_key" unique (workspace_id, id),
    constraint "decisions_have_a_time" check (((status = 'open'::text) = (decided_at IS NULL)))
);

alter table "public"."address_corrections"
    enable row level security;

revoke all on table "public"."address_corrections" from "anon";

alter table "private"."queues"
    add column "holds" text not null default 'messages'::text;

alter table "public"."properties"
    add column "place_checked_at" timestamp with time zone;

create or replace function private.accept_address_correction (
    p_id uuid
)
    returns public.properties
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_correction public.address_corrections := private.open_correction(p_id);
    v_property public.properties;
begin
    select * into strict v_property
    from public.properties
    where workspace_id = v_correction.workspace_id and id = v_correction.property_id;
    if private.address_digest(v_property) <> v_correction.of_address then
        perform private.fail(
            409, 'correction_outdated', 'The address was changed since this was proposed.',
            p_hint := 'Dismiss the proposal; the new address is checked by itself.'
        );
    end if;
    update public.address_corrections
    set status = 'accepted', decided_at = now(), decided_by = auth.uid()
    where id = v_correction.id;
    update public.properties
    set
        address_line1 = v_correction.address_line1,
        address_line2 = v_correction.address_line2,
        city = v_correction.city,
        state = v_correction.state,
        postal_code = v_correction.postal_code,
        country = v_correction.country,
        place_id = v_correction.place_id,
        address_status = 'corrected'
    where id = v_property.id
    returning * into v_property;
    if v_property.address_status <> 'corrected' then
        -- It was called so before, of the address as it was.
        update public.properties
        set address_status = 'corrected', place_id = v_correction.place_id
        where id = v_property.id
        returning * into v_property;
    end if;
    return v_property;
end
$function$;

create or replace function private.address_digest (
    p_property public.properties
)
    returns text
    language sql
    immutable
    parallel safe
    set search_path to ''
    AS $function$
    select md5(jsonb_build_array(
        p_property.address_line1, p_property.address_line2, p_property.city, p_property.state, p_property.postal_code,
        p_property.country
    )::text)
$function$;

create or replace function private.address_query (
    p_text text,
    p_forgiving boolean
)
    returns tsquery
    language plpgsql
    stable
    set search_path to ''
    AS $function$
declare
    v_words text[] := string_to_array(p_text, ' ');
    v_last integer := cardinality(v_words);
    v_terms text[] := '{}';
    v_word text;
    v_known bigint;
    v_begun bigint;
    v_meant text[];
    v_names integer := 0;
    v_strange integer := 0;
begin
    for i in 1 .. v_last loop
        v_word := v_words[i];
        if v_word ~ '^[0-9]' then
            -- A number is taken as it stands, but for the last, which may be growing: there two digits say too little. Where slips are
            -- forgiven, a flat's or a postal code may be one.
            if v_last = 1 or (i < v_last or length(v_word) >= 3) and (i = 1 or not p_forgiving) then
                v_terms := v_terms || (v_word || case when i = v_last then ':*' else '' end);
            end if;
            continue;
        end if;
        select w.addresses into v_known from private.address_words as w where w.word = v_word;
        select sum(w.addresses) into v_begun
        from private.address_words as w
        where w.word >= v_word and w.word < v_word || chr(1114111);
        v_meant := case when p_forgiving or v_begun is null then private.words_meant_by(v_word, i = v_last) else '{}' end;
        if v_begun is null and v_meant = '{}' then
            v_strange := v_strange + 1;
            if not p_forgiving or v_strange > 1 then
                return null;
            end if;
            continue;
        end if;
        v_names := v_names + 1;
        if i = v_last and v_last > 1 and v_begun > 20000 and cardinality(v_terms) > 0 then
            -- A beginning that so many have costs more than it tells: the order of what is found tells it.
            continue;
        elsif i = v_last or v_known is null then
            v_terms := v_terms || ('(' || array_to_string(
                case when v_begun is not null then array[v_word || ':*'] else '{}' end || v_meant, ' | '
            ) || ')');
        else
            v_terms := v_terms || ('(' || array_to_string(v_word || v_meant, ' | ') || ')');
        end if;
    end loop;
    if v_terms = '{}' or (p_forgiving and v_names = 0) then
        return null;
    end if;
    return to_tsquery('pg_catalog.simple', array_to_string(v_terms, ' & '));
end
$function$;

create or replace function private.address_text (
    p_text text,
    p_typed boolean default false
)
    returns text
    language sql
    stable
    set search_path to ''
    AS $function$
    select coalesce(string_agg(
        case when p_typed and w.n = w.last and starts_with(a.long, w.word) then w.word else coalesce(a.long, w.word) end,
        ' ' order by w.n
    ), '')
    from (
        select s.word, s.n, max(s.n) over () as last
        from regexp_split_to_table(private.search_text(p_text), ' ') with ordinality as s (word, n)
    ) as w
    left join private.address_abbreviations as a on a.short = w.word
    where w.word <> ''
$function$;

create or replace function private.address_told (
    p_address private.addresses
)
    returns jsonb
    language sql
    immutable
    set search_path to ''
    AS $function$
    select jsonb_build_object(
        'place_id', 'local:' || p_address.id,
        'address_line1', p_address.address_line1,
        'address_line2', null,
        'city', p_address.city,
        'state', p_address.state,
        'postal_code', p_address.postal_code,
        'country', p_address.country,
        'latitude', p_address.latitude,
        'longitude', p_address.longitude
    )
$function$;

create or replace function private.addresses_beginning (
    p_text text,
    p_countries text[],
    p_limit integer
)
    returns uuid[]
    language plpgsql
    stable
    set search_path to ''
    set enable_seqscan to 'off'
    set enable_bitmapscan to 'off'
    AS $function$
declare
    v_end text collate "C" := p_text || chr(1114111);
    v_found uuid[];
begin
    v_found := array(
        select a.id
        from unnest(p_countries) as c (country)
        cross join lateral (
            select b.id, b.body
            from private.addresses as b
            where b.country = c.country and b.body >= p_text and b.body < v_end
            order by b.country, b.body
            limit p_limit
        ) as a
        order by a.body, a.id
        limit p_limit
    );
    if cardinality(v_found) >= p_limit or p_text ~ '^[0-9]' then
        return v_found;
    end if;
    v_found := v_found || array(
        -- One address of each street, jumping from street to street.
        with recursive streets as (
            select s.country, s.street, s.id, 1 as n
            from unnest(p_countries) as c (country)
            cross join lateral (
                select b.country, b.street, b.id
                from private.addresses as b
                where b.country = c.country and b.street >= p_text and b.street < v_end
                order by b.country, b.street, b.body
                limit 1
            ) as s
            union all
            select s.country, s.street, s.id, p.n + 1
            from streets as p
            cross join lateral (
                select b.country, b.street, b.id
                from private.addresses as b
                where b.country = p.country and b.street > p.street and b.street < v_end
                order by b.country, b.street, b.body
                limit 1
            ) as s
            where p.n < p_limit
        )
        select s.id from streets as s where s.id <> all (v_found) order by s.street, s.id limit p_limit
    );
    if cardinality(v_found) < p_limit then
        v_found := v_found || array(
            select a.id
            from unnest(p_countries) as c (country)
            cross join lateral (
                select b.id, b.street, b.body
                from private.addresses as b
                where b.country = c.country and b.street >= p_text and b.street < v_end
                order by b.country, b.street, b.body
                limit 2 * p_limit
            ) as a
            where a.id <> all (v_found)
            order by a.street, a.body, a.id
            limit p_limit
        );
    end if;
    if cardinality(v_found) < p_limit then
        v_found := v_found || array(
            select a.id
            from unnest(p_countries) as c (country)
            cross join lateral (
                select b.id, b.locality
                from private.addresses as b
                where b.country = c.country and b.locality >= p_text and b.locality < v_end
                order by b.country, b.locality
                limit 2 * p_limit
            ) as a
            where a.id <> all (v_found)
            order by a.locality, a.id
            limit p_limit
        );
    end if;
    return v_found[:p_limit];
end
$function$;

create or replace function private.addresses_with_words (
    p_query tsquery,
    p_text text,
    p_countries text[],
    p_limit integer
)
    returns uuid[]
    language plpgsql
    stable
    set search_path to ''
    set enable_seqscan to 'off'
    set enable_indexscan to 'off'
    AS $function$
begin
    return array(
        select a.id
        from (
            select b.id, b.body
            from private.addresses as b
            where to_tsvector('pg_catalog.simple', b.body) @@ p_query and b.country = any (p_countries)
            limit 300
        ) as a
        order by extensions.similarity(a.body, p_text) desc, a.body, a.id
        limit p_limit
    );
end
$function$;

create or replace function private.admit_place_calls (
    p_calls jsonb,
    p_unattended boolean,
    p_now timestamp with time zone
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    set lock_timeout to '2s'
    AS $function$
declare
    v_now timestamptz;
    v_calls jsonb;
    v_sessions private.place_sessions[];
    v_limits jsonb;
    v_costs jsonb;
    v_n jsonb;
    v_answers jsonb[] := '{}';
    v_decided jsonb[] := '{}';
    v_call record;
    v_s private.place_sessions;
    v_i integer;
    v_price jsonb;
    v_day date;
    v_shared text;
    v_user text;
    v_workspace text;
    v_of_shared text;
    v_keeps bigint;
    v_closes boolean;
    v_others_at timestamptz;
    v_token uuid;
    v_cost bigint;
    v_credit bigint;
    v_reason text;
    v_scope text;
    v_until timestamptz;
begin
    begin
        perform pg_advisory_xact_lock(hashtextextended('freehold.admit_place_calls', 0));
    exception when lock_not_available then
        perform private.fail(
            503, 'places_unavailable', 'Address search is too busy.',
            p_hint := 'Let the person type the address by hand, and try again with the next letters.'
        );
    end;
    perform set_config('synchronous_commit', 'off', true);
    -- Not before: whoever was let through while this one waited must not appear to come later.
    v_now := coalesce(p_now, clock_timestamp());

    -- What the caller leaves out is taken for the dearest.
    select jsonb_agg(c.call || jsonb_build_object('provider', coalesce(c.call ->> 'provider', 'google')) order by c.n)
    into v_calls
    from jsonb_array_elements(p_calls) with ordinality as c (call, n);
    select coalesce(array_agg(s), '{}') into v_sessions
    from private.place_sessions as s
    where s.id in (select c.session_id from jsonb_to_recordset(v_calls) as c (session_id uuid));
    select jsonb_object_agg(l.name, jsonb_build_object(
        'allowed', l.allowed, 'until', date_bin(l.per, v_now, timestamptz 'epoch') + l.per
    ))
    into v_limits
    from private.limits as l
    where l.name like 'places\_%';
    select coalesce(jsonb_object_agg(c.provider || ' ' || c.kind, to_jsonb(c)), '{}') into v_costs
    from private.place_call_costs as c;
    v_day := (v_now at time zone 'UTC')::date;
    v_n := private.place_counters(
        v_calls, v_day || array(select (s.opened_at at time zone 'UTC')::date from unnest(v_sessions) as s), v_now
    );

    for v_call in
        select
            c.*,
            p_unattended or private.member_holds(c.user_id, c.workspace_id, 'portfolio.write') as may
        from rows from (jsonb_to_recordset(v_calls) as (
            session_id uuid, user_id uuid, workspace_id uuid, kind text, instance text, provider text
        )) with ordinality as c (session_id, user_id, workspace_id, kind, instance, provider, n)
        order by c.n
    loop
        v_reason := case when v_call.may is null then 'workspace_not_found' when not v_call.may then 'permission_denied' end;
        v_scope := null;
        v_until := null;
        v_token := null;
        v_i := null;
        v_credit := 0;
        v_price := v_costs -> (v_call.provider || ' ' || v_call.kind);
        v_cost := coalesce((v_price ->> 'microdollars')::bigint, 0);
        v_day := (v_now at time zone 'UTC')::date;

        if v_reason is null and (v_call.session_id is not null or v_call.kind <> 'validate') then
            select s.i into v_i
            from generate_subscripts(v_sessions, 1) as s (i)
            where (v_sessions[s.i]).id = v_call.session_id;
            v_s := v_sessions[v_i];
            if v_i is null
                or (v_s.user_id, v_s.workspace_id) <> (v_call.user_id, v_call.workspace_id)
                or v_s.closed_at is not null
                or greatest(v_s.opened_at, v_s.last_autocomplete_at) <= v_now - interval '3 minutes'
                or v_s.opened_at <= v_now - interval '30 minutes'
            then
                v_reason := 'places_invalid_session';
            else
                v_closes := v_call.kind <> 'autocomplete';
                v_day := (v_s.opened_at at time zone 'UTC')::date;
                v_token := v_s.provider_token;
                -- An autocomplete of another process may be under way still, and would reach the provider with a token that is
                -- closed: it has 2.5 seconds, counted from before it was let through. Then this call goes alone, without the token.
                v_others_at := case
                    when v_s.last_instance = v_call.instance then v_s.others_autocomplete_at
                    else v_s.last_autocomplete_at
                end;
                if v_closes and v_others_at > v_now - interval '3 seconds' then
                    v_token := null;
                end if;
                if v_closes and v_token is not null then
                    v_credit := greatest(0, v_s.autocompletes - (v_price ->> 'billed_autocompletes')::bigint)
                        * coalesce((v_costs -> (v_call.provider || ' autocomplete') ->> 'microdollars')::bigint, 0);
                    v_credit := coalesce(v_credit, 0);
                end if;
            end if;
        end if;

        v_user := 'places_per_user ' || v_call.user_id;
        v_workspace := 'places_per_workspace ' || v_call.workspace_id;
        v_shared := 'places_' || v_call.provider || '_' || v_call.kind;
        v_of_shared := v_shared || ' ' || v_call.workspace_id;
        -- Of what is reserved this much is the workspace's own.
        v_keeps := greatest(
            0, coalesce((v_n ->> ('need ' || v_of_shared))::bigint, 0) - coalesce((v_n ->> v_of_shared)::bigint, 0)
        );
        if v_reason is null then
            v_scope := case
                when coalesce((v_n ->> v_user)::bigint, 0) >= (v_limits -> 'places_per_user' ->> 'allowed')::bigint
                    then 'places_per_user'
                when coalesce((v_n ->> v_workspace)::bigint, 0) >= (v_limits -> 'places_per_workspace' ->> 'allowed')::bigint
                    then 'places_per_workspace'
                when coalesce((v_n ->> format('calls %s %s', v_call.workspace_id, v_day))::bigint, 0)
                    >= (v_limits -> 'places_per_workspace_day' ->> 'allowed')::bigint
                    then 'places_per_workspace_day'
                when v_cost > v_credit
                    and coalesce((v_n ->> format('cost %s %s', v_call.workspace_id, v_day))::bigint, 0) + v_cost - v_credit
                    > (v_limits -> 'places_cost_per_workspace_day' ->> 'allowed')::bigint
                    then 'places_cost_per_workspace_day'
                when coalesce((v_n ->> ('total ' || v_shared))::bigint, 0)
                    + coalesce((v_n ->> ('reserved ' || v_shared))::bigint, 0) - v_keeps
                    >= (v_limits -> v_shared ->> 'allowed')::bigint
                    then v_shared
            end;
            if v_scope is not null then
                v_reason := 'places_quota';
                v_until := v_limits -> v_scope ->> 'until';
            end if;
        end if;

        if v_reason is null then
            v_n := v_n || jsonb_build_object(
                v_user, coalesce((v_n ->> v_user)::bigint, 0) + 1,
                v_workspace, coalesce((v_n ->> v_workspace)::bigint, 0) + 1,
                v_of_shared, coalesce((v_n ->> v_of_shared)::bigint, 0) + 1,
                'total ' || v_shared, coalesce((v_n ->> ('total ' || v_shared))::bigint, 0) + 1,
                'reserved ' || v_shared,
                coalesce((v_n ->> ('reserved ' || v_shared))::bigint, 0) - case when v_keeps > 0 then 1 else 0 end,
                format('calls %s %s', v_call.workspace_id, v_day),
                coalesce((v_n ->> format('calls %s %s', v_call.workspace_id, v_day))::bigint, 0) + 1,
                format('cost %s %s', v_call.workspace_id, v_day),
                coalesce((v_n ->> format('cost %s %s', v_call.workspace_id, v_day))::bigint, 0) + v_cost - v_credit
            );
            if v_i is not null and v_closes then
                v_s.closed_at := v_now;
                -- The mark must outlive a crash of the server, or the token would be used again. Letters typed need not.
                perform set_config('synchronous_commit', 'on', true);
            elsif v_i is not null then
                if v_s.last_instance is distinct from v_call.instance then
                    v_s.others_autocomplete_at := v_s.last_autocomplete_at;
                    v_s.last_instance := v_call.instance;
                end if;
                v_s.last_autocomplete_at := v_now;
                v_s.autocompletes := v_s.autocompletes + 1;
            end if;
            if v_i is not null then
                v_sessions[v_i] := v_s;
            end if;
        end if;

        v_answers := v_answers || case
            when v_reason is null then jsonb_build_object(
                'admitted', true,
                'provider_token', v_token,
                'remaining', least(
                    (v_limits -> 'places_per_user' ->> 'allowed')::bigint - (v_n ->> v_user)::bigint,
                    (v_limits -> 'places_per_workspace' ->> 'allowed')::bigint - (v_n ->> v_workspace)::bigint
                )
            )
            else jsonb_strip_nulls(jsonb_build_object(
                'admitted', false,
                'reason', v_reason,
                'scope', v_scope,
                'retry_after', greatest(1, ceil(extract(epoch from v_until - v_now)))
            ))
        end;
        -- Who is refused for what others use has asked all the same: as much is kept for them next time.
        if v_reason is null or v_scope = v_shared then
            v_decided := v_decided || jsonb_build_object(
                'user_id', v_call.user_id, 'workspace_id', v_call.workspace_id, 'provider', v_call.provider,
                'kind', v_call.kind, 'admitted', v_reason is null, 'on_day', v_day, 'cost', v_cost, 'credit', v_credit
            );
        end if;
    end loop;

    perform private.record_place_calls(to_jsonb(v_decided), v_sessions, v_now);
    return to_jsonb(v_answers);
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
    v_check private.address_checks := private.held_check(p_msg_id, p_read_ct);
    v_property public.properties;
    v_address jsonb := p_result -> 'address';
    v_place_id text := p_result ->> 'place_id';
    v_subject text;
    v_outcome text := 'outdated';
begin
    if v_check.id is null then
        return 'stale';
    end if;
    select * into v_property
    from public.properties
    where workspace_id = v_check.workspace_id and id = v_check.property_id
    for no key update;
    v_subject := case v_check.kind when 'verify' then private.address_digest(v_property) else v_property.place_id end;
    if v_check.subject = v_subject then
        v_outcome := case v_check.kind
            when 'renew' then case when v_place_id is null then 'gone' else 'renewed' end
            when 'locate' then 'located'
            when 'verify' then case p_result ->> 'address_status'
                when 'corrected' then 'proposed'
                when 'verified' then 'verified'
                else 'unknown'
            end
        end;
        if v_outcome in ('verified', 'unknown') then
            -- What was proposed before doesn't hold any more.
            delete from public.address_corrections
            where workspace_id = v_check.workspace_id and property_id = v_check.property_id and status = 'open';
        end if;
        if v_outcome = 'verified' then
            update public.properties
            set address_status = 'verified', place_id = coalesce(place_id, v_place_id)
            where id = v_property.id;
        elsif v_outcome = 'proposed' then
            insert into public.address_corrections as c (
                workspace_id, property_id, address_line1, address_line2, city, state, postal_code, country, place_id,
                provider, of_address, proposed_at
            )
            values (
                v_check.workspace_id, v_check.property_id, v_address ->> 'address_line1', v_address ->> 'address_line2',
                v_address ->> 'city', v_address ->> 'state', v_address ->> 'postal_code', v_address ->> 'country', v_place_id,
                p_result ->> 'provider', v_check.subject, p_now
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
            -- The service no longer knows it: the address is to be asked for anew.
            update public.properties set place_id = null, address_status = 'unverified' where id = v_property.id;
        elsif v_outcome = 'renewed' then
            update public.properties set place_id = v_place_id, place_checked_at = p_now where id = v_property.id;
        end if;
        if p_result ->> 'latitude' is not null and v_place_id is not null then
            perform worker.record_place(
                v_check.workspace_id, v_place_id, (p_result ->> 'latitude')::double precision,
                (p_result ->> 'longitude')::double precision, p_result ->> 'provider', p_now
            );
        end if;
    end if;
    update private.address_checks
    set status = 'done', fence = p_read_ct, last_error = null, finished_at = p_now
    where id = v_check.id;
    perform pgmq.delete('compliance', p_msg_id);
    return v_outcome;
end
$function$;

create or replace function private.dismiss_address_correction (
    p_id uuid
)
    returns public.address_corrections
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_correction public.address_corrections := private.open_correction(p_id);
begin
    update public.address_corrections
    set status = 'dismissed', decided_at = now(), decided_by = auth.uid()
    where id = v_correction.id
    returning * into v_correction;
    return v_correction;
end
$function$;

create or replace function private.fail_address_check (
    p_msg_id bigint,
    p_read_ct integer,
    p_kind text,
    p_error text,
    p_retry_after integer
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_queue private.queues := private.queue_named('compliance', 'address_checks');
    v_check private.address_checks := private.held_check(p_msg_id, p_read_ct);
    v_delay integer;
begin
    if v_check.id is null then
        return jsonb_build_object('msg_id', p_msg_id, 'outcome', 'stale', 'delay_seconds', null);
    end if;
    if v_check.fence is distinct from p_read_ct then
        -- Failed before the call was let through: a try all the same.
        v_check.attempts := v_check.attempts + 1;
    end if;
    if p_kind <> 'permanent' and v_check.attempts < v_queue.max_attempts then
        v_delay := coalesce(p_retry_after, private.retry_delay(v_queue, v_check.attempts));
        update private.address_checks
        set attempts = v_check.attempts, fence = p_read_ct, last_error = left(p_error, 2000)
        where id = v_check.id;
        perform pgmq.set_vt(v_queue.name, p_msg_id, v_delay);
        return jsonb_build_object('msg_id', p_msg_id, 'outcome', 'retry', 'delay_seconds', v_delay);
    end if;
    update private.address_checks
    set
        status = 'failed',
        attempts = v_check.attempts,
        fence = p_read_ct,
        last_error = left(p_error, 2000),
        finished_at = clock_timestamp()
    where id = v_check.id;
    perform pgmq.send(v_queue.dead_letter, jsonb_build_object(
        'check_id', v_check.id, 'error', left(p_error, 2000), 'attempts', v_check.attempts
    ));
    perform pgmq.delete(v_queue.name, p_msg_id);
    return jsonb_build_object('msg_id', p_msg_id, 'outcome', 'failed', 'delay_seconds', null);
end
$function$;

create or replace function private.held_check (
    p_msg_id bigint,
    p_read_ct integer
)
    returns private.address_checks
    language plpgsql
    set search_path to ''
    AS $function$
declare
    v_check private.address_checks;
begin
    select c.* into v_check
    from pgmq.q_compliance as q
    join private.address_checks as c on c.id = (q.message ->> 'check_id')::uuid and c.status = 'queued'
    where q.msg_id = p_msg_id and q.read_ct = p_read_ct
    for update;
    return v_check;
end
$function$;

create or replace function private.keep_address_status()
    returns trigger
    language plpgsql
    set search_path to ''
    AS $function$
begin
    if tg_op = 'UPDATE' then
        if (new.address_line1, new.city, new.state, new.postal_code, new.country)
            is distinct from (old.address_line1, old.city, old.state, old.postal_code, old.country)
            and new.place_id is not distinct from old.place_id
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
    return new;
end
$function$;

create or replace function private.locate_property (
    p_property_id uuid
)
    returns boolean
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_property public.properties;
begin
    select * into v_property
    from public.properties
    where id = p_property_id and workspace_id = any (array(select private.my_workspaces()));
    if not found then
        perform private.fail(
            404, 'property_not_found', 'There is no such property, or it is not yours to see.',
            p_hint := 'List the properties you can see: GET /properties.'
        );
    end if;
    perform private.require_permission(v_property.workspace_id, 'portfolio.write');
    if v_property.place_id is null or public.coordinates(v_property) is not null then
        return false;
    end if;
    return private.queue_address_checks(array[p_property_id], 'locate', now()) > 0;
end
$function$;

create or replace function private.open_correction (
    p_id uuid
)
    returns public.address_corrections
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_correction public.address_corrections;
begin
    select * into v_correction
    from public.address_corrections
    where id = p_id and workspace_id = any (array(select private.my_workspaces()));
    if found then
        perform private.require_permission(v_correction.workspace_id, 'portfolio.write');
        perform
        from public.properties
        where workspace_id = v_correction.workspace_id and id = v_correction.property_id
        for no key update;
        select * into v_correction from public.address_corrections where id = p_id for update;
    end if;
    if not found then
        perform private.fail(
            404, 'correction_not_found', 'There is no such proposal, or it is not yours to see.',
            p_hint := 'List them: GET /address_corrections?status=eq.open.'
        );
    end if;
    if v_correction.status <> 'open' then
        perform private.fail(409, 'correction_settled', format('The proposal was %s before.', v_correction.status));
    end if;
    return v_correction;
end
$function$;

create or replace function private.queue_address_checks (
    p_property_ids uuid[],
    p_kind text,
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
    with queued as (
        insert into private.address_checks as c (workspace_id, property_id, kind, subject, queued_at)
        select
            p.workspace_id, p.id, p_kind, case p_kind when 'verify' then private.address_digest(p) else p.place_id end, p_now
        from public.properties as p
        where p.id = any (p_property_ids) and (p_kind = 'verify' or p.place_id is not null)
        order by p.workspace_id, p.id
        on conflict (workspace_id, property_id, kind) do update set
            subject = excluded.subject,
            status = 'queued',
            attempts = 0,
            fence = null,
            last_error = null,
            queued_at = excluded.queued_at,
            finished_at = null
        where c.status <> 'queued'
        returning c.id
    )
    select array_agg(q.id) into v_ids from queued as q;
    if v_ids is null then
        return 0;
    end if;
    perform pgmq.send_batch('compliance', array(select jsonb_build_object('check_id', i) from unnest(v_ids) as i));
    return cardinality(v_ids);
end
$function$;

create or replace function private.queue_named (
    p_queue text,
    p_holds text default 'messages'::text
)
    returns private.queues
    language plpgsql
    stable
    set search_path to ''
    AS $function$
declare
    v_queue private.queues;
begin
    select * into v_queue from private.queues where name = p_queue and holds = coalesce(p_holds, holds);
    if not found then
        perform private.fail(404, 'queue_not_found', format('There is no queue %L.', p_queue));
    end if;
    return v_queue;
end
$function$;

create or replace function private.synced_tables()
    returns table (
        ordinal bigint,
        name text,
        key_columns text[],
        seen_with text[],
        seen_where text
    )
    language sql
    immutable
    set search_path to ''
    AS $function$
    select row_number() over (), t.*
    from (
        values
        ('workspaces', '{id}'::text[], '{}'::text[], 'id = any (array(select private.my_portal_workspaces()))'),
        ('workspace_members', '{user_id}', '{}', null),
        ('workspace_invitations', '{id}', '{members.manage}', 'true'),
        ('properties', '{id}', '{portfolio.read}', 'id = any (array(select private.my_property_ids()))'),
        (
            'place_coordinates', '{place_id}', '{portfolio.read}',
            'place_id = any (array(select private.my_place_ids()))'
        ),
        ('address_corrections', '{id}', '{portfolio.read}', null),
        ('units', '{id}', '{portfolio.read}', 'id = any (array(select private.my_unit_ids()))'),
        ('tenants', '{id}', '{renters.read}', 'user_id = (select auth.uid())'),
        ('vendors', '{id}', '{portfolio.read}', 'user_id = (select auth.uid())'),
        ('leases', '{id}', '{leases.read}', 'id = any (array(select private.my_lease_ids()))'),
        ('lease_units', '{id}', '{leases.read}', 'lease_id = any (array(select private.my_lease_ids()))'),
        (
            'lease_tenants', '{lease_id, tenant_id}', '{leases.read}',
            'lease_id = any (array(select private.my_lease_ids()))'
        ),
        ('lease_terms', '{id}', '{leases.read}', 'lease_id = any (array(select private.my_lease_ids()))'),
        (
            'lease_addenda', '{id}', '{leases.read}',
            'signed_on is not null and lease_id = any (array(select private.my_lease_ids()))'
        ),
        ('lease_status_changes', '{id}', '{leases.read}', 'lease_id = any (array(select private.my_lease_ids()))'),
        ('maintenance_plans', '{id}', '{maintenance.read}', null),
        ('maintenance_requests', '{id}', '{maintenance.read}', 'id = any (array(select private.my_request_ids()))'),
        ('maintenance_status_changes', '{id}', '{maintenance.read}', null),
        (
            'maintenance_comments', '{id}', '{maintenance.read}',
            'request_id = any (array(select private.my_request_ids()))'
        ),
        ('maintenance_costs', '{id}', '{money.read}', null),
        ('inspection_templates', '{id}', '{maintenance.read}', null),
        ('inspection_template_items', '{id}', '{maintenance.read}', null),
        ('inspections', '{id}', '{maintenance.read}', 'id = any (array(select private.my_inspection_ids()))'),
        (
            'inspection_items', '{id}', '{maintenance.read}',
            'inspection_id = any (array(select private.my_inspection_ids()))'
        ),
        (
            'inspection_signatures', '{id}', '{maintenance.read}',
            'inspection_id = any (array(select private.my_inspection_ids()))'
        ),
        ('expenses', '{id}', '{money.read}', null),
        ('documents', '{id}', '{documents.read}', 'id = any (array(select private.my_document_ids()))'),
        (
            'custom_field_definitions', '{id}', '{portfolio.read, renters.read, leases.read, maintenance.read}', 'true'
        ),
        ('property_custom_fields', '{property_id}', '{portfolio.read}', null),
        ('unit_custom_fields', '{unit_id}', '{portfolio.read}', null),
        ('tenant_custom_fields', '{tenant_id}', '{renters.read}', null),
        ('lease_custom_fields', '{lease_id}', '{leases.read}', null),
        ('maintenance_request_custom_fields', '{request_id}', '{maintenance.read}', null),
        ('notifications', '{id}', null, 'user_id = (select auth.uid())'),
        ('notification_preferences', '{user_id, category, channel}', null, 'user_id = (select auth.uid())'),
        ('messages', '{id}', '{messages.read}', null),
        ('imports', '{id}', '{imports.run}', null)
    ) as t (name, key_columns, seen_with, seen_where)
$function$;

create or replace function private.unchecked_properties (
    p_workspace_id uuid,
    p_limit integer
)
    returns uuid[]
    language sql
    stable
    security definer
    set search_path to ''
    AS $function$
    select coalesce(array_agg(u.id), '{}')
    from (
        select p.id
        from public.properties as p
        left join private.address_checks as c
            on c.workspace_id = p.workspace_id and c.property_id = p.id and c.kind = 'verify'
        where
            p.address_status = 'unverified'
            and (p_workspace_id is null or p.workspace_id = p_workspace_id)
            and (c.id is null or (c.status <> 'queued' and c.subject <> private.address_digest(p)))
        order by p.workspace_id, p.id
        limit p_limit
    ) as u
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
    return private.queue_address_checks(private.unchecked_properties(p_workspace_id, 10000), 'verify', now());
end
$function$;

create or replace function private.words_meant_by (
    p_word text,
    p_incomplete boolean
)
    returns text[]
    language plpgsql
    stable
    set search_path to ''
    set enable_seqscan to 'off'
    AS $function$
declare
    v_length integer := length(p_word);
    v_letters text := (select string_agg(c, '' order by c) from regexp_split_to_table(p_word, '') as c);
begin
    if v_length < 4 or v_length > 60 then
        return '{}';
    end if;
    return array(
        select n.word
        from (
            select distinct
                c.word,
                c.addresses,
                extensions.levenshtein_less_equal(
                    case when p_incomplete then left(c.word, v_length) else c.word end, p_word, 2
                ) as slips,
                v_letters = (
                    select string_agg(l, '' order by l)
                    from regexp_split_to_table(case when p_incomplete then left(c.word, v_length) else c.word end, '') as l
                ) as shuffled
            from (
                select w.word, w.addresses
                from private.address_words as w
                where w.word >= left(p_word, 1) and w.word < left(p_word, 1) || chr(1114111)
                union all
                select w.word, w.addresses
                from private.address_words as w
                where w.word operator(extensions.%) p_word
            ) as c
            where
                length(c.word) between v_length - 2 and case when p_incomplete then 60 else v_length + 2 end
                -- Cheap, and most words are out by it.
                and extensions.levenshtein_less_equal(
                    case when p_incomplete then left(c.word, v_length) else c.word end, p_word, 2
                ) <= 2
        ) as n
        where n.slips <= case when v_length >= 7 or n.shuffled then 2 else 1 end
        order by case when n.shuffled then 1 else n.slips end, n.addresses desc, n.word
        limit 3
    );
end
$function$;

create or replace function public.accept_address_correction (
    correction_id uuid
)
    returns public.properties
    language sql
    set search_path to ''
    AS $function$
    select private.accept_address_correction(correction_id)
$function$;

revoke all on function "public"."accept_address_correction"(uuid) from public, "anon", "service_role";

create or replace function public.dismiss_address_correction (
    correction_id uuid
)
    returns public.address_corrections
    language sql
    set search_path to ''
    AS $function$
    select private.dismiss_address_correction(correction_id)
$function$;

revoke all on function "public"."dismiss_address_correction"(uuid) from public, "anon", "service_role";

create or replace function public.locate_property (
    property_id uuid
)
    returns boolean
    language sql
    set search_path to ''
    AS $function$
    select private.locate_property(property_id)
$function$;

revoke all on function "public"."locate_property"(uuid) from public, "anon", "service_role";

create or replace function public.verify_addresses (
    workspace_id uuid
)
    returns integer
    language sql
    set search_path to ''
    AS $function$
    select private.verify_addresses(workspace_id)
$function$;

revoke all on function "public"."verify_addresses"(uuid) from public, "anon", "service_role";

create or replace function worker.add_addresses (
    p_list text,
    p_loaded_at timestamp with time zone,
    p_rows jsonb
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_added bigint;
    v_kept bigint;
begin
    -- One import at a time: two would count the same words in different orders.
    perform pg_advisory_xact_lock(hashtextextended('freehold.addresses', 0));
    insert into private.address_lists as l (name, loaded_at)
    values (p_list, p_loaded_at)
    on conflict (name) do update set loaded_at = excluded.loaded_at where l.loaded_at < excluded.loaded_at;
    with given as (
        select distinct on (g.id)
            g.id, r.address_line1, r.city, r.state, r.postal_code, r.country, r.latitude, r.longitude, g.body, g.locality
        from jsonb_to_recordset(p_rows) as r (
            address_line1 text, city text, state text, postal_code text, country text,
            latitude double precision, longitude double precision
        )
        cross join lateral (
            select
                private.address_text(r.address_line1) as line,
                private.address_text(concat_ws(' ', r.city, r.state, r.postal_code, r.country)) as locality
        ) as t
        cross join lateral (
            select md5(t.line || '|' || t.locality)::uuid as id, t.line || ' ' || t.locality as body, t.locality
        ) as g
        order by g.id
    ),
    written as (
        insert into private.addresses as a
            (id, list, loaded_at, address_line1, city, state, postal_code, country, latitude, longitude, body, street, locality)
        select
            g.id, p_list, p_loaded_at, g.address_line1, g.city, g.state, g.postal_code, g.country, g.latitude, g.longitude,
            g.body, regexp_replace(g.body, '^[0-9][^ ]* ', ''), g.locality
        from given as g
        on conflict (id) do update set
            list = excluded.list,
            loaded_at = excluded.loaded_at,
            address_line1 = excluded.address_line1,
            city = excluded.city,
            state = excluded.state,
            postal_code = excluded.postal_code,
            latitude = excluded.latitude,
            longitude = excluded.longitude
        where a.loaded_at <= excluded.loaded_at
        returning a.body, a.xmax = 0 as is_new
    ),
    counted as (
        insert into private.address_words as w (word, addresses)
        select s.word, count(*)
        from written as n
        cross join lateral (select distinct regexp_split_to_table(n.body, ' ')) as s (word)
        where n.is_new and s.word !~ '^[0-9]'
        group by s.word
        order by s.word
        on conflict (word) do update set addresses = w.addresses + excluded.addresses
    )
    select count(*) filter (where n.is_new), count(*) filter (where not n.is_new) into v_added, v_kept
    from written as n;
    return jsonb_build_object('added', v_added, 'kept', v_kept);
end
$function$;

create or replace function worker.admit_place_calls (
    p_calls jsonb,
    p_now timestamp with time zone default null::timestamp with time zone
)
    returns jsonb
    language sql
    security definer
    set search_path to ''
    AS $function$
    select private.admit_place_calls(p_calls, false, p_now)
$function$;

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
            perform pgmq.set_vt('compliance', p_msg_id, (v_answer ->> 'retry_after')::integer + (random() * 10)::integer);
            return false;
        end if;
    end if;
    update private.address_checks set attempts = attempts + 1, fence = p_read_ct where id = v_check.id;
    perform pgmq.set_vt('compliance', p_msg_id, p_lease_seconds);
    return true;
end
$function$;

create or replace function worker.claim_address_checks (
    p_limit integer default 20,
    p_lease_seconds integer default 30
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_claimed jsonb;
    v_settled bigint[];
begin
    with claimed as materialized (
        select r.msg_id, r.read_ct, (r.message ->> 'check_id')::uuid as check_id
        from pgmq.read('compliance', p_lease_seconds, p_limit) as r
    )
    select
        coalesce(jsonb_agg(jsonb_build_object(
            'msg_id', q.msg_id,
            'read_ct', q.read_ct,
            'check', jsonb_build_object(
                'id', c.id,
                'workspace_id', c.workspace_id,
                'property_id', c.property_id,
                'kind', c.kind,
                'subject', c.subject,
                'attempts', c.attempts,
                'place_id', p.place_id,
                'address', jsonb_build_object(
                    'address_line1', p.address_line1,
                    'address_line2', p.address_line2,
                    'city', p.city,
                    'state', p.state,
                    'postal_code', p.postal_code,
                    'country', p.country
                )
            )
        ) order by q.msg_id) filter (where c.status = 'queued'), '[]'),
        array_agg(q.msg_id) filter (where c.status is distinct from 'queued')
    into v_claimed, v_settled
    from claimed as q
    left join private.address_checks as c on c.id = q.check_id
    left join public.properties as p on p.workspace_id = c.workspace_id and p.id = c.property_id;
    if v_settled is not null then
        perform pgmq.delete('compliance', v_settled);
    end if;
    return v_claimed;
end
$function$;

create or replace function worker.complete_address_checks (
    p_items jsonb,
    p_now timestamp with time zone default now()
)
    returns jsonb
    language sql
    security definer
    set search_path to ''
    AS $function$
    select coalesce(jsonb_agg(jsonb_build_object(
        'msg_id', i.msg_id, 'outcome', private.complete_address_check(i.msg_id, i.read_ct, i.result, p_now)
    ) order by i.msg_id), '[]')
    from (
        select * from jsonb_to_recordset(p_items) as x (msg_id bigint, read_ct integer, result jsonb) order by x.msg_id
    ) as i
$function$;

create or replace function worker.extend_claims (
    p_queue text,
    p_items jsonb,
    p_lease_seconds integer default 30
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_queue private.queues := private.queue_named(p_queue, null);
    v_held jsonb;
begin
    execute format(
        $sql$
            with held as (
                update pgmq.%I as q
                set vt = clock_timestamp() + make_interval(secs => $2)
                from jsonb_to_recordset($1) as i (msg_id bigint, read_ct integer)
                where q.msg_id = i.msg_id and q.read_ct = i.read_ct
                returning q.msg_id
            )
            select coalesce(jsonb_agg(h.msg_id order by h.msg_id), '[]') from held as h
        $sql$,
        'q_' || v_queue.name
    )
    into v_held
    using p_items, p_lease_seconds;
    return v_held;
end
$function$;

create or replace function worker.fail_address_checks (
    p_items jsonb
)
    returns jsonb
    language sql
    security definer
    set search_path to ''
    AS $function$
    select coalesce(jsonb_agg(private.fail_address_check(
        i.msg_id, i.read_ct, i.kind, i.error, i.retry_after_seconds
    ) order by i.msg_id), '[]')
    from (
        select *
        from jsonb_to_recordset(p_items) as x (
            msg_id bigint, read_ct integer, kind text, error text, retry_after_seconds integer
        )
        order by x.msg_id
    ) as i
$function$;

create or replace function worker.find_address (
    p_place_id text
)
    returns jsonb
    language sql
    stable
    security definer
    set search_path to ''
    AS $function$
    select private.address_told(a)
    from private.addresses as a
    where
        p_place_id like 'local:%'
        and pg_input_is_valid(substr(p_place_id, 7), 'uuid')
        and a.id = case when pg_input_is_valid(substr(p_place_id, 7), 'uuid') then substr(p_place_id, 7)::uuid end
$function$;

create or replace function worker.finish_address_list (
    p_list text,
    p_loaded_at timestamp with time zone,
    p_limit integer default 10000
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_deleted bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended('freehold.addresses', 0));
    with gone as (
        delete from private.addresses
        where id in (
            select a.id
            from private.addresses as a
            where a.list = p_list and a.loaded_at < p_loaded_at
            order by a.id
            limit p_limit
        )
        returning body
    ),
    counted as (
        update private.address_words as w
        set addresses = w.addresses - n.addresses
        from (
            select s.word, count(*) as addresses
            from gone as g
            cross join lateral (select distinct regexp_split_to_table(g.body, ' ')) as s (word)
            group by s.word
        ) as n
        where w.word = n.word
    )
    select count(*) into v_deleted from gone;
    delete from private.address_words where addresses <= 0;
    if v_deleted < p_limit then
        analyze private.addresses;
        analyze private.address_words;
    end if;
    return jsonb_build_object('deleted', v_deleted, 'finished', v_deleted < p_limit);
end
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
        delete from private.address_checks as c
        using gone as g
        where
            g.status = 'open'
            and c.workspace_id = g.workspace_id
            and c.property_id = g.property_id
            and c.kind = 'verify'
            and c.status <> 'queued'
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
            and p.place_id not like 'local:%' and p.place_id not like 'photon:%'
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
        'verify', private.queue_address_checks(private.unchecked_properties(null, 1000), 'verify', p_now),
        'renew', private.queue_address_checks(v_stale, 'renew', p_now)
    );
end
$function$;

create or replace function worker.release_address_checks (
    p_items jsonb
)
    returns integer
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_released integer;
begin
    update pgmq.q_compliance as q
    set vt = clock_timestamp()
    from jsonb_to_recordset(p_items) as i (msg_id bigint, read_ct integer)
    where q.msg_id = i.msg_id and q.read_ct = i.read_ct;
    get diagnostics v_released = row_count;
    return v_released;
end
$function$;

create or replace function worker.search_addresses (
    p_q text,
    p_countries text[] default null::text[],
    p_limit integer default 5
)
    returns jsonb
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_q text := left(p_q, 200);
    v_text text := private.address_text(v_q, true);
    v_full text;
    v_limit integer := least(greatest(p_limit, 1), 20);
    v_countries text[] := p_countries;
    v_found uuid[];
begin
    if v_text = '' then
        return '[]';
    end if;
    if v_countries is null then
        -- One look at the index for each.
        v_countries := array(
            with recursive each as (
                select min(a.country) as country from private.addresses as a
                union all
                select (select min(a.country) from private.addresses as a where a.country > each.country)
                from each
                where each.country is not null
            )
            select each.country from each where each.country is not null
        );
    end if;
    v_found := private.addresses_beginning(v_text, v_countries, v_limit);
    if v_found = '{}' then
        v_full := private.address_text(v_q);
        if v_full <> v_text then
            v_found := private.addresses_beginning(v_full, v_countries, v_limit);
        end if;
    end if;
    if cardinality(v_found) < v_limit then
        v_found := v_found || array(
            select w from unnest(private.addresses_with_words(
                private.address_query(v_text, false), v_text, v_countries, v_limit
            )) as w
            where w <> all (v_found)
        );
    end if;
    if v_found = '{}' then
        v_found := private.addresses_with_words(private.address_query(v_text, true), v_text, v_countries, v_limit);
    end if;
    return (
        select coalesce(jsonb_agg(private.address_told(a) order by f.n), '[]')
        from unnest(v_found[:v_limit]) with ordinality as f (id, n)
        join private.addresses as a on a.id = f.id
    );
end
$function$;

create or replace function worker.verify_addresses (
    p_workspace text
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
        select p.id from public.properties as p where p.workspace_id = v_ids[1] and p.address_status = 'unverified'
    );
    return jsonb_build_object(
        'workspace_id', v_ids[1],
        'unverified', cardinality(v_properties),
        'queued', private.queue_address_checks(v_properties, 'verify', now())
    );
end
$function$;

alter table "private"."address_checks"
    add constraint "address_checks_workspace_id_property_id_fkey" foreign key (workspace_id, property_id)
        references public.properties(workspace_id, id) on delete cascade;

alter table "private"."addresses"
    add constraint "addresses_list_fkey" foreign key (list) references private.address_lists(name) on delete cascade;

alter table "private"."queues"
    -- Such tables are short: a scan is over at once, and nothing in use breaks the wider check.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "queues_holds_check" check ((holds = ANY (ARRAY['messages'::text, 'address_checks'::text])));

alter table "public"."address_corrections"
    add constraint "address_corrections_workspace_id_property_id_fkey" foreign key (workspace_id, property_id)
        references public.properties(workspace_id, id) on delete cascade;

create index address_words_trigrams_idx on private.address_words using gin (word extensions.gin_trgm_ops);

create index addresses_body_idx on private.addresses using btree (country, body);

create index addresses_list_idx on private.addresses using btree (list, loaded_at);

create index addresses_locality_idx on private.addresses using btree (country, locality);

create index addresses_street_idx on private.addresses using btree (country, street, body);

create index addresses_words_idx on private.addresses using gin (to_tsvector('simple'::regconfig, body));

create unique index address_corrections_open_key on public.address_corrections using btree (workspace_id, property_id)
    where (status = 'open'::text);

create index address_corrections_property_id_idx on public.address_corrections using btree (workspace_id, property_id);

create index address_corrections_proposed_at_idx on public.address_corrections using btree (proposed_at);

create index address_corrections_status_idx on public.address_corrections
    using btree (workspace_id, status, proposed_at desc);

-- Such tables are short: built before anybody waits.
-- squawk-ignore require-concurrent-index-creation
create index properties_place_checked_at_idx on public.properties using btree (place_checked_at)
    where (place_id is not null);

-- Such tables are short: built before anybody waits.
-- squawk-ignore require-concurrent-index-creation
create index properties_unverified_idx on public.properties using btree (workspace_id, id)
    where (address_status = 'unverified'::text);

create trigger note_delete
    after delete on public.address_corrections referencing OLD table as touched
    for each STATEMENT
    execute function private.note_changes();

create trigger note_insert
    after insert on public.address_corrections referencing NEW table as touched
    for each STATEMENT
    execute function private.note_changes();

create trigger note_update
    after update on public.address_corrections referencing NEW table as touched
    for each STATEMENT
    execute function private.note_changes();

create trigger refuse_truncate
    before truncate on public.address_corrections
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger keep_address_status
    before insert or update on public.properties
    for each row
    execute function private.keep_address_status();

create policy "members_select" on "public"."address_corrections"
    for select
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('portfolio.read'::text) as workspaces_with))));

comment on column "public"."address_corrections"."address_line1" is 'Street address, as the service would write it.';

comment on column "public"."address_corrections"."address_line2" is 'Building, floor or suite.';

comment on column "public"."address_corrections"."city" is 'City or town.';

comment on column "public"."address_corrections"."country" is 'ISO 3166-1 alpha-2 code.';

comment on column "public"."address_corrections"."decided_at" is 'When somebody accepted or dismissed it.';

comment on column "public"."address_corrections"."decided_by" is 'Who did.';

comment on column "public"."address_corrections"."id" is 'Identifies the proposal.';

comment on column "public"."address_corrections"."of_address" is 'Digest of the address that was checked: a proposal for another one is outdated.';

comment on column "public"."address_corrections"."place_id" is 'The service''s id of the place.';

comment on column "public"."address_corrections"."postal_code" is 'Postal code.';

comment on column "public"."address_corrections"."property_id" is 'The property whose address it is.';

comment on column "public"."address_corrections"."proposed_at" is 'When the service said so.';

comment on column "public"."address_corrections"."provider" is 'google, photon or local: who proposes it.';

comment on column "public"."address_corrections"."state" is 'State, province or region.';

comment on column "public"."address_corrections"."status" is 'open, accepted or dismissed; one is open for a property at most.';

comment on column "public"."address_corrections"."workspace_id" is 'The workspace of the property.';

comment on column "public"."properties"."address_status" is 'verified (a service knows the address), corrected (a person accepted its correction) or unverified (as typed).

Changing the address makes it unverified and forgets the place id, unless the same change sets one of the two.';

comment on column "public"."properties"."place_checked_at" is 'When the place id was chosen or last renewed: after twelve months it is asked for again.';

comment on extension "fuzzystrmatch" is 'determine similarities and distance between strings';

comment on function "public"."accept_address_correction"(uuid) is 'Writes a property''s address as a service proposed it

By `correction_id`. Needs `portfolio.write`. The address becomes corrected. 409 `correction_settled`, 409 `correction_outdated` if the
address was changed since. Answers the property.';

comment on function "public"."dismiss_address_correction"(uuid) is 'Leaves a property''s address as it was typed

Of the proposal `correction_id`. Needs `portfolio.write`. The address stays unverified, and is not asked about again until it changes. 409
`correction_settled`. Answers the proposal.';

comment on function "public"."locate_property"(uuid) is 'Fetches a property''s coordinates again

Of `property_id`, from its place, where they are not known (any more). Needs `portfolio.write`. Answers whether this queued it: read
`coordinates` of the property a little later. False: they are there, there is no place to ask about, or it waits already.';

comment on function "public"."verify_addresses"(uuid) is 'Has addresses checked that were typed by hand

Queues those of `workspace_id` that are unverified and were not checked as they stand; without this call they are queued within ten
minutes. Needs `portfolio.write`. Answers how many. What comes of it: properties.address_status, and proposals in address_corrections.';

comment on function "worker"."add_addresses"(text, timestamp with time zone, jsonb) is 'Imports some addresses of a list

`p_rows` is [{address_line1, city, state, postal_code, country, latitude, longitude}]; `p_list` names the list, `p_loaded_at` is when its
import began. An address that is there already stays the same one. Answers {added, kept}. When all are in, finish_address_list().';

comment on function "worker"."admit_place_calls"(jsonb, timestamp with time zone) is 'Decides which calls go out to a service for addresses

`p_calls` is [{session_id, user_id, workspace_id, kind, instance, provider?}]; kind is autocomplete, details or validate (which needs no session),
instance names the calling process, provider is google if left out. Answers in the same order [{admitted: true, provider_token, remaining}
or {admitted: false, reason, scope?, retry_after?}]. A provider_token of null: call without one. reason is workspace_not_found,
permission_denied, places_invalid_session or places_quota; scope is the limit that was met, retry_after in seconds. details and validate close
their session: its token is given to nobody again. 503 `places_unavailable` when too many ask at once.';

comment on function "worker"."begin_address_check"(bigint, integer, text, integer) is 'Asks whether a claimed check may go out to the provider

By `p_msg_id` and `p_read_ct`, just before the call; counts an attempt and what the call costs with `p_provider`, and extends the lease to
`p_lease_seconds`. False: the claim was lost, or the workspace has used up a limit and the check waits for it: do not call.';

comment on function "worker"."claim_address_checks"(integer, integer) is 'Claims up to `p_limit` checks for `p_lease_seconds`

Answers [{msg_id, read_ct, check: {id, workspace_id, property_id, kind, subject, attempts, place_id, address}}]; kind is verify, renew or
locate. read_ct is the fencing token.';

comment on function "worker"."complete_address_checks"(jsonb, timestamp with time zone) is 'Records what a provider said of addresses

Items are [{msg_id, read_ct, result: {provider, address_status, address, place_id, latitude, longitude}}]; a renewal''s place_id is null when the
provider no longer knows the place. An address becomes verified, or a correction is proposed; nothing typed is changed. Answers
[{msg_id, outcome}]: verified, proposed (a correction) or unknown; renewed or gone; located; outdated (the address changed meanwhile: the
answer was dropped) or stale (the claim moved on, or an earlier call was answered).';

comment on function "worker"."fail_address_checks"(jsonb) is 'Records checks that failed

Items are [{msg_id, read_ct, kind, error, retry_after_seconds?}] with kind retryable, unknown (the same: asking twice harms nobody) or
permanent. Answers [{msg_id, outcome: retry, failed or stale, delay_seconds}]. What is given up goes to the dead-letter queue, and is
queued again when the address changes.';

comment on function "worker"."find_address"(text) is 'One address of the local list

By `p_place_id`, as search_addresses() told it; null if it is not there (any more).';

comment on function "worker"."finish_address_list"(text, timestamp with time zone, integer) is 'Deletes what the last import of a list no longer has

Of `p_list`, addresses that the import begun at `p_loaded_at` did not bring, `p_limit` at most. Answers {deleted, finished}; to be called until
it is finished.';

comment on function "worker"."purge_places"(timestamp with time zone) is 'Deletes what of places has served its time

Google''s coordinates and all proposals of addresses after 29 days (its terms allow 30), sessions and counts that are over. Answers how many rows of each.';

comment on function "worker"."queue_address_checks"(timestamp with time zone) is 'Queues what of addresses is to be checked

Addresses typed by hand, each once until it changes, and place ids that were last checked over twelve months ago; at most 1,000 of
each. Answers how many.';

comment on function "worker"."release_address_checks"(jsonb) is 'Gives claims of checks back

Items are [{msg_id, read_ct}] (`p_items`); they can be claimed again at once. Answers how many there were.';

comment on function "worker"."search_addresses"(text, text[], integer) is 'Suggests addresses of the local list for what was typed

`p_q` may be incomplete and have slips; `p_countries` (ISO 3166-1 alpha-2) narrows it, `p_limit` is 20 at most. Answers the best first:
[{place_id, address_line1, address_line2, city, state, postal_code, country, latitude, longitude}].';

comment on function "worker"."verify_addresses"(text) is 'Queues all unverified addresses of a workspace

`p_workspace` is its id or name. Answers {workspace_id, unverified, queued}: what waits already is not queued twice.';

comment on table "private"."address_abbreviations" is 'Words that are written short in addresses; they are compared in full.';

comment on table "private"."address_checks" is 'What was or is to be asked about a property''s address, once of each kind.

verify: is the address known? renew: is the place id still good? locate: where is the place? subject is what is asked about, the address''
digest or the place id: an answer about another one is dropped.';

comment on table "private"."address_lists" is 'Lists that were imported, and when the last import of each began.';

comment on table "private"."address_words" is 'Words of the addresses, and about how many have each: what slips are mended from.';

comment on table "private"."addresses" is 'Addresses that are suggested. The id follows from the address: a list that is imported again changes none.

body is its words as they are compared, street the same without the house number, locality from the city on.';

comment on table "private"."queues" is 'Queues, what their items are, and how often each is tried. Reference data, written by migrations.';

comment on table "public"."address_corrections" is 'How a service for addresses would write a property''s address.

Proposed where the two differ; a person accepts or dismisses it with an RPC. Deleted before it is 30 days old, as Google''s terms ask: what a
person accepted stands in the property by then.';

revoke all on function "private"."accept_address_correction"(uuid) from public;

grant execute on function "private"."accept_address_correction"(uuid) to "authenticated";

revoke all on function "private"."accept_address_correction"(uuid) from "postgres";

grant execute on function "private"."accept_address_correction"(uuid) to "postgres";

revoke all on function "private"."address_digest"(public.properties) from public;

revoke all on function "private"."address_digest"(public.properties) from "postgres";

grant execute on function "private"."address_digest"(public.properties) to "postgres";

revoke all on function "private"."address_query"(text, boolean) from public;

revoke all on function "private"."address_query"(text, boolean) from "postgres";

grant execute on function "private"."address_query"(text, boolean) to "postgres";

revoke all on function "private"."address_text"(text, boolean) from public;

revoke all on function "private"."address_text"(text, boolean) from "postgres";

grant execute on function "private"."address_text"(text, boolean) to "postgres";

revoke all on function "private"."address_told"(private.addresses) from public;

revoke all on function "private"."address_told"(private.addresses) from "postgres";

grant execute on function "private"."address_told"(private.addresses) to "postgres";

revoke all on function "private"."addresses_beginning"(text, text[], integer) from public;

revoke all on function "private"."addresses_beginning"(text, text[], integer) from "postgres";

grant execute on function "private"."addresses_beginning"(text, text[], integer) to "postgres";

revoke all on function "private"."addresses_with_words"(tsquery, text, text[], integer) from public;

revoke all on function "private"."addresses_with_words"(tsquery, text, text[], integer) from "postgres";

grant execute on function "private"."addresses_with_words"(tsquery, text, text[], integer) to "postgres";

revoke all on function "private"."admit_place_calls"(jsonb, boolean, timestamp with time zone) from public;

revoke all on function "private"."admit_place_calls"(jsonb, boolean, timestamp with time zone) from "postgres";

grant execute on function "private"."admit_place_calls"(jsonb, boolean, timestamp with time zone) to "postgres";

revoke all on function "private"."complete_address_check"(bigint, integer, jsonb, timestamp with time zone) from public;

revoke all
    on function "private"."complete_address_check"(bigint, integer, jsonb, timestamp with time zone)
    from "postgres";

grant execute
    on function "private"."complete_address_check"(bigint, integer, jsonb, timestamp with time zone)
    to "postgres";

revoke all on function "private"."dismiss_address_correction"(uuid) from public;

grant execute on function "private"."dismiss_address_correction"(uuid) to "authenticated";

revoke all on function "private"."dismiss_address_correction"(uuid) from "postgres";

grant execute on function "private"."dismiss_address_correction"(uuid) to "postgres";

revoke all on function "private"."fail_address_check"(bigint, integer, text, text, integer) from public;

revoke all on function "private"."fail_address_check"(bigint, integer, text, text, integer) from "postgres";

grant execute on function "private"."fail_address_check"(bigint, integer, text, text, integer) to "postgres";

revoke all on function "private"."held_check"(bigint, integer) from public;

revoke all on function "private"."held_check"(bigint, integer) from "postgres";

grant execute on function "private"."held_check"(bigint, integer) to "postgres";

revoke all on function "private"."keep_address_status"() from public;

revoke all on function "private"."keep_address_status"() from "postgres";

grant execute on function "private"."keep_address_status"() to "postgres";

revoke all on function "private"."locate_property"(uuid) from public;

grant execute on function "private"."locate_property"(uuid) to "authenticated";

revoke all on function "private"."locate_property"(uuid) from "postgres";

grant execute on function "private"."locate_property"(uuid) to "postgres";

revoke all on function "private"."open_correction"(uuid) from public;

revoke all on function "private"."open_correction"(uuid) from "postgres";

grant execute on function "private"."open_correction"(uuid) to "postgres";

revoke all on function "private"."queue_address_checks"(uuid[], text, timestamp with time zone) from public;

revoke all on function "private"."queue_address_checks"(uuid[], text, timestamp with time zone) from "postgres";

grant execute on function "private"."queue_address_checks"(uuid[], text, timestamp with time zone) to "postgres";

revoke all on function "private"."queue_named"(text, text) from public;

revoke all on function "private"."queue_named"(text, text) from "postgres";

grant execute on function "private"."queue_named"(text, text) to "postgres";

revoke all on function "private"."unchecked_properties"(uuid, integer) from public;

revoke all on function "private"."unchecked_properties"(uuid, integer) from "postgres";

grant execute on function "private"."unchecked_properties"(uuid, integer) to "postgres";

revoke all on function "private"."verify_addresses"(uuid) from public;

grant execute on function "private"."verify_addresses"(uuid) to "authenticated";

revoke all on function "private"."verify_addresses"(uuid) from "postgres";

grant execute on function "private"."verify_addresses"(uuid) to "postgres";

revoke all on function "private"."words_meant_by"(text, boolean) from public;

revoke all on function "private"."words_meant_by"(text, boolean) from "postgres";

grant execute on function "private"."words_meant_by"(text, boolean) to "postgres";

grant execute on function "public"."accept_address_correction"(uuid) to "authenticated";

revoke all on function "public"."accept_address_correction"(uuid) from "postgres";

grant execute on function "public"."accept_address_correction"(uuid) to "postgres";

grant execute on function "public"."dismiss_address_correction"(uuid) to "authenticated";

revoke all on function "public"."dismiss_address_correction"(uuid) from "postgres";

grant execute on function "public"."dismiss_address_correction"(uuid) to "postgres";

grant execute on function "public"."locate_property"(uuid) to "authenticated";

revoke all on function "public"."locate_property"(uuid) from "postgres";

grant execute on function "public"."locate_property"(uuid) to "postgres";

grant execute on function "public"."verify_addresses"(uuid) to "authenticated";

revoke all on function "public"."verify_addresses"(uuid) from "postgres";

grant execute on function "public"."verify_addresses"(uuid) to "postgres";

revoke all on function "worker"."add_addresses"(text, timestamp with time zone, jsonb) from public;

revoke all on function "worker"."add_addresses"(text, timestamp with time zone, jsonb) from "postgres";

grant execute on function "worker"."add_addresses"(text, timestamp with time zone, jsonb) to "postgres";

grant execute on function "worker"."add_addresses"(text, timestamp with time zone, jsonb) to "worker";

revoke all on function "worker"."admit_place_calls"(jsonb, timestamp with time zone) from public;

revoke all on function "worker"."admit_place_calls"(jsonb, timestamp with time zone) from "postgres";

grant execute on function "worker"."admit_place_calls"(jsonb, timestamp with time zone) to "postgres";

grant execute on function "worker"."admit_place_calls"(jsonb, timestamp with time zone) to "worker";

revoke all on function "worker"."begin_address_check"(bigint, integer, text, integer) from public;

revoke all on function "worker"."begin_address_check"(bigint, integer, text, integer) from "postgres";

grant execute on function "worker"."begin_address_check"(bigint, integer, text, integer) to "postgres";

grant execute on function "worker"."begin_address_check"(bigint, integer, text, integer) to "worker";

revoke all on function "worker"."claim_address_checks"(integer, integer) from public;

revoke all on function "worker"."claim_address_checks"(integer, integer) from "postgres";

grant execute on function "worker"."claim_address_checks"(integer, integer) to "postgres";

grant execute on function "worker"."claim_address_checks"(integer, integer) to "worker";

revoke all on function "worker"."complete_address_checks"(jsonb, timestamp with time zone) from public;

revoke all on function "worker"."complete_address_checks"(jsonb, timestamp with time zone) from "postgres";

grant execute on function "worker"."complete_address_checks"(jsonb, timestamp with time zone) to "postgres";

grant execute on function "worker"."complete_address_checks"(jsonb, timestamp with time zone) to "worker";

revoke all on function "worker"."fail_address_checks"(jsonb) from public;

revoke all on function "worker"."fail_address_checks"(jsonb) from "postgres";

grant execute on function "worker"."fail_address_checks"(jsonb) to "postgres";

grant execute on function "worker"."fail_address_checks"(jsonb) to "worker";

revoke all on function "worker"."find_address"(text) from public;

revoke all on function "worker"."find_address"(text) from "postgres";

grant execute on function "worker"."find_address"(text) to "postgres";

grant execute on function "worker"."find_address"(text) to "worker";

revoke all on function "worker"."finish_address_list"(text, timestamp with time zone, integer) from public;

revoke all on function "worker"."finish_address_list"(text, timestamp with time zone, integer) from "postgres";

grant execute on function "worker"."finish_address_list"(text, timestamp with time zone, integer) to "postgres";

grant execute on function "worker"."finish_address_list"(text, timestamp with time zone, integer) to "worker";

revoke all on function "worker"."queue_address_checks"(timestamp with time zone) from public;

revoke all on function "worker"."queue_address_checks"(timestamp with time zone) from "postgres";

grant execute on function "worker"."queue_address_checks"(timestamp with time zone) to "postgres";

grant execute on function "worker"."queue_address_checks"(timestamp with time zone) to "worker";

revoke all on function "worker"."release_address_checks"(jsonb) from public;

revoke all on function "worker"."release_address_checks"(jsonb) from "postgres";

grant execute on function "worker"."release_address_checks"(jsonb) to "postgres";

grant execute on function "worker"."release_address_checks"(jsonb) to "worker";

revoke all on function "worker"."search_addresses"(text, text[], integer) from public;

revoke all on function "worker"."search_addresses"(text, text[], integer) from "postgres";

grant execute on function "worker"."search_addresses"(text, text[], integer) to "postgres";

grant execute on function "worker"."search_addresses"(text, text[], integer) to "worker";

revoke all on function "worker"."verify_addresses"(text) from public;

revoke all on function "worker"."verify_addresses"(text) from "postgres";

grant execute on function "worker"."verify_addresses"(text) to "postgres";

grant execute on function "worker"."verify_addresses"(text) to "worker";

revoke all on table "public"."address_corrections" from "authenticated";

grant select on table "public"."address_corrections" to "authenticated";

revoke all on table "public"."address_corrections" from "service_role";

grant select on table "public"."address_corrections" to "service_role";

select private.write_recorders();
