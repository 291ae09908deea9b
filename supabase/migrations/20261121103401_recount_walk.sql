-- The same function, whose argument may be left out now.
-- squawk-ignore-file ban-drop-function
set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

drop function "private"."next_recounted_workspace"(uuid);

create or replace function private.next_recounted_workspace (
    p_after uuid default '00000000-0000-0000-0000-000000000000'::uuid
)
    returns uuid
    language sql
    stable
    set search_path to ''
    AS $function$
    select n.workspace_id
    from (
        (select w.id as workspace_id from public.workspaces as w where w.id > p_after order by w.id limit 1)
        union all
        (select r.workspace_id from private.rollups as r where r.workspace_id > p_after order by r.workspace_id limit 1)
        union all
        (
            select c.workspace_id
            from private.rollup_changes as c
            where c.workspace_id > p_after
            order by c.workspace_id
            limit 1
        )
    ) as n
    order by n.workspace_id
    limit 1
$function$;

create or replace function worker.reconcile_rollups (
    p_now timestamp with time zone default now(),
    p_workspace_id uuid default null::uuid,
    p_seconds double precision default 10
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_ends_at timestamptz := clock_timestamp() + make_interval(secs => p_seconds);
    v_workspace_id uuid;
    v_recounted integer := 0;
    v_mended bigint := 0;
begin
    if p_workspace_id is not null then
        return jsonb_build_object(
            'workspaces_recounted', 1, 'sums_mended', private.reconcile_rollups(p_workspace_id), 'more', false
        );
    end if;
    insert into private.rollup_recounts default values on conflict (is_the_only_row) do nothing;
    -- One at a time: a second machine waits, and goes on where this one stops.
    select r.reached_workspace_id into v_workspace_id from private.rollup_recounts as r for update;
    loop
        v_workspace_id := case
            when v_workspace_id is null then private.next_recounted_workspace()
            else private.next_recounted_workspace(v_workspace_id)
        end;
        exit when v_workspace_id is null;
        v_mended := v_mended + private.reconcile_rollups(v_workspace_id);
        v_recounted := v_recounted + 1;
        exit when clock_timestamp() >= v_ends_at;
    end loop;
    update private.rollup_recounts set reached_workspace_id = v_workspace_id where is_the_only_row;
    return jsonb_build_object(
        'workspaces_recounted', v_recounted, 'sums_mended', v_mended, 'more', v_workspace_id is not null
    );
end
$function$;

revoke all on function "private"."next_recounted_workspace"(uuid) from public;

revoke all on function "private"."next_recounted_workspace"(uuid) from "postgres";

grant execute on function "private"."next_recounted_workspace"(uuid) to "postgres";
