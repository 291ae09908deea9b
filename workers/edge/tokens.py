"""Who calls: the access token of a user, verified.

Each algorithm has keys of its own: ES256 and RS256 those of the key set, HS256 the secret. No token chooses
what it is verified with.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt

from workers.edge.key_set import ALGORITHMS, KeySet
from workers.refusal import Refusal

LONGEST = 8192
LEEWAY = 30  # seconds; PostgREST allows as many
REMEMBERED = 10_000
REMEMBERED_FOR = 60.0  # at most: a key that is withdrawn must count soon

SIGN_IN = "Sign in, and send the user's access token as `Authorization: Bearer …`."
MISSING = Refusal(401, "token_missing", "The request has no bearer token", hint=SIGN_IN)
REFUSED = Refusal(401, "token_refused", "The token is forged, damaged, or not for this project", hint=SIGN_IN)
EXPIRED = Refusal(401, "token_expired", "The token has expired", hint="Refresh the session, then try again.")
NO_USER = Refusal(
    401, "token_without_account", "The token is no user's: API keys don't do here", hint=SIGN_IN
)


@dataclass(frozen=True)
class Caller:
    """A signed-in user. Whether the account may do a thing is the database's to say."""

    user_id: str


class Tokens:
    """Verifies access tokens. `secret` is for HS256; without it such tokens are refused.

    A verdict is remembered for a minute, no longer than the token lasts.
    """

    def __init__(
        self,
        keys: KeySet,
        *,
        issuer: str,
        audience: str,
        secret: str | None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._secret = secret
        self._now = now
        self._remembered: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    async def caller(self, authorization: str | None) -> Caller:
        """Who sent this header. Refusal 401, or 503 when the keys can't be had."""
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise MISSING
        if len(token) > LONGEST:
            raise REFUSED
        digest = hashlib.sha256(token.encode()).digest()
        until, caller = self._remembered.get(digest, (0.0, None))
        if caller is not None and self._now() < until:
            return caller
        claims = await self._claims(token)
        caller = _user(claims)
        self._remember(digest, caller, claims["exp"])
        return caller

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError:
            raise REFUSED from None
        algorithm, kid = header.get("alg"), header.get("kid")
        key: Any = None
        if not isinstance(algorithm, str):
            raise REFUSED
        if algorithm in ALGORITHMS and isinstance(kid, str):
            published = await self._keys.key(kid)
            key = published.key if published and published.algorithm_name == algorithm else None
        elif algorithm == "HS256":
            key = self._secret
        if key is None:
            raise REFUSED
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.ExpiredSignatureError:
            raise EXPIRED from None
        except jwt.MissingRequiredClaimError as error:
            raise (NO_USER if error.claim in ("sub", "aud") else REFUSED) from None
        except jwt.InvalidTokenError:
            raise REFUSED from None

    def _remember(self, digest: bytes, caller: Caller, expires_at: float) -> None:
        now = self._now()
        self._remembered[digest] = (min(now + REMEMBERED_FOR, float(expires_at) + LEEWAY), caller)
        self._remembered.move_to_end(digest)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)


def _user(claims: dict[str, Any]) -> Caller:
    """API keys are tokens too, of other roles."""
    if claims.get("role") != "authenticated":
        raise NO_USER
    try:
        return Caller(str(uuid.UUID(claims["sub"])))
    except (ValueError, TypeError, AttributeError):
        raise NO_USER from None
