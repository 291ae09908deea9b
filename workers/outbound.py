"""HTTP out of the edge service: one pool of connections, and answers that are read up to a bound.

aiohttp, since a request costs it 80 µs of CPU, and httpx 2 ms: docs/explanation/address-lookup.md.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import aiohttp
from pydantic_core import from_json

CONNECTIONS = 500


class Unreadable(Exception):
    """An answer that is too large, or no JSON."""


class Dropped(aiohttp.ClientConnectionError):
    """The connection ended before the answer came: whether the request took effect is unknown."""


def new_session() -> aiohttp.ClientSession:
    """A pool of its own: who waits for one service takes no connection from another.

    It keeps no cookies, takes no proxy from the environment, and repeats nothing.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS, ttl_dns_cache=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"freehold/{version('freehold')}"},
        middlewares=(_once,),
        trust_env=False,
    )


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """aiohttp repeats a GET whose connection broke. Whether that is safe or paid for twice, we say."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Dropped("the connection was dropped") from error


def loggable(error: Exception) -> str:
    """What may be told of a failed call. aiohttp's words repeat the URL, and with it what somebody typed."""
    ours = isinstance(error, Unreadable | Dropped | aiohttp.ClientConnectorError)
    return str(error) if ours else type(error).__name__


async def read_json(response: aiohttp.ClientResponse, *, at_most: int) -> Any:
    """The answer's document. Unreadable when it has more than so many bytes, or isn't JSON."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > at_most:
            raise Unreadable(f"an answer of more than {at_most} bytes")
    try:
        return from_json(bytes(body))
    except ValueError:
        raise Unreadable("an answer that is no JSON") from None
