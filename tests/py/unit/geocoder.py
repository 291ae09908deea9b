"""A stand-in for a server over OpenStreetMap's data: keeps what it was asked, and can be broken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from workers import outbound
from workers.places.provider import Provider

T = TypeVar("T")
P = TypeVar("P", bound=Provider)


class Geocoder:
    """`broken` is answered instead of all else."""

    def __init__(self) -> None:
        self.broken: Response | None = None
        self.asked: list[tuple[str, QueryParams]] = []

    def answer(self, path: str, query: QueryParams) -> Response:
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        path, query = request.url.path, request.query_params
        self.asked.append((path, query))
        await (self.broken or self.answer(path, query))(scope, receive, send)


def run(
    provider: Callable[[aiohttp.ClientSession, str], P], url: str, work: Callable[[P], Awaitable[T]]
) -> T:
    """What the work answers, done with a provider that asks the server at `url`."""

    async def connected() -> T:
        async with outbound.new_session() as http:
            return await work(provider(http, url + "/"))

    return asyncio.run(connected())
