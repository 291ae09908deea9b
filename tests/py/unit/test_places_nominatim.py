"""Nominatim's provider over the wire: its jsonv2 about OpenStreetMap's data, from a server of one's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse, Response

from tests.py.serving import serving
from tests.py.unit.geocoder import Geocoder, run
from workers.places.nominatim import Nominatim
from workers.places.provider import Address, Checked, Match, Query, Unavailable, UnknownPlace

# What one is like, as told by format=jsonv2&addressdetails=1.
HOUSE = {
    "place_id": 304_215_901,
    "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright",
    "osm_type": "way",
    "osm_id": 15621877,
    "lat": "39.8003271",
    "lon": "-89.6493714",
    "category": "place",
    "type": "house",
    "place_rank": 30,
    "importance": 0.00000999,
    "addresstype": "place",
    "name": "",
    "display_name": "724, South 2nd Street, Springfield, Sangamon County, Illinois, 62704, United States",
    "boundingbox": ["39.8002771", "39.8003771", "-89.6494214", "-89.6493214"],
}
PARTS = {
    "house_number": "724",
    "road": "South 2nd Street",
    "city": "Springfield",
    "county": "Sangamon County",
    "state": "Illinois",
    "ISO3166-2-lvl4": "US-IL",
    "postcode": "62704",
    "country": "United States",
    "country_code": "us",
}
STREET = {key: value for key, value in PARTS.items() if key != "house_number"}


def entry(*, parts: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {**HOUSE, "address": parts or PARTS, **changes}


class Server(Geocoder):
    def __init__(self) -> None:
        super().__init__()
        self.search: list[Any] = [[entry()]]  # an answer each, the last for all that follow
        self.lookup: Any = [entry()]

    def answer(self, path: str, query: QueryParams) -> Response:
        if path == "/lookup":
            return JSONResponse(self.lookup)
        return JSONResponse(self.search.pop(0) if len(self.search) > 1 else self.search[0])


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Server, str]]:
    server = Server()
    with serving(server) as url:
        yield server, url


@pytest.fixture
def server(running: tuple[Server, str]) -> Server:
    running[0].__init__()  # type: ignore[misc]  # as new
    return running[0]


@pytest.fixture
def asking(running: tuple[Server, str], server: Server) -> Callable[..., Any]:
    return partial(run, Nominatim, running[1])


PLACE_ID = "nominatim:W15621877/724"
ADDRESS = Address("724 South 2nd Street", None, "Springfield", "IL", "62704", "US")


def suggest(**options: Any) -> Callable[[Nominatim], Awaitable[Any]]:
    query = Query("724 2nd street", options.pop("countries", ("US", "CA")), **options)
    return lambda provider: provider.autocomplete(query, None, seconds=1)


def detail(place_id: str = PLACE_ID) -> Callable[[Nominatim], Awaitable[Any]]:
    return lambda provider: provider.details(place_id, None, language="en-US", seconds=1)


def check(address: Address) -> Callable[[Nominatim], Awaitable[Any]]:
    return lambda provider: provider.validate(address, None, seconds=1)


def test_suggestions_are_houses_and_streets_of_the_countries(asking: Any, server: Server) -> None:
    town = {"city": "Springfield", "country_code": "us"}
    postcode = {key: value for key, value in entry().items() if not key.startswith("osm_")}
    server.search = [
        [entry(), entry(parts={**PARTS, "country_code": "fr"}), entry(parts=town), postcode, {"odd": 1}, 7]
    ]
    [found] = asking(suggest(language="en-US"))
    assert (found.place_id, found.text) == (PLACE_ID, "724 South 2nd Street, Springfield, IL 62704, US")
    assert (found.main_text, found.secondary_text) == ("724 South 2nd Street", "Springfield, IL 62704, US")
    assert found.matches == [Match(0, 3), Match(10, 13), Match(14, 20)]
    [(path, asked)] = server.asked
    assert path == "/search" and asked["q"] == "724 2nd street" and asked["accept-language"] == "en-US"
    assert (asked["countrycodes"], asked["layer"]) == ("us,ca", "address")
    assert (asked["format"], asked["addressdetails"]) == ("jsonv2", "1")


def test_at_most_five_are_suggested(asking: Any, server: Server) -> None:
    server.search = [[entry(osm_id=number) for number in range(1, 9)]]
    assert [found.place_id for found in asking(suggest())] == [f"nominatim:W{n}/724" for n in range(1, 6)]


def test_nothing_found_is_an_empty_list(asking: Any, server: Server) -> None:
    server.search = [[]]
    assert asking(suggest()) == []


def test_the_id_leads_back_to_the_place(asking: Any, server: Server) -> None:
    found = asking(detail())
    assert (found.place_id, found.address) == (PLACE_ID, ADDRESS)
    assert found.position == (39.8003271, -89.6493714) and found.address_status == "verified"
    [(path, asked)] = server.asked
    assert (path, asked["osm_ids"], asked["accept-language"]) == ("/lookup", "W15621877", "en-US")


def test_a_number_reckoned_along_a_street_is_looked_for_there(asking: Any, server: Server) -> None:
    server.lookup = [entry(parts=STREET, addresstype="road")]
    server.search = [[entry(osm_id=99), entry(parts={**PARTS, "house_number": "742"}), entry()]]
    found = asking(detail())
    assert (found.place_id, found.address) == (PLACE_ID, ADDRESS)
    (_, _), (path, asked) = server.asked
    assert (path, asked["street"], asked["city"]) == ("/search", "724 South 2nd Street", "Springfield")
    assert (asked["state"], asked["countrycodes"]) == ("IL", "us")


@pytest.mark.parametrize("parts", [STREET, {"country_code": "us"}, {**PARTS, "house_number": "9"}])
def test_a_house_that_is_no_longer_there_is_unknown(
    asking: Any, server: Server, parts: dict[str, str]
) -> None:
    server.lookup, server.search = [entry(parts=parts)], [[entry(osm_id=99)]]
    with pytest.raises(UnknownPlace):
        asking(detail())


def test_a_place_that_is_gone_is_unknown(asking: Any, server: Server) -> None:
    server.lookup = []
    with pytest.raises(UnknownPlace):
        asking(detail())


def test_a_street_alone_is_not_verified(asking: Any, server: Server) -> None:
    server.lookup = [entry(parts=STREET, name="South 2nd Street")]
    found = asking(detail("nominatim:W15621877"))
    assert (found.address.address_line1, found.address_status) == ("South 2nd Street", "unverified")


@pytest.mark.parametrize(
    "place_id",
    [
        "ChIJmain",
        "local:5",
        "nominatim:",
        "nominatim:X1",
        "nominatim:W1/",
        "nominatim:W1/4\n",
        "nominatim:W1,W2",
    ],
)
def test_an_id_of_somebody_else_is_unknown_and_asks_nobody(
    asking: Any, server: Server, place_id: str
) -> None:
    with pytest.raises(UnknownPlace):
        asking(detail(place_id))
    assert server.asked == []


@pytest.mark.parametrize(
    ("parts", "city", "state"),
    [
        ({"town": "Dyersville", "ISO3166-2-lvl4": "US-IA", "country_code": "us"}, "Dyersville", "IA"),
        ({"village": "Ansty", "state": "England", "country_code": "gb"}, "Ansty", "England"),
        ({"city": "Toronto", "state": "Ontario", "country_code": "ca"}, "Toronto", "ON"),
        ({"county": "Sangamon County", "country_code": "us"}, "Sangamon County", None),
    ],
)
def test_towns_have_many_names_and_states_the_code_that_is_written(
    asking: Any, server: Server, parts: dict[str, Any], city: str, state: str | None
) -> None:
    server.lookup = [entry(parts={"house_number": "724", "road": "South 2nd Street", **parts})]
    found = asking(detail())
    assert (found.address.city, found.address.state) == (city, state)


@pytest.mark.parametrize(
    ("typed", "status", "better"),
    [
        (ADDRESS, "verified", None),
        (Address("724 s. 2nd st", "#3", "SPRINGFIELD", "Illinois", "62704-1234", "US"), "verified", None),
        (
            Address("724 S 2nd St", "#3", "Springfeld", None, "62704", "US"),
            "corrected",
            Address("724 S 2nd St", "#3", "Springfield", "IL", "62704", "US"),
        ),
        (Address("724 Oak Avenue", None, "Springfield", "IL", "62704", "US"), "unverified", None),
        (Address("7 South 2nd Street", None, "Springfield", "IL", None, "US"), "unverified", None),
    ],
)
def test_a_typed_address_is_compared_with_the_house_that_is_found(
    asking: Any, server: Server, typed: Address, status: str, better: Address | None
) -> None:
    found: Checked = asking(check(typed))
    assert (found.address_status, found.address) == (status, better or typed)
    assert found.place_id == (None if status == "unverified" else PLACE_ID)
    asked = server.asked[0][1]
    assert (asked["street"], asked["city"]) == (typed.address_line1, typed.city) and "q" not in asked


def test_a_wrong_postal_code_is_corrected(asking: Any, server: Server) -> None:
    server.search = [[], [entry()]]
    found: Checked = asking(check(Address("724 South 2nd Street", None, "Springfield", "IL", "90210", "US")))
    assert (found.address_status, found.address) == ("corrected", ADDRESS)
    first, second = (asked for _, asked in server.asked)
    assert first["postalcode"] == "90210" and "postalcode" not in second


def test_a_refused_request_says_nothing_of_the_server(asking: Any, server: Server) -> None:
    refusal = JSONResponse({"error": {"code": 400, "message": "Nothing to search for."}}, 400)

    async def knock(provider: Nominatim) -> Any:
        for _ in range(12):
            server.broken = refusal
            with pytest.raises(Unavailable):
                await suggest()(provider)
        server.broken = None
        return await suggest()(provider)

    assert len(asking(knock)) == 1


BROKEN = [
    Response("", 500),
    Response("", 302, headers={"location": "http://127.0.0.1:1/"}),
    Response("<html>"),
    JSONResponse({"error": "Unable to geocode"}),
]


@pytest.mark.parametrize("answer", BROKEN)
def test_a_broken_server_is_unavailable(asking: Any, server: Server, answer: Response) -> None:
    server.broken = answer
    for work in (suggest(), detail(), check(ADDRESS)):
        with pytest.raises(Unavailable):
            asking(work)


def test_a_server_that_keeps_failing_is_left_alone(asking: Any, server: Server) -> None:
    server.broken = Response("", 503)

    async def knock(provider: Nominatim) -> None:
        for _ in range(12):
            with pytest.raises(Unavailable):
                await suggest()(provider)

    asking(knock)
    assert len(server.asked) == 5
