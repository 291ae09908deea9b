set local lock_timeout = '2s';
set local statement_timeout = '10min';

alter table "public"."address_corrections"
    validate constraint "address_corrections_provider_check";

alter table "public"."place_coordinates"
    validate constraint "place_coordinates_provider_check";

alter table "public"."places_usage"
    validate constraint "places_usage_provider_check";
