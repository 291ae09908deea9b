"""Nominatim: a server of your own over OpenStreetMap's data, that finds whole words, by address or by id.

An object of OpenStreetMap may be a street along which Nominatim reckons where a house must be, so our ids
have the number too: `nominatim:W38862723/724`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import aiohttp

from workers.places import osm
from workers.places.osm import Found
from workers.places.provider import Address, Checked, Place, Query, Suggestion, Unavailable, UnknownPlace
from workers.places.states import CODED
from workers.places.written import same, suggestion_of

PLACE_ID = re.compile(r"nominatim:([NWR]\d{1,19})(?:/([^\x00-\x1f]{1,40}))?")
ASKED_FOR = 10  # more than are suggested: parks and towns come between
ALWAYS = (("format", "jsonv2"), ("addressdetails", "1"))
# Older servers tell what kind of street it is.
STREETS = ("road", "pedestrian", "footway")
# What a town may be called there, the usual first.
TOWNS = ("city", "town", "village", "municipality", "hamlet", "isolated_dwelling", "suburb", "county")


class Nominatim:
    """`url` is where /search and /lookup are. It takes no session token, and nothing is billed."""

    name = "nominatim"
    attribution = osm.ATTRIBUTION

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._server = osm.Server(http, "Nominatim", url)

    async def autocomplete(self, query: Query, token: UUID | None, *, seconds: float) -> Sequence[Suggestion]:
        """Houses and streets. Nothing is found for a word before it is complete."""
        asked = [("q", query.text), *_countries(query.countries)]
        found = await self._search(asked, query.language, seconds)
        within = [each for each in found if each.country in query.countries and each.street]
        return [suggestion_of(each.place_id, each.address, query) for each in within[: osm.SUGGESTED]]

    async def details(
        self, place_id: str, token: UUID | None, *, language: str | None, seconds: float
    ) -> Place:
        """The object of that id; a house along it is looked for by its address."""
        parts = PLACE_ID.fullmatch(place_id)
        if not parts:
            raise UnknownPlace("no id of Nominatim's")
        osm_id, number = parts.groups()
        deadline = time.monotonic() + seconds
        asked = [("osm_ids", osm_id), *_language(language)]
        found = _read(await self._server.get("/lookup", [*asked, *ALWAYS], seconds=seconds))
        if not found:
            raise UnknownPlace("Nominatim has it no more")
        if number is None or same(found[0].number, number):
            return osm.place_of(found[0])
        along = found[0]
        if along.street:
            house = replace(along.address, address_line1=f"{number} {along.street}", postal_code=None)
            asked = _parts(house)
            left = max(0.1, deadline - time.monotonic())
            for each in await self._search(asked, language, left):
                if each.osm_id == osm_id and same(each.number, number):
                    return osm.place_of(each)
        raise UnknownPlace("Nominatim has the house no more")

    async def validate(self, address: Address, token: UUID | None, *, seconds: float) -> Checked:
        """Verified or corrected when a house is found there that has the same number.

        A wrong postal code would hide it, so it is looked for again without.
        """
        deadline = time.monotonic() + seconds
        attempts = [_parts(address)]
        if address.postal_code:
            attempts.append([part for part in attempts[0] if part[0] != "postalcode"])
        for asked in attempts:
            left = max(0.1, deadline - time.monotonic())
            for found in await self._search(asked, None, left):
                if checked := osm.check_of(found, address):
                    return checked
        return Checked("unverified", address)

    async def current_id(self, place_id: str, *, seconds: float) -> str:
        return (await self.details(place_id, None, language=None, seconds=seconds)).place_id

    async def _search(
        self, asked: Sequence[tuple[str, str]], language: str | None, seconds: float
    ) -> list[Found]:
        limits = [("layer", "address"), ("limit", str(ASKED_FOR)), *_language(language)]
        return _read(await self._server.get("/search", [*asked, *limits, *ALWAYS], seconds=seconds))


def _read(document: Any) -> list[Found]:
    if not isinstance(document, list):
        raise Unavailable("Nominatim answers no list of places")
    return [found for each in document if (found := _object(each))]


def _object(document: Any) -> Found | None:
    """What we need of an entry; None where it isn't there, as for a postal code."""
    try:
        told = osm.texts(document["address"])
        position = (float(document["lat"]), float(document["lon"]))
        osm_id = f"{str(document['osm_type'])[:1].upper()}{int(document['osm_id'])}"
        country = told.get("country_code", "").upper()
    except (KeyError, OverflowError, TypeError, ValueError, AttributeError):
        return None
    if not osm.on_the_globe(*position):
        return None
    number, state = told.get("house_number"), told.get("state")
    return Found(
        place_id=f"nominatim:{osm_id}" + (f"/{number}" if number else ""),
        osm_id=osm_id,
        position=position,
        country=country,
        name=osm.texts(document).get("name") or None,
        number=number,
        street=next((told[kind] for kind in STREETS if kind in told), None),
        city=next((told[kind] for kind in TOWNS if kind in told), None),
        state=told.get("ISO3166-2-lvl4", state) if country in CODED else state,
        postal_code=told.get("postcode"),
    )


def _parts(address: Address) -> list[tuple[str, str]]:
    """An address as Nominatim takes it in parts."""
    parts = {
        "street": address.address_line1,
        "city": address.city,
        "state": address.state,
        "postalcode": address.postal_code,
    }
    asked = [(name, value) for name, value in parts.items() if value]
    return [*asked, *_countries((address.country,) if address.country else ())]


def _countries(codes: Sequence[str]) -> list[tuple[str, str]]:
    return [("countrycodes", ",".join(codes).lower())] if codes else []


def _language(language: str | None) -> list[tuple[str, str]]:
    """Without one, Nominatim tells names as they are written there."""
    return [("accept-language", language)] if language else []
