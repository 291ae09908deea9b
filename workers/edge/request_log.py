"""A request's id, taken or made, and its one line of log."""

from __future__ import annotations

import re
import time
import uuid

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

# As private.pre_request has it: what doesn't fit could forge lines of a log.
REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")
LONGEST_PATH = 200
QUIET = frozenset({"/livez", "/readyz"})


class RequestLog:
    """Neither queries nor bodies nor headers are logged: they carry secrets and what people type."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request_id = _request_id(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status, started = 500, time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            (log.debug if scope["path"] in QUIET and status == 200 else log.info)(
                "request",
                method=scope["method"],
                path=loggable_path(scope),
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
                error_code=state.get("error_code"),
                user_id=state.get("user_id"),
                workspace_id=state.get("workspace_id"),
            )


def loggable_path(scope: Scope) -> str:
    """As it was sent: decoded, it may have what a terminal obeys, or what looks like another line."""
    raw: bytes = scope.get("raw_path") or b""
    return raw[:LONGEST_PATH].decode("ascii", "replace")


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value):
            return bytes(value).decode()
    return str(uuid.uuid4())
