"""Photon: a server of your own over OpenStreetMap's data, that suggests while somebody types.

Photon finds nothing by id, so our ids carry where the place is: `photon:W38862723@52.514679,13.239515`, and
what is there now is asked for by its position.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import aiohttp

from workers.places import osm
from workers.places.osm import Found
from workers.places.provider import Address, Checked, Place, Query, Suggestion, Unavailable, UnknownPlace
from workers.places.written import one_line, suggestion_of

NEARBY = 10
PLACE_ID = re.compile(r"photon:([NWR]\d{1,19})@(-?\d{1,2}\.\d{1,7}),(-?\d{1,3}\.\d{1,7})")
STREETS_AND_HOUSES = ("house", "street")


class Photon:
    """`url` is the server's, without a path. It takes no session token, and nothing is billed."""

    name = "photon"
    attribution = osm.ATTRIBUTION

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._server = osm.Server(http, "Photon", url)
        self._foreign: set[str] = set()  # languages that the server was built without

    async def autocomplete(self, query: Query, token: UUID | None, *, seconds: float) -> Sequence[Suggestion]:
        asked = [("q", query.text), ("limit", str(osm.SUGGESTED)), *_layers(), *_countries(query.countries)]
        found = await self._found("/api", asked, query.language, seconds)
        # An older server doesn't know `countrycode`.
        return [
            suggestion_of(each.place_id, each.address, query)
            for each in found
            if each.country in query.countries
        ]

    async def details(
        self, place_id: str, token: UUID | None, *, language: str | None, seconds: float
    ) -> Place:
        parts = PLACE_ID.fullmatch(place_id)
        if not parts:
            raise UnknownPlace("no id of Photon's")
        osm_id, latitude, longitude = parts.groups()
        asked = [("lat", latitude), ("lon", longitude), ("limit", str(NEARBY)), ("radius", "0.2")]
        for found in await self._found("/reverse", asked, language, seconds):
            if found.osm_id == osm_id:
                return osm.place_of(found)
        raise UnknownPlace("Photon has it no more")

    async def validate(self, address: Address, token: UUID | None, *, seconds: float) -> Checked:
        """Verified or corrected when a house is found there that has the same number."""
        asked = [("q", one_line(address)), ("limit", "1"), ("layer", "house")]
        asked += _countries((address.country,) if address.country else ())
        for found in await self._found("/api", asked, None, seconds):
            if checked := osm.check_of(found, address):
                return checked
        return Checked("unverified", address)

    async def current_id(self, place_id: str, *, seconds: float) -> str:
        return (await self.details(place_id, None, language=None, seconds=seconds)).place_id

    async def _found(
        self, path: str, asked: Sequence[tuple[str, str]], language: str | None, seconds: float
    ) -> list[Found]:
        """In the language, if the server knows it: it refuses all others, so each is tried once."""
        spoken = (language or "").partition("-")[0]
        if spoken and spoken not in self._foreign:
            try:
                return _read(await self._server.get(path, [*asked, ("lang", spoken)], seconds=seconds))
            except osm.Refused:
                self._foreign.add(spoken)
        return _read(await self._server.get(path, asked, seconds=seconds))


def _read(document: Any) -> list[Found]:
    listed = document.get("features") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise Unavailable("Photon answers no list of places")
    return [found for each in listed if (found := _feature(each))]


def _feature(document: Any) -> Found | None:
    """What we need of a GeoJSON feature; None where it isn't there."""
    try:
        told = osm.texts(document["properties"])
        longitude, latitude = (float(number) for number in document["geometry"]["coordinates"][:2])
        osm_id = f"{told['osm_type']}{document['properties']['osm_id']}"
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return None
    if not osm.on_the_globe(latitude, longitude):
        return None
    return Found(
        place_id=f"photon:{osm_id}@{latitude:.6f},{longitude:.6f}",
        osm_id=osm_id,
        position=(latitude, longitude),
        country=told.get("countrycode", "").upper(),
        name=told.get("name"),
        number=told.get("housenumber"),
        street=told.get("street") or (told.get("name") if told.get("type") == "street" else None),
        city=told.get("city") or told.get("locality") or told.get("district") or told.get("county"),
        state=told.get("state"),
        postal_code=told.get("postcode"),
    )


def _layers() -> list[tuple[str, str]]:
    return [("layer", layer) for layer in STREETS_AND_HOUSES]


def _countries(codes: Sequence[str]) -> list[tuple[str, str]]:
    return [("countrycode", code) for code in codes]
