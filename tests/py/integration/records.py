"""Inspections, expenses and documents of a portfolio, written as its people write them."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import psycopg

from tests.py.integration.meeting import asked
from tests.py.integration.portfolio import Portfolio
from tests.py.support import as_role

Db = psycopg.Connection[Any]


class Records:
    """A portfolio with one active lease of one renter, who has an account."""

    def __init__(self, db: Db) -> None:
        db.autocommit = True
        db.execute("set lock_timeout = '10s'")  # a wait that nobody ends fails, and does not hang
        self.db = db
        self.portfolio = Portfolio(db)
        self.workspace_id, self.owner_id = self.portfolio.workspace_id, self.portfolio.owner_id
        self.building = self.portfolio.building(1)
        self.property_id, (self.unit_id,) = self.building
        self.lease_id = self.portfolio.draft_lease("L-1", self.building)
        self.run("select (public.activate_lease(%s)).status", self.lease_id)
        self.renter_id = uuid.uuid4()
        self.portfolio.user(self.renter_id, "renter@example.com")
        row = db.execute("update public.tenants set user_id = %s returning id", (self.renter_id,)).fetchone()
        assert row is not None
        self.tenant_id: uuid.UUID = row[0]

    def run(
        self, query: str, *arguments: Any, by: uuid.UUID | None = None, db: Db | None = None, key: str = ""
    ) -> Any:
        """The first value that a statement answers, run as the owner through the API, or as somebody else."""
        headers = {"idempotency-key": key or str(uuid.uuid4())}
        return asked(db or self.db, by or self.owner_id, query, *arguments, **headers)

    def insert(self, table: str, *, by: uuid.UUID | None = None, **row: Any) -> uuid.UUID:
        """The id of a row that a member adds."""
        row = {"workspace_id": self.workspace_id, **row}
        columns, places = ", ".join(row), ", ".join(["%s"] * len(row))
        query = f"insert into public.{table} ({columns}) values ({places}) returning id"
        added = self.run(query, *row.values(), by=by)
        assert isinstance(added, uuid.UUID)
        return added

    def member(self, role: str) -> uuid.UUID:
        person = uuid.uuid4()
        self.portfolio.user(person, f"{role}-{person}@example.com")
        self.portfolio.member(person, role)
        return person

    def inspection(self, items: int = 2, **row: Any) -> uuid.UUID:
        """A draft that lacks nothing for its completion: a move-in of the lease."""
        row = {
            "property_id": self.property_id,
            "unit_id": self.unit_id,
            "lease_id": self.lease_id,
            "inspection_type": "move_in",
            "title": "Move-in",
            **row,
        }
        inspection_id = self.insert("inspections", **row)
        for n in range(items):
            self.item(inspection_id, item=f"Item {n}", position=n)
        return inspection_id

    def item(self, inspection_id: uuid.UUID, **row: Any) -> uuid.UUID:
        row = {"room": "Kitchen", "item": "Oven", "condition": "good", **row}
        return self.insert("inspection_items", inspection_id=inspection_id, **row)

    def items(self, inspection_id: uuid.UUID) -> list[uuid.UUID]:
        query = "select id from public.inspection_items where inspection_id = %s order by position, id"
        return [row[0] for row in self.db.execute(query, (inspection_id,))]

    def complete(self, inspection_id: uuid.UUID) -> str:
        """Freeze it; its digest."""
        return str(self.run("select (public.complete_inspection(%s)).content_digest", inspection_id))

    def document(self, *, stored: str | None = None, **row: Any) -> uuid.UUID:
        """A document, available with the digest of `stored` if that is given."""
        document_id = self.insert("documents", **{"title": "Paper", **row})
        if stored is not None:
            self.run(
                """update public.documents
                set status = 'available', content_type = 'text/plain', size_bytes = %s, sha256 = %s
                where id = %s returning id""",
                len(stored),
                hashlib.sha256(stored.encode()).hexdigest(),
                document_id,
            )
        return document_id

    def seen_by(self, person: uuid.UUID, table: str = "documents") -> set[uuid.UUID]:
        """Ids of the rows that the person sees."""
        with as_role(self.db, "authenticated", sub=str(person)):
            return {row[0] for row in self.db.execute(f"select id from public.{table}")}
