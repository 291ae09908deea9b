"""A portfolio written straight into a database of the test's own, for what is about many leases or other clocks."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

import psycopg

Db = psycopg.Connection[Any]


class Portfolio:
    """One workspace with one owner, seen past row security."""

    def __init__(self, db: Db, *, timezone: str = "America/New_York") -> None:
        self.db = db
        self.workspace_id, self.owner_id = uuid.uuid4(), uuid.uuid4()
        self.user(self.owner_id, "owner@example.com")
        db.execute(
            "insert into public.workspaces (id, name, timezone) values (%s, 'Elm Street Homes', %s)",
            (self.workspace_id, timezone),
        )
        self.member(self.owner_id, "owner")

    def user(self, user_id: uuid.UUID, email: str) -> None:
        self.db.execute("insert into auth.users (id, email) values (%s, %s)", (user_id, email))

    def member(self, user_id: uuid.UUID, role: str) -> None:
        self.db.execute(
            "insert into public.workspace_members (workspace_id, user_id, role) values (%s, %s, %s)",
            (self.workspace_id, user_id, role),
        )

    def active_lease(
        self,
        number: str,
        ends_on: date | None,
        *,
        notice_days: int = 10,
        timezone: str | None = None,
        manager_id: uuid.UUID | None = None,
    ) -> uuid.UUID:
        """A lease that holds a unit of its own in a property of its own, and has begun long ago."""
        lease_id, property_id, unit_id = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
        starts_on = min(ends_on or date(2020, 1, 1), date(2020, 1, 1))
        run = self.db.execute
        run(
            """insert into public.properties (id, workspace_id, name, address_line1, city, timezone, manager_id)
            values (%s, %s, %s, '1 Elm St', 'Austin', %s, %s)""",
            (property_id, self.workspace_id, f"House {number}", timezone, manager_id),
        )
        run(
            """insert into public.units (id, workspace_id, property_id, unit_number) values (%s, %s, %s, '1')""",
            (unit_id, self.workspace_id, property_id),
        )
        run(
            """insert into public.leases
            (id, workspace_id, property_id, lease_number, starts_on, ends_on, notice_days, status, activated_at)
            values (%s, %s, %s, %s, %s, %s, %s, 'active', now())""",
            (lease_id, self.workspace_id, property_id, number, starts_on, ends_on, notice_days),
        )
        run(
            """insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, binding)
            values (%s, %s, %s, %s, true)""",
            (self.workspace_id, property_id, lease_id, unit_id),
        )
        return lease_id

    def message(self, *, dedupe_key: str | None = None) -> uuid.UUID:
        """A queued notice."""
        row = self.db.execute(
            "select private.queue_message(%s, 'lease_expiry', 'rae@example.com', null, '{}', %s)",
            (self.workspace_id, dedupe_key or str(uuid.uuid4())),
        ).fetchone()
        assert row is not None
        return uuid.UUID(str(row[0]))

    def messages(self) -> list[dict[str, Any]]:
        """Payload, address and status of every message, oldest first."""
        rows = self.db.execute(
            "select payload || jsonb_build_object('to', to_address, 'status', status) from public.messages order by created_at"
        )
        return [row[0] for row in rows]


def noon(day: date) -> datetime:
    """Noon of the day in UTC, wherever the test runs."""
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")
