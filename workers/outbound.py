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


def new_session() -> aiohttp.ClientSession:
    """For the whole process. It keeps no cookies, and takes no proxy from the environment."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONNECTIONS, ttl_dns_cache=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"freehold/{version('freehold')}"},
        trust_env=False,
    )


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
