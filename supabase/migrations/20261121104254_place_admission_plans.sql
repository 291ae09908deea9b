set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;


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
        where l.name in ('places_per_user', 'places_per_workspace') or l.name in (select c.shared from calls as c)
    ),
    own as (
        select n.name || ' ' || n.subject as key, n.admitted as amount
        from windows as w
        join private.place_counts as n on n.name = w.name and n.starts_at = w.starts_at
        where
            (w.name = 'places_per_user' and n.subject in (select c.user_id from calls as c))
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

revoke all on function "private"."place_counters"(jsonb, date[], timestamp with time zone) from public;

revoke all on function "private"."place_counters"(jsonb, date[], timestamp with time zone) from "postgres";

grant execute on function "private"."place_counters"(jsonb, date[], timestamp with time zone) to "postgres";
