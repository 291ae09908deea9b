-- Telling the manager that a lease runs out, by mail and within the app: 90, 60 and 30 days ahead, and on the last day for giving notice.

-- One row for each notice that will fall due, written when a lease begins. The check reads what is due, not what is stored.
create table private.lease_reminders (
    workspace_id uuid not null,
    lease_id uuid not null,
    threshold text not null check (threshold in ('days_90', 'days_60', 'days_30', 'notice_deadline')),
    ends_on date not null,
    due_on date not null,
    state text not null default 'pending' check (state in ('pending', 'queued', 'skipped', 'cancelled')),
    decided_at timestamptz,
    -- Never twice for the same: an end date that moves arms new rows, one that moves back finds the old.
    primary key (workspace_id, lease_id, threshold, ends_on),
    foreign key (workspace_id, lease_id) references public.leases (workspace_id, id) on delete cascade
);

create index lease_reminders_due_on_idx on private.lease_reminders (due_on, workspace_id, lease_id)
    where state = 'pending';

comment on table private.lease_reminders is $$Notices of expiring leases: to come (pending), sent on their way (queued), passed over for a tighter one or a term that
was over (skipped), or void since the lease ended or its end moved (cancelled).$$;


-- Keeps the reminders in step with the leases that a statement touched. Once notice is given, nothing is left to be reminded of.
create function private.arm_lease_reminders()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    -- Each reminder refers to its lease.
    perform private.analyze_outgrown('public.leases', (select count(*) from touched));
    update private.lease_reminders as r
    set state = 'cancelled', decided_at = now()
    from touched as l
    where
        r.workspace_id = l.workspace_id
        and r.lease_id = l.id
        and r.state = 'pending'
        and (l.status not in ('pending', 'active') or l.ends_on is distinct from r.ends_on);
    insert into private.lease_reminders as r (workspace_id, lease_id, threshold, ends_on, due_on)
    select l.workspace_id, l.id, t.threshold, l.ends_on, l.ends_on - t.days
    from touched as l
    cross join lateral (
        values ('days_90', 90), ('days_60', 60), ('days_30', 30), ('notice_deadline', l.notice_days)
    ) as t (threshold, days)
    where l.status in ('pending', 'active') and l.ends_on is not null
    on conflict (workspace_id, lease_id, threshold, ends_on) do update
    set state = 'pending', decided_at = null
    where r.state = 'cancelled';
    return null;
end
$$;

create trigger arm_lease_reminders_on_insert after insert on public.leases
    referencing new table as touched
    for each statement execute function private.arm_lease_reminders();

create trigger arm_lease_reminders_on_update after update on public.leases
    referencing new table as touched
    for each statement execute function private.arm_lease_reminders();


create function worker.lease_expiry_check(p_now timestamptz default now(), p_limit integer default 1000)
    returns jsonb
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_request_id text := private.request_id();
    v_full boolean;
    v_due integer;
    v_skipped integer;
    v_notices jsonb[];
    v_told jsonb;
begin
    with first_due as materialized (
        select
            r.workspace_id,
            r.lease_id,
            l.lease_number,
            l.notice_deadline_on,
            l.property_id,
            p.name as property_name,
            p.manager_id,
            zone.today
        from private.lease_reminders as r
        join public.leases as l on l.workspace_id = r.workspace_id and l.id = r.lease_id
        join public.properties as p on p.workspace_id = l.workspace_id and p.id = l.property_id
        -- private.local_date(), spelt out: a call for each row takes longer than all else here.
        cross join lateral (select (p_now at time zone p.timezone)::date as today) as zone
        where
            r.state = 'pending'
            -- No clock on earth is further ahead than UTC+14: the index ends here, the property's own date decides.
            and r.due_on <= ((p_now at time zone 'UTC') + interval '14 hours')::date
            and r.due_on <= zone.today
        order by r.due_on, r.workspace_id, r.lease_id
        limit p_limit
    ),
    -- All that is due for those leases, or a later batch would send the thresholds that this one passes over.
    due as materialized (
        select r.threshold, r.ends_on, r.due_on, f.*
        from (select distinct on (f.workspace_id, f.lease_id) f.* from first_due as f) as f
        join private.lease_reminders as r on r.workspace_id = f.workspace_id and r.lease_id = f.lease_id
        where r.state = 'pending' and r.due_on <= f.today
        -- A second machine waits here, and then finds nothing pending. In key order, or the two would deadlock.
        order by r.workspace_id, r.lease_id, r.threshold, r.ends_on
        for update of r
    ),
    ranked as (
        select
            d.*,
            row_number() over (
                partition by d.workspace_id, d.lease_id
                order by d.due_on desc, d.threshold = 'notice_deadline' desc, d.threshold
            ) as tightness
        from due as d
    ),
    decided as (
        update private.lease_reminders as r
        set
            state = case when k.tightness = 1 and k.ends_on >= k.today then 'queued' else 'skipped' end,
            decided_at = p_now
        from ranked as k
        where
            r.workspace_id = k.workspace_id
            and r.lease_id = k.lease_id
            and r.threshold = k.threshold
            and r.ends_on = k.ends_on
        returning r.state, r.workspace_id, r.lease_id
    ),
    recipients as (
        select k.*, u.id as user_id, u.email, w.name as workspace_name
        from ranked as k
        join public.workspaces as w on w.id = k.workspace_id
        join public.workspace_members as m
            on
                m.workspace_id = k.workspace_id
                and m.status = 'active'
                and (
                    m.user_id = k.manager_id
                    or m.role = 'owner' and not exists (
                        select from public.workspace_members as manager
                        join auth.users as account on account.id = manager.user_id
                        where
                            manager.workspace_id = k.workspace_id
                            and manager.user_id = k.manager_id
                            and manager.status = 'active'
                            and account.email <> ''
                    )
                )
        join auth.users as u on u.id = m.user_id
        where k.tightness = 1 and k.ends_on >= k.today and coalesce(u.email, '') <> ''
    ),
    written as (
        insert into public.messages (workspace_id, template, to_address, payload, dedupe_key, request_id)
        select
            n.workspace_id,
            'lease_expiry',
            n.email,
            jsonb_build_object(
                'workspace_name', n.workspace_name,
                'recipient_name', null,
                'lease_number', n.lease_number,
                'property_name', n.property_name,
                'unit_numbers', (
                    select coalesce(jsonb_agg(u.unit_number order by u.unit_number), '[]')
                    from public.lease_units as lu
                    join public.units as u on u.workspace_id = lu.workspace_id and u.id = lu.unit_id
                    where
                        lu.workspace_id = n.workspace_id
                        and lu.property_id = n.property_id
                        and lu.lease_id = n.lease_id
                        and lu.superseded_at is null
                ),
                'tenant_names', (
                    select coalesce(jsonb_agg(btrim(t.first_name || ' ' || t.last_name) order by t.last_name, t.first_name), '[]')
                    from public.lease_tenants as lt
                    join public.tenants as t on t.workspace_id = lt.workspace_id and t.id = lt.tenant_id
                    where
                        lt.workspace_id = n.workspace_id
                        and lt.lease_id = n.lease_id
                        and lt.role in ('primary', 'co_tenant')
                ),
                'ends_on', n.ends_on,
                'days_left', n.ends_on - n.today,
                'notice_deadline_on', n.notice_deadline_on,
                'threshold', n.threshold
            ),
            format('lease_expiry/%s/%s/%s/%s', n.lease_id, n.threshold, n.ends_on, n.user_id),
            v_request_id
        from recipients as n
        join private.notification_wishes as wish
            on
                wish.workspace_id = n.workspace_id
                and wish.user_id = n.user_id
                and wish.category = 'lease_expiry'
                and wish.channel = 'email'
                and wish.enabled
        on conflict (workspace_id, dedupe_key) do nothing
        returning id
    )
    select
        -- Rows, not leases: one lease may fill the batch with several thresholds.
        (select count(*) >= p_limit from first_due),
        (select count(*) from decided as d where d.state = 'queued'),
        (select count(*) from decided as d where d.state = 'skipped'),
        (select array_agg(jsonb_build_object('message_id', w.id)) from written as w),
        (
            select jsonb_agg(jsonb_build_object(
                'workspace_id', n.workspace_id,
                'user_id', n.user_id,
                'title', format('Lease %s ends on %s', n.lease_number, n.ends_on),
                'body', format('%s. Last day for giving notice: %s.', n.property_name, n.notice_deadline_on),
                'payload', jsonb_build_object(
                    'lease_number', n.lease_number,
                    'ends_on', n.ends_on,
                    'days_left', n.ends_on - n.today,
                    'notice_deadline_on', n.notice_deadline_on,
                    'threshold', n.threshold
                ),
                'lease_id', n.lease_id,
                'dedupe_key', format('lease_expiry/%s/%s/%s', n.lease_id, n.threshold, n.ends_on)
            ))
            from recipients as n
        )
    into v_full, v_due, v_skipped, v_notices, v_told;
    perform private.notify('lease_expiry', v_told);
    if v_notices is not null then
        perform pgmq.send_batch('email', v_notices);
    end if;
    return jsonb_build_object(
        'leases_due', v_due,
        'messages_queued', coalesce(cardinality(v_notices), 0),
        'thresholds_skipped', v_skipped,
        'more', v_full
    );
end
$$;

comment on function worker.lease_expiry_check(timestamptz, integer) is $$Queues the notices of leases that run out

For each lease with a threshold due on its property's date, the tightest one only, to the property's manager or else the
owners, by mail and within the app as each of them wants it; never twice for the same lease, threshold and end date, and not once the term is over. Takes up to `p_limit` leases:
call again while `more`. Answers {leases_due, messages_queued, thresholds_skipped, more}: the leases to be told of, and the
thresholds passed over.$$;

grant execute on all functions in schema worker to worker;
