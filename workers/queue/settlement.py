"""Tells the database what became of messages: many in one call, again and again until it has answered."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import structlog

from workers.api_error import ApiError
from workers.queue.claims import Claim, Failure, WorkQueue
from workers.queue.held import Held, Holdings, Stage
from workers.queue.outcomes import Done, Outcome, Sent, Unavailable

log = structlog.get_logger()

MOST_AT_ONCE = 100
LONGEST_PAUSE = 5.0

Told = TypeVar("Told", bound=tuple[Claim[Any], Any])


class Settlement:
    """Settles held messages in the background. While one call is under way the next batch gathers."""

    def __init__(self, queue: WorkQueue[Any], holdings: Holdings, settled: Callable[[str], None]) -> None:
        self._queue = queue
        self._holdings = holdings
        self._settled = settled
        self._waiting: asyncio.Queue[tuple[Held, Outcome]] = asyncio.Queue()

    def put(self, held: Held, outcome: Outcome) -> None:
        held.stage = Stage.SETTLING
        self._waiting.put_nowait((held, outcome))

    async def run(self) -> None:
        """Settle whatever is put, until cancelled."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < MOST_AT_ONCE and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._settle(batch)

    async def _settle(self, batch: Sequence[tuple[Held, Outcome]]) -> None:
        done = [(held.claim, outcome) for held, outcome in batch if isinstance(outcome, Done)]
        released = [(held.claim, outcome) for held, outcome in batch if isinstance(outcome, Unavailable)]
        failed = [(held.claim, outcome) for held, outcome in batch if isinstance(outcome, Failure)]
        outcomes: dict[int, str] = {}
        if done:
            outcomes |= await self._until_answered(self._queue.complete, done)
        if failed:
            outcomes |= await self._until_answered(self._queue.fail, failed)
        if released:
            outcomes |= await self._until_answered(self._release, released)
        for held, outcome in batch:
            self._holdings.forget(held)
            self._report(held.claim, outcome, outcomes.get(held.claim.msg_id, "unsettled"))

    async def _release(self, released: Sequence[tuple[Claim[Any], Unavailable]]) -> dict[int, str]:
        await self._queue.release(released)
        return {claim.msg_id: "released" for claim, _ in released}

    async def _until_answered(
        self, call: Callable[[Sequence[Told]], Awaitable[dict[int, str]]], items: Sequence[Told]
    ) -> dict[int, str]:
        """The call's answer, however long the API is away. A refused batch is told item by item."""
        pause = 0.2
        while True:
            try:
                return await call(items)
            except ApiError as error:
                if error.transient:
                    log.warning("outcomes not recorded yet", error=str(error), count=len(items))
                elif len(items) == 1:
                    # Not the outcome itself: what a provider told has no place in a log.
                    claim = items[0][0]
                    log.error(
                        "outcome refused", error=str(error), msg_id=claim.msg_id, **claim.item.described()
                    )
                    return {}
                else:
                    each = [await self._until_answered(call, [item]) for item in items]
                    return {msg_id: outcome for one in each for msg_id, outcome in one.items()}
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311
            pause = min(pause * 2, LONGEST_PAUSE)

    def _report(self, claim: Claim[Any], outcome: Outcome, recorded: str) -> None:
        known = isinstance(outcome, Done) and recorded not in ("stale", "unsettled", "failed")
        result = "sent" if known and isinstance(outcome, Sent) else recorded
        self._settled(result)
        level = log.info if known or result == "released" else log.warning
        level(
            f"{self._queue.noun} {result}",
            msg_id=claim.msg_id,
            **claim.item.described(),
            error=getattr(outcome, "error", None),
        )
