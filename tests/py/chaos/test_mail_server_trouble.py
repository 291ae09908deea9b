"""A mail server that refuses, hangs up or goes silent: only what certainly wasn't sent is repeated."""

from __future__ import annotations

import time

import pytest

from tests.py.chaos.conftest import Record
from tests.py.chaos.mail_server import MailServer
from tests.py.chaos.outbox import Outbox, Workers

# The fault, and for how many tries: (status in the end, tries counted, mails in the mailbox).
FAULTS = {
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


@pytest.mark.parametrize("fault", FAULTS)
def test_what_an_answer_means_depends_on_when_it_comes(
    fault: str, outbox: Outbox, mail: MailServer, workers: Workers, record: Record
) -> None:
    status, attempts, mails = FAULTS[fault]
    kind, how_often = fault.split()
    mail.faults.by_local_part["victim"] = kind
    if how_often == "once":
        mail.faults.tries["victim"] = 1
    (victim, *_) = outbox.put("victim", *(f"bystander-{number}" for number in range(5)))
    began = time.monotonic()
    workers.start(outbox, mail, SMTP_DATA_TIMEOUT="1")
    outbox.wait_settled(within=20)
    account = outbox.account(mail)
    record(f"SMTP {fault}", account, time.monotonic() - began)
    assert outbox.rows()[victim][:2] == (status, attempts)
    assert mail.ids().count(f"<{victim}@mail.test>") == mails
    assert account.statuses["sent"] == 5 + (status == "sent")
    assert account.duplicates == 0 and account.lost == 0
    assert outbox.dead_letters() == (1 if status == "failed" else 0)
    assert "@example.com" not in workers.log()


def test_a_connection_cut_before_the_mark_costs_no_try(
    outbox: Outbox, mail: MailServer, workers: Workers, record: Record
) -> None:
    mail.faults.by_local_part["victim"] = "rcpt_drop"
    mail.faults.tries["victim"] = 1
    (victim,) = outbox.put("victim")
    began = time.monotonic()
    workers.start(outbox, mail)
    outbox.wait_settled(within=20)
    record("SMTP rcpt_drop once", outbox.account(mail), time.monotonic() - began)
    assert outbox.rows()[victim] == ("sent", 1, None)
    assert mail.ids() == [f"<{victim}@mail.test>"]


def test_a_mail_server_that_refuses_us_costs_no_message_a_try(
    outbox: Outbox, mail: MailServer, workers: Workers
) -> None:
    outbox.put(*(f"person-{number}" for number in range(5)))
    mail.faults.sender = "550"
    assert workers.run(outbox, mail) == 1
    assert "takes no mail" in workers.log() and "550" in workers.log()
    assert outbox.statuses() == {"queued": 5} and outbox.visible() == 5
    assert {attempts for _, attempts, _ in outbox.rows().values()} == {0}
    mail.faults.sender = None
    assert workers.run(outbox, mail) == 0
    assert outbox.statuses() == {"sent": 5} and len(mail.mailbox) == 5
