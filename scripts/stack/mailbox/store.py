"""Mails on disk: one file with the mail as it came, one with its envelope. Newest first."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Envelope:
    """What SMTP said, which may differ from the mail's headers. `received_at` is an ISO instant in UTC."""

    id: str
    sender: str
    recipients: Sequence[str]
    received_at: str


@dataclass(frozen=True)
class Mail:
    """One mail as received."""

    envelope: Envelope
    content: bytes

    @cached_property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message

    def body(self, kind: str) -> str:
        """The `plain` or `html` text; empty where the mail has none."""
        part = self.message.get_body((kind,))
        return "" if part is None else str(part.get_content())


class MailStore:
    """The mails in one folder. Not for two processes at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        found = [json.loads(path.read_text()) for path in folder.glob("*.json")]
        self._envelopes = {
            each["id"]: Envelope(**each) for each in sorted(found, key=lambda each: str(each["id"]))
        }

    def add(self, sender: str, recipients: Sequence[str], content: bytes) -> Envelope:
        """Keep a mail. It is on disk when this returns; ids sort by arrival."""
        mail_id = f"{time.time_ns():020d}{secrets.token_hex(4)}"
        envelope = Envelope(mail_id, sender, list(recipients), datetime.now(UTC).isoformat())
        self._write(f"{mail_id}.eml", content)
        self._write(f"{mail_id}.json", json.dumps(asdict(envelope)).encode())
        self._envelopes[mail_id] = envelope
        return envelope

    def get(self, mail_id: str) -> Mail | None:
        envelope = self._envelopes.get(mail_id)
        return Mail(envelope, (self._folder / f"{mail_id}.eml").read_bytes()) if envelope else None

    def envelopes(self) -> list[Envelope]:
        return list(reversed(self._envelopes.values()))

    def delete(self, ids: Collection[str] | None = None) -> None:
        """Remove these mails; all of them without `ids`."""
        for mail_id in list(self._envelopes if ids is None else ids):
            if self._envelopes.pop(mail_id, None):
                (self._folder / f"{mail_id}.json").unlink(missing_ok=True)
                (self._folder / f"{mail_id}.eml").unlink(missing_ok=True)

    def search(self, query: str) -> list[Mail]:
        """Mails that meet every word: `to:`, `from:`, `subject:`, `message-id:` or plain text anywhere."""
        words = query.lower().split()
        mails = (self.get(envelope.id) for envelope in self.envelopes())
        return [mail for mail in mails if mail and all(_meets(mail, word) for word in words)]

    def _write(self, name: str, content: bytes) -> None:
        draft = self._folder / f".{name}"
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / name)


def _meets(mail: Mail, word: str) -> bool:
    name, _, wanted = word.partition(":")
    headers = mail.message
    match name:
        case "to":
            text = " ".join([*mail.envelope.recipients, str(headers.get("To", ""))])
        case "from":
            text = f"{mail.envelope.sender} {headers.get('From', '')}"
        case "subject":
            text = str(headers.get("Subject", ""))
        case "message-id":
            text = str(headers.get("Message-ID", ""))
        case _:
            wanted = word
            text = " ".join([str(headers.get("Subject", "")), mail.body("plain"), mail.body("html")])
    return wanted.strip('"') in text.lower()
