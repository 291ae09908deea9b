"""RPCs of the schema `worker` while somebody waits for the answer: one POST, never repeated.

What runs in the background uses workers.supabase_api, which repeats a call while the API is away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import aiohttp
import structlog
from pydantic_core import to_json

from workers.api_error import ApiError
from workers.outbound import Unreadable, read_json
from workers.settings import Settings

LARGEST = 4 << 20


class WorkerRpc:
    """`seconds` is what one call may take."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, *, anon_key: str, worker_key: str, seconds: float = 2.5
    ) -> None:
        self.url = url
        self._http = http
        self._timeout = aiohttp.ClientTimeout(total=seconds)
        self._headers = {
            "apikey": anon_key,
            "Authorization": f"Bearer {worker_key}",
            "Content-Profile": "worker",
            "Content-Type": "application/json",
        }

    @classmethod
    def of(cls, settings: Settings, http: aiohttp.ClientSession, *, seconds: float = 2.5) -> Self:
        if settings.worker_key is None:
            raise ValueError("these settings have no WORKER_KEY; load them with FOR_WORKER")
        return cls(
            http,
            settings.api_url,
            anon_key=settings.anon_key.get_secret_value(),
            worker_key=settings.worker_key.get_secret_value(),
            seconds=seconds,
        )

    async def __call__(self, function: str, arguments: Mapping[str, Any] | None = None) -> Any:
        """What `worker.<function>` answers. ApiError: the API's own, or `api_unreachable` if none came."""
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        try:
            async with self._http.post(
                f"{self.url}/rest/v1/rpc/{function}",
                data=to_json(arguments or {}),
                headers={**self._headers, "X-Request-Id": request_id} if request_id else self._headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                if response.status == 204:
                    return None
                if response.status >= 300:
                    raise ApiError.told(
                        response.status, response.reason or "", await response.read(), response.headers
                    )
                return await read_json(response, at_most=LARGEST)
        except (aiohttp.ClientError, TimeoutError, Unreadable) as error:
            raise ApiError.unreachable(self.url, error, request_id or "") from error
