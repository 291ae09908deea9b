"""The application: its routes, and what surrounds each request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from workers.edge import envelope, health, places, service
from workers.edge.limits import Limits
from workers.edge.request_log import RequestLog
from workers.settings import Settings

ROUTES = [
    Route("/livez", health.livez, methods=["GET"]),
    Route("/readyz", health.readyz, methods=["GET"]),
    *places.ROUTES,
]

# What supabase-js sends, and what an app wants to read. Behind the gateway that one's headers replace these.
ALLOWED_HEADERS = ("apikey", "authorization", "content-type", "traceparent", "x-client-info", "x-request-id")
EXPOSED_HEADERS = ("retry-after", "x-request-id")


def create_app(settings: Settings) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with service.opened(settings) as app.state.service:
            yield

    app = Starlette(
        routes=ROUTES,
        middleware=[
            Middleware(RequestLog),
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_allow_origins.replace(",", " ").split(),
                allow_methods=["GET", "POST", "OPTIONS"],
                allow_headers=ALLOWED_HEADERS,
                expose_headers=EXPOSED_HEADERS,
                max_age=3600,
            ),
            Middleware(envelope.Unexpected),
            Middleware(
                Limits,
                body_bytes=settings.edge_max_body_bytes,
                seconds=settings.edge_timeout,
                at_once=settings.edge_concurrency,
            ),
        ],
        exception_handlers=envelope.HANDLERS,
        lifespan=lifespan,
    )
    # It would send a caller to a path without the gateway's prefix.
    app.router.redirect_slashes = False
    return app
