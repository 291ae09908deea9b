"""Whose addresses are checked when: what is due costs what it is, and nobody's many keep others waiting."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest

from tests.py.integration.address_office import BETTER, TYPED, Office
from tests.py.integration.meeting import asked
from tests.py.integration.searches import no_limits, value

Db = psycopg.Connection[Any]


@pytest.fixture
def office(db: Db) -> Office:
    return Office(db)


def fill(office: Office, count: int, status: str = "unverified") -> None:
    office.db.execute(
        """
        insert into public.properties (workspace_id, name, address_line1, city, timezone, address_status)
        select %s, 'House ' || n, n || ' Elm', 'Ames', 'UTC', %s from generate_series(1, %s) as n
        """,
        (office.workspace_id, status, count),
    )


def of(office: Office, status: str) -> int:
    count = "select count(*) from private.address_checks where workspace_id = %s and status = %s"
    return int(value(office.db, count, office.workspace_id, status))


def test_a_workspace_with_many_addresses_does_not_keep_one_with_few_waiting(db: Db) -> None:
    many, few = Office(db), Office(db)
    fill(many, 2500)
    fill(few, 3)
    assert many.queue()["verify"] == 1003
    assert (of(many, "queued"), of(many, "due"), of(few, "queued")) == (1000, 1500, 3)
    whose = """
        select count(*) filter (where c.workspace_id = %s)
        from pgmq.q_compliance as q
        join private.address_checks as c on c.id = (q.message ->> 'check_id')::uuid
        where q.msg_id <= 6
    """
    assert value(db, whose, few.workspace_id) == 3, "they take turns"
    assert many.queue()["verify"] == 0, "its thousand wait still"
    claims = many.claim()
    no_limits(db)
    for claim in claims:
        many.begin(claim)
        many.complete(claim, address_status="verified", address=TYPED)
    assert many.queue()["verify"] == sum(c["check"]["workspace_id"] == many.workspace_id for c in claims)


def test_what_was_checked_before_costs_the_job_nothing(office: Office) -> None:
    fill(office, 3000)
    office.db.execute("update private.address_checks set status = 'done', finished_at = now()")
    office.add("New")
    office.db.commit()
    office.db.autocommit = True
    office.db.execute("vacuum analyze private.address_checks, public.properties")
    office.db.autocommit = False
    before = _read(office.db)
    assert office.queue()["verify"] == 1
    assert _read(office.db) - before < 100


def _read(db: Db) -> int:
    """Rows of checks and properties that this transaction has read so far."""
    read = """
        select sum(pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_xact_tuples_fetched(c.oid))
        from pg_class as c
        where c.oid in ('private.address_checks'::regclass, 'public.properties'::regclass)
            or c.oid in (
                select i.indexrelid from pg_index as i
                where i.indrelid in ('private.address_checks'::regclass, 'public.properties'::regclass)
            )
    """
    return int(value(db, read))


def test_an_operator_goes_through_very_many_addresses_a_thousand_at_a_time(office: Office) -> None:
    fill(office, 2500)
    told: list[dict[str, Any]] = []
    after = None
    while not told or after:
        told.append(value(office.db, "select worker.verify_addresses(%s, %s)", office.workspace_id, after))
        after = told[-1]["last"]
    assert [(page["unverified"], page["queued"]) for page in told] == [(1000, 1000), (1000, 1000), (500, 500)]
    assert (of(office, "queued"), of(office, "due")) == (2500, 0)


def test_how_far_it_is_is_told(office: Office) -> None:
    fill(office, 2)
    manager = uuid.UUID(office.manager.user_id)
    summary = "select public.address_summary(%s)"
    counts = {"verified": 0, "corrected": 0, "unverified": 2, "proposed": 0}
    assert asked(office.db, manager, summary, office.workspace_id) == {**counts, "waiting": 2}
    assert asked(office.db, manager, "select public.verify_addresses(%s)", office.workspace_id) == 2
    assert asked(office.db, manager, summary, office.workspace_id) == {**counts, "waiting": 2}
    one, two = office.claim()
    office.begin(one)
    office.begin(two)
    office.complete(one, address_status="verified", address=TYPED)
    office.complete(two, address_status="corrected", address=BETTER)
    expected = {"waiting": 0, "verified": 1, "corrected": 0, "unverified": 1, "proposed": 1}
    assert asked(office.db, manager, summary, office.workspace_id) == expected


def test_an_import_of_very_many_is_noted_by_its_own_statement(office: Office) -> None:
    fill(office, 50)
    assert of(office, "due") == 50
    office.db.execute("update public.properties set city = 'Boone'")
    assert of(office, "due") == 50
    fill(Office(office.db), 5, status="verified")
    assert value(office.db, "select count(*) from private.address_checks") == 50
