"""Notices of expiring leases: on the property's date, the tightest only, never twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.py.integration.portfolio import Portfolio, noon

Db = psycopg.Connection[Any]
END = date(2027, 6, 30)


@pytest.fixture
def portfolio(db: Db) -> Iterator[Portfolio]:
    db.autocommit = True
    yield Portfolio(db)


def check(db: Db, now: datetime, limit: int = 1000) -> dict[str, Any]:
    row = db.execute("select worker.lease_expiry_check(%s, %s)", (now, limit)).fetchone()
    assert row is not None
    return dict(row[0])


def told(portfolio: Portfolio) -> list[tuple[str, int]]:
    return [(m["threshold"], m["days_left"]) for m in portfolio.messages()]


def test_each_threshold_is_told_on_its_day(db: Db, portfolio: Portfolio) -> None:
    portfolio.active_lease("L-1", END, notice_days=45)
    for before in range(100, -2, -1):
        check(db, noon(END - timedelta(days=before)))
    assert told(portfolio) == [("days_90", 90), ("days_60", 60), ("notice_deadline", 45), ("days_30", 30)]


def test_a_notice_deadline_on_a_threshold_is_one_notice(db: Db, portfolio: Portfolio) -> None:
    portfolio.active_lease("L-1", END, notice_days=60)
    for before in (91, 90, 61, 60, 59):
        check(db, noon(END - timedelta(days=before)))
    assert told(portfolio) == [("days_90", 90), ("notice_deadline", 60)]


def test_after_an_outage_only_the_tightest_is_told(db: Db, portfolio: Portfolio) -> None:
    portfolio.active_lease("L-1", END, notice_days=45)
    answer = check(db, noon(END - timedelta(days=20)))
    assert answer == {"leases_due": 1, "messages_queued": 1, "thresholds_skipped": 3, "more": False}
    assert told(portfolio) == [("days_30", 20)]
    assert check(db, noon(END - timedelta(days=19)))["leases_due"] == 0


def test_small_batches_tell_no_lease_twice(db: Db, portfolio: Portfolio) -> None:
    for n in range(5):
        portfolio.active_lease(f"L-{n}", END + timedelta(days=n))
    now, rounds = noon(END - timedelta(days=25)), 0
    while check(db, now, limit=1)["more"]:
        rounds += 1
        assert rounds < 20
    assert sorted(told(portfolio)) == [("days_30", 25 + n) for n in range(5)]


def test_a_lease_with_two_thresholds_due_hides_no_other(db: Db, portfolio: Portfolio) -> None:
    portfolio.active_lease("L-1", END, notice_days=400)
    portfolio.active_lease("L-2", END + timedelta(days=10), notice_days=1)
    now = noon(END - timedelta(days=80))
    assert check(db, now, limit=2) == {
        "leases_due": 1,
        "messages_queued": 1,
        "thresholds_skipped": 1,
        "more": True,
    }
    assert check(db, now, limit=2)["leases_due"] == 1


def test_nothing_is_told_once_the_term_is_over(db: Db, portfolio: Portfolio) -> None:
    portfolio.active_lease("L-1", END)
    portfolio.active_lease("L-2", None)
    assert check(db, noon(END + timedelta(days=1)))["messages_queued"] == 0
    assert told(portfolio) == []


@pytest.mark.parametrize(
    ("timezone", "first_moment"),
    [
        ("Pacific/Kiritimati", "2027-03-31T10:00:00+00:00"),
        ("America/Los_Angeles", "2027-04-01T07:00:00+00:00"),
        ("Asia/Kolkata", "2027-03-31T18:30:00+00:00"),
        ("Pacific/Pago_Pago", "2027-04-01T11:00:00+00:00"),
    ],
)
def test_the_propertys_own_date_decides(
    db: Db, portfolio: Portfolio, timezone: str, first_moment: str
) -> None:
    portfolio.active_lease("L-1", END, timezone=timezone)  # 90 days ahead: 2027-04-01
    first = datetime.fromisoformat(first_moment)
    assert check(db, first - timedelta(seconds=1))["messages_queued"] == 0
    assert check(db, first)["messages_queued"] == 1
    assert told(portfolio) == [("days_90", 90)]


def test_the_propertys_manager_is_told_or_else_the_owners(db: Db, portfolio: Portfolio) -> None:
    manager, second_owner = uuid.uuid4(), uuid.uuid4()
    portfolio.user(manager, "manager@example.com")
    portfolio.user(second_owner, "second@example.com")
    portfolio.member(manager, "manager")
    portfolio.active_lease("L-1", END, manager_id=manager)
    check(db, noon(END - timedelta(days=30)))
    assert [m["to"] for m in portfolio.messages()] == ["manager@example.com"]

    portfolio.member(second_owner, "owner")
    db.execute("update public.workspace_members set status = 'suspended' where user_id = %s", (manager,))
    portfolio.active_lease("L-2", END, manager_id=manager)
    check(db, noon(END - timedelta(days=29)))
    addressed = [m["to"] for m in portfolio.messages() if m["lease_number"] == "L-2"]
    assert sorted(addressed) == ["owner@example.com", "second@example.com"]


def test_a_manager_without_an_address_leaves_it_to_the_owners(db: Db, portfolio: Portfolio) -> None:
    manager = uuid.uuid4()
    db.execute("insert into auth.users (id, phone) values (%s, '15550100')", (manager,))
    portfolio.member(manager, "manager")
    portfolio.active_lease("L-1", END, manager_id=manager)
    assert check(db, noon(END - timedelta(days=30)))["messages_queued"] == 1
    assert [m["to"] for m in portfolio.messages()] == ["owner@example.com"]


def test_an_ended_lease_is_told_of_no_more(db: Db, portfolio: Portfolio) -> None:
    lease_id = portfolio.active_lease("L-1", END)
    db.execute(
        "update public.leases set status = 'ended', ended_on = '2027-01-01' where id = %s", (lease_id,)
    )
    assert check(db, noon(END - timedelta(days=30)))["leases_due"] == 0


def test_an_end_that_moves_is_told_anew_and_one_that_moves_back_is_not(db: Db, portfolio: Portfolio) -> None:
    lease_id = portfolio.active_lease("L-1", END)
    check(db, noon(END - timedelta(days=88)))

    def move_end(day: date) -> None:
        with db.transaction():
            db.execute("alter table public.leases disable trigger guard_lease")
            db.execute("update public.leases set ends_on = %s where id = %s", (day, lease_id))
            db.execute("alter table public.leases enable trigger guard_lease")

    move_end(END + timedelta(days=2))
    check(db, noon(END - timedelta(days=88)))
    move_end(END)
    check(db, noon(END - timedelta(days=87)))
    assert told(portfolio) == [("days_90", 88), ("days_90", 90)]


def test_two_machines_at_once_tell_once(db: Db, database: str, portfolio: Portfolio) -> None:
    for n in range(40):
        portfolio.active_lease(f"L-{n}", END)
    now = noon(END - timedelta(days=25))

    def run(_: int) -> int:
        with psycopg.connect(database, autocommit=True) as connection:
            return int(check(connection, now, limit=7)["messages_queued"]) + int(
                check(connection, now, limit=1000)["messages_queued"]
            )

    with ThreadPoolExecutor(6) as pool:
        queued = sum(pool.map(run, range(6)))
    assert queued == 40 == len(portfolio.messages())
    assert db.execute("select count(*) from pgmq.q_email").fetchone() == (40,)
