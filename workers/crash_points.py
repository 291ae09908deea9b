"""Points at which a test may have the process killed as by `kill -9`: nothing more runs, nothing is flushed.

Honoured only when FREEHOLD_ENV=test. The points, in the order in which a message passes them:

    before_claim    nothing is held
    after_claim     messages are leased to this process, none is started
    before_send     the provider is ready to take the message, no durable mark says so yet
    handing_over    the message is marked `sending`, not one byte of its content has left
    after_send      the provider has accepted the message, the database doesn't know
"""

from __future__ import annotations

import os
import signal

_armed = os.environ.get("FREEHOLD_CRASH_AT") if os.environ.get("FREEHOLD_ENV") == "test" else None


def reach(point: str) -> None:
    """Die here, if this is the point that the environment names."""
    if point == _armed:
        os.kill(os.getpid(), signal.SIGKILL)
