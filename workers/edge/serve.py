"""`freehold edge`: the application in uvicorn, until told to stop."""

from __future__ import annotations

import math
import os
import signal
from types import FrameType

import structlog
import uvicorn

from workers.edge.app import create_app
from workers.edge.protocol import bounded
from workers.settings import Settings

log = structlog.get_logger()

# Longer than the gateway keeps an idle connection (4 s), else a request meets one that is just closing.
KEEP_ALIVE = 10


class _Server(uvicorn.Server):
    """Stops in good order on the first signal, with exit code 0; at once on the second."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            os._exit(128 + sig)
        self.should_exit = True
        log.info("stopping: no more requests, finishing what is under way", signal=signal.Signals(sig).name)


def serve(settings: Settings) -> None:
    """Answer requests until SIGTERM or SIGINT; those under way get EDGE_DRAIN_SECONDS then."""
    config = uvicorn.Config(
        create_app(settings),
        host=settings.edge_listen,
        port=settings.edge_port,
        http=bounded(settings.edge_timeout),
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=math.ceil(settings.edge_drain_seconds),
    )
    log.info("listening", address=f"{settings.edge_listen}:{settings.edge_port}")
    _Server(config).run()
