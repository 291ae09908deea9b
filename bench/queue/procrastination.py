"""The same amount of nothing done by procrastinate: tasks that return at once, deferred in batches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from procrastinate import App, PsycopgConnector
from procrastinate.types import JSONValue

from bench.queue.consumers import Access, Count

DEFER = 1_000


def consume(access: Access, ready: Callable[[], object]) -> Count:
    """One worker process with its own defaults, but for the concurrency, until no job is left."""
    return asyncio.run(_consume(access, ready))


async def prepare(db_url: str, jobs: int) -> None:
    """Its schema, empty, and the jobs. Both are deferred in batches, the fastest way it has."""
    app = App(connector=PsycopgConnector(conninfo=db_url))
    app.task(name="nothing")(_nothing)
    async with app.open_async():
        if not await app.check_connection_async():
            await app.schema_manager.apply_schema_async()
        task = app.configure_task("nothing")
        for first in range(0, jobs, DEFER):
            numbers = range(first, min(first + DEFER, jobs))
            arguments: list[dict[str, JSONValue]] = [{"number": number} for number in numbers]
            await task.batch_defer_async(*arguments)


async def _consume(access: Access, ready: Callable[[], object]) -> Count:
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    count = Count()
    app = App(connector=PsycopgConnector(conninfo=access.db_url))

    async def nothing(number: int) -> None:
        count.messages += 1

    app.task(name="nothing")(nothing)
    async with app.open_async():
        ready()
        await app.run_worker_async(
            wait=False, concurrency=access.concurrency, install_signal_handlers=False, listen_notify=False
        )
    return count


async def _nothing(number: int) -> None:
    return None
