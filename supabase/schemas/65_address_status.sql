-- Whether an address is known: what a person writes by hand is unverified until a service has it. Nothing that was typed is ever overwritten.

-- Which address it is that was checked: it must be the same when the answer comes.
create function private.address_digest(p_property public.properties)
    returns text
    immutable
    parallel safe
    set search_path = ''
    language sql
as $$
    select md5(jsonb_build_array(
        p_property.address_line1, p_property.address_line2, p_property.city, p_property.state, p_property.postal_code,
        p_property.country
    )::text)
$$;


-- An address that is changed by hand is unverified again, and its place is another one: unless whoever changes it says otherwise, as a
-- form does that chose a suggestion, or writes the same in other letters, as an import does. To take the place away says nothing of the
-- new address. Runs as the caller.
create function private.keep_address_status()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if tg_op = 'UPDATE' then
        if (lower(new.address_line1), lower(new.city), lower(new.state), lower(new.postal_code), new.country)
            is distinct from (lower(old.address_line1), lower(old.city), lower(old.state), lower(old.postal_code), old.country)
            and (new.place_id is null or new.place_id is not distinct from old.place_id)
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
    -- What Google told may not be kept here: a form that hands it on saves nothing. The field `coordinates` tells it as long as it may.
    if new.latitude is not null and exists (
        select from public.place_coordinates as c
        where
            c.workspace_id = new.workspace_id
            and c.place_id = new.place_id
            and c.provider = 'google'
            and (c.latitude, c.longitude) = (new.latitude, new.longitude)
    ) then
        new.latitude := null;
        new.longitude := null;
    end if;
    return new;
end
$$;

create trigger keep_address_status before insert or update on public.properties
    for each row execute function private.keep_address_status();
