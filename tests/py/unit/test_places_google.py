"""Google's provider over the wire: what it asks for, and what it makes of each answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from tests.py.google_maps import DOWN, KEY, STORM, Fault, GoogleMaps, place, refused
from tests.py.serving import serving
from workers import outbound
from workers.places.breaker import Breaker
from workers.places.google import Google
from workers.places.provider import (
    Address,
    Checked,
    Match,
    Misconfigured,
    Query,
    Suggestion,
    Unavailable,
    UnknownPlace,
)

T = TypeVar("T")
TOKEN = UUID("6f1d8a5e-0d5c-4a52-9f0a-0b6f0a5a1c11")
# What Google lists in two tiers of Place Details: "Essentials IDs Only", which costs nothing, and the next.
FREE = {"attributions", "id", "movedPlace", "movedPlaceId", "name", "photos"}
ESSENTIALS = {
    "addressComponents",
    "adrFormatAddress",
    "formattedAddress",
    "location",
    "plusCode",
    "postalAddress",
    "shortFormattedAddress",
    "types",
    "viewport",
}
TYPED = Address("123 Main St", None, "Springfield", "IL", "62701", "US")


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[GoogleMaps, str]]:
    google = GoogleMaps()
    with serving(google) as url:
        yield google, url


@pytest.fixture
def google(running: tuple[GoogleMaps, str]) -> GoogleMaps:
    google, _ = running
    google.__init__()  # type: ignore[misc]  # as new
    google.places["ChIJmain123"] = place("ChIJmain123", "123", "Main Street")
    return google


@pytest.fixture
def asking(running: tuple[GoogleMaps, str], google: GoogleMaps) -> Callable[..., Any]:
    """Run one coroutine with a provider of its own: `asking(lambda provider: provider.validate(…))`."""

    @asynccontextmanager
    async def opened(key: str) -> AsyncIterator[Google]:
        async with outbound.new_session() as http:
            yield Google(http, key, places=running[1], validation=running[1])

    def ask(work: Callable[[Google], Awaitable[T]], key: str = KEY) -> T:
        async def run() -> T:
            async with opened(key) as provider:
                return await work(provider)

        return asyncio.run(run())

    return ask


def suggest(text: str = "123 main", **options: Any) -> Callable[[Google], Awaitable[Any]]:
    query = Query(text, countries=options.pop("countries", ("US",)), **options)
    return lambda provider: provider.autocomplete(query, TOKEN, seconds=2)


def detail(place_id: str = "ChIJmain123", seconds: float = 2) -> Callable[[Google], Awaitable[Any]]:
    return lambda provider: provider.details(place_id, TOKEN, language="en", seconds=seconds)


def check(address: Address = TYPED) -> Callable[[Google], Awaitable[Any]]:
    return lambda provider: provider.validate(address, TOKEN, seconds=2)


def test_suggestions_come_with_what_a_form_shows(asking: Any, google: GoogleMaps) -> None:
    assert asking(suggest()) == [
        Suggestion(
            "ChIJmain123",
            "123 Main Street, Springfield, IL 62701, USA",
            [Match(0, 8)],
            "123 Main Street",
            "Springfield, IL 62701, USA",
        )
    ]
    [asked] = google.asked
    assert asked.body == {
        "input": "123 main",
        "includedRegionCodes": ["us"],
        "sessionToken": str(TOKEN),
    }
    assert asked.headers["x-goog-api-key"] == KEY
    mask = asked.headers["x-goog-fieldmask"]
    assert " " not in mask and mask.startswith("suggestions.placePrediction.placeId,")


def test_a_match_in_the_middle_keeps_its_offsets(asking: Any) -> None:
    [found] = asking(suggest("Springfield"))
    assert found.matches == [Match(17, 28)]


def test_nothing_found_is_an_empty_document_and_no_error(asking: Any, google: GoogleMaps) -> None:
    assert asking(suggest("nowhere at all")) == []
    google.faults["autocomplete"].append(Fault(body=b'{"suggestions": [{"queryPrediction": {}}, {}, 7]}'))
    assert asking(suggest()) == []


def test_offsets_are_counted_in_characters_beyond_the_basic_plane_too(
    asking: Any, google: GoogleMaps
) -> None:
    google.places["ChIJ𐐷"] = place("ChIJ𐐷", "5", "𐐷𐐷 Street 🏠")
    [found] = asking(suggest("𐐷 str", offset=1, language="en"))
    assert google.asked[0].body["inputOffset"] == 1
    assert found.matches == [Match(3, 8)]
    assert found.text[3:8] == "𐐷 Str"


def test_every_call_is_restricted_to_countries(asking: Any, google: GoogleMaps) -> None:
    asking(suggest(countries=("US", "CA")))
    assert google.asked[0].body["includedRegionCodes"] == ["us", "ca"]


def test_details_fill_in_the_columns_of_a_property(asking: Any, google: GoogleMaps) -> None:
    found = asking(detail())
    assert found.address == Address("123 Main Street", None, "Springfield", "IL", "62701", "US")
    assert (found.place_id, found.position, found.address_status) == (
        "ChIJmain123",
        (39.7817, -89.6501),
        "verified",
    )
    [asked] = google.asked
    assert asked.token == str(TOKEN) and asked.query["languageCode"] == "en"
    assert set(asked.headers["x-goog-fieldmask"].split(",")) <= ESSENTIALS | FREE


GERMAN = [
    {"longText": "5", "shortText": "5", "types": ["street_number"]},
    {"longText": "Am Markt", "shortText": "Am Markt", "types": ["route"]},
    {"longText": "Bremen", "shortText": "Bremen", "types": ["locality"]},
    {"longText": "Deutschland", "shortText": "DE", "types": ["country"]},
    {"longText": "28195", "shortText": "28195", "types": ["postal_code"]},
    {"longText": "3", "shortText": "3", "types": ["subpremise"]},
]


@pytest.mark.parametrize(
    ("changes", "address", "status"),
    [
        (
            {"addressComponents": GERMAN},
            Address("Am Markt 5", "#3", "Bremen", None, "28195", "DE"),
            "verified",
        ),
        (
            {"addressComponents": GERMAN[1:4]},
            Address("Am Markt", None, "Bremen", None, None, "DE"),
            "unverified",
        ),
        ({"addressComponents": []}, Address(), "unverified"),
        (
            {
                "addressComponents": [],
                "postalAddress": {
                    "regionCode": "US",
                    "addressLines": ["1 Elm Street"],
                    "locality": "Springfield",
                    "administrativeArea": "IL",
                    "postalCode": "62701",
                },
            },
            Address("1 Elm Street", None, "Springfield", "IL", "62701", "US"),
            "unverified",
        ),
    ],
)
def test_addresses_are_read_as_their_country_writes_them(
    asking: Any, google: GoogleMaps, changes: dict[str, Any], address: Address, status: str
) -> None:
    google.places["ChIJmain123"] = place("ChIJmain123", "1", "x", **changes)
    found = asking(detail())
    assert (found.address, found.address_status) == (address, status)


@pytest.mark.parametrize(
    ("location", "position"),
    [
        ({"longitude": 11.5}, (0.0, 11.5)),
        ({"latitude": -1.5}, (-1.5, 0.0)),
        ({}, None),
        ({"latitude": "x"}, None),
    ],
)
def test_a_coordinate_of_zero_is_left_out_by_google_and_not_by_us(
    asking: Any, google: GoogleMaps, location: dict[str, Any], position: tuple[float, float] | None
) -> None:
    google.places["ChIJmain123"]["location"] = location
    assert asking(detail()).position == position


def test_a_place_id_may_be_long_and_of_any_characters(asking: Any, google: GoogleMaps) -> None:
    long = "Ei" + "aB-_=/+?&# %ä" * 40
    google.places[long] = place(long, "9", "Long Street")
    assert asking(detail(long)).address.address_line1 == "9 Long Street"
    assert google.asked[0].place_id == long


def test_an_obsolete_place_is_unknown_and_one_that_moved_is_followed(asking: Any, google: GoogleMaps) -> None:
    with pytest.raises(UnknownPlace):
        asking(detail("ChIJgone"))
    google.moved["ChIJold"] = "ChIJmain123"
    assert asking(lambda provider: provider.current_id("ChIJold", seconds=1)) == "ChIJmain123"
    assert asking(lambda provider: provider.current_id("ChIJmain123", seconds=1)) == "ChIJmain123"
    assert google.asked[-1].token is None


def test_a_place_that_moved_more_than_once_is_followed_to_the_last_for_nothing(
    asking: Any, google: GoogleMaps
) -> None:
    google.moved |= {"ChIJold": "ChIJolder", "ChIJolder": "ChIJmain123"}
    assert asking(lambda provider: provider.current_id("ChIJold", seconds=1)) == "ChIJmain123"
    assert [asked.place_id for asked in google.asked] == ["ChIJold", "ChIJolder", "ChIJmain123"]
    for asked in google.asked:
        assert set(asked.headers["x-goog-fieldmask"].split(",")) <= FREE and asked.token is None


def test_places_that_moved_in_a_circle_are_not_followed_for_good(asking: Any, google: GoogleMaps) -> None:
    google.moved |= {"ChIJone": "ChIJtwo", "ChIJtwo": "ChIJone"}
    assert asking(lambda provider: provider.current_id("ChIJone", seconds=1)) == "ChIJtwo"
    assert len(google.asked) == 2


@pytest.mark.parametrize("place_id", [".", "..", "..."])
def test_no_id_of_a_place_leads_to_another_path(asking: Any, google: GoogleMaps, place_id: str) -> None:
    with pytest.raises(UnknownPlace):
        asking(detail(place_id))
    assert google.asked == []


class TooLong(UUID):
    def __str__(self) -> str:
        return super().__str__() + "7"


def test_a_token_of_37_characters_is_refused_before_anybody_is_asked(asking: Any, google: GoogleMaps) -> None:
    token = TooLong(str(TOKEN))
    calls: list[Callable[[Google], Awaitable[Any]]] = [
        lambda provider: provider.autocomplete(Query("main", ("US",)), token, seconds=1),
        lambda provider: provider.details("ChIJmain123", token, language=None, seconds=1),
        lambda provider: provider.validate(TYPED, token, seconds=1),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="at most 36"):
            asking(call)
    assert google.asked == []


BROKEN = [
    DOWN,
    STORM,
    Fault(status=500, body=b"<html>"),
    Fault(status=302),
    Fault(body=b"[]"),
    Fault(body=b"{"),
    Fault(body=b'"' + b"x" * (1 << 20) + b'"'),
    Fault(cut=True),
    Fault(hang=True),
]


@pytest.mark.parametrize("fault", BROKEN)
def test_autocomplete_is_never_repeated(asking: Any, google: GoogleMaps, fault: Fault) -> None:
    google.always["autocomplete"] = fault
    query = Query("main", ("US",))
    with pytest.raises(Unavailable):
        asking(lambda provider: provider.autocomplete(query, TOKEN, seconds=0.4))
    assert len(google.asked) == 1


@pytest.mark.parametrize("fault", BROKEN)
def test_details_are_repeated_once_and_answered_in_time(
    asking: Any, google: GoogleMaps, fault: Fault
) -> None:
    google.faults["details"].append(fault)
    assert asking(detail(seconds=1.5)).place_id == "ChIJmain123"
    assert len(google.asked) == 2


@pytest.mark.parametrize("fault", BROKEN)
def test_details_that_keep_failing_end_within_their_time(
    asking: Any, google: GoogleMaps, fault: Fault
) -> None:
    google.always["details"] = fault
    began = time.monotonic()
    with pytest.raises(Unavailable):
        asking(detail(seconds=1))
    assert time.monotonic() - began < 2
    assert len(google.asked) == 2


@pytest.mark.parametrize(
    ("fault", "with_token"),
    [(DOWN, True), (STORM, True)]
    + [
        (fault, False)
        for fault in (Fault(cut=True, acts=True), Fault(hang=True, acts=True), Fault(status=502))
    ],
)
def test_a_token_that_may_be_used_up_is_not_sent_again(
    asking: Any, google: GoogleMaps, fault: Fault, with_token: bool
) -> None:
    google.faults["details"].append(fault)
    asking(detail(seconds=1.5))
    first, second = google.asked
    assert first.token == str(TOKEN)
    assert second.token == (str(TOKEN) if with_token else None)
    assert google.reused == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (refused(403, "PERMISSION_DENIED", "API_KEY_SERVICE_BLOCKED"), Misconfigured),
        (refused(403, "PERMISSION_DENIED", "API_KEY_IP_ADDRESS_BLOCKED"), Misconfigured),
        (refused(403, "PERMISSION_DENIED", "BILLING_DISABLED"), Misconfigured),
        (refused(400, "INVALID_ARGUMENT", "API_KEY_INVALID"), Misconfigured),
        (refused(401, "UNAUTHENTICATED"), Misconfigured),
        (refused(400, "INVALID_ARGUMENT"), UnknownPlace),
    ],
)
def test_what_no_repetition_mends_is_not_repeated(
    asking: Any, google: GoogleMaps, fault: Fault, error: type[Exception]
) -> None:
    google.always["details"] = fault
    with pytest.raises(error) as caught:
        asking(detail())
    assert len(google.asked) == 1
    assert KEY not in str(caught.value)


def test_a_refused_key_is_left_alone_at_once_and_a_storm_after_five(asking: Any, google: GoogleMaps) -> None:
    async def knock(provider: Google) -> int:
        for _ in range(20):
            with pytest.raises(Unavailable):
                await provider.autocomplete(Query("main", ("US",)), TOKEN, seconds=1)
        return len(google.of("autocomplete"))

    google.always["autocomplete"] = refused(403, "PERMISSION_DENIED", "BILLING_DISABLED")
    assert asking(knock) == 1
    google.asked.clear()
    google.always["autocomplete"] = STORM
    assert asking(knock) == 5


def test_who_leaves_between_two_tries_leaves_the_breaker_as_it_was(asking: Any, google: GoogleMaps) -> None:
    """Else the one call that may try a service that failed would never be told of."""

    google.always["details"] = DOWN
    now = [0.0]

    async def leave(provider: Google) -> bool:
        breaker = provider.breakers["details"] = Breaker(clock=lambda: now[-1])
        choosing = asyncio.create_task(provider.details("ChIJmain123", None, language=None, seconds=2))
        await asyncio.sleep(0)
        for _ in range(5):
            breaker.failed()
        now.append(100.0)  # its pause is over, and the next call decides
        with capture_logs() as log:
            while not log:
                await asyncio.sleep(0)
        choosing.cancel()
        await asyncio.gather(choosing, return_exceptions=True)
        return breaker.allows()

    assert asking(leave)


def test_a_storm_on_one_method_leaves_the_others_working(asking: Any, google: GoogleMaps) -> None:
    google.always["autocomplete"] = STORM

    async def storm(provider: Google) -> Any:
        for _ in range(10):
            with pytest.raises(Unavailable):
                await provider.autocomplete(Query("main", ("US",)), TOKEN, seconds=1)
        return await provider.details("ChIJmain123", TOKEN, language=None, seconds=1)

    assert asking(storm).place_id == "ChIJmain123"


def verdict(address: dict[str, Any] | None = None, **flags: Any) -> dict[str, Any]:
    postal = {
        "regionCode": "US",
        "addressLines": ["123 Main St"],
        "locality": "Springfield",
        "administrativeArea": "IL",
        "postalCode": "62701-1234",
        **(address or {}),
    }
    sure = {"addressComplete": True, "validationGranularity": "PREMISE", **flags}
    return {
        "result": {
            "verdict": sure,
            "address": {"postalAddress": postal},
            "geocode": {"placeId": "ChIJmain123", "location": {"latitude": 39.7817, "longitude": -89.6501}},
        }
    }


BETTER = Address("123 Main St", None, "Springfield", "IL", "62702", "US")


@pytest.mark.parametrize(
    ("document", "status", "address"),
    [
        (verdict(), "verified", TYPED),
        (verdict(validationGranularity="SUB_PREMISE"), "verified", TYPED),
        (verdict(hasInferredComponents=True), "verified", TYPED),
        (verdict({"postalCode": "62702"}, hasReplacedComponents=True), "corrected", BETTER),
        (verdict({"postalCode": "62702"}, hasSpellCorrectedComponents=True), "corrected", BETTER),
        (verdict({"postalCode": "62702"}, hasUnconfirmedComponents=True), "unverified", TYPED),
        (verdict(addressComplete=False), "unverified", TYPED),
        (verdict(validationGranularity="ROUTE"), "unverified", TYPED),
        (verdict(validationGranularity="PREMISE_PROXIMITY"), "unverified", TYPED),
        ({}, "unverified", TYPED),
        ({"result": {}}, "unverified", TYPED),
    ],
)
def test_a_verdict_becomes_one_of_three(
    asking: Any, google: GoogleMaps, document: dict[str, Any], status: str, address: Address
) -> None:
    google.checks["123 Main St"] = document
    found: Checked = asking(check())
    assert (found.address_status, found.address) == (status, address)
    assert found.place_id == (None if status == "unverified" else "ChIJmain123")
    [asked] = google.asked
    assert asked.body["sessionToken"] == str(TOKEN)
    assert asked.body["address"] == {
        "regionCode": "US",
        "addressLines": ["123 Main St"],
        "locality": "Springfield",
        "administrativeArea": "IL",
        "postalCode": "62701",
    }


def test_an_address_that_google_can_not_check_is_unverified(asking: Any, google: GoogleMaps) -> None:
    google.always["validate"] = refused(400, "INVALID_ARGUMENT")
    assert asking(check()) == Checked("unverified", TYPED)


def test_a_key_that_google_does_not_know_is_told_to_the_operator_alone(asking: Any) -> None:
    with pytest.raises(Misconfigured) as caught:
        asking(suggest(), key="AIza-not-this-one")
    assert str(caught.value) == "400 API_KEY_INVALID"


def test_without_a_token_none_is_sent(asking: Any, google: GoogleMaps) -> None:
    async def alone(provider: Google) -> None:
        await provider.autocomplete(Query("main", ("US",)), None, seconds=1)
        await provider.details("ChIJmain123", None, language=None, seconds=1)
        await provider.validate(TYPED, None, seconds=1)

    asking(alone)
    assert [asked.token for asked in google.asked] == [None, None, None]
    assert "sessionToken" not in google.asked[0].body and "sessionToken" not in google.asked[2].body


def test_calls_of_other_tokens_never_mix(asking: Any, google: GoogleMaps) -> None:
    tokens = [uuid4() for _ in range(20)]

    async def all_at_once(provider: Google) -> None:
        query = Query("main", ("US",))
        await asyncio.gather(*(provider.autocomplete(query, token, seconds=2) for token in tokens))

    asking(all_at_once)
    assert sorted(str(asked.token) for asked in google.asked) == sorted(map(str, tokens))
