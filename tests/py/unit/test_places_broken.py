"""Answers that are broken below HTTP, or never come: nothing is paid for twice, and nothing leaks."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from tests.py.unit.broken_server import NOTHING, answering, document
from workers import outbound
from workers.places.google import Google
from workers.places.nominatim import Nominatim
from workers.places.photon import Photon
from workers.places.provider import Address, Provider, Query, Unavailable

KEY = "AIza-canary-of-the-broken-server"
TOKEN = UUID("6f1d8a5e-0d5c-4a52-9f0a-0b6f0a5a1c11")
TYPED = "555 Canary Boulevard"
HOUSE = document(json.dumps({"id": "ChIJcanary"}).encode())
NOTHING_FOUND = document(b"{}")

Call = Callable[[Provider], Awaitable[Any]]


def google(url: str, http: Any) -> Provider:
    return Google(http, KEY, places=url, validation=url)


def photon(url: str, http: Any) -> Provider:
    return Photon(http, url)


def nominatim(url: str, http: Any) -> Provider:
    return Nominatim(http, url)


def suggest(provider: Provider) -> Awaitable[Any]:
    return provider.autocomplete(Query(TYPED, ("US",)), TOKEN, seconds=2)


def choose(provider: Provider) -> Awaitable[Any]:
    return provider.details("ChIJcanary", TOKEN, language=None, seconds=2)


def check(provider: Provider) -> Awaitable[Any]:
    return provider.validate(Address(TYPED), TOKEN, seconds=2)


def asked_for(
    answers: Sequence[bytes], *calls: Call, of: Callable[[str, Any], Provider] = google
) -> tuple[list[Any], list[str]]:
    """What each call answered or raised, and the request lines that the provider saw."""

    async def run() -> tuple[list[Any], list[str]]:
        async with answering(answers) as (url, asked), outbound.new_session() as http:
            provider = of(url, http)
            outcomes = [(await asyncio.gather(call(provider), return_exceptions=True))[0] for call in calls]
            return outcomes, asked

    return asyncio.run(run())


@pytest.mark.parametrize("before", [[], [HOUSE]], ids=["a new connection", "one that was kept"])
def test_after_a_dropped_connection_the_token_is_not_sent_again(before: list[bytes]) -> None:
    """The provider may have acted: then the token is used up."""
    outcomes, asked = asked_for([*before, NOTHING, HOUSE], *[choose] * (1 + len(before)))
    assert outcomes[-1].place_id == "ChIJcanary"
    dropped, repeated = asked[-2:]
    assert str(TOKEN) in dropped and "sessionToken" not in repeated


@pytest.mark.parametrize("call", [suggest, check])
def test_what_is_asked_once_is_asked_once_though_the_connection_was_dropped(call: Call) -> None:
    outcomes, asked = asked_for([NOTHING, NOTHING_FOUND], call)
    assert isinstance(outcomes[0], Unavailable) and len(asked) == 1


BROKEN = {
    "no HTTP": b"%s and HTTQ\r\n\r\n" % KEY.encode(),
    "an endless header": b"HTTP/1.1 200 OK\r\nX-Echo: " + KEY.encode() * 1000 + b"\r\n\r\n",
    "a broken chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n" + KEY.encode(),
    "no gzip": document(KEY.encode(), "Content-Encoding: gzip"),
    "a bomb": document(gzip.compress(b" " * 50_000_000), "Content-Encoding: gzip"),
    "brackets": document(b"[" * 100_000),
    "no content": document(b"", status="204 No Content"),
    "a part": document(b"{}", status="206 Partial Content"),
    "another protocol": document(b"", "Upgrade: x", "Connection: upgrade", status="101 Switching"),
    "many seconds": document(b"", f"Retry-After: {'9' * 5000}", status="429 Too Many Requests"),
    "seconds that are none": document(b"", "Retry-After: ²", status="429 Too Many Requests"),
    "nothing": NOTHING,
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize(
    ("of", "place_id"),
    [(google, "ChIJcanary"), (photon, "photon:W1@39.781700,-89.650100"), (nominatim, "nominatim:W1")],
    ids=["google", "photon", "nominatim"],
)
def test_what_is_broken_is_unavailable_and_neither_log_nor_error_repeats_what_was_asked(
    of: Callable[[str, Any], Provider], place_id: str, answer: bytes
) -> None:
    def choose(provider: Provider) -> Awaitable[Any]:
        return provider.details(place_id, TOKEN, language=None, seconds=2)

    with capture_logs() as log:
        outcomes, _ = asked_for([answer], suggest, choose, check, of=of)
    told = str(log) + "".join(map(str, outcomes))
    assert {type(outcome) for outcome in outcomes} == {Unavailable} and len(log) >= 3
    for secret in (KEY, "ChIJcanary", "39.7817", "Canary", str(TOKEN)):
        assert secret not in told
