"""The worker's handler for the queue `email`."""

from __future__ import annotations

from datetime import UTC, datetime

from workers.email.message import build
from workers.email.provider import EmailProvider, Mail
from workers.email.render import render
from workers.queue.handler import Begin
from workers.queue.messages import Message
from workers.queue.outcomes import Outcome


class EmailHandler:
    def __init__(self, provider: EmailProvider, *, mail_from: str, domain: str, site_url: str) -> None:
        self._provider = provider
        self._mail_from = mail_from
        self._domain = domain
        self._site_url = site_url

    def prepare(self, message: Message) -> Mail:
        rendered = render(message.template, message.payload, site_url=self._site_url)
        return build(message, rendered, mail_from=self._mail_from, domain=self._domain, now=datetime.now(UTC))

    async def send(self, prepared: Mail, begin: Begin) -> Outcome:
        return await self._provider.send(prepared, begin)
