"""What a key says of itself: is it real, whose is it, has it lapsed. Signatures are the server's to check."""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from typing import Any

PLACEHOLDER = re.compile(
    r"^(?:<.*>|\.{3}|x{3,}|\*+|changeme|change[-_ ]me|replace[-_ ]?me|todo|secret|password|placeholder"
    r"|example|none|null|your[-_ ].*|insert[-_ ].*|.*[-_]goes[-_]here)$",
    re.IGNORECASE,
)


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT, its signature unchecked. ValueError when it is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("is not a JWT (three parts joined by dots)")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, UnicodeDecodeError, json.JSONDecodeError):
        raise ValueError("is not a JWT (its middle part isn't base64url JSON)") from None
    if not isinstance(claims, dict):
        raise ValueError("is not a JWT (its claims aren't an object)")
    return claims


def refuse_placeholder(value: str) -> str:
    if PLACEHOLDER.match(value.strip()):
        raise ValueError("still holds a placeholder; put the real value there")
    return value


def check_worker_key(value: str, now: datetime) -> str:
    """The key, if it is an unexpired JWT of role `worker`; ValueError with the remedy otherwise."""
    claims = claims_of(refuse_placeholder(value))
    if claims.get("role") != "worker":
        raise ValueError(f"carries the role {claims.get('role')!r}; mint one with the role 'worker'")
    expires_at = expiry_of(claims)
    if expires_at is None:
        raise ValueError("never expires; mint one with an `exp` claim")
    if expires_at <= now:
        raise ValueError(f"expired on {expires_at:%Y-%m-%d %H:%M} UTC; mint a new one")
    return value


def check_anon_key(value: str) -> str:
    """The key, unless it is a secret one: `sb_secret_…`, or a JWT of another role than `anon`."""
    refuse_placeholder(value)
    if value.startswith("sb_secret_"):
        raise ValueError("is a secret key; the publishable (anon) key belongs here")
    if value.count(".") == 2 and (role := claims_of(value).get("role")) != "anon":
        raise ValueError(f"carries the role {role!r}; the publishable (anon) key belongs here")
    return value


def check_edge_secret(value: str) -> str:
    """The secret, if it is long enough to sign with."""
    refuse_placeholder(value)
    if len(value) < 32:
        raise ValueError("is too short: 32 characters at least, as `openssl rand -base64 32` prints")
    return value


def expiry_of(claims: dict[str, Any]) -> datetime | None:
    exp = claims.get("exp")
    return datetime.fromtimestamp(exp, UTC) if isinstance(exp, int | float) else None
