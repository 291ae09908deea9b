"""Errors in PostgREST's envelope `{code, message, details, hint}`, whatever went wrong."""

from __future__ import annotations

import structlog
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workers.refusal import Refusal

log = structlog.get_logger()

FAILED = Refusal(
    500, "edge_error", "Something went wrong here", hint="Try again; give the operator the request id."
)


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(to_json(body), status, headers, media_type="application/json")


def refused(scope: Scope, refusal: Refusal) -> Response:
    """The answer to a refused request, whose code the request's log line will have."""
    # Most are constants, raised again and again: each would keep the frames of every request that met it.
    refusal.__traceback__ = refusal.__cause__ = refusal.__context__ = None
    scope.setdefault("state", {})["error_code"] = refusal.code
    headers = {}
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    envelope = {
        "code": refusal.code,
        "message": refusal.message,
        "details": refusal.details,
        "hint": refusal.hint,
    }
    return answer(envelope, refusal.status, headers)


async def on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return refused(request.scope, error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """What Starlette refuses by itself: a path or a method that no route has."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        refusal = Refusal(404, "route_not_found", "There is nothing at this path")
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        refusal = Refusal(405, "method_not_allowed", "This path has no such method", hint=f"Use {allowed}.")
    else:
        refusal = Refusal(error.status_code, "request_refused", str(error.detail))
    return refused(request.scope, refusal)


HANDLERS = {Refusal: on_refusal, HTTPException: on_http_exception}


class Unexpected:
    """Turns an exception that nobody expected into 500 `edge_error`, and logs it with its traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            log.exception("request failed")
            if scope["type"] != "http" or started:
                raise
            await refused(scope, FAILED)(scope, receive, send)
