"""The first thing that a newcomer runs, as they run it: on a stack of its own, twice."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from scripts.stack import supervise
from scripts.stack.layout import REPOSITORY, Ports, Stack
from tests.py.support import wait_until


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Stack]:
    """A folder with ports chosen and nothing started."""
    stack = Stack.at(tmp_path / "stack", Ports.free())
    yield stack
    supervise.stop(stack)


def run(verb: str, stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"scripts.{verb}", *arguments, f"--root={stack.root}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def mails(stack: Stack) -> int:
    answer = httpx.get(f"{stack.env['MAILBOX_URL']}/api/v1/messages?limit=1", trust_env=False)
    return int(answer.json()["total"])


def everything(stack: Stack) -> list[tuple[object, ...]]:
    with psycopg.connect(stack.db_url()) as db:
        return db.execute(
            """select 'lease', id::text, updated_at::text from public.leases
            union all select 'unit', id::text, updated_at::text from public.units
            union all select 'message', id::text, status from public.messages
            order by 1, 2"""
        ).fetchall()


def test_up_imports_the_portfolio_and_delivers_its_notices_and_a_second_one_changes_nothing(
    bare: Stack,
) -> None:
    first = run("up", bare)
    assert first.returncode == 0, first.stderr
    sent = re.search(r"(\d+) sent, (\d+) in the mailbox", first.stdout)
    assert sent and int(sent[1]) == int(sent[2]) == mails(bare) >= 40
    assert re.search(r"0 failed, 0 unknown, 0 waiting", first.stdout)
    assert re.search(r"68 verified .* 68 verified, 0 unverified, 0 waiting", first.stdout)
    before = everything(bare)
    assert sum(row[0] == "unit" for row in before) >= 250

    second = run("up", bare)
    assert second.returncode == 0, second.stderr
    assert "it was imported before" in second.stdout and "no address to check" in second.stdout
    assert everything(bare) == before and mails(bare) == int(sent[1])

    query = "leases?select=lease_number&limit=3"
    assert run("ask", bare, "manager@maple.test", query).stdout.count("lease_number") == 3
    assert run("ask", bare, "other@oak.test", query).stdout == "[]\n"
    wrong = run("ask", bare, "nobody@maple.test", query)
    assert wrong.returncode == 1 and "could not sign in" in wrong.stderr
    assert "The demo's people are owner@maple.test" in wrong.stderr


def test_asking_a_stack_that_is_down_names_the_remedy(bare: Stack) -> None:
    refused = run("ask", bare, "manager@maple.test", "leases")
    assert refused.returncode == 1 and "make up" in refused.stderr


def test_asking_without_saying_who_or_what_shows_how() -> None:
    for given in ([], ["AS=manager@maple.test"], ["GET=leases"]):
        refused = subprocess.run(
            ["make", "--dry-run", "ask", *given], cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        assert refused.returncode == 2 and "make ask AS=manager@maple.test GET=" in refused.stderr


def test_an_interrupted_first_start_says_so(bare: Stack) -> None:
    """Ctrl-C may end initdb before it reaches us: that is no failure of initdb's."""
    command = [sys.executable, "-m", "scripts.up", f"--root={bare.root}"]
    with subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True) as starting:

        def initdb() -> list[psutil.Process]:
            children = psutil.Process(starting.pid).children(recursive=True)
            return [child for child in children if child.name() == "initdb"]

        (running, *_) = wait_until(initdb)
        running.send_signal(signal.SIGINT)
        starting.send_signal(signal.SIGINT)
        _, said = starting.communicate(timeout=60)
    assert starting.returncode == 130
    assert "Stopped half-way; `make up` goes on from here" in said
    assert "initdb failed" not in said
