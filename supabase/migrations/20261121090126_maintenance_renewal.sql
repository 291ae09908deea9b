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
        and r.status not in ('closed', 'cancelled');
    return null;
end
$function$;

create trigger move_household_requests
    after update on public.leases referencing OLD table as
    before NEW table as touched
    for each STATEMENT
    execute function private.move_household_requests();

revoke all on function "private"."move_household_requests"() from public;

revoke all on function "private"."move_household_requests"() from "postgres";

grant execute on function "private"."move_household_requests"() to "postgres";
