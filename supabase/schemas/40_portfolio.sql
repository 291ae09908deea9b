-- Properties and their units.

create table public.properties (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null references public.workspaces (id) on delete cascade,
    name text not null check (length(name) <= 120 and btrim(name) <> ''),
    property_type text not null default 'single_family' check (
        property_type in (
            'single_family', 'multi_family', 'apartment', 'condo', 'townhouse', 'manufactured', 'commercial', 'other'
        )
    ),
    status text not null default 'active' check (status in ('active', 'inactive')),
    address_line1 text not null check (length(address_line1) <= 200 and btrim(address_line1) <> ''),
    address_line2 text check (length(address_line2) <= 200),
    city text not null check (length(city) <= 120 and btrim(city) <> ''),
    state text check (length(state) between 1 and 60),
    postal_code text check (length(postal_code) between 1 and 20),
    country text not null default 'US' check (country ~ '^[A-Z]{2}$'),
    latitude double precision check (latitude between -90 and 90),
    longitude double precision check (longitude between -180 and 180),
    -- Such ids have no greatest length of their own; an index has.
    place_id text check (place_id <> '' and octet_length(place_id) <= 2000),
    place_checked_at timestamptz,
    address_status text not null default 'unverified' check (
        address_status in ('verified', 'corrected', 'unverified')
    ),
    timezone text not null check (private.is_timezone(timezone)),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    manager_id uuid,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    -- So that money spent here is in its currency.
    unique (workspace_id, id, currency),
    foreign key (workspace_id, manager_id) references public.workspace_members (workspace_id, user_id)
        on delete set null (manager_id),
    constraint coordinates_come_in_pairs check ((latitude is null) = (longitude is null))
);

create unique index properties_name_key on public.properties (workspace_id, lower(name));
create index properties_manager_id_idx on public.properties (workspace_id, manager_id);
create index properties_status_idx on public.properties (workspace_id, status);
create index properties_city_idx on public.properties (workspace_id, state, city);
create index properties_place_id_idx on public.properties (workspace_id, place_id) where place_id is not null;
-- Google's alone are renewed.
create index properties_place_checked_at_idx on public.properties (place_checked_at)
    where place_id !~ '^(local|photon|nominatim):';
create index properties_unverified_idx on public.properties (workspace_id, id) where address_status = 'unverified';


-- A property that names neither takes its workspace's time zone and currency. Runs as the caller.
create function private.default_property()
    returns trigger
    volatile
    set search_path = ''
    language plpgsql
as $$
begin
    if new.timezone is null or new.currency is null then
        select coalesce(new.timezone, w.timezone), coalesce(new.currency, w.currency)
        into new.timezone, new.currency
        from public.workspaces as w
        where w.id = new.workspace_id;
    end if;
    return new;
end
$$;

create trigger default_property before insert on public.properties
    for each row execute function private.default_property();

create trigger touch_updated_at before update on public.properties
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.properties
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.properties
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.properties
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.properties
    referencing old table as old_rows
    for each statement execute function private.record_changes();

comment on table public.properties is $$Houses and buildings, each at one address.

Deleting a property deletes its units and draft leases. One with a lease that has begun cannot be deleted: set its status
to inactive instead.$$;
comment on column public.properties.id is $$Identifies the property.$$;
comment on column public.properties.workspace_id is $$The workspace that manages it.$$;
comment on column public.properties.name is $$What people call it; unique in the workspace, case-insensitively. The rent-roll import finds it by this.$$;
comment on column public.properties.property_type is
    $$single_family, multi_family, apartment, condo, townhouse, manufactured, commercial or other.$$;
comment on column public.properties.status is $$active or inactive.$$;
comment on column public.properties.address_line1 is $$Street address as a person confirmed it.$$;
comment on column public.properties.address_line2 is $$Building, floor or suite.$$;
comment on column public.properties.city is $$City or town.$$;
comment on column public.properties.state is $$State, province or region; in the United States the two-letter code.$$;
comment on column public.properties.postal_code is $$Postal code as text: leading zeros count.$$;
comment on column public.properties.country is $$ISO 3166-1 alpha-2 code.$$;
comment on column public.properties.latitude is $$WGS 84, degrees north, as confirmed by a person. What Google told of the place is not kept here.$$;
comment on column public.properties.longitude is $$WGS 84, degrees east, as confirmed by a person.$$;
comment on column public.properties.place_id is $$The id of the place, where the address was chosen from suggestions: Google's, or one that begins with local:, photon: or nominatim:.$$;
comment on column public.properties.place_checked_at is
    $$When the place id was chosen or last renewed: after twelve months it is asked for again.$$;
comment on column public.properties.address_status is
    $$verified (a service knows the address), corrected (a person accepted its correction) or unverified (as typed).

Changing the address makes it unverified and forgets the place id, unless the same change sets one of the two.$$;
comment on column public.properties.timezone is
    $$IANA name; what is due, late or expired here is decided on this zone's date. Defaults to the workspace's.$$;
comment on column public.properties.currency is
    $$ISO 4217 code of its money. Defaults to the workspace's; fixed once there are expenses.$$;
comment on column public.properties.manager_id is $$The member who looks after it and gets its notices; empty: the owners do.$$;
comment on column public.properties.created_at is $$When the row was made.$$;
comment on column public.properties.updated_at is $$When the row last changed.$$;


create table public.units (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    property_id uuid not null,
    unit_number text not null check (length(unit_number) <= 40 and btrim(unit_number) <> ''),
    status text not null default 'active' check (status in ('active', 'off_market', 'retired')),
    bedrooms numeric(4, 1) check (bedrooms between 0 and 999.9),
    bathrooms numeric(4, 1) check (bathrooms between 0 and 999.9),
    area_sqft integer check (area_sqft > 0),
    market_rent_minor bigint check (market_rent_minor between 0 and 9007199254740991),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (workspace_id, id),
    -- So that a lease's unit is one of the lease's property.
    unique (workspace_id, property_id, id),
    foreign key (workspace_id, property_id) references public.properties (workspace_id, id) on delete cascade
);

create unique index units_unit_number_key on public.units (workspace_id, property_id, lower(unit_number));
create index units_status_idx on public.units (workspace_id, status);

create trigger touch_updated_at before update on public.units
    for each row execute function private.touch_updated_at();

create trigger refuse_truncate before truncate on public.units
    for each statement execute function private.refuse_truncate();

create trigger record_inserts after insert on public.units
    referencing new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_updates after update on public.units
    referencing old table as old_rows new table as new_rows
    for each statement execute function private.record_changes();

create trigger record_deletes after delete on public.units
    referencing old table as old_rows
    for each statement execute function private.record_changes();

comment on table public.units is $$A rentable part of a property.

A single-family house has one unit. Deleting a property deletes its units.$$;
comment on column public.units.id is $$Identifies the unit.$$;
comment on column public.units.workspace_id is $$The workspace that manages it.$$;
comment on column public.units.property_id is $$The property it is part of.$$;
comment on column public.units.unit_number is $$As it stands on the door; unique in the property, case-insensitively.$$;
comment on column public.units.status is
    $$active (let or to let), off_market (under repair, kept back) or retired. Whether it is let follows from its leases.$$;
comment on column public.units.bedrooms is $$Bedrooms; 0 for a studio.$$;
comment on column public.units.bathrooms is $$Bathrooms, halves allowed.$$;
comment on column public.units.area_sqft is $$Floor area in square feet.$$;
comment on column public.units.market_rent_minor is
    $$Monthly rent asked for, in minor units (cents) of the property's currency.$$;
comment on column public.units.created_at is $$When the row was made.$$;
comment on column public.units.updated_at is $$When the row last changed.$$;
