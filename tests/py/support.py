"""What tests of every kind use: waiting for a condition, acting as a role, people with tokens."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")
SET_ROLE_AND_CLAIMS = "select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)"


@dataclass(frozen=True)
class User:
    """Somebody who has signed up; `token` is their access token."""

    id: str
    email: str
    password: str
    token: str


def wait_until(condition: Callable[[], T], *, within: float = 10.0, every: float = 0.02) -> T:
    """The first truthy answer of `condition`, within so many seconds; else fails with the last answer."""
    deadline = time.monotonic() + within
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {condition} last answered {answer!r}")
        time.sleep(every)
    return answer


@contextmanager
def as_role(
    connection: psycopg.Connection[Any], role: str, **claims: Any
) -> Iterator[psycopg.Connection[Any]]:
    """Run the block as PostgREST runs a request: in a transaction, with the role and the token's claims set.

    An error rolls the block back and is raised. Claims go by name: `as_role(db, "authenticated", sub=user)`.
    """
    with connection.transaction():
        connection.execute(SET_ROLE_AND_CLAIMS, (role, json.dumps({"role": role, **claims})))
        yield connection
        connection.execute(SET_ROLE_AND_CLAIMS, ("none", ""))
