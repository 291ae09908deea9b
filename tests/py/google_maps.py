"""A stand-in for Google's address services that speaks their wire format, faults included.

What it says is made of the shapes of google/maps/places/v1 and google/maps/addressvalidation/v1. It keeps
what it was sent, and notices a session token that is used after the call that ended its session.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

KEY = "AIzaSyC4n4ry-0f-the-t3sts-k33p-m3-s3cr3t"


@dataclass(frozen=True)
class Asked:
    """One request: which kind, with which token, and all else that went along."""

    kind: str
    token: str | None
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    query: Mapping[str, str]
    place_id: str = ""


@dataclass(frozen=True)
class Fault:
    """An answer other than the right one. `acts`: the request takes effect all the same."""

    status: int = 200
    reason: str = ""
    body: bytes | None = None
    cut: bool = False
    hang: bool = False
    acts: bool = False
    retry_after: str | None = None


def refused(status: int, code: str, reason: str = "", **more: Any) -> Fault:
    """Google's error document. Its message repeats the key, so that nobody hands it on unseen."""
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    error = {"code": status, "message": f"API key {KEY} may not", "status": code, "details": details}
    return Fault(status=status, body=json.dumps({"error": error}).encode(), **more)


STORM = refused(429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")
DOWN = refused(503, "UNAVAILABLE")


def place(place_id: str, number: str, street: str, **changes: Any) -> dict[str, Any]:
    """A house in Springfield, Illinois."""
    address = f"{number} {street}"
    return {
        "id": place_id,
        "formattedAddress": f"{address}, Springfield, IL 62701, USA",
        "addressComponents": [
            _component(number, "street_number"),
            _component(street, "route"),
            _component("Springfield", "locality", "political"),
            _component("Illinois", "administrative_area_level_1", "political", short="IL"),
            _component("United States", "country", "political", short="US"),
            _component("62701", "postal_code"),
        ],
        "location": {"latitude": 39.7817, "longitude": -89.6501},
        "types": ["street_address"],
        **changes,
    }


def _component(long: str, *types: str, short: str | None = None) -> dict[str, Any]:
    return {"longText": long, "shortText": short or long, "types": list(types), "languageCode": "en"}


@dataclass
class GoogleMaps:
    """An ASGI application. `faults` by kind come one after the other, before right answers."""

    places: dict[str, dict[str, Any]] = field(default_factory=dict)
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)  # by first address line
    moved: dict[str, str] = field(default_factory=dict)
    faults: defaultdict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, Fault] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    reused: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._app = Starlette(
            routes=[
                Route("/v1/places:autocomplete", self._autocomplete, methods=["POST"]),
                Route("/v1/places/{place_id:path}", self._details, methods=["GET"]),
                Route("/v1:validateAddress", self._validate, methods=["POST"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def of(self, kind: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.kind == kind]

    async def _autocomplete(self, request: Request) -> Response:
        body = await request.json()
        asked = self._note("autocomplete", request, body, body.get("sessionToken"))
        problem = None if body.get("input") else "input is missing"
        regions = body.get("includedRegionCodes", [])
        if len(regions) > 15 or any(len(code) != 2 or not code.islower() for code in regions):
            problem = "includedRegionCodes"
        if not 0 <= body.get("inputOffset", 0) <= len(body.get("input", "")):
            problem = "inputOffset"
        if "locationBias" not in body and "locationRestriction" not in body and not regions:
            problem = "biased by the caller's address, which no test wants"
        found = [found for each in self.places.values() if (found := _prediction(each, body["input"]))]
        document = {"suggestions": [{"placePrediction": each} for each in found[:5]]} if found else {}
        return await self._answer(asked, problem, document)

    async def _details(self, request: Request) -> Response:
        place_id = unquote(request.path_params["place_id"])
        asked = self._note("details", request, {}, request.query_params.get("sessionToken"), place_id)
        mask = request.headers.get("x-goog-fieldmask", "")
        problem = "a field mask is required" if not mask or " " in mask else None
        if place_id in self.moved:
            document: dict[str, Any] | None = {"id": place_id, "movedPlaceId": self.moved[place_id]}
        else:
            document = self.places.get(place_id)
        if not problem and document is None:
            return await self._answer(asked, None, refused(404, "NOT_FOUND"))
        fields = {name.split(".")[0] for name in mask.split(",")}
        shown = {name: value for name, value in (document or {}).items() if name in fields}
        return await self._answer(asked, problem, shown, ends=True)

    async def _validate(self, request: Request) -> Response:
        body = await request.json()
        asked = self._note("validate", request, body, body.get("sessionToken"))
        lines = body.get("address", {}).get("addressLines") or [""]
        document = self.checks.get(lines[0], {"result": {"verdict": {"validationGranularity": "OTHER"}}})
        return await self._answer(asked, None, document, ends=True)

    def _note(
        self, kind: str, request: Request, body: Mapping[str, Any], token: str | None, place_id: str = ""
    ) -> Asked:
        asked = Asked(kind, token, dict(request.headers), body, dict(request.query_params), place_id)
        self.asked.append(asked)
        if token in self.ended:
            self.reused.append(asked)
        return asked

    async def _answer(
        self, asked: Asked, problem: str | None, right: Mapping[str, Any] | Fault, *, ends: bool = False
    ) -> Response:
        if asked.headers.get("x-goog-api-key") != KEY:
            return await self._fault(refused(400, "INVALID_ARGUMENT", "API_KEY_INVALID"))
        if problem or len(asked.token or "") > 36:
            return await self._fault(refused(400, "INVALID_ARGUMENT"))
        queue = self.faults[asked.kind]
        fault = queue.popleft() if queue else self.always.get(asked.kind)
        if ends and asked.token and (fault is None or fault.acts):
            self.ended.add(asked.token)
        if fault is not None:
            return await self._fault(fault)
        return await self._fault(right) if isinstance(right, Fault) else JSONResponse(right)

    async def _fault(self, fault: Fault) -> Response:
        if fault.hang:
            await asyncio.Event().wait()
        if fault.cut:
            return _Cut()
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        return Response(fault.body or b"", fault.status, headers, media_type="application/json")


class _Cut(Response):
    """The beginning of an answer; then the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1000"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"sugg', "more_body": True})


def _prediction(document: Mapping[str, Any], typed: str) -> dict[str, Any] | None:
    text = document["formattedAddress"]
    begins = text.casefold().find(typed.casefold())
    if begins < 0:
        return None
    match = {"endOffset": begins + len(typed), **({"startOffset": begins} if begins else {})}
    main, _, rest = text.partition(", ")
    return {
        "place": f"places/{document['id']}",
        "placeId": document["id"],
        "text": {"text": text, "matches": [match]},
        "structuredFormat": {"mainText": {"text": main, "matches": [match]}, "secondaryText": {"text": rest}},
        "types": document["types"],
    }


MAIN_STREET = place("ChIJmain123", "123", "Main Street")
app = GoogleMaps(places={"ChIJmain123": MAIN_STREET})
