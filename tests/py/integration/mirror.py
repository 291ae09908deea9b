"""A client that keeps a copy: it follows changes() as docs/how-to/sync-a-client.md says, and nothing more."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg

from tests.py.support import as_role

Db = psycopg.Connection[Any]
# (workspace, table, key): the row.
Copy = dict[tuple[str, str, str], dict[str, Any]]

SYNCED = """
    select t.name, t.key_columns, case t.name when 'workspaces' then 'id' else 'workspace_id' end
    from private.synced_tables() as t order by t.ordinal
"""


class Mirror:
    """The copy of one client, and the answers that made it. `ask` calls changes(after, page_size)."""

    def __init__(self, ask: Callable[[dict[str, Any] | None, int], dict[str, Any]], page_size: int = 500):
        self.ask, self.page_size = ask, page_size
        self.position: dict[str, Any] | None = None
        self.rows: Copy = {}

    def pull(self) -> list[dict[str, Any]]:
        """Catch up; the answers, in order."""
        answers = [self.step()]
        while answers[-1]["has_more"]:
            answers.append(self.step())
        return answers

    def step(self) -> dict[str, Any]:
        answer = self.ask(self.position, self.page_size)
        for workspace in answer["drop"]:
            self.rows = {key: row for key, row in self.rows.items() if key[0] != workspace}
        for change in answer["changes"]:
            key = (change["workspace_id"], change["table"], json.dumps(change["key"], sort_keys=True))
            if change["op"] == "upsert":
                self.rows[key] = change["row"]
            else:
                self.rows.pop(key, None)
        self.position = answer["next"]
        return answer

    def changes(self) -> list[tuple[str, str, str]]:
        """Catch up; what changed, as (operation, table, key's values)."""
        return [
            (change["op"], change["table"], "/".join(change["key"].values()))
            for answer in self.pull()
            for change in answer["changes"]
        ]


def follow(db: Db, user_id: Any, page_size: int = 500) -> Mirror:
    """A client of that account, on this connection."""

    def ask(after: dict[str, Any] | None, page_size: int) -> dict[str, Any]:
        with as_role(db, "authenticated", sub=str(user_id)):
            row = db.execute(
                "select public.changes(%s, %s)", (None if after is None else json.dumps(after), page_size)
            ).fetchone()
        assert row is not None
        answer: dict[str, Any] = row[0]
        return answer

    return Mirror(ask, page_size)


def in_sight(db: Db, user_id: Any) -> Copy:
    """All rows that the account can select, table by table."""
    tables = db.execute(SYNCED.encode()).fetchall()
    found: Copy = {}
    with as_role(db, "authenticated", sub=str(user_id)):
        for name, key_columns, workspace in tables:
            for (row,) in db.execute(f"select to_jsonb(t) from public.{name} as t".encode()):
                key = json.dumps({column: row[column] for column in key_columns}, sort_keys=True)
                found[row[workspace], name, key] = row
    return found
