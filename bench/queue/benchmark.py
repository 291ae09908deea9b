"""Fill, let each contender empty its queue in turns, tell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from bench import cluster, conditions
from bench.queue import consumers, procrastination, tables
from bench.queue.consumers import Access, Consumer
from bench.queue.crew import WORKERS, Shift, work
from bench.queue.mailing import mail
from bench.queue.tables import BARE, GATEWAY, ONE_BY_ONE, POSTGREST, SQL, Found
from bench.report import Cell, Report
from bench.sampling import Sample
from scripts.stack import postgres, supervise
from scripts.stack.layout import HOST, Stack
from workers.queue.messages import MessageQueue
from workers.queue.outcomes import Sent

FILL = Path(__file__).with_name("fill.sql")
OURS: Mapping[str, Consumer] = {
    GATEWAY: consumers.through_gateway,
    POSTGREST: consumers.through_postgrest,
    SQL: consumers.by_sql,
    BARE: consumers.bare_pgmq,
}


@dataclass(frozen=True)
class Scale:
    """Messages and jobs a run. `concurrencies`: those that procrastinate may try."""

    messages: int
    jobs: int
    mails: int
    rounds: int
    concurrencies: tuple[int, ...]


FULL = Scale(messages=40_000, jobs=4_000, mails=1_000, rounds=3, concurrencies=(1, 5, 20))
QUICK = Scale(messages=8_000, jobs=600, mails=100, rounds=1, concurrencies=(5,))


def run(stack: Stack, *, quick: bool, say: Callable[[str], None]) -> Report:
    """Takes about 3 minutes, quick 20 seconds."""
    scale = QUICK if quick else FULL
    access = Access(
        api_url=stack.api_url,
        rest_url=f"http://{HOST}:{stack.ports.postgrest}",
        db_url=stack.db_url(),
        anon_key=stack.keys.anon_key,
        worker_key=stack.keys.worker_key,
    )
    parts = {part.name: part.pid for part in supervise.status(stack) if part.pid}
    shifts: dict[str, list[Shift]] = {}
    with cluster.superuser(stack, "postgres") as connection:
        circumstances = conditions.of(
            connection, workers=f"{WORKERS} processes", messages=f"{scale.messages:,} a run"
        )
        for turn in range(scale.rounds):
            say(f"Round {turn + 1} of {scale.rounds}")
            for name, consumer in OURS.items():
                _fill(connection, scale.messages)
                shifts.setdefault(name, []).append(_all(work(consumer, access, parts), scale.messages))
            _fill(connection, scale.jobs)
            shift = work(consumers.through_gateway, replace(access, batch=1), parts)
            shifts.setdefault(ONE_BY_ONE, []).append(_all(shift, scale.jobs))
            for name, shift in _procrastinate(stack, access, parts, scale).items():
                shifts.setdefault(name, []).append(shift)
        hot = _hot(connection)
        say("Sending mails with one worker")
        _fill(connection, scale.mails)
        mailing = mail(access, scale.mails)
        latency = _latency(connection, access)
    found = Found(shifts, mailing, latency, hot)
    return Report(
        name="queue",
        title="The queue",
        conditions=circumstances,
        tables=tables.of(found),
        goals=tables.goals(found),
        remarks=[
            "All contenders ran in turns; each emptied a queue that was filled before.",
            f"procrastinate: {WORKERS} processes with its defaults but for the concurrency; no-op tasks.",
            "An idle worker looks again after 0.1 s at first, and after WORKER_POLL_SECONDS at most.",
        ],
    )


def _fill(connection: psycopg.Connection[Any], messages: int) -> None:
    for statement in (FILL.read_text() % {"messages": messages}).split(";\n"):
        connection.execute(statement.encode())


def _all(shift: Shift, expected: int) -> Shift:
    if shift.messages != expected:
        raise RuntimeError(f"{shift.messages} of {expected} messages were completed")
    return shift


def _procrastinate(
    stack: Stack, access: Access, parts: Mapping[str, int], scale: Scale
) -> Mapping[str, Shift]:
    result = {}
    for concurrency in scale.concurrencies:
        url = postgres.create_database(stack, "procrastinate")
        asyncio.run(procrastination.prepare(url, scale.jobs))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("vacuum (analyze) procrastinate_jobs")
        theirs = replace(access, db_url=url, concurrency=concurrency)
        shift = work(procrastination.consume, theirs, parts)
        result[f"procrastinate, {concurrency} at once"] = _all(shift, scale.jobs)
        postgres.drop_database(stack, "procrastinate")
    return result


def _hot(connection: psycopg.Connection[Any]) -> list[list[Cell]]:
    rows = connection.execute(
        """
        select schemaname || '.' || relname, n_tup_upd, n_tup_hot_upd
        from pg_stat_user_tables
        where relid in ('public.messages'::regclass, 'pgmq.q_email'::regclass)
        order by 1 desc
        """
    ).fetchall()
    return [[name, updates, f"{hot / max(updates, 1):.0%}"] for name, updates, hot in rows]


def _latency(connection: psycopg.Connection[Any], access: Access) -> Sample:
    """From the commit that queues a message to its claim in the hands of a worker that asks at once."""
    _fill(connection, 50)
    ids = connection.execute("delete from pgmq.q_email returning message").fetchall()

    async def measure() -> Sample:
        seconds = []
        async with consumers.api(access) as api:
            queue = MessageQueue(api, "email", lease_seconds=consumers.LEASE)
            for (message,) in ids:
                connection.execute("select pgmq.send('email', %s)", [Jsonb(message)])
                began = time.perf_counter()
                claims = await queue.claim(1)
                seconds.append(time.perf_counter() - began)
                await queue.complete([(claim, Sent()) for claim in claims])
        return Sample(tuple(seconds))

    return asyncio.run(measure())
