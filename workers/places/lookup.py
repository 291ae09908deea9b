"""The way of a lookup: session, admission, provider, and what the form is told.

A session's token may go to the provider until the call that ends the session, and never after. Here that
means: before details go out, this process's autocompletes of the session are cancelled. Those of others are
the database's concern, which then lets details go without the token.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import structlog

from workers.api_error import ApiError
from workers.places import refusals
from workers.places.admission import Admission, Call, Rpc
from workers.places.provider import (
    Address,
    NotUnderstood,
    Provider,
    Query,
    Suggestion,
    Unavailable,
    UnknownPlace,
    changes,
)
from workers.places.sessions import Session, SessionTokens
from workers.places.timezones import timezone_at
from workers.refusal import Refusal

log = structlog.get_logger()

T = TypeVar("T")

# From the caller's request on, admission included. The database reckons with it: worker.admit_place_calls.
DEADLINE = 2.5
# Of a provider's answer at the last moment, too, the position is kept: it was paid for.
SHORTEST_KEEPING = 0.25
SHORTEST_INPUT = 3
# What the database says of who asks and how much, in words that are meant for the caller.
PASSED_ON = frozenset({"workspace_not_found", "permission_denied", "places_quota", "places_unavailable"})


class Lookup:
    """What the endpoints do, for verified users."""

    def __init__(
        self,
        provider: Provider,
        admission: Admission,
        tokens: SessionTokens,
        rpc: Rpc,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._provider = provider
        self._admission = admission
        self._tokens = tokens
        self._rpc = rpc
        self._typing: defaultdict[UUID, set[asyncio.Task[Any]]] = defaultdict(set)

    async def open_session(self, user_id: str, workspace_id: UUID) -> dict[str, Any]:
        asked = {"p_user_id": user_id, "p_workspace_id": workspace_id}
        try:
            opened = await self._rpc("open_place_session", asked)
        except ApiError as error:
            raise _passed_on(error) from error
        session = Session(UUID(opened["session_id"]), workspace_id)
        return {"session_token": self._tokens.issue(session, user_id), "expires_in": opened["expires_in"]}

    def session(self, user_id: str, token: str) -> Session:
        return self._tokens.open(token, user_id)

    async def autocomplete(self, user_id: str, session: Session, query: Query) -> dict[str, Any]:
        """Fewer than three letters are refused before anybody is asked."""
        if len(query.text.strip()) < SHORTEST_INPUT:
            raise refusals.INPUT_TOO_SHORT
        suggestions = await self._while_typing(session.id, self._suggest(user_id, session, query))
        return {
            "suggestions": [_shown(suggestion) for suggestion in suggestions],
            "provider": self._provider.name,
            "attribution": self._provider.attribution,
        }

    async def details(
        self, user_id: str, session: Session, place_id: str, language: str | None
    ) -> dict[str, Any]:
        deadline = self._clock() + DEADLINE
        await self._stop_typing(session.id)
        token = await self._admitted(Call("details", user_id, session.workspace_id, session.id))
        seconds = self._left(deadline)
        place = await _answered(self._provider.details(place_id, token, language=language, seconds=seconds))
        await self._keep_position(session.workspace_id, place.place_id, place.position, deadline)
        return {
            "place_id": place.place_id,
            "address": place.address.fields(),
            "formatted_address": place.formatted_address,
            "coordinates": self._coordinates(place.position),
            "timezone": timezone_at(*place.position) if place.position else None,
            "address_status": place.address_status,
            "provider": self._provider.name,
            "attribution": self._provider.attribution,
        }

    async def validate(
        self, user_id: str, workspace_id: UUID, session: Session | None, address: Address
    ) -> dict[str, Any]:
        if address.is_too_long:
            raise refusals.ADDRESS_TOO_LONG
        deadline = self._clock() + DEADLINE
        if session:
            await self._stop_typing(session.id)
        token = await self._admitted(Call("validate", user_id, workspace_id, session.id if session else None))
        checked = await _answered(self._provider.validate(address, token, seconds=self._left(deadline)))
        if checked.place_id:
            await self._keep_position(workspace_id, checked.place_id, checked.position, deadline)
        return {
            "address_status": checked.address_status,
            "address": checked.address.fields(),
            "changes": changes(address, checked.address),
            "coordinates": self._coordinates(checked.position),
            "place_id": checked.place_id,
            "provider": self._provider.name,
            "attribution": self._provider.attribution,
        }

    async def _suggest(self, user_id: str, session: Session, query: Query) -> Sequence[Suggestion]:
        deadline = self._clock() + DEADLINE
        token = await self._admitted(Call("autocomplete", user_id, session.workspace_id, session.id))
        return await _answered(self._provider.autocomplete(query, token, seconds=self._left(deadline)))

    async def _admitted(self, call: Call) -> UUID | None:
        try:
            async with asyncio.timeout(DEADLINE):
                return await self._admission.ask(call)
        except TimeoutError:
            raise refusals.unavailable() from None

    def _left(self, deadline: float) -> float:
        """Seconds to the deadline; Refusal when too few to ask anybody."""
        left = deadline - self._clock()
        if left < 0.05:
            raise refusals.unavailable()
        return left

    async def _while_typing(self, session_id: UUID, work: Coroutine[Any, Any, T]) -> T:
        """Do the work, unless an address is chosen meanwhile: Refusal 409 then."""
        task = asyncio.create_task(work)
        self._typing[session_id].add(task)
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if task.cancelled() and not (current and current.cancelling()):
                raise refusals.SUPERSEDED from None
            raise
        finally:
            self._typing[session_id].discard(task)
            if not self._typing[session_id]:
                del self._typing[session_id]

    async def _stop_typing(self, session_id: UUID) -> None:
        """Cancel the session's autocompletes; returns when none can reach the provider any more."""
        while tasks := [task for task in self._typing.get(session_id, ()) if not task.done()]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _keep_position(
        self, workspace_id: UUID, place_id: str, position: tuple[float, float] | None, deadline: float
    ) -> None:
        """For the property's field `coordinates`. What can't be kept is fetched again when asked for."""
        if not position:
            return
        kept = {
            "p_workspace_id": workspace_id,
            "p_place_id": place_id,
            "p_latitude": position[0],
            "p_longitude": position[1],
            "p_provider": self._provider.name,
        }
        try:
            async with asyncio.timeout(max(SHORTEST_KEEPING, deadline - self._clock())):
                await self._rpc("record_place", kept)
        except (ApiError, TimeoutError) as error:
            log.warning("coordinates are not kept", error=str(error) or type(error).__name__)

    def _coordinates(self, position: tuple[float, float] | None) -> dict[str, Any] | None:
        if not position:
            return None
        return {
            "latitude": position[0],
            "longitude": position[1],
            "source": self._provider.name,
            "fetched_at": datetime.now(UTC).isoformat(),
        }


async def _answered(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except UnknownPlace as error:
        raise refusals.PLACE_NOT_FOUND from error
    except NotUnderstood as error:
        raise refusals.NOT_UNDERSTOOD from error
    except Unavailable as error:
        raise refusals.unavailable(error.retry_after) from error


def _passed_on(error: ApiError) -> Refusal:
    """A refusal that is the caller's; what is wrong between us and the database is none of theirs."""
    if error.code in PASSED_ON and error.status is not None:
        return Refusal(
            error.status,
            error.code,
            error.message,
            hint=error.hint,
            details=error.details,
            retry_after=error.retry_after,
        )
    log.warning("a session can't be opened", error=str(error))
    return refusals.unavailable()


def _shown(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "place_id": suggestion.place_id,
        "text": suggestion.text,
        "matches": [{"start": match.start, "end": match.end} for match in suggestion.matches],
        "main_text": suggestion.main_text,
        "secondary_text": suggestion.secondary_text,
    }
