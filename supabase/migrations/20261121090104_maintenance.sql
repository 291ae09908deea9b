set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

drop trigger "record_deletes" on "public"."vendors";

drop trigger "record_inserts" on "public"."vendors";

drop trigger "record_updates" on "public"."vendors";

create table "private"."maintenance_counters" (
    "workspace_id" uuid not null,
    "last_number" integer not null,
    constraint "maintenance_counters_last_number_check" check ((last_number >= 0)),
    constraint "maintenance_counters_pkey" primary key (workspace_id)
);

create table "private"."maintenance_transitions" (
    "from_status" text not null,
    "to_status" text not null,
    "by_vendor" boolean not null default false,
    constraint "a_transition_goes_somewhere" check ((from_status <> to_status)),
    constraint "maintenance_transitions_pkey" primary key (from_status, to_status)
);

create table "public"."maintenance_comments" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "request_id" uuid not null,
    "body" text not null,
    "visible_to_renter" boolean not null default false,
    "visible_to_vendor" boolean not null default false,
    "author_kind" text not null,
    "author_id" uuid,
    "created_at" timestamp with time zone not null default now(),
    constraint "maintenance_comments_author_kind_check"
        check ((author_kind = ANY (ARRAY['member'::text, 'renter'::text, 'vendor'::text, 'system'::text]))),
    constraint "maintenance_comments_body_check" check (((length(body) <= 8000) AND (btrim(body) <> ''::text))),
    constraint "maintenance_comments_pkey" primary key (id),
    constraint "maintenance_comments_workspace_id_id_key" unique (workspace_id, id)
);

alter table "public"."maintenance_comments"
    enable row level security;

revoke all on table "public"."maintenance_comments" from "anon";

create table "public"."maintenance_costs" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "request_id" uuid not null,
    "currency" text not null,
    "estimate_minor" bigint,
    "actual_minor" bigint,
    "created_at" timestamp with time zone not null default now(),
    "updated_at" timestamp with time zone not null default now(),
    constraint "maintenance_costs_actual_minor_check"
        check (((actual_minor >= 0) AND (actual_minor <= '9007199254740991'::bigint))),
    constraint "maintenance_costs_currency_check" check ((currency ~ '^[A-Z]{3}$'::text)),
    constraint "maintenance_costs_estimate_minor_check"
        check (((estimate_minor >= 0) AND (estimate_minor <= '9007199254740991'::bigint))),
    constraint "maintenance_costs_pkey" primary key (id),
    constraint "maintenance_costs_request_id_key" unique (workspace_id, request_id),
    constraint "maintenance_costs_workspace_id_id_key" unique (workspace_id, id)
);

alter table "public"."maintenance_costs"
    enable row level security;

revoke all on table "public"."maintenance_costs" from "anon";

create table "public"."maintenance_plans" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "property_id" uuid not null,
    "unit_id" uuid,
    "title" text not null,
    "description" text,
    "category" text not null default 'other'::text,
    "priority" text not null default 'normal'::text,
    "access_notes" text,
    "shown_to_renter" boolean not null default false,
    "assigned_member_id" uuid,
    "assigned_vendor_id" uuid,
    "status" text not null default 'active'::text,
    "interval_unit" text not null,
    "interval_count" integer not null default 1,
    "anchor_on" date not null,
    "ends_on" date,
    "season_months" integer[],
    "lead_days" integer not null default 14,
    "next_due_on" date,
    "next_creation_on" date generated always as ((next_due_on - lead_days)) stored,
    "created_at" timestamp with time zone not null default now(),
    "updated_at" timestamp with time zone not null default now(),
    constraint "maintenance_plans_access_notes_check" check ((length(access_notes) <= 2000)),
    constraint "maintenance_plans_anchor_on_check"
        check (((anchor_on >= '1900-01-01'::date) AND (anchor_on <= '2200-01-01'::date))),
    constraint "maintenance_plans_category_check"
        check
        ((category = ANY (ARRAY['appliance'::text, 'carpentry'::text, 'cleaning'::text, 'electrical'::text,
        'flooring'::text,
        'heating_cooling'::text,
        'inspection'::text,
        'landscaping'::text,
        'locksmith'::text,
        'other'::text, 'painting'::text, 'pest_control'::text, 'plumbing'::text, 'roofing'::text, 'safety'::text]))),
    constraint "maintenance_plans_description_check" check ((length(description) <= 8000)),
    constraint "maintenance_plans_ends_on_check" check ((ends_on < '2200-01-01'::date)),
    constraint "maintenance_plans_interval_count_check" check (((interval_count >= 1) AND (interval_count <= 400))),
    constraint "maintenance_plans_interval_unit_check"
        check ((interval_unit = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'year'::text]))),
    constraint "maintenance_plans_lead_days_check" check (((lead_days >= 0) AND (lead_days <= 365))),
    constraint "maintenance_plans_pkey" primary key (id),
    constraint "maintenance_plans_priority_check"
        check ((priority = ANY (ARRAY['emergency'::text, 'high'::text, 'normal'::text, 'low'::text]))),
    constraint "maintenance_plans_season_months_check"
        check
        (((season_months <@ ARRAY[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) AND ((cardinality(season_months) >= 1) AND
        (cardinality(season_months) <= 12)))),
    constraint "maintenance_plans_status_check" check ((status = ANY (ARRAY['active'::text, 'paused'::text]))),
    constraint "maintenance_plans_title_check" check (((length(title) <= 200) AND (btrim(title) <> ''::text))),
    constraint "maintenance_plans_workspace_id_id_key" unique (workspace_id, id),
    constraint "one_assignee_at_most" check (((assigned_member_id IS NULL) OR (assigned_vendor_id IS NULL)))
);

alter table "public"."maintenance_plans"
    enable row level security;

revoke all on table "public"."maintenance_plans" from "anon";

create table "public"."maintenance_requests" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "request_number" integer not null,
    "property_id" uuid not null,
    "unit_id" uuid,
    "lease_id" uuid,
    "tenant_id" uuid,
    "title" text not null,
    "description" text,
    "category" text not null default 'other'::text,
    "priority" text not null default 'normal'::text,
    "status" text not null default 'open'::text,
    "assigned_member_id" uuid,
    "assigned_vendor_id" uuid,
    "vendor_accepted_at" timestamp with time zone,
    "location" text not null,
    "access_notes" text,
    "permission_to_enter" boolean not null default false,
    "shown_to_renter" boolean not null default false,
    "due_on" date,
    "scheduled_starts_at" timestamp with time zone,
    "scheduled_ends_at" timestamp with time zone,
    "plan_id" uuid,
    "plan_due_on" date,
    "created_by" uuid,
    "created_at" timestamp with time zone not null default now(),
    "completed_at" timestamp with time zone,
    "closed_at" timestamp with time zone,
    "updated_at" timestamp with time zone not null default now(),
    constraint "a_plan_has_its_due_date" check (((plan_id IS NULL) OR (plan_due_on IS NOT NULL))),
    constraint "a_window_has_two_ends" check (((scheduled_starts_at IS NULL) = (scheduled_ends_at IS NULL))),
    constraint "a_window_is_of_our_times" check (((scheduled_starts_at >= '2000-01-01 00:00:00+00'::timestamp
        with time zone) AND (scheduled_ends_at <= '2200-01-01 00:00:00+00'::timestamp
        with time zone) AND (scheduled_ends_at > scheduled_starts_at) AND
        ((scheduled_ends_at - scheduled_starts_at) <= '31 days'::interval))),
    constraint "finished_requests_have_their_times"
        check ((((status = ANY (ARRAY['completed'::text, 'closed'::text])) = (completed_at IS
        NOT NULL)) AND ((status = 'closed'::text) = (closed_at IS NOT NULL)))),
    constraint "maintenance_requests_access_notes_check" check ((length(access_notes) <= 2000)),
    constraint "maintenance_requests_category_check"
        check
        ((category = ANY (ARRAY['appliance'::text, 'carpentry'::text, 'cleaning'::text, 'electrical'::text,
        'flooring'::text,
        'heating_cooling'::text,
        'inspection'::text,
        'landscaping'::text,
        'locksmith'::text,
        'other'::text, 'painting'::text, 'pest_control'::text, 'plumbing'::text, 'roofing'::text, 'safety'::text]))),
    constraint "maintenance_requests_description_check" check ((length(description) <= 8000)),
    constraint "maintenance_requests_due_on_check"
        check (((due_on >= '1900-01-01'::date) AND (due_on <= '2200-01-01'::date))),
    constraint "maintenance_requests_location_check" check ((length(location) <= 1000)),
    constraint "maintenance_requests_pkey" primary key (id),
    constraint "maintenance_requests_priority_check"
        check ((priority = ANY (ARRAY['emergency'::text, 'high'::text, 'normal'::text, 'low'::text]))),
    constraint "maintenance_requests_request_number_check" check ((request_number > 0)),
    constraint "maintenance_requests_request_number_key" unique (workspace_id, request_number),
    constraint "maintenance_requests_status_check"
        check
        ((status = ANY (ARRAY['open'::text, 'assigned'::text, 'scheduled'::text, 'in_progress'::text, 'on_hold'::text,
        'completed'::text, 'closed'::text, 'cancelled'::text]))),
    constraint "maintenance_requests_title_check" check (((length(title) <= 200) AND (btrim(title) <> ''::text))),
    constraint "maintenance_requests_workspace_id_id_key" unique (workspace_id, id),
    constraint "one_assignee_at_most" check (((assigned_member_id IS NULL) OR (assigned_vendor_id IS NULL))),
    constraint "open_requests_wait_for_somebody"
        check
        (((status <> 'open'::text) OR ((assigned_member_id IS NULL) AND (assigned_vendor_id IS NULL) AND
        (scheduled_starts_at IS NULL)))),
    constraint "scheduled_requests_have_a_window" check (((status <> 'scheduled'::text) OR (scheduled_starts_at IS
        NOT NULL))),
    constraint "vendors_alone_accept" check (((vendor_accepted_at IS NULL) OR (assigned_vendor_id IS NOT NULL))),
    constraint "work_under_way_is_somebodys"
        check
        (((status <> ALL (ARRAY['assigned'::text, 'scheduled'::text, 'in_progress'::text, 'on_hold'::text])) OR
        (assigned_member_id IS NOT NULL) OR (assigned_vendor_id IS NOT NULL)))
);

alter table "public"."maintenance_requests"
    enable row level security;

revoke all on table "public"."maintenance_requests" from "anon";

create table "public"."maintenance_status_changes" (
    "id" uuid not null default gen_random_uuid(),
    "workspace_id" uuid not null,
    "request_id" uuid not null,
    "from_status" text,
    "to_status" text not null,
    "reason" text,
    "changed_by" uuid,
    "recorded_at" timestamp with time zone not null default clock_timestamp(),
    constraint "maintenance_status_changes_pkey" primary key (id),
    constraint "maintenance_status_changes_reason_check" check ((length(reason) <= 2000)),
    constraint "maintenance_status_changes_workspace_id_id_key" unique (workspace_id, id)
);

alter table "public"."maintenance_status_changes"
    enable row level security;

revoke all on table "public"."maintenance_status_changes" from "anon";

alter table "public"."vendors"
    add column "trades" text[] not null default '{}'::text[];

alter table "public"."vendors"
    add column "license_number" text;

alter table "public"."vendors"
    add column "license_expires_on" date;

alter table "public"."vendors"
    add column "insurance_carrier" text;

alter table "public"."vendors"
    add column "insurance_policy_number" text;

alter table "public"."vendors"
    add column "insurance_expires_on" date;

create or replace function private.begin_maintenance_request()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    if new.request_number is null and (
        (select auth.uid()) is null
        or new.workspace_id = any (array(select private.workspaces_with('maintenance.write')))
    ) then
        new.request_number := private.take_request_numbers(new.workspace_id, 1);
    end if;
    -- Nowhere: the foreign key refuses it.
    new.location := coalesce(private.maintenance_location(new.workspace_id, new.property_id, new.unit_id), '');
    new.created_by := (select auth.uid());
    new.status := case
        when new.assigned_member_id is null and new.assigned_vendor_id is null then 'open' else 'assigned'
    end;
    new.vendor_accepted_at := null;
    new.scheduled_starts_at := null;
    new.scheduled_ends_at := null;
    new.completed_at := null;
    new.closed_at := null;
    return new;
end
$function$;

create or replace function private.date_maintenance_plan()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    if tg_op = 'UPDATE' then
        if (new.interval_unit, new.interval_count, new.anchor_on, new.ends_on, new.season_months)
            is not distinct from
            (old.interval_unit, old.interval_count, old.anchor_on, old.ends_on, old.season_months)
            and (old.status = 'active' or new.status = 'paused')
        then
            return new;
        end if;
    end if;
    new.next_due_on := private.next_plan_date(new, (
        select private.local_date(p.timezone, now())
        from public.properties as p
        where p.workspace_id = new.workspace_id and p.id = new.property_id
    ));
    return new;
end
$function$;

create or replace function private.default_maintenance_cost()
    returns trigger
    language plpgsql
    set search_path to ''
    AS $function$
begin
    if new.currency is null then
        select p.currency into new.currency
        from public.maintenance_requests as r
        join public.properties as p on p.workspace_id = r.workspace_id and p.id = r.property_id
        where r.workspace_id = new.workspace_id and r.id = new.request_id;
    end if;
    return new;
end
$function$;

create or replace function private.maintenance_location (
    p_workspace_id uuid,
    p_property_id uuid,
    p_unit_id uuid
)
    returns text
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return (
        select concat_ws(
            ', ', p.name, p.address_line1, nullif(btrim(p.address_line2), ''), p.city,
            nullif(concat_ws(' ', p.state, p.postal_code), ''), 'unit ' || u.unit_number
        )
        from public.properties as p
        left join public.units as u
            on u.workspace_id = p.workspace_id and u.property_id = p.id and u.id = p_unit_id
        where p.workspace_id = p_workspace_id and p.id = p_property_id
    );
end
$function$;

create or replace function private.move_maintenance_locations()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    if tg_table_name = 'properties' then
        update public.maintenance_requests as r
        set location = private.maintenance_location(r.workspace_id, r.property_id, r.unit_id)
        from touched as p
        join before as was on was.workspace_id = p.workspace_id and was.id = p.id
        where
            r.workspace_id = p.workspace_id
            and r.property_id = p.id
            and r.status not in ('closed', 'cancelled')
            and (p.name, p.address_line1, p.address_line2, p.city, p.state, p.postal_code)
            is distinct from
            (was.name, was.address_line1, was.address_line2, was.city, was.state, was.postal_code);
    else
        update public.maintenance_requests as r
        set location = private.maintenance_location(r.workspace_id, r.property_id, r.unit_id)
        from touched as u
        join before as was on was.workspace_id = u.workspace_id and was.id = u.id
        where
            r.workspace_id = u.workspace_id
            and r.unit_id = u.id
            and r.status not in ('closed', 'cancelled')
            and u.unit_number <> was.unit_number;
    end if;
    return null;
end
$function$;

create or replace function private.move_maintenance_request()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_reassigned boolean := (new.assigned_member_id, new.assigned_vendor_id)
    is distinct from (old.assigned_member_id, old.assigned_vendor_id);
    v_is_somebodys boolean := new.assigned_member_id is not null or new.assigned_vendor_id is not null;
begin
    -- Whoever leaves or is deleted leaves the work to be given to somebody else; whoever gets it agrees on a time anew.
    if v_reassigned and new.status = old.status and new.status not in ('completed', 'closed', 'cancelled') then
        new.status := case when v_is_somebodys then 'assigned' else 'open' end;
    end if;
    if new.status <> old.status and not exists (
        select from private.maintenance_transitions as t
        where t.from_status = old.status and t.to_status = new.status
    ) then
        perform private.fail(
            409, 'maintenance_transition_refused',
            format('Request %s is %s: from there it cannot become %s.', old.request_number, old.status, new.status),
            format('from=%s to=%s allowed=%s', old.status, new.status, (
                select string_agg(t.to_status, ',' order by t.to_status)
                from private.maintenance_transitions as t
                where t.from_status = old.status
            )),
            'Read the request again: somebody may have moved it on.'
        );
    end if;
    if new.status = 'open' then
        new.assigned_member_id := null;
        new.assigned_vendor_id := null;
    elsif new.status in ('assigned', 'scheduled', 'in_progress', 'on_hold') and not v_is_somebodys then
        perform private.fail(
            409, 'assignee_missing', format('Nobody is assigned to request %s.', old.request_number),
            p_hint := 'Assign a member or a vendor first: rpc/assign_maintenance.'
        );
    end if;
    if v_reassigned or new.status = 'open' then
        new.vendor_accepted_at := null;
    end if;
    if new.status in ('open', 'assigned') then
        new.scheduled_starts_at := null;
        new.scheduled_ends_at := null;
    elsif new.status = 'scheduled' and new.scheduled_starts_at is null then
        perform private.fail(
            422, 'window_invalid', 'A scheduled request has a window of time.',
            p_hint := 'Give it one with rpc/schedule_maintenance.'
        );
    end if;
    new.completed_at := case
        when new.status = 'closed' then old.completed_at
        when new.status = 'completed' then coalesce(old.completed_at, now())
    end;
    new.closed_at := case when new.status = 'closed' then coalesce(old.closed_at, now()) end;
    return new;
end
$function$;

create or replace function private.my_assigned_request_ids()
    returns SETOF uuid
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_user_id uuid := auth.uid();
begin
    return query
    select r.id
    from public.vendors as v
    join public.maintenance_requests as r on r.workspace_id = v.workspace_id and r.assigned_vendor_id = v.id
    where
        v.user_id = v_user_id
        and v.status = 'active';
end
$function$;

create or replace function private.my_household_request_ids()
    returns SETOF uuid
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return query
    select r.id
    from public.leases as l
    join public.maintenance_requests as r
        on r.workspace_id = l.workspace_id and r.property_id = l.property_id and r.lease_id = l.id
    where
        l.id = any (array(select private.my_current_lease_ids()))
        and r.shown_to_renter;
end
$function$;

create or replace function private.my_request_ids()
    returns SETOF uuid
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
begin
    return query
    select private.my_household_request_ids()
    union all
    select private.my_assigned_request_ids();
end
$function$;

create or replace function private.next_plan_date (
    p_plan public.maintenance_plans,
    p_from date
)
    returns date
    language plpgsql
    immutable
    set search_path to ''
    AS $function$
declare
    v_from date := greatest(p_from, p_plan.anchor_on);
begin
    return (
        select min(d.due_on)
        from private.plan_dates(p_plan, v_from, least(
            date '2200-01-01',
            private.plan_date(v_from, p_plan.interval_unit, p_plan.interval_count, 12) + 366
        )) as d (due_on)
    );
end
$function$;

create or replace function private.plan_date (
    p_anchor_on date,
    p_interval_unit text,
    p_interval_count integer,
    p_n integer
)
    returns date
    language sql
    immutable
    parallel safe
    strict
    set search_path to ''
    AS $function$
    select (p_anchor_on + case p_interval_unit
        when 'day' then make_interval(days => p_interval_count * p_n)
        when 'week' then make_interval(weeks => p_interval_count * p_n)
        when 'month' then make_interval(months => p_interval_count * p_n)
        when 'year' then make_interval(years => p_interval_count * p_n)
    end)::date
$function$;

create or replace function private.plan_dates (
    p_plan public.maintenance_plans,
    p_from date,
    p_until date
)
    returns SETOF date
    language plpgsql
    immutable
    set search_path to ''
    AS $function$
declare
    v_from date := greatest(p_from, p_plan.anchor_on);
    v_until date := least(p_until, p_plan.ends_on);
    -- Months between, for months and years; else days.
    v_is_calendar boolean := p_plan.interval_unit in ('month', 'year');
    v_length integer := p_plan.interval_count
    * case p_plan.interval_unit when 'week' then 7 when 'year' then 12 else 1 end;
    v_first integer;
    v_last integer;
begin
    if v_is_calendar then
        v_first := (
            (extract(year from v_from) - extract(year from p_plan.anchor_on)) * 12
            + extract(month from v_from) - extract(month from p_plan.anchor_on)
        )::integer / v_length;
        v_last := (
            (extract(year from v_until) - extract(year from p_plan.anchor_on)) * 12
            + extract(month from v_until) - extract(month from p_plan.anchor_on)
        )::integer / v_length;
    else
        v_first := (v_from - p_plan.anchor_on) / v_length;
        v_last := (v_until - p_plan.anchor_on) / v_length;
    end if;
    return query
    select d.due_on
    from generate_series(v_first, v_last) as s (n)
    cross join lateral (
        select private.plan_date(p_plan.anchor_on, p_plan.interval_unit, p_plan.interval_count, s.n) as due_on
    ) as d
    where
        d.due_on between v_from and v_until
        and (p_plan.season_months is null or extract(month from d.due_on)::integer = any (p_plan.season_months))
    order by d.due_on;
end
$function$;

create or replace function private.record_maintenance_status()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    if tg_op = 'INSERT' then
        insert into public.maintenance_status_changes (workspace_id, request_id, to_status, changed_by)
        select r.workspace_id, r.id, r.status, u.id
        from touched as r
        left join auth.users as u on u.id = (select auth.uid());
    else
        insert into public.maintenance_status_changes
            (workspace_id, request_id, from_status, to_status, reason, changed_by)
        select
            r.workspace_id, r.id, was.status, r.status,
            nullif(current_setting('freehold.maintenance_reason', true), ''), u.id
        from touched as r
        join before as was on was.workspace_id = r.workspace_id and was.id = r.id and was.status <> r.status
        -- A request may lose its vendor while it is itself deleted with its workspace.
        join public.maintenance_requests as still_there
            on still_there.workspace_id = r.workspace_id and still_there.id = r.id
        left join auth.users as u on u.id = (select auth.uid());
    end if;
    return null;
end
$function$;

create or replace function private.sign_maintenance_comment()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    new.author_id := (select auth.uid());
    if new.author_id is null then
        new.author_kind := 'system';
    elsif new.workspace_id in (select private.workspaces_with('maintenance.write')) then
        new.author_kind := 'member';
    else
        new.author_kind := case
            when new.request_id in (select private.my_assigned_request_ids()) then 'vendor' else 'renter'
        end;
        new.visible_to_vendor := new.author_kind = 'vendor';
        new.visible_to_renter := new.author_kind = 'renter';
    end if;
    return new;
end
$function$;

create or replace function private.take_request_numbers (
    p_workspace_id uuid,
    p_count integer
)
    returns integer
    language sql
    security definer
    set search_path to ''
    AS $function$
    insert into private.maintenance_counters as c (workspace_id, last_number)
    values (p_workspace_id, p_count)
    on conflict (workspace_id) do update set last_number = c.last_number + p_count
    returning c.last_number - p_count + 1
$function$;

alter table "private"."maintenance_counters"
    add constraint "maintenance_counters_workspace_id_fkey" foreign key (workspace_id) references public.workspaces(id)
        on delete cascade;

alter table "public"."maintenance_comments"
    add constraint "maintenance_comments_author_id_fkey" foreign key (author_id) references auth.users(id) on delete
        set null;

alter table "public"."maintenance_plans"
    add constraint "maintenance_plans_workspace_id_assigned_member_id_fkey"
        foreign key (workspace_id, assigned_member_id) references public.workspace_members(workspace_id, user_id)
        on delete set null (assigned_member_id);

alter table "public"."maintenance_plans"
    add constraint "maintenance_plans_workspace_id_assigned_vendor_id_fkey"
        foreign key (workspace_id, assigned_vendor_id) references public.vendors(workspace_id, id) on delete
        set null (assigned_vendor_id);

alter table "public"."maintenance_plans"
    add constraint "maintenance_plans_workspace_id_property_id_fkey" foreign key (workspace_id, property_id)
        references public.properties(workspace_id, id) on delete cascade;

alter table "public"."maintenance_plans"
    add constraint "maintenance_plans_workspace_id_property_id_unit_id_fkey"
        foreign key (workspace_id, property_id, unit_id) references public.units(workspace_id, property_id, id)
        on delete cascade;

alter table "public"."maintenance_requests"
    add constraint "maintenance_requests_created_by_fkey" foreign key (created_by) references auth.users(id) on delete
        set null;

alter table "public"."maintenance_requests"
    add constraint "maintenance_requests_workspace_id_assigned_member_id_fkey"
        foreign key (workspace_id, assigned_member_id) references public.workspace_members(workspace_id, user_id)
        on delete set null (assigned_member_id);

alter table "public"."maintenance_requests"
    add constraint "maintenance_requests_workspace_id_assigned_vendor_id_fkey"
        foreign key (workspace_id, assigned_vendor_id) references public.vendors(workspace_id, id) on delete
        set null (assigned_vendor_id);

alter table "public"."maintenance_comments"
    add constraint "maintenance_comments_workspace_id_request_id_fkey" foreign key (workspace_id, request_id)
        references public.maintenance_requests(workspace_id, id) on delete cascade;

alter table "public"."maintenance_costs"
    add constraint "maintenance_costs_workspace_id_request_id_fkey" foreign key (workspace_id, request_id)
        references public.maintenance_requests(workspace_id, id) on delete cascade;

alter table "public"."maintenance_requests"
    add constraint "maintenance_requests_workspace_id_plan_id_fkey" foreign key (workspace_id, plan_id)
        references public.maintenance_plans(workspace_id, id) on delete set null (plan_id);

alter table "public"."maintenance_requests"
    add constraint "maintenance_requests_workspace_id_property_id_fkey" foreign key (workspace_id, property_id)
        references public.properties(workspace_id, id) on delete cascade;

alter table "public"."maintenance_requests"
    add constraint "maintenance_requests_workspace_id_property_id_lease_id_fkey"
        foreign key (workspace_id, property_id, lease_id) references public.leases(workspace_id, property_id, id)
        on delete set null (lease_id);

alter table "public"."maintenance_requests"
    add constraint "maintenance_requests_workspace_id_property_id_unit_id_fkey"
        foreign key (workspace_id, property_id, unit_id) references public.units(workspace_id, property_id, id)
        on delete set null (unit_id);

alter table "public"."maintenance_requests"
    add constraint "maintenance_requests_workspace_id_tenant_id_fkey" foreign key (workspace_id, tenant_id)
        references public.tenants(workspace_id, id) on delete set null (tenant_id);

alter table "public"."maintenance_status_changes"
    add constraint "maintenance_status_changes_changed_by_fkey" foreign key (changed_by) references auth.users(id)
        on delete set null;

alter table "public"."maintenance_status_changes"
    add constraint "maintenance_status_changes_workspace_id_request_id_fkey" foreign key (workspace_id, request_id)
        references public.maintenance_requests(workspace_id, id) on delete cascade;

alter table "public"."vendors"
    -- Its column is new: no row has a value yet.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "vendors_insurance_carrier_check"
        check (((length(insurance_carrier) <= 120) AND (btrim(insurance_carrier) <> ''::text)));

alter table "public"."vendors"
    -- Its column is new: no row has a value yet.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "vendors_insurance_expires_on_check"
        check (((insurance_expires_on >= '1900-01-01'::date) AND (insurance_expires_on <= '2200-01-01'::date)));

alter table "public"."vendors"
    -- Its column is new: no row has a value yet.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "vendors_insurance_policy_number_check"
        check (((length(insurance_policy_number) <= 60) AND (btrim(insurance_policy_number) <> ''::text)));

alter table "public"."vendors"
    -- Its column is new: no row has a value yet.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "vendors_license_expires_on_check"
        check (((license_expires_on >= '1900-01-01'::date) AND (license_expires_on <= '2200-01-01'::date)));

alter table "public"."vendors"
    -- Its column is new: no row has a value yet.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "vendors_license_number_check"
        check (((length(license_number) <= 60) AND (btrim(license_number) <> ''::text)));

alter table "public"."vendors"
    -- Its column is new: no row has a value yet.
    -- squawk-ignore constraint-missing-not-valid
    add constraint "vendors_trades_check"
        check
        (((trades <@ ARRAY['appliance'::text, 'carpentry'::text, 'cleaning'::text, 'electrical'::text, 'flooring'::text,
        'heating_cooling'::text,
        'inspection'::text,
        'landscaping'::text,
        'locksmith'::text,
        'other'::text,
        'painting'::text,
        'pest_control'::text, 'plumbing'::text, 'roofing'::text, 'safety'::text]) AND (cardinality(trades) <= 15)));

create index maintenance_comments_author_id_idx on public.maintenance_comments using btree (author_id)
    where (author_id is not null);

create index maintenance_comments_request_id_idx on public.maintenance_comments
    using btree (workspace_id, request_id, created_at);

create index maintenance_plans_assigned_member_id_idx on public.maintenance_plans
    using btree (workspace_id, assigned_member_id)
    where (assigned_member_id is not null);

create index maintenance_plans_assigned_vendor_id_idx on public.maintenance_plans
    using btree (workspace_id, assigned_vendor_id)
    where (assigned_vendor_id is not null);

create index maintenance_plans_next_creation_on_idx on public.maintenance_plans
    using btree (next_creation_on, workspace_id, id)
    where (status = 'active'::text);

create index maintenance_plans_next_due_on_idx on public.maintenance_plans using btree (workspace_id, next_due_on);

create index maintenance_plans_property_id_idx on public.maintenance_plans
    using btree (workspace_id, property_id, unit_id);

create index maintenance_requests_assigned_member_id_idx on public.maintenance_requests
    using btree (workspace_id, assigned_member_id, status)
    where (assigned_member_id is not null);

create index maintenance_requests_assigned_vendor_id_idx on public.maintenance_requests
    using btree (workspace_id, assigned_vendor_id, status)
    where (assigned_vendor_id is not null);

create index maintenance_requests_created_at_idx on public.maintenance_requests
    using btree (workspace_id, created_at desc);

create index maintenance_requests_created_by_idx on public.maintenance_requests using btree (created_by)
    where (created_by is not null);

create index maintenance_requests_due_on_idx on public.maintenance_requests using btree (workspace_id, due_on)
    where (due_on is not null);

create index maintenance_requests_lease_id_idx on public.maintenance_requests
    using btree (workspace_id, property_id, lease_id)
    where (lease_id is not null);

create unique index maintenance_requests_plan_key on public.maintenance_requests
    using btree (workspace_id, plan_id, plan_due_on)
    where (plan_id is not null);

create index maintenance_requests_priority_idx on public.maintenance_requests
    using btree (workspace_id, priority, status);

create index maintenance_requests_property_id_idx on public.maintenance_requests
    using btree (workspace_id, property_id, unit_id);

create index maintenance_requests_status_idx on public.maintenance_requests
    using btree (workspace_id, status, created_at desc);

create index maintenance_requests_tenant_id_idx on public.maintenance_requests using btree (workspace_id, tenant_id)
    where (tenant_id is not null);

create index maintenance_requests_unit_id_idx on public.maintenance_requests using btree (workspace_id, unit_id)
    where (unit_id is not null);

create index maintenance_status_changes_changed_by_idx on public.maintenance_status_changes using btree (changed_by)
    where (changed_by is not null);

create index maintenance_status_changes_request_id_idx on public.maintenance_status_changes
    using btree (workspace_id, request_id, recorded_at);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index vendors_insurance_expires_on_idx on public.vendors using btree (workspace_id, insurance_expires_on);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index vendors_license_expires_on_idx on public.vendors using btree (workspace_id, license_expires_on);

-- Short: built under the statement timeout above.
-- squawk-ignore require-concurrent-index-creation
create index vendors_status_idx on public.vendors using btree (workspace_id, status);

create trigger record_deletes after delete on public.maintenance_comments
    referencing OLD table as old_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{body}'
);

create trigger record_inserts after insert on public.maintenance_comments
    referencing NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{body}'
);

create trigger record_updates after update on public.maintenance_comments
    referencing OLD table as old_rows NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{body}'
);

create trigger refuse_truncate
    before truncate on public.maintenance_comments
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger sign_maintenance_comment
    before insert on public.maintenance_comments
    for each row
    execute function private.sign_maintenance_comment();

create trigger default_maintenance_cost
    before insert on public.maintenance_costs
    for each row
    execute function private.default_maintenance_cost();

create trigger record_deletes
    after delete on public.maintenance_costs referencing OLD table as old_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_inserts
    after insert on public.maintenance_costs referencing NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger record_updates
    after update on public.maintenance_costs referencing OLD table as old_rows NEW table as new_rows
    for each STATEMENT
    execute function private.record_changes();

create trigger refuse_truncate
    before truncate on public.maintenance_costs
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger touch_updated_at
    before update on public.maintenance_costs
    for each row
    execute function private.touch_updated_at();

create trigger date_maintenance_plan
    before insert or update on public.maintenance_plans
    for each row
    execute function private.date_maintenance_plan();

create trigger record_deletes after delete on public.maintenance_plans
    referencing OLD table as old_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{description, access_notes}'
);

create trigger record_inserts after insert on public.maintenance_plans
    referencing NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{description, access_notes}'
);

create trigger record_updates after update on public.maintenance_plans
    referencing OLD table as old_rows NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{description, access_notes}'
);

create trigger refuse_truncate
    before truncate on public.maintenance_plans
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger touch_updated_at
    before update on public.maintenance_plans
    for each row
    execute function private.touch_updated_at();

create trigger begin_maintenance_request
    before insert on public.maintenance_requests
    for each row
    execute function private.begin_maintenance_request();

create trigger move_maintenance_request
    before update of status, assigned_member_id, assigned_vendor_id on public.maintenance_requests
    for each row
    execute function private.move_maintenance_request();

create trigger record_deletes after delete on public.maintenance_requests
    referencing OLD table as old_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{title, description, access_notes}'
);

create trigger record_inserts after insert on public.maintenance_requests
    referencing NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{title, description, access_notes}'
);

create trigger record_maintenance_status_on_insert
    after insert on public.maintenance_requests referencing NEW table as touched
    for each STATEMENT
    execute function private.record_maintenance_status();

create trigger record_maintenance_status_on_update
    after update on public.maintenance_requests referencing OLD table as
    before NEW table as touched
    for each STATEMENT
    execute function private.record_maintenance_status();

create trigger record_updates after update on public.maintenance_requests
    referencing OLD table as old_rows NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{title, description, access_notes}'
);

create trigger refuse_truncate
    before truncate on public.maintenance_requests
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger touch_updated_at
    before update on public.maintenance_requests
    for each row
    execute function private.touch_updated_at();

create trigger record_deletes after delete on public.maintenance_status_changes
    referencing OLD table as old_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{reason}'
);

create trigger record_inserts after insert on public.maintenance_status_changes
    referencing NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{reason}'
);

create trigger record_updates after update on public.maintenance_status_changes
    referencing OLD table as old_rows NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{reason}'
);

create trigger refuse_truncate
    before truncate on public.maintenance_status_changes
    for each STATEMENT
    execute function private.refuse_truncate();

create trigger move_maintenance_locations
    after update on public.properties referencing OLD table as
    before NEW table as touched
    for each STATEMENT
    execute function private.move_maintenance_locations();

create trigger move_maintenance_locations
    after update on public.units referencing OLD table as
    before NEW table as touched
    for each STATEMENT
    execute function private.move_maintenance_locations();

create trigger record_deletes after delete on public.vendors
    referencing OLD table as old_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{name, email, phone, license_number, insurance_policy_number}'
);

create trigger record_inserts after insert on public.vendors
    referencing NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{name, email, phone, license_number, insurance_policy_number}'
);

create trigger record_updates after update on public.vendors
    referencing OLD table as old_rows NEW table as new_rows for each STATEMENT execute function private.record_changes (
    '{id}',
    '{name, email, phone, license_number, insurance_policy_number}'
);

create policy "members_and_portal_insert" on "public"."maintenance_comments"
    for insert
    to "authenticated"
    with
        check
        (((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('maintenance.write'::text) AS workspaces_with))) OR
        (request_id = ANY (ARRAY( SELECT private.my_request_ids() AS my_request_ids)))));

create policy "members_and_portal_select" on "public"."maintenance_comments"
    for select
    to "authenticated"
    using
        (((workspace_id = ANY (ARRAY( select private.workspaces_in_reach('maintenance.read'::text) as
        workspaces_in_reach))) AND
        (( select (not private.has_portal())) or (workspace_id in ( select
        private.workspaces_with('maintenance.read'::text) as workspaces_with)) or
        (visible_to_renter AND (request_id in ( select private.my_household_request_ids() as my_household_request_ids)))
        or
        (visible_to_vendor AND (request_id in ( select private.my_assigned_request_ids() as
        my_assigned_request_ids))))));

create policy "members_update" on "public"."maintenance_comments"
    for update
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.write'::text) as workspaces_with))))
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('maintenance.write'::text) AS workspaces_with))));

create policy "members_delete" on "public"."maintenance_costs"
    for delete
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('money.write'::text) as workspaces_with))));

create policy "members_insert" on "public"."maintenance_costs"
    for insert
    to "authenticated"
    with check ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('money.write'::text) AS workspaces_with))));

create policy "members_select" on "public"."maintenance_costs"
    for select
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('money.read'::text) as workspaces_with))));

create policy "members_update" on "public"."maintenance_costs"
    for update
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('money.write'::text) as workspaces_with))))
    with check ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('money.write'::text) AS workspaces_with))));

create policy "members_delete" on "public"."maintenance_plans"
    for delete
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.write'::text) as workspaces_with))));

create policy "members_insert" on "public"."maintenance_plans"
    for insert
    to "authenticated"
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('maintenance.write'::text) AS workspaces_with))));

create policy "members_select" on "public"."maintenance_plans"
    for select
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.read'::text) as workspaces_with))));

create policy "members_update" on "public"."maintenance_plans"
    for update
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.write'::text) as workspaces_with))))
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('maintenance.write'::text) AS workspaces_with))));

create policy "members_and_portal_select" on "public"."maintenance_requests"
    for select
    to "authenticated"
    using
        (((workspace_id = ANY (ARRAY( select private.workspaces_in_reach('maintenance.read'::text) as
        workspaces_in_reach))) AND
        (( select (not private.has_portal())) or (workspace_id in ( select
        private.workspaces_with('maintenance.read'::text) as workspaces_with)) or
        (id in ( select private.my_request_ids() as my_request_ids)))));

create policy "members_insert" on "public"."maintenance_requests"
    for insert
    to "authenticated"
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('maintenance.write'::text) AS workspaces_with))));

create policy "members_update" on "public"."maintenance_requests"
    for update
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.write'::text) as workspaces_with))))
    with
        check
        ((workspace_id = ANY (ARRAY( SELECT private.workspaces_with('maintenance.write'::text) AS workspaces_with))));

create policy "members_select" on "public"."maintenance_status_changes"
    for select
    to "authenticated"
    using ((workspace_id = ANY (ARRAY( select private.workspaces_with('maintenance.read'::text) as workspaces_with))));

comment on column "public"."maintenance_comments"."author_id" is 'The account (auth.users) that wrote it; empty once that is deleted. Kept by the database.';

comment on column "public"."maintenance_comments"."author_kind" is 'member, renter, vendor or system. Kept by the database.';

comment on column "public"."maintenance_comments"."body" is 'The words, 1 to 8,000 characters.';

comment on column "public"."maintenance_comments"."created_at" is 'When it was written.';

comment on column "public"."maintenance_comments"."id" is 'Identifies the comment.';

comment on column "public"."maintenance_comments"."request_id" is 'The request.';

comment on column "public"."maintenance_comments"."visible_to_renter" is 'Whether the household that sees the request reads it.';

comment on column "public"."maintenance_comments"."visible_to_vendor" is 'Whether the vendor that the request is assigned to reads it: today''s, and whoever comes after.';

comment on column "public"."maintenance_comments"."workspace_id" is 'The workspace that manages the request.';

comment on column "public"."maintenance_costs"."actual_minor" is 'What it did cost, in minor units (cents).';

comment on column "public"."maintenance_costs"."created_at" is 'When the row was made.';

comment on column "public"."maintenance_costs"."currency" is 'ISO 4217 code of both. Defaults to the property''s.';

comment on column "public"."maintenance_costs"."estimate_minor" is 'What it is thought to cost, in minor units (cents).';

comment on column "public"."maintenance_costs"."id" is 'Identifies the row.';

comment on column "public"."maintenance_costs"."request_id" is 'The request.';

comment on column "public"."maintenance_costs"."updated_at" is 'When the row last changed.';

comment on column "public"."maintenance_costs"."workspace_id" is 'The workspace that manages the request.';

comment on column "public"."maintenance_plans"."access_notes" is 'How to get in; the vendor reads it.';

comment on column "public"."maintenance_plans"."anchor_on" is 'First due date, from which all others are counted.';

comment on column "public"."maintenance_plans"."assigned_member_id" is 'The member who gets each request, unless a vendor does.';

comment on column "public"."maintenance_plans"."assigned_vendor_id" is 'The vendor who gets each request, if active by then.';

comment on column "public"."maintenance_plans"."category" is 'As in maintenance_requests.';

comment on column "public"."maintenance_plans"."created_at" is 'When the row was made.';

comment on column "public"."maintenance_plans"."description" is 'What each request will say.';

comment on column "public"."maintenance_plans"."ends_on" is 'Last day on which work can fall due; empty: it goes on.';

comment on column "public"."maintenance_plans"."id" is 'Identifies the plan.';

comment on column "public"."maintenance_plans"."interval_count" is 'How many of those lie between two due dates.';

comment on column "public"."maintenance_plans"."interval_unit" is 'day, week, month or year.';

comment on column "public"."maintenance_plans"."lead_days" is 'How many days before its due date a request is created.';

comment on column "public"."maintenance_plans"."next_creation_on" is 'When its request will be created.';

comment on column "public"."maintenance_plans"."next_due_on" is 'The next due date without a request. Kept by the database; empty:
none is left (looked for twelve intervals and a year ahead).';

comment on column "public"."maintenance_plans"."priority" is 'As in maintenance_requests.';

comment on column "public"."maintenance_plans"."property_id" is 'Where the work is done.';

comment on column "public"."maintenance_plans"."season_months" is 'Months (1 to 12) in which the work is done; due dates in others are left out. Empty: all year.';

comment on column "public"."maintenance_plans"."shown_to_renter" is 'Whether renters of the unit see the requests, and with which lease each is therefore made.';

comment on column "public"."maintenance_plans"."status" is 'active or paused. A plan that is taken up again goes on with the next date ahead.';

comment on column "public"."maintenance_plans"."title" is 'What each request will be called, 1 to 200 characters.';

comment on column "public"."maintenance_plans"."unit_id" is 'The unit of that property; empty: the property as a whole.';

comment on column "public"."maintenance_plans"."updated_at" is 'When the row last changed.';

comment on column "public"."maintenance_plans"."workspace_id" is 'The workspace that manages it.';

comment on column "public"."maintenance_requests"."access_notes" is 'How to get in: keys, codes, dogs. Vendor and renter read it.';

comment on column "public"."maintenance_requests"."assigned_member_id" is 'The member (auth.users) who is to do it, unless a vendor is. Set with `rpc/assign_maintenance`.';

comment on column "public"."maintenance_requests"."assigned_vendor_id" is 'The vendor who is to do it, and sees it for so long. Set with `rpc/assign_maintenance`.';

comment on column "public"."maintenance_requests"."category" is 'appliance, carpentry, cleaning, electrical, flooring, heating_cooling,
inspection, landscaping, locksmith, other, painting, pest_control, plumbing, roofing or safety: a vendor''s trade.';

comment on column "public"."maintenance_requests"."closed_at" is 'When nothing was left to do about it.';

comment on column "public"."maintenance_requests"."completed_at" is 'When the work was done.';

comment on column "public"."maintenance_requests"."created_at" is 'When the row was made.';

comment on column "public"."maintenance_requests"."created_by" is 'Who asked for it; empty for a plan or a deleted account.';

comment on column "public"."maintenance_requests"."description" is 'What is wrong, at length; read by the renter and the vendor, too.';

comment on column "public"."maintenance_requests"."due_on" is 'By which day it should be done, at the property.';

comment on column "public"."maintenance_requests"."id" is 'Identifies the request.';

comment on column "public"."maintenance_requests"."lease_id" is 'The lease, of the same property, whose household it is about; empty: no renter sees it.';

comment on column "public"."maintenance_requests"."location" is 'Name and address of the property, and the unit, for a vendor, who sees neither. Kept by the database until it is finished.';

comment on column "public"."maintenance_requests"."permission_to_enter" is 'Whether the renters let somebody in while they are out.';

comment on column "public"."maintenance_requests"."plan_due_on" is 'Which of the plan''s dates it stands for.';

comment on column "public"."maintenance_requests"."plan_id" is 'The plan that created it; empty: somebody asked for it.';

comment on column "public"."maintenance_requests"."priority" is 'emergency, high, normal or low.';

comment on column "public"."maintenance_requests"."property_id" is 'Where the work is done.';

comment on column "public"."maintenance_requests"."request_number" is 'Counts the workspace''s requests, for people to say; a number may be left out. Given by the database.';

comment on column "public"."maintenance_requests"."scheduled_ends_at" is 'When they will have come, at the latest.';

comment on column "public"."maintenance_requests"."scheduled_starts_at" is 'When somebody will come, at the earliest. Set with `rpc/schedule_maintenance`.';

comment on column "public"."maintenance_requests"."shown_to_renter" is 'Whether the household of `lease_id` sees it. What a renter reports is shown to them.';

comment on column "public"."maintenance_requests"."status" is 'open (nobody is on it), assigned, scheduled, in_progress, on_hold, completed,
closed or cancelled. Moved by RPCs and by what they change; only along the edges that docs/explanation/maintenance.md draws.';

comment on column "public"."maintenance_requests"."tenant_id" is 'The renter who reported it.';

comment on column "public"."maintenance_requests"."title" is 'What is wrong, in a line of 1 to 200 characters.';

comment on column "public"."maintenance_requests"."unit_id" is 'The unit of that property; empty: the property as a whole.';

comment on column "public"."maintenance_requests"."updated_at" is 'When the row last changed.';

comment on column "public"."maintenance_requests"."vendor_accepted_at" is 'When that vendor took it on with `rpc/accept_maintenance`; empty again once it goes to another.';

comment on column "public"."maintenance_requests"."workspace_id" is 'The workspace that manages it.';

comment on column "public"."maintenance_status_changes"."changed_by" is 'Who did it, a renter or vendor included; empty for the system or a deleted account.';

comment on column "public"."maintenance_status_changes"."from_status" is 'Status before; empty for the first.';

comment on column "public"."maintenance_status_changes"."id" is 'Identifies the row.';

comment on column "public"."maintenance_status_changes"."reason" is 'Why, in the words of whoever moved it.';

comment on column "public"."maintenance_status_changes"."recorded_at" is 'When the database learned of it.';

comment on column "public"."maintenance_status_changes"."request_id" is 'The request.';

comment on column "public"."maintenance_status_changes"."to_status" is 'Status after.';

comment on column "public"."maintenance_status_changes"."workspace_id" is 'The workspace that manages the request.';

comment on column "public"."vendors"."insurance_carrier" is 'Who insures their liability.';

comment on column "public"."vendors"."insurance_expires_on" is 'Last day on which the insurance covers them.';

comment on column "public"."vendors"."insurance_policy_number" is 'Number of that policy.';

comment on column "public"."vendors"."license_expires_on" is 'Last day on which the licence is valid.';

comment on column "public"."vendors"."license_number" is 'Number of their trade licence.';

comment on column "public"."vendors"."status" is 'active or inactive. An inactive vendor is given no work, and sees none of it in the portal.';

comment on column "public"."vendors"."trades" is 'What they do, in the words of maintenance_requests.category; filter with `trades=cs.{plumbing}`.';

comment on table "private"."maintenance_counters" is 'The last request number of each workspace. Who takes one holds the row until the end of their transaction.';

comment on table "private"."maintenance_transitions" is 'Every edge that a maintenance request''s status may take. Reference data, written by migrations.';

comment on table "public"."maintenance_comments" is 'What was said about a request.

A member''s comment is internal unless shown to the renter, the vendor, or both. A renter''s is for the members and the
household, a vendor''s for the members and the vendor, whatever they send; members may then show it to the other side. What was
said is neither changed nor deleted.';

comment on table "public"."maintenance_costs" is 'What a request is thought to cost, and did: one row for each request.

Apart from the request, which renters and vendors may read; they see no cost.';

comment on table "public"."maintenance_plans" is 'Work that comes round: every so many days, weeks, months or years.

The schedule creates a request `lead_days` before each due date, once. Dates are counted from the anchor: one on the 31st falls on
a shorter month''s last day, and on the 31st again after it. Of dates that passed while nothing ran, or while the plan was
paused, at most the last becomes a request; dates before the plan was made never do.';

comment on table "public"."maintenance_requests" is 'Work to be done on a property or a unit.

Members with `maintenance.write` insert requests, renters open them with `rpc/report_maintenance`, and plans create them ahead of
time. `rpc/assign_maintenance`, `rpc/schedule_maintenance` and `rpc/change_maintenance_status` move them on; each status is
kept in maintenance_status_changes, what was said in maintenance_comments, and what it costs in maintenance_costs. A
request is never deleted: it is cancelled. A renter sees what is shown to their household for as long as its lease is
current, a vendor what is assigned to them for as long as it is.';

comment on table "public"."maintenance_status_changes" is 'Every status that a request has had, who moved it there, and why. Written by the database alone; read by members.';

comment on table "public"."vendors" is 'Firms and people who work on the properties: plumbers, cleaners, inspectors.

A vendor who accepted an invitation signs in and sees the maintenance requests that are assigned to them, for as long as
they are assigned and the vendor is active.';

revoke all on function "private"."begin_maintenance_request"() from public;

revoke all on function "private"."begin_maintenance_request"() from "postgres";

grant execute on function "private"."begin_maintenance_request"() to "postgres";

revoke all on function "private"."date_maintenance_plan"() from public;

revoke all on function "private"."date_maintenance_plan"() from "postgres";

grant execute on function "private"."date_maintenance_plan"() to "postgres";

revoke all on function "private"."default_maintenance_cost"() from public;

revoke all on function "private"."default_maintenance_cost"() from "postgres";

grant execute on function "private"."default_maintenance_cost"() to "postgres";

revoke all on function "private"."maintenance_location"(uuid, uuid, uuid) from public;

revoke all on function "private"."maintenance_location"(uuid, uuid, uuid) from "postgres";

grant execute on function "private"."maintenance_location"(uuid, uuid, uuid) to "postgres";

revoke all on function "private"."move_maintenance_locations"() from public;

revoke all on function "private"."move_maintenance_locations"() from "postgres";

grant execute on function "private"."move_maintenance_locations"() to "postgres";

revoke all on function "private"."move_maintenance_request"() from public;

revoke all on function "private"."move_maintenance_request"() from "postgres";

grant execute on function "private"."move_maintenance_request"() to "postgres";

revoke all on function "private"."my_assigned_request_ids"() from public;

grant execute on function "private"."my_assigned_request_ids"() to "authenticated";

revoke all on function "private"."my_assigned_request_ids"() from "postgres";

grant execute on function "private"."my_assigned_request_ids"() to "postgres";

revoke all on function "private"."my_household_request_ids"() from public;

grant execute on function "private"."my_household_request_ids"() to "authenticated";

revoke all on function "private"."my_household_request_ids"() from "postgres";

grant execute on function "private"."my_household_request_ids"() to "postgres";

revoke all on function "private"."my_request_ids"() from public;

grant execute on function "private"."my_request_ids"() to "authenticated";

revoke all on function "private"."my_request_ids"() from "postgres";

grant execute on function "private"."my_request_ids"() to "postgres";

revoke all on function "private"."next_plan_date"(public.maintenance_plans, date) from public;

revoke all on function "private"."next_plan_date"(public.maintenance_plans, date) from "postgres";

grant execute on function "private"."next_plan_date"(public.maintenance_plans, date) to "postgres";

revoke all on function "private"."plan_date"(date, text, integer, integer) from public;

revoke all on function "private"."plan_date"(date, text, integer, integer) from "postgres";

grant execute on function "private"."plan_date"(date, text, integer, integer) to "postgres";

revoke all on function "private"."plan_dates"(public.maintenance_plans, date, date) from public;

revoke all on function "private"."plan_dates"(public.maintenance_plans, date, date) from "postgres";

grant execute on function "private"."plan_dates"(public.maintenance_plans, date, date) to "postgres";

revoke all on function "private"."record_maintenance_status"() from public;

revoke all on function "private"."record_maintenance_status"() from "postgres";

grant execute on function "private"."record_maintenance_status"() to "postgres";

revoke all on function "private"."sign_maintenance_comment"() from public;

revoke all on function "private"."sign_maintenance_comment"() from "postgres";

grant execute on function "private"."sign_maintenance_comment"() to "postgres";

revoke all on function "private"."take_request_numbers"(uuid, integer) from public;

revoke all on function "private"."take_request_numbers"(uuid, integer) from "postgres";

grant execute on function "private"."take_request_numbers"(uuid, integer) to "postgres";

revoke all on table "public"."maintenance_comments" from "authenticated";

revoke all ("body") on table "public"."maintenance_comments" from "authenticated";

grant insert ("body") on table "public"."maintenance_comments" to "authenticated";

revoke all ("request_id") on table "public"."maintenance_comments" from "authenticated";

grant insert ("request_id") on table "public"."maintenance_comments" to "authenticated";

revoke all ("visible_to_renter") on table "public"."maintenance_comments" from "authenticated";

grant insert ("visible_to_renter"), update ("visible_to_renter")
    on table "public"."maintenance_comments"
    to "authenticated";

revoke all ("visible_to_vendor") on table "public"."maintenance_comments" from "authenticated";

grant insert ("visible_to_vendor"), update ("visible_to_vendor")
    on table "public"."maintenance_comments"
    to "authenticated";

revoke all ("workspace_id") on table "public"."maintenance_comments" from "authenticated";

grant insert ("workspace_id") on table "public"."maintenance_comments" to "authenticated";

grant select on table "public"."maintenance_comments" to "authenticated";

revoke all on table "public"."maintenance_comments" from "service_role";

grant select on table "public"."maintenance_comments" to "service_role";

revoke all on table "public"."maintenance_costs" from "authenticated";

revoke all ("actual_minor") on table "public"."maintenance_costs" from "authenticated";

grant insert ("actual_minor"), update ("actual_minor") on table "public"."maintenance_costs" to "authenticated";

revoke all ("currency") on table "public"."maintenance_costs" from "authenticated";

grant insert ("currency"), update ("currency") on table "public"."maintenance_costs" to "authenticated";

revoke all ("estimate_minor") on table "public"."maintenance_costs" from "authenticated";

grant insert ("estimate_minor"), update ("estimate_minor") on table "public"."maintenance_costs" to "authenticated";

revoke all ("request_id") on table "public"."maintenance_costs" from "authenticated";

grant insert ("request_id") on table "public"."maintenance_costs" to "authenticated";

revoke all ("workspace_id") on table "public"."maintenance_costs" from "authenticated";

grant insert ("workspace_id") on table "public"."maintenance_costs" to "authenticated";

grant delete, select on table "public"."maintenance_costs" to "authenticated";

revoke all on table "public"."maintenance_costs" from "service_role";

grant select on table "public"."maintenance_costs" to "service_role";

revoke all on table "public"."maintenance_plans" from "authenticated";

revoke all ("access_notes") on table "public"."maintenance_plans" from "authenticated";

grant insert ("access_notes"), update ("access_notes") on table "public"."maintenance_plans" to "authenticated";

revoke all ("anchor_on") on table "public"."maintenance_plans" from "authenticated";

grant insert ("anchor_on"), update ("anchor_on") on table "public"."maintenance_plans" to "authenticated";

revoke all ("assigned_member_id") on table "public"."maintenance_plans" from "authenticated";

grant insert ("assigned_member_id"), update ("assigned_member_id")
    on table "public"."maintenance_plans"
    to "authenticated";

revoke all ("assigned_vendor_id") on table "public"."maintenance_plans" from "authenticated";

grant insert ("assigned_vendor_id"), update ("assigned_vendor_id")
    on table "public"."maintenance_plans"
    to "authenticated";

revoke all ("category") on table "public"."maintenance_plans" from "authenticated";

grant insert ("category"), update ("category") on table "public"."maintenance_plans" to "authenticated";

revoke all ("description") on table "public"."maintenance_plans" from "authenticated";

grant insert ("description"), update ("description") on table "public"."maintenance_plans" to "authenticated";

revoke all ("ends_on") on table "public"."maintenance_plans" from "authenticated";

grant insert ("ends_on"), update ("ends_on") on table "public"."maintenance_plans" to "authenticated";

revoke all ("interval_count") on table "public"."maintenance_plans" from "authenticated";

grant insert ("interval_count"), update ("interval_count") on table "public"."maintenance_plans" to "authenticated";

revoke all ("interval_unit") on table "public"."maintenance_plans" from "authenticated";

grant insert ("interval_unit"), update ("interval_unit") on table "public"."maintenance_plans" to "authenticated";

revoke all ("lead_days") on table "public"."maintenance_plans" from "authenticated";

grant insert ("lead_days"), update ("lead_days") on table "public"."maintenance_plans" to "authenticated";

revoke all ("priority") on table "public"."maintenance_plans" from "authenticated";

grant insert ("priority"), update ("priority") on table "public"."maintenance_plans" to "authenticated";

revoke all ("property_id") on table "public"."maintenance_plans" from "authenticated";

grant insert ("property_id") on table "public"."maintenance_plans" to "authenticated";

revoke all ("season_months") on table "public"."maintenance_plans" from "authenticated";

grant insert ("season_months"), update ("season_months") on table "public"."maintenance_plans" to "authenticated";

revoke all ("shown_to_renter") on table "public"."maintenance_plans" from "authenticated";

grant insert ("shown_to_renter"), update ("shown_to_renter") on table "public"."maintenance_plans" to "authenticated";

revoke all ("status") on table "public"."maintenance_plans" from "authenticated";

grant insert ("status"), update ("status") on table "public"."maintenance_plans" to "authenticated";

revoke all ("title") on table "public"."maintenance_plans" from "authenticated";

grant insert ("title"), update ("title") on table "public"."maintenance_plans" to "authenticated";

revoke all ("unit_id") on table "public"."maintenance_plans" from "authenticated";

grant insert ("unit_id") on table "public"."maintenance_plans" to "authenticated";

revoke all ("workspace_id") on table "public"."maintenance_plans" from "authenticated";

grant insert ("workspace_id") on table "public"."maintenance_plans" to "authenticated";

grant delete, select on table "public"."maintenance_plans" to "authenticated";

revoke all on table "public"."maintenance_plans" from "service_role";

grant select on table "public"."maintenance_plans" to "service_role";

revoke all on table "public"."maintenance_requests" from "authenticated";

revoke all ("access_notes") on table "public"."maintenance_requests" from "authenticated";

grant insert ("access_notes"), update ("access_notes") on table "public"."maintenance_requests" to "authenticated";

revoke all ("category") on table "public"."maintenance_requests" from "authenticated";

grant insert ("category"), update ("category") on table "public"."maintenance_requests" to "authenticated";

revoke all ("description") on table "public"."maintenance_requests" from "authenticated";

grant insert ("description"), update ("description") on table "public"."maintenance_requests" to "authenticated";

revoke all ("due_on") on table "public"."maintenance_requests" from "authenticated";

grant insert ("due_on"), update ("due_on") on table "public"."maintenance_requests" to "authenticated";

revoke all ("lease_id") on table "public"."maintenance_requests" from "authenticated";

grant insert ("lease_id") on table "public"."maintenance_requests" to "authenticated";

revoke all ("permission_to_enter") on table "public"."maintenance_requests" from "authenticated";

grant insert ("permission_to_enter"), update ("permission_to_enter")
    on table "public"."maintenance_requests"
    to "authenticated";

revoke all ("priority") on table "public"."maintenance_requests" from "authenticated";

grant insert ("priority"), update ("priority") on table "public"."maintenance_requests" to "authenticated";

revoke all ("property_id") on table "public"."maintenance_requests" from "authenticated";

grant insert ("property_id") on table "public"."maintenance_requests" to "authenticated";

revoke all ("shown_to_renter") on table "public"."maintenance_requests" from "authenticated";

grant insert ("shown_to_renter"), update ("shown_to_renter") on table "public"."maintenance_requests" to "authenticated";

revoke all ("tenant_id") on table "public"."maintenance_requests" from "authenticated";

grant insert ("tenant_id") on table "public"."maintenance_requests" to "authenticated";

revoke all ("title") on table "public"."maintenance_requests" from "authenticated";

grant insert ("title"), update ("title") on table "public"."maintenance_requests" to "authenticated";

revoke all ("unit_id") on table "public"."maintenance_requests" from "authenticated";

grant insert ("unit_id") on table "public"."maintenance_requests" to "authenticated";

revoke all ("workspace_id") on table "public"."maintenance_requests" from "authenticated";

grant insert ("workspace_id") on table "public"."maintenance_requests" to "authenticated";

grant select on table "public"."maintenance_requests" to "authenticated";

revoke all on table "public"."maintenance_requests" from "service_role";

grant select on table "public"."maintenance_requests" to "service_role";

revoke all on table "public"."maintenance_status_changes" from "authenticated";

grant select on table "public"."maintenance_status_changes" to "authenticated";

revoke all on table "public"."maintenance_status_changes" from "service_role";

grant select on table "public"."maintenance_status_changes" to "service_role";

revoke all ("insurance_carrier") on table "public"."vendors" from "authenticated";

grant insert ("insurance_carrier"), update ("insurance_carrier") on table "public"."vendors" to "authenticated";

revoke all ("insurance_expires_on") on table "public"."vendors" from "authenticated";

grant insert ("insurance_expires_on"), update ("insurance_expires_on") on table "public"."vendors" to "authenticated";

revoke all ("insurance_policy_number") on table "public"."vendors" from "authenticated";

grant insert ("insurance_policy_number"), update ("insurance_policy_number")
    on table "public"."vendors"
    to "authenticated";

revoke all ("license_expires_on") on table "public"."vendors" from "authenticated";

grant insert ("license_expires_on"), update ("license_expires_on") on table "public"."vendors" to "authenticated";

revoke all ("license_number") on table "public"."vendors" from "authenticated";

grant insert ("license_number"), update ("license_number") on table "public"."vendors" to "authenticated";

revoke all ("trades") on table "public"."vendors" from "authenticated";

grant insert ("trades"), update ("trades") on table "public"."vendors" to "authenticated";
