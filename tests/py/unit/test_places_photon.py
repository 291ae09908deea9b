"""Photon's provider over the wire: GeoJSON of OpenStreetMap's data, from a server of one's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse, Response

from tests.py.serving import serving
from tests.py.unit.geocoder import Geocoder, run
from workers.places.photon import Photon
from workers.places.provider import Address, Checked, Match, Query, Unavailable, UnknownPlace


def feature(**changes: Any) -> dict[str, Any]:
    properties = {
        "osm_type": "W",
        "osm_id": 38862723,
        "type": "house",
        "housenumber": "5",
        "street": "Am Markt",
        "city": "Bremen",
        "postcode": "28195",
        "state": "Bremen",
        "country": "Deutschland",
        "countrycode": "DE",
        **changes,
    }
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Point", "coordinates": [8.8071234, 53.0758]},
    }


class Server(Geocoder):
    def __init__(self) -> None:
        super().__init__()
        self.features: Any = [feature()]
        self.languages = {"de"}

    def answer(self, path: str, query: QueryParams) -> Response:
        if query.get("lang", "de") not in self.languages:
            return JSONResponse({"message": "Language is not supported."}, 400)
        return JSONResponse({"type": "FeatureCollection", "features": self.features})


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
    return partial(run, Photon, running[1])


PLACE_ID = "photon:W38862723@53.075800,8.807123"
ADDRESS = Address("Am Markt 5", None, "Bremen", "Bremen", "28195", "DE")


def suggest(**options: Any) -> Callable[[Photon], Awaitable[Any]]:
    query = Query("am mar", options.pop("countries", ("DE", "AT")), **options)
    return lambda provider: provider.autocomplete(query, None, seconds=1)


def detail(place_id: str = PLACE_ID) -> Callable[[Photon], Awaitable[Any]]:
    return lambda provider: provider.details(place_id, None, language="de-DE", seconds=1)


def check(address: Address) -> Callable[[Photon], Awaitable[Any]]:
    return lambda provider: provider.validate(address, None, seconds=1)


def test_suggestions_are_houses_and_streets_of_the_countries(asking: Any, server: Server) -> None:
    server.features = [feature(), feature(countrycode="FR"), feature(countrycode=None), {"odd": 1}, 7]
    [found] = asking(suggest(language="de-DE"))
    assert (found.place_id, found.text) == (PLACE_ID, "Am Markt 5, 28195 Bremen, DE")
    assert (found.main_text, found.secondary_text) == ("Am Markt 5", "28195 Bremen, DE")
    assert found.matches == [Match(0, 2), Match(3, 6)]
    [(path, asked)] = server.asked
    assert path == "/api" and asked["q"] == "am mar" and asked["lang"] == "de"
    assert asked.getlist("countrycode") == ["DE", "AT"] and asked.getlist("layer") == ["house", "street"]


def test_the_id_leads_back_to_the_place(asking: Any, server: Server) -> None:
    server.features = [feature(osm_id=1, housenumber="7"), feature()]
    found = asking(detail())
    assert (found.place_id, found.address, found.position) == (PLACE_ID, ADDRESS, (53.0758, 8.8071234))
    assert found.address_status == "verified"
    [(path, asked)] = server.asked
    assert (path, asked["lat"], asked["lon"]) == ("/reverse", "53.075800", "8.807123")


def test_a_street_alone_is_not_verified(asking: Any, server: Server) -> None:
    server.features = [feature(type="street", name="Am Markt", street=None, housenumber=None)]
    found = asking(detail())
    assert (found.address.address_line1, found.address_status) == ("Am Markt", "unverified")


@pytest.mark.parametrize(
    "place_id", ["ChIJmain", "local:5", "photon:", "photon:X1@1.0,1.0", PLACE_ID + "?a=b"]
)
def test_an_id_of_somebody_else_is_unknown_and_asks_nobody(
    asking: Any, server: Server, place_id: str
) -> None:
    with pytest.raises(UnknownPlace):
        asking(detail(place_id))
    assert server.asked == []


def test_a_place_that_is_gone_is_unknown(asking: Any, server: Server) -> None:
    server.features = [feature(osm_id=1)]
    with pytest.raises(UnknownPlace):
        asking(detail())


@pytest.mark.parametrize(
    ("typed", "status", "better"),
    [
        (ADDRESS, "verified", ADDRESS),
        (Address("am markt 5", "#3", "BREMEN", "Bremen", "28195", "DE"), "verified", None),
        (Address("Am Markt 5", None, "Bremen", "Bremen", "28190", "DE"), "corrected", ADDRESS),
        (Address("Am Narkt 5", None, "Bremen", None, None, "DE"), "corrected", ADDRESS),
        (Address("An der Weide 5", None, "Bremen", None, None, "DE"), "unverified", None),
        (Address("Am Markt 55", None, "Bremen", None, None, "DE"), "unverified", None),
    ],
)
def test_a_typed_address_is_compared_with_the_house_that_is_found(
    asking: Any, typed: Address, status: str, better: Address | None
) -> None:
    found: Checked = asking(check(typed))
    assert found.address_status == status
    if better:
        assert found.address == better
    if status == "unverified":
        assert (found.address, found.place_id) == (typed, None)
    else:
        assert found.address.address_line2 == typed.address_line2


def test_a_house_in_america_has_the_code_of_its_state(asking: Any, server: Server) -> None:
    server.features = [feature(street="Elm Street", city="Springfield", state="Illinois", countrycode="US")]
    typed = Address("5 Elm St", None, "Springfield", "IL", "28195", "US")
    found: Checked = asking(check(typed))
    assert (found.address_status, found.address) == ("verified", typed)
    [suggested] = asking(suggest(countries=("US",)))
    assert suggested.text == "5 Elm Street, Springfield, IL 28195, US"


def test_a_language_that_the_server_lacks_is_tried_once(asking: Any, server: Server) -> None:
    server.languages = {"de", "en"}

    async def work(provider: Photon) -> None:
        for _ in range(9):
            assert len(await suggest(language="es-MX")(provider)) == 1

    asking(work)
    assert [asked.get("lang") for _, asked in server.asked] == ["es"] + [None] * 9


BROKEN = [
    Response("", 500),
    Response("", 302, headers={"location": "http://127.0.0.1:1/"}),
    Response("<html>"),
    JSONResponse([]),
    JSONResponse({"features": None}),
]


@pytest.mark.parametrize("answer", BROKEN)
def test_a_broken_server_is_unavailable(asking: Any, server: Server, answer: Response) -> None:
    server.broken = answer
    for work in (suggest(), detail(), check(ADDRESS)):
        with pytest.raises(Unavailable):
            asking(work)


def test_a_server_that_keeps_failing_is_left_alone(asking: Any, server: Server) -> None:
    server.broken = Response("", 503)

    async def knock(provider: Photon) -> None:
        for _ in range(12):
            with pytest.raises(Unavailable):
                await provider.autocomplete(Query("am mar", ("DE",)), None, seconds=1)

    asking(knock)
    assert len(server.asked) == 5
