"""SIGTERM and SIGINT: the first asks to stop, the second stops at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import structlog

log = structlog.get_logger()


def on_stop_signal(stop: Callable[[int], None]) -> None:
    """Call `stop` with the first signal. On the second leave, with the exit code a shell gives for it."""
    loop = asyncio.get_running_loop()
    seen: list[int] = []

    def handle(number: int) -> None:
        if seen:
            os._exit(128 + number)
        seen.append(number)
        log.info("stopping: no more claims, finishing what is under way", signal=signal.Signals(number).name)
        stop(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, handle, number)
