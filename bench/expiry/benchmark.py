"""The same number of due leases among few and among many: the check in turns, each time undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench import cluster, conditions
from bench.report import Cell, Goal, Report, Table
from bench.sampling import in_turns
from scripts.stack.layout import Stack

FILL = Path(__file__).with_name("fill.sql")
NOW = "2026-11-21 18:00+00"
VACUUM = "vacuum private.lease_reminders, public.messages, public.notifications, pgmq.q_email"
MOST = 1.5


@dataclass(frozen=True)
class Scale:
    """How many leases are due, and among how many."""

    due: int
    stored: tuple[int, int]
    rounds: int


FULL = Scale(due=1_000, stored=(10_000, 1_000_000), rounds=12)
QUICK = Scale(due=200, stored=(2_000, 40_000), rounds=5)


def run(stack: Stack, *, quick: bool, say: Callable[[str], None]) -> Report:
    """Takes about 3 minutes, quick 10 seconds."""
    scale = QUICK if quick else FULL
    with ExitStack() as opened:
        connections: dict[int, psycopg.Connection[Any]] = {}
        for stored in scale.stored:
            database = opened.enter_context(cluster.database(stack, f"expiry_{stored}"))
            connection = opened.enter_context(cluster.superuser(stack, database))
            if not connections:
                circumstances = conditions.of(connection, due=f"{scale.due:,} leases")
            say(f"Filling {stored:,} leases, {scale.due:,} of them due")
            cluster.fill(connection, FILL, leases=stored, due=scale.due)
            connections[stored] = connection
        say("Checking")
        samples = in_turns(
            {stored: _checking(connection, scale.due) for stored, connection in connections.items()},
            rounds=scale.rounds,
            budget=30,
            tidy=lambda stored: connections[stored].execute(VACUUM),
        )
    few, many = (samples[stored].best for stored in scale.stored)
    rows: list[list[Cell]] = [
        [f"{stored:,}", sample.best * 1e3, sample.middle * 1e3, sample.best / few, scale.due / sample.best]
        for stored, sample in samples.items()
    ]
    return Report(
        name="expiry",
        title="The lease-expiry check",
        conditions=circumstances,
        tables=[
            Table(
                f"{scale.due:,} due leases, all their notices written and queued",
                ("stored leases", "best, ms", "median, ms", "ratio", "notices a second"),
                rows,
            )
        ],
        goals=[
            Goal(
                f"among {scale.stored[1]:,} leases at most {MOST} x the time of {scale.stored[0]:,}",
                f"{many / few:.2f} x",
                many / few <= MOST,
            )
        ],
        remarks=["Each check was rolled back, and its dead rows vacuumed outside the measured time."],
    )


def _checking(connection: psycopg.Connection[Any], due: int) -> Callable[[], object]:
    """A check from the first call to the one that leaves no more, in a transaction that is rolled back."""

    def check() -> None:
        told: Counter[str] = Counter()
        with connection.transaction(force_rollback=True):
            more = True
            while more:
                row = connection.execute("select worker.lease_expiry_check(%s)", [NOW]).fetchone()
                assert row
                more = row[0].pop("more")
                told.update(row[0])
        if told["messages_queued"] != due:
            raise RuntimeError(f"{due} leases were due, and the check found {dict(told)}")

    return check
