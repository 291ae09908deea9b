-- What of addresses is to be asked of a service, and when: what was typed by hand, place ids that have grown old, places whose position is
-- missing. Each workspace in its turn, in the queue `compliance`.

create table private.address_checks (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    property_id uuid not null,
    kind text not null check (kind in ('verify', 'renew', 'locate')),
    subject text not null,
    status text not null default 'queued' check (status in ('due', 'queued', 'done', 'failed')),
    attempts integer not null default 0,
    fence integer,
    asked_of text,
    asked_on date,
    last_error text,
    queued_at timestamptz not null,
    finished_at timestamptz,
    unique (workspace_id, property_id, kind),
    foreign key (workspace_id, property_id) references public.properties (workspace_id, id) on delete cascade
)
with (fillfactor = 70);

create index address_checks_waiting_idx on private.address_checks (status, workspace_id, queued_at, id)
    where status in ('due', 'queued');

comment on table private.address_checks is $$What was or is to be asked about a property's address, once of each kind.

verify: is the address known? renew: is the place id still good? locate: where is the place? subject is what is asked about, the address'
digest or the place id: an answer about another one is dropped. due: to be queued when it is its workspace's turn. asked_of and asked_on are what the last try is counted under in
places_usage, as long as it may turn out that nobody was asked.$$;


-- What is asked about a property by checks of a kind; null: nothing any more.
create function private.subject_of(p_property public.properties, p_kind text)
    returns text
    immutable
    set search_path = ''
    language sql
as $$
    select case
        when p_kind <> 'verify' then p_property.place_id
        when p_property.address_status = 'unverified' then private.address_digest(p_property)
    end
$$;


-- Queues checks for properties, once each; one that waits already is left alone. Answers how many were queued.
create function private.queue_address_checks(p_property_ids uuid[], p_kind text, p_now timestamptz)
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- Notes addresses that nobody has checked as they stand now: what is due is found without looking at all that were checked before.
create function private.note_addresses()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

create trigger note_added_addresses after insert on public.properties
    referencing new table as new_rows
    for each statement execute function private.note_addresses();

create trigger note_changed_addresses after update on public.properties
    referencing new table as new_rows
    for each statement execute function private.note_addresses();


-- Queues what is due, of one workspace or of all in turn: each has 1,000 checks in the queue at most, so that nobody's many keep the
-- others' few waiting. Answers how many were queued.
create function private.queue_due_checks(p_workspace_id uuid, p_limit integer, p_now timestamptz)
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


create function worker.queue_address_checks(p_now timestamptz default now())
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

comment on function worker.queue_address_checks(timestamptz) is $$Queues what of addresses is to be checked

Addresses typed by hand, each once until it changes, at most 5,000 of all workspaces in turn and 1,000 of each that are not answered yet; and
place ids that were last checked over twelve months ago, at most 1,000. Answers how many.$$;


create function worker.verify_addresses(p_workspace text, p_after uuid default null)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

comment on function worker.verify_addresses(text, uuid) is $$Queues the unverified addresses of a workspace

`p_workspace` is its id or name. At most 1,000: answers {workspace_id, unverified, queued, last}; what waits already is not queued twice. `last`
is null when these were all; else it is `p_after` of the call for the next ones.$$;


create function private.verify_addresses(p_workspace_id uuid)
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.require_permission(p_workspace_id, 'portfolio.write');
    return private.queue_due_checks(p_workspace_id, 1000, now());
end
$$;

grant execute on function private.verify_addresses(uuid) to authenticated;


create function public.verify_addresses(workspace_id uuid)
    returns integer
    volatile
    set search_path = ''
    language sql
as $$
    select private.verify_addresses(workspace_id)
$$;

comment on function public.verify_addresses(uuid) is $$Has addresses checked that were typed by hand

Queues those of `workspace_id` that are unverified and were not checked as they stand; without this call they are queued within ten
minutes. Needs `portfolio.write`. Answers how many: of very many the first 1,000, and the others follow by themselves. What comes of it:
properties.address_status, and proposals in address_corrections; `address_summary` tells how far it is.$$;

grant execute on function public.verify_addresses(uuid) to authenticated;


create function private.address_summary(p_workspace_id uuid)
    returns jsonb
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

grant execute on function private.address_summary(uuid) to authenticated;


create function public.address_summary(workspace_id uuid)
    returns jsonb
    stable
    set search_path = ''
    language sql
as $$
    select private.address_summary(workspace_id)
$$;

comment on function public.address_summary(uuid) is $$How far the checking of addresses is

Of `workspace_id`; needs `portfolio.read`. Answers {waiting, verified, corrected, unverified, proposed}: properties by their address_status;
checks that still wait for an answer; and proposals that wait for somebody to accept or dismiss them.$$;

grant execute on function public.address_summary(uuid) to authenticated;


create function private.locate_property(p_property_id uuid)
    returns boolean
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

grant execute on function private.locate_property(uuid) to authenticated;


create function public.locate_property(property_id uuid)
    returns boolean
    volatile
    set search_path = ''
    language sql
as $$
    select private.locate_property(property_id)
$$;

comment on function public.locate_property(uuid) is $$Fetches a property's coordinates again

Of `property_id`, from its place, where they are not known (any more). Needs `portfolio.write`. Answers whether this queued it: read
`coordinates` of the property a little later. False: they are there, there is no place to ask about, or it waits already.$$;

grant execute on function public.locate_property(uuid) to authenticated;
