"""Keeps the leases of held messages alive, and lets go of those that are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from workers.api_error import ApiError
from workers.queue.claims import WorkQueue
from workers.queue.held import Held, Holdings, Stage

log = structlog.get_logger()


async def keep_leases(queue: WorkQueue[Any], holdings: Holdings, lost: Callable[[Held], None]) -> None:
    """Extend all leases every third of their length, until cancelled.

    `lost` is told of messages whose lease is lost, unless their sending has begun: those run to their end,
    and what becomes of them is told under the old fence, which the database knows to weigh.
    """
    while True:
        await asyncio.sleep(queue.lease_seconds / 3)
        held = [one for one in holdings if one.stage < Stage.SETTLING]
        if not held:
            continue
        try:
            kept = await queue.extend([one.claim for one in held])
        except ApiError as error:
            log.warning("leases not extended", error=str(error), held=len(held))
            continue
        for one in held:
            if one.claim.msg_id not in kept and one.stage < Stage.SENDING:
                lost(one)
