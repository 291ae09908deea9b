"""Pages of the feed at 10,000 and at 1,000,000 rows, and writes with notes and without, in turns."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench import cluster, conditions
from bench.acting import act_as, act_as_oneself
from bench.report import Cell, Goal, Report, Table
from bench.sampling import in_turns, timed
from scripts.stack.layout import Stack

FILL = Path(__file__).with_name("fill.sql")
PAGE = 500
MOST = 1.5
MEMBER = "00000075-0000-4000-8000-000000000001"
WRITES = {
    "a unit, one row": """
        update public.units set bedrooms = coalesce(bedrooms, 0) %% 9 + 1 where id = bench.id('nit', %(turn)s)
    """,
    "10,000 units, one statement": """
        update public.units set bedrooms = coalesce(bedrooms, 0) %% 9 + 1
        where id = any (array(select bench.id('nit', n) from generate_series(1, %(bulk)s) as n))
    """,
    "10,000 new units, one statement": """
        insert into public.units (workspace_id, property_id, unit_number)
        select bench.id('workspace', 1), bench.id('property', 1), 'new ' || n
        from generate_series(1, %(bulk)s) as n
    """,
}


@dataclass(frozen=True)
class Scale:
    """Rows stored, rows in a bulk statement, and how often what is run."""

    units: tuple[int, int]
    bulk: int
    rounds: int
    budget: float


FULL = Scale(units=(10_000, 1_000_000), bulk=10_000, rounds=30, budget=20)
QUICK = Scale(units=(2_000, 20_000), bulk=1_000, rounds=5, budget=4)


def run(stack: Stack, *, quick: bool, say: Callable[[str], None]) -> Report:
    """Takes about 4 minutes, quick 20 seconds."""
    scale = QUICK if quick else FULL
    few, many = scale.units
    with ExitStack() as opened:
        connections: dict[int, psycopg.Connection[Any]] = {}
        settling: list[list[Cell]] = []
        for units in scale.units:
            database = opened.enter_context(cluster.database(stack, f"changes_{units}"))
            connection = opened.enter_context(cluster.superuser(stack, database))
            if not connections:
                circumstances = conditions.of(connection)
            say(f"Filling {units:,} rows")
            cluster.fill(connection, FILL, units=units)
            connection.execute("set random_page_cost = 1.1")
            say("Settling them")
            settling.append([f"{units:,}", units / _settle(connection)])
            connection.execute("vacuum (analyze) private.changes")
            connections[units] = connection
        say("Reading")
        reads, ratio = _reads(connections, scale)
        say("Writing")
        writes = [_write(connections[few], name, scale) for name in WRITES]
    return Report(
        name="changes",
        title="The changes feed",
        conditions=circumstances,
        tables=[
            Table(
                "Milliseconds a call, for a member of one workspace",
                (
                    "call",
                    f"best of {few:,}",
                    f"median of {few:,}",
                    f"best of {many:,}",
                    f"median of {many:,}",
                    "ratio",
                ),
                reads,
            ),
            Table("Giving positions to rows that have none: rows a second", ("rows", "a second"), settling),
            Table(
                "Milliseconds a write; the feed off: no note is left. All other triggers are on",
                ("write", "feed off", "feed on", "throughput"),
                writes,
            ),
        ],
        goals=[
            Goal(
                f"a page of {PAGE} among {many:,} rows at most {MOST} x the time of one among {few:,}",
                f"{ratio:.2f} x",
                ratio <= MOST,
            )
        ],
        remarks=[
            "On one connection as authenticated: row security is on, HTTP is not in it.",
            "A page in the middle begins at a position half-way through the feed.",
            "Writes go past row security and are rolled back; the fastest of the rounds is compared.",
        ],
    )


def _settle(connection: psycopg.Connection[Any]) -> float:
    """Seconds until every note has positions."""

    def settle() -> None:
        while _one(connection, "select private.settle_changes(clock_timestamp())"):
            pass

    return in_turns({"": settle}, rounds=0, budget=1)[""].best


def _reads(connections: dict[int, psycopg.Connection[Any]], scale: Scale) -> tuple[list[list[Cell]], float]:
    """Rows of the table, and how many times as long the slower page takes among many rows."""
    few, many = scale.units
    starts: dict[str, dict[int, Any]] = {"the first page": dict.fromkeys(scale.units)}
    starts["a page in the middle"], starts["nothing new"] = {}, {}
    for units, connection in connections.items():
        act_as(connection, MEMBER)
        first = _page(connection, None)["next"]
        act_as_oneself(connection)
        positions = "select position from private.changes order by position"
        middle = _one(connection, f"{positions} offset {units // 2} limit 1")
        newest = _one(connection, f"{positions} desc limit 1")
        starts["a page in the middle"][units] = _at(first, middle)
        starts["nothing new"][units] = _at(first, newest)
    rows: list[list[Cell]] = []
    ratios: list[float] = []
    for name, start in starts.items():
        for units, connection in connections.items():
            act_as(connection, MEMBER)
            expected = 0 if name == "nothing new" else PAGE
            assert len(_page(connection, start[units])["changes"]) == expected
        samples = in_turns(
            {units: _paging(connections[units], start[units]) for units in scale.units},
            rounds=scale.rounds,
            budget=scale.budget,
        )
        for connection in connections.values():
            act_as_oneself(connection)
        ratios.append(samples[many].best / samples[few].best)
        rows.append(
            [
                f"{name}, {PAGE}" if name != "nothing new" else name,
                *(ms * 1e3 for units in scale.units for ms in (samples[units].best, samples[units].middle)),
                ratios[-1],
            ]
        )
    return rows, max(ratios[:2])


def _write(connection: psycopg.Connection[Any], name: str, scale: Scale) -> list[Cell]:
    """The write with notes and without; without, the triggers are off for the length of the transaction."""
    statement = WRITES[name]
    turns = itertools.count(1)
    single = "one row" in name

    def write() -> None:
        values = {"turn": next(turns) % scale.units[0] + 1, "bulk": scale.bulk}
        connection.execute((statement % values).encode())

    best = {True: float("inf"), False: float("inf")}
    for turn in range(scale.rounds if single else min(scale.rounds, 8)):
        for noted in (True, False) if turn % 2 else (False, True):
            with connection.transaction(force_rollback=True):
                if not noted:
                    for operation in ("insert", "update", "delete"):
                        connection.execute(
                            f"alter table public.units disable trigger note_{operation}".encode()
                        )
                # What plans there are is made anew after that: the first write of several is not counted.
                if single:
                    write()
                best[noted] = min(best[noted], *(timed(write) for _ in range(20 if single else 1)))
        if not single:
            connection.execute("vacuum public.units, private.change_notes")
    return [name, best[False] * 1e3, best[True] * 1e3, best[False] / best[True]]


def _at(position: dict[str, Any], at: int) -> dict[str, Any]:
    """That position, moved."""
    return {workspace: {**mark, "at": at} for workspace, mark in position.items()}


def _page(connection: psycopg.Connection[Any], after: dict[str, Any] | None) -> dict[str, Any]:
    row = connection.execute(
        "select public.changes(%s, %s)", (None if after is None else json.dumps(after), PAGE)
    ).fetchone()
    assert row is not None
    answer: dict[str, Any] = row[0]
    return answer


def _paging(connection: psycopg.Connection[Any], after: dict[str, Any] | None) -> Callable[[], object]:
    return lambda: _page(connection, after)


def _one(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    return row and row[0]
