"""Figures of 10,000 and of 1,000,000 leases in turns; then writes with the triggers and without, in turns."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench import cluster, conditions
from bench.acting import act_as, act_as_oneself
from bench.report import Cell, Goal, Report, Table
from bench.sampling import in_turns
from scripts.stack.layout import Stack

FILL = Path(__file__).with_name("fill.sql")
MOST = 1.2
KPIS = "select public.dashboard_kpis('2026-01-01', '2026-12-31', bench.id('workspace', 1))"
READS = {
    "dashboard_kpis, a year": KPIS,
    "dashboard_kpis, a month": KPIS.replace("2026-12-31", "2026-01-31"),
    "property_summary": "select public.property_summary(bench.id('property', 3))",
}
COUNTED = """
    select
        (select count(*) from public.units group by workspace_id),
        (select count(*) from public.lease_units
            where binding and superseded_at is null and possession @> date '2026-12-31'),
        (select count(*) from public.leases
            where status in ('pending', 'active', 'notice_given')
                and ends_on between '2026-01-01' and '2026-12-31'),
        (select count(*) from public.maintenance_requests
            where status not in ('completed', 'closed', 'cancelled'))
"""
WRITES = {
    "one unit": """
        insert into public.units (workspace_id, property_id, unit_number)
        values (bench.id('workspace', 1), bench.id('property', 3), gen_random_uuid()::text)
    """,
    "10,000 units, one statement": """
        insert into public.units (workspace_id, property_id, unit_number)
        select bench.id('workspace', 1), bench.id('property', n % 500), 'B' || n
        from generate_series(1, 10000) as n
    """,
    "10,000 renters, one statement": """
        insert into public.tenants (workspace_id, first_name, last_name, email, phone)
        select bench.id('workspace', 1), 'Ann', 'Example ' || n, n || '@example.com', '+1 217 555 ' || n
        from generate_series(1, 10000) as n
    """,
    "10,000 leases, one statement": """
        insert into public.leases
            (workspace_id, property_id, lease_number, starts_on, ends_on, currency, status, activated_at)
        select
            bench.id('workspace', 1), bench.id('property', n % 500), 'B-' || n, '2026-01-01',
            date '2026-12-31' + n % 365, 'USD', 'active', now()
        from generate_series(1, 10000) as n
    """,
    "status of 1,000 units": """
        update public.units set status = 'off_market'
        where property_id in (select bench.id('property', n) from generate_series(0, 99) as n)
    """,
}
CONTENDERS = {
    "none of them": (),
    "rollups": ("roll_up",),
    "search": ("search",),
    "both": ("roll_up", "search"),
}

MEMBER = "00000075-0000-4000-8000-000000000001"


@dataclass(frozen=True)
class Scale:
    """How many leases, and how often what is run."""

    leases: tuple[int, int]
    rounds: int
    turns: int
    budget: float


FULL = Scale(leases=(10_000, 1_000_000), rounds=60, turns=3, budget=20)
QUICK = Scale(leases=(5_000, 50_000), rounds=15, turns=1, budget=4)


def run(stack: Stack, *, quick: bool, say: Callable[[str], None]) -> Report:
    """Takes about 4 minutes, quick 30 seconds."""
    scale = QUICK if quick else FULL
    with ExitStack() as opened:
        connections: dict[int, psycopg.Connection[Any]] = {}
        for leases in scale.leases:
            database = opened.enter_context(cluster.database(stack, f"kpis_{leases}"))
            connection = opened.enter_context(cluster.superuser(stack, database))
            if not connections:
                circumstances = conditions.of(connection)
            say(f"Filling {leases:,} leases")
            cluster.fill(connection, FILL, leases=leases)
            connection.execute("set random_page_cost = 1.1")
            connections[leases] = connection
        say("Reading")
        few, many = scale.leases
        reads: list[list[Cell]] = []
        ratios = {}
        for name, query in READS.items():
            samples = in_turns(
                {leases: _reading(connections[leases], query) for leases in scale.leases},
                rounds=scale.rounds,
                budget=scale.budget,
            )
            ratios[name] = samples[many].best / samples[few].best
            reads.append(
                [
                    name,
                    *(
                        figure * 1e3
                        for leases in scale.leases
                        for figure in (samples[leases].best, samples[leases].middle)
                    ),
                    ratios[name],
                ]
            )
        counted = in_turns(
            {leases: _counting(connections[leases]) for leases in scale.leases},
            rounds=3,
            budget=20,
        )
        reads.append(
            [
                "the same, counted",
                *(
                    figure * 1e3
                    for leases in scale.leases
                    for figure in (counted[leases].best, counted[leases].middle)
                ),
                counted[many].best / counted[few].best,
            ]
        )
        say("Reading what is not folded yet")
        unfolded = _unfolded(connections[few])
        say("Writing")
        writes, alone = _writes(connections[few], scale)
    worst = max(ratios.values())
    return Report(
        name="kpis",
        title="Figures from rollups",
        conditions=circumstances,
        tables=[
            Table(
                "Milliseconds a call, as a manager",
                (
                    "call",
                    f"best of {few:,}",
                    f"median of {few:,}",
                    f"best of {many:,}",
                    f"median of {many:,}",
                    "ratio of the best",
                ),
                reads,
            ),
            Table(
                "dashboard_kpis of a year, by differences that no fold has taken yet",
                ("differences", "best, ms"),
                unfolded,
            ),
            Table(
                "Milliseconds a write, and times what it is without these triggers; all others are on",
                ("write", *(title for name in CONTENDERS for title in (name, "x"))),
                writes,
            ),
        ],
        goals=[
            Goal(
                f"figures of {many:,} leases at most {MOST} x the time of {few:,}",
                f"{worst:.2f} x",
                worst <= MOST,
            ),
        ],
        remarks=[
            "Writes are rolled back. A single row pays for triggers whose statements are planned each time.",
            f"A single unit takes {alone:.2f} ms more with both.",
        ],
    )


def _reading(connection: psycopg.Connection[Any], query: str) -> Callable[[], object]:
    def read() -> None:
        # Part of the measured time, alike for all.
        act_as(connection, MEMBER)
        connection.execute(query.encode()).fetchone()
        act_as_oneself(connection)

    return read


def _counting(connection: psycopg.Connection[Any]) -> Callable[[], object]:
    return lambda: connection.execute(COUNTED).fetchall()


def _unfolded(connection: psycopg.Connection[Any]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    for differences in (0, 1_000, 10_000, 100_000):
        with connection.transaction(force_rollback=True):
            connection.execute(
                """
                insert into private.rollup_changes
                select
                    bench.id('workspace', 1), bench.id('property', n %% 1000), date '2026-01-01' + n %% 300,
                    'occupied', '', 1
                from generate_series(1, %s) as n
                """,
                [differences],
            )
            connection.execute("analyze private.rollup_changes")
            sample = in_turns({"it": _reading(connection, KPIS)}, rounds=5, budget=5)["it"]
        rows.append([f"{differences:,}", sample.best * 1e3])
    return rows


def _writes(connection: psycopg.Connection[Any], scale: Scale) -> tuple[list[list[Cell]], float]:
    """Triggers are switched outside of the measured time: it makes every plan anew."""
    rows: list[list[Cell]] = []
    alone = 0.0
    for name, statement in WRITES.items():
        best: dict[str, float] = {}
        for _ in range(scale.turns):
            for contender, kept in CONTENDERS.items():
                _switch(connection, kept)
                writing = {contender: _writing(connection, statement)}
                sample = in_turns(writing, rounds=20 if name == "one unit" else 2, budget=scale.budget)
                best[contender] = min(sample[contender].best, best.get(contender, math.inf))
                connection.execute("vacuum private.search_entries, private.rollup_changes, public.units")
        base = best["none of them"]
        if name == "one unit":
            alone = (best["both"] - base) * 1e3
        rows.append(
            [name, *(f for contender in CONTENDERS for f in (best[contender] * 1e3, best[contender] / base))]
        )
    return rows, alone


def _switch(connection: psycopg.Connection[Any], kept: tuple[str, ...]) -> None:
    """Switch the triggers of the topics on or off, wherever a table has them."""
    triggers = connection.execute(
        """
        select tgrelid::regclass::text, tgname from pg_catalog.pg_trigger
        where tgname ~ '^(roll_up|search)_on_' order by 1, 2
        """
    ).fetchall()
    for table, trigger in triggers:
        verb = "enable" if trigger.partition("_on_")[0] in kept else "disable"
        connection.execute(f"alter table {table} {verb} trigger {trigger}".encode())


def _writing(connection: psycopg.Connection[Any], statement: str) -> Callable[[], object]:
    """The statement in a transaction that is rolled back."""

    def write() -> None:
        with connection.transaction(force_rollback=True):
            connection.execute(statement.encode())

    return write
