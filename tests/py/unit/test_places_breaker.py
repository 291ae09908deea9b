"""The breaker, whatever succeeds, fails or is cancelled, and whenever."""

from __future__ import annotations

import random
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.places.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, pause=2, longest=16, clock=clock, rng=random.Random(7))  # noqa: S311


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    one = breaker(Clock())
    for outcome in ("failed", "failed", "succeeded", "failed", "failed"):
        getattr(one, outcome)()
    assert not one.open and one.allows()
    one.failed()
    assert one.open and not one.allows()


def test_what_can_not_mend_itself_opens_it_at_once_for_long() -> None:
    clock = Clock()
    one = breaker(clock)
    one.failed(at_once=True)
    clock.now = 7.9
    assert not one.allows() and one.retry_after() >= 1
    clock.now = 16
    assert one.allows()


def test_after_the_pause_one_call_decides() -> None:
    clock = Clock()
    one = breaker(clock)
    for _ in range(3):
        one.failed()
    clock.now = 2
    assert [one.allows() for _ in range(3)] == [True, False, False]
    one.failed()
    assert not one.allows()
    clock.now = 6
    assert one.allows()
    one.succeeded()
    assert all(one.allows() for _ in range(5))


def test_a_try_that_is_cancelled_lets_another_try() -> None:
    clock = Clock()
    one = breaker(clock)
    for _ in range(3):
        one.failed()
    clock.now = 2
    assert one.allows()
    one.let_go()
    assert one.allows()


Event = Literal["ask", "succeed", "fail", "cancel", "wait"]


@given(st.lists(st.sampled_from(["ask", "succeed", "fail", "cancel", "wait"]), max_size=200))
def test_it_never_stays_shut_for_good_and_never_lets_two_try_at_once(events: list[Event]) -> None:
    clock = Clock()
    one = breaker(clock)
    under_way = tries = 0
    for event in events:
        if event == "ask":
            was_open = one.open
            if one.allows():
                under_way += 1
                tries += was_open
                assert tries <= 1
        elif event == "wait":
            clock.now += 0.7
        elif under_way:
            under_way -= 1
            {"succeed": one.succeeded, "fail": one.failed, "cancel": one.let_go}[event]()
            if event == "succeed":
                assert not one.open
            tries = 0
    clock.now += 16
    assert one.allows()


@pytest.mark.parametrize("failures", [1, 2, 8])
def test_pauses_double_up_to_the_longest(failures: int) -> None:
    clock = Clock()
    one = breaker(clock)
    for _ in range(3):
        one.failed()
    for _ in range(failures):
        clock.now += 16
        assert one.allows()
        one.failed()
    assert one.retry_after() <= min(16, 2 * 2**failures)
