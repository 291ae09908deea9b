set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

-- Called by nobody but functions that this migration replaces.
-- squawk-ignore ban-drop-function
drop function "private"."misspellings"(text);

-- Called by nobody but functions that this migration replaces.
-- squawk-ignore ban-drop-function
drop function "private"."search_patterns"(text[], boolean);

create or replace function private.changes (
    p_after jsonb,
    p_page_size integer,
    p_now timestamp with time zone
)
    returns jsonb
    language plpgsql
    set search_path to ''
    AS $function$
declare
    v_clock bigint := floor(extract(epoch from p_now) * 1000000);
    v_next jsonb := coalesce(p_after, '{}');
    v_left integer := p_page_size;
    v_drop jsonb;
    v_changes jsonb := '[]';
    v_reach record;
    v_mark jsonb;
    v_as text;
    v_page jsonb;
begin
    perform private.check_position(v_next);
    if p_page_size is null or p_page_size not between 1 and 1000 then
        perform private.fail(422, 'page_size_out_of_range', '`page_size` is from 1 to 1000.');
    end if;
    perform private.settle_changes(p_now);

    select coalesce(jsonb_agg(m.id order by m.id), '[]'), v_next - coalesce(array_agg(m.id), '{}')
    into v_drop, v_next
    from jsonb_object_keys(v_next) as m (id)
    where m.id::uuid not in (select s.workspace_id from private.synced_workspaces() as s);

    for v_reach in select s.* from private.synced_workspaces() as s order by s.workspace_id loop
        exit when v_left = 0;
        v_mark := v_next -> v_reach.workspace_id::text;
        v_as := md5(array_to_string(v_reach.wide, ','));
        if v_mark is not null and (
            v_mark ->> 'as' <> v_as or not private.can_go_on((v_mark ->> 'at')::bigint, (v_mark ->> 'since')::bigint)
        ) then
            v_drop := v_drop || to_jsonb(v_reach.workspace_id);
            v_mark := null;
        end if;
        v_mark := coalesce(v_mark, jsonb_build_object('as', v_as, 'at', 0, 'since', v_clock, 'held', '{}'::jsonb));

        v_page := private.wide_changes(v_reach.workspace_id, (v_mark ->> 'at')::bigint, v_left);
        v_changes := v_changes || (v_page -> 'changes');
        v_left := v_left - (v_page ->> 'taken')::integer;
        v_mark := v_mark || jsonb_build_object('at', v_page -> 'at');
        if v_left > 0 then
            v_mark := v_mark || jsonb_build_object('since', v_clock);
        end if;

        v_page := private.narrow_changes(v_reach.workspace_id, v_reach.wide, v_mark -> 'held', v_left);
        v_changes := v_changes || (v_page -> 'changes');
        v_left := v_left - (v_page ->> 'taken')::integer;
        v_mark := v_mark || jsonb_build_object('held', v_page -> 'held');

        v_next := v_next || jsonb_build_object(v_reach.workspace_id::text, v_mark);
    end loop;

    return jsonb_build_object(
        'next', v_next, 'has_more', v_left = 0 or private.has_unsettled(), 'drop', v_drop, 'changes', v_changes
    );
end
$function$;

create or replace function private.has_unsettled()
    returns boolean
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    if exists (
        select from private.change_notes as n
        where n.workspace_id = any (array(select private.my_workspaces()))
    ) then
        return pg_try_advisory_xact_lock(hashtextextended('freehold.settle_changes', 0));
    end if;
    return false;
end
$function$;

create or replace function private.misspellings (
    p_word text
)
    returns table (
        trigrams text[],
        reading text,
        slip text
    )
    language plpgsql
    immutable
    set search_path to ''
    AS $function$
declare
    v_letters integer := length(p_word);
    v_before text;
    v_from text;
    v_after text;
begin
    -- Numbers are typed as they are, and three letters have too many neighbours.
    if v_letters < 4 or p_word ~ '[0-9]' then
        return;
    end if;
    for i in 1 .. least(v_letters, 16) loop
        v_before := left(p_word, i - 1);
        v_from := substr(p_word, i);
        v_after := substr(p_word, i + 1);
        if i < v_letters and substr(p_word, i, 1) <> left(v_after, 1) then
            reading := overlay(p_word placing reverse(left(v_from, 2)) from i for 2);
            slip := null;
            trigrams := private.beginning_trigrams(reading);
            return next;
        end if;
        reading := null;
        slip := case when i = 1 then '' else '\m' end || format('%s(?:.?%s|.%s)', v_before, v_after, v_from);
        trigrams := coalesce(private.beginning_trigrams(nullif(v_before, '')), '{}');
        if cardinality(trigrams || private.fragment_trigrams(v_after)) > 1 then
            trigrams := trigrams || private.fragment_trigrams(v_after);
            return next;
        -- One trigram alone would be half the workspace. It may be that a letter is missing before this one.
        elsif cardinality(trigrams || private.fragment_trigrams(v_from)) > 1 then
            trigrams := trigrams || private.fragment_trigrams(v_from);
            return next;
        end if;
    end loop;
end
$function$;

create or replace function private.note_restore (
    p_now timestamp with time zone
)
    returns void
    language sql
    set search_path to ''
    AS $function$
    insert into private.lost_positions (after, upto)
    select c.last_position, floor(extract(epoch from p_now) * 1000000)::bigint
    from private.change_clock as c;
    update private.change_clock set last_position = floor(extract(epoch from p_now) * 1000000)::bigint where id;
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
        select array_agg(distinct t) as trigrams, null::text as reading, null::text as slip
        from unnest(p_words) as w (word)
        cross join lateral unnest(private.word_trigrams(w.word)) as t
        where p_stage = 1
        union all
        -- 4-B is written 4B, too.
        select private.word_trigrams(array_to_string(p_words, '')), null, null
        where p_stage = 1 and cardinality(p_words) > 1
        union all
        select array_agg(distinct t), null, null
        from unnest(private.without_unit_words(p_words)) as w (word)
        cross join lateral unnest(private.word_trigrams(w.word)) as t
        where p_stage = 1
        having count(*) > 0
        union all
        select p.trigrams, p.reading, p.slip
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
    select
        e.workspace_id,
        e.table_name,
        e.id,
        e.body,
        -- Read with the word that fits, as it stands there.
        case when p.slip is null then p.reading else concat_ws(' ', nullif(p.reading, ''), substring(e.body from p.slip)) end
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
            and (p.slip is null or e.body ~ p.slip)
        limit case p_stage when 1 then 1000 else 300 end
    ) as e
    union all
    select m.workspace_id, m.table_name, m.id, m.body, null
    from private.my_search_entries(p_workspace_id, p_tables) as m;
end
$function$;

create or replace function private.search_patterns (
    p_words text[],
    p_alone boolean
)
    returns table (
        trigrams text[],
        reading text,
        slip text
    )
    language plpgsql
    immutable
    set search_path to ''
    AS $function$
declare
    v_others text[];
begin
    for i in 1 .. cardinality(p_words) loop
        v_others := '{}';
        if p_alone then
            trigrams := private.word_trigrams(p_words[i]);
            reading := p_words[i];
            slip := null;
            if length(reading) > 2 then
                return next;
            end if;
        else
            select coalesce(array_agg(distinct t), '{}') into v_others
            from unnest(p_words[:i - 1] || p_words[i + 1:]) as w (word)
            cross join lateral unnest(private.word_trigrams(w.word)) as t;
        end if;
        return query
        select
            v_others || m.trigrams,
            array_to_string(p_words[:i - 1] || m.reading || p_words[i + 1:], ' '),
            m.slip
        from private.misspellings(p_words[i]) as m;
    end loop;
end
$function$;

create or replace function private.settle_changes (
    p_now timestamp with time zone,
    p_limit integer default 5000
)
    returns bigint
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_clock private.change_clock;
    v_base bigint;
    v_settled bigint;
begin
    if not exists (select from private.change_notes)
        or not pg_try_advisory_xact_lock(hashtextextended('freehold.settle_changes', 0))
    then
        return 0;
    end if;
    -- From here on until this transaction has ended nobody else gives positions; what the last one gave is committed.
    insert into private.change_clock default values on conflict (id) do nothing;
    select * into strict v_clock from private.change_clock;
    v_base := greatest(v_clock.last_position, floor(extract(epoch from p_now) * 1000000)::bigint);
    if v_clock.database_oid <> (select d.oid from pg_catalog.pg_database as d where d.datname = current_database())
        or v_clock.transaction_id > pg_current_xact_id()
    then
        insert into private.lost_positions (after, upto) values (v_clock.last_position, v_base + 1)
        on conflict (after) do update set upto = excluded.upto;
        v_base := v_base + 1;
    end if;
    with chosen as (
        select n.id
        from (
            select c.id, sum(cardinality(c.row_keys)) over (order by c.id) - cardinality(c.row_keys) as rows_before
            from (select * from private.change_notes order by id limit p_limit) as c
        ) as n
        where n.rows_before < p_limit
    ),
    taken as (
        delete from private.change_notes where id in (select c.id from chosen as c) returning *
    ),
    latest as (
        select distinct on (t.workspace_id, t.table_name, k.row_key)
            t.workspace_id, t.table_name, k.row_key, t.deleted, t.id, k.n
        from taken as t
        cross join lateral unnest(t.row_keys) with ordinality as k (row_key, n)
        where exists (select from public.workspaces as w where w.id = t.workspace_id)
        order by t.workspace_id, t.table_name, k.row_key, t.id desc
    ),
    settled as (
        insert into private.changes as c (workspace_id, table_name, row_key, position, deleted)
        select
            l.workspace_id, l.table_name, l.row_key,
            v_base + row_number() over (partition by l.workspace_id order by l.id, l.n),
            l.deleted
        from latest as l
        on conflict (workspace_id, table_name, row_key) do update
        set position = excluded.position, deleted = excluded.deleted
        returning c.position
    )
    select count(*), coalesce(max(s.position), v_base) into v_settled, v_base from settled as s;
    update private.change_clock
    set
        last_position = v_base,
        database_oid = (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()),
        transaction_id = pg_current_xact_id()
    where id;
    return v_settled;
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
        update private.audit_progress set system_identifier = v_here, transaction_id = v_horizon, entry_id = 0 where id;
    elsif not v_elsewhere and v_count > 0 then
        update private.audit_progress set transaction_id = v_last_transaction_id, entry_id = v_last_entry_id where id;
    end if;
    return jsonb_build_object('entries', v_sealed, 'more', v_count = p_limit);
end
$function$;

create or replace function worker.settle_changes (
    p_now timestamp with time zone default now(),
    p_limit integer default 5000
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_settled bigint := private.settle_changes(p_now, p_limit);
    v_before bigint := floor(extract(epoch from p_now - interval '90 days') * 1000000);
    v_forgotten bigint;
begin
    delete from private.changes as c
    where
        (c.workspace_id, c.position) in (
            select d.workspace_id, d.position
            from private.changes as d
            where d.deleted and d.position < v_before
            order by d.position
            limit p_limit
        );
    get diagnostics v_forgotten = row_count;
    if v_forgotten > 0 then
        -- A transaction that was under way for an hour may have settled with its own time.
        update private.change_clock set forgotten_before = v_before + 3600000000 where id;
    end if;
    return jsonb_build_object(
        'settled', v_settled,
        'forgotten', v_forgotten,
        'more', v_settled >= p_limit or v_forgotten >= p_limit
    );
end
$function$;

comment on function "public"."search"(text, uuid, text[], integer) is 'Finds properties, units, renters, leases, vendors and maintenance requests

`q`: words, beginnings of words, numbers or parts of them, 1 to 200 characters (422 `query_length`); the first eight words count. A
letter that is missing, too much, or in its neighbour''s place is forgiven in words of four letters or more, a wrong one in words
of five, and case and accents in all. `workspace_id` and `tables` (properties, units, tenants, leases, vendors, maintenance_requests)
narrow it down, and `max_results` is 1 to 50.

Answers {results: [{table, id, workspace_id, title, subtitle, score}]}, the best first, with what you may read alone: a renter finds
what is theirs. `score` is 0.25 or more where all words are there. GET carries an ETag, and If-None-Match is answered with 304.
Whoever is a member of more than 20 workspaces has slips forgiven in the first 20, or in the one that `workspace_id` names.';

revoke all on function "private"."has_unsettled"() from public;

grant execute on function "private"."has_unsettled"() to "authenticated";

revoke all on function "private"."has_unsettled"() from "postgres";

grant execute on function "private"."has_unsettled"() to "postgres";

revoke all on function "private"."misspellings"(text) from public;

revoke all on function "private"."misspellings"(text) from "postgres";

grant execute on function "private"."misspellings"(text) to "postgres";

revoke all on function "private"."search_patterns"(text[], boolean) from public;

revoke all on function "private"."search_patterns"(text[], boolean) from "postgres";

grant execute on function "private"."search_patterns"(text[], boolean) to "postgres";
