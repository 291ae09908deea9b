"""What a consumer asks of those who do the work, and at what pace it gives it to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from workers.queue.claims import Item
from workers.queue.outcomes import Outcome

ItemT = TypeVar("ItemT", bound=Item, contravariant=True)
Prepared = TypeVar("Prepared")
Begin = Callable[[], Awaitable[None]]


class Handler(Protocol[ItemT, Prepared]):
    """Turns an item into something to send or to ask, and does so."""

    def prepare(self, item: ItemT, /) -> Prepared:
        """All that can fail because of the item itself: an exception fails this item and no other."""

    async def send(self, prepared: Prepared, begin: Begin) -> Outcome:
        """Await `begin` once, at the last moment at which nothing has left; let its exceptions pass."""


@dataclass(frozen=True)
class Pace:
    """Items held at a time and sent at once; the longest pause when idle, the time to drain (seconds)."""

    batch: int = 100
    concurrency: int = 10
    poll: float = 5.0
    drain: float = 20.0
