"""The application: routes, errors, a line of log for each request."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scripts.stack.auth import about, account, admin, errors, generate_link, sign_in, verification
from scripts.stack.auth.server import Server

log = structlog.get_logger()

ROUTES = [
    Route("/signup", sign_in.signup, methods=["POST"]),
    Route("/token", sign_in.token, methods=["POST"]),
    Route("/logout", sign_in.logout, methods=["POST"]),
    Route("/user", account.get_user, methods=["GET"]),
    Route("/user", account.update_user, methods=["PUT"]),
    Route("/recover", verification.recover, methods=["POST"]),
    Route("/resend", verification.resend, methods=["POST"]),
    Route("/verify", verification.verify_get, methods=["GET"]),
    Route("/verify", verification.verify_post, methods=["POST"]),
    Route("/admin/users", admin.list_users, methods=["GET"]),
    Route("/admin/users", admin.create_user, methods=["POST"]),
    Route("/admin/users/{user_id}", admin.get_user, methods=["GET"]),
    Route("/admin/users/{user_id}", admin.update_user, methods=["PUT"]),
    Route("/admin/users/{user_id}", admin.delete_user, methods=["DELETE"]),
    Route("/admin/generate_link", generate_link.generate_link, methods=["POST"]),
    Route("/.well-known/jwks.json", about.jwks, methods=["GET"]),
    Route("/settings", about.settings, methods=["GET"]),
    Route("/health", about.health, methods=["GET"]),
]


class RequestLog:
    """One line a request. Neither queries nor bodies nor headers are logged: they carry secrets."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        status, started = 500, time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                error_code=scope.get("state", {}).get("error_code"),
                ms=round((time.perf_counter() - started) * 1000, 1),
                request_id=dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1") or None,
            )


def create_app(server: Server) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await server.pool.open(wait=False)
        try:
            yield
        finally:
            await server.pool.close()

    app = Starlette(
        routes=ROUTES,
        middleware=[Middleware(RequestLog)],
        exception_handlers=errors.HANDLERS,
        lifespan=lifespan,
    )
    app.state.server = server
    return app
