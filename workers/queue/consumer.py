"""The loop of a worker: claim, do a few at a time, settle; go on until told to stop, then drain."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, Generic

import structlog

from workers import crash_points
from workers.api_error import ApiError
from workers.queue.attempt import attempt, when_stopped
from workers.queue.claims import Claim, ItemT, WorkQueue
from workers.queue.handler import Handler, Pace, Prepared
from workers.queue.heartbeat import keep_leases
from workers.queue.held import Held, Holdings, Stage
from workers.queue.outage import Outage, ProviderAway
from workers.queue.outcomes import ClaimLost, NotYet, Outcome, Unavailable
from workers.queue.settlement import Settlement

log = structlog.get_logger()

FIRST_PAUSE = 0.1
LAST_WORDS = 5.0


class Consumer(Generic[ItemT, Prepared]):
    """Works on one queue; with `until_empty`, until nothing can be claimed any more.

    `settled` is told what became of each item: sent, or what the queue says of an answer; retry, failed,
    unknown, stale, released, waiting or lost.
    """

    def __init__(
        self,
        queue: WorkQueue[ItemT],
        handler: Handler[ItemT, Prepared],
        pace: Pace,
        *,
        until_empty: bool = False,
        settled: Callable[[str], None],
    ) -> None:
        self._queue = queue
        self._handler = handler
        self._pace = pace
        self._until_empty = until_empty
        self._holdings = Holdings()
        self._settlement = Settlement(queue, self._holdings, settled)
        self._settled = settled
        self._slots = asyncio.Semaphore(pace.concurrency)
        self._stopping = asyncio.Event()
        self._outage = Outage()

    def stop(self) -> None:
        """Claim no more, finish what is under way, give the rest back."""
        self._stopping.set()

    async def run(self) -> bool:
        """True when all that was claimed is settled or given back.

        Raises ApiError when the API refuses us; with `until_empty` also when it is away, and ProviderAway.
        """
        failure: Exception | None = None
        async with asyncio.TaskGroup() as group:
            background = [
                group.create_task(keep_leases(self._queue, self._holdings, self._lose)),
                group.create_task(self._settlement.run()),
            ]
            try:
                await self._claim_until_done(group)
            except (ApiError, ProviderAway) as error:
                failure = error
            await self._drain()
            for task in background:
                task.cancel()
        if failure:
            raise failure
        return len(self._holdings) == 0

    async def _claim_until_done(self, group: asyncio.TaskGroup) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            await self._unless_stopped(self._holdings.at_most(self._pace.batch // 2))
            if self._outage.error and self._until_empty:
                raise ProviderAway(self._outage.error)
            if self._outage.error:
                await self._unless_stopped(asyncio.sleep(self._outage.pause()))
            claims = [] if self._stopping.is_set() else await self._claim()
            for claim in claims:
                held = self._holdings.add(claim)
                held.task = group.create_task(self._work(held))
            if claims:
                pause = FIRST_PAUSE
            elif self._until_empty and not len(self._holdings) and not self._outage.error:
                return
            elif self._until_empty:
                await self._unless_stopped(self._holdings.at_most(0))
            else:
                await self._unless_stopped(asyncio.sleep(random.uniform(pause / 2, pause)))  # noqa: S311
                pause = min(pause * 2, self._pace.poll)

    async def _claim(self) -> list[Claim[ItemT]]:
        crash_points.reach("before_claim")
        room = self._pace.batch - len(self._holdings)
        try:
            claims = await self._queue.claim(room, patient=self._until_empty)
        except ApiError as error:
            if self._until_empty or not error.transient:
                raise
            log.warning("nothing claimed", error=str(error))
            return []
        if claims:
            crash_points.reach("after_claim")
        return claims

    async def _work(self, held: Held) -> None:
        async with self._slots:
            held.stage = Stage.STARTED
            try:
                outcome = await attempt(held, self._queue, self._handler, self._is_ours)
            except ClaimLost:
                self._lose(held)
                return
            except NotYet:
                self._put_off(held)
                return
        if held.stage is Stage.SETTLING:
            return
        self._settlement.put(held, outcome)
        if isinstance(outcome, Unavailable):
            if not self._outage.error:
                log.warning("the provider is away, pausing", error=outcome.error)
            self._outage.began(outcome.error)
            self._give_back(outcome)
        else:
            self._outage.over()

    def _is_ours(self, held: Held) -> bool:
        # A task that was cancelled may go on for a while: before Python 3.12, asyncio.wait_for swallows that.
        return held in self._holdings and held.stage < Stage.SETTLING

    def _lose(self, held: Held) -> None:
        if self._is_ours(held):
            log.warning("claim lost", msg_id=held.claim.msg_id, **held.claim.item.described())
            self._holdings.forget(held)
            self._settled("lost")
            if held.task and held.task is not asyncio.current_task():
                held.task.cancel()

    def _put_off(self, held: Held) -> None:
        if self._is_ours(held):
            self._holdings.forget(held)
            self._settled("waiting")

    def _give_back(self, reason: Unavailable) -> None:
        """Release what is claimed but not started."""
        for held in self._holdings:
            if held.stage is Stage.WAITING:
                self._settle_instead(held, reason)

    def _settle_instead(self, held: Held, outcome: Outcome) -> None:
        if held.task:
            held.task.cancel()
        self._settlement.put(held, outcome)

    async def _drain(self) -> None:
        self._give_back(Unavailable("the worker was stopped"))
        under_way = [held.task for held in self._holdings if held.task and not held.task.done()]
        if under_way:
            await asyncio.wait(under_way, timeout=self._pace.drain)
        for held in self._holdings:
            if held.stage < Stage.SETTLING:
                self._settle_instead(held, when_stopped(held.stage))
        try:
            async with asyncio.timeout(LAST_WORDS):
                await self._holdings.at_most(0)
        except TimeoutError:
            log.error("stopped before all outcomes were recorded", unsettled=len(self._holdings))

    async def _unless_stopped(self, waiting: Coroutine[Any, Any, None]) -> None:
        """Wait for that, or for stop()."""
        tasks = [asyncio.ensure_future(waiting), asyncio.ensure_future(self._stopping.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
