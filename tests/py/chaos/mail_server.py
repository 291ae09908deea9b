"""A real SMTP server that misbehaves on request, mail by mail."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.py.chaos.certificate import self_signed


@dataclass
class Faults:
    """Which recipients' mails meet which fault, by the local part, and for how many tries (default: always).

    rcpt_451, rcpt_550   refused at RCPT TO
    rcpt_drop            the connection is cut at RCPT TO
    data_451, data_554   refused at the DATA command, before the content
    data_drop            the connection is cut at the DATA command
    content_451, content_552  refused after the content
    content_drop         accepted (it is in the mailbox), and the connection cut instead of an answer
    content_hang         accepted, and never answered
    mail_550             our sender is refused
    """

    by_local_part: dict[str, str] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    sender: str | None = None

    def at(self, stage: str, recipient: str, tries: Counter[str]) -> str | None:
        local = recipient.partition("@")[0]
        fault = self.by_local_part.get(local, "")
        if not fault.startswith(stage) or tries[local] > self.tries.get(local, 1_000_000):
            return None
        return fault.removeprefix(f"{stage}_")


class MailServer:
    """A context manager. `mailbox` holds the mails it took, `connections` counts those opened."""

    def __init__(self, *, smtputf8: bool = False, pause: float = 0.0, tls: bool = False) -> None:
        self.faults = Faults()
        self.mailbox: list[EmailMessage] = []
        self.envelopes: list[tuple[str, str]] = []
        self.connections = 0
        self.most_at_once = 0
        self.pause = pause
        self.go_on = threading.Event()
        self.go_on.set()
        self.reached_content = threading.Event()
        self._options: dict[str, Any] = {"enable_SMTPUTF8": smtputf8}
        if tls:
            self._options["tls_context"] = self_signed()
        self._dialogues: list[SMTP] = []
        self._tries: Counter[str] = Counter()
        self._at_once = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail server")
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.mailbox]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.faults.sender:
            return f"{self.faults.sender} not from you"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self._tries[address.partition("@")[0]] += 1
        fault = self.faults.at("rcpt", address, self._tries)
        if fault == "drop":
            _cut(server)
        elif fault:
            return f"{fault} <{address}> not now"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        recipient = envelope.rcpt_tos[0]
        self.reached_content.set()
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            while not self.go_on.is_set():
                await asyncio.sleep(0.01)
            await asyncio.sleep(self.pause)
        finally:
            self._at_once -= 1
        fault = self.faults.at("content", recipient, self._tries)
        if fault and fault.isdigit():
            return f"{fault} we don't like it"
        content = envelope.original_content or b""
        self.envelopes.append((str(envelope.mail_from), recipient))
        self.mailbox.append(message_from_bytes(content, policy=SMTPUTF8))
        if fault == "drop":
            _cut(server)
        elif fault == "hang":
            await asyncio.sleep(3600)
        return "250 taken"

    def cut_connections(self) -> None:
        """Cut all that are open, without a word."""
        for dialogue in self._dialogues:
            if dialogue.transport is not None:
                self._loop.call_soon_threadsafe(_cut, dialogue)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(self._session, "127.0.0.1", 0)

    def _session(self) -> SMTP:
        self.connections += 1
        self._dialogues.append(_Dialogue(self, loop=self._loop, hostname="mail.test", **self._options))
        return self._dialogues[-1]

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class _Dialogue(SMTP):
    """One connection; DATA can be refused or cut before any content, which aiosmtpd's hooks can't do."""

    def __init__(self, owner: MailServer, **options: Any) -> None:
        super().__init__(owner, **options)
        self._owner = owner

    async def smtp_DATA(self, arg: str) -> None:
        recipient = self.envelope.rcpt_tos[0] if self.envelope and self.envelope.rcpt_tos else ""
        fault = self._owner.faults.at("data", recipient, self._owner._tries)
        if fault == "drop":
            _cut(self)
        elif fault:
            await self.push(f"{fault} no content now")
        else:
            await super().smtp_DATA(arg)


def _cut(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()
