"""Mint a WORKER_KEY for a project: `make env` has one for the local stack, a hosted project needs its own."""

from __future__ import annotations

import json
import sys
import time
import uuid
from typing import Annotated, Any

import jwt
import typer

DAY = 24 * 3600
# Shorter ones are no Supabase secret, and RFC 7518 forbids them for HS256.
SHORTEST_SECRET = 32


def mint(signing_key: str, *, jti: str, now: int, days: int) -> str:
    """A token of role `worker` that expires after `days`; ValueError when `signing_key` can't sign.

    `signing_key` is a private JWK, which names its algorithm, or else the legacy JWT secret, for HS256.
    """
    claims = {"role": "worker", "jti": jti, "iat": now, "exp": now + days * DAY}
    if not signing_key.startswith("{"):
        if len(signing_key.encode()) < SHORTEST_SECRET:
            raise ValueError(
                f"a JWT secret has at least {SHORTEST_SECRET} characters, this one {len(signing_key)}"
            )
        return jwt.encode(claims, signing_key, algorithm="HS256")
    try:
        jwk: dict[str, Any] = json.loads(signing_key)
        key = jwt.PyJWK(jwk)
    except (json.JSONDecodeError, jwt.PyJWTError) as error:
        raise ValueError(f"this is no JWK: {error}") from None
    if jwk["kty"] != "oct" and "d" not in jwk:
        raise ValueError("this is a public JWK; the private one is needed")
    headers = {"kid": jwk["kid"]} if "kid" in jwk else None
    return jwt.encode(claims, key.key, algorithm=key.algorithm_name, headers=headers)


def main(days: Annotated[int, typer.Option(min=1, help="Days until it expires.")] = 365) -> None:
    """Read the signing key from a hidden prompt or stdin; print a WORKER_KEY, and what to note on stderr."""
    if sys.stdin.isatty():
        signing_key = typer.prompt(
            "The project's JWT secret, or private JWK on one line", hide_input=True, err=True
        )
    else:
        signing_key = sys.stdin.read()
    jti, now = str(uuid.uuid4()), int(time.time())
    try:
        token = mint(signing_key.strip(), jti=jti, now=now, days=days)
    except ValueError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    print(token)
    expires_on = time.strftime("%Y-%m-%d", time.gmtime(now + days * DAY))
    typer.echo(f"Expires on {expires_on}. To revoke it one day, keep its jti: {jti}", err=True)


if __name__ == "__main__":
    typer.run(main)
