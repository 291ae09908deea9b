-- Search: one entry a row that can be found, kept by triggers, found by the trigrams of its words.

create extension if not exists unaccent with schema extensions;


-- Words as they are compared: lower case, without accents and punctuation, one space between.
create function private.search_text(p_text text)
    returns text
    stable
    strict
    parallel safe
    set search_path = ''
    language plpgsql
as $$
begin
    return btrim(regexp_replace(
        lower(extensions.unaccent('extensions.unaccent', normalize(p_text, nfkc))), '[^[:alnum:]]+', ' ', 'g'
    ));
end
$$;


-- Trigrams of the words, each marked with its workspace: an index of them costs what a workspace has, not what all have.
create function private.search_tokens(p_workspace_id uuid, p_trigrams text[])
    returns text[]
    immutable
    strict
    parallel safe
    set search_path = ''
    language plpgsql
as $$
declare
    v_mark text := left(md5(p_workspace_id::text), 8);
begin
    return string_to_array(v_mark || array_to_string(p_trigrams, ',' || v_mark), ',');
end
$$;


create table private.search_entries (
    workspace_id uuid not null,
    table_name text not null,
    id uuid not null,
    body text not null,
    primary key (workspace_id, table_name, id)
);

create index search_entries_tokens_idx on private.search_entries
    using gin (private.search_tokens(workspace_id, extensions.show_trgm(body)))
    -- New entries wait in a list that each search reads through: short, so that it stays unnoticed.
    with (gin_pending_list_limit = 512);

comment on table private.search_entries is $$What search() looks through: the words of each row that can be found, its title first.

An entry goes with its row, in the same transaction. Nothing points to it and it points to nothing: what a caller may see is
asked of the row itself.$$;


-- What a row is found by. The title comes first: a match at its beginning ranks highest.

create function private.search_body(p_row public.properties)
    returns text
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    return private.search_text(concat_ws(
        ' ', p_row.name, p_row.address_line1, p_row.address_line2, p_row.city, p_row.state, p_row.postal_code
    ));
end
$$;


-- 4-B is found as 4b, too.
-- By index even while the table is small: a plan made then would be kept while an import fills it.
create function private.search_body(p_row public.units)
    returns text
    stable
    set search_path = ''
    set enable_seqscan = off
    language plpgsql
as $$
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
$$;


create function private.search_body(p_row public.tenants)
    returns text
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    return private.search_text(concat_ws(
        ' ', p_row.first_name, p_row.last_name, p_row.email, regexp_replace(p_row.phone, '[^0-9]+', '', 'g')
    ));
end
$$;


create function private.search_body(p_row public.vendors)
    returns text
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    return private.search_text(concat_ws(
        ' ', p_row.name, p_row.email, regexp_replace(p_row.phone, '[^0-9]+', '', 'g')
    ));
end
$$;


-- L-104 is found as l104, too.
create function private.search_body(p_row public.leases)
    returns text
    stable
    set search_path = ''
    language plpgsql
as $$
declare
    v_number text := private.search_text(p_row.lease_number);
begin
    return concat_ws(' ', v_number, nullif(replace(v_number, ' ', ''), v_number));
end
$$;


create function private.search_body(p_row public.maintenance_requests)
    returns text
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    return private.search_text(concat_ws(' ', p_row.title, p_row.request_number, p_row.location));
end
$$;


-- Keeps the entries of the rows that a statement wrote. The statement is planned each time, for the number of rows it is.
create function private.keep_search_entries()
    returns trigger
    volatile
    security definer
    set search_path = ''
    set enable_seqscan = off
    language plpgsql
as $$
begin
    if tg_op = 'INSERT' then
        execute format(
            $sql$
                insert into private.search_entries as e (workspace_id, table_name, id, body)
                select t.workspace_id, %L, t.id, private.search_body(t::%s)
                from touched as t
                on conflict (workspace_id, table_name, id) do update set body = excluded.body
            $sql$,
            tg_table_name, tg_relid::regclass
        );
    elsif tg_op = 'UPDATE' then
        execute format(
            $sql$
                insert into private.search_entries as e (workspace_id, table_name, id, body)
                select t.workspace_id, %1$L, t.id, private.search_body(t::%2$s)
                from touched as t
                join before as b on (b.workspace_id, b.id) = (t.workspace_id, t.id)
                where private.search_body(t::%2$s) <> private.search_body(b::%2$s)
                on conflict (workspace_id, table_name, id) do update set body = excluded.body
            $sql$,
            tg_table_name, tg_relid::regclass
        );
    else
        delete from private.search_entries as e
        using before as b
        where e.workspace_id = b.workspace_id and e.table_name = tg_table_name and e.id = b.id;
    end if;
    return null;
end
$$;


-- Units are found by their property's name, too.
create function private.rename_units_in_search()
    returns trigger
    volatile
    security definer
    set search_path = ''
    set enable_seqscan = off
    language plpgsql
as $$
begin
    update private.search_entries as e
    set body = private.search_body(u)
    from public.units as u
    where
        (u.workspace_id, u.property_id) = (new.workspace_id, new.id)
        and (e.workspace_id, e.table_name, e.id) = (u.workspace_id, 'units', u.id);
    return null;
end
$$;


-- Whoever adds a unit holds its property with the weakest of locks, by the foreign key. A new name waits for them, and they for
-- it: then the unit's entry has the name that lasts, whoever came first.
create function private.hold_while_renaming()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform from public.properties where workspace_id = old.workspace_id and id = old.id for update;
    return new;
end
$$;

create trigger hold_while_renaming before update of name on public.properties
    for each row when (new.name <> old.name) execute function private.hold_while_renaming();

create trigger rename_units_in_search after update of name on public.properties
    for each row when (new.name <> old.name) execute function private.rename_units_in_search();

create trigger search_on_insert after insert on public.properties
    referencing new table as touched for each statement execute function private.keep_search_entries();
create trigger search_on_update after update on public.properties
    referencing old table as before new table as touched
    for each statement execute function private.keep_search_entries();
create trigger search_on_delete after delete on public.properties
    referencing old table as before for each statement execute function private.keep_search_entries();

create trigger search_on_insert after insert on public.units
    referencing new table as touched for each statement execute function private.keep_search_entries();
create trigger search_on_update after update on public.units
    referencing old table as before new table as touched
    for each statement execute function private.keep_search_entries();
create trigger search_on_delete after delete on public.units
    referencing old table as before for each statement execute function private.keep_search_entries();

create trigger search_on_insert after insert on public.tenants
    referencing new table as touched for each statement execute function private.keep_search_entries();
create trigger search_on_update after update on public.tenants
    referencing old table as before new table as touched
    for each statement execute function private.keep_search_entries();
create trigger search_on_delete after delete on public.tenants
    referencing old table as before for each statement execute function private.keep_search_entries();

create trigger search_on_insert after insert on public.vendors
    referencing new table as touched for each statement execute function private.keep_search_entries();
create trigger search_on_update after update on public.vendors
    referencing old table as before new table as touched
    for each statement execute function private.keep_search_entries();
create trigger search_on_delete after delete on public.vendors
    referencing old table as before for each statement execute function private.keep_search_entries();

create trigger search_on_insert after insert on public.leases
    referencing new table as touched for each statement execute function private.keep_search_entries();
create trigger search_on_update after update on public.leases
    referencing old table as before new table as touched
    for each statement execute function private.keep_search_entries();
create trigger search_on_delete after delete on public.leases
    referencing old table as before for each statement execute function private.keep_search_entries();

create trigger search_on_insert after insert on public.maintenance_requests
    referencing new table as touched for each statement execute function private.keep_search_entries();
create trigger search_on_update after update on public.maintenance_requests
    referencing old table as before new table as touched
    for each statement execute function private.keep_search_entries();
create trigger search_on_delete after delete on public.maintenance_requests
    referencing old table as before for each statement execute function private.keep_search_entries();


-- Writes anew what the entries lack, and takes out what they have too much; answers how many there were of either. For rows
-- that were written past the triggers, as a restore or a migration does.
create function private.reconcile_search()
    returns bigint
    volatile
    set search_path = ''
    language plpgsql
as $$
declare
    v_changed bigint;
begin
    with wanted as (
        select t.workspace_id, 'properties' as table_name, t.id, private.search_body(t) as body from public.properties as t
        union all
        select t.workspace_id, 'units', t.id, private.search_body(t) from public.units as t
        union all
        select t.workspace_id, 'tenants', t.id, private.search_body(t) from public.tenants as t
        union all
        select t.workspace_id, 'vendors', t.id, private.search_body(t) from public.vendors as t
        union all
        select t.workspace_id, 'leases', t.id, private.search_body(t) from public.leases as t
        union all
        select t.workspace_id, 'maintenance_requests', t.id, private.search_body(t) from public.maintenance_requests as t
    ),
    compared as materialized (
        select w.workspace_id, w.table_name, w.id, w.body, e.body as body_before
        from wanted as w
        left join private.search_entries as e
            on (e.workspace_id, e.table_name, e.id) = (w.workspace_id, w.table_name, w.id)
        where e.body is distinct from w.body
    ),
    removed as (
        delete from private.search_entries as e
        where not exists (
            select from wanted as w
            where (w.workspace_id, w.table_name, w.id) = (e.workspace_id, e.table_name, e.id)
        )
        returning 1
    ),
    added as (
        insert into private.search_entries (workspace_id, table_name, id, body)
        select c.workspace_id, c.table_name, c.id, c.body
        from compared as c
        where c.body_before is null
        on conflict do nothing
        returning 1
    ),
    -- Whoever changed the row meanwhile has written a newer entry, which stays.
    mended as (
        update private.search_entries as e
        set body = c.body
        from compared as c
        where
            (e.workspace_id, e.table_name, e.id) = (c.workspace_id, c.table_name, c.id)
            and e.body = c.body_before
        returning 1
    )
    select (select count(*) from removed) + (select count(*) from added) + (select count(*) from mended)
    into v_changed;
    return v_changed;
end
$$;


-- What a word is looked for by, as trigrams: it begins with it, or, where it has digits, holds it.
create function private.word_trigrams(p_word text)
    returns text[]
    immutable
    strict
    set search_path = ''
    language plpgsql
as $$
declare
    v_inside text[] := private.fragment_trigrams(p_word);
begin
    if p_word ~ '[0-9]' and cardinality(v_inside) > 0 then
        return v_inside;
    end if;
    return private.beginning_trigrams(p_word);
end
$$;


-- Trigrams of any word that begins so: those of the word, but for the one that says where it ends.
create function private.beginning_trigrams(p_text text)
    returns text[]
    immutable
    strict
    set search_path = ''
    language plpgsql
as $$
begin
    -- The two words share all but their ends.
    return array(
        select t from unnest(extensions.show_trgm(p_text || '0')) as t
        intersect
        select t from unnest(extensions.show_trgm(p_text || '1')) as t
    );
end
$$;


-- Trigrams of any word that holds the text somewhere.
create function private.fragment_trigrams(p_text text)
    returns text[]
    immutable
    strict
    set search_path = ''
    language plpgsql
as $$
begin
    return array(
        select t from unnest(private.beginning_trigrams(p_text)) as t
        intersect
        select t from unnest(extensions.show_trgm('0' || p_text)) as t
        intersect
        select t from unnest(extensions.show_trgm('1' || p_text)) as t
    );
end
$$;


-- The words without those that only say that a unit's number comes: for `apt 4B`. Null if there are none such, or none besides.
create function private.without_unit_words(p_words text[])
    returns text[]
    immutable
    strict
    set search_path = ''
    language sql
as $$
    select case when count(*) < cardinality(p_words) then array_agg(w.word order by w.n) end
    from unnest(p_words) with ordinality as w (word, n)
    where w.word not in ('unit', 'apt', 'apartment', 'suite', 'ste')
$$;


-- What the word may have been meant to be, if one letter is wrong, missing, too much, or two have changed places:
-- trigrams that survive each such slip. `reading` is the word it would be where that can be told, else `slip` is a pattern that
-- such a word, or its beginning, fits.
create function private.misspellings(p_word text)
    returns table (trigrams text[], reading text, slip text)
    immutable
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- The patterns to look for after the words themselves have found too little: one word misspelt, or, as a last resort
-- (p_alone), a word by itself, misspelt or not.
create function private.search_patterns(p_words text[], p_alone boolean)
    returns table (trigrams text[], reading text, slip text)
    immutable
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- Where the caller may look, as a member: workspaces, and which tables' rows a permission shows them there.
create function private.searchable(p_workspace_id uuid, p_tables text[])
    returns table (workspace_id uuid, table_names text[])
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select w.id, array_agg(s.table_name)
    from (
        values
        ('properties', 'portfolio.read'),
        ('units', 'portfolio.read'),
        ('vendors', 'portfolio.read'),
        ('tenants', 'renters.read'),
        ('leases', 'leases.read'),
        ('maintenance_requests', 'maintenance.read')
    ) as s (table_name, permission)
    cross join lateral private.workspaces_with(s.permission) as w (id)
    where
        (p_workspace_id is null or w.id = p_workspace_id)
        and (p_tables is null or s.table_name = any (p_tables))
    group by w.id;
end
$$;


-- The entries of what is a renter's or a vendor's own: few, so they are looked through one by one.
create function private.my_search_entries(p_workspace_id uuid, p_tables text[])
    returns setof private.search_entries
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_user_id uuid := auth.uid();
begin
    if not private.has_portal() then
        return;
    end if;
    return query
    with own (table_name, ids) as (
        values
        ('properties', array(select private.my_property_ids())),
        ('units', array(select private.my_unit_ids())),
        ('leases', array(select private.my_lease_ids())),
        ('maintenance_requests', array(select private.my_request_ids())),
        ('tenants', array(select t.id from public.tenants as t where t.user_id = v_user_id)),
        ('vendors', array(select v.id from public.vendors as v where v.user_id = v_user_id))
    )
    select e.*
    from own as o
    cross join lateral unnest(o.ids) as mine (id)
    join private.search_entries as e
        on e.workspace_id in (select private.my_portal_workspaces())
        and e.table_name = o.table_name
        and e.id = mine.id
    where
        (p_workspace_id is null or e.workspace_id = p_workspace_id)
        and (p_tables is null or o.table_name = any (p_tables));
end
$$;


-- Entries that may be what is meant, before they are judged. Stage 1 looks for all the words, 2 for one of them misspelt, 3 for
-- any of them. Where very many rows fit a pattern, the query is too broad to rank them all: the first stand for them.
create function private.search_candidates(p_words text[], p_stage integer, p_workspace_id uuid, p_tables text[])
    returns table (workspace_id uuid, table_name text, id uuid, body text, reading text)
    stable
    security definer
    set search_path = ''
    set enable_seqscan = off
    language plpgsql
as $$
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
$$;


-- Whether the body has all the words: each begins one of its own, or, where it has digits, is part of one.
create function private.has_words(p_body text, p_words text[])
    returns boolean
    immutable
    strict
    set search_path = ''
    language plpgsql
as $$
declare
    v_word text;
begin
    foreach v_word in array p_words loop
        if strpos(' ' || p_body, ' ' || v_word) = 0
            and not (length(v_word) > 2 and v_word ~ '[0-9]' and strpos(p_body, v_word) > 0)
        then
            return false;
        end if;
    end loop;
    return true;
end
$$;


-- The best of what the caller may find. A row that holds all the words comes before one that resembles them, and one that begins
-- with them before both; then the more alike; then by kind, words and id, so that the order is always the same.
create function private.search(p_words text[], p_workspace_id uuid, p_tables text[], p_max integer)
    returns table (place bigint, workspace_id uuid, table_name text, id uuid, score numeric)
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

grant execute on function private.search_text(text) to authenticated;
grant execute on function private.search(text[], uuid, text[], integer) to authenticated;


-- Each row that was found is read as the caller, so that row security has the last word on it, and its title is as it is now.
create function public.search(
    q text, workspace_id uuid default null, tables text[] default null, max_results integer default 20
)
    returns jsonb
    stable
    set search_path = ''
    language plpgsql
as $$
declare
    v_words text[];
    v_results jsonb;
begin
    if coalesce(length(q), 0) not between 1 and 200 then
        perform private.fail(422, 'query_length', 'q takes 1 to 200 characters.');
    end if;
    if max_results is null or max_results not between 1 and 50 then
        perform private.fail(422, 'max_results_out_of_range', 'max_results takes 1 to 50.');
    end if;
    if not tables <@ array['properties', 'units', 'tenants', 'leases', 'vendors', 'maintenance_requests'] then
        perform private.fail(
            422, 'table_not_searched', 'tables names one that search does not look through.',
            p_hint := 'Choose from properties, units, tenants, leases, vendors, maintenance_requests.'
        );
    end if;
    v_words := (string_to_array(private.search_text(q), ' '))[:8];
    select coalesce(jsonb_agg(jsonb_build_object(
        'table', h.table_name,
        'id', h.id,
        'workspace_id', h.workspace_id,
        'title', r.title,
        'subtitle', r.subtitle,
        'score', h.score
    ) order by h.place), '[]')
    into v_results
    from private.search(v_words, search.workspace_id, tables, max_results) as h
    cross join lateral (
        select p.name as title, concat_ws(', ', p.address_line1, p.city) as subtitle
        from public.properties as p
        where h.table_name = 'properties' and (p.workspace_id, p.id) = (h.workspace_id, h.id)
        union all
        select u.unit_number, (
            select p.name from public.properties as p where (p.workspace_id, p.id) = (u.workspace_id, u.property_id)
        )
        from public.units as u
        where h.table_name = 'units' and (u.workspace_id, u.id) = (h.workspace_id, h.id)
        union all
        select btrim(concat_ws(' ', t.first_name, t.last_name)), t.email
        from public.tenants as t
        where h.table_name = 'tenants' and (t.workspace_id, t.id) = (h.workspace_id, h.id)
        union all
        select l.lease_number, concat_ws(', ', l.status, (
            select p.name from public.properties as p where (p.workspace_id, p.id) = (l.workspace_id, l.property_id)
        ))
        from public.leases as l
        where h.table_name = 'leases' and (l.workspace_id, l.id) = (h.workspace_id, h.id)
        union all
        select v.name, v.email
        from public.vendors as v
        where h.table_name = 'vendors' and (v.workspace_id, v.id) = (h.workspace_id, h.id)
        union all
        select m.title, concat_ws(', ', '#' || m.request_number, m.status, m.location)
        from public.maintenance_requests as m
        where h.table_name = 'maintenance_requests' and (m.workspace_id, m.id) = (h.workspace_id, h.id)
    ) as r;
    return private.conditional(jsonb_build_object('results', v_results));
end
$$;

comment on function public.search(text, uuid, text[], integer) is $$Finds properties, units, renters, leases, vendors and maintenance requests

`q`: words, beginnings of words, numbers or parts of them, 1 to 200 characters (422 `query_length`); the first eight words count. A
letter that is missing, too much, or in its neighbour's place is forgiven in words of four letters or more, a wrong one in words
of five, and case and accents in all. `workspace_id` and `tables` (properties, units, tenants, leases, vendors, maintenance_requests)
narrow it down, and `max_results` is 1 to 50.

Answers {results: [{table, id, workspace_id, title, subtitle, score}]}, the best first, with what you may read alone: a renter finds
what is theirs. `score` is 0.25 or more where all words are there. GET carries an ETag, and If-None-Match is answered with 304.
Whoever is a member of more than 20 workspaces has slips forgiven in the first 20, or in the one that `workspace_id` names.$$;

grant execute on function public.search(text, uuid, text[], integer) to authenticated;
