"""One try to send one message, and what is known of it when it ends early."""

from __future__ import annotations

from collections.abc import Callable

from workers import crash_points
from workers.queue.claims import ItemT, WorkQueue
from workers.queue.handler import Handler, Prepared
from workers.queue.held import Held, Stage
from workers.queue.outcomes import (
    ClaimLost,
    NotYet,
    Outcome,
    Permanent,
    Retryable,
    Sent,
    Unavailable,
    Unknown,
)


async def attempt(
    held: Held, queue: WorkQueue[ItemT], handler: Handler[ItemT, Prepared], is_ours: Callable[[Held], bool]
) -> Outcome:
    """Prepare the message, mark it as being sent when the handler is ready, send it.

    Raises ClaimLost when it is somebody else's meanwhile, NotYet when it has to wait: then it was not sent.
    """
    try:
        prepared = handler.prepare(held.claim.item)
    except Exception as error:
        return Permanent(_words(error))

    async def begin() -> None:
        crash_points.reach("before_send")
        if not is_ours(held):
            raise ClaimLost
        held.stage = Stage.BEGINNING
        begun = await queue.begin(held.claim)
        if begun is None:
            raise NotYet
        if not begun:
            raise ClaimLost
        held.stage = Stage.SENDING
        crash_points.reach("handing_over")

    try:
        outcome = await handler.send(prepared, begin)
    except (ClaimLost, NotYet):
        raise
    except Exception as error:
        return Unknown(_words(error)) if held.stage is Stage.SENDING else Retryable(_words(error))
    if isinstance(outcome, Sent):
        crash_points.reach("after_send")
    return outcome


def when_stopped(stage: Stage) -> Outcome:
    """What is known of a message whose try was cut short."""
    if stage is Stage.SENDING:
        return Unknown("the worker was stopped while the mail was being sent")
    if stage is Stage.BEGINNING:
        # It may be marked already: giving it back takes more than a release.
        return Retryable("the worker was stopped", retry_after=0)
    return Unavailable("the worker was stopped")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
