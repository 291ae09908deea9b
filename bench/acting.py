"""Take up a role for a connection's session, as PostgREST does for a request's transaction."""

from __future__ import annotations

import json
from typing import Any

import psycopg

# Parameters: role, claims.
_SET_FOR_SESSION = "select set_config('role', %s, false), set_config('request.jwt.claims', %s, false)"


def act_as(connection: psycopg.Connection[Any], sub: str) -> None:
    """The session is that account's, as `authenticated`."""
    claims = json.dumps({"role": "authenticated", "sub": sub})
    connection.execute(_SET_FOR_SESSION, ("authenticated", claims))


def act_as_oneself(connection: psycopg.Connection[Any]) -> None:
    """The session is its database user's again."""
    connection.execute(_SET_FOR_SESSION, ("none", ""))
