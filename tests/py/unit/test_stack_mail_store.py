"""What the mailbox keeps, and how mails are found again."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from scripts.stack.mailbox.store import MailStore


def mail(subject: str, *, text: str = "hello", sender: str = "office@example.com", to: str = "") -> bytes:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to or "ann@example.com"
    message["Subject"] = subject
    message["Message-ID"] = (
        f"<{subject.encode('ascii', 'ignore').decode().lower().replace(' ', '-')}@example.com>"
    )
    message.set_content(text)
    message.add_alternative(f"<p>{text}</p>", subtype="html")
    message.set_boundary("boundary")
    return bytes(message)


@pytest.fixture
def store(tmp_path: Path) -> MailStore:
    store = MailStore(tmp_path)
    store.add("office@example.com", ["ann@example.com"], mail("Lease ends", text="in 90 days"))
    store.add("office@example.com", ["bob@example.com"], mail("Rent is due", to="Bob <bob@example.com>"))
    store.add("other@example.com", ["hidden@example.com"], mail("Käufer", sender="other@example.com"))
    return store


def subjects(store: MailStore, query: str) -> list[str]:
    return [str(found.message["Subject"]) for found in store.search(query)]


def test_mails_are_there_again_after_a_restart_newest_first(store: MailStore, tmp_path: Path) -> None:
    again = MailStore(tmp_path)
    assert again.envelopes() == store.envelopes()
    assert subjects(again, "") == ["Käufer", "Rent is due", "Lease ends"]
    oldest = again.get(again.envelopes()[-1].id)
    assert oldest is not None
    assert oldest.content == mail("Lease ends", text="in 90 days")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("to:bob@example.com", ["Rent is due"]),
        ("TO:BOB", ["Rent is due"]),
        ("to:hidden@example.com", ["Käufer"]),
        ("from:other", ["Käufer"]),
        ("subject:lease", ["Lease ends"]),
        ("message-id:rent-is-due@example.com", ["Rent is due"]),
        ("days", ["Lease ends"]),
        ("from:office days", ["Lease ends"]),
        ("from:office käufer", []),
        ('to:"ann@example.com" subject:lease', ["Lease ends"]),
    ],
)
def test_search_finds_mails_that_meet_every_word(store: MailStore, query: str, found: list[str]) -> None:
    assert subjects(store, query) == found


def test_deleted_mails_are_gone_from_disk(store: MailStore, tmp_path: Path) -> None:
    newest, second, _ = store.envelopes()
    store.delete([newest.id, "no such mail"])
    assert MailStore(tmp_path).envelopes()[0].id == second.id
    store.delete()
    assert list(tmp_path.iterdir()) == []


def test_a_mail_cut_off_while_it_was_written_is_not_listed(store: MailStore, tmp_path: Path) -> None:
    (tmp_path / ".00000000000000000001.eml").write_bytes(b"Subject: ha")
    (tmp_path / "00000000000000000002.eml").write_bytes(b"Subject: no envelope yet")
    assert len(MailStore(tmp_path).envelopes()) == 3
