"""The contenders: each takes all that is in its queue, a batch at a time where it can, and counts."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from yarl import URL

from workers.queue.messages import MessageQueue
from workers.queue.outcomes import Sent
from workers.supabase_api import WorkerApi

LEASE = 30


@dataclass(frozen=True)
class Access:
    """How a consumer reaches what it consumes, and how much it takes at a time.

    `api_url` is the gateway's, `rest_url` PostgREST's own; `concurrency` is procrastinate's.
    """

    api_url: str
    rest_url: str
    db_url: str
    anon_key: str
    worker_key: str
    batch: int = 100
    concurrency: int = 1


@dataclass
class Count:
    """Messages done, and the seconds that each kind of call took in all."""

    messages: int = 0
    calls: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def timed(self, name: str, began: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


Consumer = Callable[[Access, Callable[[], object]], Count]


def through_gateway(access: Access, ready: Callable[[], object]) -> Count:
    """As a worker does it: claim a batch, complete the batch, over HTTP."""
    return asyncio.run(_through_api(api(access), access.batch, ready))


def through_postgrest(access: Access, ready: Callable[[], object]) -> Count:
    """The same without the gateway in between."""
    direct = api(access)
    direct._postgrest.base_url = URL(access.rest_url)
    return asyncio.run(_through_api(direct, access.batch, ready))


def by_sql(access: Access, ready: Callable[[], object]) -> Count:
    """The same functions without HTTP."""
    count = Count()
    with psycopg.connect(access.db_url, autocommit=True) as connection:
        connection.execute("set role worker")
        claim = "select worker.claim_messages('email', %s, %s)"
        complete = "select worker.complete_messages('email', %s)"
        ready()
        while claims := _first(connection.execute(claim, (access.batch, LEASE), prepare=True)):
            items = [
                {"msg_id": it["msg_id"], "read_ct": it["read_ct"], "message_id": it["message"]["id"]}
                for it in claims
            ]
            count.messages += len(_first(connection.execute(complete, (json.dumps(items),), prepare=True)))
            count.calls += 2
    return count


def bare_pgmq(access: Access, ready: Callable[[], object]) -> Count:
    """Only pgmq's read and delete: no message is loaded, no status written, no fence looked at."""
    count = Count()
    with psycopg.connect(access.db_url, autocommit=True) as connection:
        read = "select array_agg(msg_id) from pgmq.read('email', %s, %s)"
        delete = "select count(*) from pgmq.delete('email', %s::bigint[])"
        ready()
        while ids := _first(connection.execute(read, (LEASE, access.batch), prepare=True)):
            count.messages += _first(connection.execute(delete, (ids,), prepare=True))
            count.calls += 2
    return count


async def _through_api(client: WorkerApi, batch: int, ready: Callable[[], object]) -> Count:
    count = Count()
    async with client:
        queue = MessageQueue(client, "email", lease_seconds=LEASE)
        await queue.length()
        ready()
        while claims := await _timed(count, "claim", queue.claim(batch)):
            count.messages += len(
                await _timed(count, "complete", queue.complete([(claim, Sent()) for claim in claims]))
            )
            count.calls += 2
    return count


async def _timed(count: Count, name: str, call: Awaitable[Any]) -> Any:
    began = time.perf_counter()
    try:
        return await call
    finally:
        count.timed(name, began)


def api(access: Access) -> WorkerApi:
    return WorkerApi(access.api_url, anon_key=access.anon_key, worker_key=access.worker_key)


def _first(cursor: psycopg.Cursor[Any]) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None
