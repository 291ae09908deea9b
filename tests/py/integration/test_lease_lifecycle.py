"""The life of a lease: which status follows which, and what the calendar does by itself."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import psycopg
import pytest

from tests.py.integration.lessor import STEPS
from tests.py.integration.meeting import asked, value
from tests.py.integration.portfolio import Portfolio, noon

Db = psycopg.Connection[Any]
STATUSES = ("draft", "pending", "active", "notice_given", "ended", "terminated")
FIRST_DAY = date(2026, 1, 1)


@pytest.fixture
def portfolio(db: Db) -> Portfolio:
    db.autocommit = True
    return Portfolio(db)


def activate(portfolio: Portfolio, lease_id: uuid.UUID, now: datetime) -> str:
    """Activate the lease as its owner, at that time; the status it then has."""
    call = "select (private.activate_lease(%s, %s)).status"
    return str(asked(portfolio.db, portfolio.owner_id, call, lease_id, now))


def turn_over(db: Db, now: datetime, limit: int = 1000) -> dict[str, Any]:
    answer = value(db, "select worker.lease_turnover(%s, %s)", now, limit)
    assert isinstance(answer, dict)
    return answer


def status(db: Db, lease_id: uuid.UUID) -> str:
    return str(value(db, "select status from public.leases where id = %s", lease_id))


def history(db: Db, lease_id: uuid.UUID) -> list[tuple[str, date]]:
    query = """select to_status, effective_on from public.lease_status_changes where lease_id = %s
        order by recorded_at"""
    return list(db.execute(query, (lease_id,)))


@pytest.mark.parametrize("step", sorted(permutations(STATUSES, 2)), ids="-".join)
def test_a_status_takes_the_steps_that_there_are_whoever_moves_it(
    portfolio: Portfolio, step: tuple[str, str]
) -> None:
    was, becomes = step
    lease_id = portfolio.draft_lease("L-1", portfolio.building(1))
    move = """update public.leases set status = %(to)s,
        activated_at = case when %(to)s <> 'draft' then now() end,
        ended_on = case when %(to)s = 'ended' then starts_on end,
        notice_given_on = case when %(to)s = 'notice_given' then starts_on end,
        notice_given_by = case when %(to)s = 'notice_given' then 'renter' end,
        planned_move_out_on = case when %(to)s = 'notice_given' then starts_on end where id = %(id)s"""
    with portfolio.db.transaction():
        portfolio.db.execute("set local session_replication_role = replica")
        portfolio.db.execute(move, {"to": was, "id": lease_id})
    if step in STEPS:
        portfolio.db.execute(move, {"to": becomes, "id": lease_id})
        assert [to for to, _ in history(portfolio.db, lease_id)][-1] == becomes
    else:
        with pytest.raises(psycopg.Error, match="lease_transition_refused"):
            portfolio.db.execute(move, {"to": becomes, "id": lease_id})
        assert status(portfolio.db, lease_id) == was


def test_a_lease_signed_ahead_begins_on_its_first_day_where_the_property_stands(portfolio: Portfolio) -> None:
    lease_id = portfolio.draft_lease("L-1", portfolio.building(1))
    assert activate(portfolio, lease_id, noon(date(2025, 12, 1))) == "pending"
    # Midnight in New York is five hours after midnight in Greenwich.
    assert turn_over(portfolio.db, datetime(2026, 1, 1, 4, 59, tzinfo=UTC))["leases_begun"] == 0
    assert status(portfolio.db, lease_id) == "pending"
    assert turn_over(portfolio.db, datetime(2026, 1, 1, 5, 0, tzinfo=UTC))["leases_begun"] == 1
    assert status(portfolio.db, lease_id) == "active"
    assert history(portfolio.db, lease_id)[-1] == ("active", FIRST_DAY)
    assert turn_over(portfolio.db, datetime(2026, 1, 1, 6, 0, tzinfo=UTC))["leases_begun"] == 0


def test_a_lease_whose_first_day_has_come_is_active_at_once(portfolio: Portfolio) -> None:
    lease_id = portfolio.draft_lease("L-1", portfolio.building(1))
    assert activate(portfolio, lease_id, datetime(2026, 1, 1, 5, 0, tzinfo=UTC)) == "active"


def test_small_batches_begin_them_all(portfolio: Portfolio) -> None:
    leases = [portfolio.draft_lease(f"L-{n}", portfolio.building(1)) for n in range(5)]
    for lease_id in leases:
        activate(portfolio, lease_id, noon(date(2025, 12, 1)))
    rounds = 1
    while turn_over(portfolio.db, noon(FIRST_DAY), limit=2)["more"]:
        rounds += 1
        assert rounds < 10
    assert {status(portfolio.db, lease_id) for lease_id in leases} == {"active"}


def test_a_lease_that_is_being_changed_is_taken_up_by_the_next_run(
    portfolio: Portfolio, database: str
) -> None:
    lease_id = portfolio.draft_lease("L-1", portfolio.building(1))
    activate(portfolio, lease_id, noon(date(2025, 12, 1)))
    with psycopg.connect(database) as other:
        other.execute("select from public.leases where id = %s for update", (lease_id,))
        assert turn_over(portfolio.db, noon(FIRST_DAY))["leases_begun"] == 0
    assert turn_over(portfolio.db, noon(FIRST_DAY))["leases_begun"] == 1


def test_a_lease_signed_ahead_holds_its_unit(portfolio: Portfolio) -> None:
    building = portfolio.building(1)
    first, second = portfolio.draft_lease("L-1", building), portfolio.draft_lease("L-2", building)
    assert activate(portfolio, first, noon(date(2025, 12, 1))) == "pending"
    with pytest.raises(psycopg.Error, match="Lease L-1 holds unit 0"):
        activate(portfolio, second, noon(date(2025, 12, 1)))
