"""Workers that are told to stop, and one that is frozen past its lease and wakes up."""

from __future__ import annotations

import signal
import time

from tests.py.chaos.conftest import Record
from tests.py.chaos.mail_server import MailServer
from tests.py.chaos.outbox import Outbox, Workers
from tests.py.support import wait_until

MESSAGES = [f"person-{number}" for number in range(25)]


def test_a_worker_frozen_past_its_lease_sends_nothing_that_another_has_taken(
    outbox: Outbox, mail: MailServer, workers: Workers, record: Record
) -> None:
    outbox.put(*MESSAGES)
    mail.go_on.clear()
    frozen = workers.start(outbox, mail, WORKER_CONCURRENCY="3")
    wait_until(lambda: mail.most_at_once == 3)
    frozen.send_signal(signal.SIGSTOP)
    frozen_at = time.monotonic()
    mail.go_on.set()
    workers.start(outbox, mail)
    outbox.wait_settled(within=20)
    assert outbox.statuses() == {"sent": 22, "unknown": 3}
    frozen.send_signal(signal.SIGCONT)
    # It learns that its three mails were taken, and under the fence of its own claim may say so still.
    wait_until(lambda: outbox.statuses() == {"sent": 25})
    frozen.terminate()
    assert frozen.wait(10) == 0
    account = outbox.account(mail)
    record("SIGSTOP past the lease, SIGCONT", account, time.monotonic() - frozen_at)
    assert account.delivered == 25 and account.duplicates == 0 and account.lost == 0
    assert sum(event["event"] == "claim lost" for event in workers.events(0)) == 22


def test_sigterm_finishes_what_is_under_way_and_gives_back_the_rest(
    outbox: Outbox, mail: MailServer, workers: Workers, record: Record
) -> None:
    outbox.put(*MESSAGES)
    mail.go_on.clear()
    worker = workers.start(outbox, mail, WORKER_CONCURRENCY="3", WORKER_LEASE_SECONDS="60")
    wait_until(lambda: mail.most_at_once == 3)
    worker.terminate()
    told_at = time.monotonic()
    wait_until(lambda: outbox.visible() == 22)
    assert worker.poll() is None
    mail.go_on.set()
    assert worker.wait(10) == 0
    assert outbox.statuses() == {"sent": 3, "queued": 22}
    assert {attempts for status, attempts, _ in outbox.rows().values() if status == "queued"} == {0}
    assert workers.run(outbox, mail) == 0
    account = outbox.account(mail)
    record("SIGTERM with 3 under way", account, time.monotonic() - told_at)
    assert account.statuses == {"sent": 25} and account.duplicates == 0 and account.lost == 0


def test_a_send_that_outlives_the_drain_is_unknown_not_lost(
    outbox: Outbox, mail: MailServer, workers: Workers, record: Record
) -> None:
    outbox.put("slow", "waiting")
    mail.go_on.clear()
    worker = workers.start(outbox, mail, WORKER_CONCURRENCY="1", WORKER_DRAIN_SECONDS="0.5")
    wait_until(lambda: mail.most_at_once == 1)
    worker.terminate()
    told_at = time.monotonic()
    assert worker.wait(10) == 0
    took = time.monotonic() - told_at
    assert outbox.statuses() == {"unknown": 1, "queued": 1}
    mail.go_on.set()
    assert workers.run(outbox, mail) == 0
    account = outbox.account(mail)
    record("SIGTERM, drain time over", account, took)
    assert account.statuses == {"sent": 1, "unknown": 1} and account.duplicates == 0 and account.lost == 0


def test_a_second_signal_stops_a_worker_at_once(outbox: Outbox, mail: MailServer, workers: Workers) -> None:
    outbox.put(*MESSAGES)
    mail.go_on.clear()
    worker = workers.start(outbox, mail)
    wait_until(lambda: mail.most_at_once == 10)
    worker.terminate()
    wait_until(lambda: "stopping" in workers.log())
    worker.terminate()
    assert worker.wait(2) == 128 + signal.SIGTERM
    mail.go_on.set()
