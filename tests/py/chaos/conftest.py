"""Fixtures of tests that kill, stop and cut off real worker processes on a real stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scripts.stack.layout import Stack
from tests.py.chaos import summary
from tests.py.chaos.mail_server import MailServer
from tests.py.chaos.outbox import Account, Outbox, Workers

Record = Callable[[str, Account, float], None]


@pytest.fixture
def outbox(stack: Stack) -> Outbox:
    return Outbox(stack.db_url())


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def workers(stack: Stack, tmp_path: Path) -> Iterator[Workers]:
    running = Workers(stack.env, tmp_path)
    yield running
    running.end()


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    """Put a line into the table at the end of the run."""
    return lambda what, account, seconds: summary.record(request, what, account, seconds)
