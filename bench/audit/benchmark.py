"""The same writes in two databases that differ in one thing: in one, no trigger records them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench import cluster, conditions
from bench.audit.single import CLIENTS, Write, rate
from bench.report import Cell, Goal, Report, Table
from bench.sampling import in_turns
from scripts.stack.layout import Stack

FILL = Path(__file__).with_name("fill.sql")
OWNER = "00000000-0000-4000-8000-000000000001"
WORKSPACE = "00000000-0000-4000-8000-000000000002"
PROPERTY = "00000000-0000-4000-8000-000000000003"
GOAL = 0.8
RECORDED, UNRECORDED = "recorded", "not recorded"


@dataclass(frozen=True)
class Scale:
    """`units` there are at first; a bulk statement writes `bulk`; single rows are written for `seconds` a round."""

    units: int
    bulk: int
    seconds: int
    rounds: int


FULL = Scale(units=20_000, bulk=10_000, seconds=4, rounds=6)
QUICK = Scale(units=2_000, bulk=1_000, seconds=1, rounds=2)


def run(stack: Stack, *, quick: bool, say: Callable[[str], None]) -> Report:
    """Takes about 4 minutes, quick 20 seconds."""
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
        singles = [_single(databases, write, scale) for write in _writes(scale)]
        say(f"{scale.bulk:,} rows in a statement")
        bulks = [_bulk(databases, name, statement, scale) for name, statement in _statements(scale).items()]
        sizes = _sizes(databases[RECORDED])
    columns = ("write", UNRECORDED, RECORDED, "ratio")
    return Report(
        name="audit",
        title="Recording every change",
        conditions=circumstances,
        tables=[
            Table(
                f"{CLIENTS} clients, a row a transaction: transactions a second, best round", columns, singles
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
            "A bulk statement goes past row-level security, as an import does, and is rolled back.",
        ],
    )


def _fill(connection: psycopg.Connection[Any], scale: Scale) -> None:
    values = {"owner": OWNER, "workspace": WORKSPACE, "property": PROPERTY, "units": scale.units}
    for statement in (FILL.read_text() % values).split(";\n"):
        connection.execute(statement.encode())


def _stop_recording(connection: psycopg.Connection[Any]) -> None:
    triggers = connection.execute(
        """select format('drop trigger %I on %s', tgname, tgrelid::regclass) from pg_trigger
        where tgfoid = 'private.record_changes'::regproc"""
    ).fetchall()
    for (statement,) in triggers:
        connection.execute(statement)


def _writes(scale: Scale) -> list[Write]:
    return [
        Write(
            "insert a unit",
            f"""insert into public.units (workspace_id, property_id, unit_number, bedrooms)
            values ('{WORKSPACE}', '{PROPERTY}', gen_random_uuid()::text, 2)""",
        ),
        Write(
            "insert a renter, personal values apart",
            f"""insert into public.tenants (workspace_id, first_name, last_name, email, phone)
            values ('{WORKSPACE}', 'Rae', 'Renter', gen_random_uuid() || '@bench.test', '555-0100')""",
        ),
        Write(
            "update a unit",
            """update public.units set bedrooms = bedrooms % 9 + 1
            where id = lpad(to_hex(:n::integer), 32, '0')::uuid""",
            rf"\set n random(1, {scale.units})",
        ),
    ]


def _statements(scale: Scale) -> dict[str, str]:
    return {
        "insert units": f"""insert into public.units (workspace_id, property_id, unit_number, bedrooms)
            select '{WORKSPACE}', '{PROPERTY}', 'bulk ' || n, 2 from generate_series(1, {scale.bulk}) as n""",
        "insert renters": f"""insert into public.tenants (workspace_id, first_name, last_name, email, phone)
            select '{WORKSPACE}', 'Rae', 'Renter', n || '@bulk.test', '555-0100'
            from generate_series(1, {scale.bulk}) as n""",
        "update units": f"""update public.units set bedrooms = bedrooms % 9 + 1
            where id <= lpad(to_hex({scale.bulk}), 32, '0')::uuid""",
    }


def _single(databases: dict[str, psycopg.Connection[Any]], write: Write, scale: Scale) -> list[Cell]:
    best = dict.fromkeys(databases, 0.0)
    names = list(databases)
    for turn in range(scale.rounds + 1):
        for name in names if turn % 2 == 0 else reversed(names):
            measured = rate(_url(databases[name]), write, OWNER, scale.seconds)
            if turn:
                best[name] = max(best[name], measured)
    return [write.name, best[UNRECORDED], best[RECORDED], best[RECORDED] / best[UNRECORDED]]


def _bulk(
    databases: dict[str, psycopg.Connection[Any]], name: str, statement: str, scale: Scale
) -> list[Cell]:
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
    return [name, without, recorded, recorded / without]


def _sizes(connection: psycopg.Connection[Any]) -> list[list[Cell]]:
    sizes: list[list[Cell]] = []
    for table in ("audit_entries", "audit_values"):
        row = connection.execute(
            f"select pg_total_relation_size('public.{table}') / greatest(count(*), 1) from public.{table}".encode()
        ).fetchone()
        assert row is not None
        sizes.append([table, int(row[0])])
    return sizes


def _url(connection: psycopg.Connection[Any]) -> str:
    info = connection.info
    return f"postgresql://{info.user}:{info.password}@{info.host}:{info.port}/{info.dbname}"
