"""What a consumer asks of those who do the work, and at what pace it gives it to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from workers.queue.claims import Message
from workers.queue.outcomes import Outcome

Prepared = TypeVar("Prepared")
Begin = Callable[[], Awaitable[None]]


class Handler(Protocol[Prepared]):
    """Turns a message into something to send, and sends it."""

    def prepare(self, message: Message) -> Prepared:
        """All that can fail because of the message itself: an exception fails this message and no other."""

    async def send(self, prepared: Prepared, begin: Begin) -> Outcome:
        """Await `begin` once, at the last moment at which nothing has left; let its exceptions pass."""


@dataclass(frozen=True)
class Pace:
    """Messages held at a time and sent at once; the longest pause when idle, the time to drain (seconds)."""

    batch: int = 100
    concurrency: int = 10
    poll: float = 5.0
    drain: float = 20.0
