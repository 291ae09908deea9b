"""The provider that the settings name."""

from __future__ import annotations

import aiohttp

from workers.places.admission import Rpc
from workers.places.google import PLACES, VALIDATION, Google
from workers.places.local import Local
from workers.places.nominatim import Nominatim
from workers.places.photon import Photon
from workers.places.provider import Provider
from workers.settings import Settings


def provider_of(settings: Settings, http: aiohttp.ClientSession, rpc: Rpc) -> Provider:
    """Google where there is a key, unless PLACES_PROVIDER says otherwise; else the local list."""
    if settings.places_provider_chosen == "google":
        if settings.google_maps_api_key is None:
            raise ValueError("these settings have no GOOGLE_MAPS_API_KEY")
        return Google(
            http,
            settings.google_maps_api_key.get_secret_value(),
            places=settings.google_places_url or PLACES,
            validation=settings.google_validation_url or VALIDATION,
        )
    if settings.places_provider_chosen == "photon":
        return Photon(http, settings.photon_url or "")
    if settings.places_provider_chosen == "nominatim":
        return Nominatim(http, settings.nominatim_url or "")
    return Local(rpc)
