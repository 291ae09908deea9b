"""Suggestions for what people type, from 100,000 and from 1,000,000 addresses, in one run."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from bench import cluster, conditions
from bench.places.queries import Known, typed
from bench.report import Cell, Goal, Report, Table
from bench.sampling import timed
from scripts.stack.layout import Stack

FILL = Path(__file__).with_name("fill.sql")
AT_ONCE = 5000
MOST_MS = 30
SEARCH = "select worker.search_addresses(%s, null, 5)"


@dataclass(frozen=True)
class Scale:
    addresses: tuple[int, int]
    each: int
    rounds: int


FULL = Scale(addresses=(100_000, 1_000_000), each=40, rounds=3)
QUICK = Scale(addresses=(5_000, 20_000), each=5, rounds=1)


def run(stack: Stack, *, quick: bool, say: Callable[[str], None]) -> Report:
    """Takes about 5 minutes, quick 20 seconds."""
    scale = QUICK if quick else FULL
    measured: dict[int, dict[str, list[float]]] = {}
    found: dict[str, list[bool]] = defaultdict(list)
    sizes: list[list[Cell]] = []
    few, many = scale.addresses
    with ExitStack() as opened:
        searching = {}
        for count in scale.addresses:
            database = opened.enter_context(cluster.database(stack, f"places_{count}"))
            connection = opened.enter_context(
                psycopg.connect(stack.db_url("postgres", database), autocommit=True)
            )
            if not sizes:
                circumstances = conditions.of(connection)
            say(f"Importing {count:,} addresses")
            began = time.perf_counter()
            _fill(connection, count)
            sizes.append(_sizes(connection, count, time.perf_counter() - began))
            searching[count] = (connection, list(typed(connection, scale.each)))
            measured[count] = defaultdict(list)
        say("Searching")
        for turn in range(scale.rounds + 1):
            for count, (connection, queries) in searching.items():
                for kind, known, q in queries:
                    seconds = timed(lambda: connection.execute(SEARCH, [q]).fetchone())  # noqa: B023
                    if turn:  # the first round warms the caches
                        measured[count][kind].append(seconds * 1e3)
                    elif count == many:
                        found[kind].append(_is_among(connection, known, q))
    every = {count: [ms for kind in kinds.values() for ms in kind] for count, kinds in measured.items()}
    rows: list[list[Cell]] = [
        [
            kind,
            *(
                f
                for count in scale.addresses
                for f in (median(measured[count][kind]), _p95(measured[count][kind]))
            ),
            f"{sum(found[kind])} of {len(found[kind])}",
        ]
        for kind in measured[many]
    ]
    rows.append(
        [
            "all of them",
            *(f for count in scale.addresses for f in (median(every[count]), _p95(every[count]))),
            None,
        ]
    )
    return Report(
        name="places",
        title="Suggestions from the local list",
        conditions=circumstances,
        tables=[
            Table("Size", ("addresses", "import, s", "table, MB", "indexes, MB", "words"), sizes),
            Table(
                "Milliseconds a suggestion",
                (
                    "what is typed",
                    f"p50 of {few:,}",
                    f"p95 of {few:,}",
                    f"p50 of {many:,}",
                    f"p95 of {many:,}",
                    f"found of {many:,}",
                ),
                rows,
            ),
        ],
        goals=[
            Goal(
                f"p95 under {MOST_MS} ms at {many:,} addresses",
                f"{_p95(every[many]):.1f} ms",
                None if quick else _p95(every[many]) < MOST_MS,
            )
        ],
        remarks=[
            f"{scale.each} queries of each kind, {scale.rounds} times, on one connection: HTTP is not in it.",
            "Found: the address that was meant is among the five. Three letters or a city don't say which.",
        ],
    )


def _fill(connection: psycopg.Connection[Any], count: int) -> None:
    for first in range(1, count + 1, AT_ONCE):
        connection.execute((FILL.read_text() % {"first": first}).encode())
    connection.execute("select worker.finish_address_list('bench', '2027-01-01')")
    connection.execute("vacuum private.addresses")


def _is_among(connection: psycopg.Connection[Any], known: Known, q: str) -> bool:
    row = connection.execute(SEARCH, [q]).fetchone()
    assert row
    return any((one["address_line1"], one["city"]) == (known.line, known.city) for one in row[0])


def _sizes(connection: psycopg.Connection[Any], count: int, seconds: float) -> list[Cell]:
    row = connection.execute(
        """
        select
            pg_table_size('private.addresses') / 2^20,
            pg_indexes_size('private.addresses') / 2^20,
            (select count(*) from private.address_words)
        """
    ).fetchone()
    assert row
    return [f"{count:,}", seconds, *row]


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(len(values) * 0.95) - 1]
