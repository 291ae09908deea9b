"""The public keys that verify users' tokens: fetched once, renewed, and never at a stranger's command."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import structlog
from jwt import PyJWK, PyJWTError

from workers.outbound import Unreadable, read_json
from workers.refusal import Refusal

log = structlog.get_logger()

# Asymmetric ones alone: a secret in a published key set would be none.
ALGORITHMS = frozenset({"ES256", "RS256"})
LIFETIME = 600.0
COOL_DOWN = 30.0
AFTER_FAILURE = 2.0
TIMEOUT = aiohttp.ClientTimeout(total=3)
LARGEST = 1 << 17

UNAVAILABLE = Refusal(
    503,
    "keys_unavailable",
    "The keys that verify access tokens can't be had at the moment",
    hint="Try again shortly.",
    retry_after=2,
)


class KeySet:
    """The key set at `url`. A key that it doesn't have is looked for anew, at most every 30 s.

    Keys stay in use while the key set can't be had; one taken out of it is gone within ten minutes.
    """

    def __init__(
        self, http: aiohttp.ClientSession, url: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._http = http
        self._url = url
        self._clock = clock
        self._keys: Mapping[str, PyJWK] = {}
        self._fetched_at: float | None = None
        self._not_before = float("-inf")
        self._failed = False
        self._fetching = asyncio.Lock()

    async def key(self, kid: str) -> PyJWK | None:
        """The key of that id; None when there is none. Refusal 503 when that can't be known."""
        await self._renew(unless_known=kid)
        if kid not in self._keys and self._failed:
            raise UNAVAILABLE
        return self._keys.get(kid)

    async def ready(self) -> bool:
        """Whether there is a key set to verify with."""
        await self._renew()
        return self._fetched_at is not None

    async def _renew(self, unless_known: str | None = None) -> None:
        now = self._clock()
        old = self._fetched_at is None or now - self._fetched_at >= LIFETIME
        unknown = unless_known is not None and unless_known not in self._keys
        if (old or unknown) and now >= self._not_before:
            await self._fetch()

    async def _fetch(self) -> None:
        """One fetch for all who wait for it."""
        asked_at = self._clock()
        async with self._fetching:
            if self._not_before > asked_at:
                return
            try:
                async with self._http.get(self._url, timeout=TIMEOUT, allow_redirects=False) as response:
                    response.raise_for_status()
                    document = await read_json(response, at_most=LARGEST)
                self._keys = _usable(document)
            except (aiohttp.ClientError, TimeoutError, Unreadable) as error:
                self._failed = True
                self._not_before = self._clock() + AFTER_FAILURE
                log.warning(
                    "the key set can't be had", url=self._url, error=str(error) or type(error).__name__
                )
            else:
                self._failed = False
                self._fetched_at = self._clock()
                self._not_before = self._fetched_at + COOL_DOWN


def _usable(document: Any) -> Mapping[str, PyJWK]:
    """The keys that we can use, by id; a key of a kind we don't know harms none of the others."""
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise Unreadable("an answer that is no key set")
    keys = {}
    for each in document["keys"]:
        try:
            key = PyJWK.from_dict(each)
        except (PyJWTError, AttributeError, TypeError, ValueError):
            continue
        if key.key_id and key.algorithm_name in ALGORITHMS and each.get("use", "sig") == "sig":
            keys[key.key_id] = key
    return keys
