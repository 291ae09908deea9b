"""From a rendered template to the bytes of a mail, read back by the standard library."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.email.message import UnfitMessage, build
from workers.email.provider import Mail
from workers.email.render import Rendered
from workers.queue.messages import Message

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
RENDERED = Rendered("A subject", "Plain text.\n", "<p>HTML</p>")
ID = "5d3f8e0a-9a64-4c8f-8d5e-0d7f1c2b3a49"


def built(
    to: str = "rae@example.com",
    name: str | None = None,
    rendered: Rendered = RENDERED,
    sender: str = "Elm Street <notices@elm.example>",
    mail_message_id: str | None = None,
) -> Mail:
    message = Message(ID, "lease_expiry", to, name, mail_message_id=mail_message_id)
    return build(message, rendered, mail_from=sender, domain="elm.example", now=NOW)


def read(mail: Mail) -> EmailMessage:
    return message_from_bytes(mail.content, policy=SMTP)


def content(part: MIMEPart) -> str:
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_mail_says_what_it_is() -> None:
    mail = built(name="Rae Renter")
    headers = read(mail)
    assert headers["From"] == "Elm Street <notices@elm.example>"
    assert headers["To"] == "Rae Renter <rae@example.com>"
    assert headers["Subject"] == "A subject"
    assert headers["Date"] == "Sat, 21 Nov 2026 09:30:00 +0000"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert (mail.sender, mail.recipient, mail.needs_smtputf8) == (
        "notices@elm.example",
        "rae@example.com",
        False,
    )


def test_it_has_a_text_and_an_html_part_the_text_first() -> None:
    parts = [(part.get_content_type(), content(part)) for part in read(built()).iter_parts()]
    assert parts == [("text/plain", "Plain text.\n"), ("text/html", "<p>HTML</p>\n")]


def test_the_message_id_is_the_same_on_every_try_and_is_the_messages_own() -> None:
    assert read(built())["Message-ID"] == f"<{ID}@elm.example>"
    assert read(built(mail_message_id="given"))["Message-ID"] == "<given@elm.example>"
    assert built().idempotency_key == ID


@pytest.mark.parametrize(
    "name", ["Rae\nBcc: all@example.com", "Rae\r\nBcc: all@example.com", "Rae\rX", "Rae\x00"]
)
def test_a_name_that_would_begin_a_new_header_is_refused(name: str) -> None:
    with pytest.raises(UnfitMessage):
        built(name=name)


@pytest.mark.parametrize("subject", ["A\nBcc: all@example.com", "A\r\nBcc: all@example.com", "A\rB"])
def test_a_subject_that_would_begin_a_new_header_is_refused(subject: str) -> None:
    with pytest.raises(UnfitMessage):
        built(rendered=Rendered(subject, "t", "h"))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "rae",
        "rae@",
        "@example.com",
        "rae@@example.com",
        "rae@exam ple.com",
        "rae@example.com\nBcc: x@example.com",
        "rae@example.com, eve@example.com",
        "<rae@example.com>",
        f"{'x' * 65}@example.com",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UnfitMessage, match="address is not valid"):
        built(to=address)


def test_a_domain_outside_of_ascii_is_written_in_ascii() -> None:
    mail = built(to="rae@bücher.example")
    assert mail.recipient == "rae@xn--bcher-kva.example" and not mail.needs_smtputf8
    assert read(mail)["To"] == "rae@xn--bcher-kva.example"


def test_a_local_part_outside_of_ascii_needs_a_server_that_takes_it() -> None:
    mail = built(to="ráe@bücher.example")
    assert mail.recipient == "ráe@xn--bcher-kva.example" and mail.needs_smtputf8


@settings(max_examples=50, deadline=None)
@given(
    name=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=120),
    subject=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=400),
    text=st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=1500),
)
def test_whatever_the_words_the_mail_is_seven_bit_in_short_lines_with_no_header_of_theirs(
    name: str, subject: str, text: str
) -> None:
    mail = built(name=name, rendered=Rendered(subject, text, f"<p>{text}</p>"))
    assert mail.content.isascii()
    assert all(len(line) <= 998 for line in mail.content.split(b"\r\n"))
    assert b"\n" not in mail.content.replace(b"\r\n", b"")
    headers = read(mail)
    assert sorted({header.lower() for header in headers}) == [
        "auto-submitted",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "subject",
        "to",
        "x-auto-response-suppress",
    ]
    body = headers.get_body(("plain",))
    assert body is not None and content(body).rstrip("\n") == text.rstrip("\n")
