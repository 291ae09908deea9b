-- What renters and vendors are told of as it happens. Whoever is told could look it up at that moment; once their tie ends they are
-- told nothing more. A member hears of the same events in 96_notification_events.sql: one who is both is told once.

-- Accounts of the parties to a lease: those who signed, no occupants.
create view private.lease_accounts with (security_invoker = true) as
select
    lt.workspace_id,
    lt.lease_id,
    t.user_id
from public.lease_tenants as lt
inner join public.tenants as t on lt.workspace_id = t.workspace_id and lt.tenant_id = t.id
where lt.role <> 'occupant' and t.user_id is not null;

comment on view private.lease_accounts is $$Which accounts are parties to which lease.$$;


-- Accounts that see a request in their portal: those of the household while its lease binds, the vendor's who has it.
create view private.maintenance_portal_accounts with (security_invoker = true) as
select
    r.workspace_id,
    r.id as request_id,
    a.user_id,
    'renter' as audience
from public.maintenance_requests as r
inner join public.leases as l
    on r.workspace_id = l.workspace_id and r.property_id = l.property_id and r.lease_id = l.id and l.in_force
inner join private.lease_accounts as a on l.workspace_id = a.workspace_id and l.id = a.lease_id
where r.shown_to_renter and (r.unit_id is null or not private.has_left(r.workspace_id, r.lease_id, r.unit_id))
union all
select
    r.workspace_id,
    r.id as request_id,
    v.user_id,
    'vendor' as audience
from public.maintenance_requests as r
inner join public.vendors as v on r.workspace_id = v.workspace_id and r.assigned_vendor_id = v.id
where v.user_id is not null and v.status = 'active';

comment on view private.maintenance_portal_accounts is $$Which renters' and vendors' accounts see which request.$$;


-- A comment that is shown to the household or to the vendor: as it is written, or when a member shows it later. What it says, the
-- request tells.
create function private.tell_of_shown_comments()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_shown jsonb;
begin
    if tg_op = 'INSERT' then
        select jsonb_agg(jsonb_build_object('id', c.id, 'renter', c.visible_to_renter, 'vendor', c.visible_to_vendor))
        into v_shown
        from touched as c
        where c.visible_to_renter or c.visible_to_vendor;
    else
        select jsonb_agg(jsonb_build_object(
            'id', c.id,
            'renter', c.visible_to_renter and not was.visible_to_renter,
            'vendor', c.visible_to_vendor and not was.visible_to_vendor
        ))
        into v_shown
        from touched as c
        join before as was on was.workspace_id = c.workspace_id and was.id = c.id
        where (c.visible_to_renter, c.visible_to_vendor) is distinct from (was.visible_to_renter, was.visible_to_vendor);
    end if;
    if v_shown is null then
        return null;
    end if;
    perform private.notify(told.category, told.notices)
    from (
        select
            case p.audience when 'renter' then 'request_commented' else 'work_commented' end as category,
            jsonb_agg(jsonb_build_object(
                'workspace_id', r.workspace_id,
                'user_id', p.user_id,
                'title', format(
                    '%s commented on request %s: %s',
                    case
                        when c.author_kind = 'member' then 'The property manager'
                        when c.author_kind = 'vendor' then 'The vendor'
                        when c.author_kind = 'system' then 'Freehold'
                        when p.audience = 'renter' then 'Somebody of your household'
                        else 'The renter'
                    end,
                    r.request_number, r.title
                ),
                'body', r.location,
                'payload', jsonb_build_object('request_number', r.request_number, 'author_kind', c.author_kind),
                'maintenance_request_id', r.id,
                'dedupe_key', 'maintenance_commented/' || c.id
            )) as notices
        from touched as c
        join jsonb_to_recordset(v_shown) as shown (id uuid, renter boolean, vendor boolean) on shown.id = c.id
        join public.maintenance_requests as r on r.workspace_id = c.workspace_id and r.id = c.request_id
        join private.maintenance_portal_accounts as p
            on
                p.workspace_id = r.workspace_id
                and p.request_id = r.id
                and case p.audience when 'renter' then shown.renter else shown.vendor end
        -- Who wrote it knows, though it was a member who showed it.
        where p.user_id is distinct from c.author_id
        group by 1
    ) as told;
    return null;
end
$$;

create trigger tell_of_shown_comments_on_insert after insert on public.maintenance_comments
    referencing new table as touched
    for each statement execute function private.tell_of_shown_comments();

create trigger tell_of_shown_comments_on_update after update on public.maintenance_comments
    referencing old table as before new table as touched
    for each statement execute function private.tell_of_shown_comments();


-- A step of a request that somebody sees in their portal: the household every one, the first included; the vendor those of the work.
create function private.tell_of_shown_steps()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.notify(told.category, told.notices)
    from (
        select
            case p.audience when 'renter' then 'request_status' else 'work_status' end as category,
            jsonb_agg(jsonb_build_object(
                'workspace_id', r.workspace_id,
                'user_id', p.user_id,
                'title', format('Request %s is %s: %s', r.request_number, replace(c.to_status, '_', ' '), r.title),
                'body', r.location,
                'payload', jsonb_build_object('request_number', r.request_number, 'from', c.from_status, 'to', c.to_status),
                'maintenance_request_id', r.id,
                'dedupe_key', 'maintenance_status/' || c.id
            )) as notices
        from touched as c
        join public.maintenance_requests as r on r.workspace_id = c.workspace_id and r.id = c.request_id
        join private.maintenance_portal_accounts as p on p.workspace_id = c.workspace_id and p.request_id = c.request_id
        -- That they got it is told apart.
        where p.audience = 'renter' or c.to_status <> 'assigned'
        group by 1
    ) as told;
    return null;
end
$$;

create trigger tell_of_shown_steps after insert on public.maintenance_status_changes
    referencing new table as touched
    for each statement execute function private.tell_of_shown_steps();


-- Work that a vendor gets: to them.
create function private.tell_of_new_work()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.notify('work_assigned', (
        select jsonb_agg(private.notice_of_work(r, v.user_id, 'Request %s is yours: %s', true))
        from touched as r
        join public.vendors as v on v.workspace_id = r.workspace_id and v.id = r.assigned_vendor_id
        where v.user_id is not null and v.status = 'active'
    ));
    return null;
end
$$;


-- What a vendor is told of work that they got or that was taken from them. They may get it once more, another time.
create function private.notice_of_work(
    p_request public.maintenance_requests, p_user_id uuid, p_title text, p_has_it boolean
)
    returns jsonb
    stable
    set search_path = ''
    language sql
as $$
    select jsonb_build_object(
        'workspace_id', p_request.workspace_id,
        'user_id', p_user_id,
        'title', format(p_title, p_request.request_number, p_request.title),
        'body', p_request.location,
        'payload', jsonb_build_object(
            'request_number', p_request.request_number, 'priority', p_request.priority, 'assigned', p_has_it
        ),
        'maintenance_request_id', p_request.id,
        'dedupe_key', format('work_assigned/%s/%s/%s', p_request.id, p_has_it, extract(epoch from now()))
    )
$$;


-- Work that changes hands: to the vendor who gets it, and to the one from whom it is taken. And another time for work, while the
-- request stays scheduled: to those who wait for each other.
create function private.tell_of_moved_work()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.notify('work_assigned', (
        select jsonb_agg(private.notice_of_work(
            r, v.user_id, case v.id when r.assigned_vendor_id then 'Request %s is yours: %s' else 'Request %s is no longer yours: %s' end,
            v.id is not distinct from r.assigned_vendor_id
        ))
        from touched as r
        join before as was on was.workspace_id = r.workspace_id and was.id = r.id
        join public.vendors as v
            on v.workspace_id = r.workspace_id and v.id in (r.assigned_vendor_id, was.assigned_vendor_id)
        where
            r.assigned_vendor_id is distinct from was.assigned_vendor_id
            and v.user_id is not null
            and v.status = 'active'
    ));
    perform private.notify(told.category, told.notices)
    from (
        select
            case p.audience when 'renter' then 'request_status' else 'work_status' end as category,
            jsonb_agg(jsonb_build_object(
                'workspace_id', r.workspace_id,
                'user_id', p.user_id,
                'title', format('Request %s has another time: %s', r.request_number, r.title),
                'body', r.location,
                'payload', jsonb_build_object(
                    'request_number', r.request_number,
                    'scheduled_starts_at', r.scheduled_starts_at,
                    'scheduled_ends_at', r.scheduled_ends_at
                ),
                'maintenance_request_id', r.id,
                'dedupe_key', format('maintenance_window/%s/%s', r.id, extract(epoch from now()))
            )) as notices
        from touched as r
        join before as was on was.workspace_id = r.workspace_id and was.id = r.id
        join private.maintenance_portal_accounts as p on p.workspace_id = r.workspace_id and p.request_id = r.id
        where
            r.status = 'scheduled'
            and was.status = 'scheduled'
            and (r.scheduled_starts_at, r.scheduled_ends_at) is distinct from (was.scheduled_starts_at, was.scheduled_ends_at)
        group by 1
    ) as told;
    return null;
end
$$;

create trigger tell_of_new_work after insert on public.maintenance_requests
    referencing new table as touched
    for each statement execute function private.tell_of_new_work();

create trigger tell_of_moved_work after update on public.maintenance_requests
    referencing old table as before new table as touched
    for each statement execute function private.tell_of_moved_work();


-- Renters' accounts that see a document which is shown to renters: those of the one record that it is attached to, as
-- private.my_records_as_renter() has it from the other side.
create function private.document_accounts(p_document public.documents)
    returns setof uuid
    stable
    set search_path = ''
    language plpgsql
as $$
declare
    v_workspace_id uuid := p_document.workspace_id;
    v_attached_to uuid := p_document.attached_to;
begin
    if v_attached_to = p_document.tenant_id then
        return query
        select t.user_id
        from public.tenants as t
        where t.workspace_id = v_workspace_id and t.id = v_attached_to and t.user_id is not null;
    elsif v_attached_to = p_document.maintenance_request_id then
        return query
        select p.user_id
        from private.maintenance_portal_accounts as p
        where p.workspace_id = v_workspace_id and p.request_id = v_attached_to and p.audience = 'renter';
    elsif v_attached_to = p_document.inspection_id then
        return query
        select a.user_id
        from public.inspections as i
        join public.leases as l on l.workspace_id = i.workspace_id and l.id = i.lease_id and l.status <> 'draft'
        join private.lease_accounts as a on a.workspace_id = l.workspace_id and a.lease_id = l.id
        where
            i.workspace_id = v_workspace_id
            and i.id = v_attached_to
            and i.status = 'completed'
            and i.inspection_type in ('move_in', 'move_out');
    elsif v_attached_to = p_document.lease_id then
        return query
        select a.user_id
        from public.leases as l
        join private.lease_accounts as a on a.workspace_id = l.workspace_id and a.lease_id = l.id
        where l.workspace_id = v_workspace_id and l.id = v_attached_to and l.status <> 'draft';
    elsif v_attached_to = p_document.unit_id then
        return query
        select distinct a.user_id
        from public.lease_units as lu
        join public.leases as l on l.workspace_id = lu.workspace_id and l.id = lu.lease_id and l.in_force
        join private.lease_accounts as a on a.workspace_id = l.workspace_id and a.lease_id = l.id
        where
            lu.workspace_id = v_workspace_id
            and lu.unit_id = v_attached_to
            and lu.binding
            and lu.superseded_at is null
            and not private.has_left(l.workspace_id, l.id, v_attached_to);
    elsif v_attached_to = p_document.property_id then
        return query
        select distinct a.user_id
        from public.leases as l
        join private.lease_accounts as a on a.workspace_id = l.workspace_id and a.lease_id = l.id
        where l.workspace_id = v_workspace_id and l.property_id = v_attached_to and l.in_force;
    end if;
end
$$;


-- A document that renters can see from now on.
create function private.tell_of_shown_documents()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_shown uuid[];
begin
    if tg_op = 'INSERT' then
        v_shown := array(select d.id from touched as d where d.visible_to_renters and d.status = 'available');
    else
        v_shown := array(
            select d.id
            from touched as d
            join before as was on was.workspace_id = d.workspace_id and was.id = d.id
            where
                d.visible_to_renters
                and d.status = 'available'
                and not (was.visible_to_renters and was.status = 'available')
        );
    end if;
    if cardinality(v_shown) = 0 then
        return null;
    end if;
    perform private.notify('document_shown', (
        select jsonb_agg(jsonb_build_object(
            'workspace_id', d.workspace_id,
            'user_id', a.a,
            'title', format('There is a document for you: %s', d.title),
            'payload', jsonb_build_object('document_id', d.id, 'document_type', d.document_type),
            'lease_id', case d.attached_to when d.lease_id then d.lease_id end,
            'maintenance_request_id', case d.attached_to when d.maintenance_request_id then d.maintenance_request_id end,
            'dedupe_key', format('document_shown/%s/%s', d.id, extract(epoch from now()))
        ))
        from public.documents as d
        cross join lateral private.document_accounts(d) as a (a)
        where d.id = any (v_shown)
    ));
    return null;
end
$$;

create trigger tell_of_shown_documents_on_insert after insert on public.documents
    referencing new table as touched
    for each statement execute function private.tell_of_shown_documents();

create trigger tell_of_shown_documents_on_update after update on public.documents
    referencing old table as before new table as touched
    for each statement execute function private.tell_of_shown_documents();


-- Notice that is given or withdrawn, a renewal that is signed or called off: to the parties.
create function private.tell_of_lease_steps()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.notify(told.category, told.notices)
    from (
        select
            step.category,
            jsonb_agg(jsonb_build_object(
                'workspace_id', l.workspace_id,
                'user_id', a.user_id,
                'title', step.title,
                'body', step.body,
                'payload', jsonb_build_object(
                    'lease_number', l.lease_number,
                    'status', c.to_status,
                    'notice_given_by', l.notice_given_by,
                    'planned_move_out_on', l.planned_move_out_on,
                    'starts_on', l.starts_on,
                    'ends_on', l.ends_on
                ),
                'lease_id', step.lease_id,
                'dedupe_key', 'lease_status/' || c.id
            )) as notices
        from touched as c
        join public.leases as l on l.workspace_id = c.workspace_id and l.id = c.lease_id
        cross join lateral (
            select
                'lease_notice' as category,
                format('Notice was given for lease %s', l.lease_number) as title,
                format('Last day: %s.', l.planned_move_out_on) as body,
                l.id as lease_id
            where c.to_status = 'notice_given' and c.from_status is not null
            union all
            select 'lease_notice', format('Notice for lease %s was withdrawn', l.lease_number), '', l.id
            where c.from_status = 'notice_given' and c.to_status = 'active'
            union all
            select
                'lease_renewed',
                format('Lease %s renews yours', l.lease_number),
                format('From %s%s.', l.starts_on, ' to ' || l.ends_on),
                l.id
            where l.renewed_from_id is not null and c.from_status = 'draft'
            union all
            -- The lease that it was to renew runs on.
            select 'lease_renewed', format('Lease %s, which was to renew yours, was called off', l.lease_number), '', l.renewed_from_id
            where l.renewed_from_id is not null and c.from_status = 'pending' and c.to_status = 'terminated'
        ) as step
        join private.lease_accounts as a on a.workspace_id = l.workspace_id and a.lease_id = step.lease_id
        group by step.category
    ) as told;
    return null;
end
$$;

create trigger tell_of_lease_steps after insert on public.lease_status_changes
    referencing new table as touched
    for each statement execute function private.tell_of_lease_steps();


-- The account of a renter or a vendor, and as what it is told things.
create function private.told_as(p_workspace_id uuid, p_tenant_id uuid, p_vendor_id uuid)
    returns table (user_id uuid, audience text)
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select t.user_id, 'renter'
    from public.tenants as t
    where t.workspace_id = p_workspace_id and t.id = p_tenant_id
    union all
    select v.user_id, 'vendor'
    from public.vendors as v
    where v.workspace_id = p_workspace_id and v.id = p_vendor_id;
end
$$;
