"""Mail over SMTP. What an answer means depends on when it comes: see docs/explanation/delivery.md."""

from __future__ import annotations

import re

import aiosmtplib
from aiosmtplib import SMTPException, SMTPRecipientRefused, SMTPResponse, SMTPServerDisconnected

from workers.email.provider import Mail
from workers.email.smtp_pool import Connection, SmtpPool
from workers.queue.handler import Begin
from workers.queue.outcomes import Outcome, Permanent, Retryable, Sent, Unavailable, Unknown

COMPLETED = 250
READY_FOR_CONTENT = 354
LINE_START_PERIOD = re.compile(rb"^\.", re.MULTILINE)


class SmtpProvider:
    """`data_timeout` is how long the server may take over the content, in seconds."""

    def __init__(self, pool: SmtpPool, *, data_timeout: float = 120) -> None:
        self._pool = pool
        self._data_timeout = data_timeout

    async def send(self, mail: Mail, begin: Begin) -> Outcome:
        try:
            connection = await self._connection_with_sender(mail)
        except (SMTPException, OSError) as error:
            return Unavailable(f"the mail server takes no mail: {_words(error)}")
        outcome: Outcome | None = None
        try:
            outcome = await self._to_recipient(connection.client, mail, begin)
            return outcome
        finally:
            # Cancelled, claim lost, in doubt: its envelope is still open, and the next mail must not meet it.
            if isinstance(outcome, Sent | Permanent | Retryable) and connection.client.is_connected:
                self._pool.give_back(connection)
            else:
                connection.client.close()

    async def _connection_with_sender(self, mail: Mail) -> Connection:
        """A connection on which our sender is accepted; one that was dropped while idle is replaced."""
        connection = await self._pool.take()
        try:
            await self._open_envelope(connection, mail)
        except (SMTPServerDisconnected, TimeoutError):
            if not connection.mails:
                raise
            connection = await self._pool.take(fresh=True)
            await self._open_envelope(connection, mail)
        connection.mails += 1
        return connection

    async def _open_envelope(self, connection: Connection, mail: Mail) -> None:
        client = connection.client
        international = mail.needs_smtputf8 and client.supports_extension("smtputf8")
        try:
            await client.mail(mail.sender, options=["SMTPUTF8"] if international else [])
        except BaseException:
            client.close()
            raise

    async def _to_recipient(self, client: aiosmtplib.SMTP, mail: Mail, begin: Begin) -> Outcome:
        if mail.needs_smtputf8 and not client.supports_extension("smtputf8"):
            await _reset(client)
            return Permanent("the mail server takes no addresses outside of ASCII")
        try:
            await client.rcpt(mail.recipient, encoding="utf-8" if mail.needs_smtputf8 else "ascii")
        except SMTPRecipientRefused as error:
            await _reset(client)
            return _refusal(SMTPResponse(error.code, error.message))
        except (SMTPException, OSError) as error:
            return Retryable(f"lost the mail server over this recipient: {_words(error)}")
        await begin()
        return await self._content(client, mail.content)

    async def _content(self, client: aiosmtplib.SMTP, content: bytes) -> Outcome:
        """DATA in two steps: who is lost before the second has sent nothing, after it perhaps everything."""
        try:
            go_ahead = await client.execute_command(b"DATA")
        except (SMTPException, OSError) as error:
            return Retryable(f"lost the mail server before the content: {_words(error)}")
        if go_ahead.code != READY_FOR_CONTENT or client.protocol is None:
            await _reset(client)
            return _refusal(go_ahead)
        try:
            client.protocol.write(LINE_START_PERIOD.sub(b"..", content) + b".\r\n")
            verdict = await client.protocol.read_response(timeout=self._data_timeout)
        except (SMTPException, OSError) as error:
            client.close()
            return Unknown(f"lost the mail server after the content: {_words(error)}")
        return Sent(verdict.message) if verdict.code == COMPLETED else _refusal(verdict)

    async def check(self) -> str:
        connection = await self._pool.take(fresh=True)
        try:
            await connection.client.noop()
            secured = "TLS" if connection.client.get_transport_info("sslcontext") else "no TLS"
            return f"{self._pool.server.host}:{self._pool.server.port}, {secured}"
        finally:
            connection.client.close()

    async def aclose(self) -> None:
        await self._pool.aclose()


async def _reset(client: aiosmtplib.SMTP) -> None:
    try:
        await client.rset()
    except (SMTPException, OSError):
        client.close()


def _refusal(response: SMTPResponse) -> Outcome:
    words = f"{response.code} {response.message}"
    return Permanent(words) if response.code >= 500 else Retryable(words)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
