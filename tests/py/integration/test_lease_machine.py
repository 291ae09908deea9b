"""Several people act on the leases of one building at random and at once: whatever the order, the rules hold.

Each round is a set of calls that start together, each on a connection of its own. After it the database is
compared with what this module knows by itself: which steps a status may take, that no two leases have a unit
on the same day, and that nothing that was on record has gone or has been written over.
"""

from __future__ import annotations

import itertools
import json
import re
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date, timedelta
from threading import Barrier
from typing import Any, NamedTuple

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.py.integration.lessor import STEPS, Lessor
from tests.py.integration.portfolio import Portfolio

Db = psycopg.Connection[Any]
PEOPLE, UNITS = 3, 3
START = date(2026, 1, 1)
# Whose lease a call is about, most of the time: one for which it can succeed as far as its status goes.
ABOUT = {
    "activate_lease": ("draft",),
    "end_lease": ("active", "notice_given"),
    "terminate_lease": ("pending", "active", "notice_given"),
    "give_notice": ("active",),
    "withdraw_notice": ("notice_given",),
    "renew_lease": ("active",),
    "transfer_unit": ("active", "notice_given", "pending"),
    "amend_lease": ("active", "notice_given", "pending"),
    "turn_over": (),
}
# What a call may be refused with. Anything else, a deadlock or a raw constraint among it, is a fault.
REFUSALS = {
    *("lease_not_draft", "lease_not_active", "lease_renewed", "possession_overlap", "end_out_of_range"),
    *("notice_out_of_range", "renewal_out_of_range", "amendment_out_of_range", "amendment_incomplete"),
    *("transfer_impossible", "lease_busy"),
}


class Call(NamedTuple):
    """One person's call: the function, which of the leases there are, and days from the run's today."""

    function: str
    lease: int
    days: int
    unit: int
    rule: str


CALLS = st.builds(
    Call,
    function=st.sampled_from(
        [
            *("activate_lease", "activate_lease", "activate_lease", "end_lease", "terminate_lease"),
            *("give_notice", "withdraw_notice", "renew_lease", "renew_lease", "transfer_unit"),
            *("amend_lease", "turn_over"),
        ]
    ),
    lease=st.integers(0, 11),
    days=st.sampled_from([-30, -3, 0, 1, 40, 200]),
    unit=st.integers(0, UNITS - 1),
    rule=st.sampled_from(["ends", "month_to_month"]),
)
ROUND = st.tuples(st.integers(0, 45), st.lists(CALLS, min_size=PEOPLE, max_size=PEOPLE))


@pytest.fixture
def crew(db: Db, database: str) -> Iterator[Callable[[], tuple[Lessor, list[Lessor]]]]:
    """A fresh portfolio, and its owner at so many desks."""
    db.autocommit = True
    with ExitStack() as stack:
        desks = [stack.enter_context(psycopg.connect(database, autocommit=True)) for _ in range(PEOPLE)]
        number = itertools.count()

        def hire() -> tuple[Lessor, list[Lessor]]:
            portfolio = Portfolio(db, timezone="UTC", owner=f"owner-{next(number)}@example.com")
            return Lessor(portfolio), [Lessor(portfolio, desk) for desk in desks]

        yield hire


@settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rounds=st.lists(ROUND, min_size=6, max_size=10))
def test_whatever_people_do_at_once_the_rules_of_leases_hold(
    crew: Callable[[], tuple[Lessor, list[Lessor]]], rounds: list[tuple[int, list[Call]]]
) -> None:
    lessor, people = crew()
    building = lessor.portfolio.building(UNITS)
    today = START + timedelta(days=10)
    for n, rule in enumerate(["ends", "month_to_month", "renews", "ends", "ends", "month_to_month"]):
        terms = {"on_expiry": rule, "ends_on": START + timedelta(days=60 + 20 * n)}
        months = {"renewal_months": 2} if rule == "renews" else {}
        # The first three have a unit each; those of the others overlap.
        held = building[1][n % UNITS :][: 1 + n // UNITS]
        lease_id = lessor.draft(f"L-{n}", (building[0], held), **terms, **months)
        if n < UNITS:
            lessor.call("activate_lease", lease_id, today)
    record = Record(lessor)
    for later, calls in rounds:
        today += timedelta(days=later)
        leases = record.leases()
        together = Barrier(PEOPLE)
        with ThreadPoolExecutor(PEOPLE) as pool:
            outcomes = list(
                pool.map(
                    lambda person, call, day=today, all_of=leases, gate=together: acted(
                        person, call, day, all_of, building[1], gate
                    ),
                    people,
                    calls,
                )
            )
        assert {outcome for outcome in outcomes if outcome} <= REFUSALS, list(
            zip(calls, outcomes, strict=True)
        )
        record.check()


def acted(
    person: Lessor,
    call: Call,
    today: date,
    leases: list[tuple[uuid.UUID, str]],
    units: list[uuid.UUID],
    gate: Barrier,
) -> str | None:
    """Make the call when all are ready: with what code it was refused, or None."""
    day = today + timedelta(days=call.days)
    likely = [lease_id for lease_id, status in leases if status in ABOUT[call.function]]
    of_any = [lease_id for lease_id, _ in leases]
    among = likely if likely and call.lease else of_any
    lease_id = among[call.lease % len(among)]
    arguments: dict[str, dict[str, Any]] = {
        "activate_lease": {},
        "end_lease": {"ended_on": min(day, today)},
        "terminate_lease": {"reason": "At random", "ended_on": min(day, today) if call.unit else None},
        "give_notice": {"given_by": "renter", "move_out_on": max(day, today)},
        "withdraw_notice": {},
        "renew_lease": {"starts_on": day if call.unit else None, "ends_on": day + timedelta(days=300)},
        "transfer_unit": {
            "from_unit_id": units[call.unit],
            "to_unit_id": units[(call.unit + 1) % UNITS],
            "on_date": day,
        },
        "amend_lease": {
            "title": "At random",
            "effective_on": day,
            "ends_on": day,
            "on_expiry": call.rule,
            "rent_minor": 100_000 + call.days if call.unit else None,
        },
    }
    gate.wait(timeout=10)
    try:
        if call.function == "turn_over":
            person.turn_over(today)
        else:
            person.call(call.function, lease_id, today, **arguments[call.function])
    except psycopg.Error as error:
        code = re.search(r'"code" : "(\w+)"', str(error))
        return code[1] if code else f"{error.sqlstate}: {error}"
    return None


class Record:
    """What was on record after the last round, and what must be true of it after the next."""

    def __init__(self, lessor: Lessor) -> None:
        self.lessor = lessor
        self.steps: dict[str, Any] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.addenda: dict[str, Any] = {}

    def leases(self) -> list[tuple[uuid.UUID, str]]:
        query = (
            "select id, status from public.leases where workspace_id = %s order by created_at, lease_number"
        )
        return list(self.lessor.db.execute(query, (self.lessor.portfolio.workspace_id,)))

    def all_of(self, table: str) -> dict[str, dict[str, Any]]:
        query = f"select id::text, to_jsonb(t) from public.{table} as t where workspace_id = %s"
        return dict(self.lessor.db.execute(query, (self.lessor.portfolio.workspace_id,)).fetchall())

    def check(self) -> None:
        leases = self.all_of("leases")
        self.nothing_is_lost()
        self.statuses_took_their_steps(leases)
        self.nobody_shares_a_unit(leases)
        self.who_is_in_force_holds_something(leases)

    def nothing_is_lost(self) -> None:
        """Rows once written stay as they were; one of possession or rent is superseded at most, and once."""
        steps, addenda = self.all_of("lease_status_changes"), self.all_of("lease_addenda")
        rows = {**self.all_of("lease_units"), **self.all_of("lease_terms")}
        for was, now in ((self.steps, steps), (self.addenda, addenda)):
            assert {key: now.get(key) for key in was} == was
        for key, was in self.rows.items():
            now = rows[key]
            # What a draft plans may still change; what binds, and what it costs, may not.
            fixed = {name: now[name] for name in was if name != "superseded_at"}
            if was.get("binding", True):
                assert fixed == {name: was[name] for name in was if name != "superseded_at"}
                assert was["superseded_at"] in (None, now["superseded_at"])
        self.steps, self.addenda, self.rows = steps, addenda, rows

    def statuses_took_their_steps(self, leases: dict[str, dict[str, Any]]) -> None:
        taken: dict[str, list[dict[str, Any]]] = {}
        for step in sorted(self.steps.values(), key=lambda step: step["recorded_at"]):
            taken.setdefault(step["lease_id"], []).append(step)
        assert set(taken) == set(leases)
        for lease_id, steps in taken.items():
            assert (steps[0]["from_status"], steps[0]["to_status"]) == (None, "draft")
            for before, after in itertools.pairwise(steps):
                assert after["from_status"] == before["to_status"]
                assert (after["from_status"], after["to_status"]) in STEPS
            assert steps[-1]["to_status"] == leases[lease_id]["status"]

    def nobody_shares_a_unit(self, leases: dict[str, dict[str, Any]]) -> None:
        holds: dict[str, list[tuple[date, date, str]]] = {}
        for row in self.rows.values():
            if "unit_id" in row and row["binding"] and row["superseded_at"] is None:
                first, beyond = row["possession"].strip("[)").split(",")
                assert first and (not beyond or first < beyond)
                holds.setdefault(row["unit_id"], []).append(
                    (
                        date.fromisoformat(first),
                        date.fromisoformat(beyond) if beyond else date.max,
                        row["lease_id"],
                    )
                )
        for unit_holds in holds.values():
            for one, other in itertools.pairwise(sorted(unit_holds)):
                assert one[1] <= other[0], [leases[one[2]], leases[other[2]]]

    def who_is_in_force_holds_something(self, leases: dict[str, dict[str, Any]]) -> None:
        holding = {
            row["lease_id"]: row
            for row in self.rows.values()
            if "unit_id" in row and row["binding"] and row["superseded_at"] is None
        }
        for lease_id, lease in leases.items():
            if lease["status"] in ("pending", "active", "notice_given"):
                assert lease_id in holding, lease
            elif lease["status"] in ("ended", "terminated"):
                assert lease["ended_on"] or lease_id not in holding, lease
            renewals = [r for r in leases.values() if r["renewed_from_id"] == lease_id]
            assert len([r for r in renewals if r["status"] != "terminated"]) <= 1
            if any(r["status"] in ("active", "notice_given") for r in renewals):
                assert lease["status"] in ("ended", "terminated"), json.dumps([lease, *renewals])
