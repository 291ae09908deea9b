"""Rows as a client may send them: what the matrix inserts, as the database completes it."""

from __future__ import annotations

from typing import Any

import psycopg

from tests.py.access import expectations
from tests.py.access.foreign_keys import savepoint

Db = psycopg.Connection[Any]


def writable(table: str, command: str) -> set[str]:
    return {
        column.name for column in expectations.columns() if column.table == table and getattr(column, command)
    }


def valid_row(db: Db, table: str, at: str) -> dict[str, Any]:
    """The row that the matrix inserts into workspace `at`, as the database completes it."""
    with savepoint(db):
        attempt = expectations.attempts()[table].insert.format(w=at)
        found = db.execute(
            f"insert into public.{table} as made {attempt} returning to_jsonb(made)".encode()
        ).fetchone()
    assert found is not None, table
    row: dict[str, Any] = found[0]
    return row
