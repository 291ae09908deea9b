"""The whole way of a mail: the real `freehold work`, and a mail server that takes everything."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil
from aiosmtpd.controller import Controller

from bench.queue.consumers import Access
from scripts.stack.layout import HOST, Ports


@dataclass(frozen=True)
class Mailing:
    """`rate` is in mails a second from the first that arrived to the last."""

    mails: int
    rate: float
    peak_rss_mb: float


def mail(access: Access, expected: int) -> Mailing:
    """Send all that waits with one worker process at its defaults: claim, begin, SMTP, complete."""
    sink = _Sink()
    server = Controller(sink, hostname=HOST, port=Ports.free().smtp)
    server.start()
    try:
        environment = {
            "PATH": os.environ["PATH"],
            "FREEHOLD_ENV": "local",
            "API_URL": access.api_url,
            "ANON_KEY": access.anon_key,
            "WORKER_KEY": access.worker_key,
            "SMTP_URL": f"smtp://{HOST}:{server.port}",
            "LOG_LEVEL": "warning",
        }
        command = [sys.executable, "-m", "workers", "work", "--until-empty", "--json"]
        with tempfile.TemporaryFile() as output:
            worker = psutil.Popen(command, env=environment, stdout=output, stderr=output)
            rss = 0
            while worker.poll() is None:
                with suppress(psutil.NoSuchProcess):
                    rss = max(rss, worker.memory_info().rss)
                time.sleep(0.02)
            output.seek(0)
            said = output.read().decode()
    finally:
        server.stop()
    if worker.returncode or len(sink.arrivals) != expected:
        raise RuntimeError(f"{len(sink.arrivals)} of {expected} mails arrived: {said[-2000:]}")
    seconds = sink.arrivals[-1] - sink.arrivals[0]
    return Mailing(len(sink.arrivals), len(sink.arrivals) / seconds, rss / 2**20)


class _Sink:
    def __init__(self) -> None:
        self.arrivals: list[float] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.arrivals.append(time.perf_counter())
        return "250 taken"
