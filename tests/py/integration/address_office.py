"""An office whose addresses are checked: a workspace and a worker, in a test's own database."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import psycopg

from tests.py.integration.searches import NOON, Searcher, searcher, value

Db = psycopg.Connection[Any]
TYPED = {
    **{"address_line1": "1 Elm", "address_line2": None, "city": "Ames", "state": "IA"},
    **{"postal_code": "50010", "country": "US"},
}
BETTER = {**TYPED, "address_line1": "1 Elm Street", "postal_code": "50010-1234"}


class Office:
    """A workspace and a worker that checks its addresses, in a test's own database."""

    def __init__(self, db: Db) -> None:
        self.db = db
        self.manager: Searcher = searcher(db)
        self.workspace_id = self.manager.workspace_id

    @classmethod
    def of(cls, db: Db) -> Office:
        """Another worker of an office that is there already."""
        other = cls.__new__(cls)
        other.db = db
        return other

    def add(self, name: str = "House", **columns: Any) -> str:
        row = {"workspace_id": self.workspace_id, "name": name, "timezone": "UTC", **TYPED, **columns}
        names = ", ".join(row)
        places = ", ".join(["%s"] * len(row))
        query = f"insert into public.properties ({names}) values ({places}) returning id"
        return str(value(self.db, query, *row.values()))

    def change(self, property_id: str, **columns: Any) -> None:
        sets = ", ".join(f"{name} = %s" for name in columns)
        self.db.execute(
            f"update public.properties set {sets} where id = %s".encode(), (*columns.values(), property_id)
        )

    def read(self, property_id: str, *columns: str) -> Any:
        query = f"select jsonb_build_array({', '.join(columns)}) from public.properties where id = %s"
        return value(self.db, query, property_id)

    def queue(self, now: datetime = NOON) -> Any:
        return value(self.db, "select worker.queue_address_checks(%s)", now)

    def claim(self, lease_seconds: int = 30) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = value(
            self.db, "select worker.claim_address_checks(20, %s)", lease_seconds
        )
        return found

    def begin(self, claim: dict[str, Any], provider: str = "google") -> bool:
        call = "select worker.begin_address_check(%s, %s, %s)"
        return bool(value(self.db, call, claim["msg_id"], claim["read_ct"], provider))

    def complete(self, claim: dict[str, Any], at: datetime = NOON, **result: Any) -> str:
        item = {
            "msg_id": claim["msg_id"],
            "read_ct": claim["read_ct"],
            "result": {"provider": "google", **result},
        }
        answers = value(self.db, "select worker.complete_address_checks(%s, %s)", json.dumps([item]), at)
        return str(answers[0]["outcome"])

    def fail(self, claim: dict[str, Any], kind: str = "retryable", **more: Any) -> dict[str, Any]:
        item = {"msg_id": claim["msg_id"], "read_ct": claim["read_ct"], "kind": kind, "error": "no", **more}
        answer: dict[str, Any] = value(self.db, "select worker.fail_address_checks(%s)", json.dumps([item]))[
            0
        ]
        return answer

    def release(self, claim: dict[str, Any], **more: Any) -> int:
        item = {"msg_id": claim["msg_id"], "read_ct": claim["read_ct"], **more}
        return int(value(self.db, "select worker.release_address_checks(%s)", json.dumps([item])))

    def waiting(self) -> int:
        return int(value(self.db, "select count(*) from pgmq.q_compliance"))

    def given_up(self) -> int:
        return int(value(self.db, "select count(*) from pgmq.q_compliance_dead"))

    def proposed(self) -> dict[str, Any]:
        """Have `1 Elm` checked, and a better way to write it proposed."""
        self.add()
        self.queue()
        (claim,) = self.claim()
        assert self.begin(claim)
        assert self.complete(claim, address_status="corrected", address=BETTER, place_id="p") == "proposed"
        row = self.db.execute("select to_jsonb(c) from public.address_corrections as c").fetchone()
        assert row is not None
        correction: dict[str, Any] = row[0]
        return correction


def make_visible(db: Db) -> None:
    """As if every lease and delay had passed."""
    db.execute("update pgmq.q_compliance set vt = clock_timestamp() - interval '1 second'")
