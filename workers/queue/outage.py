"""What to do while a provider is away: nothing, for longer and longer, until it takes a message again."""

from __future__ import annotations

import random

LONGEST = 60.0


class ProviderAway(Exception):
    """The provider takes no message at all; those that were claimed are given back, no try counted."""


class Outage:
    def __init__(self) -> None:
        self.error: str | None = None
        self._pause = 1.0

    def began(self, error: str) -> None:
        self.error = error

    def over(self) -> None:
        """A message got through, or was refused for its own sake."""
        self.error = None
        self._pause = 1.0

    def pause(self) -> float:
        """Seconds to wait before the provider is tried again: half to full 1, 2, 4, … 60."""
        self.error = None
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST)
        return random.uniform(pause / 2, pause)  # noqa: S311
