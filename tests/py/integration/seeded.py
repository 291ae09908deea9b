"""Workspaces A and B of the access matrix behind a PostgREST of their own, and everybody's token.

Whoever asks here skips the gateway, as one may at a hosted project: nothing but the database decides.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg

from scripts.stack import keeper, postgres, postgrest
from scripts.stack.auth.tokens import Signer
from scripts.stack.layout import Stack
from tests.py.access import expectations
from tests.py.access.valid_rows import valid_row, writable

Row = dict[str, Any]


@dataclass
class Seeded:
    """`client("viewer_a")` asks as that actor of two_workspaces.sql; `db` is `postgres`, and commits."""

    stack: Stack
    url: str
    db: psycopg.Connection[Any]
    opened: dict[str, httpx.Client] = field(default_factory=dict)

    def client(self, actor: str) -> httpx.Client:
        if actor not in self.opened:
            headers = {"Authorization": f"Bearer {self._token(actor)}"}
            self.opened[actor] = httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)
        return self.opened[actor]

    def rows(self, actor: str, path: str) -> list[Row]:
        """What a GET that must succeed answers."""
        answer = self.client(actor).get(f"/{path}")
        assert answer.status_code == 200, f"{actor} GET {path}: {answer.text}"
        found: list[Row] = answer.json()
        return found

    def value(self, query: str, *parameters: Any) -> Any:
        row = self.db.execute(query.encode(), parameters).fetchone()
        return row and row[0]

    def digest(self) -> str:
        """Of every row of every table of the domain: the same as long as nothing was written."""
        tables = self.db.execute(
            "select oid::regclass::text from pg_class"
            " where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1"
        ).fetchall()
        each = " union all ".join(f"select '{name}', t::text from {name} as t" for (name,) in tables)
        return str(self.value(f"select md5(string_agg(r::text, '|' order by r::text)) from ({each}) as r"))

    def new_row(self, table: str, at: str) -> Row:
        """What a client sends to insert the row that the matrix inserts into workspace `at`."""
        given = writable(table, "insert")
        with self.db.transaction(force_rollback=True):
            row = valid_row(self.db, table, at)
        return {name: value for name, value in row.items() if name in given}

    def _token(self, actor: str) -> str:
        keys = self.stack.keys
        given = {"anon": keys.anon_key, "service_role": keys.service_role_key, "worker": keys.worker_key}
        if actor in given:
            return given[actor]
        user_id = str(self.value("select user_id from tests.actors where name = %s", actor))
        return Signer(keys).sign(
            {
                "sub": user_id,
                "role": "authenticated",
                "aud": "authenticated",
                "email": f"{actor}@example.com",
                "session_id": user_id,
                "exp": int(time.time()) + 3600,
            }
        )


@contextmanager
def two_workspaces(stack: Stack) -> Iterator[Seeded]:
    """A migrated database with both workspaces, and PostgREST before it; both go with the block."""
    name = f"seeded_{uuid.uuid4().hex[:12]}"
    url = postgres.create_database(stack, name, template=keeper.TEMPLATE)
    with psycopg.connect(url, autocommit=True) as db:
        with db.transaction():
            db.execute(expectations.TWO_WORKSPACES.read_bytes())
        db.execute("update private.limits set allowed = 1000000")
        db.execute("set search_path = tests, public, extensions")
        # `Prefer: tx=rollback` tries what is allowed and leaves no trace.
        with postgrest.another(stack, name, db_pool=4, db_tx_end="commit-allow-override") as address:
            seeded = Seeded(stack, address, db)
            yield seeded
            for client in seeded.opened.values():
                client.close()
    postgres.drop_database(stack, name)
