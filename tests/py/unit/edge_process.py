"""`freehold edge` as a process of its own, with the log it writes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt

from tests.py.support import wait_until
from workers.settings import Settings

KEY = jwt.encode(
    {"role": "worker", "exp": int(time.time()) + 3600},
    "a-secret-of-the-tests-that-is-long-enough",
    algorithm="HS256",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Edge:
    port: int
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lines(self) -> list[dict[str, Any]]:
        """What it logged: one JSON object a line, or this fails."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def line_of(self, request_id: str) -> dict[str, Any]:
        """The log line of one request, once it is written."""
        return wait_until(
            lambda: next((line for line in self.lines() if line.get("request_id") == request_id), None)  # type: ignore[arg-type]
        )

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}{path}", timeout=20, trust_env=False, **options)

    def tell(self, number: int) -> None:
        self.process.send_signal(number)


def command() -> list[str]:
    return [sys.executable, "-m", "workers", "edge"]


def environment(api_url: str, port: int, **variables: str) -> dict[str, str]:
    ours = {name.upper() for name in Settings.model_fields}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return {
        **inherited,
        "API_URL": api_url,
        "ANON_KEY": "sb_publishable_x7Kq",
        "WORKER_KEY": KEY,
        "EDGE_SECRET": "a-secret-of-the-tests-of-forty-two-characters",
        "EDGE_PORT": str(port),
        "LOG_FORMAT": "json",
        **variables,
    }


@contextmanager
def running(api_url: str, folder: Path, **variables: str) -> Iterator[Edge]:
    """A service that answers; told to stop in the end, and then it must have ended well."""
    port = free_port()
    log = folder / f"edge-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(),
            env=environment(api_url, port, **variables),
            stdout=output,
            stderr=output,
            cwd=folder,
        )
    edge = Edge(port, log, process)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return edge.call("GET", "/livez").status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, within=20)
        yield edge
        if process.poll() is None:
            edge.tell(signal.SIGTERM)
            assert process.wait(20) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
