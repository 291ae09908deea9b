"""Where properties are: coordinates of people and services, and how long each is kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, get_args

import psycopg
import pytest

from scripts.stack.layout import Stack
from tests.py.integration.landlord import Landlord
from tests.py.integration.searches import NOON, Searcher, searcher, value
from workers.settings import PlacesProvider

Db = psycopg.Connection[Any]
PROVIDERS = get_args(PlacesProvider)


def record(db: Db, who: Searcher, place_id: str, latitude: float, provider: str, at: datetime) -> None:
    db.execute(
        "select worker.record_place(%s, %s, %s, 2.5, %s, %s)",
        (who.workspace_id, place_id, latitude, provider, at),
    )


def test_a_place_id_of_any_length_is_kept_and_its_position_read_with_the_property(
    landlord: Landlord, stack: Stack, stack_db: Db
) -> None:
    place_id = "Ei" + "x" * 500
    house = landlord.add("properties", name="Far", address_line1="1 Elm", city="Ames", place_id=place_id)
    stack_db.execute(
        "select worker.record_place(%s, %s, 41.5, -93.25, 'google')", (landlord.workspace_id, place_id)
    )
    asked = {"id": f"eq.{house}", "select": "place_id,latitude,coordinates"}
    (row,) = landlord.api.get("/rest/v1/properties", params=asked).raise_for_status().json()
    assert (row["place_id"], row["latitude"]) == (place_id, None)
    position = row["coordinates"]
    assert (position["latitude"], position["longitude"], position["source"]) == (41.5, -93.25, "google")
    assert datetime.fromisoformat(position["fetched_at"]).tzinfo


def test_a_place_that_nobody_told_of_has_no_position(landlord: Landlord) -> None:
    house = landlord.add("properties", name="Far", address_line1="1 Elm", city="Ames", place_id="unheard-of")
    for_all = {"id": f"eq.{house}", "select": "coordinates"}
    assert landlord.api.get("/rest/v1/properties", params=for_all).json() == [{"coordinates": None}]


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_whoever_may_be_asked_may_have_told(db: Db, provider: str) -> None:
    who = searcher(db)
    record(db, who, "p", 1.5, provider, NOON)
    assert value(db, "select provider from public.place_coordinates") == provider


@pytest.mark.parametrize("days", [29, 30, 45])
def test_no_position_of_googles_gets_thirty_days_old_and_others_stay(db: Db, days: int) -> None:
    who = searcher(db)
    record(db, who, "google-old", 1.5, "google", NOON - timedelta(days=days))
    record(db, who, "google-young", 1.5, "google", NOON - timedelta(days=28, hours=23))
    record(db, who, "photon:old", 1.5, "photon", NOON - timedelta(days=400))
    assert value(db, "select worker.purge_places(%s)", NOON)["place_coordinates"] == 1
    left = db.execute("select place_id from public.place_coordinates order by 1").fetchall()
    assert left == [("google-young",), ("photon:old",)]


def test_a_position_too_old_to_be_kept_is_not_told_though_nothing_has_deleted_it_yet(db: Db) -> None:
    who = searcher(db)
    db.execute(
        """insert into public.properties (workspace_id, name, address_line1, city, place_id)
        values (%s, 'H', '1 Elm', 'Ames', 'p')""",
        (who.workspace_id,),
    )
    read = "select p.coordinates ->> 'source' from public.properties as p where p.workspace_id = %s"
    now = value(db, "select now()")
    record(db, who, "p", 1.5, "google", now - timedelta(days=29))
    assert value(db, read, who.workspace_id) is None
    record(db, who, "p", 1.5, "google", now - timedelta(days=28))
    assert value(db, read, who.workspace_id) == "google"


def test_an_older_answer_that_comes_late_changes_nothing(db: Db) -> None:
    who = searcher(db)
    record(db, who, "p", 1.5, "google", NOON)
    record(db, who, "p", 9.5, "google", NOON - timedelta(seconds=1))
    assert value(db, "select latitude from public.place_coordinates") == 1.5
    record(db, who, "p", 9.5, "google", NOON + timedelta(seconds=1))
    assert value(db, "select latitude from public.place_coordinates") == 9.5


def test_what_comes_for_a_workspace_that_is_gone_is_dropped(db: Db) -> None:
    record(db, Searcher("", "00000000-0000-4000-8000-000000000000"), "p", 1.5, "google", NOON)
    assert value(db, "select count(*) from public.place_coordinates") == 0


def test_nothing_that_google_told_reaches_the_change_log(db: Db) -> None:
    who = searcher(db)
    record(db, who, "p", 41.578125, "google", NOON)
    db.execute("delete from public.place_coordinates")
    told = "select count(*) from public.audit_entries as e where e::text like '%41.578125%'"
    assert db.execute(told).fetchone() == (0,)
