"""People searching for addresses, and what they ask of admission, in a test's own database."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg

Db = psycopg.Connection[Any]
NOON = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)


class Searcher(NamedTuple):
    """A manager of a workspace."""

    user_id: str
    workspace_id: str


def searcher(db: Db, *, role: str = "manager", workspace_id: str | None = None) -> Searcher:
    """Somebody new, in a workspace of their own unless one is given."""
    who = Searcher(str(uuid.uuid4()), workspace_id or str(uuid.uuid4()))
    db.execute(
        "insert into auth.users (id, email) values (%s, %s)", (who.user_id, f"{who.user_id}@example.com")
    )
    if workspace_id is None:
        db.execute(
            "insert into public.workspaces (id, name, timezone) values (%s, 'W', 'UTC')", (who.workspace_id,)
        )
    db.execute(
        "insert into public.workspace_members (workspace_id, user_id, role) values (%s, %s, %s)",
        (who.workspace_id, who.user_id, role),
    )
    return who


def value(db: Db, query: str, *arguments: Any) -> Any:
    row = db.execute(query.encode(), arguments).fetchone()
    assert row is not None
    return row[0]


def limit(db: Db, name: str, allowed: int) -> None:
    db.execute("update private.limits set allowed = %s where name = %s", (allowed, name))


def no_limits(db: Db) -> None:
    db.execute("update private.limits set allowed = 1000000000 where name like 'places%'")


def open_session(db: Db, who: Searcher, now: datetime = NOON) -> str:
    answer = value(db, "select worker.open_place_session(%s, %s, %s)", who.user_id, who.workspace_id, now)
    return str(answer["session_id"])


def call(
    who: Searcher,
    kind: str = "autocomplete",
    session_id: str | None = None,
    instance: str = "one",
    **more: str,
) -> dict[str, Any]:
    return {**who._asdict(), "kind": kind, "session_id": session_id, "instance": instance, **more}


def admit(db: Db, calls: list[dict[str, Any]], now: datetime | None = NOON) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = value(
        db, "select worker.admit_place_calls(%s, %s)", json.dumps(calls), now
    )
    return answer


def admitted(answers: list[dict[str, Any]]) -> int:
    return sum(answer["admitted"] for answer in answers)


def cost(db: Db, who: Searcher) -> int:
    return int(
        value(
            db,
            "select coalesce(sum(cost_microdollars), 0) from public.places_usage where workspace_id = %s",
            who.workspace_id,
        )
    )
