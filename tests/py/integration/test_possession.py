"""From when until when a lease holds a unit: before it begins, when its dates move, once it has ended."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from tests.py.integration.meeting import acting, asked
from tests.py.integration.portfolio import Portfolio

Db = psycopg.Connection[Any]
ACTIVATE = "select (public.activate_lease(%s)).status"


@pytest.fixture
def portfolio(db: Db) -> Portfolio:
    db.autocommit = True
    return Portfolio(db)


def test_units_follow_a_draft_whose_dates_move(portfolio: Portfolio) -> None:
    building = portfolio.building(2)
    lease_id = portfolio.draft_lease("L-1", building)
    planned = (building[1][1],)
    portfolio.db.execute(
        "update public.lease_units set possession = '[2026-02-01,2026-03-01)' where unit_id = %s", planned
    )
    with portfolio.db.transaction():
        move = """update public.leases set starts_on = '2026-01-10', ends_on = '2026-12-31'
            where id = %s returning id"""
        acting(portfolio.owner_id, move, lease_id)(portfolio.db)
    held = portfolio.db.execute("select unit_id, possession::text from public.lease_units").fetchall()
    assert dict(held) == {
        building[1][0]: "[2026-01-10,2027-01-01)",
        building[1][1]: "[2026-02-01,2026-03-01)",
    }


def test_a_unit_that_was_never_moved_into_is_free_of_an_ended_lease(portfolio: Portfolio) -> None:
    building = portfolio.building(2)
    first, second = portfolio.draft_lease("L-1", building), portfolio.draft_lease("L-2", building)
    today = date.today()
    moves_in, ended_on = today - timedelta(days=5), today - timedelta(days=10)
    portfolio.db.execute(
        "update public.lease_units set possession = daterange(%s, null) where lease_id = %s and unit_id = %s",
        (moves_in, first, building[1][1]),
    )
    portfolio.db.execute(
        "delete from public.lease_units where lease_id = %s and unit_id = %s", (second, building[1][0])
    )
    portfolio.db.execute(
        "update public.lease_units set possession = daterange('2026-01-01', %s) where lease_id = %s",
        (moves_in, second),
    )
    for lease_id in (first, second):
        asked(portfolio.db, portfolio.owner_id, ACTIVATE, lease_id)
    end = "select (public.end_lease(%s, %s)).status"
    assert asked(portfolio.db, portfolio.owner_id, end, first, ended_on) == "ended"
    held = portfolio.db.execute(
        "select unit_id from public.lease_units where lease_id = %s and superseded_at is null", (first,)
    ).fetchall()
    assert held == [(building[1][0],)]
