set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

create or replace function private.renewal_number (
    p_lease public.leases
)
    returns text
    language plpgsql
    stable
    security definer
    set search_path to ''
    AS $function$
declare
    v_stem text := left(regexp_replace(p_lease.lease_number, '-R[0-9]{1,6}$', ''), 50);
    v_n integer := coalesce(substring(p_lease.lease_number from '-R([0-9]{1,6})$')::integer, 0);
    v_number text;
begin
    loop
        v_n := v_n + 1;
        v_number := format('%s-R%s', v_stem, v_n);
        exit when not exists (
            select from public.leases as l
            where l.workspace_id = p_lease.workspace_id and lower(l.lease_number) = lower(v_number)
        );
    end loop;
    return v_number;
end
$function$;
