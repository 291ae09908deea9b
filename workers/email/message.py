"""From a rendered template to the bytes of a mail."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr

from email_validator import EmailNotValidError, validate_email

from workers.email.provider import Mail
from workers.email.render import Rendered
from workers.queue.messages import Message


class UnfitMessage(Exception):
    """The message can't become a mail, now or later."""


def build(message: Message, rendered: Rendered, *, mail_from: str, domain: str, now: datetime) -> Mail:
    """The mail, but for its Date the same on every try. UnfitMessage where an address or header can't be."""
    sender_name, sender = parseaddr(mail_from)
    recipient, needs_smtputf8 = _mailbox(message.to_address)
    key = message.mail_message_id or message.id
    mail = EmailMessage(policy=SMTPUTF8 if needs_smtputf8 else SMTP)
    try:
        mail["From"] = _address(sender_name, sender)
        mail["To"] = _address(message.to_name or "", recipient)
        mail["Subject"] = rendered.subject
    except ValueError as error:
        raise UnfitMessage(f"a header can't be written: {error}") from error
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{key}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(rendered.text, cte="quoted-printable")
    mail.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    return Mail(sender, recipient, mail.as_bytes(), idempotency_key=key, needs_smtputf8=needs_smtputf8)


def _mailbox(address: str) -> tuple[str, bool]:
    """The address with its domain in ASCII, and whether its local part needs SMTPUTF8 nevertheless."""
    try:
        valid = validate_email(
            address,
            check_deliverability=False,
            test_environment=True,
            globally_deliverable=False,
            strict=True,
        )
    except EmailNotValidError as error:
        raise UnfitMessage(f"the address is not valid: {error}") from error
    if valid.ascii_email:
        return valid.ascii_email, False
    return f"{valid.local_part}@{valid.ascii_domain}", True


def _address(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    if any(ord(char) < 32 or ord(char) == 127 for char in name):
        raise ValueError("a name holds a line break or another control character")
    return Address(display_name=name, username=local, domain=domain)
