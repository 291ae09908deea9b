set local lock_timeout = '2s';
set local statement_timeout = '30s';

set local check_function_bodies = off;

-- A wider constraint takes the place of each in this transaction.
alter table "public"."address_corrections"
    -- squawk-ignore ban-drop-constraint
    drop constraint "address_corrections_provider_check";

alter table "public"."place_coordinates"
    -- squawk-ignore ban-drop-constraint
    drop constraint "place_coordinates_provider_check";

alter table "public"."places_usage"
    -- squawk-ignore ban-drop-constraint
    drop constraint "places_usage_provider_check";

create or replace function worker.queue_address_checks (
    p_now timestamp with time zone default now()
)
    returns jsonb
    language plpgsql
    security definer
    set search_path to ''
    AS $function$
declare
    v_stale uuid[];
begin
    v_stale := array(
        select p.id
        from public.properties as p
        where
            p.place_id is not null
            -- Other services' ids are renewed with their list.
            and p.place_id !~ '^(local|photon|nominatim):'
            and p.place_checked_at < p_now - interval '12 months'
            -- One that failed is left alone for a while.
            and not exists (
                select from private.address_checks as c
                where
                    c.workspace_id = p.workspace_id
                    and c.property_id = p.id
                    and c.kind = 'renew'
                    and (c.status = 'queued' or c.finished_at > p_now - interval '30 days')
            )
        order by p.place_checked_at
        limit 1000
    );
    return jsonb_build_object(
        'verify', private.queue_address_checks(private.unchecked_properties(null, 1000), 'verify', p_now),
        'renew', private.queue_address_checks(v_stale, 'renew', p_now)
    );
end
$function$;

alter table "public"."address_corrections"
    add constraint "address_corrections_provider_check"
        check ((provider = ANY (ARRAY['google'::text, 'photon'::text, 'nominatim'::text, 'local'::text]))) not valid;

alter table "public"."place_coordinates"
    add constraint "place_coordinates_provider_check"
        check ((provider = ANY (ARRAY['google'::text, 'photon'::text, 'nominatim'::text, 'local'::text]))) not valid;

alter table "public"."places_usage"
    add constraint "places_usage_provider_check"
        check ((provider = ANY (ARRAY['google'::text, 'photon'::text, 'nominatim'::text, 'local'::text]))) not valid;

comment on column "public"."address_corrections"."provider" is 'google, photon, nominatim or local: who proposes it.';

comment on column "public"."place_coordinates"."provider" is 'google, photon, nominatim or local: who told.';

comment on column "public"."places_usage"."provider" is 'google, photon, nominatim or local.';

comment on column "public"."properties"."place_id" is 'The id of the place, where the address was chosen from suggestions: Google''s, or one that begins with local:, photon: or nominatim:.';

comment on function "public"."coordinates"(public.properties) is 'Where a property is, whatever the source

A field of every `property`: `GET /properties?select=*,coordinates`. Answers {latitude, longitude, source, fetched_at}; source is person
(the property''s own columns) or who told: google, photon, nominatim, local. Null: not known, or known too long ago to be kept.';

comment on function "worker"."record_place"(uuid, text, double precision, double precision, text, timestamp
    with time zone) is 'Keeps where a place is

For the workspace that asked (`p_workspace_id`); nothing happens if that is gone. `p_provider` is google, photon, nominatim or local. An answer older
than the one kept changes nothing.';
