"""Two transactions made to meet: the first stays open until the second waits for it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg

from tests.py.integration.portfolio import Portfolio
from tests.py.support import as_role, wait_until

Db = psycopg.Connection[Any]
T = TypeVar("T")


def value(db: Db, query: str, *arguments: Any) -> Any:
    row = db.execute(query, arguments).fetchone()
    return row and row[0]


def met(
    portfolio: Portfolio, database: str, first: Callable[[Db], Any], second: Callable[[Db], T]
) -> T | Exception:
    """Run `first`, uncommitted; run `second` until it waits for it; commit; what became of `second`."""
    with (
        psycopg.connect(database) as holder,
        psycopg.connect(database) as waiter,
        ThreadPoolExecutor(1) as pool,
    ):
        first(holder)
        future = pool.submit(second, waiter)
        waits = "select %s = any (pg_blocking_pids(%s))"
        wait_until(lambda: value(portfolio.db, waits, holder.info.backend_pid, waiter.info.backend_pid))
        holder.commit()
        try:
            answer = future.result(timeout=10)
            waiter.commit()
        except psycopg.Error as error:
            return error
        return answer


def acting(user_id: uuid.UUID, query: str, *arguments: Any, **headers: str) -> Callable[[Db], Any]:
    """The call as the user would make it through the API, in a transaction that stays open."""

    def act(db: Db) -> Any:
        db.execute("select set_config('request.headers', %s, true)", (json.dumps(headers),))
        with as_role(db, "authenticated", sub=str(user_id)):
            return value(db, query, *arguments)

    return act


def asked(db: Db, user_id: uuid.UUID, query: str, *arguments: Any, **headers: str) -> Any:
    """What the call answers the user; as every request, in a transaction of its own."""
    with db.transaction():
        return acting(user_id, query, *arguments, **headers)(db)


def refused(outcome: object) -> str:
    assert isinstance(outcome, psycopg.Error), outcome
    return str(outcome)
