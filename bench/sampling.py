"""Durations of what is compared: measured in turns, so that a slow moment of the machine hits all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Sample:
    """Seconds, one for each run."""

    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        """The run that was disturbed least: what is compared on a shared machine."""
        return min(self.seconds)

    @property
    def middle(self) -> float:
        return median(self.seconds)


def in_turns(
    contenders: Mapping[Name, Callable[[], object]],
    *,
    rounds: int,
    budget: float,
    tidy: Callable[[Name], object] = lambda name: None,
) -> dict[Name, Sample]:
    """Run each contender once a round, in alternating order, after a first run that warms the caches.

    A contender that has used `budget` seconds drops out; one that used it all at once keeps its first run.
    `tidy` follows each run, outside the measured time.
    """
    names = list(contenders)
    seconds: dict[Name, list[float]] = {name: [] for name in names}
    for turn in range(rounds + 1):
        for name in names if turn % 2 == 0 else reversed(names):
            if sum(seconds[name]) < budget:
                seconds[name].append(timed(contenders[name]))
                tidy(name)
    return {name: Sample(tuple(runs[1:] or runs)) for name, runs in seconds.items()}


def timed(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began
