-- Inspections: what to look at, what was found, and who put their name to it.

create table public.inspection_templates (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    name text not null check (length(name) <= 120 and btrim(name) <> ''),
    inspection_type text not null default 'routine' check (
        inspection_type in ('move_in', 'move_out', 'routine', 'safety', 'turnover', 'other')
    ),
    status text not null default 'active' check (status in ('active', 'archived')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id)
);

create unique index inspection_templates_name_key on public.inspection_templates (workspace_id, lower(name));

create trigger touch_updated_at before update on public.inspection_templates
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.inspection_templates
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.inspection_templates
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.inspection_templates
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.inspection_templates
    referencing old table as old_rows
    for each statement execute function private.record_changes();

comment on table public.inspection_templates is $$Lists of what an inspection looks at.

`rpc/start_inspection` copies one: a later change of the template changes no inspection.$$;
comment on column public.inspection_templates.id is $$Identifies the template.$$;
comment on column public.inspection_templates.workspace_id is $$The workspace that uses it.$$;
comment on column public.inspection_templates.name is $$What people call it; unique in the workspace, case-insensitively.$$;
comment on column public.inspection_templates.inspection_type is
    $$What its inspections are: move_in, move_out, routine, safety, turnover or other.$$;
comment on column public.inspection_templates.status is $$active or archived: nothing new starts from an archived one.$$;
comment on column public.inspection_templates.created_at is $$When the row was made.$$;
comment on column public.inspection_templates.updated_at is $$When the row last changed.$$;


create table public.inspection_template_items (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    template_id uuid not null,
    room text not null check (length(room) <= 120 and btrim(room) <> ''),
    item text not null check (length(item) <= 200 and btrim(item) <> ''),
    position integer not null default 0,
    created_at timestamptz not null default now(),
    unique (workspace_id, id),
    foreign key (workspace_id, template_id) references public.inspection_templates (workspace_id, id) on delete cascade
);

create index inspection_template_items_position_idx
    on public.inspection_template_items (workspace_id, template_id, position);

create trigger refuse_truncate before truncate on public.inspection_template_items
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.inspection_template_items
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.inspection_template_items
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.inspection_template_items
    referencing old table as old_rows
    for each statement execute function private.record_changes();

comment on table public.inspection_template_items is $$What a template lists, room by room.$$;
comment on column public.inspection_template_items.id is $$Identifies the row.$$;
comment on column public.inspection_template_items.workspace_id is $$The workspace that uses the template.$$;
comment on column public.inspection_template_items.template_id is $$The template.$$;
comment on column public.inspection_template_items.room is $$Where: Kitchen, Bathroom, Outside.$$;
comment on column public.inspection_template_items.item is $$What: Oven, Smoke alarm, Walls.$$;
comment on column public.inspection_template_items.position is $$Its place in the order, the smallest first.$$;
comment on column public.inspection_template_items.created_at is $$When the row was made.$$;


create table public.inspections (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    property_id uuid not null,
    unit_id uuid,
    lease_id uuid,
    inspection_type text not null default 'routine' check (
        inspection_type in ('move_in', 'move_out', 'routine', 'safety', 'turnover', 'other')
    ),
    title text not null check (length(title) <= 120 and btrim(title) <> ''),
    status text not null default 'draft' check (status in ('draft', 'completed')),
    scheduled_at timestamptz check (scheduled_at between '1900-01-01' and '2200-01-01'),
    performed_at timestamptz check (performed_at between '1900-01-01' and '2200-01-01'),
    inspector_id uuid,
    notes text check (length(notes) <= 10000),
    completed_at timestamptz,
    completed_by uuid references auth.users (id) on delete set null,
    content_digest text check (content_digest ~ '^[0-9a-f]{64}$'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    foreign key (workspace_id, property_id) references public.properties (workspace_id, id) on delete cascade,
    foreign key (workspace_id, property_id, unit_id)
    references public.units (workspace_id, property_id, id) on delete cascade,
    foreign key (workspace_id, property_id, lease_id)
    references public.leases (workspace_id, property_id, id) on delete set null (lease_id),
    foreign key (workspace_id, inspector_id) references public.workspace_members (workspace_id, user_id)
        on delete set null (inspector_id),
    constraint completed_inspections_are_sealed check (
        (status = 'completed') = (completed_at is not null)
        and (status = 'completed') = (content_digest is not null)
        and (status = 'draft' or performed_at is not null)
    )
);

create index inspections_property_id_idx on public.inspections (workspace_id, property_id, scheduled_at desc);
create index inspections_unit_id_idx on public.inspections (workspace_id, property_id, unit_id)
    where unit_id is not null;
create index inspections_lease_id_idx on public.inspections (workspace_id, lease_id) where lease_id is not null;
create index inspections_inspection_type_idx on public.inspections (workspace_id, inspection_type, scheduled_at desc);
create index inspections_scheduled_at_idx on public.inspections (workspace_id, scheduled_at desc);
-- A page of all workspaces that one is in: these are walked, and others' rows passed over without a visit.
create index inspections_page_by_scheduled_at_idx on public.inspections (scheduled_at desc, workspace_id);
create index inspections_page_by_id_idx on public.inspections (id, workspace_id);
create index inspections_performed_at_idx on public.inspections (workspace_id, performed_at desc);
create index inspections_inspector_id_idx on public.inspections (workspace_id, inspector_id)
    where inspector_id is not null;
create index inspections_completed_by_idx on public.inspections (completed_by) where completed_by is not null;

comment on table public.inspections is $$Visits to a property or unit, and what was found there.

A draft is worked on freely, alone or from a template (`rpc/start_inspection`). `rpc/complete_inspection` freezes it together
with its items and their photos, and seals it with a digest; from then on it is signed with `rpc/sign_inspection`, and neither
changed nor deleted, whoever asks. The renters of a lease read its completed move-in and move-out inspections, those of a
lease that has ended included.$$;
comment on column public.inspections.id is $$Identifies the inspection.$$;
comment on column public.inspections.workspace_id is $$The workspace that manages it.$$;
comment on column public.inspections.property_id is $$The property that is visited. One with a completed inspection cannot be deleted.$$;
comment on column public.inspections.unit_id is $$The unit; empty: the whole property, or what its units share.$$;
comment on column public.inspections.lease_id is $$The lease that it begins, ends or checks on; its renters read it if it is a move-in or move-out.$$;
comment on column public.inspections.inspection_type is $$move_in, move_out, routine, safety, turnover or other.$$;
comment on column public.inspections.title is $$What people call it; starts as the template's name.$$;
comment on column public.inspections.status is $$draft or completed. Changed by `rpc/complete_inspection` only.$$;
comment on column public.inspections.scheduled_at is $$When it is planned for.$$;
comment on column public.inspections.performed_at is $$When it took place; completion sets it where it is empty.$$;
comment on column public.inspections.inspector_id is $$The member who inspects; empty once they have left the workspace.$$;
comment on column public.inspections.notes is $$What belongs to no item. Renters who may read the inspection read this, too.$$;
comment on column public.inspections.completed_at is $$When it was frozen; empty for a draft.$$;
comment on column public.inspections.completed_by is $$Who froze it; empty for a draft, or once that account is deleted.$$;
comment on column public.inspections.content_digest is
    $$SHA-256, hexadecimal, of what `rpc/inspection_content` answers: what signatures attest. Empty for a draft.$$;
comment on column public.inspections.created_at is $$When the row was made.$$;
comment on column public.inspections.updated_at is $$When the row last changed.$$;


create table public.inspection_items (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    inspection_id uuid not null,
    room text not null check (length(room) <= 120 and btrim(room) <> ''),
    item text not null check (length(item) <= 200 and btrim(item) <> ''),
    condition text check (condition in ('new', 'good', 'fair', 'poor', 'damaged', 'missing', 'not_inspected')),
    note text check (length(note) <= 4000),
    position integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    -- So that a photo's item is one of the photo's inspection.
    unique (workspace_id, inspection_id, id),
    foreign key (workspace_id, inspection_id) references public.inspections (workspace_id, id) on delete cascade
);

create index inspection_items_position_idx on public.inspection_items (workspace_id, inspection_id, position);

comment on table public.inspection_items is $$What an inspection looked at, room by room, and how it was found.

Photos are documents that name the item (`documents.inspection_item_id`). With the inspection's completion its items are
fixed.$$;
comment on column public.inspection_items.id is $$Identifies the item.$$;
comment on column public.inspection_items.workspace_id is $$The workspace that manages it.$$;
comment on column public.inspection_items.inspection_id is $$The inspection.$$;
comment on column public.inspection_items.room is $$Where: Kitchen, Bathroom, Outside.$$;
comment on column public.inspection_items.item is $$What: Oven, Smoke alarm, Walls.$$;
comment on column public.inspection_items.condition is
    $$new, good, fair, poor, damaged, missing or not_inspected. Every item has one before the inspection is completed.$$;
comment on column public.inspection_items.note is $$What was found, in words.$$;
comment on column public.inspection_items.position is $$Its place in the order, the smallest first.$$;
comment on column public.inspection_items.created_at is $$When the row was made.$$;
comment on column public.inspection_items.updated_at is $$When the row last changed.$$;


create table public.inspection_signatures (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    inspection_id uuid not null,
    signed_as text not null check (signed_as in ('landlord', 'renter')),
    tenant_id uuid,
    user_id uuid references auth.users (id) on delete set null,
    signer_name text not null check (length(signer_name) <= 200 and btrim(signer_name) <> ''),
    content_digest text not null check (content_digest ~ '^[0-9a-f]{64}$'),
    remarks text check (length(remarks) <= 4000),
    signed_at timestamptz not null,
    unique (workspace_id, id),
    foreign key (workspace_id, inspection_id) references public.inspections (workspace_id, id) on delete cascade,
    foreign key (workspace_id, tenant_id) references public.tenants (workspace_id, id) on delete cascade,
    constraint renters_sign_as_themselves check ((signed_as = 'renter') = (tenant_id is not null))
);

create unique index inspection_signatures_tenant_key
    on public.inspection_signatures (workspace_id, inspection_id, tenant_id) where tenant_id is not null;
create unique index inspection_signatures_user_key
    on public.inspection_signatures (workspace_id, inspection_id, user_id) where signed_as = 'landlord';
create index inspection_signatures_inspection_id_idx
    on public.inspection_signatures (workspace_id, inspection_id, signed_at);
create index inspection_signatures_tenant_id_idx on public.inspection_signatures (workspace_id, tenant_id)
    where tenant_id is not null;
create index inspection_signatures_user_id_idx on public.inspection_signatures (user_id) where user_id is not null;

comment on table public.inspection_signatures is $$Who put their name to a completed inspection, and to what exactly.

Written by `rpc/sign_inspection`, never changed. A signature holds for the digest that it names.$$;
comment on column public.inspection_signatures.id is $$Identifies the signature.$$;
comment on column public.inspection_signatures.workspace_id is $$The workspace that manages the inspection.$$;
comment on column public.inspection_signatures.inspection_id is $$The inspection.$$;
comment on column public.inspection_signatures.signed_as is $$landlord (a member, for the workspace) or renter.$$;
comment on column public.inspection_signatures.tenant_id is $$The renter who signed; empty for the landlord.$$;
comment on column public.inspection_signatures.user_id is $$The account that signed; empty once it is deleted.$$;
comment on column public.inspection_signatures.signer_name is $$The name as the signer typed it.$$;
comment on column public.inspection_signatures.content_digest is $$The inspection's content_digest, as the signer gave it.$$;
comment on column public.inspection_signatures.remarks is $$What the signer wants to be read beside their name, such as an objection.$$;
comment on column public.inspection_signatures.signed_at is $$When it was signed.$$;
