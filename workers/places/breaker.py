"""A circuit breaker: a service that keeps failing is left alone for a while, then tried with one call."""

from __future__ import annotations

import random
import time
from collections.abc import Callable


class Breaker:
    """Opens after `failures` in a row, for `pause` seconds, doubling to `longest` while tries fail.

    When a pause is over, one call goes through and decides; the others wait for its outcome elsewhere.
    """

    def __init__(
        self,
        *,
        failures: int = 5,
        pause: float = 2.0,
        longest: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self._threshold = failures
        self._pause = pause
        self._longest = longest
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._in_a_row = 0
        self._next_pause = pause
        self._open_until: float | None = None
        self._trying_since: float | None = None

    @property
    def open(self) -> bool:
        return self._open_until is not None

    def allows(self) -> bool:
        """Whether a call may be made now. One that is made must be told of: succeeded, failed, or let_go."""
        if self._open_until is None:
            return True
        now = self._clock()
        if now < self._open_until:
            return False
        if self._trying_since is not None and now - self._trying_since < self._longest:
            return False
        self._trying_since = now
        return True

    def retry_after(self) -> int:
        """Whole seconds, at least one, until a call may be tried."""
        return max(1, round((self._open_until or 0) - self._clock()))

    def succeeded(self) -> None:
        self._in_a_row = 0
        self._next_pause = self._pause
        self._open_until = self._trying_since = None

    def let_go(self) -> None:
        """The call ended without telling anything of the service: somebody cancelled it."""
        self._trying_since = None

    def failed(self, *, at_once: bool = False) -> None:
        """`at_once`: no further call can succeed either, so don't count to the threshold."""
        self._in_a_row += 1
        if self._open_until is not None and self._trying_since is None:
            return  # began before it opened: nothing new
        if at_once or self._trying_since is not None or self._in_a_row >= self._threshold:
            pause = self._longest if at_once else self._next_pause
            self._open_until = self._clock() + pause * self._rng.uniform(0.5, 1.0)
            self._next_pause = min(self._longest, self._next_pause * 2)
            self._trying_since = None
