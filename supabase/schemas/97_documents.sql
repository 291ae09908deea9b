-- Documents: what is known of a file, what it belongs to, and to whom it is shown. The bytes lie in Storage.

create table public.documents (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    document_type text not null default 'other' check (
        document_type in (
            'lease', 'addendum', 'notice', 'insurance', 'license', 'identity', 'application', 'inspection', 'photo',
            'receipt', 'invoice', 'warranty', 'rules', 'other'
        )
    ),
    title text not null check (length(title) <= 200 and btrim(title) <> ''),
    file_name text check (length(file_name) <= 255 and file_name ~ '^[^/\\[:cntrl:]]+$'),
    status text not null default 'pending_upload' check (status in ('pending_upload', 'available', 'archived')),
    storage_path text not null,
    content_type text check (content_type ~ '^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$'),
    size_bytes bigint check (size_bytes between 1 and 9007199254740991),
    sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
    expires_on date check (expires_on between '1900-01-01' and '2200-01-01'),
    visible_to_renters boolean not null default false,
    visible_to_vendors boolean not null default false,
    property_id uuid,
    unit_id uuid,
    tenant_id uuid,
    lease_id uuid,
    vendor_id uuid,
    maintenance_request_id uuid,
    inspection_id uuid,
    inspection_item_id uuid,
    expense_id uuid,
    -- In the order of how much each says about whom it concerns.
    attached_to uuid generated always as (
        coalesce(
            tenant_id, vendor_id, expense_id, maintenance_request_id, inspection_id, lease_id, unit_id, property_id
        )
    ) stored,
    uploaded_by uuid default auth.uid() references auth.users (id) on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    unique (workspace_id, storage_path),
    foreign key (workspace_id, property_id) references public.properties (workspace_id, id)
        on delete set null (property_id),
    foreign key (workspace_id, property_id, unit_id) references public.units (workspace_id, property_id, id)
        on delete set null (unit_id),
    foreign key (workspace_id, tenant_id) references public.tenants (workspace_id, id) on delete set null (tenant_id),
    foreign key (workspace_id, lease_id) references public.leases (workspace_id, id) on delete set null (lease_id),
    foreign key (workspace_id, vendor_id) references public.vendors (workspace_id, id) on delete set null (vendor_id),
    foreign key (workspace_id, maintenance_request_id) references public.maintenance_requests (workspace_id, id)
        on delete set null (maintenance_request_id),
    foreign key (workspace_id, inspection_id) references public.inspections (workspace_id, id)
        on delete set null (inspection_id),
    foreign key (workspace_id, inspection_id, inspection_item_id)
    references public.inspection_items (workspace_id, inspection_id, id) on delete set null (inspection_item_id),
    foreign key (workspace_id, expense_id) references public.expenses (workspace_id, id)
        on delete set null (expense_id),
    -- A key that Storage takes, in the workspace's folder, without a way out of it.
    constraint stored_in_the_workspace_s_folder check (
        starts_with(storage_path, workspace_id || '/')
        and length(storage_path) between 38 and 500
        and storage_path ~ '^[A-Za-z0-9!.*''()&$@=;:+,?_ -]+(/[A-Za-z0-9!.*''()&$@=;:+,?_ -]+)+$'
        and storage_path !~ '(^|/)\.{1,2}(/|$)'
    ),
    constraint what_is_there_is_known check (
        status = 'pending_upload' or (content_type is not null and size_bytes is not null and sha256 is not null)
    ),
    constraint a_unit_comes_with_its_property check (unit_id is null or property_id is not null),
    constraint an_item_comes_with_its_inspection check (inspection_item_id is null or inspection_id is not null)
);

create index documents_created_at_idx on public.documents (workspace_id, created_at desc);
-- A page of all workspaces that one is in: these are walked, and others' rows passed over without a visit.
create index documents_page_by_created_at_idx on public.documents (created_at desc, workspace_id);
create index documents_page_by_id_idx on public.documents (id, workspace_id);
create index documents_document_type_idx on public.documents (workspace_id, document_type, created_at desc);
create index documents_expires_on_idx on public.documents (workspace_id, expires_on) where expires_on is not null;
create index documents_attached_to_idx on public.documents (workspace_id, attached_to);
create index documents_property_id_idx on public.documents (workspace_id, property_id, created_at desc)
    where property_id is not null;
create index documents_unit_id_idx on public.documents (workspace_id, property_id, unit_id) where unit_id is not null;
create index documents_tenant_id_idx on public.documents (workspace_id, tenant_id) where tenant_id is not null;
create index documents_lease_id_idx on public.documents (workspace_id, lease_id) where lease_id is not null;
create index documents_vendor_id_idx on public.documents (workspace_id, vendor_id) where vendor_id is not null;
create index documents_maintenance_request_id_idx on public.documents (workspace_id, maintenance_request_id)
    where maintenance_request_id is not null;
create index documents_inspection_id_idx on public.documents (workspace_id, inspection_id, inspection_item_id)
    where inspection_id is not null;
create index documents_expense_id_idx on public.documents (workspace_id, expense_id) where expense_id is not null;
create index documents_uploaded_by_idx on public.documents (uploaded_by) where uploaded_by is not null;

comment on table public.documents is $$What is known of each file: what it is, what it belongs to, who may see it.

A row is made first (`pending_upload`), the bytes are stored at its `storage_path`, and then it is `available`: from there on
the path, type, size and digest stay. `archived` takes it out of sight of renters and vendors. A document may name several
records. Renters and vendors see it only if it is shown to them, is available, and what it names most closely is theirs:
`attached_to` is that record.$$;
comment on column public.documents.id is $$Identifies the document.$$;
comment on column public.documents.workspace_id is $$The workspace that keeps it.$$;
comment on column public.documents.document_type is
    $$lease, addendum, notice, insurance, license, identity, application, inspection, photo, receipt, invoice, warranty, rules
or other.$$;
comment on column public.documents.title is $$What people call it.$$;
comment on column public.documents.file_name is $$The file's name as its owner knew it.$$;
comment on column public.documents.status is
    $$pending_upload, available or archived. It goes from the first to the second, and between the last two.$$;
comment on column public.documents.storage_path is
    $$Where its bytes lie: `<workspace_id>/…`, unique in the workspace, in characters that Storage takes. Left out, it is made of
the id.$$;
comment on column public.documents.content_type is $$Media type such as application/pdf, in lower case.$$;
comment on column public.documents.size_bytes is $$Size in bytes.$$;
comment on column public.documents.sha256 is $$SHA-256 of the bytes, 64 hexadecimal digits.$$;
comment on column public.documents.expires_on is $$Last day on which it is good: an insurance, a licence. Empty: it does not expire.$$;
comment on column public.documents.visible_to_renters is $$Whether renters whose it is may see it.$$;
comment on column public.documents.visible_to_vendors is $$Whether the vendor whose it is may see it.$$;
comment on column public.documents.property_id is $$A property. Shown to renters, it concerns all who live there.$$;
comment on column public.documents.unit_id is $$A unit of that property. Shown to renters, it concerns those who hold it now.$$;
comment on column public.documents.tenant_id is $$A renter. Shown to renters, it concerns this one alone, whatever else it names.$$;
comment on column public.documents.lease_id is $$A lease. Shown to renters, it concerns its parties, after its end, too.$$;
comment on column public.documents.vendor_id is $$A vendor: the insurance they carry, their invoice. Never shown to renters.$$;
comment on column public.documents.maintenance_request_id is
    $$A request. Shown to renters, it concerns the household that sees the request; shown to vendors, whoever has it now.$$;
comment on column public.documents.inspection_id is $$An inspection. Shown to renters, it concerns those who may read that.$$;
comment on column public.documents.inspection_item_id is
    $$The item of that inspection of which it is a photo. Fixed once the inspection is completed.$$;
comment on column public.documents.expense_id is $$The expense of which it is the receipt. Never shown to renters.$$;
comment on column public.documents.attached_to is
    $$The id of what it names most closely: renter, vendor, expense, request, inspection, lease, unit or property, in this order.$$;
comment on column public.documents.uploaded_by is $$Who added it; empty once that account is deleted.$$;
comment on column public.documents.created_at is $$When the row was made.$$;
comment on column public.documents.updated_at is $$When the row last changed.$$;


-- A document that names no place of its own lies under its id. Runs as the caller.
create function private.default_document()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    new.storage_path := coalesce(new.storage_path, new.workspace_id || '/' || new.id);
    return new;
end
$$;


-- Bytes that are there are what they are; and a status moves along its edges.
create function private.guard_document()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    -- With a property or an inspection, what was named inside of it is gone.
    if new.property_id is null and old.property_id is not null then
        new.unit_id := null;
    end if;
    if new.inspection_id is null and old.inspection_id is not null then
        new.inspection_item_id := null;
    end if;
    if new.storage_path <> old.storage_path
        or old.status <> 'pending_upload' and (new.content_type, new.size_bytes, new.sha256)
        is distinct from (old.content_type, old.size_bytes, old.sha256)
    then
        perform private.fail(
            409, 'document_stored', 'The bytes of this document are stored: their path, type, size and digest stay.',
            p_hint := 'Add another document, and archive this one.'
        );
    end if;
    if new.status <> old.status and (old.status, new.status) not in (
        ('pending_upload', 'available'), ('available', 'archived'), ('archived', 'available')
    ) then
        perform private.fail(
            409, 'document_status_refused', format('A document does not go from %s to %s.', old.status, new.status),
            p_hint := 'pending_upload becomes available; available and archived become each other.'
        );
    end if;
    return new;
end
$$;


-- Photos of items come and go while their inspection is a draft. After row security has let the row in, or go.
create function private.guard_inspection_photo()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    if tg_op <> 'INSERT' and old.inspection_item_id is not null then
        perform private.hold_draft_inspection(old.workspace_id, old.inspection_id, p_wait := false);
    end if;
    if tg_op <> 'DELETE' and new.inspection_item_id is not null then
        perform private.hold_draft_inspection(new.workspace_id, new.inspection_id, p_wait := tg_op = 'INSERT');
    end if;
    return null;
end
$$;

create trigger default_document before insert on public.documents
    for each row execute function private.default_document();

create trigger guard_document before update on public.documents
    for each row execute function private.guard_document();

create trigger touch_updated_at before update on public.documents
    for each row execute function private.touch_updated_at();

create trigger guard_inspection_photo after insert or delete on public.documents
    for each row execute function private.guard_inspection_photo();

create trigger guard_inspection_photo_on_update after update on public.documents
    for each row when (
        (old.inspection_id, old.inspection_item_id) is distinct from (new.inspection_id, new.inspection_item_id)
    ) execute function private.guard_inspection_photo();

create trigger refuse_truncate before truncate on public.documents
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.documents
    referencing new table as new_rows
    for each statement execute function private.record_changes('{id}', '{title, file_name}');

create trigger record_updates after update on public.documents
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes('{id}', '{title, file_name}');

create trigger record_deletes after delete on public.documents
    referencing old table as old_rows
    for each statement execute function private.record_changes('{id}', '{title, file_name}');


-- What a document shown to renters has to name for the caller to see it: their record, their leases with the inspections that
-- begin and end them, their household's requests, and the place that they rent now.
create function private.my_records_as_renter()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_user_id uuid := auth.uid();
begin
    return query
    select t.id from public.tenants as t where t.user_id = v_user_id
    union all
    select private.my_lease_ids()
    union all
    select private.my_inspection_ids()
    union all
    select private.my_household_request_ids()
    union all
    select private.my_unit_ids()
    union all
    select private.my_property_ids();
end
$$;


-- What a document shown to vendors has to name for the caller to see it.
create function private.my_records_as_vendor()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_user_id uuid := auth.uid();
begin
    return query
    select v.id from public.vendors as v where v.user_id = v_user_id
    union all
    select private.my_assigned_request_ids();
end
$$;


-- Documents that the caller may see as a renter or a vendor.
create function private.my_document_ids()
    returns setof uuid
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select d.id
    from public.documents as d
    where
        d.workspace_id = any (array(select private.my_portal_workspaces()))
        and d.attached_to = any (array(select private.my_records_as_renter()))
        and d.visible_to_renters
        and d.status = 'available'
    union all
    select d.id
    from public.documents as d
    where
        d.workspace_id = any (array(select private.my_portal_workspaces()))
        and d.attached_to = any (array(select private.my_records_as_vendor()))
        and d.visible_to_vendors
        and d.status = 'available';
end
$$;

grant execute on function private.my_document_ids() to authenticated;
