"""A mail server that refuses, hangs up or goes silent: only what certainly wasn't sent is repeated."""

from __future__ import annotations

import time

from tests.py.chaos.conftest import Record
from tests.py.chaos.mail_server import MailServer
from tests.py.chaos.outbox import Outbox, Workers

# The fault, and for how many tries: (status in the end, tries counted, mails in the mailbox).
FAULTS = {
    "rcpt_drop once": ("sent", 2, 1),
    "rcpt_drop always": ("failed", 3, 0),
    "rcpt_451 once": ("sent", 2, 1),
    "rcpt_451 always": ("failed", 3, 0),
    "rcpt_550 always": ("failed", 1, 0),
    "data_451 once": ("sent", 2, 1),
    "data_554 always": ("failed", 1, 0),
    "data_drop once": ("sent", 2, 1),
    "content_451 once": ("sent", 2, 1),
    "content_552 always": ("failed", 1, 0),
    "content_drop always": ("unknown", 1, 1),
    "content_hang always": ("unknown", 1, 1),
}


def test_what_an_answer_means_depends_on_when_it_comes_and_harms_no_other_mail(
    outbox: Outbox, mail: MailServer, workers: Workers, record: Record
) -> None:
    for fault in FAULTS:
        kind, how_often = fault.split()
        mail.faults.by_local_part[victim(fault)] = kind
        if how_often == "once":
            mail.faults.tries[victim(fault)] = 1
    ids = outbox.put(*map(victim, FAULTS), *(f"bystander-{number}" for number in range(20)))
    began = time.monotonic()
    workers.start(outbox, mail, SMTP_DATA_TIMEOUT="1")
    outbox.wait_settled(within=30)
    took = time.monotonic() - began
    rows = outbox.rows()
    for fault, message_id in zip(FAULTS, ids, strict=False):
        record(f"SMTP {fault}", outbox.account(mail, [message_id]), took)
    for (fault, expected), message_id in zip(FAULTS.items(), ids, strict=False):
        status, attempts, _ = rows[message_id]
        assert (status, attempts, mail.ids().count(f"<{message_id}@mail.test>")) == expected, fault
    assert {rows[message_id][0] for message_id in ids[len(FAULTS) :]} == {"sent"}
    account = outbox.account(mail)
    assert account.duplicates == 0 and account.lost == 0
    assert outbox.dead_letters() == sum(status == "failed" for status, _, _ in FAULTS.values())
    assert "@example.com" not in workers.log()


def victim(fault: str) -> str:
    return fault.replace(" ", "-")


def test_a_mail_server_that_refuses_us_costs_no_message_a_try(
    outbox: Outbox, mail: MailServer, workers: Workers
) -> None:
    outbox.put(*(f"person-{number}" for number in range(5)))
    mail.faults.sender = "550"
    assert workers.run(outbox, mail) == 69
    assert "takes no mail" in workers.log() and "550" in workers.log()
    assert outbox.statuses() == {"queued": 5} and outbox.visible() == 5
    assert {attempts for _, attempts, _ in outbox.rows().values()} == {0}
    mail.faults.sender = None
    assert workers.run(outbox, mail) == 0
    assert outbox.statuses() == {"sent": 5} and len(mail.mailbox) == 5
