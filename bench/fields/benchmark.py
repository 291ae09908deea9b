"""Values written with their check and without; filters as a member, and past row security with an index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench import cluster, conditions
from bench.report import Cell, Goal, Report, Table
from bench.rls.claims import claims
from bench.sampling import in_turns
from scripts.stack.layout import Stack

FILL = Path(__file__).with_name("fill.sql")
MEMBER = "00000000-0000-4000-8000-000000000001"
CHECK = "check_custom_fields_on_insert on public.property_custom_fields"
MOST = 2.0
WRITE = """
    insert into public.property_custom_fields (workspace_id, property_id, fields)
    select
        workspace_id,
        id,
        '{"code": "C1", "heating": "gas", "floors": 3, "painted_on": "2024-05-01", "pool": true}'
    from public.properties
"""
# As PostgREST writes them.
FILTERS = {
    "text that 10 of the workspace's rows have (->>)": "fields ->> 'code' = 'C77'",
    "the same by containment (@>)": """fields @> '{"code": "C77"}'""",
    "a number compared as such (->)": "fields -> 'floors' > '29'",
}


@dataclass(frozen=True)
class Scale:
    """Rows with values: in the member's workspace, in so many others, and how many are written at once."""

    large: int
    others: int
    small: int
    batch: int
    rounds: int


FULL = Scale(large=100_000, others=900, small=1_000, batch=10_000, rounds=12)
QUICK = Scale(large=5_000, others=20, small=1_000, batch=1_000, rounds=5)


def run(stack: Stack, *, quick: bool, say: Callable[[str], None]) -> Report:
    """Takes about 2 minutes, quick 10 seconds."""
    scale = QUICK if quick else FULL
    with (
        cluster.database(stack, "fields") as database,
        cluster.superuser(stack, database) as connection,
    ):
        total = scale.large + scale.others * scale.small
        circumstances = conditions.of(connection, rows=f"{scale.large:,} of {total:,}")
        say(f"Filling {total:,} rows of values")
        cluster.fill(connection, FILL, **asdict(scale))
        say("Writing")
        written = in_turns(
            {checked: _writing(connection, scale.batch, checked) for checked in (False, True)},
            rounds=scale.rounds,
            budget=30,
            tidy=lambda _: connection.execute("vacuum public.property_custom_fields"),
        )
        say("Filtering")
        read = in_turns(
            {name: _reading(connection, where) for name, where in FILTERS.items()},
            rounds=scale.rounds,
            budget=30,
        )
        connection.execute(
            "create index fields_idx on public.property_custom_fields using gin (fields jsonb_path_ops)"
        )
        connection.execute("analyze public.property_custom_fields")
        indexed = in_turns(
            {"with it": _reading(connection, FILTERS["the same by containment (@>)"])},
            rounds=scale.rounds,
            budget=30,
        )["with it"]
    bare, checked = written[False].best, written[True].best
    filters: list[list[Cell]] = [
        [name, sample.best * 1e3, sample.middle * 1e3] for name, sample in read.items()
    ]
    filters.append(["containment, with a GIN index on fields", indexed.best * 1e3, indexed.middle * 1e3])
    return Report(
        name="fields",
        title="Custom fields",
        conditions=circumstances,
        tables=[
            Table(
                f"{scale.batch:,} rows of 5 values written at once, recorded in the change log",
                ("", "best, ms", "median, ms", "ratio", "rows a second"),
                [
                    ["not checked", bare * 1e3, written[False].middle * 1e3, 1.0, scale.batch / bare],
                    [
                        "checked",
                        checked * 1e3,
                        written[True].middle * 1e3,
                        checked / bare,
                        scale.batch / checked,
                    ],
                ],
            ),
            Table(
                f"a filter over {scale.large:,} rows of the member's workspace, among {total:,}",
                ("", "best, ms", "median, ms"),
                filters,
            ),
        ],
        goals=[
            Goal(f"checked in at most {MOST} x the time", f"{checked / bare:.2f} x", checked / bare <= MOST)
        ],
        remarks=[
            "Each write was rolled back, and its dead rows vacuumed outside the measured time.",
            "Filters run as a member of the large workspace alone: the index makes no difference to them,"
            " since row security has to be asked before an operator that is not leakproof.",
        ],
    )


def _writing(connection: psycopg.Connection[Any], rows: int, checked: bool) -> Callable[[], object]:
    """The write in a transaction that is rolled back, with the check's trigger or without."""

    def write() -> None:
        with connection.transaction(force_rollback=True):
            if not checked:
                trigger, table = CHECK.split(" on ")
                connection.execute(f"alter table {table} disable trigger {trigger}".encode())
            if connection.execute(WRITE.encode()).rowcount != rows:
                raise RuntimeError("not all rows were written")

    return write


def _reading(connection: psycopg.Connection[Any], where: str) -> Callable[[], object]:
    """The filter as the member's request runs it."""

    def read() -> None:
        with connection.transaction(force_rollback=True):
            connection.execute(
                "select set_config('role', 'authenticated', true),"
                " set_config('request.jwt.claims', %s, true)",
                [claims(MEMBER)],
            )
            found = connection.execute(
                f"select property_id from public.property_custom_fields where {where}".encode()  # noqa: S608 - ours
            )
            if found.rowcount == 0:
                raise RuntimeError(f"nothing matched {where}")

    return read
