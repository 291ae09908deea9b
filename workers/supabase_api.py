"""The worker's way into the database: RPCs of the schema `worker`, through PostgREST, with the worker key.

Each of them may be called again with the same arguments, so a call whose answer was lost is repeated.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

import httpx
import structlog
from postgrest import AsyncPostgrestClient
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_delay,
    wait_random_exponential,
)

from workers.api_error import ApiError
from workers.settings import Settings

CONNECTIONS = 20

log = structlog.get_logger()


class WorkerApi:
    """A client of the worker profile, as an async context manager; its connections are kept and reused.

    `timeout` is for one HTTP request, `deadline` for one call with its retries; both in seconds.
    """

    def __init__(
        self, url: str, *, anon_key: str, worker_key: str, timeout: float = 10, deadline: float = 30
    ) -> None:
        self.url = url
        self._deadline = deadline
        self._http = httpx.AsyncClient(
            timeout=timeout,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            event_hooks={"response": [_refuse_errors]},
        )
        self._postgrest = AsyncPostgrestClient(
            f"{url}/rest/v1",
            schema="worker",
            headers={
                "apikey": anon_key,
                "Authorization": f"Bearer {worker_key}",
                "X-Client-Info": f"freehold/{version('freehold')}",
            },
            http_client=self._http,
        )

    @classmethod
    def of(cls, settings: Settings) -> Self:
        if settings.worker_key is None:
            raise ValueError("these settings have no WORKER_KEY; load them with FOR_WORKER")
        return cls(
            settings.api_url,
            anon_key=settings.anon_key.get_secret_value(),
            worker_key=settings.worker_key.get_secret_value(),
            timeout=settings.api_timeout,
            deadline=settings.api_deadline,
        )

    async def rpc(
        self, function: str, arguments: Mapping[str, Any] | None = None, *, deadline: float | None = None
    ) -> Any:
        """What `worker.<function>` answers; repeated with jitter, up to the deadline, while the API is away.

        Raises ApiError: the API's own, or `api_unreachable` where nothing answered.
        """
        request_id = str(uuid.uuid4())
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, ApiError) and error.transient),
            wait=wait_random_exponential(multiplier=0.1, max=3),
            stop=stop_after_delay(self._deadline if deadline is None else deadline),
            before_sleep=_say_once,
            reraise=True,
        ):
            with attempt:
                return await self._call(function, dict(arguments or {}), request_id)
        raise AssertionError("tenacity ended neither by an answer nor by an error")

    async def _call(self, function: str, arguments: dict[str, Any], request_id: str) -> Any:
        query = self._postgrest.rpc(function, arguments)
        query.request.headers["X-Request-Id"] = request_id
        try:
            return (await query.execute()).data
        except httpx.TransportError as error:
            raise ApiError.unreachable(self.url, error, request_id) from error

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _say_once(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if state.attempt_number == 1:
        log.warning("the API is away, trying again", error=str(error))


async def _refuse_errors(response: httpx.Response) -> None:
    # Here and not around execute(): postgrest's own exception has no HTTP status, no headers.
    if not response.is_success:
        await response.aread()
        raise ApiError.of(response)
