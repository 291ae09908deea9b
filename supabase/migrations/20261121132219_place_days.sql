set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

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
    v_user_day text;
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
        v_user_day := 'places_per_user_day ' || v_call.user_id;
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
                when not p_unattended
                    and coalesce((v_n ->> v_user_day)::bigint, 0) >= (v_limits -> 'places_per_user_day' ->> 'allowed')::bigint
                    then 'places_per_user_day'
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
                v_user_day, coalesce((v_n ->> v_user_day)::bigint, 0) + 1,
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

create or replace function private.place_counters (
    p_calls jsonb,
    p_days date[],
    p_now timestamp with time zone
)
    returns jsonb
    language plpgsql
    stable
    set search_path to ''
    AS $function$
declare
    v_counters jsonb;
begin
    with calls as (
        select distinct c.user_id, c.workspace_id, 'places_' || c.provider || '_' || c.kind as shared
        from jsonb_to_recordset(p_calls) as c (user_id uuid, workspace_id uuid, provider text, kind text)
    ),
    windows as (
        select l.name, l.allowed, l.per, date_bin(l.per, p_now, timestamptz 'epoch') as starts_at
        from private.limits as l
        where
            l.name in ('places_per_user', 'places_per_user_day', 'places_per_workspace')
            or l.name in (select c.shared from calls as c)
    ),
    own as (
        select n.name || ' ' || n.subject as key, n.admitted as amount
        from windows as w
        join private.place_counts as n on n.name = w.name and n.starts_at = w.starts_at
        where
            (w.name in ('places_per_user', 'places_per_user_day') and n.subject in (select c.user_id from calls as c))
            or (w.name = 'places_per_workspace' and n.subject in (select c.workspace_id from calls as c))
    ),
    -- Who asked in the window before is expected to ask as much in this one, and has as much kept, up to an equal share.
    expected as (
        select
            w.name,
            n.subject,
            least(n.asked, w.allowed / count(*) over (partition by w.name)) as need,
            coalesce(sofar.admitted, 0) as admitted
        from windows as w
        join private.place_counts as n on n.name = w.name and n.starts_at = w.starts_at - w.per
        left join private.place_counts as sofar
            on sofar.name = w.name and sofar.starts_at = w.starts_at and sofar.subject = n.subject
        where w.name in (select c.shared from calls as c)
    ),
    of_shared as (
        select 'total ' || w.name, sum(n.admitted)
        from windows as w
        join private.place_counts as n on n.name = w.name and n.starts_at = w.starts_at
        where w.name in (select c.shared from calls as c)
        group by w.name
        union all
        select n.name || ' ' || n.subject, n.admitted
        from windows as w
        join private.place_counts as n on n.name = w.name and n.starts_at = w.starts_at
        where w.name in (select c.shared from calls as c) and n.subject in (select c.workspace_id from calls as c)
        union all
        select 'need ' || e.name || ' ' || e.subject, e.need
        from expected as e
        where e.subject in (select c.workspace_id from calls as c)
        union all
        select 'reserved ' || e.name, sum(greatest(0, e.need - e.admitted))
        from expected as e
        group by e.name
    ),
    of_days as (
        select f.key, f.amount
        from public.places_usage as u
        cross join lateral (
            values
            (format('calls %s %s', u.workspace_id, u.on_day), u.calls),
            (format('cost %s %s', u.workspace_id, u.on_day), u.cost_microdollars)
        ) as f (key, amount)
        where u.workspace_id in (select c.workspace_id from calls as c) and u.on_day = any (p_days)
    )
    select coalesce(jsonb_object_agg(summed.key, summed.amount), '{}')
    into v_counters
    from (
        select gathered.key, sum(gathered.amount) as amount
        from (
            select * from own
            union all
            select * from of_shared
            union all
            select * from of_days
        ) as gathered (key, amount)
        group by gathered.key
    ) as summed;
    return v_counters;
end
$function$;

create or replace function private.record_place_calls (
    p_decided jsonb,
    p_sessions private.place_sessions[],
    p_now timestamp with time zone
)
    returns void
    language plpgsql
    set search_path to ''
    AS $function$
begin
    insert into private.place_counts as n (name, subject, starts_at, asked, admitted)
    select l.name, c.subject, date_bin(l.per, p_now, timestamptz 'epoch'), count(*), count(*) filter (where d.admitted)
    from jsonb_to_recordset(p_decided) as d (
        user_id uuid, workspace_id uuid, provider text, kind text, admitted boolean
    )
    cross join lateral (
        values
        ('places_per_user', d.user_id),
        ('places_per_user_day', d.user_id),
        ('places_per_workspace', d.workspace_id),
        ('places_' || d.provider || '_' || d.kind, d.workspace_id)
    ) as c (name, subject)
    join private.limits as l on l.name = c.name
    group by l.name, c.subject, l.per
    on conflict (name, starts_at, subject) do update set
        asked = n.asked + excluded.asked,
        admitted = n.admitted + excluded.admitted;

    insert into public.places_usage as u (workspace_id, on_day, provider, kind, calls, cost_microdollars)
    select e.workspace_id, e.on_day, e.provider, e.kind, sum(e.calls), sum(e.cost)
    from jsonb_to_recordset(p_decided) as d (
        workspace_id uuid, provider text, kind text, admitted boolean, on_day date, cost bigint, credit bigint
    )
    cross join lateral (
        values
        (d.workspace_id, d.on_day, d.provider, d.kind, 1, d.cost),
        (d.workspace_id, d.on_day, d.provider, 'autocomplete', 0, -d.credit)
    ) as e (workspace_id, on_day, provider, kind, calls, cost)
    where d.admitted and (e.calls > 0 or e.cost <> 0)
    group by e.workspace_id, e.on_day, e.provider, e.kind
    on conflict (workspace_id, on_day, provider, kind) do update set
        calls = u.calls + excluded.calls,
        cost_microdollars = u.cost_microdollars + excluded.cost_microdollars;

    update private.place_sessions as s
    set
        autocompletes = t.autocompletes,
        last_instance = t.last_instance,
        last_autocomplete_at = t.last_autocomplete_at,
        others_autocomplete_at = t.others_autocomplete_at,
        closed_at = t.closed_at
    from unnest(p_sessions) as t
    where s.id = t.id and (s.autocompletes, s.closed_at) is distinct from (t.autocompletes, t.closed_at);
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
    using private.limits as l
    where l.name = n.name and n.starts_at < p_now - 2 * l.per;
    get diagnostics v_rows = row_count;
    return v_deleted || jsonb_build_object('place_counts', v_rows);
end
$function$;
