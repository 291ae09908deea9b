"""`make example`: what it serves, and what it says when it can't."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from scripts.stack.layout import REPOSITORY
from tests.py.support import wait_until
from tests.py.unit.edge_process import free_port


@contextmanager
def example(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "scripts.example", f"--port={port}", f"--root={folder}"]
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_the_page_is_served_where_it_says_and_nothing_beside_it(tmp_path: Path) -> None:
    with example(tmp_path, free_port()) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert re.search(r"\?api=http.*&key=.", url)
        page = wait_until(lambda: served(url))
        assert "Add a property" in page
        for path in ("../../../pyproject.toml", "%2e%2e/%2e%2e/README.md", ".stack/keys.json"):
            assert httpx.get(url.partition("?")[0] + path, trust_env=False).status_code == 404
        process.send_signal(signal.SIGINT)
        assert process.wait(10) in (0, -signal.SIGINT, 128 + signal.SIGINT)


def served(url: str) -> str:
    try:
        return httpx.get(url, trust_env=False).text
    except httpx.TransportError:
        return ""


def test_a_port_in_use_is_told_on_one_line_with_what_to_do(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        example(tmp_path, taken.getsockname()[1]) as process,
    ):
        told, problem = process.communicate(timeout=20)
    assert process.returncode == 1 and told == ""
    [line] = problem.splitlines()
    assert "in use" in line and "--port=" in line
