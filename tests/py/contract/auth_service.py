"""Our stand-in for Auth as a process of a test's own, with settings of the test's choice."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from scripts.stack.layout import HOST, REPOSITORY, Stack
from tests.py.support import wait_until

Environment = dict[str, str]


def environment(stack: Stack, database: str = "postgres") -> Environment:
    """Settings for a service beside that of the stack: the same keys and mailbox, its own port."""
    return {
        "PATH": os.environ["PATH"],
        "FREEHOLD_ENV": "local",
        "AUTH_PORT": str(free_port()),
        "AUTH_DB_URL": stack.db_url("supabase_auth_admin", database),
        "KEYS_FILE": str(stack.root / "keys.json"),
        "API_URL": stack.api_url,
        "SITE_URL": "http://127.0.0.1:3000",
        "SMTP_HOST": HOST,
        "SMTP_PORT": str(stack.ports.smtp),
    }


@contextmanager
def serving(environment: Environment, log: Path) -> Iterator[httpx.Client]:
    """The service as a process of its own; it has answered before the block begins."""
    with log.open("wb") as output:
        process = start(environment, stdout=output, stderr=output)
    url = f"http://{HOST}:{environment['AUTH_PORT']}"
    try:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            wait_until(lambda: answers(client), within=20)
            yield client
    finally:
        process.terminate()
        process.wait(20)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


def run(environment: Environment) -> subprocess.CompletedProcess[str]:
    process = start(environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        stdout, stderr = process.communicate(timeout=20)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def start(environment: Mapping[str, str], **options: Any) -> subprocess.Popen[Any]:
    command = [sys.executable, "-m", "scripts.stack.auth"]
    return subprocess.Popen(command, cwd=REPOSITORY, env=dict(environment), **options)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
