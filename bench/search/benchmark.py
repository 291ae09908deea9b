"""The same queries at 10,000 and at 1,000,000 rows, as a member of the large workspace, in one run."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from bench import cluster, conditions
from bench.acting import act_as
from bench.report import Cell, Goal, Report, Table
from bench.sampling import timed
from bench.search.queries import of_the_large_workspace
from scripts.stack.layout import Stack

FILL = Path(__file__).with_name("fill.sql")
MOST_MS = 50


@dataclass(frozen=True)
class Scale:
    """`entries`: rows that can be found. `least`: how many the large workspace has of the fewer."""

    entries: tuple[int, int]
    least: int
    each: int
    rounds: int


FULL = Scale(entries=(10_000, 1_000_000), least=5_000, each=20, rounds=3)
QUICK = Scale(entries=(5_000, 50_000), least=2_500, each=5, rounds=2)


def run(stack: Stack, *, quick: bool, say: Callable[[str], None]) -> Report:
    """Takes about 3 minutes, quick 20 seconds."""
    scale = QUICK if quick else FULL
    measured: dict[int, dict[str, list[float]]] = {}
    sizes: list[list[Cell]] = []
    with ExitStack() as opened:
        searching = {}
        for entries in scale.entries:
            database = opened.enter_context(cluster.database(stack, f"search_{entries}"))
            connection = opened.enter_context(cluster.superuser(stack, database))
            if not sizes:
                circumstances = conditions.of(connection)
            say(f"Filling {entries:,} rows")
            cluster.fill(connection, FILL, entries=entries, least=scale.least)
            sizes.append(_sizes(connection, entries))
            queries = of_the_large_workspace(connection, scale.each)
            member = str(_one(connection, "select bench.id('user', 1)"))
            # As PostgREST takes up the role for a request, its settings included.
            connection.execute("set random_page_cost = 1.1")
            act_as(connection, member)
            searching[entries] = (connection, queries)
            measured[entries] = defaultdict(list)
        say("Searching")
        for turn in range(scale.rounds + 1):
            for entries, (connection, queries) in searching.items():
                for kind, q in queries:
                    seconds = timed(_searching(connection, q))
                    if turn:  # the first round warms the caches
                        measured[entries][kind].append(seconds * 1e3)
    few, many = scale.entries
    every = {entries: [ms for kind in kinds.values() for ms in kind] for entries, kinds in measured.items()}
    rows: list[list[Cell]] = [
        [
            kind,
            *(
                figure
                for entries in scale.entries
                for figure in (median(measured[entries][kind]), _p95(measured[entries][kind]))
            ),
        ]
        for kind in measured[many]
    ]
    rows.append(
        [
            "all of them",
            *(f for entries in scale.entries for f in (median(every[entries]), _p95(every[entries]))),
        ]
    )
    return Report(
        name="search",
        title="Search",
        conditions=circumstances,
        tables=[
            Table("Size", ("rows", "of the large workspace", "entries, MB", "index, MB"), sizes),
            Table(
                "Milliseconds a query, as a member of the large workspace",
                (
                    "what is typed",
                    f"p50 of {few:,}",
                    f"p95 of {few:,}",
                    f"p50 of {many:,}",
                    f"p95 of {many:,}",
                ),
                rows,
            ),
        ],
        goals=[
            Goal(
                f"p95 under {MOST_MS} ms at {many:,} rows",
                f"{_p95(every[many]):.1f} ms",
                _p95(every[many]) < MOST_MS,
            )
        ],
        remarks=[
            f"{scale.each} queries of each kind, {scale.rounds} times, on one connection as authenticated:"
            " row security is on, HTTP is not in it.",
            "Other workspaces have entries without their rows: search reads the rows that it answers alone.",
        ],
    )


def _searching(connection: psycopg.Connection[Any], q: str) -> Callable[[], object]:
    return lambda: connection.execute("select public.search(%s)", [q]).fetchone()


def _sizes(connection: psycopg.Connection[Any], entries: int) -> list[Cell]:
    row = connection.execute(
        """
        select
            (select count(*) from private.search_entries where workspace_id = bench.id('workspace', 1)),
            pg_table_size('private.search_entries') / 2^20,
            pg_relation_size('private.search_entries_tokens_idx') / 2^20
        """
    ).fetchone()
    assert row
    return [f"{entries:,}", *row]


def _one(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row
    return row[0]


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(len(values) * 0.95) - 1]
