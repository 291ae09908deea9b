-- Maintenance: requests, what became of them, what was said about them, and what they cost.

-- How a request may move on. Who holds maintenance.write may take every edge; the vendor that it is assigned to, some.
create table private.maintenance_transitions (
    from_status text not null,
    to_status text not null,
    by_vendor boolean not null default false,
    primary key (from_status, to_status),
    constraint a_transition_goes_somewhere check (from_status <> to_status)
);

comment on table private.maintenance_transitions is
    $$Every edge that a maintenance request's status may take. Reference data, written by migrations.$$;


create table private.maintenance_counters (
    workspace_id uuid primary key references public.workspaces (id) on delete cascade,
    last_number integer not null check (last_number >= 0)
);

comment on table private.maintenance_counters is
    $$The last request number of each workspace. Who takes one holds the row until the end of their transaction.$$;


create table public.maintenance_plans (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    property_id uuid not null,
    unit_id uuid,
    title text not null check (length(title) <= 200 and btrim(title) <> ''),
    description text check (length(description) <= 8000),
    category text not null default 'other' check (
        category in (
            'appliance', 'carpentry', 'cleaning', 'electrical', 'flooring', 'heating_cooling', 'inspection',
            'landscaping', 'locksmith', 'other', 'painting', 'pest_control', 'plumbing', 'roofing', 'safety'
        )
    ),
    priority text not null default 'normal' check (priority in ('emergency', 'high', 'normal', 'low')),
    access_notes text check (length(access_notes) <= 2000),
    shown_to_renter boolean not null default false,
    assigned_member_id uuid,
    assigned_vendor_id uuid,
    status text not null default 'active' check (status in ('active', 'paused')),
    interval_unit text not null check (interval_unit in ('day', 'week', 'month', 'year')),
    interval_count integer not null default 1 check (interval_count between 1 and 400),
    anchor_on date not null check (anchor_on between '1900-01-01' and '2200-01-01'),
    ends_on date check (ends_on between '1900-01-01' and '2199-12-31'),
    season_months integer[] check (
        season_months <@ array[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] and cardinality(season_months) between 1 and 12
    ),
    lead_days integer not null default 14 check (lead_days between 0 and 365),
    next_due_on date,
    next_creation_on date generated always as (next_due_on - lead_days) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    foreign key (workspace_id, property_id) references public.properties (workspace_id, id) on delete cascade,
    foreign key (workspace_id, property_id, unit_id)
    references public.units (workspace_id, property_id, id) on delete cascade,
    foreign key (workspace_id, assigned_member_id) references public.workspace_members (workspace_id, user_id)
        on delete set null (assigned_member_id),
    foreign key (workspace_id, assigned_vendor_id) references public.vendors (workspace_id, id)
        on delete set null (assigned_vendor_id),
    constraint one_assignee_at_most check (assigned_member_id is null or assigned_vendor_id is null)
);

create index maintenance_plans_property_id_idx on public.maintenance_plans (workspace_id, property_id, unit_id);
create index maintenance_plans_next_due_on_idx on public.maintenance_plans (workspace_id, next_due_on);
create index maintenance_plans_assigned_member_id_idx on public.maintenance_plans (workspace_id, assigned_member_id)
    where assigned_member_id is not null;
create index maintenance_plans_assigned_vendor_id_idx on public.maintenance_plans (workspace_id, assigned_vendor_id)
    where assigned_vendor_id is not null;
-- What the job reads: whatever the workspace, what is to be created by a day.
create index maintenance_plans_next_creation_on_idx on public.maintenance_plans (next_creation_on, workspace_id, id)
    where status = 'active';

comment on table public.maintenance_plans is $$Work that comes round: every so many days, weeks, months or years.

The schedule creates a request `lead_days` before each due date, once. Dates are counted from the anchor: one on the 31st falls on
a shorter month's last day, and on the 31st again after it. Of dates that passed while nothing ran, or while the plan was
paused, at most the last becomes a request; dates before the plan was made never do.$$;
comment on column public.maintenance_plans.id is $$Identifies the plan.$$;
comment on column public.maintenance_plans.workspace_id is $$The workspace that manages it.$$;
comment on column public.maintenance_plans.property_id is $$Where the work is done.$$;
comment on column public.maintenance_plans.unit_id is $$The unit of that property; empty: the property as a whole.$$;
comment on column public.maintenance_plans.title is $$What each request will be called, 1 to 200 characters.$$;
comment on column public.maintenance_plans.description is $$What each request will say.$$;
comment on column public.maintenance_plans.category is $$As in maintenance_requests.$$;
comment on column public.maintenance_plans.priority is $$As in maintenance_requests.$$;
comment on column public.maintenance_plans.access_notes is $$How to get in; the vendor reads it.$$;
comment on column public.maintenance_plans.shown_to_renter is
    $$Whether renters of the unit see the requests, and with which lease each is therefore made.$$;
comment on column public.maintenance_plans.assigned_member_id is $$The member who gets each request, unless a vendor does.$$;
comment on column public.maintenance_plans.assigned_vendor_id is
    $$The vendor who gets each request, if active by then.$$;
comment on column public.maintenance_plans.status is
    $$active or paused. A plan that is taken up again goes on with the next date ahead.$$;
comment on column public.maintenance_plans.interval_unit is $$day, week, month or year.$$;
comment on column public.maintenance_plans.interval_count is $$How many of those lie between two due dates.$$;
comment on column public.maintenance_plans.anchor_on is $$First due date, from which all others are counted.$$;
comment on column public.maintenance_plans.ends_on is $$Last day on which work can fall due; empty: it goes on.$$;
comment on column public.maintenance_plans.season_months is
    $$Months (1 to 12) in which the work is done; due dates in others are left out. Empty: all year.$$;
comment on column public.maintenance_plans.lead_days is $$How many days before its due date a request is created.$$;
comment on column public.maintenance_plans.next_due_on is $$The next due date without a request. Kept by the database; empty:
none is left (looked for twelve intervals and a year ahead).$$;
comment on column public.maintenance_plans.next_creation_on is $$When its request will be created.$$;
comment on column public.maintenance_plans.created_at is $$When the row was made.$$;
comment on column public.maintenance_plans.updated_at is $$When the row last changed.$$;


create table public.maintenance_requests (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    request_number integer not null check (request_number > 0),
    property_id uuid not null,
    unit_id uuid,
    lease_id uuid,
    tenant_id uuid,
    title text not null check (length(title) <= 200 and btrim(title) <> ''),
    description text check (length(description) <= 8000),
    category text not null default 'other' check (
        category in (
            'appliance', 'carpentry', 'cleaning', 'electrical', 'flooring', 'heating_cooling', 'inspection',
            'landscaping', 'locksmith', 'other', 'painting', 'pest_control', 'plumbing', 'roofing', 'safety'
        )
    ),
    priority text not null default 'normal' check (priority in ('emergency', 'high', 'normal', 'low')),
    status text not null default 'open' check (
        status in (
            'open', 'assigned', 'scheduled', 'in_progress', 'on_hold', 'completed', 'closed', 'cancelled'
        )
    ),
    assigned_member_id uuid,
    assigned_vendor_id uuid,
    vendor_accepted_at timestamptz,
    location text not null check (length(location) <= 1000),
    access_notes text check (length(access_notes) <= 2000),
    permission_to_enter boolean not null default false,
    shown_to_renter boolean not null default false,
    due_on date check (due_on between '1900-01-01' and '2200-01-01'),
    scheduled_starts_at timestamptz,
    scheduled_ends_at timestamptz,
    plan_id uuid,
    plan_due_on date,
    created_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    completed_at timestamptz,
    closed_at timestamptz,
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    constraint maintenance_requests_request_number_key unique (workspace_id, request_number),
    foreign key (workspace_id, property_id) references public.properties (workspace_id, id) on delete cascade,
    foreign key (workspace_id, property_id, unit_id)
    references public.units (workspace_id, property_id, id) on delete set null (unit_id),
    foreign key (workspace_id, property_id, lease_id)
    references public.leases (workspace_id, property_id, id) on delete set null (lease_id),
    foreign key (workspace_id, tenant_id) references public.tenants (workspace_id, id) on delete set null (tenant_id),
    foreign key (workspace_id, assigned_member_id) references public.workspace_members (workspace_id, user_id)
        on delete set null (assigned_member_id),
    foreign key (workspace_id, assigned_vendor_id) references public.vendors (workspace_id, id)
        on delete set null (assigned_vendor_id),
    foreign key (workspace_id, plan_id) references public.maintenance_plans (workspace_id, id)
        on delete set null (plan_id),
    constraint one_assignee_at_most check (assigned_member_id is null or assigned_vendor_id is null),
    constraint open_requests_wait_for_somebody check (
        status <> 'open' or (assigned_member_id is null and assigned_vendor_id is null and scheduled_starts_at is null)
    ),
    constraint work_under_way_is_somebodys check (
        status not in ('assigned', 'scheduled', 'in_progress', 'on_hold')
        or assigned_member_id is not null
        or assigned_vendor_id is not null
    ),
    constraint vendors_alone_accept check (vendor_accepted_at is null or assigned_vendor_id is not null),
    constraint scheduled_requests_have_a_window check (status <> 'scheduled' or scheduled_starts_at is not null),
    constraint a_window_has_two_ends check ((scheduled_starts_at is null) = (scheduled_ends_at is null)),
    constraint a_window_is_of_our_times check (
        scheduled_starts_at >= '2000-01-01' and scheduled_ends_at <= '2200-01-01'
        and scheduled_ends_at > scheduled_starts_at
        and scheduled_ends_at - scheduled_starts_at <= interval '31 days'
    ),
    constraint finished_requests_have_their_times check (
        (status in ('completed', 'closed')) = (completed_at is not null)
        and (status = 'closed') = (closed_at is not null)
    ),
    constraint a_plan_has_its_due_date check (plan_id is null or plan_due_on is not null)
);

-- Whatever races, and however often it runs: a plan has one request for a date.
create unique index maintenance_requests_plan_key
    on public.maintenance_requests (workspace_id, plan_id, plan_due_on) where plan_id is not null;
create index maintenance_requests_created_at_idx on public.maintenance_requests (workspace_id, created_at desc);
-- A page of all workspaces that one is in: these are walked, and others' rows passed over without a visit.
create index maintenance_requests_page_by_created_at_idx on public.maintenance_requests (created_at desc, workspace_id);
create index maintenance_requests_page_by_id_idx on public.maintenance_requests (id, workspace_id);
create index maintenance_requests_status_idx on public.maintenance_requests (workspace_id, status, created_at desc);
create index maintenance_requests_priority_idx on public.maintenance_requests (workspace_id, priority, status);
create index maintenance_requests_due_on_idx on public.maintenance_requests (workspace_id, due_on)
    where due_on is not null;
create index maintenance_requests_property_id_idx on public.maintenance_requests (workspace_id, property_id, unit_id);
create index maintenance_requests_unit_id_idx on public.maintenance_requests (workspace_id, unit_id)
    where unit_id is not null;
create index maintenance_requests_lease_id_idx on public.maintenance_requests (workspace_id, property_id, lease_id)
    where lease_id is not null;
create index maintenance_requests_tenant_id_idx on public.maintenance_requests (workspace_id, tenant_id)
    where tenant_id is not null;
create index maintenance_requests_assigned_member_id_idx
    on public.maintenance_requests (workspace_id, assigned_member_id, status) where assigned_member_id is not null;
create index maintenance_requests_assigned_vendor_id_idx
    on public.maintenance_requests (workspace_id, assigned_vendor_id, status) where assigned_vendor_id is not null;
create index maintenance_requests_created_by_idx on public.maintenance_requests (created_by)
    where created_by is not null;

comment on table public.maintenance_requests is $$Work to be done on a property or a unit.

Members with `maintenance.write` insert requests, renters open them with `rpc/report_maintenance`, and plans create them ahead of
time. `rpc/assign_maintenance`, `rpc/schedule_maintenance` and `rpc/change_maintenance_status` move them on; each status is
kept in maintenance_status_changes, what was said in maintenance_comments, and what it costs in maintenance_costs. A
request is never deleted: it is cancelled. A renter sees what is shown to their household for as long as its lease is
current, a vendor what is assigned to them for as long as it is.$$;
comment on column public.maintenance_requests.id is $$Identifies the request.$$;
comment on column public.maintenance_requests.workspace_id is $$The workspace that manages it.$$;
comment on column public.maintenance_requests.request_number is
    $$Counts the workspace's requests, for people to say; a number may be left out. Given by the database.$$;
comment on column public.maintenance_requests.property_id is $$Where the work is done.$$;
comment on column public.maintenance_requests.unit_id is $$The unit of that property; empty: the property as a whole.$$;
comment on column public.maintenance_requests.lease_id is
    $$The lease, of the same property, whose household it is about; empty: no renter sees it.$$;
comment on column public.maintenance_requests.tenant_id is $$The renter who reported it.$$;
comment on column public.maintenance_requests.title is $$What is wrong, in a line of 1 to 200 characters.$$;
comment on column public.maintenance_requests.description is
    $$What is wrong, at length; read by the renter and the vendor, too.$$;
comment on column public.maintenance_requests.category is $$appliance, carpentry, cleaning, electrical, flooring, heating_cooling,
inspection, landscaping, locksmith, other, painting, pest_control, plumbing, roofing or safety: a vendor's trade.$$;
comment on column public.maintenance_requests.priority is $$emergency, high, normal or low.$$;
comment on column public.maintenance_requests.status is $$open (nobody is on it), assigned, scheduled, in_progress, on_hold, completed,
closed or cancelled. Moved by RPCs and by what they change; only along the edges that docs/explanation/maintenance.md draws.$$;
comment on column public.maintenance_requests.assigned_member_id is
    $$The member (auth.users) who is to do it, unless a vendor is. Set with `rpc/assign_maintenance`.$$;
comment on column public.maintenance_requests.assigned_vendor_id is
    $$The vendor who is to do it, and sees it for so long. Set with `rpc/assign_maintenance`.$$;
comment on column public.maintenance_requests.vendor_accepted_at is
    $$When that vendor took it on with `rpc/accept_maintenance`; empty again once it goes to another.$$;
comment on column public.maintenance_requests.location is
    $$Name and address of the property, and the unit, for a vendor, who sees neither. Kept by the database until it is finished.$$;
comment on column public.maintenance_requests.access_notes is $$How to get in: keys, codes, dogs. Vendor and renter read it.$$;
comment on column public.maintenance_requests.permission_to_enter is
    $$Whether the renters let somebody in while they are out. It ends with their lease.$$;
comment on column public.maintenance_requests.shown_to_renter is
    $$Whether the household of `lease_id` sees it. What a renter reports is shown to them.$$;
comment on column public.maintenance_requests.due_on is $$By which day it should be done, at the property.$$;
comment on column public.maintenance_requests.scheduled_starts_at is
    $$When somebody will come, at the earliest. Set with `rpc/schedule_maintenance`.$$;
comment on column public.maintenance_requests.scheduled_ends_at is $$When they will have come, at the latest.$$;
comment on column public.maintenance_requests.plan_id is $$The plan that created it; empty: somebody asked for it.$$;
comment on column public.maintenance_requests.plan_due_on is $$Which of the plan's dates it stands for.$$;
comment on column public.maintenance_requests.created_by is $$Who asked for it; empty for a plan or a deleted account.$$;
comment on column public.maintenance_requests.created_at is $$When the row was made.$$;
comment on column public.maintenance_requests.completed_at is $$When the work was done.$$;
comment on column public.maintenance_requests.closed_at is $$When nothing was left to do about it.$$;
comment on column public.maintenance_requests.updated_at is $$When the row last changed.$$;


create table public.maintenance_status_changes (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    request_id uuid not null,
    from_status text,
    to_status text not null,
    reason text check (length(reason) <= 2000),
    changed_by uuid references auth.users (id) on delete set null,
    recorded_at timestamptz not null default clock_timestamp(),
    unique (workspace_id, id),
    foreign key (workspace_id, request_id) references public.maintenance_requests (workspace_id, id) on delete cascade
);

create index maintenance_status_changes_request_id_idx
    on public.maintenance_status_changes (workspace_id, request_id, recorded_at);
create index maintenance_status_changes_changed_by_idx on public.maintenance_status_changes (changed_by)
    where changed_by is not null;

comment on table public.maintenance_status_changes is
    $$Every status that a request has had, who moved it there, and why. Written by the database alone; read by members.$$;
comment on column public.maintenance_status_changes.id is $$Identifies the row.$$;
comment on column public.maintenance_status_changes.workspace_id is $$The workspace that manages the request.$$;
comment on column public.maintenance_status_changes.request_id is $$The request.$$;
comment on column public.maintenance_status_changes.from_status is $$Status before; empty for the first.$$;
comment on column public.maintenance_status_changes.to_status is $$Status after.$$;
comment on column public.maintenance_status_changes.reason is $$Why, in the words of whoever moved it.$$;
comment on column public.maintenance_status_changes.changed_by is
    $$Who did it, a renter or vendor included; empty for the system or a deleted account.$$;
comment on column public.maintenance_status_changes.recorded_at is $$When the database learned of it.$$;


create table public.maintenance_comments (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    request_id uuid not null,
    body text not null check (length(body) <= 8000 and btrim(body) <> ''),
    visible_to_renter boolean not null default false,
    visible_to_vendor boolean not null default false,
    author_kind text not null check (author_kind in ('member', 'renter', 'vendor', 'system')),
    author_id uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    unique (workspace_id, id),
    foreign key (workspace_id, request_id) references public.maintenance_requests (workspace_id, id) on delete cascade
);

create index maintenance_comments_request_id_idx
    on public.maintenance_comments (workspace_id, request_id, created_at);
create index maintenance_comments_author_id_idx on public.maintenance_comments (author_id) where author_id is not null;

comment on table public.maintenance_comments is $$What was said about a request.

A member's comment is internal unless shown to the renter, the vendor, or both. A renter's is for the members and the
household, a vendor's for the members and the vendor, whatever they send; members may then show it to the other side. What was
said is neither changed nor deleted.$$;
comment on column public.maintenance_comments.id is $$Identifies the comment.$$;
comment on column public.maintenance_comments.workspace_id is $$The workspace that manages the request.$$;
comment on column public.maintenance_comments.request_id is $$The request.$$;
comment on column public.maintenance_comments.body is $$The words, 1 to 8,000 characters.$$;
comment on column public.maintenance_comments.visible_to_renter is $$Whether the household that sees the request reads it.$$;
comment on column public.maintenance_comments.visible_to_vendor is
    $$Whether the vendor that the request is assigned to reads it: today's, and whoever comes after.$$;
comment on column public.maintenance_comments.author_kind is $$member, renter, vendor or system. Kept by the database.$$;
comment on column public.maintenance_comments.author_id is
    $$The account (auth.users) that wrote it; empty once that is deleted. Kept by the database.$$;
comment on column public.maintenance_comments.created_at is $$When it was written.$$;


create table public.maintenance_costs (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    request_id uuid not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    estimate_minor bigint check (estimate_minor between 0 and 9007199254740991),
    actual_minor bigint check (actual_minor between 0 and 9007199254740991),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    constraint maintenance_costs_request_id_key unique (workspace_id, request_id),
    foreign key (workspace_id, request_id) references public.maintenance_requests (workspace_id, id) on delete cascade
);

comment on table public.maintenance_costs is $$What a request is thought to cost, and did: one row for each request.

Apart from the request, which renters and vendors may read; they see no cost.$$;
comment on column public.maintenance_costs.id is $$Identifies the row.$$;
comment on column public.maintenance_costs.workspace_id is $$The workspace that manages the request.$$;
comment on column public.maintenance_costs.request_id is $$The request.$$;
comment on column public.maintenance_costs.currency is $$ISO 4217 code of both. Defaults to the property's.$$;
comment on column public.maintenance_costs.estimate_minor is $$What it is thought to cost, in minor units (cents).$$;
comment on column public.maintenance_costs.actual_minor is $$What it did cost, in minor units (cents).$$;
comment on column public.maintenance_costs.created_at is $$When the row was made.$$;
comment on column public.maintenance_costs.updated_at is $$When the row last changed.$$;
