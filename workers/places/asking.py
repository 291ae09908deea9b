"""The provider that the settings name, for verbs and workers, and a pool of connections that ends with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from workers.outbound import new_session
from workers.places.configured import provider_of
from workers.places.provider import Provider
from workers.settings import Settings
from workers.worker_rpc import WorkerRpc


@asynccontextmanager
async def asking(settings: Settings) -> AsyncIterator[Provider]:
    """Needs settings loaded with FOR_WORKER."""
    if settings.worker_key is None:
        raise ValueError("these settings have no WORKER_KEY; load them with FOR_WORKER")
    async with new_session() as http:
        rpc = WorkerRpc(
            http,
            settings.api_url,
            anon_key=settings.anon_key.get_secret_value(),
            worker_key=settings.worker_key.get_secret_value(),
            seconds=settings.api_timeout,
        )
        yield provider_of(settings, http, rpc)
