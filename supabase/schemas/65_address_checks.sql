-- Checking addresses: what was typed by hand is asked of a service later, place ids are renewed, and what a service would write otherwise
-- waits for a person. Nothing that was typed is ever overwritten.

-- Which address it is that was checked: it must be the same when the answer comes.
create function private.address_digest(p_property public.properties)
    returns text
    immutable
    parallel safe
    set search_path = ''
    language sql
as $$
    select md5(jsonb_build_array(
        p_property.address_line1, p_property.address_line2, p_property.city, p_property.state, p_property.postal_code,
        p_property.country
    )::text)
$$;


-- An address that is changed by hand is unverified again, and its place is another one: unless whoever changes it says otherwise, as a
-- form does that chose a suggestion, or writes the same in other letters, as an import does. To take the place away says nothing of the
-- new address. Runs as the caller.
create function private.keep_address_status()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
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
$$;

create trigger keep_address_status before insert or update on public.properties
    for each row execute function private.keep_address_status();


create table public.address_corrections (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    property_id uuid not null,
    status text not null default 'open' check (status in ('open', 'accepted', 'dismissed')),
    address_line1 text not null,
    address_line2 text,
    city text not null,
    state text,
    postal_code text,
    country text not null,
    place_id text,
    provider text not null check (provider in ('google', 'photon', 'nominatim', 'local')),
    of_address text not null,
    proposed_at timestamptz not null,
    decided_at timestamptz,
    decided_by uuid,
    unique (workspace_id, id),
    foreign key (workspace_id, property_id) references public.properties (workspace_id, id) on delete cascade,
    constraint decisions_have_a_time check ((status = 'open') = (decided_at is null))
);

create unique index address_corrections_open_key on public.address_corrections (workspace_id, property_id)
    where status = 'open';
create index address_corrections_property_id_idx on public.address_corrections (workspace_id, property_id);
create index address_corrections_status_idx on public.address_corrections (workspace_id, status, proposed_at desc);
create index address_corrections_proposed_at_idx on public.address_corrections (proposed_at);

create trigger refuse_truncate before truncate on public.address_corrections
    for each statement execute function private.refuse_truncate();

comment on table public.address_corrections is $$How a service for addresses would write a property's address.

Proposed where the two differ; a person accepts or dismisses it with an RPC. Deleted before it is 30 days old, as Google's terms ask: what a
person accepted stands in the property by then.$$;
comment on column public.address_corrections.id is $$Identifies the proposal.$$;
comment on column public.address_corrections.workspace_id is $$The workspace of the property.$$;
comment on column public.address_corrections.property_id is $$The property whose address it is.$$;
comment on column public.address_corrections.status is $$open, accepted or dismissed; one is open for a property at most.$$;
comment on column public.address_corrections.address_line1 is $$Street address, as the service would write it.$$;
comment on column public.address_corrections.address_line2 is $$Building, floor or suite.$$;
comment on column public.address_corrections.city is $$City or town.$$;
comment on column public.address_corrections.state is $$State, province or region.$$;
comment on column public.address_corrections.postal_code is $$The proposed ZIP or other postal code.$$;
comment on column public.address_corrections.country is $$ISO 3166-1 alpha-2 code.$$;
comment on column public.address_corrections.place_id is $$The service's id of the place.$$;
comment on column public.address_corrections.provider is $$google, photon, nominatim or local: who proposes it.$$;
comment on column public.address_corrections.of_address is $$Digest of the address that was checked: a proposal for another one is outdated.$$;
comment on column public.address_corrections.proposed_at is $$When the service said so.$$;
comment on column public.address_corrections.decided_at is $$When somebody accepted or dismissed it.$$;
comment on column public.address_corrections.decided_by is $$Who did.$$;


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


-- An address that changed while it was asked about in vain is due again. To be called by whoever settles a check, holding it.
create function private.note_again(p_check_id uuid)
    returns void
    volatile
    set search_path = ''
    language sql
as $$
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
$$;


-- Gives a check up, and its message to the dead letters.
create function private.give_up_check(
    p_queue private.queues, p_msg_id bigint, p_read_ct integer, p_check private.address_checks, p_error text
)
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- Checks that were claimed and must not be asked about: settled before, with nothing to ask any more, or tried often enough by workers
-- that died of it.
create function private.settle_checks(p_msg_ids bigint[], p_read_cts integer[])
    returns void
    volatile
    set search_path = ''
    language plpgsql
as $$
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
$$;


create function worker.claim_address_checks(p_limit integer default 20, p_lease_seconds integer default 30)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_queue private.queues := private.queue_named('compliance', 'address_checks');
    v_msg_ids bigint[];
    v_read_cts integer[];
    v_check_ids uuid[];
    v_claimed jsonb;
    v_settled_ids bigint[];
    v_settled_cts integer[];
begin
    -- Into arrays first: the planner expects a thousand rows of pgmq.read, and would read all checks to join as many.
    select array_agg(r.msg_id), array_agg(r.read_ct), array_agg((r.message ->> 'check_id')::uuid)
    into v_msg_ids, v_read_cts, v_check_ids
    from pgmq.read(v_queue.name, p_lease_seconds, p_limit) as r;
    if v_msg_ids is null then
        return '[]';
    end if;
    -- What changed while it waited is asked about as it stands now.
    update private.address_checks as c
    set subject = private.subject_of(p, c.kind)
    from public.properties as p
    where
        c.id = any (v_check_ids)
        and c.status = 'queued'
        and p.workspace_id = c.workspace_id
        and p.id = c.property_id
        and private.subject_of(p, c.kind) <> c.subject;
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
        ) order by q.msg_id) filter (where f.is_due), '[]'),
        array_agg(q.msg_id) filter (where not f.is_due),
        array_agg(q.read_ct) filter (where not f.is_due)
    into v_claimed, v_settled_ids, v_settled_cts
    from unnest(v_msg_ids, v_read_cts, v_check_ids) as q (msg_id, read_ct, check_id)
    left join private.address_checks as c on c.id = q.check_id
    left join public.properties as p on p.workspace_id = c.workspace_id and p.id = c.property_id
    cross join lateral (
        select coalesce(
            c.status = 'queued' and c.attempts < v_queue.max_attempts and private.subject_of(p, c.kind) = c.subject, false
        ) as is_due
    ) as f;
    if v_settled_ids is not null then
        perform private.settle_checks(v_settled_ids, v_settled_cts);
    end if;
    return v_claimed;
end
$$;

comment on function worker.claim_address_checks(integer, integer) is $$Claims up to `p_limit` checks for `p_lease_seconds`

Answers [{msg_id, read_ct, check: {id, workspace_id, property_id, kind, subject, attempts, place_id, address}}]; kind is verify, renew or
locate. read_ct is the fencing token. A check with nothing to ask about any more is not among them, nor one that has spent its tries on
workers that died: it is given up.$$;


-- The check that a claim is about, locked; null: the claim was lost.
create function private.held_check(p_msg_id bigint, p_read_ct integer)
    returns private.address_checks
    volatile
    set search_path = ''
    language plpgsql
as $$
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
$$;


create function worker.begin_address_check(
    p_msg_id bigint, p_read_ct integer, p_provider text, p_lease_seconds integer default 30
)
    returns boolean
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

comment on function worker.begin_address_check(bigint, integer, text, integer) is $$Asks whether a claimed check may go out to the provider

By `p_msg_id` and `p_read_ct`, just before the call; counts an attempt and what the call costs with `p_provider`, and extends the lease to
`p_lease_seconds`. Do not call unless it answers true. False: the claim was lost. Null: the workspace has used up a limit, and the check waits
for it.$$;


-- What an answer about a check changes, and what that is called.
create function private.apply_check(
    p_check private.address_checks, p_property public.properties, p_result jsonb, p_now timestamptz
)
    returns text
    volatile
    set search_path = ''
    language plpgsql
as $$
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
$$;


-- Takes one answer down, and says what came of it.
create function private.complete_address_check(p_msg_id bigint, p_read_ct integer, p_result jsonb, p_now timestamptz)
    returns text
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;


create function worker.complete_address_checks(p_items jsonb, p_now timestamptz default now())
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language sql
as $$
    select coalesce(jsonb_agg(jsonb_build_object(
        'msg_id', i.msg_id, 'outcome', private.complete_address_check(i.msg_id, i.read_ct, i.result, p_now)
    ) order by i.msg_id), '[]')
    from (
        select * from jsonb_to_recordset(p_items) as x (msg_id bigint, read_ct integer, result jsonb) order by x.msg_id
    ) as i
$$;

comment on function worker.complete_address_checks(jsonb, timestamptz) is $$Records what a provider said of addresses

Items are [{msg_id, read_ct, result: {provider, address_status, address, place_id, latitude, longitude}}]; place_id is null when the
provider no longer knows the place that it was asked about. An address becomes verified, or a correction is proposed; nothing typed is
changed. Answers [{msg_id, outcome}]: verified, proposed (a correction), dismissed (somebody didn't want this very one) or unknown; renewed,
located or gone; outdated (the address changed meanwhile: the answer was dropped); failed (it can't be kept) or stale (the claim moved on,
or an earlier call was answered).$$;


-- Records one try that failed; answers {msg_id, outcome, delay_seconds}.
create function private.fail_address_check(
    p_msg_id bigint, p_read_ct integer, p_kind text, p_error text, p_retry_after integer
)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
    perform private.give_up_check(v_queue, p_msg_id, p_read_ct, v_check, p_error);
    return jsonb_build_object('msg_id', p_msg_id, 'outcome', 'failed', 'delay_seconds', null);
end
$$;


create function worker.fail_address_checks(p_items jsonb)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language sql
as $$
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
$$;

comment on function worker.fail_address_checks(jsonb) is $$Records checks that failed

Items are [{msg_id, read_ct, kind, error, retry_after_seconds?}] with kind retryable, unknown (the same: asking twice harms nobody) or
permanent. Answers [{msg_id, outcome: retry, failed or stale, delay_seconds}]. What is given up goes to the dead-letter queue, and is
queued again when the address changes.$$;


create function worker.release_address_checks(p_items jsonb)
    returns integer
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_msg_ids bigint[];
    v_begun uuid[];
begin
    with released as (
        update pgmq.q_compliance as q
        set vt = clock_timestamp()
        from jsonb_to_recordset(p_items) as i (msg_id bigint, read_ct integer)
        where q.msg_id = i.msg_id and q.read_ct = i.read_ct
        returning q.msg_id, q.read_ct, (q.message ->> 'check_id')::uuid as check_id
    )
    select array_agg(r.msg_id), array_agg(c.id)
    into v_msg_ids, v_begun
    from released as r
    left join private.address_checks as c on c.id = r.check_id and c.status = 'queued' and c.fence = r.read_ct;
    -- The same lock as by admission, which counts under it.
    if array_remove(v_begun, null) <> '{}' then
        perform pg_advisory_xact_lock(hashtextextended('freehold.admit_place_calls', 0));
        update public.places_usage as u
        set calls = u.calls - b.calls, cost_microdollars = u.cost_microdollars - b.calls * coalesce(p.microdollars, 0)
        from (
            select c.workspace_id, c.asked_on, c.asked_of, k.kind, count(*) as calls
            from jsonb_to_recordset(p_items) as i (msg_id bigint, spent boolean)
            join unnest(v_msg_ids, v_begun) as r (msg_id, check_id) on r.msg_id = i.msg_id and i.spent is not true
            join private.address_checks as c on c.id = r.check_id
            cross join lateral (select case c.kind when 'verify' then 'validate' else 'details' end as kind) as k
            group by c.workspace_id, c.asked_on, c.asked_of, k.kind
        ) as b
        left join private.place_call_costs as p on p.provider = b.asked_of and p.kind = b.kind
        where
            u.workspace_id = b.workspace_id and u.on_day = b.asked_on and u.provider = b.asked_of and u.kind = b.kind
            and u.calls >= b.calls;
        update private.address_checks
        set attempts = attempts - 1, fence = null, asked_of = null, asked_on = null
        where id = any (v_begun);
    end if;
    return coalesce(cardinality(v_msg_ids), 0);
end
$$;

comment on function worker.release_address_checks(jsonb) is $$Gives claims of checks back

Items are [{msg_id, read_ct, spent?}] (`p_items`); they can be claimed again at once, and no try is counted. What was let through is taken off
places_usage again, unless it is spent: the provider may have acted on it, and bill it. Answers how many claims there were.$$;


-- The open proposal, locked with its property, for one who may change that. The property first, as by who takes down an answer.
create function private.open_correction(p_id uuid)
    returns public.address_corrections
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_correction public.address_corrections;
begin
    -- One that should be deleted by now is not to be used, whether that was done or not.
    select * into v_correction
    from public.address_corrections
    where
        id = p_id
        and workspace_id = any (array(select private.my_workspaces()))
        and proposed_at > now() - private.google_retention();
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
$$;


create function private.accept_address_correction(p_id uuid)
    returns public.properties
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
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
$$;

grant execute on function private.accept_address_correction(uuid) to authenticated;


create function public.accept_address_correction(correction_id uuid)
    returns public.properties
    volatile
    set search_path = ''
    language sql
as $$
    select private.accept_address_correction(correction_id)
$$;

comment on function public.accept_address_correction(uuid) is $$Writes a property's address as a service proposed it

By `correction_id`. Needs `portfolio.write`. The address becomes corrected. 409 `correction_settled`, 409 `correction_outdated` if the
address was changed since. Answers the property.$$;

grant execute on function public.accept_address_correction(uuid) to authenticated;


create function private.dismiss_address_correction(p_id uuid)
    returns public.address_corrections
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_correction public.address_corrections := private.open_correction(p_id);
begin
    update public.address_corrections
    set status = 'dismissed', decided_at = now(), decided_by = auth.uid()
    where id = v_correction.id
    returning * into v_correction;
    return v_correction;
end
$$;

grant execute on function private.dismiss_address_correction(uuid) to authenticated;


create function public.dismiss_address_correction(correction_id uuid)
    returns public.address_corrections
    volatile
    set search_path = ''
    language sql
as $$
    select private.dismiss_address_correction(correction_id)
$$;

comment on function public.dismiss_address_correction(uuid) is $$Leaves a property's address as it was typed

Of the proposal `correction_id`. Needs `portfolio.write`. The address stays unverified, and is not asked about again until it changes. 409
`correction_settled`. Answers the proposal.$$;

grant execute on function public.dismiss_address_correction(uuid) to authenticated;


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
grant execute on all functions in schema worker to worker;
