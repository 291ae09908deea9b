"""From when until when a lease holds a unit: before it begins, when its dates move, once it has ended."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.py.integration.meeting import acting
from tests.py.integration.portfolio import Portfolio

Db = psycopg.Connection[Any]


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
