"""The local list of addresses: what is suggested for what was typed, and how a list is replaced."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.py.integration.searches import value
from workers.places.local import Local
from workers.places.provider import Address
from workers.places.written import ABBREVIATIONS

Db = psycopg.Connection[Any]
THEN = datetime(2027, 1, 1, tzinfo=UTC)
ELM = ("12 Elm Street", "Springfield", "IL", "62701", "US")
LIST = [
    ELM,
    ("14 Elm Street", "Springfield", "IL", "62701", "US"),
    ("120 Elm Street", "Springfield", "IL", "62701", "US"),
    ("12 Elmwood Avenue", "Springfield", "MA", "01108", "US"),
    ("7 North Main Street", "Boston", "MA", "02108", "US"),
    ("7 Maine Road", "Bostonia", "CA", "92021", "US"),
    ("9 Washington Boulevard", "Elmhurst", "IL", "60126", "US"),
    ("31 Sainte-Catherine Street", "Montréal", "QC", "H2X 1Z5", "CA"),
    ("5 Straße des 17. Juni", "Berlin", None, "10557", "DE"),
]


def add(db: Db, addresses: list[tuple[Any, ...]], name: str = "test", at: datetime = THEN) -> Any:
    columns = ("address_line1", "city", "state", "postal_code", "country")
    rows = [
        dict(zip(columns, each, strict=True), latitude=1.5, longitude=2.5) for each in addresses
    ]  # fmt: skip
    return value(db, "select worker.add_addresses(%s, %s, %s)", name, at, json.dumps(rows))


def finish(db: Db, name: str = "test", at: datetime = THEN, limit: int = 10_000) -> Any:
    return value(db, "select worker.finish_address_list(%s, %s, %s)", name, at, limit)


@pytest.fixture
def listed(db: Db) -> Db:
    add(db, LIST)
    finish(db)
    return db


def search(db: Db, q: str, countries: list[str] | None = None, limit: int = 5) -> list[str]:
    found = value(db, "select worker.search_addresses(%s, %s, %s)", q, countries, limit)
    return [row["address_line1"] for row in found]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("12 E", "12 Elm Street"),
        ("12 elm st", "12 Elm Street"),
        ("12 Elm St, Spr", "12 Elm Street"),
        ("12 ELM STREET springfield il 62701", "12 Elm Street"),
        ("12 Elm St, Springfield, IL 62701, US", "12 Elm Street"),
        ("12 elmw", "12 Elmwood Avenue"),
        ("7 n main", "7 North Main Street"),
        ("n main st boston", "7 North Main Street"),
        ("main 7", "7 North Main Street"),
        ("boston main", "7 North Main Street"),
        ("wash", "9 Washington Boulevard"),
        ("washington blvd", "9 Washington Boulevard"),
        ("elmhurst", "9 Washington Boulevard"),
        ("60126", "9 Washington Boulevard"),
        ("montreal", "31 Sainte-Catherine Street"),
        ("sainte catherine", "31 Sainte-Catherine Street"),
        ("strasse des 17", "5 Straße des 17. Juni"),
    ],
)
def test_what_was_typed_finds_the_address(listed: Db, typed: str, first: str) -> None:
    assert search(listed, typed)[:1] == [first]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("9 washingotn", "9 Washington Boulevard"),
        ("9 wahsington blvd", "9 Washington Boulevard"),
        ("washinton", "9 Washington Boulevard"),
        ("ashington", "9 Washington Boulevard"),
        ("12 elm street sprigfield", "12 Elm Street"),
        ("7 mian st bostn", "7 North Main Street"),
        ("12 elm street apt springfield", "12 Elm Street"),
        ("12 Elm Street, #4, Springfeild, IL 62701, US", "12 Elm Street"),
    ],
)
def test_slips_are_forgiven(listed: Db, typed: str, first: str) -> None:
    assert search(listed, typed)[:1] == [first]


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "%",
        "\\",
        "'",
        "zzz",
        "12 qqqqqq",
        "() & !",
        ":*",
        "a" * 5000,
        "x " * 2000,
        "\U0001f600",
        "12345 12",
    ],
)
def test_what_nobody_has_finds_nothing_and_breaks_nothing(listed: Db, typed: str) -> None:
    assert search(listed, typed) == []


def test_without_a_number_each_street_comes_before_more_of_one(listed: Db) -> None:
    assert search(listed, "elm", limit=4) == [
        "12 Elm Street",
        "12 Elmwood Avenue",
        "120 Elm Street",
        "14 Elm Street",
    ]


def test_an_address_comes_once_and_no_more_come_than_were_asked_for(listed: Db) -> None:
    found = search(listed, "elm", limit=20)
    assert len(found) == len(set(found)) == 5
    assert len(search(listed, "elm", limit=2)) == 2


def test_only_the_countries_asked_for_are_searched(listed: Db) -> None:
    assert search(listed, "31", ["CA"]) == ["31 Sainte-Catherine Street"]
    assert search(listed, "31", ["US"]) == []
    assert search(listed, "montreal", ["US"]) == []
    assert search(listed, "montrael", ["CA", "DE"]) == ["31 Sainte-Catherine Street"]


def test_a_suggestion_is_found_again_by_its_place_id(listed: Db) -> None:
    (found,) = value(listed, "select worker.search_addresses('12 elm street', null, 1)")
    assert found == {
        "place_id": found["place_id"], "address_line1": "12 Elm Street", "address_line2": None,
        "city": "Springfield", "state": "IL", "postal_code": "62701", "country": "US",
        "latitude": 1.5, "longitude": 2.5,
    }  # fmt: skip
    assert value(listed, "select worker.find_address(%s)", found["place_id"]) == found


@pytest.mark.parametrize(
    "place_id", ["local:nothing", "local:00000000-0000-4000-8000-000000000000", "ChIJ", ""]
)
def test_what_is_no_place_of_the_list_is_not_found(listed: Db, place_id: str) -> None:
    assert value(listed, "select worker.find_address(%s)", place_id) is None


def test_a_list_that_is_imported_again_keeps_ids_and_loses_what_it_no_longer_has(listed: Db) -> None:
    before = listed.execute(
        "select id from private.addresses where address_line1 = '12 Elm Street'"
    ).fetchone()
    later = THEN + timedelta(days=1)
    added = add(listed, [ELM, ("1 Oak Street", "Ames", "IA", "50010", "US")], at=later)
    assert added == {"added": 1, "kept": 1}
    assert finish(listed, at=later, limit=5) == {"deleted": 5, "finished": False}
    assert finish(listed, at=later, limit=5) == {"deleted": 3, "finished": True}
    assert (
        listed.execute("select id from private.addresses where address_line1 = '12 Elm Street'").fetchone()
        == before
    )
    assert search(listed, "washington") == []
    assert value(listed, "select count(*) from private.address_words where word = 'washington'") == 0
    assert search(listed, "1 oak") == ["1 Oak Street"]


def test_another_list_is_left_alone_and_so_are_addresses_that_both_have(listed: Db) -> None:
    later = THEN + timedelta(days=1)
    add(listed, [ELM, ("1 Oak Street", "Ames", "IA", "50010", "US")], "other", later)
    assert finish(listed, "other", later) == {"deleted": 0, "finished": True}
    assert value(listed, "select count(*) from private.addresses") == len(LIST) + 1


def test_an_import_that_is_overtaken_by_a_later_one_undoes_nothing(listed: Db) -> None:
    assert add(listed, [ELM], at=THEN - timedelta(days=1)) == {"added": 0, "kept": 0}
    assert finish(listed, at=THEN - timedelta(days=1)) == {"deleted": 0, "finished": True}
    assert value(listed, "select count(*) from private.addresses where loaded_at = %s", THEN) == len(LIST)


def test_a_line_that_comes_twice_in_one_batch_is_one_address(db: Db) -> None:
    assert add(db, [ELM, ELM, ("12 ELM ST.", *ELM[1:])]) == {"added": 1, "kept": 0}


def test_services_answers_are_compared_by_the_same_abbreviations(db: Db) -> None:
    known = db.execute("select short, long from private.address_abbreviations").fetchall()
    assert dict(known) == ABBREVIATIONS


@pytest.mark.parametrize(
    ("typed", "status", "better"),
    [
        (Address("12 Elm St", None, "Springfield", "IL", "62701", "US"), "verified", {}),
        (Address("12 elm str.", "Apt 4", "Springfield", "IL", "62701", "US"), "unverified", {}),
        (
            Address("12 Elm St", "Apt 4", "Springfield", "Illinois", None, "US"),
            "corrected",
            {"postal_code": "62701"},
        ),
        (
            Address("12 Elm St", "Apt 4", "Sprngfield", "IL", "62701", "US"),
            "corrected",
            {"city": "Springfield"},
        ),
        (Address("120 Elm St", None, "Springfield", "IL", "62701", "US"), "verified", {}),
        (Address("16 Elm St", None, "Springfield", "IL", "62701", "US"), "unverified", {}),
        (Address("7 N Main St", None, "Boston", "MA", "02108-1000", "US"), "verified", {}),
    ],
)
def test_a_typed_address_is_compared_as_addresses_are_written(
    listed: Db, typed: Address, status: str, better: dict[str, str]
) -> None:
    async def rpc(function: str, arguments: Mapping[str, Any]) -> Any:
        names = ", ".join(f"{name} => %s" for name in arguments)
        return value(listed, f"select worker.{function}({names})", *arguments.values())

    found = asyncio.run(Local(rpc).validate(typed, None, seconds=1))
    assert (found.address_status, found.address) == (status, replace(typed, **better))


def test_two_ways_to_write_an_address_are_one_answer(db: Db) -> None:
    add(db, [("1 Elm St", "Ames", "IA", "50010", "US"), ("1 Elm Street", "Ames", "IA", "50010", "US")])
    finish(db)
    add(db, [("1 ELM ST.", "AMES", "IA", "50010", "US")], name="other")
    finish(db, name="other")
    assert len(search(db, "1 Elm")) == 1
