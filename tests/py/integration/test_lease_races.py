"""What belongs to a draft, taken away while the draft is made binding: no lease begins without it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.py.integration.meeting import acting, asked, met, refused, value
from tests.py.integration.portfolio import Portfolio

Db = psycopg.Connection[Any]
ACTIVATE = "select (public.activate_lease(%s)).status"
PARTS = pytest.mark.parametrize("part", ["lease_units", "lease_terms", "lease_tenants"])


@pytest.fixture
def portfolio(db: Db) -> Portfolio:
    db.autocommit = True
    return Portfolio(db)


def taking(portfolio: Portfolio, part: str, lease_id: uuid.UUID) -> Callable[[Db], Any]:
    """Delete the rows of the lease in the table, as its owner would."""
    return acting(
        portfolio.owner_id, f"delete from public.{part} where lease_id = %s returning lease_id", lease_id
    )


@PARTS
def test_what_is_being_taken_from_a_draft_is_missed_by_its_activation(
    portfolio: Portfolio, database: str, part: str
) -> None:
    lease_id = portfolio.draft_lease("L-1", portfolio.building(1))
    outcome = met(
        portfolio,
        database,
        taking(portfolio, part, lease_id),
        acting(portfolio.owner_id, ACTIVATE, lease_id),
    )
    assert "lease_incomplete" in refused(outcome)


@PARTS
def test_nothing_is_taken_from_a_draft_that_is_being_activated(
    portfolio: Portfolio, database: str, part: str
) -> None:
    lease_id = portfolio.draft_lease("L-1", portfolio.building(1))
    with psycopg.connect(database) as first, psycopg.connect(database) as second:
        second.execute("set lock_timeout = '5s'")
        acting(portfolio.owner_id, "select from public.leases where id = %s for update", lease_id)(first)
        with pytest.raises(psycopg.Error) as busy:
            taking(portfolio, part, lease_id)(second)
        assert "lease_busy" in str(busy.value)
        acting(portfolio.owner_id, ACTIVATE, lease_id)(first)
    with psycopg.connect(database) as third, pytest.raises(psycopg.Error) as begun:
        taking(portfolio, part, lease_id)(third)
    assert any(code in str(begun.value) for code in ("lease_has_begun", "lease_not_draft"))


def test_a_draft_is_deleted_with_all_that_belongs_to_it(portfolio: Portfolio) -> None:
    lease_id = portfolio.draft_lease("L-1", portfolio.building(2))
    delete = "delete from public.leases where id = %s returning id"
    assert asked(portfolio.db, portfolio.owner_id, delete, lease_id) == lease_id
    assert value(portfolio.db, "select count(*) from public.lease_units") == 0


def test_a_role_that_changes_beside_an_import_of_the_lease_never_deadlocks(
    portfolio: Portfolio, database: str
) -> None:
    lease_id = portfolio.draft_lease("L-1", portfolio.building(1))
    with psycopg.connect(database) as importing, psycopg.connect(database) as member:
        importing.execute("select from public.leases where id = %s for no key update", (lease_id,))
        change = "update public.lease_tenants set role = 'guarantor' where lease_id = %s returning lease_id"
        with pytest.raises(psycopg.Error) as busy:
            member.execute("set lock_timeout = '5s'")
            acting(portfolio.owner_id, change, lease_id)(member)
    assert "lease_busy" in str(busy.value)
