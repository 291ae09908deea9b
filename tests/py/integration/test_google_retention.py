"""What Google told is nowhere once its time is over, in no column of any table, whatever became of it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.py.integration.address_office import TYPED, Office
from tests.py.integration.meeting import asked
from tests.py.integration.searches import NOON, value

Db = psycopg.Connection[Any]
TOLD = {**TYPED, "address_line1": "1 Tellmere Street", "postal_code": "50010-7931"}
LATITUDE, LONGITUDE = 42.731845, -93.184627
MARKS = ("Tellmere", "tellmere", "50010-7931", str(LATITUDE), str(LONGITUDE))
NOWHERE: dict[str, set[str]] = {mark: set() for mark in MARKS}


def where(db: Db, mark: str) -> set[str]:
    """The tables of all schemas that have the text anywhere."""
    tables = db.execute(
        """
        select n.nspname, c.relname
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'm') and n.nspname !~ '^pg_(catalog|toast)|^information_schema'
            and has_table_privilege(c.oid, 'select')
        """
    ).fetchall()
    found = set()
    for schema, table in tables:
        holds = sql.SQL("select exists (select from {} as t where strpos(t::text, {}) > 0)").format(
            sql.Identifier(schema, table), sql.Literal(mark)
        )
        row = db.execute(holds).fetchone()
        if row and row[0]:
            found.add(f"{schema}.{table}")
    return found


def proposed(office: Office, name: str) -> str:
    house = office.add(name)
    office.queue()
    (claim,) = office.claim()
    office.begin(claim)
    answer: dict[str, Any] = {"address_status": "corrected", "address": TOLD, "place_id": f"place of {name}"}
    at: dict[str, Any] = {"latitude": LATITUDE, "longitude": LONGITUDE}
    assert office.complete(claim, **answer, **at) == "proposed"
    return house


@pytest.mark.parametrize("decision", ["none", "dismiss", "change", "delete"])
def test_what_google_told_is_nowhere_after_29_days(db: Db, decision: str) -> None:
    office = Office(db)
    manager = uuid.UUID(office.manager.user_id)
    house = proposed(office, "House")
    assert where(db, "Tellmere") == {"public.address_corrections"}
    assert where(db, str(LATITUDE)) == {"public.place_coordinates"}
    if decision == "dismiss":
        correction = value(db, "select id from public.address_corrections")
        asked(db, manager, "select public.dismiss_address_correction(%s)", correction)
    elif decision == "change":
        office.change(house, city="Boone")
    elif decision == "delete":
        db.execute("delete from public.properties where id = %s", (house,))
    value(db, "select worker.purge_places(%s)", NOON + timedelta(days=29))
    assert {mark: where(db, mark) for mark in MARKS} == NOWHERE


def test_an_answer_that_can_not_be_kept_is_nowhere_at_once(db: Db) -> None:
    office = Office(db)
    office.add()
    office.queue()
    (claim,) = office.claim()
    office.begin(claim)
    answer: dict[str, Any] = {
        "address_status": "corrected",
        "address": {**TOLD, "city": None},
        "place_id": "p",
    }
    assert office.complete(claim, **answer, latitude=LATITUDE, longitude=LONGITUDE) == "failed"
    assert {mark: where(db, mark) for mark in MARKS} == NOWHERE


def test_what_a_person_accepted_is_theirs_and_its_position_goes(db: Db) -> None:
    office = Office(db)
    house = proposed(office, "House")
    correction = value(db, "select id from public.address_corrections")
    asked(db, uuid.UUID(office.manager.user_id), "select public.accept_address_correction(%s)", correction)
    value(db, "select worker.purge_places(%s)", NOON + timedelta(days=29))
    assert office.read(house, "address_line1", "latitude") == ["1 Tellmere Street", None]
    assert "public.address_corrections" not in where(db, "Tellmere")
    assert where(db, str(LATITUDE)) == set()


@pytest.mark.parametrize(
    ("age", "kept"), [(timedelta(days=29), 0), (timedelta(days=29) - timedelta(microseconds=1), 1)]
)
def test_a_position_is_kept_for_29_days_to_the_microsecond(db: Db, age: timedelta, kept: int) -> None:
    office = Office(db)
    told = "select worker.record_place(%s, 'p', 1, 2, 'google', '2027-03-01 12:00:00+00')"
    db.execute(told, (office.workspace_id,))
    db.execute("select worker.purge_places(%s)", (NOON + age,))
    assert value(db, "select count(*) from public.place_coordinates") == kept


def test_a_form_that_hands_google_s_position_on_saves_none(db: Db) -> None:
    office = Office(db)
    told = "select worker.record_place(%s, %s, %s, %s, %s)"
    for place, provider in (("p", "google"), ("photon:1", "photon")):
        db.execute(told, (office.workspace_id, place, LATITUDE, LONGITUDE, provider))
    at = {"latitude": LATITUDE, "longitude": LONGITUDE}
    read = ("latitude", "longitude", "coordinates(properties) ->> 'source'")
    chosen = office.add("Chosen", place_id="p", address_status="verified", **at)
    assert office.read(chosen, *read) == [None, None, "google"]
    office.change(chosen, latitude=LATITUDE + 0.0001, longitude=LONGITUDE)
    assert office.read(chosen, *read) == [LATITUDE + 0.0001, LONGITUDE, "person"], "moved by a person"
    office.change(chosen, **at)
    assert office.read(chosen, *read) == [None, None, "google"]
    elsewhere = office.add("Elsewhere", place_id="q", **at)
    assert office.read(elsewhere, *read) == [LATITUDE, LONGITUDE, "person"], "Google told it of another place"
    free = office.add("Free", place_id="photon:1", **at)
    assert office.read(free, *read) == [LATITUDE, LONGITUDE, "person"]
    stranger = Office(db).add("Theirs", place_id="p", **at)
    assert office.read(stranger, *read) == [LATITUDE, LONGITUDE, "person"], (
        "what others were told shows nowhere"
    )
