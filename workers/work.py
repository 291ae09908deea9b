"""`freehold work`: the consumer of the mail queue, put together from the settings."""

from __future__ import annotations

from typing import Protocol

from workers.email.handler import EmailHandler
from workers.email.smtp import SmtpProvider
from workers.email.smtp_pool import SmtpPool
from workers.queue.consumer import Consumer
from workers.queue.handler import Pace
from workers.queue.messages import MessageQueue
from workers.queue.signals import on_stop_signal
from workers.settings import Settings
from workers.supabase_api import WorkerApi


class Watcher(Protocol):
    def expect(self, length: int) -> None:
        """So many messages are in the queue at the start."""

    def settled(self, outcome: str) -> None:
        """That became of one of them."""


def smtp(settings: Settings) -> SmtpProvider:
    pool = SmtpPool(settings.mail_server(), timeout=settings.smtp_timeout)
    return SmtpProvider(pool, data_timeout=settings.smtp_data_timeout)


async def work(settings: Settings, watcher: Watcher, *, queue: str, until_empty: bool) -> bool:
    """Send what waits, until told to stop or until the queue is empty.

    True when everything that was claimed is settled or given back.
    """
    provider = smtp(settings)
    handler = EmailHandler(
        provider,
        mail_from=settings.mail_from or "",
        domain=settings.message_id_domain,
        site_url=settings.site_url or "",
    )
    pace = Pace(
        batch=settings.worker_batch,
        concurrency=settings.worker_concurrency,
        poll=settings.worker_poll_seconds,
        drain=settings.worker_drain_seconds,
    )
    async with WorkerApi.of(settings) as api:
        messages = MessageQueue(api, queue, lease_seconds=settings.worker_lease_seconds)
        consumer = Consumer(messages, handler, pace, until_empty=until_empty, settled=watcher.settled)
        on_stop_signal(consumer.stop)
        if until_empty:
            watcher.expect(await messages.length())
        try:
            return await consumer.run()
        finally:
            await provider.aclose()
