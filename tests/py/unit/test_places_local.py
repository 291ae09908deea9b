"""The local list, as the provider reads it from the database's answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from workers.api_error import ApiError
from workers.places.local import Local
from workers.places.provider import Address, Match, Query, Unavailable, UnknownPlace
from workers.places.timezones import timezone_at

ROW = {
    "place_id": "local:77",
    "address_line1": "123 Main St",
    "address_line2": None,
    "city": "Springfield",
    "state": "IL",
    "postal_code": "62701",
    "country": "US",
    "latitude": 39.78,
    "longitude": -89.65,
}
ADDRESS = Address("123 Main St", None, "Springfield", "IL", "62701", "US")


class Database:
    def __init__(self, *rows: Mapping[str, Any]) -> None:
        self.rows = list(rows)
        self.asked: list[Mapping[str, Any]] = []

    async def __call__(self, function: str, arguments: Mapping[str, Any]) -> Any:
        self.asked.append(arguments)
        if function == "search_addresses":
            return self.rows
        assert function == "find_address"
        return next((row for row in self.rows if row["place_id"] == arguments["p_place_id"]), None)


def test_suggestions_and_details_are_rows_of_the_list() -> None:
    database = Database(ROW)
    local = Local(database)
    query = Query("123 ma", ("US",))
    [found] = asyncio.run(local.autocomplete(query, None, seconds=1))
    assert (found.place_id, found.text) == ("local:77", "123 Main St, Springfield, IL 62701, US")
    assert found.matches == [Match(0, 3), Match(4, 6)]
    assert (found.main_text, found.secondary_text) == ("123 Main St", "Springfield, IL 62701, US")
    assert database.asked == [{"p_q": "123 ma", "p_countries": ["US"], "p_limit": 5}]
    place = asyncio.run(local.details("local:77", None, language=None, seconds=1))
    assert (place.address, place.position, place.address_status) == (ADDRESS, (39.78, -89.65), "verified")


@pytest.mark.parametrize("place_id", ["local:78", "ChIJmain", "photon:W1@1.0,1.0"])
def test_what_the_list_does_not_have_is_unknown(place_id: str) -> None:
    with pytest.raises(UnknownPlace):
        asyncio.run(Local(Database(ROW)).details(place_id, None, language=None, seconds=1))


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        (ADDRESS, "verified"),
        (Address("123 main st", "Apt 4", "springfield", "IL", "62701", "US"), "verified"),
        (Address("123 Main Street", None, "Springfield", "Illinois", "62701-1000", "US"), "verified"),
        (Address("123 Main St.", None, "Springfeld", None, "62701", "US"), "corrected"),
        (Address("123 Main St", None, "Springfeld", "IL", "62701", "US"), "corrected"),
        (Address("125 Main St", None, "Springfield", "IL", "62701", "US"), "unverified"),
    ],
)
def test_a_typed_address_is_compared_with_the_one_most_like_it(typed: Address, status: str) -> None:
    found = asyncio.run(Local(Database(ROW)).validate(typed, None, seconds=1))
    assert found.address_status == status
    assert found.address.address_line2 == typed.address_line2
    if status == "corrected":
        assert found.address.city == "Springfield"
        assert found.address.address_line1 == typed.address_line1, "as it was typed: it was right"
    else:
        assert found.address == typed


def test_what_the_list_leaves_out_is_not_taken_away() -> None:
    database = Database({**ROW, "state": None, "postal_code": None})
    found = asyncio.run(Local(database).validate(ADDRESS, None, seconds=1))
    assert (found.address_status, found.address) == ("verified", ADDRESS)


def test_of_two_the_one_that_is_all_right_counts() -> None:
    database = Database({**ROW, "place_id": "local:1", "city": "Shelbyville"}, ROW)
    found = asyncio.run(Local(database).validate(ADDRESS, None, seconds=1))
    assert (found.address_status, found.place_id) == ("verified", "local:77")


def test_an_empty_list_verifies_nothing() -> None:
    found = asyncio.run(Local(Database()).validate(ADDRESS, None, seconds=1))
    assert (found.address_status, found.address) == ("unverified", ADDRESS)


def test_a_database_that_is_away_is_unavailable() -> None:
    async def away(function: str, arguments: Mapping[str, Any]) -> Any:
        raise ApiError("api_unreachable", "away")

    with pytest.raises(Unavailable):
        asyncio.run(Local(away).autocomplete(Query("123", ("US",)), None, seconds=1))


@pytest.mark.parametrize(
    ("latitude", "longitude", "name"),
    [
        (39.78, -89.65, "America/Chicago"),
        (33.45, -112.07, "America/Phoenix"),
        (48.8566, 2.3522, "Europe/Paris"),
        (-33.8688, 151.2093, "Australia/Sydney"),
        (0.0, 0.0, None),
    ],
)
def test_the_time_zone_of_a_place_needs_nobody(latitude: float, longitude: float, name: str | None) -> None:
    assert timezone_at(latitude, longitude) == name


def test_a_database_that_hangs_is_given_up_in_time() -> None:
    async def hang(function: str, arguments: Mapping[str, Any]) -> Any:
        await asyncio.Event().wait()

    with pytest.raises(Unavailable, match=r"within 0\.1 s"):
        asyncio.run(Local(hang).autocomplete(Query("123 ma", ("US",)), None, seconds=0.1))
