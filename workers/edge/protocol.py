"""HTTP as uvicorn speaks it, with bounds on the head of a request, which uvicorn lacks."""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 1 << 16


def bounded(seconds: float) -> type[HttpToolsProtocol]:
    """A protocol that gives each head so many seconds and LARGEST_HEAD bytes to arrive."""

    class Bounded(HttpToolsProtocol):
        _arriving: asyncio.TimerHandle | None = None
        _received = 0

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(cast(asyncio.Transport, transport))
            self._expect_head()

        def data_received(self, data: bytes) -> None:
            # What else came along with a head's beginning isn't counted: it may be another request's body.
            counted = self._arriving is not None
            super().data_received(data)
            if self._arriving is None or not counted:
                return
            self._received += len(data)
            if self._received > LARGEST_HEAD and not self.transport.is_closing():
                self.send_400_response("The request's head is too large.")

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._expect_head()

        def on_headers_complete(self) -> None:
            self._expect_nothing()
            super().on_headers_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self._expect_nothing()
            super().connection_lost(exc)

        def _expect_head(self) -> None:
            self._expect_nothing()
            self._received = 0
            self._arriving = self.loop.call_later(seconds, self.transport.close)

        def _expect_nothing(self) -> None:
            if self._arriving:
                self._arriving.cancel()
                self._arriving = None

    return Bounded
