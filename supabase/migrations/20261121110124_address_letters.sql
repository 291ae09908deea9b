set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

create or replace function private.keep_address_status()
    returns trigger
    language plpgsql
    set search_path to ''
    AS $function$
begin
    if tg_op = 'UPDATE' then
        if (lower(new.address_line1), lower(new.city), lower(new.state), lower(new.postal_code), new.country)
            is distinct from (lower(old.address_line1), lower(old.city), lower(old.state), lower(old.postal_code), old.country)
            and new.place_id is not distinct from old.place_id
            and new.address_status = old.address_status
        then
            new.address_status := 'unverified';
            new.place_id := null;
        end if;
        if new.place_id is distinct from old.place_id and new.place_checked_at is not distinct from old.place_checked_at then
            new.place_checked_at := case when new.place_id is not null then now() end;
        end if;
    elsif new.place_id is not null then
        new.place_checked_at := now();
    end if;
    return new;
end
$function$;

comment on column "public"."address_corrections"."postal_code" is 'The proposed ZIP or other postal code.';
