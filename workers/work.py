"""`freehold work`: the consumers of the queues, put together from the settings."""

from __future__ import annotations

from typing import Protocol

from workers.email.handler import EmailHandler
from workers.email.smtp import SmtpProvider
from workers.email.smtp_pool import SmtpPool
from workers.places.asking import asking
from workers.places.checking import AddressCheckHandler
from workers.places.checks import CheckQueue
from workers.queue.claims import ItemT, WorkQueue
from workers.queue.consumer import Consumer
from workers.queue.handler import Handler, Pace, Prepared
from workers.queue.messages import MessageQueue
from workers.queue.signals import on_stop_signal
from workers.settings import Settings
from workers.supabase_api import WorkerApi


class Watcher(Protocol):
    def expect(self, length: int) -> None:
        """So many messages are in the queue at the start."""

    def settled(self, outcome: str) -> None:
        """That became of one of them."""

    def stopping(self, signal: int) -> None:
        """Somebody asked to stop by that signal."""


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
    async with WorkerApi.of(settings) as api:
        messages = MessageQueue(api, queue, lease_seconds=settings.worker_lease_seconds)
        try:
            return await _consume(settings, messages, handler, watcher, until_empty=until_empty)
        finally:
            await provider.aclose()


async def check_addresses(settings: Settings, watcher: Watcher, *, until_empty: bool) -> bool:
    """Check the addresses that wait, until told to stop or until none can be claimed; as `work` answers."""
    async with WorkerApi.of(settings) as api, asking(settings) as provider:
        checks = CheckQueue(api, provider=provider.name, lease_seconds=settings.worker_lease_seconds)
        handler = AddressCheckHandler(provider)
        return await _consume(settings, checks, handler, watcher, until_empty=until_empty)


async def _consume(
    settings: Settings,
    queue: WorkQueue[ItemT],
    handler: Handler[ItemT, Prepared],
    watcher: Watcher,
    *,
    until_empty: bool,
) -> bool:
    pace = Pace(
        batch=settings.worker_batch,
        concurrency=settings.worker_concurrency,
        poll=settings.worker_poll_seconds,
        drain=settings.worker_drain_seconds,
    )
    consumer = Consumer(queue, handler, pace, until_empty=until_empty, settled=watcher.settled)

    def stop(signal: int) -> None:
        watcher.stopping(signal)
        consumer.stop()

    on_stop_signal(stop)
    if until_empty:
        watcher.expect(await queue.length())
    return await consumer.run()
