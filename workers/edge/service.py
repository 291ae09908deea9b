"""What the endpoints work with: opened when the service starts, closed when its last request is answered."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

from workers import outbound
from workers.edge.key_set import KeySet
from workers.edge.readiness import Readiness, api, keys
from workers.edge.tokens import Caller, Tokens
from workers.places.admission import Admission
from workers.places.configured import provider_of
from workers.places.lookup import Lookup
from workers.places.sessions import SessionTokens
from workers.settings import Settings
from workers.worker_rpc import WorkerRpc


@dataclass(frozen=True)
class Service:
    tokens: Tokens
    readiness: Readiness
    lookup: Lookup
    countries: tuple[str, ...]  # in which places are looked for unless a request says


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Service]:
    """Nothing is asked of anybody before the first request: the service starts whatever is away."""
    if settings.edge_secret is None:
        raise ValueError("these settings have no EDGE_SECRET; load them with FOR_EDGE")
    # Two pools: a provider that hangs must not take the connections by which the database is asked.
    async with outbound.new_session() as http, outbound.new_session() as abroad:
        rpc = WorkerRpc.of(settings, http)
        key_set = KeySet(http, settings.key_set_url)
        provider = provider_of(settings, abroad, rpc)
        async with Admission(rpc, instance=str(uuid.uuid4()), provider=provider.name) as admission:
            sessions = SessionTokens(settings.edge_secret.get_secret_value())
            yield Service(
                tokens=Tokens(
                    key_set,
                    issuer=settings.token_issuer,
                    audience=settings.jwt_audience,
                    secret=settings.jwt_secret.get_secret_value() if settings.jwt_secret else None,
                ),
                readiness=Readiness({"api": api(rpc), "keys": keys(key_set)}),
                lookup=Lookup(provider, admission, sessions, rpc),
                countries=settings.countries,
            )


def of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def caller_of(request: Request) -> Caller:
    """Who sent the request; the log will say so. Refusal 401 without a valid token.

    Of two headers each reader on the way might take another: that is refused, too.
    """
    caller = await of(request).tokens.caller(", ".join(request.headers.getlist("authorization")))
    request.state.user_id = caller.user_id
    return caller
