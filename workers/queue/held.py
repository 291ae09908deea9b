"""What a worker holds: the claimed messages, how far each has come, and the task that works on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from workers.queue.claims import Claim


class Stage(IntEnum):
    """How far a message has come. From SENDING on it can't be taken back: it may be out.

    BEGINNING: the database has been asked to mark it as being sent, its answer is not here yet.
    """

    WAITING = 0
    STARTED = 1
    BEGINNING = 2
    SENDING = 3
    SETTLING = 4


@dataclass(eq=False)
class Held:
    claim: Claim[Any]
    stage: Stage = Stage.WAITING
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Holdings:
    """The messages that are held, by msg_id."""

    def __init__(self) -> None:
        self._by_id: dict[int, Held] = {}
        self._fewer = asyncio.Event()

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Held]:
        return iter(list(self._by_id.values()))

    def __contains__(self, held: Held) -> bool:
        return self._by_id.get(held.claim.msg_id) is held

    def add(self, claim: Claim[Any]) -> Held:
        held = self._by_id[claim.msg_id] = Held(claim)
        return held

    def forget(self, held: Held) -> None:
        if held in self:
            del self._by_id[held.claim.msg_id]
            self._fewer.set()

    async def at_most(self, count: int) -> None:
        """Wait until no more than `count` are held."""
        while len(self) > count:
            self._fewer.clear()
            await self._fewer.wait()
