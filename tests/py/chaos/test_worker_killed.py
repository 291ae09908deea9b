"""A worker is killed by SIGKILL at a named point; another one, knowing nothing of it, takes over."""

from __future__ import annotations

import time

import pytest

from tests.py.chaos.conftest import Record
from tests.py.chaos.mail_server import MailServer
from tests.py.chaos.outbox import Outbox, Workers

MESSAGES = [f"person-{number}" for number in range(25)]

# Per point: (killed in doubt, delivered of those). One mail at a time is sent, so one at most is in doubt.
POINTS = {
    "before_claim": (0, 0),
    "after_claim": (0, 0),
    "before_send": (0, 0),
    "handing_over": (1, 0),
    "after_send": (1, 1),
}


@pytest.mark.parametrize("point", POINTS)
def test_nothing_is_lost_or_doubled_when_a_worker_is_killed(
    point: str, outbox: Outbox, mail: MailServer, workers: Workers, record: Record
) -> None:
    outbox.put(*MESSAGES)
    victim = workers.start(outbox, mail, FREEHOLD_CRASH_AT=point, WORKER_CONCURRENCY="1")
    assert victim.wait(20) == -9
    killed_at = time.monotonic()
    workers.start(outbox, mail)
    outbox.wait_settled(within=20)
    account = outbox.account(mail)
    record(f"SIGKILL {point}", account, time.monotonic() - killed_at)
    in_doubt, of_those_delivered = POINTS[point]
    assert account.lost == 0
    assert account.duplicates == 0
    assert account.statuses == {"sent": 25 - in_doubt} | ({"unknown": in_doubt} if in_doubt else {})
    assert account.unknown_delivered == of_those_delivered


@pytest.mark.parametrize("point", ["before_send", "handing_over", "after_send"])
def test_with_many_sends_at_once_only_those_under_way_are_in_doubt(
    point: str, outbox: Outbox, mail: MailServer, workers: Workers, record: Record
) -> None:
    outbox.put(*MESSAGES)
    victim = workers.start(outbox, mail, FREEHOLD_CRASH_AT=point, WORKER_CONCURRENCY="10")
    assert victim.wait(20) == -9
    killed_at = time.monotonic()
    workers.start(outbox, mail)
    outbox.wait_settled(within=20)
    account = outbox.account(mail)
    record(f"SIGKILL {point}, 10 at once", account, time.monotonic() - killed_at)
    assert account.lost == 0
    assert account.duplicates == 0
    assert account.statuses["unknown"] <= 10
    assert account.statuses["sent"] == 25 - account.statuses["unknown"]
    assert account.delivered == account.statuses["sent"] + account.unknown_delivered


def test_with_the_default_lease_a_killed_workers_messages_go_out_within_40_seconds(
    outbox: Outbox, mail: MailServer, workers: Workers, record: Record
) -> None:
    outbox.put(*MESSAGES)
    defaults = {"WORKER_LEASE_SECONDS": "30", "WORKER_POLL_SECONDS": "5"}
    victim = workers.start(outbox, mail, FREEHOLD_CRASH_AT="after_claim", **defaults)
    assert victim.wait(20) == -9
    killed_at = time.monotonic()
    workers.start(outbox, mail, **defaults)
    outbox.wait_settled(within=45)
    took = time.monotonic() - killed_at
    account = outbox.account(mail)
    record("SIGKILL after_claim, lease 30 s", account, took)
    assert account.statuses == {"sent": 25} and account.duplicates == 0 and account.lost == 0
    assert 25 < took <= 40
