-- How a service would write an address otherwise: a person accepts it, or leaves the address as it was typed.

create table public.address_corrections (
    id uuid primary key default gen_random_uuid(),
    workspace_id uuid not null,
    property_id uuid not null,
    status text not null default 'open' check (status in ('open', 'accepted', 'dismissed')),
    address_line1 text not null,
    address_line2 text,
    city text not null,
    state text,
    postal_code text,
    country text not null,
    place_id text,
    provider text not null check (provider in ('google', 'photon', 'nominatim', 'local')),
    of_address text not null,
    proposed_at timestamptz not null,
    decided_at timestamptz,
    decided_by uuid,
    unique (workspace_id, id),
    foreign key (workspace_id, property_id) references public.properties (workspace_id, id) on delete cascade,
    constraint decisions_have_a_time check ((status = 'open') = (decided_at is null))
);

create unique index address_corrections_open_key on public.address_corrections (workspace_id, property_id)
    where status = 'open';
create index address_corrections_property_id_idx on public.address_corrections (workspace_id, property_id);
create index address_corrections_status_idx on public.address_corrections (workspace_id, status, proposed_at desc);
create index address_corrections_proposed_at_idx on public.address_corrections (proposed_at);

create trigger refuse_truncate before truncate on public.address_corrections
    for each statement execute function private.refuse_truncate();

comment on table public.address_corrections is $$How a service for addresses would write a property's address.

Proposed where the two differ; a person accepts or dismisses it with an RPC. Deleted before it is 30 days old, as Google's terms ask: what a
person accepted stands in the property by then.$$;
comment on column public.address_corrections.id is $$Identifies the proposal.$$;
comment on column public.address_corrections.workspace_id is $$The workspace of the property.$$;
comment on column public.address_corrections.property_id is $$The property whose address it is.$$;
comment on column public.address_corrections.status is $$open, accepted or dismissed; one is open for a property at most.$$;
comment on column public.address_corrections.address_line1 is $$Street address, as the service would write it.$$;
comment on column public.address_corrections.address_line2 is $$Building, floor or suite.$$;
comment on column public.address_corrections.city is $$City or town.$$;
comment on column public.address_corrections.state is $$State, province or region.$$;
comment on column public.address_corrections.postal_code is $$The proposed ZIP or other postal code.$$;
comment on column public.address_corrections.country is $$ISO 3166-1 alpha-2 code.$$;
comment on column public.address_corrections.place_id is $$The service's id of the place.$$;
comment on column public.address_corrections.provider is $$google, photon, nominatim or local: who proposes it.$$;
comment on column public.address_corrections.of_address is $$Digest of the address that was checked: a proposal for another one is outdated.$$;
comment on column public.address_corrections.proposed_at is $$When the service said so.$$;
comment on column public.address_corrections.decided_at is $$When somebody accepted or dismissed it.$$;
comment on column public.address_corrections.decided_by is $$Who did.$$;


-- The open proposal, locked with its property, for one who may change that. The property first, as by who takes down an answer.
create function private.open_correction(p_id uuid)
    returns public.address_corrections
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_correction public.address_corrections;
begin
    -- One that should be deleted by now is not to be used, whether that was done or not.
    select * into v_correction
    from public.address_corrections
    where
        id = p_id
        and workspace_id = any (array(select private.my_workspaces()))
        and proposed_at > now() - private.google_retention();
    if found then
        perform private.require_permission(v_correction.workspace_id, 'portfolio.write');
        perform
        from public.properties
        where workspace_id = v_correction.workspace_id and id = v_correction.property_id
        for no key update;
        select * into v_correction from public.address_corrections where id = p_id for update;
    end if;
    if not found then
        perform private.fail(
            404, 'correction_not_found', 'There is no such proposal, or it is not yours to see.',
            p_hint := 'List them: GET /address_corrections?status=eq.open.'
        );
    end if;
    if v_correction.status <> 'open' then
        perform private.fail(409, 'correction_settled', format('The proposal was %s before.', v_correction.status));
    end if;
    return v_correction;
end
$$;


create function private.accept_address_correction(p_id uuid)
    returns public.properties
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_correction public.address_corrections := private.open_correction(p_id);
    v_property public.properties;
begin
    select * into strict v_property
    from public.properties
    where workspace_id = v_correction.workspace_id and id = v_correction.property_id;
    if private.address_digest(v_property) <> v_correction.of_address then
        perform private.fail(
            409, 'correction_outdated', 'The address was changed since this was proposed.',
            p_hint := 'Dismiss the proposal; the new address is checked by itself.'
        );
    end if;
    update public.address_corrections
    set status = 'accepted', decided_at = now(), decided_by = auth.uid()
    where id = v_correction.id;
    update public.properties
    set
        address_line1 = v_correction.address_line1,
        address_line2 = v_correction.address_line2,
        city = v_correction.city,
        state = v_correction.state,
        postal_code = v_correction.postal_code,
        country = v_correction.country,
        place_id = v_correction.place_id,
        address_status = 'corrected'
    where id = v_property.id
    returning * into v_property;
    if v_property.address_status <> 'corrected' then
        -- It was called so before, of the address as it was.
        update public.properties
        set address_status = 'corrected', place_id = v_correction.place_id
        where id = v_property.id
        returning * into v_property;
    end if;
    return v_property;
end
$$;

grant execute on function private.accept_address_correction(uuid) to authenticated;


create function public.accept_address_correction(correction_id uuid)
    returns public.properties
    volatile
    set search_path = ''
    language sql
as $$
    select private.accept_address_correction(correction_id)
$$;

comment on function public.accept_address_correction(uuid) is $$Writes a property's address as a service proposed it

By `correction_id`. Needs `portfolio.write`. The address becomes corrected. 409 `correction_settled`, 409 `correction_outdated` if the
address was changed since. Answers the property.$$;

grant execute on function public.accept_address_correction(uuid) to authenticated;


create function private.dismiss_address_correction(p_id uuid)
    returns public.address_corrections
    volatile
    security definer
    set search_path = ''
    language plpgsql
as $$
declare
    v_correction public.address_corrections := private.open_correction(p_id);
begin
    update public.address_corrections
    set status = 'dismissed', decided_at = now(), decided_by = auth.uid()
    where id = v_correction.id
    returning * into v_correction;
    return v_correction;
end
$$;

grant execute on function private.dismiss_address_correction(uuid) to authenticated;


create function public.dismiss_address_correction(correction_id uuid)
    returns public.address_corrections
    volatile
    set search_path = ''
    language sql
as $$
    select private.dismiss_address_correction(correction_id)
$$;

comment on function public.dismiss_address_correction(uuid) is $$Leaves a property's address as it was typed

Of the proposal `correction_id`. Needs `portfolio.write`. The address stays unverified, and is not asked about again until it changes. 409
`correction_settled`. Answers the proposal.$$;

grant execute on function public.dismiss_address_correction(uuid) to authenticated;
