"""Google: Places API (New) for suggestions and details, Address Validation for typed addresses.

Wire format: google/maps/places/v1 and google/maps/addressvalidation/v1 of the public API definitions. JSON
leaves out what has its default value: an offset of 0, a list that is empty.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import aiohttp
import structlog
from pydantic_core import to_json
from yarl import URL

from workers.api_error import whole_seconds
from workers.outbound import Unreadable, loggable, read_json
from workers.places.breaker import Breaker
from workers.places.google_shapes import (
    check_of,
    id_of,
    moved_id_of,
    place_of,
    reason_of,
    suggestions_of,
)
from workers.places.provider import (
    Address,
    Checked,
    Misconfigured,
    NotUnderstood,
    Place,
    Query,
    Suggestion,
    Unavailable,
    UnknownPlace,
)

log = structlog.get_logger()

PLACES = "https://places.googleapis.com"
VALIDATION = "https://addressvalidation.googleapis.com"
LARGEST = 1 << 20
LONGEST_TOKEN = 36
RETRY_AFTER = (0.1, 0.3)  # seconds before the one repetition of details: jitter, against storms
MOVES = 10

# The cheapest that fill in a form: of Place Details all of the Essentials tier.
SUGGESTED = ",".join(
    f"suggestions.placePrediction.{field}" for field in ("placeId", "text", "structuredFormat")
)
DETAILED = "id,formattedAddress,addressComponents,postalAddress,location,types"
# All of the tier "Essentials IDs Only", which is free: a place that moved still answers to its old id, so
# the id alone would not tell.
RENEWED = "id,movedPlaceId"
VALIDATED = "result.verdict,result.address,result.geocode"


class Google:
    """`key` travels in a header, so no URL, log or exception has it. No call is made without a region."""

    name = "google"
    attribution = "Google Maps"

    def __init__(
        self, http: aiohttp.ClientSession, key: str, *, places: str = PLACES, validation: str = VALIDATION
    ) -> None:
        self._http = http
        self._key = key
        self._places = places
        self._validation = validation
        self._rng = random.Random()  # noqa: S311 - jitter, no secret
        # Google counts each method by itself, and so do we.
        self.breakers = {kind: Breaker() for kind in ("autocomplete", "details", "validate")}

    async def autocomplete(self, query: Query, token: UUID | None, *, seconds: float) -> Sequence[Suggestion]:
        """Asked once: the next letter is the repetition."""
        body: dict[str, Any] = {
            "input": query.text,
            "includedRegionCodes": [code.lower() for code in query.countries],
        }
        if query.offset is not None:
            body["inputOffset"] = query.offset
        if query.language:
            body["languageCode"] = query.language
        if token:
            body["sessionToken"] = _session_token(token)
        url = f"{self._places}/v1/places:autocomplete"
        return suggestions_of(
            await self._once("autocomplete", "POST", url, mask=SUGGESTED, body=body, seconds=seconds)
        )

    async def details(
        self, place_id: str, token: UUID | None, *, language: str | None, seconds: float
    ) -> Place:
        """Repeated once where that can help: without the token, if the first may have used it up."""
        query = {"languageCode": language} if language else {}
        deadline = time.monotonic() + seconds
        try:
            found = await self._place(place_id, DETAILED, query, token, seconds=seconds * 0.6)
        except Misconfigured:
            raise
        except Unavailable as error:
            pause = self._rng.uniform(*RETRY_AFTER)
            left = deadline - time.monotonic() - pause
            if left <= 0.1:
                raise
            await asyncio.sleep(pause)
            if not self.breakers["details"].allows():
                raise
            token = None if error.consumed else token
            found = await self._place(place_id, DETAILED, query, token, seconds=left, allowed=True)
        return place_of(found, place_id)

    async def current_id(self, place_id: str, *, seconds: float) -> str:
        """Costs nothing. A place that moved names the next one alone, so the last is found step by step."""
        deadline = time.monotonic() + seconds
        known = {place_id}
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Unavailable(f"a place that moved was not found within {seconds:.1f} s")
            found = await self._place(place_id, RENEWED, {}, None, seconds=left)
            place_id, moved = id_of(found) or place_id, moved_id_of(found)
            # Google knows of no circle; who met one would follow it for good.
            if moved is None or moved in known or len(known) > MOVES:
                return place_id
            known.add(moved)
            place_id = moved

    async def validate(self, address: Address, token: UUID | None, *, seconds: float) -> Checked:
        """Asked once: it is dear. A region that Google can't check is `unverified`, no error."""
        lines = [line for line in (address.address_line1, address.address_line2) if line]
        postal = {
            "regionCode": address.country,
            "addressLines": lines,
            "locality": address.city,
            "administrativeArea": address.state,
            "postalCode": address.postal_code,
        }
        body: dict[str, Any] = {"address": {name: value for name, value in postal.items() if value}}
        if token:
            body["sessionToken"] = _session_token(token)
        url = f"{self._validation}/v1:validateAddress"
        try:
            found = await self._once("validate", "POST", url, mask=VALIDATED, body=body, seconds=seconds)
        except NotUnderstood:
            return Checked("unverified", address)
        return check_of(found, address)

    async def _place(
        self,
        place_id: str,
        mask: str,
        query: Mapping[str, str],
        token: UUID | None,
        *,
        seconds: float,
        allowed: bool = False,
    ) -> Mapping[str, Any]:
        if not place_id.strip("."):
            raise UnknownPlace("no id of a place: it would name another path")
        asked = {**query, **({"sessionToken": _session_token(token)} if token else {})}
        url = f"{self._places}/v1/places/{quote(place_id, safe='')}"
        if asked:
            url += "?" + urlencode(asked)
        try:
            return await self._once("details", "GET", url, mask=mask, seconds=seconds, allowed=allowed)
        except NotUnderstood as refused:
            raise UnknownPlace("Google doesn't take this for the id of a place") from refused

    async def _once(
        self,
        kind: str,
        method: str,
        url: str,
        *,
        mask: str,
        seconds: float,
        body: Mapping[str, Any] | None = None,
        allowed: bool = False,
    ) -> Mapping[str, Any]:
        """One call, unless the breaker is open; `allowed`: it was asked already."""
        breaker = self.breakers[kind]
        if not allowed and not breaker.allows():
            raise Unavailable("Google failed too often", retry_after=breaker.retry_after())
        try:
            found = await self._call(method, url, mask, body, seconds)
        except Misconfigured as error:
            breaker.failed(at_once=True)
            log.error(
                "Google refuses us: check GOOGLE_MAPS_API_KEY and its project", kind=kind, error=str(error)
            )
            raise
        except Unavailable as error:
            breaker.failed()
            log.warning("Google doesn't answer", kind=kind, error=str(error), breaker_open=breaker.open)
            raise
        except (NotUnderstood, UnknownPlace):
            breaker.succeeded()
            raise
        except BaseException:
            breaker.let_go()
            raise
        breaker.succeeded()
        return found

    async def _call(
        self, method: str, url: str, mask: str, body: Mapping[str, Any] | None, seconds: float
    ) -> Mapping[str, Any]:
        headers = {"X-Goog-Api-Key": self._key, "X-Goog-FieldMask": mask}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with self._http.request(
                method,
                URL(url, encoded=True),
                data=None if body is None else to_json(body),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as response:
                if response.status == 200:
                    return _object(await read_json(response, at_most=LARGEST))
                try:
                    document = await read_json(response, at_most=LARGEST)
                except Unreadable:
                    document = None
                raise _error(response.status, document, response.headers.get("Retry-After"))
        except aiohttp.ClientConnectorError as error:
            raise Unavailable("Google can't be reached") from error
        except TimeoutError as error:
            raise Unavailable(f"no answer within {seconds:.1f} s", consumed=True) from error
        except (aiohttp.ClientError, Unreadable) as error:
            raise Unavailable(loggable(error), consumed=True) from error


def _session_token(token: UUID) -> str:
    """As Google takes it. One that is too long would be refused there, so it never gets there."""
    text = str(token)
    if not text.isascii() or len(text) > LONGEST_TOKEN:
        raise ValueError(f"a session token has at most {LONGEST_TOKEN} characters of ASCII")
    return text


def _object(document: Any) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise Unreadable("an answer that is no object")
    return document


def _error(status: int, document: Any, retry_after: str | None) -> Exception:
    """What to make of an answer other than 200. Its message may repeat what was typed: the reason is kept."""
    reason = reason_of(document)
    what = f"{status} {reason}".strip()
    if reason.startswith("API_KEY") or status in (401, 403):
        return Misconfigured(what)
    if status == 404:
        return UnknownPlace(what)
    if status == 400:
        return NotUnderstood(what)
    if status == 429:
        return Unavailable(what, retry_after=whole_seconds(retry_after))
    # Without Google's error in it, it comes from something between us, and tells nothing of the request.
    return Unavailable(what, consumed=status < 500 or not reason)
