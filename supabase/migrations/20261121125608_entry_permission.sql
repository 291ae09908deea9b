set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

create or replace function private.move_household_requests()
    returns trigger
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
begin
    update public.maintenance_requests as r
    set lease_id = renewal.id
    from touched as l
    join before as was on was.workspace_id = l.workspace_id and was.id = l.id and was.status <> l.status
    join public.leases as renewal
        on
            renewal.workspace_id = l.workspace_id
            and renewal.property_id = l.property_id
            and renewal.renewed_from_id = l.id
            and renewal.in_force
    where
        l.status = 'ended'
        and r.workspace_id = l.workspace_id
        and r.property_id = l.property_id
        and r.lease_id = l.id
        and r.status not in ('closed', 'cancelled')
        and (
            r.unit_id is null
            or private.has_held(l.workspace_id, renewal.id, r.unit_id)
            or not private.has_held(l.workspace_id, l.id, r.unit_id)
        );
    update public.maintenance_requests as r
    set permission_to_enter = false
    from touched as l
    join before as was on was.workspace_id = l.workspace_id and was.id = l.id and was.status <> l.status
    where
        l.status in ('ended', 'terminated')
        and r.workspace_id = l.workspace_id
        and r.property_id = l.property_id
        and r.lease_id = l.id
        and r.status not in ('closed', 'cancelled')
        and r.permission_to_enter;
    return null;
end
$function$;

comment on column "public"."maintenance_requests"."permission_to_enter" is 'Whether the renters let somebody in while they are out. It ends with their lease.';
