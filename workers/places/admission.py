"""Whether a call may go out to the provider: the database decides, and is asked for many calls at once.

A session's calls are decided in the order in which they came: while one is being asked for, the next waits.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol, Self
from uuid import UUID

import structlog

from workers.api_error import ApiError
from workers.places import refusals
from workers.places.sessions import INVALID
from workers.refusal import Refusal

log = structlog.get_logger()

Kind = Literal["autocomplete", "details", "validate"]

LARGEST = 200
# Requests under way: the database decides one after the other, but each is on its way for longer.
LANES = 2


class Rpc(Protocol):
    async def __call__(self, function: str, arguments: Mapping[str, Any]) -> Any: ...


@dataclass(frozen=True)
class Call:
    kind: Kind
    user_id: str
    workspace_id: UUID
    session_id: UUID | None


class Admission:
    """A context manager. `instance` names this process; no other may have the same name."""

    def __init__(self, rpc: Rpc, *, instance: str, provider: str, lanes: int = LANES) -> None:
        self._rpc = rpc
        self._instance = instance
        self._provider = provider
        self._waiting: list[tuple[Call, asyncio.Future[UUID | None]]] = []
        self._asked_for: Counter[UUID] = Counter()
        self._something = asyncio.Event()
        self._lanes = lanes
        self._tasks: list[asyncio.Task[None]] = []

    async def ask(self, call: Call) -> UUID | None:
        """The provider's token to use: None to call without one. Refusal when the call must not be made.

        Whoever stops waiting is not asked for, or not admitted in vain: nothing is called then.
        """
        future: asyncio.Future[UUID | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((call, future))
        self._something.set()
        return await future

    async def _run(self) -> None:
        while True:
            await self._something.wait()
            await asyncio.sleep(0)  # those that are ready to ask come along
            batch = self._take()
            if not batch:
                self._something.clear()
                continue
            sessions = [call.session_id for call, _ in batch if call.session_id]
            self._asked_for.update(sessions)
            try:
                await self._decide([call for call, _ in batch], [future for _, future in batch])
            finally:
                self._asked_for.subtract(sessions)
                self._asked_for += Counter()  # forgets what is at zero
                self._something.set()

    def _take(self) -> list[tuple[Call, asyncio.Future[UUID | None]]]:
        """What to ask for next: whoever has waited longest, and no session that is being asked for."""
        taken: list[tuple[Call, asyncio.Future[UUID | None]]] = []
        left: list[tuple[Call, asyncio.Future[UUID | None]]] = []
        for call, future in self._waiting:
            if future.done():
                continue
            free = call.session_id is None or call.session_id not in self._asked_for
            (taken if free and len(taken) < LARGEST else left).append((call, future))
        self._waiting = left
        return taken

    async def _decide(self, calls: Sequence[Call], futures: Sequence[asyncio.Future[UUID | None]]) -> None:
        asked = [
            {
                "session_id": call.session_id,
                "user_id": call.user_id,
                "workspace_id": call.workspace_id,
                "kind": call.kind,
                "instance": self._instance,
                "provider": self._provider,
            }
            for call in calls
        ]
        try:
            answers = await self._rpc("admit_place_calls", {"p_calls": asked})
            verdicts: list[UUID | Refusal | None] = [_verdict(answer) for answer in answers]
            if len(verdicts) != len(futures):
                raise ValueError(f"{len(verdicts)} answers to {len(futures)} calls")
        except ApiError as error:
            log.warning("admission can't be had", error=str(error), calls=len(calls))
            verdicts = [refusals.unavailable()] * len(futures)
        except asyncio.CancelledError:
            for future in futures:
                future.cancel()
            raise
        except Exception:
            log.exception("admission failed", calls=len(calls))
            verdicts = [refusals.unavailable()] * len(futures)
        for future, verdict in zip(futures, verdicts, strict=True):
            if future.done():
                continue
            if isinstance(verdict, Refusal):
                future.set_exception(verdict)
            else:
                future.set_result(verdict)

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._run(), name="admission") for _ in range(self._lanes)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for _, future in self._waiting:
            future.cancel()


def _verdict(answer: Mapping[str, Any]) -> UUID | Refusal | None:
    if answer["admitted"]:
        token = answer.get("provider_token")
        return UUID(token) if token else None
    reason = answer.get("reason")
    if reason == "places_invalid_session":
        return INVALID
    if reason == "places_quota":
        return refusals.quota(answer.get("retry_after"), answer.get("scope"))
    if reason == "permission_denied":
        return refusals.PERMISSION_DENIED
    if reason == "workspace_not_found":
        return refusals.WORKSPACE_NOT_FOUND
    raise ValueError(f"admission answers {reason!r}")
