"""The database goes away while a worker sends, and comes back: on a stack of the test's own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scripts.stack import keeper
from scripts.stack.layout import Stack
from tests.py.chaos.conftest import Record
from tests.py.chaos.mail_server import MailServer
from tests.py.chaos.outbox import Outbox, Workers
from tests.py.support import wait_until


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """A stack with a database that keeps what it has committed, whatever happens to it."""
    root = keeper.new_root()
    try:
        stack = keeper.obtain(root, os.getpid())
        with psycopg.connect(stack.db_url("supabase_admin"), autocommit=True) as db:
            # Databases of tests are quick, and forget their last commits in a crash; this one must not.
            db.execute("alter system set synchronous_commit = on")
            db.execute("select pg_reload_conf()")
        yield stack
    finally:
        keeper.release(root)


def answers(stack: Stack) -> bool:
    try:
        with psycopg.connect(stack.db_url(), connect_timeout=1):
            return True
    except psycopg.OperationalError:
        return False


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL], ids=["restart", "crash"])
def test_a_worker_goes_on_when_the_database_is_back(
    blow: signal.Signals, own_stack: Stack, tmp_path: Path, record: Record
) -> None:
    outbox = Outbox(own_stack.db_url())
    outbox.put(*(f"person-{number}" for number in range(60)))
    workers = Workers(own_stack.env, tmp_path)
    with MailServer(pause=0.05) as mail:
        try:
            worker = workers.start(outbox, mail, WORKER_CONCURRENCY="3", WORKER_LEASE_SECONDS="30")
            wait_until(lambda: len(mail.mailbox) >= 15)
            os.kill(int((own_stack.data / "postmaster.pid").read_text().split()[0]), blow)
            struck_at = time.monotonic()
            wait_until(lambda: not answers(own_stack), every=0.005)
            wait_until(lambda: answers(own_stack), within=30)
            outbox.wait_settled(within=60)
            account = outbox.account(mail)
            record(f"database {blow.name} mid-batch", account, time.monotonic() - struck_at)
            assert worker.poll() is None
        finally:
            workers.end()
    assert account.statuses == {"sent": 60}
    assert account.delivered == 60 and account.duplicates == 0 and account.lost == 0
