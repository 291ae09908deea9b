set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

create extension "fuzzystrmatch" schema "extensions";

create table "private"."address_abbreviations" (
    "short" text not null,
    "long" text not null,
    constraint "address_abbreviations_pkey" primary key (short)
);

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

alter table "private"."addresses"
    add constraint "addresses_list_fkey" foreign key (list) references private.address_lists(name) on delete cascade;

create index address_words_trigrams_idx on private.address_words using gin (word extensions.gin_trgm_ops);

create index addresses_body_idx on private.addresses using btree (country, body);

create index addresses_list_idx on private.addresses using btree (list, loaded_at);

create index addresses_locality_idx on private.addresses using btree (country, locality);

create index addresses_street_idx on private.addresses using btree (country, street, body);

create index addresses_words_idx on private.addresses using gin (to_tsvector('simple'::regconfig, body));

comment on extension "fuzzystrmatch" is 'determine similarities and distance between strings';

comment on function "worker"."add_addresses"(text, timestamp with time zone, jsonb) is 'Imports some addresses of a list

`p_rows` is [{address_line1, city, state, postal_code, country, latitude, longitude}]; `p_list` names the list, `p_loaded_at` is when its
import began. An address that is there already stays the same one. Answers {added, kept}. When all are in, finish_address_list().';

comment on function "worker"."find_address"(text) is 'One address of the local list

By `p_place_id`, as search_addresses() told it; null if it is not there (any more).';

comment on function "worker"."finish_address_list"(text, timestamp with time zone, integer) is 'Deletes what the last import of a list no longer has

Of `p_list`, addresses that the import begun at `p_loaded_at` did not bring, `p_limit` at most. Answers {deleted, finished}; to be called until
it is finished.';

comment on function "worker"."search_addresses"(text, text[], integer) is 'Suggests addresses of the local list for what was typed

`p_q` may be incomplete and have slips; `p_countries` (ISO 3166-1 alpha-2) narrows it, `p_limit` is 20 at most. Answers the best first:
[{place_id, address_line1, address_line2, city, state, postal_code, country, latitude, longitude}].';

comment on table "private"."address_abbreviations" is 'Words that are written short in addresses; they are compared in full.';

comment on table "private"."address_lists" is 'Lists that were imported, and when the last import of each began.';

comment on table "private"."address_words" is 'Words of the addresses, and about how many have each: what slips are mended from.';

comment on table "private"."addresses" is 'Addresses that are suggested. The id follows from the address: a list that is imported again changes none.

body is its words as they are compared, street the same without the house number, locality from the city on.';

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

revoke all on function "private"."words_meant_by"(text, boolean) from public;

revoke all on function "private"."words_meant_by"(text, boolean) from "postgres";

grant execute on function "private"."words_meant_by"(text, boolean) to "postgres";

revoke all on function "worker"."add_addresses"(text, timestamp with time zone, jsonb) from public;

revoke all on function "worker"."add_addresses"(text, timestamp with time zone, jsonb) from "postgres";

grant execute on function "worker"."add_addresses"(text, timestamp with time zone, jsonb) to "postgres";

grant execute on function "worker"."add_addresses"(text, timestamp with time zone, jsonb) to "worker";

revoke all on function "worker"."find_address"(text) from public;

revoke all on function "worker"."find_address"(text) from "postgres";

grant execute on function "worker"."find_address"(text) to "postgres";

grant execute on function "worker"."find_address"(text) to "worker";

revoke all on function "worker"."finish_address_list"(text, timestamp with time zone, integer) from public;

revoke all on function "worker"."finish_address_list"(text, timestamp with time zone, integer) from "postgres";

grant execute on function "worker"."finish_address_list"(text, timestamp with time zone, integer) to "postgres";

grant execute on function "worker"."finish_address_list"(text, timestamp with time zone, integer) to "worker";

revoke all on function "worker"."search_addresses"(text, text[], integer) from public;

revoke all on function "worker"."search_addresses"(text, text[], integer) from "postgres";

grant execute on function "worker"."search_addresses"(text, text[], integer) to "postgres";

grant execute on function "worker"."search_addresses"(text, text[], integer) to "worker";
