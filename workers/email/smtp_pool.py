"""Connections to the mail server, kept for the next mail until they are old, used up or idle for too long."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass, field

import aiosmtplib

from workers.mail_server import MailServer


@dataclass(eq=False)
class Connection:
    """`mails` counts those begun on it; times are of the monotonic clock."""

    client: aiosmtplib.SMTP
    opened: float = field(default_factory=time.monotonic)
    idle_since: float = field(default_factory=time.monotonic)
    mails: int = 0


class SmtpPool:
    """As many connections as are taken at once. In seconds: servers close what is older, or longer idle."""

    def __init__(
        self,
        server: MailServer,
        *,
        timeout: float = 30,
        max_age: float = 300,
        max_idle: float = 30,
        max_mails: int = 100,
    ) -> None:
        self.server = server
        self._timeout = timeout
        self._max_age = max_age
        self._max_idle = max_idle
        self._max_mails = max_mails
        self._idle: list[Connection] = []

    async def take(self, *, fresh: bool = False) -> Connection:
        """An idle connection that is still good, or a new one. Raises SMTPException or OSError."""
        while self._idle and not fresh:
            connection = self._idle.pop()
            if self._is_good(connection):
                return connection
            connection.client.close()
        client = aiosmtplib.SMTP(
            hostname=self.server.host,
            port=self.server.port,
            username=self.server.user,
            password=self.server.password,
            use_tls=self.server.tls == "tls",
            start_tls=self.server.tls == "starttls",
            timeout=self._timeout,
            local_hostname=socket.gethostname(),
        )
        await client.connect()
        return Connection(client)

    def give_back(self, connection: Connection) -> None:
        connection.idle_since = time.monotonic()
        self._idle.append(connection)

    async def aclose(self) -> None:
        while self._idle:
            client = self._idle.pop().client
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=1)
            client.close()

    def _is_good(self, connection: Connection) -> bool:
        now = time.monotonic()
        return (
            connection.client.is_connected
            and connection.mails < self._max_mails
            and now - connection.opened < self._max_age
            and now - connection.idle_since < self._max_idle
        )
