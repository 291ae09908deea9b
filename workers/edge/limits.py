"""What one request may cost: bytes, seconds, and a place among those served at once."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workers.edge.envelope import refused
from workers.refusal import Refusal

TOO_LARGE = Refusal(
    413, "payload_too_large", "The request's body is too large", hint="Send less in one request."
)
TOO_SLOW = Refusal(
    408, "request_timeout", "The request did not arrive in time", hint="Send it again, without pauses."
)
TOO_LONG = Refusal(
    504,
    "edge_timeout",
    "The request took too long",
    hint="Whether it took effect is unknown: repeat it only if that is safe.",
)
TOO_MANY = Refusal(
    503, "overloaded", "Too many requests are being answered", hint="Try again shortly.", retry_after=1
)


# Whoever restarts what doesn't answer must not restart what has much to do.
LIVENESS = "/livez"


class _Disconnected(Exception):
    """The client left before its request was complete."""


class Limits:
    """Takes in the whole body, then lets the application answer; all of it within `seconds`.

    A request too many is refused at once rather than queued: a form asks again with its next keystroke.
    """

    def __init__(self, app: ASGIApp, *, body_bytes: int, seconds: float, at_once: int) -> None:
        self.app = app
        self.body_bytes = body_bytes
        self.seconds = seconds
        self.at_once = at_once
        self._served = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if self._served >= self.at_once and scope["path"] != LIVENESS:
            return await refused(scope, TOO_MANY)(scope, receive, send)
        self._served += 1
        try:
            await self._serve(scope, receive, send)
        finally:
            self._served -= 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        complete = started = False
        body: bytes | None = b""

        async def replay() -> Message:
            nonlocal body
            if body is None:
                return await receive()
            whole, body = body, None
            return {"type": "http.request", "body": whole, "more_body": False}

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(self.seconds) as deadline:
                body = await self._body(scope, receive)
                complete = True
                await self.app(scope, replay, watch)
        except Refusal as refusal:
            await refused(scope, refusal)(scope, receive, send)
        except _Disconnected:
            pass
        except TimeoutError:
            if not deadline.expired() or started:
                raise
            await refused(scope, TOO_LONG if complete else TOO_SLOW)(scope, receive, send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """The body; Refusal as soon as it is known to be too large."""
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > self.body_bytes:
            raise TOO_LARGE
        chunks, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Disconnected
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self.body_bytes:
                raise TOO_LARGE
            if not message.get("more_body"):
                return b"".join(chunks)
