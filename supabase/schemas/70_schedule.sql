-- The schedule is rows. Any number of machines may ask what is due: who inserts (job, due_at) runs it.

create table private.scheduled_jobs (
    name text primary key check (name ~ '^[a-z_]{1,60}$'),
    every interval not null check (every >= interval '1 minute'),
    catch_up text not null check (catch_up in ('latest', 'all')),
    enabled boolean not null default true,
    description text not null
);

comment on table private.scheduled_jobs is $$What runs by itself, and how often. A job's name is the worker RPC that does it.

catch_up says what happens to runs missed in an outage: latest makes up for the last one, all for each. Reference data, written
by migrations; an operator may disable a job or change its rhythm.$$;


create table private.job_runs (
    job text not null references private.scheduled_jobs (name) on delete cascade,
    due_at timestamptz not null,
    status text not null default 'running' check (status in ('running', 'succeeded', 'failed')),
    fence integer not null default 1,
    started_at timestamptz not null,
    lease_until timestamptz not null,
    finished_at timestamptz,
    error text,
    result jsonb,
    primary key (job, due_at)
);

create index job_runs_unfinished_idx on private.job_runs (lease_until) where status <> 'succeeded';

comment on table private.job_runs is $$Each run of a scheduled job. A run whose machine died is taken over once its lease has passed.$$;


create function worker.start_due_runs(p_now timestamptz default now())
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language sql
as $$
    with latest as (
        select
            j.name,
            j.every,
            j.catch_up,
            date_bin(j.every, p_now, timestamptz '2020-01-01 00:00+00') as due_at,
            (select max(r.due_at) from private.job_runs as r where r.job = j.name) as last_due_at
        from private.scheduled_jobs as j
        where j.enabled
    ),
    due as (
        select l.name, l.due_at
        from latest as l
        where l.last_due_at is null or l.due_at > l.last_due_at
        union
        select l.name, missed.due_at
        from latest as l
        cross join lateral generate_series(l.last_due_at + l.every, l.due_at, l.every) as missed (due_at)
        where l.catch_up = 'all'
    ),
    started as (
        insert into private.job_runs (job, due_at, started_at, lease_until)
        select d.name, d.due_at, p_now, p_now + interval '10 minutes'
        from due as d
        on conflict (job, due_at) do nothing
        returning job, due_at, fence
    ),
    -- Failed, or left by a machine that died: five tries, then it stays failed for a person to see.
    taken_over as (
        update private.job_runs as r
        set
            fence = r.fence + 1,
            status = 'running',
            started_at = p_now,
            lease_until = p_now + interval '10 minutes'
        where
            (r.job, r.due_at) in (
                select o.job, o.due_at
                from private.job_runs as o
                join private.scheduled_jobs as j on j.name = o.job and j.enabled
                where
                    (o.status = 'failed' or (o.status = 'running' and o.lease_until < p_now))
                    and o.fence < 5
                    and o.lease_until > p_now - interval '1 day'
                for update of o skip locked
            )
        returning r.job, r.due_at, r.fence
    )
    select coalesce(jsonb_agg(jsonb_build_object(
        'job', runs.job, 'due_at', runs.due_at, 'fence', runs.fence
    ) order by runs.due_at, runs.job), '[]')
    from (
        select * from started
        union all
        select * from taken_over
    ) as runs
$$;

comment on function worker.start_due_runs(timestamptz) is $$Takes the runs that are due

Answers [{job, due_at, fence}]: the caller now runs each, and says so with finish_run. Nobody else gets the same one, unless
ten minutes pass without.$$;


create function worker.finish_run(
    p_job text, p_due_at timestamptz, p_fence integer, p_error text default null, p_result jsonb default null
)
    returns boolean
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    update private.job_runs
    set
        status = case when p_error is null then 'succeeded' else 'failed' end,
        finished_at = clock_timestamp(),
        error = left(p_error, 2000),
        result = p_result
    where job = p_job and due_at = p_due_at and fence = p_fence;
    return found;
end
$$;

comment on function worker.finish_run(text, timestamptz, integer, text, jsonb) is $$Records how a run ended

`p_error` null: it succeeded. A failed run is tried again by the next tick, five times in all. False: another machine has
taken the run over.$$;


create function worker.housekeeping(p_now timestamptz default now())
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_deleted jsonb := '{}';
    v_rows bigint;
begin
    delete from private.idempotency_keys where created_at < p_now - interval '24 hours';
    get diagnostics v_rows = row_count;
    v_deleted := v_deleted || jsonb_build_object('idempotency_keys', v_rows);

    delete from private.write_counts where minute < p_now - interval '1 day';
    get diagnostics v_rows = row_count;
    v_deleted := v_deleted || jsonb_build_object('write_counts', v_rows);

    delete from private.invitations_sent
    where sent_at < p_now - (select max(l.per) from private.limits as l where l.name like 'invitations_per_%');
    get diagnostics v_rows = row_count;
    v_deleted := v_deleted || jsonb_build_object('invitations_sent', v_rows);

    -- No invitation is good for longer than this.
    delete from private.message_secrets as s
    using public.messages as m
    where m.id = s.message_id and m.created_at < p_now - interval '8 days';
    get diagnostics v_rows = row_count;
    v_deleted := v_deleted || jsonb_build_object('message_secrets', v_rows);

    -- With their rows: a commit deletes its own.
    delete from public.imports where status = 'staged' and created_at < p_now - interval '1 day';
    get diagnostics v_rows = row_count;
    v_deleted := v_deleted || jsonb_build_object('imports', v_rows);

    delete from private.job_runs as r
    where
        r.due_at < p_now - interval '90 days'
        and exists (select from private.job_runs as newer where newer.job = r.job and newer.due_at > r.due_at);
    get diagnostics v_rows = row_count;
    return v_deleted || jsonb_build_object('job_runs', v_rows);
end
$$;

comment on function worker.housekeeping(timestamptz) is $$Deletes what has served its time

Idempotency keys, write counts and imports that nobody committed after a day, unused tokens after eight, the log of runs
after ninety. Answers how many rows of each.$$;

grant execute on all functions in schema worker to worker;
