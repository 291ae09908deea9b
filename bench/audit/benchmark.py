"""The same writes in two databases that differ in one thing: in one, no trigger records them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import psycopg

from bench import cluster, conditions
from bench.audit.clients import CLIENTS, Pace, pace
from bench.report import Cell, Goal, Report, Table
from bench.sampling import in_turns
from scripts.stack.layout import Stack

HERE = Path(__file__).parent
SINGLE, BULK = sorted(HERE.glob("single/*.sql")), sorted(HERE.glob("bulk/*.sql"))
OWNER = "00000000-0000-4000-8000-000000000001"
WORKSPACE = "00000000-0000-4000-8000-000000000002"
PROPERTY = "00000000-0000-4000-8000-000000000003"
GOAL = 0.8
RECORDED, UNRECORDED = "recorded", "not recorded"


@dataclass(frozen=True)
class Scale:
    """Units at first, rows in a bulk statement, and for how long single rows are written in a round."""

    units: int
    bulk: int
    seconds: int
    rounds: int


FULL = Scale(units=20_000, bulk=10_000, seconds=3, rounds=10)
QUICK = Scale(units=2_000, bulk=1_000, seconds=1, rounds=2)


def run(stack: Stack, *, quick: bool, say: Callable[[str], None]) -> Report:
    """Takes about 5 minutes, quick 20 seconds."""
    scale = QUICK if quick else FULL
    with ExitStack() as opened:
        databases: dict[str, psycopg.Connection[Any]] = {}
        for name in (RECORDED, UNRECORDED):
            database = opened.enter_context(cluster.database(stack, f"audit_{name.replace(' ', '_')}"))
            databases[name] = opened.enter_context(
                psycopg.connect(stack.db_url(database=database), autocommit=True)
            )
            _fill(databases[name], scale)
        circumstances = conditions.of(databases[RECORDED], clients=str(CLIENTS))
        _stop_recording(databases[UNRECORDED])
        say("Single rows")
        postmaster = psutil.Process(int((stack.data / "postmaster.pid").read_text().split()[0]))
        singles = [_single(databases, postmaster, path, scale) for path in SINGLE]
        say(f"{scale.bulk:,} rows in a statement")
        bulks = [_bulk(databases, path, scale) for path in BULK]
        sizes = _sizes(databases[RECORDED])
    columns = ("write", UNRECORDED, RECORDED, "ratio")
    return Report(
        name="audit",
        title="Recording every change",
        conditions=circumstances,
        tables=[
            Table(
                f"{CLIENTS} clients, a row a transaction: transactions a second, best of {scale.rounds};"
                " and the server's CPU for one, in microseconds, median",
                (*columns, f"CPU, {UNRECORDED}", f"CPU, {RECORDED}", "ratio of CPU"),
                singles,
            ),
            Table(f"{scale.bulk:,} rows in one statement: rows a second, best round", columns, bulks),
            Table("What an entry takes", ("table", "bytes an entry"), sizes),
        ],
        goals=[
            Goal(f"{row[0]}: at least {GOAL} x the throughput", f"{row[3]:.2f} x", float(row[3] or 0) >= GOAL)
            for row in singles
        ],
        remarks=[
            "Every transaction sets role and claims, and goes through row-level security, as a request does.",
            "CPU is that of all processes of the server, without the clients'. Programs that run at the same"
            " time disturb it less than they do the throughput.",
            "A bulk statement goes past row-level security, as an import does, and is rolled back.",
        ],
    )


def _fill(connection: psycopg.Connection[Any], scale: Scale) -> None:
    for statement in _statement(HERE / "fill.sql", scale).split(";\n"):
        connection.execute(statement.encode())


def _statement(path: Path, scale: Scale) -> str:
    return path.read_text() % {
        "owner": OWNER,
        "workspace": WORKSPACE,
        "property": PROPERTY,
        "units": scale.units,
        "bulk": scale.bulk,
    }


def _stop_recording(connection: psycopg.Connection[Any]) -> None:
    triggers = connection.execute(
        """select format('drop trigger %I on %s', tgname, tgrelid::regclass) from pg_trigger
        where tgname in ('record_inserts', 'record_updates', 'record_deletes')"""
    ).fetchall()
    for (statement,) in triggers:
        connection.execute(statement)


def _single(
    databases: dict[str, psycopg.Connection[Any]], postmaster: psutil.Process, path: Path, scale: Scale
) -> list[Cell]:
    statement = _statement(path, scale)
    paces: dict[str, list[Pace]] = {name: [] for name in databases}
    names = list(databases)
    for turn in range(scale.rounds + 1):
        for name in names if turn % 2 == 0 else reversed(names):
            measured = pace(_url(databases[name]), postmaster, statement, OWNER, scale.units, scale.seconds)
            if turn:
                paces[name].append(measured)
    best = {name: max(one.rate for one in found) for name, found in paces.items()}
    cpu = {name: median(one.cpu for one in found) for name, found in paces.items()}
    return [
        _name(path),
        best[UNRECORDED],
        best[RECORDED],
        best[RECORDED] / best[UNRECORDED],
        cpu[UNRECORDED],
        cpu[RECORDED],
        cpu[UNRECORDED] / cpu[RECORDED],
    ]


def _bulk(databases: dict[str, psycopg.Connection[Any]], path: Path, scale: Scale) -> list[Cell]:
    statement = _statement(path, scale)

    def writing(connection: psycopg.Connection[Any]) -> Callable[[], object]:
        def write() -> None:
            with connection.transaction(force_rollback=True):
                connection.execute(statement.encode())

        return write

    samples = in_turns(
        {contender: writing(connection) for contender, connection in databases.items()},
        rounds=scale.rounds,
        budget=60,
        tidy=lambda contender: databases[contender].execute("vacuum public.units, public.tenants"),
    )
    without, recorded = (scale.bulk / samples[contender].best for contender in (UNRECORDED, RECORDED))
    return [_name(path), without, recorded, recorded / without]


def _sizes(connection: psycopg.Connection[Any]) -> list[list[Cell]]:
    sizes: list[list[Cell]] = []
    for table in ("audit_entries", "audit_values"):
        row = connection.execute(
            f"select pg_total_relation_size('public.{table}') / count(*) from public.{table}".encode()  # noqa: S608
        ).fetchone()
        assert row is not None
        sizes.append([table, int(row[0])])
    return sizes


def _name(path: Path) -> str:
    return path.stem.replace("_", " ")


def _url(connection: psycopg.Connection[Any]) -> str:
    info = connection.info
    return f"postgresql://{info.user}:{info.password}@{info.host}:{info.port}/{info.dbname}"
