set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

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

revoke all
    on function "private"."record_place_calls"(jsonb, private.place_sessions[], timestamp with time zone)
    from public;

revoke all
    on function "private"."record_place_calls"(jsonb, private.place_sessions[], timestamp with time zone)
    from "postgres";

grant execute
    on function "private"."record_place_calls"(jsonb, private.place_sessions[], timestamp with time zone)
    to "postgres";
