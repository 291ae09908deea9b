-- Renters, vendors, and the invitations that tie a person's account to a workspace.

create table public.tenants (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    first_name text not null default '' check (length(first_name) <= 120),
    last_name text not null check (length(last_name) <= 120 and btrim(last_name) <> ''),
    email text check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and length(email) <= 254),
    phone text check (length(phone) between 3 and 40),
    status text not null default 'current' check (status in ('prospect', 'current', 'former')),
    user_id uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id)
);

create unique index tenants_email_key on public.tenants (workspace_id, lower(email));
create unique index tenants_user_id_key on public.tenants (user_id, workspace_id) where user_id is not null;
create index tenants_status_idx on public.tenants (workspace_id, status);
create index tenants_name_idx on public.tenants (workspace_id, last_name, first_name);

create trigger touch_updated_at before update on public.tenants
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.tenants
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.tenants
    referencing new table as new_rows
    for each statement execute function private.record_changes('{id}', '{first_name, last_name, email, phone}');

create trigger record_updates after update on public.tenants
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{id}', '{first_name, last_name, email, phone}');

create trigger record_deletes after delete on public.tenants
    referencing old table as old_rows
    for each statement execute function private.record_changes('{id}', '{first_name, last_name, email, phone}');

comment on table public.tenants is $$Renters: people who rent, rented or may rent.

An e-mail address stands once in a workspace, whatever its case. A renter who accepted an invitation signs in and sees
what is theirs.$$;
comment on column public.tenants.id is $$Identifies the renter.$$;
comment on column public.tenants.workspace_id is $$The workspace that keeps the record.$$;
comment on column public.tenants.first_name is $$Given names; empty for a company.$$;
comment on column public.tenants.last_name is $$Family name, or a company's name.$$;
comment on column public.tenants.email is $$Where notices go; unique in the workspace, case-insensitively.$$;
comment on column public.tenants.phone is $$As the person gave it.$$;
comment on column public.tenants.status is $$prospect, current or former.$$;
comment on column public.tenants.user_id is $$The account, once an invitation was accepted. Set by the database alone.$$;
comment on column public.tenants.created_at is $$When the row was made.$$;
comment on column public.tenants.updated_at is $$When the row last changed.$$;


create table public.vendors (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    name text not null check (length(name) <= 120 and btrim(name) <> ''),
    email text check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and length(email) <= 254),
    phone text check (length(phone) between 3 and 40),
    status text not null default 'active' check (status in ('active', 'inactive')),
    -- The words of maintenance_requests.category.
    trades text[] not null default '{}' check (
        trades <@ array[
            'appliance', 'carpentry', 'cleaning', 'electrical', 'flooring', 'heating_cooling', 'inspection',
            'landscaping', 'locksmith', 'other', 'painting', 'pest_control', 'plumbing', 'roofing', 'safety'
        ]
        and cardinality(trades) <= 15
    ),
    license_number text check (length(license_number) <= 60 and btrim(license_number) <> ''),
    license_expires_on date check (license_expires_on between '1900-01-01' and '2200-01-01'),
    insurance_carrier text check (length(insurance_carrier) <= 120 and btrim(insurance_carrier) <> ''),
    insurance_policy_number text check (
        length(insurance_policy_number) <= 60 and btrim(insurance_policy_number) <> ''
    ),
    insurance_expires_on date check (insurance_expires_on between '1900-01-01' and '2200-01-01'),
    user_id uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id)
);

create unique index vendors_email_key on public.vendors (workspace_id, lower(email));
create unique index vendors_user_id_key on public.vendors (user_id, workspace_id) where user_id is not null;
create index vendors_name_idx on public.vendors (workspace_id, lower(name));
create index vendors_status_idx on public.vendors (workspace_id, status);
create index vendors_license_expires_on_idx on public.vendors (workspace_id, license_expires_on);
create index vendors_insurance_expires_on_idx on public.vendors (workspace_id, insurance_expires_on);

create trigger touch_updated_at before update on public.vendors
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.vendors
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.vendors
    referencing new table as new_rows
    for each statement execute function private.record_changes(
        '{id}', '{name, email, phone, license_number, insurance_policy_number}'
    );

create trigger record_updates after update on public.vendors
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes(
        '{id}', '{name, email, phone, license_number, insurance_policy_number}'
    );

create trigger record_deletes after delete on public.vendors
    referencing old table as old_rows
    for each statement execute function private.record_changes(
        '{id}', '{name, email, phone, license_number, insurance_policy_number}'
    );

comment on table public.vendors is $$Firms and people who work on the properties: plumbers, cleaners, inspectors.

A vendor who accepted an invitation signs in and sees the maintenance requests that are assigned to them, for as long as
they are assigned and the vendor is active.$$;
comment on column public.vendors.id is $$Identifies the vendor.$$;
comment on column public.vendors.workspace_id is $$The workspace that keeps the record.$$;
comment on column public.vendors.name is $$Firm or person, 1 to 120 characters.$$;
comment on column public.vendors.email is $$Where requests go; unique in the workspace, case-insensitively.$$;
comment on column public.vendors.phone is $$As the vendor gave it.$$;
comment on column public.vendors.status is
    $$active or inactive. An inactive vendor is given no work, and sees none of it in the portal.$$;
comment on column public.vendors.trades is
    $$What they do, in the words of maintenance_requests.category; filter with `trades=cs.{plumbing}`.$$;
comment on column public.vendors.license_number is $$Number of their trade licence.$$;
comment on column public.vendors.license_expires_on is $$Last day on which the licence is valid.$$;
comment on column public.vendors.insurance_carrier is $$Who insures their liability.$$;
comment on column public.vendors.insurance_policy_number is $$Number of that policy.$$;
comment on column public.vendors.insurance_expires_on is $$Last day on which the insurance covers them.$$;
comment on column public.vendors.user_id is $$The account, once an invitation was accepted. Set by the database alone.$$;
comment on column public.vendors.created_at is $$When the row was made.$$;
comment on column public.vendors.updated_at is $$When the row last changed.$$;


create table public.workspace_invitations (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    kind text not null check (kind in ('member', 'renter', 'vendor')),
    email text not null check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and length(email) <= 254),
    role text references private.roles (role),
    tenant_id uuid,
    vendor_id uuid,
    invited_by uuid references auth.users (id) on delete set null,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    accepted_by uuid references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    unique (workspace_id, id),
    foreign key (workspace_id, tenant_id) references public.tenants (workspace_id, id) on delete cascade,
    foreign key (workspace_id, vendor_id) references public.vendors (workspace_id, id) on delete cascade,
    constraint invitation_names_its_target check (
        (kind = 'member') = (role is not null)
        and (kind = 'renter') = (tenant_id is not null)
        and (kind = 'vendor') = (vendor_id is not null)
    )
);

create index workspace_invitations_created_at_idx on public.workspace_invitations (workspace_id, created_at desc);
create index workspace_invitations_tenant_id_idx on public.workspace_invitations (workspace_id, tenant_id);
create index workspace_invitations_vendor_id_idx on public.workspace_invitations (workspace_id, vendor_id);
create index workspace_invitations_invited_by_idx on public.workspace_invitations (invited_by)
    where invited_by is not null;
create index workspace_invitations_accepted_by_idx on public.workspace_invitations (accepted_by)
    where accepted_by is not null;

create trigger refuse_truncate before truncate on public.workspace_invitations
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.workspace_invitations
    referencing new table as new_rows
    for each statement execute function private.record_changes('{id}', '{email}');

create trigger record_updates after update on public.workspace_invitations
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{id}', '{email}');

create trigger record_deletes after delete on public.workspace_invitations
    referencing old table as old_rows
    for each statement execute function private.record_changes('{id}', '{email}');

comment on table public.workspace_invitations is $$Invitations sent to members, renters and vendors.

Made with `rpc/invite`, accepted with `rpc/accept_invitation`, withdrawn with DELETE. The mail carries a token that works
once and expires; only its digest is kept, out of every client's reach.$$;
comment on column public.workspace_invitations.id is $$Identifies the invitation.$$;
comment on column public.workspace_invitations.workspace_id is $$The workspace that invites.$$;
comment on column public.workspace_invitations.kind is $$member, renter or vendor.$$;
comment on column public.workspace_invitations.email is $$The address that the token was sent to.$$;
comment on column public.workspace_invitations.role is $$The role a member will hold; empty for the other kinds.$$;
comment on column public.workspace_invitations.tenant_id is $$The renter whom the account will be tied to.$$;
comment on column public.workspace_invitations.vendor_id is $$The vendor whom the account will be tied to.$$;
comment on column public.workspace_invitations.invited_by is $$Who invited.$$;
comment on column public.workspace_invitations.expires_at is $$From then on the token is refused.$$;
comment on column public.workspace_invitations.accepted_at is $$When it was accepted; empty while it is open.$$;
comment on column public.workspace_invitations.accepted_by is $$The account that accepted it.$$;
comment on column public.workspace_invitations.created_at is $$When the row was made.$$;


-- Apart from the invitations, so that `select=*` on those needs no column left out.
create table private.invitation_tokens (
    digest bytea primary key,
    invitation_id uuid not null unique references public.workspace_invitations (id) on delete cascade
);

comment on table private.invitation_tokens is $$SHA-256 digests of the tokens that went out in mails.$$;
