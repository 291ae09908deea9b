-- What members are told of as it happens: work that is reported, assigned, commented on or moved on. The check of leases that
-- run out tells of those (71_lease_expiry.sql). Nobody is told of what they did themselves: private.notify() sees to it.

-- Who looks after a request: the member it is assigned to; else the property's manager; else the owners.
create view private.maintenance_watchers with (security_invoker = true) as
select
    r.workspace_id,
    r.id as request_id,
    r.assigned_member_id as user_id
from public.maintenance_requests as r
where r.assigned_member_id is not null
union all
select
    r.workspace_id,
    r.id,
    m.user_id
from public.maintenance_requests as r
inner join public.properties as p on r.workspace_id = p.workspace_id and r.property_id = p.id
inner join public.workspace_members as m
    on r.workspace_id = m.workspace_id and (p.manager_id = m.user_id or p.manager_id is null and m.role = 'owner')
where r.assigned_member_id is null;

comment on view private.maintenance_watchers is $$Who is told of what happens to a maintenance request.$$;


-- A new request: to whoever it is assigned to, or else looks after the property.
create function private.tell_of_new_requests()
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
            case when r.assigned_member_id is null then 'maintenance_reported' else 'maintenance_assigned' end as category,
            jsonb_agg(jsonb_build_object(
                'workspace_id', r.workspace_id,
                'user_id', w.user_id,
                'title', format('Request %s: %s', r.request_number, r.title),
                'body', r.location,
                'payload', jsonb_build_object('request_number', r.request_number, 'priority', r.priority),
                'maintenance_request_id', r.id,
                'dedupe_key', 'maintenance_reported/' || r.id
            )) as notices
        from touched as r
        join private.maintenance_watchers as w on w.workspace_id = r.workspace_id and w.request_id = r.id
        group by 1
    ) as told;
    return null;
end
$$;

create trigger tell_of_new_requests after insert on public.maintenance_requests
    referencing new table as touched
    for each statement execute function private.tell_of_new_requests();


-- Work that somebody gets: to them.
create function private.tell_of_assignments()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.notify('maintenance_assigned', (
        select jsonb_agg(jsonb_build_object(
            'workspace_id', r.workspace_id,
            'user_id', r.assigned_member_id,
            'title', format('Request %s is yours: %s', r.request_number, r.title),
            'body', r.location,
            'payload', jsonb_build_object('request_number', r.request_number, 'priority', r.priority),
            'maintenance_request_id', r.id,
            -- They may get it once more, another time.
            'dedupe_key', format('maintenance_assigned/%s/%s', r.id, extract(epoch from now()))
        ))
        from touched as r
        join before as was on was.workspace_id = r.workspace_id and was.id = r.id
        where r.assigned_member_id is not null and r.assigned_member_id is distinct from was.assigned_member_id
    ));
    return null;
end
$$;

create trigger tell_of_assignments after update on public.maintenance_requests
    referencing old table as before new table as touched
    for each statement execute function private.tell_of_assignments();


-- A step of a request's status. Being assigned is told apart.
create function private.tell_of_maintenance_status()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.notify('maintenance_status', (
        select jsonb_agg(jsonb_build_object(
            'workspace_id', r.workspace_id,
            'user_id', w.user_id,
            'title', format('Request %s is %s: %s', r.request_number, replace(c.to_status, '_', ' '), r.title),
            'body', r.location,
            'payload', jsonb_build_object('request_number', r.request_number, 'from', c.from_status, 'to', c.to_status),
            'maintenance_request_id', r.id,
            'dedupe_key', 'maintenance_status/' || c.id
        ))
        from touched as c
        join public.maintenance_requests as r on r.workspace_id = c.workspace_id and r.id = c.request_id
        join private.maintenance_watchers as w on w.workspace_id = c.workspace_id and w.request_id = c.request_id
        where c.from_status is not null and c.to_status <> 'assigned'
    ));
    return null;
end
$$;

create trigger tell_of_maintenance_status after insert on public.maintenance_status_changes
    referencing new table as touched
    for each statement execute function private.tell_of_maintenance_status();


-- What somebody said about a request. What it was, the request tells: a notice keeps no copy of people's words.
create function private.tell_of_maintenance_comments()
    returns trigger
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    perform private.notify('maintenance_commented', (
        select jsonb_agg(jsonb_build_object(
            'workspace_id', r.workspace_id,
            'user_id', w.user_id,
            'title', format(
                '%s commented on request %s: %s',
                case c.author_kind
                    when 'renter' then 'The renter'
                    when 'vendor' then 'The vendor'
                    when 'member' then 'A colleague'
                    else 'Freehold'
                end,
                r.request_number, r.title
            ),
            'body', r.location,
            'payload', jsonb_build_object('request_number', r.request_number, 'author_kind', c.author_kind),
            'maintenance_request_id', r.id,
            'dedupe_key', 'maintenance_commented/' || c.id
        ))
        from touched as c
        join public.maintenance_requests as r on r.workspace_id = c.workspace_id and r.id = c.request_id
        join private.maintenance_watchers as w on w.workspace_id = c.workspace_id and w.request_id = c.request_id
    ));
    return null;
end
$$;

create trigger tell_of_maintenance_comments after insert on public.maintenance_comments
    referencing new table as touched
    for each statement execute function private.tell_of_maintenance_comments();
