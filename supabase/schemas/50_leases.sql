-- Leases: the contract, the rent it sets, who holds which unit and when, and who signed.

-- The steps that a lease's status may take. A lease may be written down in any status; from there it goes by these alone.
create table private.lease_transitions (
    from_status text not null,
    to_status text not null,
    description text not null,
    primary key (from_status, to_status)
);

comment on table private.lease_transitions is
    $$Which status of a lease may follow which. A trigger refuses every other step, whoever takes it.$$;


create table public.leases (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    property_id uuid not null,
    whole_property boolean not null default false,
    lease_number text not null check (length(lease_number) <= 60 and btrim(lease_number) <> ''),
    status text not null default 'draft' check (
        status in ('draft', 'pending', 'active', 'notice_given', 'ended', 'terminated')
    ),
    in_force boolean not null generated always as (status in ('pending', 'active', 'notice_given')) stored,
    starts_on date not null check (starts_on between '1900-01-01' and '2200-01-01'),
    ends_on date check (ends_on < '2200-01-01'),
    term daterange not null generated always as (daterange(starts_on, ends_on, '[]')) stored,
    on_expiry text not null default 'ends' check (on_expiry in ('ends', 'month_to_month', 'renews')),
    renewal_months integer check (renewal_months between 1 and 120),
    renewal_day integer check (renewal_day between 1 and 31),
    holdover_rent_percent numeric(5, 1) not null default 100 check (holdover_rent_percent between 100 and 1000),
    notice_days integer not null default 30 check (notice_days between 0 and 400),
    notice_deadline_on date generated always as (ends_on - notice_days) stored,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    deposit_minor bigint not null default 0 check (deposit_minor between 0 and 9007199254740991),
    deposit_nonrefundable_minor bigint not null default 0 check (deposit_nonrefundable_minor >= 0),
    deposit_held_by text not null default 'manager' check (deposit_held_by in ('manager', 'owner', 'third_party')),
    deposit_conditions text check (length(deposit_conditions) <= 4000),
    renewed_from_id uuid,
    activated_at timestamptz,
    moved_in_on date check (moved_in_on between '1900-01-01' and '2200-01-01'),
    notice_given_on date,
    notice_given_by text check (notice_given_by in ('renter', 'landlord')),
    planned_move_out_on date check (planned_move_out_on < '2200-01-01'),
    notice_is_late boolean generated always as (planned_move_out_on - notice_given_on < notice_days) stored,
    leaves_on date generated always as (
        coalesce(planned_move_out_on, case on_expiry when 'ends' then ends_on end)
    ) stored,
    ended_on date,
    moved_out_on date check (moved_out_on between '1900-01-01' and '2200-01-01'),
    status_reason text check (length(status_reason) <= 1000),
    amendments integer not null default 0 check (amendments >= 0),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    unique (workspace_id, property_id, id),
    foreign key (workspace_id, property_id) references public.properties (workspace_id, id) on delete cascade,
    foreign key (workspace_id, property_id, renewed_from_id)
    references public.leases (workspace_id, property_id, id) on delete set null (renewed_from_id),
    constraint a_term_has_a_day check (ends_on >= starts_on),
    constraint who_renews_says_for_how_long check (
        (on_expiry = 'renews') = (renewal_months is not null) and (on_expiry <> 'renews' or ends_on is not null)
    ),
    constraint no_more_is_kept_than_was_paid check (deposit_nonrefundable_minor <= deposit_minor),
    constraint a_notice_says_who_when_and_until check (
        num_nulls(notice_given_on, notice_given_by, planned_move_out_on) in (0, 3)
        and case status
            when 'notice_given' then notice_given_on is not null
            when 'ended' then true
            when 'terminated' then true
            else notice_given_on is null
        end
    ),
    constraint nobody_leaves_before_they_came check (
        moved_out_on >= moved_in_on and planned_move_out_on >= notice_given_on
    ),
    constraint nobody_moves_into_a_draft check (status <> 'draft' or moved_in_on is null and moved_out_on is null),
    -- One that was terminated before it began never had a last day.
    constraint ended_leases_have_a_date check (
        case status when 'ended' then ended_on is not null when 'terminated' then true else ended_on is null end
    ),
    constraint begun_leases_were_activated check ((status = 'draft') = (activated_at is null))
);

create unique index leases_lease_number_key on public.leases (workspace_id, lower(lease_number));
create index leases_status_idx on public.leases (workspace_id, status, ends_on);
create index leases_ends_on_idx on public.leases (workspace_id, ends_on);
create index leases_pending_idx on public.leases (starts_on, id) where status = 'pending';
create index leases_leaves_on_idx on public.leases (leaves_on, id) where status in ('active', 'notice_given');
create index leases_renews_idx on public.leases (ends_on, id) where status = 'active' and on_expiry = 'renews';
-- A lease is renewed once: another offer can be made when the first was called off.
create unique index leases_renewed_from_id_key on public.leases (workspace_id, renewed_from_id)
    where renewed_from_id is not null and status <> 'terminated';
create index leases_renewed_from_id_idx on public.leases (workspace_id, property_id, renewed_from_id);
create index leases_whole_property_idx on public.leases (workspace_id, property_id) where whole_property;
create index leases_created_at_idx on public.leases (workspace_id, created_at desc);
-- A page of all workspaces that one is in: these are walked, and others' rows passed over without a visit.
create index leases_page_by_created_at_idx on public.leases (created_at desc, workspace_id);
create index leases_page_by_id_idx on public.leases (id, workspace_id);

comment on table public.leases is $$Contracts that let one or more units of a property.

A lease starts as a draft. `rpc/activate_lease` makes it binding: from then on its units are held and its dates fixed; it
is pending until its first day, and active from there. `rpc/end_lease` records the day on which the renters moved out. What the rent is stands in lease_terms, who holds which
unit in lease_units, who signed in lease_tenants.$$;
comment on column public.leases.id is $$Identifies the lease.$$;
comment on column public.leases.workspace_id is $$The workspace that manages it.$$;
comment on column public.leases.property_id is $$The property whose units it lets.$$;
comment on column public.leases.whole_property is
    $$Whether it lets every unit of the property, those included that are added later. Its units need no naming.$$;
comment on column public.leases.lease_number is $$As it stands on the paper; unique in the workspace, case-insensitively.$$;
comment on column public.leases.status is $$draft, pending (signed, not begun), active, notice_given, ended or terminated (ended early). Changed by the database alone;
each change is kept in lease_status_changes.$$;
comment on column public.leases.in_force is $$Whether it binds its units: pending, active or notice_given.$$;
comment on column public.leases.starts_on is $$First day of the term.$$;
comment on column public.leases.ends_on is $$Last day of the term, as the paper says it; empty: it runs until somebody ends it.$$;
comment on column public.leases.term is $$The term as a half-open range: the day after the last day is its upper bound.$$;
comment on column public.leases.on_expiry is $$What follows the last day: ends (the renters leave), month_to_month (it runs on until notice), or renews (for another
renewal_months, by itself). Whatever it says, the units are held until the lease has ended.$$;
comment on column public.leases.renewal_months is $$For how many months it renews; only with on_expiry renews.$$;
comment on column public.leases.renewal_day is $$Day of the month on which the terms of a lease that renews by itself begin, as in the first of them; a shorter month's last
day stands in for a day that it lacks. Set with a renewal; empty: by the lease's own dates.$$;
comment on column public.leases.holdover_rent_percent is
    $$Rent beyond the last day, in percent of the rent before: 100 if nothing else was agreed on.$$;
comment on column public.leases.notice_days is $$How many days before the last day either side must have given notice.$$;
comment on column public.leases.notice_deadline_on is $$Last day on which notice can be given: ends_on less notice_days.$$;
comment on column public.leases.currency is $$ISO 4217 code of its money. Defaults to the property's.$$;
comment on column public.leases.deposit_minor is $$Deposit agreed on, in minor units (cents).$$;
comment on column public.leases.deposit_nonrefundable_minor is $$The part of it that is not returned, in minor units (cents).$$;
comment on column public.leases.deposit_held_by is $$Who holds it: manager, owner or third_party (a bank, an insurer, a scheme).$$;
comment on column public.leases.deposit_conditions is $$On what it is returned, as agreed, up to 4,000 characters.$$;
comment on column public.leases.renewed_from_id is $$The lease that it renews. Set by rpc/renew_lease.$$;
comment on column public.leases.activated_at is $$When it became binding; empty for a draft.$$;
comment on column public.leases.moved_in_on is $$Day on which the renters moved in, as it happened; set by whoever handed over the keys.$$;
comment on column public.leases.notice_given_on is $$Day on which notice was given; empty: nobody did, or it was withdrawn.$$;
comment on column public.leases.notice_given_by is $$renter or landlord.$$;
comment on column public.leases.planned_move_out_on is $$Last day that the notice leaves.$$;
comment on column public.leases.notice_is_late is $$Whether fewer than notice_days lay between the notice and that day.$$;
comment on column public.leases.leaves_on is
    $$Last day on which the renters are to have the unit, as things stand; empty: it runs until somebody ends it.$$;
comment on column public.leases.ended_on is $$Last day on which the renters had the unit; empty until the lease has ended.$$;
comment on column public.leases.moved_out_on is
    $$Day on which the renters moved out, as it happened; empty if they stayed, on a renewal.$$;
comment on column public.leases.status_reason is $$Why it has its status, if somebody said so.$$;
comment on column public.leases.amendments is $$How often its terms were changed by addendum.$$;
comment on column public.leases.created_at is $$When the row was made.$$;
comment on column public.leases.updated_at is $$When the row last changed.$$;


create table public.lease_units (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    property_id uuid not null,
    lease_id uuid not null,
    unit_id uuid not null,
    possession daterange not null,
    binding boolean not null default false,
    recorded_at timestamptz not null default clock_timestamp(),
    superseded_at timestamptz,
    unique (workspace_id, id),
    foreign key (workspace_id, property_id, lease_id)
    references public.leases (workspace_id, property_id, id) on delete cascade,
    foreign key (workspace_id, property_id, unit_id)
    references public.units (workspace_id, property_id, id) on delete cascade,
    constraint possession_has_a_first_day check (
        not isempty(possession) and not lower_inf(possession) and lower_inc(possession)
    ),
    constraint possession_is_of_our_times check (
        lower(possession) >= '1900-01-01' and lower(possession) <= '2200-01-01'
        and (upper_inf(possession) or upper(possession) <= '2200-01-01')
    ),
    constraint superseded_after_recorded check (superseded_at >= recorded_at),
    -- Two leases cannot hold a unit on the same day. Drafts may plan what they like.
    constraint one_lease_holds_a_unit exclude using gist (
        workspace_id with =, unit_id with =, possession with &&
    ) where (binding and superseded_at is null)
);

-- Once begun, a lease may hold a unit twice: renters who were moved out of it for repairs come back.
create unique index lease_units_unit_key on public.lease_units (workspace_id, lease_id, unit_id)
    where superseded_at is null and not binding;
create index lease_units_lease_id_idx on public.lease_units (workspace_id, lease_id);
create index lease_units_unit_id_idx on public.lease_units (workspace_id, unit_id);

comment on table public.lease_units is $$Which lease holds which unit, and from when until when.

What counts is possession, not the paper's term: two binding rows of a unit cannot overlap. A lease of the whole property has
a row for each unit. A row that became binding is never changed: a correction supersedes it by another, so that what was
known on any day can be told.$$;
comment on column public.lease_units.id is $$Identifies the row.$$;
comment on column public.lease_units.workspace_id is $$The workspace that manages it.$$;
comment on column public.lease_units.property_id is $$The property of both the lease and the unit.$$;
comment on column public.lease_units.lease_id is $$The lease.$$;
comment on column public.lease_units.unit_id is $$The unit it holds.$$;
comment on column public.lease_units.possession is
    $$Half-open range of days; no upper bound: until the lease ends. Defaults to the lease's term.$$;
comment on column public.lease_units.binding is $$False while the lease is a draft.$$;
comment on column public.lease_units.recorded_at is $$When the database learned of it.$$;
comment on column public.lease_units.superseded_at is $$When another row took its place; empty: it holds.$$;


create table public.lease_tenants (
    workspace_id uuid not null,
    lease_id uuid not null,
    tenant_id uuid not null,
    role text not null default 'co_tenant' check (role in ('primary', 'co_tenant', 'guarantor', 'occupant')),
    share numeric(7, 4) check (share > 0 and share <= 100),
    created_at timestamptz not null default now(),
    -- PostgREST embeds tenants in leases, and the other way round, through a key that holds both.
    primary key (workspace_id, lease_id, tenant_id),
    foreign key (workspace_id, lease_id) references public.leases (workspace_id, id) on delete cascade,
    foreign key (workspace_id, tenant_id) references public.tenants (workspace_id, id) on delete cascade
);

create unique index lease_tenants_primary_key on public.lease_tenants (workspace_id, lease_id) where role = 'primary';
create index lease_tenants_tenant_id_idx on public.lease_tenants (workspace_id, tenant_id);

comment on table public.lease_tenants is $$Who is on a lease, and as what.$$;
comment on column public.lease_tenants.workspace_id is $$The workspace that manages it.$$;
comment on column public.lease_tenants.lease_id is $$The lease.$$;
comment on column public.lease_tenants.tenant_id is $$The renter. One who is on a lease cannot be deleted.$$;
comment on column public.lease_tenants.role is $$primary (one a lease), co_tenant, guarantor or occupant. An occupant sees nothing of the lease in the portal.$$;
comment on column public.lease_tenants.share is $$Share of the rent in percent; empty: jointly.$$;
comment on column public.lease_tenants.created_at is $$When the row was made.$$;


create table public.lease_terms (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    lease_id uuid not null,
    effective_on date not null check (effective_on between '1900-01-01' and '2200-01-01'),
    rent_minor bigint not null check (rent_minor between 0 and 9007199254740991),
    due_day integer not null default 1 check (due_day between 1 and 31),
    recorded_at timestamptz not null default clock_timestamp(),
    superseded_at timestamptz,
    unique (workspace_id, id),
    foreign key (workspace_id, lease_id) references public.leases (workspace_id, id) on delete cascade,
    constraint superseded_after_recorded check (superseded_at >= recorded_at)
);

create unique index lease_terms_effective_on_key on public.lease_terms (workspace_id, lease_id, effective_on)
    where superseded_at is null;
create index lease_terms_lease_id_idx on public.lease_terms (workspace_id, lease_id);

comment on table public.lease_terms is $$What a lease costs, from which day on.

A change of rent is a new row. A second row for the same day supersedes the first, which stays readable.$$;
comment on column public.lease_terms.id is $$Identifies the row.$$;
comment on column public.lease_terms.workspace_id is $$The workspace that manages it.$$;
comment on column public.lease_terms.lease_id is $$The lease.$$;
comment on column public.lease_terms.effective_on is $$First day on which it applies.$$;
comment on column public.lease_terms.rent_minor is $$Rent a month, in minor units (cents) of the lease's currency.$$;
comment on column public.lease_terms.due_day is
    $$Day of the month on which rent is due, 1 to 31; a shorter month's last day stands in for a day that it lacks.$$;
comment on column public.lease_terms.recorded_at is $$When the database learned of it.$$;
comment on column public.lease_terms.superseded_at is $$When another row took its place; empty: it holds.$$;


create table public.lease_status_changes (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    lease_id uuid not null,
    from_status text,
    to_status text not null,
    effective_on date not null,
    reason text,
    changed_by uuid references auth.users (id) on delete set null,
    recorded_at timestamptz not null default clock_timestamp(),
    unique (workspace_id, id),
    foreign key (workspace_id, lease_id) references public.leases (workspace_id, id) on delete cascade
);

create index lease_status_changes_lease_id_idx on public.lease_status_changes (workspace_id, lease_id, recorded_at);
create index lease_status_changes_changed_by_idx on public.lease_status_changes (changed_by)
    where changed_by is not null;

comment on table public.lease_status_changes is $$Every status a lease has had. Written by the database alone.$$;
comment on column public.lease_status_changes.id is $$Identifies the row.$$;
comment on column public.lease_status_changes.workspace_id is $$The workspace that manages the lease.$$;
comment on column public.lease_status_changes.lease_id is $$The lease.$$;
comment on column public.lease_status_changes.from_status is $$Status before; empty for the first.$$;
comment on column public.lease_status_changes.to_status is $$Status after.$$;
comment on column public.lease_status_changes.effective_on is $$The property's date from which it counts.$$;
comment on column public.lease_status_changes.reason is $$Why, if somebody said so.$$;
comment on column public.lease_status_changes.changed_by is $$Who did it; empty for the system or a deleted account.$$;
comment on column public.lease_status_changes.recorded_at is $$When the database learned of it.$$;
