"""Plans: dates from the anchor, on the property's date, once, and what is made up for after an outage."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.py.integration.meeting import value
from tests.py.integration.portfolio import noon
from tests.py.integration.upkeep import Upkeep

Db = psycopg.Connection[Any]
ANCHOR = date(2031, 1, 31)


@pytest.fixture
def upkeep(db: Db) -> Iterator[Upkeep]:
    db.autocommit = True
    yield Upkeep(db)


def create(db: Db, now: datetime, limit: int = 500) -> dict[str, Any]:
    answer = value(db, "select worker.create_planned_maintenance(%s, %s)", now, limit)
    return dict(answer)


def nth(anchor: date, unit: str, count: int, n: int) -> date:
    """The nth date by a calendar of our own."""
    if unit in ("day", "week"):
        return anchor + timedelta(days=count * n * (7 if unit == "week" else 1))
    months = anchor.year * 12 + anchor.month - 1 + count * n * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(anchor.day, calendar.monthrange(year, month + 1)[1]))


DATES = """
    select d
    from private.plan_dates(
        jsonb_populate_record(null::public.maintenance_plans, jsonb_build_object(
            'interval_unit', %s::text, 'interval_count', %s::int, 'anchor_on', %s::date, 'ends_on', %s::date,
            'season_months', %s::int[]
        )), %s, %s
    ) as d
"""


def test_dates_are_counted_from_the_anchor(db: Db) -> None:
    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(
        anchor=st.dates(date(2030, 1, 1), date(2033, 12, 31)),
        unit=st.sampled_from(["day", "week", "month", "year"]),
        count=st.integers(1, 40),
        season=st.none() | st.sets(st.integers(1, 12), min_size=1).map(sorted),
        ends_after=st.none() | st.integers(-10, 2000),
        start=st.integers(-100, 3000),
        length=st.integers(0, 2000),
    )
    def check(
        anchor: date,
        unit: str,
        count: int,
        season: list[int] | None,
        ends_after: int | None,
        start: int,
        length: int,
    ) -> None:
        first, last = anchor + timedelta(days=start), anchor + timedelta(days=start + length)
        ends_on = None if ends_after is None else anchor + timedelta(days=ends_after)
        every = (nth(anchor, unit, count, n) for n in range(6000))
        expected = [
            day
            for day in takewhile(lambda day: day <= min(last, ends_on or last), every)
            if day >= first and (season is None or day.month in season)
        ]
        found = db.execute(DATES, (unit, count, anchor, ends_on, season, first, last))
        assert [day for (day,) in found] == expected

    check()


def test_the_31st_comes_back_after_a_short_month(db: Db, upkeep: Upkeep) -> None:
    upkeep.plan(ANCHOR)
    for day in range(0, 160):
        create(db, noon(ANCHOR + timedelta(days=day)))
    assert upkeep.due_dates() == [
        date(2031, 1, 31),
        date(2031, 2, 28),
        date(2031, 3, 31),
        date(2031, 4, 30),
        date(2031, 5, 31),
        date(2031, 6, 30),
    ]


def test_a_leap_day_comes_back_in_four_years(db: Db, upkeep: Upkeep) -> None:
    upkeep.plan(date(2032, 2, 29), unit="year")
    for year in range(2032, 2037):
        create(db, noon(date(year, 3, 1)))
    assert upkeep.due_dates() == [
        date(2032, 2, 29),
        *(date(year, 2, 28) for year in (2033, 2034, 2035)),
        date(2036, 2, 29),
    ]


def test_a_request_comes_the_lead_ahead_on_the_property_s_date(db: Db, upkeep: Upkeep) -> None:
    upkeep.plan(ANCHOR, lead_days=10)
    midnight = datetime.fromisoformat("2031-01-21T05:00:00+00:00")  # in New York
    assert create(db, midnight - timedelta(seconds=1))["requests_created"] == 0
    assert create(db, midnight)["requests_created"] == 1
    assert create(db, midnight)["plans_due"] == 0
    made = upkeep.row(
        """select r.title, r.due_on, r.status, r.request_number, r.created_by, r.location
        from public.maintenance_requests as r where r.plan_id is not null"""
    )
    assert made == ("Service", ANCHOR, "open", 1, None, "House L-1, 1 Elm St, Austin")


def test_of_dates_that_passed_the_last_alone_is_made_up_for(db: Db, upkeep: Upkeep) -> None:
    upkeep.plan(date(2031, 1, 1), unit="week", lead_days=7)
    create(db, noon(date(2031, 1, 1)))
    assert upkeep.due_dates() == [date(2031, 1, 1), date(2031, 1, 8)]
    # Six weeks of outage. 12 February has passed, 19 February is within the lead.
    create(db, noon(date(2031, 2, 14)))
    assert upkeep.due_dates()[2:] == [date(2031, 2, 12), date(2031, 2, 19)]
    create(db, noon(date(2031, 2, 19)))
    assert upkeep.due_dates()[4:] == [date(2031, 2, 26)]


def test_dates_out_of_season_and_after_the_end_are_left_out(db: Db, upkeep: Upkeep) -> None:
    upkeep.plan(date(2031, 1, 15), season_months=[4, 5], ends_on=date(2032, 4, 15))
    day = date(2031, 1, 1)
    while day < date(2033, 1, 1):
        create(db, noon(day))
        day += timedelta(days=5)
    assert upkeep.due_dates() == [date(2031, 4, 15), date(2031, 5, 15), date(2032, 4, 15)]
    assert value(db, "select next_due_on from public.maintenance_plans") is None


def test_a_new_plan_and_one_taken_up_again_reach_back_to_nothing(db: Db, upkeep: Upkeep) -> None:
    plan_id = upkeep.plan(date(2019, 1, 31))
    today = value(db, "select (now() at time zone 'America/New_York')::date")
    following = "select next_due_on from public.maintenance_plans"
    first = next(day for n in range(2000) if (day := nth(date(2019, 1, 31), "month", 1, n)) >= today)
    assert value(db, following) == first
    db.execute("update public.maintenance_plans set status = 'paused', next_due_on = '2019-02-28'")
    assert create(db, noon(today))["plans_due"] == 0
    db.execute("update public.maintenance_plans set status = 'active' where id = %s", (plan_id,))
    assert value(db, following) == first


def test_a_changed_plan_meets_the_requests_it_has(db: Db, upkeep: Upkeep) -> None:
    upkeep.plan(ANCHOR)
    create(db, noon(ANCHOR))
    db.execute("update public.maintenance_plans set interval_count = 2")
    assert value(db, "select next_due_on from public.maintenance_plans") == ANCHOR
    assert create(db, noon(ANCHOR)) == {"plans_due": 1, "requests_created": 0, "more": False}
    create(db, noon(date(2031, 3, 31)))
    assert upkeep.due_dates() == [ANCHOR, date(2031, 3, 31)]


def test_plans_of_inactive_houses_and_retired_units_wait(db: Db, upkeep: Upkeep) -> None:
    upkeep.plan(ANCHOR)
    upkeep.plan(ANCHOR, unit_id=upkeep.unit_id)
    db.execute("update public.properties set status = 'inactive'")
    assert create(db, noon(ANCHOR))["plans_due"] == 0
    db.execute("update public.properties set status = 'active'")
    db.execute("update public.units set status = 'retired'")
    assert create(db, noon(ANCHOR))["requests_created"] == 1


def test_a_request_goes_to_whoever_is_active_and_to_the_household_of_the_day(db: Db, upkeep: Upkeep) -> None:
    upkeep.plan(ANCHOR, title="A", assigned_vendor_id=upkeep.plumber, unit_id=upkeep.unit_id)
    upkeep.plan(ANCHOR, title="B", assigned_vendor_id=upkeep.sweeper)
    upkeep.plan(
        ANCHOR, title="C", assigned_member_id=upkeep.manager_id, unit_id=upkeep.unit_id, shown_to_renter=True
    )
    db.execute("update public.vendors set status = 'inactive' where id = %s", (upkeep.sweeper,))
    create(db, noon(ANCHOR))
    made = db.execute(
        """select title, status, assigned_vendor_id, assigned_member_id, lease_id, request_number
        from public.maintenance_requests order by title"""
    ).fetchall()
    assert [row[:5] for row in made] == [
        ("A", "assigned", upkeep.plumber, None, None),
        ("B", "open", None, None, None),
        ("C", "assigned", None, upkeep.manager_id, upkeep.lease_id),
    ]
    assert sorted(row[5] for row in made) == [1, 2, 3]
    seen = "select title from public.maintenance_requests"
    assert upkeep.as_user(upkeep.renter_id, seen) == "C"
    assert upkeep.as_user(upkeep.plumber_id, seen) == "A"


def test_small_batches_leave_nothing_out(db: Db, upkeep: Upkeep) -> None:
    for n in range(5):
        upkeep.plan(ANCHOR + timedelta(days=n))
    rounds = 0
    while create(db, noon(ANCHOR + timedelta(days=7)), limit=2)["more"]:
        rounds += 1
        assert rounds < 10
    assert upkeep.due_dates() == [ANCHOR + timedelta(days=n) for n in range(5)]


def test_many_machines_at_once_create_each_request_once(db: Db, database: str, upkeep: Upkeep) -> None:
    for n in range(40):
        upkeep.plan(ANCHOR, lead_days=n % 20)

    def tick(day: int) -> int:
        created = 0
        with psycopg.connect(database, autocommit=True) as connection:
            while (answer := create(connection, noon(ANCHOR + timedelta(days=day)), limit=7))["plans_due"]:
                created += answer["requests_created"]
        return created

    with ThreadPoolExecutor(4) as pool:
        created = sum(sum(pool.map(tick, [day] * 4)) for day in range(0, 70, 7))
    assert created == 120
    by_plan = db.execute(
        "select array_agg(plan_due_on order by plan_due_on) from public.maintenance_requests group by plan_id"
    ).fetchall()
    assert by_plan == [([ANCHOR, date(2031, 2, 28), date(2031, 3, 31)],)] * 40
    numbers = db.execute("select request_number from public.maintenance_requests order by 1").fetchall()
    assert len({n for (n,) in numbers}) == len(numbers)
