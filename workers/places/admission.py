"""Whether a call may go out to the provider: the database decides, and is asked for many calls at once.

One request is under way at a time, so what waits behind it goes in the order in which it came.
"""

from __future__ import annotations

import asyncio
import contextlib
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

LINGER = 0.002  # seconds in which calls gather behind the first
LARGEST = 200


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

    def __init__(self, rpc: Rpc, *, instance: str, provider: str, linger: float = LINGER) -> None:
        self._rpc = rpc
        self._instance = instance
        self._provider = provider
        self._linger = linger
        self._waiting: list[tuple[Call, asyncio.Future[UUID | None]]] = []
        self._something = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

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
            if len(self._waiting) < LARGEST:
                await asyncio.sleep(self._linger)
            batch = [(call, future) for call, future in self._waiting[:LARGEST] if not future.done()]
            del self._waiting[:LARGEST]
            if not self._waiting:
                self._something.clear()
            if batch:
                await self._decide([call for call, _ in batch], [future for _, future in batch])

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
        self._task = asyncio.create_task(self._run(), name="admission")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
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
