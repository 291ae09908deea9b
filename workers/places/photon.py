"""Photon: a server of your own over OpenStreetMap's data, that suggests while somebody types.

Photon finds nothing by id, so our ids carry where the place is: `photon:W38862723@52.514679,13.239515`, and
what is there now is asked for by its position.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import aiohttp
import structlog

from workers.outbound import Unreadable, read_json
from workers.places.breaker import Breaker
from workers.places.provider import (
    Address,
    Checked,
    Place,
    Query,
    Status,
    Suggestion,
    Unavailable,
    UnknownPlace,
    changes,
    plain,
)
from workers.places.written import matches_in, one_line, street_line

log = structlog.get_logger()

LARGEST = 1 << 20
SUGGESTED = 5
NEARBY = 10
PLACE_ID = re.compile(r"photon:([NWR]\d{1,19})@(-?\d{1,2}\.\d{1,7}),(-?\d{1,3}\.\d{1,7})")
STREETS_AND_HOUSES = ("house", "street")


class Photon:
    """`url` is the server's, without a path. It takes no session token, and nothing is billed."""

    name = "photon"
    attribution = "© OpenStreetMap contributors"

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self.breaker = Breaker()

    async def autocomplete(self, query: Query, token: UUID | None, *, seconds: float) -> Sequence[Suggestion]:
        asked = [("q", query.text), ("limit", str(SUGGESTED)), *_layers(), *_countries(query.countries)]
        features = await self._features("/api", asked, query.language, seconds)
        # An older server doesn't know `countrycode`.
        within = [feature for feature in features if feature["country"] in query.countries]
        return [_suggestion(feature, query) for feature in within]

    async def details(
        self, place_id: str, token: UUID | None, *, language: str | None, seconds: float
    ) -> Place:
        parts = PLACE_ID.fullmatch(place_id)
        if not parts:
            raise UnknownPlace("no id of Photon's")
        osm_id, latitude, longitude = parts.groups()
        asked = [("lat", latitude), ("lon", longitude), ("limit", str(NEARBY)), ("radius", "0.2")]
        for feature in await self._features("/reverse", asked, language, seconds):
            if feature["osm_id"] == osm_id:
                return _place(feature, place_id)
        raise UnknownPlace("Photon has it no more")

    async def validate(self, address: Address, token: UUID | None, *, seconds: float) -> Checked:
        """Verified or corrected when a house is found there that has the same number."""
        asked = [("q", one_line(address)), ("limit", "1"), ("layer", "house")]
        asked += _countries((address.country,) if address.country else ())
        for feature in await self._features("/api", asked, None, seconds):
            place = _place(feature, feature["place_id"])
            if plain(feature["housenumber"]) in plain(address.address_line1).replace(",", " ").split():
                better = Address(**{**place.address.fields(), "address_line2": address.address_line2})
                status: Status = "corrected" if changes(address, better) else "verified"
                return Checked(status, better, place.position, place.place_id)
        return Checked("unverified", address)

    async def current_id(self, place_id: str, *, seconds: float) -> str:
        return (await self.details(place_id, None, language=None, seconds=seconds)).place_id

    async def _features(
        self, path: str, asked: Sequence[tuple[str, str]], language: str | None, seconds: float
    ) -> list[dict[str, Any]]:
        """One call, unless the breaker is open."""
        if not self.breaker.allows():
            raise Unavailable("Photon failed too often", retry_after=self.breaker.retry_after())
        try:
            found = await self._asked(path, asked, language, seconds)
        except Unavailable as error:
            self.breaker.failed()
            log.warning("Photon doesn't answer", error=str(error), breaker_open=self.breaker.open)
            raise
        except asyncio.CancelledError:
            self.breaker.let_go()
            raise
        self.breaker.succeeded()
        return found

    async def _asked(
        self, path: str, asked: Sequence[tuple[str, str]], language: str | None, seconds: float
    ) -> list[dict[str, Any]]:
        parameters = [*asked, *([("lang", language.partition("-")[0])] if language else [])]
        try:
            async with self._http.get(
                f"{self._url}{path}",
                params=parameters,
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as response:
                if response.status != 200:
                    raise Unavailable(f"Photon answers {response.status}")
                document = await read_json(response, at_most=LARGEST)
        except TimeoutError as error:
            raise Unavailable(f"no answer of Photon within {seconds:.1f} s") from error
        except (aiohttp.ClientError, Unreadable) as error:
            raise Unavailable(f"Photon: {str(error) or type(error).__name__}") from error
        listed = document.get("features") if isinstance(document, dict) else None
        if not isinstance(listed, list):
            raise Unavailable("Photon answers no list of places")
        return [feature for each in listed if (feature := _feature(each))]


def _feature(document: Any) -> dict[str, Any] | None:
    """What we need of a GeoJSON feature; None where it isn't there."""
    try:
        told: Mapping[str, Any] = document["properties"]
        longitude, latitude = (float(number) for number in document["geometry"]["coordinates"][:2])
        osm_id = f"{told['osm_type']}{told['osm_id']}"
    except (KeyError, TypeError, ValueError):
        return None
    street = told.get("street") or (told.get("name") if told.get("type") == "street" else None)
    return {
        "osm_id": osm_id,
        "place_id": f"photon:{osm_id}@{latitude:.6f},{longitude:.6f}",
        "position": (latitude, longitude),
        "name": told.get("name"),
        "street": street,
        "housenumber": told.get("housenumber"),
        "city": told.get("city") or told.get("locality") or told.get("district") or told.get("county"),
        "state": told.get("state"),
        "postcode": told.get("postcode"),
        "country": str(told.get("countrycode") or "").upper(),
    }


def _place(feature: Mapping[str, Any], place_id: str) -> Place:
    address = _address(feature)
    known = feature["housenumber"] and feature["street"] and address.city
    return Place(
        place_id=place_id,
        address=address,
        formatted_address=one_line(address),
        position=feature["position"],
        address_status="verified" if known else "unverified",
    )


def _address(feature: Mapping[str, Any]) -> Address:
    line = street_line(feature["housenumber"], feature["street"], feature["country"]) or feature["name"]
    return Address(
        address_line1=line,
        city=feature["city"],
        state=feature["state"],
        postal_code=feature["postcode"],
        country=feature["country"] or None,
    )


def _suggestion(feature: Mapping[str, Any], query: Query) -> Suggestion:
    address = _address(feature)
    text = one_line(address)
    main = address.address_line1 or text
    return Suggestion(
        place_id=feature["place_id"],
        text=text,
        matches=matches_in(text, query.text),
        main_text=main,
        secondary_text=text[len(main) :].lstrip(", ") or None if text.startswith(main) else text,
    )


def _layers() -> list[tuple[str, str]]:
    return [("layer", layer) for layer in STREETS_AND_HOUSES]


def _countries(codes: Sequence[str]) -> list[tuple[str, str]]:
    return [("countrycode", code) for code in codes]
