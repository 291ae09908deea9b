"""A change log with a few entries of every sort, sealed, and what its owner is told of it."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg

from tests.py.integration.meeting import asked, value
from tests.py.integration.portfolio import Portfolio
from tests.py.support import wait_until

Db = psycopg.Connection[Any]
NOTHING_UNSEALED = """
    select not exists (
        select from public.audit_entries as e
        where not exists (
            select from private.audit_seals as s where s.workspace_id = e.workspace_id and s.entry_id = e.id
        )
    )
"""


class AuditLog:
    """The log of one workspace. `db` is its database's owner: past row security, and able to tamper."""

    def __init__(self, portfolio: Portfolio) -> None:
        self.portfolio = portfolio
        self.db = portfolio.db
        self.workspace_id = portfolio.workspace_id

    def write(self, units: int = 3) -> uuid.UUID:
        """A building, its units and a renter, who changes their address; the renter."""
        self.portfolio.building(units)
        tenant_id = uuid.uuid4()
        self.db.execute(
            """insert into public.tenants (id, workspace_id, first_name, last_name, email, phone)
            values (%s, %s, 'Rae', 'Renter', %s, '555-0100')""",
            (tenant_id, self.workspace_id, f"{tenant_id}@example.com"),
        )
        self.db.execute("update public.tenants set phone = '555-0101' where id = %s", (tenant_id,))
        return tenant_id

    def seal(self, **arguments: Any) -> int:
        """Seal until there is nothing left to seal; how many entries were."""
        entries, more = 0, True
        while more:
            call = "select worker.seal_audit(" + ", ".join(f"{name} => %s" for name in arguments) + ")"
            answer = value(self.db, call, *arguments.values())
            entries, more = entries + answer["entries"], answer["more"]
        return entries

    def seal_all(self, **arguments: Any) -> int:
        """Seal until every entry is; how many were. A transaction anywhere in the cluster may hold it up."""
        sealed = [self.seal(**arguments)]

        def is_all() -> bool:
            sealed.append(self.seal(**arguments))
            return bool(value(self.db, NOTHING_UNSEALED))

        wait_until(is_all)
        return sum(sealed)

    def verify(self, head: dict[str, Any] | None = None, **arguments: Any) -> dict[str, Any]:
        """What the workspace's owner is told."""
        arguments = {"workspace_id": self.workspace_id, **arguments}
        if head is not None:
            arguments |= {"head_position": head["position"], "head_digest": head["digest"]}
        call = "select public.verify_audit(" + ", ".join(f"{name} => %s" for name in arguments) + ")"
        told: dict[str, Any] = asked(self.db, self.portfolio.owner_id, call, *arguments.values())
        return told

    def head(self) -> dict[str, Any]:
        call = "select public.audit_head(%s)"
        answer: dict[str, Any] = asked(self.db, self.portfolio.owner_id, call, self.workspace_id)
        return answer

    def positions(self) -> list[tuple[int, int]]:
        """Position and entry of every seal."""
        return self.db.execute(
            "select position, entry_id from private.audit_seals where workspace_id = %s order by 1",
            (self.workspace_id,),
        ).fetchall()

    def entry_at(self, position: int) -> int:
        return int(
            value(
                self.db,
                "select entry_id from private.audit_seals where workspace_id = %s and position = %s",
                self.workspace_id,
                position,
            )
        )
