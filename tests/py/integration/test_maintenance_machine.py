"""The status machine under random callers, one by one and at once: no request takes a forbidden edge."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.py.integration.meeting import acting
from tests.py.integration.upkeep import ACCEPT, ASSIGN, DECLINE, MOVE, SCHEDULE, Upkeep

Db = psycopg.Connection[Any]
WINDOW = ("2031-03-03T09:00:00Z", "2031-03-03T11:00:00Z")

# Written down anew, from what the page says and not from the table that the database asks.
EDGES = {
    "open": {"assigned", "completed", "cancelled"},
    "assigned": {"open", "scheduled", "in_progress", "on_hold", "completed", "cancelled"},
    "scheduled": {"open", "assigned", "in_progress", "on_hold", "completed", "cancelled"},
    "in_progress": {"open", "assigned", "scheduled", "on_hold", "completed", "cancelled"},
    "on_hold": {"open", "assigned", "scheduled", "in_progress", "completed", "cancelled"},
    "completed": {"open", "in_progress", "closed"},
    "closed": {"open"},
    "cancelled": {"open"},
}
VENDOR_EDGES = {
    "assigned": {"open", "scheduled", "in_progress", "completed"},
    "scheduled": {"open", "in_progress", "completed"},
    "in_progress": {"scheduled", "on_hold", "completed"},
    "on_hold": {"scheduled", "in_progress", "completed"},
}
UNDER_WAY = {"assigned", "scheduled", "in_progress", "on_hold"}
STATUSES = sorted(EDGES)
PEOPLE = ("manager", "plumber", "sweeper")


@pytest.fixture
def upkeep(db: Db) -> Iterator[Upkeep]:
    db.autocommit = True
    yield Upkeep(db)


def person(upkeep: Upkeep, name: str) -> uuid.UUID:
    return {"manager": upkeep.manager_id, "plumber": upkeep.plumber_id, "sweeper": upkeep.sweeper_id}[name]


def test_random_callers_take_allowed_edges_alone(upkeep: Upkeep) -> None:
    class Machine(RuleBasedStateMachine):
        """What the database should make of each call, by rules of our own."""

        @initialize()
        def open_one(self) -> None:
            self.request_id = upkeep.request()
            self.status = "open"
            self.assignee: str | None = None
            self.has_window = False
            self.steps = ["open"]

        def step(self, status: str) -> None:
            if status != self.status:
                self.steps.append(status)
            self.status = status
            if status in ("open", "assigned"):
                self.has_window = False
            if status == "open":
                self.assignee = None

        def call(self, who: str, query: str, *arguments: Any) -> bool:
            """Whether the database did it."""
            try:
                upkeep.as_user(person(upkeep, who), query, self.request_id, *arguments)
            except psycopg.Error as error:
                assert error.sqlstate == "PGRST", error
                return False
            return True

        def may(self, who: str, status: str) -> bool:
            if who == "manager":
                return status in EDGES[self.status]
            return self.assignee == who and status in VENDOR_EDGES.get(self.status, set())

        @rule(who=st.sampled_from(PEOPLE), status=st.sampled_from(STATUSES))
        def move(self, who: str, status: str) -> None:
            expected = (
                self.may(who, status)
                and (status not in UNDER_WAY or self.assignee is not None)
                and (status != "scheduled" or self.has_window)
            )
            assert self.call(who, MOVE, status, "because") is expected
            if expected:
                self.step(status)

        @rule(to=st.sampled_from([None, "manager", "plumber", "sweeper"]))
        def assign(self, to: str | None) -> None:
            member = upkeep.manager_id if to == "manager" else None
            vendor = {"plumber": upkeep.plumber, "sweeper": upkeep.sweeper}.get(to or "")
            expected = self.status in UNDER_WAY | {"open"}
            assert self.call("manager", ASSIGN, member, vendor, None) is expected
            if expected and to != self.assignee:
                self.assignee = to
                self.step("assigned" if to else "open")
                self.has_window = False

        @rule(who=st.sampled_from(PEOPLE))
        def schedule(self, who: str) -> None:
            expected = self.status in UNDER_WAY and who in ("manager", self.assignee)
            assert self.call(who, SCHEDULE, *WINDOW) is expected
            if expected:
                self.step("scheduled")
                self.has_window = True

        @rule(who=st.sampled_from(PEOPLE))
        def decline(self, who: str) -> None:
            expected = who != "manager" and self.may(who, "open")
            assert self.call(who, DECLINE, None) is expected
            if expected:
                self.step("open")

        @rule(who=st.sampled_from(PEOPLE))
        def accept(self, who: str) -> None:
            expected = who != "manager" and who == self.assignee and self.status in UNDER_WAY
            assert self.call(who, ACCEPT) is expected

        @invariant()
        def it_is_as_the_rules_say(self) -> None:
            assert upkeep.row(
                """select status, coalesce(assigned_vendor_id, assigned_member_id),
                    scheduled_starts_at is not null
                from public.maintenance_requests where id = %s""",
                self.request_id,
            ) == (
                self.status,
                {"manager": upkeep.manager_id, "plumber": upkeep.plumber, "sweeper": upkeep.sweeper}.get(
                    self.assignee or ""
                ),
                self.has_window,
            )

        def teardown(self) -> None:
            assert path(upkeep, self.request_id) == self.steps

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


def path(upkeep: Upkeep, request_id: uuid.UUID) -> list[str]:
    """The statuses of a request in order, each step of them from the one before by an allowed edge."""
    steps = upkeep.db.execute(
        """select from_status, to_status from public.maintenance_status_changes
        where request_id = %s order by recorded_at""",
        (request_id,),
    ).fetchall()
    assert steps[0] == (None, "open")
    for (_, before), (left, after) in pairwise(steps):
        assert left == before
        assert after in EDGES[left]
    return [after for _, after in steps]


def test_callers_at_once_take_allowed_edges_alone(upkeep: Upkeep, database: str) -> None:
    request_id = upkeep.request()

    def act(seed: int) -> int:
        dice = random.Random(seed)  # noqa: S311 - the same calls every time
        done = 0
        with psycopg.connect(database, autocommit=True) as connection:
            for _ in range(40):
                who = dice.choice(["manager", *PEOPLE])
                query, arguments = dice.choice(
                    [
                        (MOVE, (dice.choice(STATUSES), None)),
                        (MOVE, (dice.choice(STATUSES), None)),
                        (MOVE, ("open", None)),
                        (ASSIGN, (None, dice.choice([upkeep.plumber, upkeep.sweeper, None]), None)),
                        (SCHEDULE, WINDOW),
                        (DECLINE, (None,)),
                        (ACCEPT, ()),
                    ]
                )
                call = acting(person(upkeep, who), query, request_id, *arguments)
                try:
                    with connection.transaction():
                        call(connection)
                    done += 1
                except psycopg.Error as error:
                    # Refused, never broken: no deadlock, no constraint that spoke before the rules did.
                    assert error.sqlstate == "PGRST", error
        return done

    with ThreadPoolExecutor(4) as pool:
        done = sum(pool.map(act, range(4)))
    # Enough got through, whatever the order in which they met.
    assert done > 10
    taken = path(upkeep, request_id)
    assert len(taken) > 5
    assert upkeep.status(request_id) == taken[-1]
