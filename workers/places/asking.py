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
    async with new_session() as http:
        rpc = WorkerRpc.of(settings, http, seconds=settings.api_timeout)
        yield provider_of(settings, http, rpc)
