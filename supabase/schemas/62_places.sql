-- Places: where a property is, as a service for addresses told, and what asking it cost.
--
-- What a service tells stays apart from what people typed: Google's coordinates may be kept for 30 days, a property's own for good.

-- Places of the properties that the caller rents in, each with the workspace that lets there: that another one asked about the place is
-- not theirs to know.
create function private.my_places()
    returns table (workspace_id uuid, place_id text)
    stable
    security definer
    set search_path = ''
    language plpgsql
as $$
begin
    return query
    select p.workspace_id, p.place_id
    from public.properties as p
    where p.id = any (array(select private.my_property_ids()));
end
$$;

grant execute on function private.my_places() to authenticated;


create table public.place_coordinates (
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    place_id text not null check (place_id <> '' and octet_length(place_id) <= 2000),
    latitude double precision not null check (latitude between -90 and 90),
    longitude double precision not null check (longitude between -180 and 180),
    provider text not null check (provider in ('google', 'photon', 'nominatim', 'local')),
    fetched_at timestamptz not null,
    primary key (workspace_id, place_id)
);

create index place_coordinates_google_idx on public.place_coordinates (fetched_at) where provider = 'google';

create trigger refuse_truncate before truncate on public.place_coordinates
    for each statement execute function private.refuse_truncate();

comment on table public.place_coordinates is $$Where places are, as a service for addresses told.

Written by the workers alone. Google's are deleted before they are 30 days old and fetched again when they are asked for; a client
must not keep them longer either. Read a property's position from its field `coordinates`, whatever the source.$$;
comment on column public.place_coordinates.workspace_id is $$The workspace that asked.$$;
comment on column public.place_coordinates.place_id is $$The place, as in properties.place_id.$$;
comment on column public.place_coordinates.latitude is $$WGS 84, degrees north.$$;
comment on column public.place_coordinates.longitude is $$WGS 84, degrees east.$$;
comment on column public.place_coordinates.provider is $$google, photon, nominatim or local: who told.$$;
comment on column public.place_coordinates.fetched_at is $$When it told.$$;


-- How long what Google told of a position is kept. Its terms allow 30 days: a day less leaves time to mend a schedule that stands.
create function private.google_retention()
    returns interval
    immutable
    parallel safe
    set search_path = ''
    language sql
as $$
    select interval '29 days'
$$;

grant execute on function private.google_retention() to authenticated;


-- What Google told before is not kept. In PL/pgSQL, so that a policy asks once a query.
create function private.kept_since()
    returns timestamptz
    stable
    parallel safe
    set search_path = ''
    language plpgsql
as $$
begin
    return now() - private.google_retention();
end
$$;

grant execute on function private.kept_since() to authenticated;


create function public.coordinates(property public.properties)
    returns jsonb
    stable
    set search_path = ''
    language plpgsql
as $$
begin
    if property.latitude is not null then
        return jsonb_build_object(
            'latitude', property.latitude, 'longitude', property.longitude, 'source', 'person', 'fetched_at', null
        );
    end if;
    if property.place_id is null then
        return null;
    end if;
    return (
        select jsonb_build_object(
            'latitude', c.latitude, 'longitude', c.longitude, 'source', c.provider, 'fetched_at', c.fetched_at
        )
        from public.place_coordinates as c
        where
            c.workspace_id = property.workspace_id
            and c.place_id = property.place_id
            and (c.provider <> 'google' or c.fetched_at > now() - private.google_retention())
    );
end
$$;

comment on function public.coordinates(public.properties) is $$Where a property is, whatever the source

A field of every `property`: `GET /properties?select=*,coordinates`. Answers {latitude, longitude, source, fetched_at}; source is person
(the property's own columns) or who told: google, photon, nominatim, local. Null: not known, or known too long ago to be kept.$$;

grant execute on function public.coordinates(public.properties) to authenticated;


create table public.places_usage (
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    on_day date not null,
    provider text not null check (provider in ('google', 'photon', 'nominatim', 'local')),
    kind text not null check (kind in ('autocomplete', 'details', 'validate')),
    calls bigint not null,
    cost_microdollars bigint not null,
    primary key (workspace_id, on_day, provider, kind)
)
-- Rewritten many times a minute, and no index has what changes.
with (fillfactor = 50);

create index places_usage_on_day_idx on public.places_usage (on_day);

create trigger refuse_truncate before truncate on public.places_usage
    for each statement execute function private.refuse_truncate();

comment on table public.places_usage is $$What a workspace asked services for addresses, and what that costs at list price.

Counted when a call is let through. A session's calls count on the day (UTC) on which it was opened.$$;
comment on column public.places_usage.workspace_id is $$The workspace that asked.$$;
comment on column public.places_usage.on_day is $$The day, in UTC.$$;
comment on column public.places_usage.provider is $$google, photon, nominatim or local.$$;
comment on column public.places_usage.kind is $$autocomplete, details or validate.$$;
comment on column public.places_usage.calls is $$How many calls.$$;
comment on column public.places_usage.cost_microdollars is
    $$Millionths of a US dollar. Autocompletes that a session makes free are taken off again by the call that ends it.$$;


create table private.place_call_costs (
    provider text not null,
    kind text not null,
    microdollars integer not null check (microdollars >= 0),
    billed_autocompletes integer check (billed_autocompletes >= 0),
    primary key (provider, kind)
);

comment on table private.place_call_costs is $$What a call costs: list prices, without discounts and free contingents. An operator may put their own.

billed_autocompletes: of a session that such a call ends, how many autocompletes are charged still; null: all. What stands in no row
is free.$$;


create function worker.record_place(
    p_workspace_id uuid, p_place_id text, p_latitude double precision, p_longitude double precision, p_provider text,
    p_now timestamptz default now()
)
    returns void
    volatile
    security definer
    set search_path = ''
    language sql
as $$
    insert into public.place_coordinates as c (workspace_id, place_id, latitude, longitude, provider, fetched_at)
    select w.id, p_place_id, p_latitude, p_longitude, p_provider, p_now
    from public.workspaces as w
    where w.id = p_workspace_id
    on conflict (workspace_id, place_id) do update set
        latitude = excluded.latitude,
        longitude = excluded.longitude,
        provider = excluded.provider,
        fetched_at = excluded.fetched_at
    where c.fetched_at < excluded.fetched_at
$$;

comment on function worker.record_place(uuid, text, double precision, double precision, text, timestamptz) is $$Keeps where a place is

For the workspace that asked (`p_workspace_id`); nothing happens if that is gone. `p_provider` is google, photon, nominatim or local. An answer older
than the one kept changes nothing.$$;
