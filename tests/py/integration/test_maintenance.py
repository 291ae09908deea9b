"""Requests: numbers, who may move them where, and what two people do at once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import psycopg
import pytest

from scripts.stack.layout import REPOSITORY
from tests.py.integration.lessor import Lessor
from tests.py.integration.meeting import acting, met, refused, value
from tests.py.integration.upkeep import ACCEPT, ASSIGN, DECLINE, MOVE, SCHEDULE, Upkeep

Db = psycopg.Connection[Any]
WINDOW = ("2031-03-03T09:00:00-05:00", "2031-03-03T11:00:00-05:00")


@pytest.fixture
def upkeep(db: Db) -> Upkeep:
    db.autocommit = True
    return Upkeep(db)


def given(upkeep: Upkeep, vendor: uuid.UUID | None = None) -> uuid.UUID:
    """A request that the vendor has, the plumber unless it is another."""
    request_id = upkeep.request()
    upkeep.as_user(upkeep.manager_id, ASSIGN, request_id, None, vendor or upkeep.plumber, None)
    return request_id


def history(upkeep: Upkeep, request_id: uuid.UUID) -> list[tuple[Any, ...]]:
    return upkeep.db.execute(
        """select from_status, to_status, reason, changed_by
        from public.maintenance_status_changes where request_id = %s order by recorded_at""",
        (request_id,),
    ).fetchall()


def test_a_request_s_way_is_written_down_with_who_and_why(upkeep: Upkeep) -> None:
    request_id = upkeep.request()
    manager, plumber = upkeep.manager_id, upkeep.plumber_id
    upkeep.as_user(manager, ASSIGN, request_id, None, upkeep.plumber, "They know the house")
    assert upkeep.as_user(plumber, ACCEPT, request_id) is True
    assert upkeep.as_user(plumber, SCHEDULE, request_id, *WINDOW) == "scheduled"
    assert upkeep.as_user(plumber, MOVE, request_id, "in_progress", None) == "in_progress"
    assert upkeep.as_user(plumber, MOVE, request_id, "completed", " New seal ") == "completed"
    assert upkeep.as_user(manager, MOVE, request_id, "closed", None) == "closed"
    assert history(upkeep, request_id) == [
        (None, "open", None, None),
        ("open", "assigned", "They know the house", manager),
        ("assigned", "scheduled", None, plumber),
        ("scheduled", "in_progress", None, plumber),
        ("in_progress", "completed", "New seal", plumber),
        ("completed", "closed", None, manager),
    ]
    assert value(
        upkeep.db,
        "select completed_at is not null and closed_at >= completed_at from public.maintenance_requests",
    )


def test_each_workspace_counts_its_own(db: Db, upkeep: Upkeep) -> None:
    upkeep.request(), upkeep.request()
    insert = """with w as (insert into public.workspaces (name) values ('Oak') returning id),
        p as (
            insert into public.properties (workspace_id, name, address_line1, city, timezone, currency)
            select id, 'Oak', '1 Oak St', 'Austin', 'UTC', 'USD' from w returning workspace_id, id
        )
        select workspace_id, id from p"""
    with db.transaction():
        other = upkeep.row(insert)
    db.execute(
        "insert into public.maintenance_requests (workspace_id, property_id, title) values (%s, %s, 'A')",
        other,
    )
    numbers = db.execute(
        "select array_agg(request_number order by 1) from public.maintenance_requests group by workspace_id"
    )
    assert sorted(each for (each,) in numbers) == [[1], [1, 2]]


def test_requests_made_at_once_get_numbers_of_their_own(db: Db, database: str, upkeep: Upkeep) -> None:
    insert = """insert into public.maintenance_requests (workspace_id, property_id, title)
        values (%s, %s, 'Leak') returning request_number"""

    def ten(_: int) -> list[int]:
        with psycopg.connect(database) as connection:
            numbers = []
            for _ in range(10):
                number = acting(upkeep.manager_id, insert, upkeep.workspace_id, upkeep.property_id)
                numbers.append(number(connection))
                connection.commit()
            return numbers

    with ThreadPoolExecutor(4) as pool:
        numbers = sorted(number for batch in pool.map(ten, range(4)) for number in batch)
    assert numbers == list(range(1, 41))


def test_whoever_leaves_leaves_the_work_to_be_given_out_again(upkeep: Upkeep) -> None:
    request_id = upkeep.request()
    upkeep.as_user(upkeep.owner_id, ASSIGN, request_id, upkeep.manager_id, None, None)
    upkeep.as_user(upkeep.manager_id, SCHEDULE, request_id, *WINDOW)
    upkeep.as_user(
        upkeep.owner_id, "select public.remove_member(%s, %s)", upkeep.workspace_id, upkeep.manager_id
    )
    left = upkeep.row(
        "select status, assigned_member_id, scheduled_starts_at from public.maintenance_requests"
    )
    assert left == ("open", None, None)
    assert history(upkeep, request_id)[-1][:2] == ("scheduled", "open")


def test_the_next_vendor_has_accepted_nothing_and_agreed_to_no_time(upkeep: Upkeep) -> None:
    request_id = given(upkeep)
    upkeep.as_user(upkeep.plumber_id, ACCEPT, request_id)
    upkeep.as_user(upkeep.plumber_id, SCHEDULE, request_id, *WINDOW)
    assert upkeep.as_user(upkeep.manager_id, ASSIGN, request_id, None, upkeep.sweeper, None) == "assigned"
    left = upkeep.row("select vendor_accepted_at, scheduled_starts_at from public.maintenance_requests")
    assert left == (None, None)


def test_giving_it_to_whoever_has_it_changes_nothing(upkeep: Upkeep) -> None:
    request_id = given(upkeep)
    upkeep.as_user(upkeep.plumber_id, SCHEDULE, request_id, *WINDOW)
    assert upkeep.as_user(upkeep.manager_id, ASSIGN, request_id, None, upkeep.plumber, None) == "scheduled"
    assert len(history(upkeep, request_id)) == 3


def test_a_window_can_be_moved_without_a_step(upkeep: Upkeep) -> None:
    request_id = given(upkeep)
    upkeep.as_user(upkeep.plumber_id, SCHEDULE, request_id, *WINDOW)
    later = ("2031-03-04T09:00:00-05:00", "2031-03-04T11:00:00-05:00")
    assert upkeep.as_user(upkeep.manager_id, SCHEDULE, request_id, *later) == "scheduled"
    assert len(history(upkeep, request_id)) == 3


@pytest.mark.parametrize(
    "window",
    [
        ("2031-03-03T11:00:00Z", "2031-03-03T11:00:00Z"),
        ("2031-03-03T11:00:00Z", None),
        (None, "2031-03-03T11:00:00Z"),
        ("2031-03-03T11:00:00Z", "infinity"),
        ("-infinity", "2031-03-03T11:00:00Z"),
        ("2031-03-03T11:00:00Z", "2031-04-03T11:00:01Z"),
    ],
)
def test_a_window_that_is_none_is_refused(upkeep: Upkeep, window: tuple[str | None, str | None]) -> None:
    request_id = given(upkeep)
    with pytest.raises(psycopg.Error, match="window_invalid"):
        upkeep.as_user(upkeep.manager_id, SCHEDULE, request_id, *window)
    assert upkeep.status(request_id) == "assigned"


@pytest.mark.parametrize(
    ("who", "query", "arguments", "code"),
    [
        ("manager", MOVE, ("in_progress", None), "maintenance_transition_refused"),
        ("manager", MOVE, ("open", None), "maintenance_transition_refused"),
        ("manager", MOVE, ("assigned", None), "assignee_missing"),
        ("manager", MOVE, ("lost", None), "maintenance_status_unknown"),
        ("manager", MOVE, (None, None), "maintenance_status_unknown"),
        ("manager", SCHEDULE, WINDOW, "assignee_missing"),
        ("manager", DECLINE, ("No",), "assigned_vendor_expected"),
        ("manager", ACCEPT, (), "assigned_vendor_expected"),
        ("plumber", MOVE, ("completed", None), "maintenance_request_not_found"),
        ("renter", MOVE, ("cancelled", None), "maintenance_request_not_found"),
        ("viewer", MOVE, ("completed", None), "permission_denied"),
    ],
)
def test_what_nobody_may_do_with_an_open_request(
    upkeep: Upkeep, who: str, query: str, arguments: tuple[Any, ...], code: str
) -> None:
    request_id = upkeep.request()
    viewer_id = uuid.uuid4()
    upkeep.user(viewer_id, "viewer@example.com")
    upkeep.member(viewer_id, "viewer")
    people = {
        "manager": upkeep.manager_id,
        "plumber": upkeep.plumber_id,
        "renter": upkeep.renter_id,
        "viewer": viewer_id,
    }
    with pytest.raises(psycopg.Error, match=f'"{code}"'):
        upkeep.as_user(people[who], query, request_id, *arguments)
    assert upkeep.status(request_id) == "open"


def test_work_goes_to_active_people_of_the_workspace_alone(upkeep: Upkeep) -> None:
    request_id = upkeep.request()
    upkeep.db.execute("update public.vendors set status = 'inactive' where id = %s", (upkeep.sweeper,))
    for member, vendor, code in [
        (upkeep.renter_id, None, "assignee_not_found"),
        (uuid.uuid4(), None, "assignee_not_found"),
        (None, upkeep.sweeper, "assignee_not_found"),
        (None, uuid.uuid4(), "assignee_not_found"),
        (upkeep.owner_id, upkeep.plumber, "one_assignee_expected"),
    ]:
        with pytest.raises(psycopg.Error, match=f'"{code}"'):
            upkeep.as_user(upkeep.manager_id, ASSIGN, request_id, member, vendor, None)
    assert upkeep.status(request_id) == "open"


def test_a_vendor_takes_the_steps_of_the_work_and_no_others(upkeep: Upkeep) -> None:
    request_id = given(upkeep)
    plumber = upkeep.plumber_id
    for status in ("cancelled", "on_hold", "closed"):
        with pytest.raises(psycopg.Error, match="maintenance_transition_refused"):
            upkeep.as_user(plumber, MOVE, request_id, status, None)
    with pytest.raises(psycopg.Error, match="maintenance_request_not_found"):
        upkeep.as_user(plumber, ASSIGN, request_id, None, upkeep.sweeper, None)
    upkeep.as_user(plumber, MOVE, request_id, "in_progress", None)
    with pytest.raises(psycopg.Error, match="maintenance_transition_refused"):
        upkeep.as_user(plumber, DECLINE, request_id, "Too late")
    upkeep.as_user(plumber, MOVE, request_id, "completed", None)
    for status in ("open", "in_progress", "closed"):
        with pytest.raises(psycopg.Error, match="maintenance_transition_refused"):
            upkeep.as_user(plumber, MOVE, request_id, status, None)


def test_a_vendor_who_declines_sees_it_no_more(upkeep: Upkeep) -> None:
    request_id = given(upkeep)
    upkeep.as_user(upkeep.plumber_id, DECLINE, request_id, "Fully booked")
    assert upkeep.status(request_id) == "open"
    assert history(upkeep, request_id)[-1][2:] == ("Fully booked", upkeep.plumber_id)
    with pytest.raises(psycopg.Error, match="maintenance_request_not_found"):
        upkeep.as_user(upkeep.plumber_id, ACCEPT, request_id)


def test_of_two_who_complete_it_the_second_is_told(database: str, upkeep: Upkeep) -> None:
    request_id = given(upkeep)
    complete: Callable[[uuid.UUID], Any] = lambda who: acting(who, MOVE, request_id, "completed", None)  # noqa: E731
    told = refused(met(upkeep, database, complete(upkeep.manager_id), complete(upkeep.plumber_id)))
    assert "maintenance_transition_refused" in told
    assert len(history(upkeep, request_id)) == 3


def test_a_vendor_who_comes_after_the_work_was_taken_is_too_late(database: str, upkeep: Upkeep) -> None:
    request_id = given(upkeep)
    told = refused(
        met(
            upkeep,
            database,
            acting(upkeep.manager_id, ASSIGN, request_id, None, upkeep.sweeper, None),
            acting(upkeep.plumber_id, MOVE, request_id, "completed", "Done"),
        )
    )
    assert "maintenance_request_not_found" in told
    assert upkeep.status(request_id) == "assigned"


def test_a_member_who_was_removed_meanwhile_moves_nothing(database: str, upkeep: Upkeep) -> None:
    request_id = given(upkeep)

    def remove(db: Db) -> None:
        db.execute("select from public.maintenance_requests where id = %s for update", (request_id,))
        acting(
            upkeep.owner_id, "select public.remove_member(%s, %s)", upkeep.workspace_id, upkeep.manager_id
        )(db)

    told = refused(
        met(upkeep, database, remove, acting(upkeep.manager_id, MOVE, request_id, "cancelled", None))
    )
    assert "maintenance_request_not_found" in told
    assert upkeep.status(request_id) == "assigned"


def test_an_address_that_is_put_right_moves_what_is_not_finished(upkeep: Upkeep) -> None:
    live, done = given(upkeep), upkeep.request()
    upkeep.as_user(upkeep.manager_id, MOVE, done, "cancelled", None)
    upkeep.db.execute("update public.properties set address_line1 = '7 Oak Ave', state = 'TX'")
    upkeep.db.execute("update public.units set unit_number = '2B'")
    where = dict(upkeep.db.execute("select id, location from public.maintenance_requests").fetchall())
    assert where[live] == "House L-1, 7 Oak Ave, Austin, TX, unit 2B"
    assert where[done] == "House L-1, 1 Elm St, Austin, unit 1"


def test_what_is_to_be_done_goes_with_the_household_to_its_renewal(upkeep: Upkeep) -> None:
    live, done = upkeep.request(), upkeep.request()
    upkeep.as_user(upkeep.manager_id, MOVE, done, "cancelled", None)
    upkeep.db.execute("update public.maintenance_requests set shown_to_renter = true")
    upkeep.db.execute(
        """insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor, due_day)
        select workspace_id, id, starts_on, 131000, 1 from public.leases where id = %s""",
        (upkeep.lease_id,),
    )
    lessor = Lessor(upkeep)
    renewal = lessor.call("renew_lease", upkeep.lease_id, date(2026, 6, 1), starts_on=date(2026, 7, 1))
    renewal_id = uuid.UUID(renewal["id"])
    lessor.call("activate_lease", renewal_id, date(2026, 6, 2))
    lessor.turn_over(date(2026, 7, 1))
    of_lease = dict(upkeep.db.execute("select id, lease_id from public.maintenance_requests").fetchall())
    assert of_lease == {live: renewal_id, done: upkeep.lease_id}
    seen = "select array_agg(id) from public.maintenance_requests"
    assert upkeep.as_user(upkeep.renter_id, seen) == [live]


def test_a_trade_is_a_category(db: Db) -> None:
    """A vendor is found by a request's category: the three lists of words are one."""
    checks = db.execute(
        """select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint
        where contype = 'c' and pg_get_constraintdef(oid) like '%%pest_control%%'"""
    ).fetchall()
    words = {table: set(re.findall(r"'(\w+)'", definition)) for table, definition in checks}
    assert set(words) == {"vendors", "maintenance_requests", "maintenance_plans"}
    assert len({frozenset(each) for each in words.values()}) == 1


def test_the_page_draws_the_machine_as_it_is(db: Db) -> None:
    page = (REPOSITORY / "docs" / "explanation" / "maintenance.md").read_text()
    table = page.partition("| from | to |")[2].partition("\n\n")[0]
    drawn = {
        (cells[0], status, status in cells[2].split(", "))
        for cells in (
            [cell.strip() for cell in line.strip("| ").split("|")] + [""] for line in table.splitlines()[2:]
        )
        for status in cells[1].split(", ")
    }
    assert drawn == set(
        db.execute("select from_status, to_status, by_vendor from private.maintenance_transitions").fetchall()
    )
