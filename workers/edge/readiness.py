"""Whether what the service can't do without answers; asked at most every 5 s, however many want to know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from workers.api_error import ApiError
from workers.edge.key_set import KeySet
from workers.worker_rpc import WorkerRpc

ASKED_EVERY = 5.0

Check = Callable[[], Awaitable[str | None]]


class Readiness:
    """`checks` by name: each answers what is wrong, or None. All who ask at once get one answer."""

    def __init__(self, checks: Mapping[str, Check], clock: Callable[[], float] = time.monotonic) -> None:
        self._checks = checks
        self._clock = clock
        self._asking = asyncio.Lock()
        self._found: dict[str, Any] = {}
        self._until = float("-inf")

    async def found(self) -> dict[str, Any]:
        async with self._asking:
            if self._clock() >= self._until:
                problems = await asyncio.gather(*(check() for check in self._checks.values()))
                self._found = {
                    name: {"status": "fail", "detail": problem} if problem else {"status": "pass"}
                    for name, problem in zip(self._checks, problems, strict=True)
                }
                self._until = self._clock() + ASKED_EVERY
            return self._found


def api(rpc: WorkerRpc) -> Check:
    async def check() -> str | None:
        try:
            await rpc("health")
        except ApiError as error:
            return f"{error.message.rstrip('.')} ({error.code})"
        return None

    return check


def keys(key_set: KeySet) -> Check:
    async def check() -> str | None:
        return None if await key_set.ready() else "the key set can't be had"

    return check
