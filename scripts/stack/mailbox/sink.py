"""The SMTP side: takes every mail and keeps it. Tests subclass `Sink` to answer as a broken server would."""

from __future__ import annotations

import asyncio

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from scripts.stack.layout import HOST
from scripts.stack.mailbox.store import MailStore

LARGEST_MAIL = 32 * 1024 * 1024


class Sink:
    """The handler of aiosmtpd's events: `handle_DATA` keeps the mail before it answers 250."""

    def __init__(self, store: MailStore) -> None:
        self.store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        kept = await asyncio.to_thread(self.store.add, envelope.mail_from or "", envelope.rcpt_tos, content)
        return f"250 2.0.0 kept as {kept.id}"


async def listen(sink: Sink, port: int, *, host: str = HOST) -> asyncio.Server:
    """Serve SMTP on the running event loop. Any user name and password is taken, and none is asked for."""

    def connection() -> SMTP:
        return SMTP(
            sink,
            hostname="mailbox.localhost",
            data_size_limit=LARGEST_MAIL,
            enable_SMTPUTF8=True,
            authenticator=lambda *_: AuthResult(success=True),
            auth_require_tls=False,
        )

    return await asyncio.get_running_loop().create_server(connection, host, port)
