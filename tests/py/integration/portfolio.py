"""A portfolio written straight into a test's own database, for what is about many leases or other clocks."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

import psycopg

Db = psycopg.Connection[Any]


class Portfolio:
    """One workspace with one owner, seen past row security."""

    def __init__(
        self, db: Db, *, timezone: str = "America/New_York", owner: str = "owner@example.com"
    ) -> None:
        self.db = db
        self.workspace_id, self.owner_id = uuid.uuid4(), uuid.uuid4()
        self.user(self.owner_id, owner)
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
            """insert into public.properties
            (id, workspace_id, name, address_line1, city, timezone, manager_id)
            values (%s, %s, %s, '1 Elm St', 'Austin', %s, %s)""",
            (property_id, self.workspace_id, f"House {number}", timezone, manager_id),
        )
        run(
            """insert into public.units (id, workspace_id, property_id, unit_number)
            values (%s, %s, %s, '1')""",
            (unit_id, self.workspace_id, property_id),
        )
        run(
            """insert into public.leases
            (id, workspace_id, property_id, lease_number, starts_on, ends_on, notice_days, status,
            activated_at)
            values (%s, %s, %s, %s, %s, %s, %s, 'active', now())""",
            (lease_id, self.workspace_id, property_id, number, starts_on, ends_on, notice_days),
        )
        run(
            """insert into public.lease_units (workspace_id, property_id, lease_id, unit_id, binding)
            values (%s, %s, %s, %s, true)""",
            (self.workspace_id, property_id, lease_id, unit_id),
        )
        return lease_id

    def building(self, units: int) -> tuple[uuid.UUID, list[uuid.UUID]]:
        """A property and its units."""
        property_id, unit_ids = uuid.uuid4(), [uuid.uuid4() for _ in range(units)]
        self.db.execute(
            """insert into public.properties (id, workspace_id, name, address_line1, city)
            values (%s, %s, %s, '1 Elm St', 'Austin')""",
            (property_id, self.workspace_id, f"Building {property_id}"),
        )
        for number, unit_id in enumerate(unit_ids):
            self.db.execute(
                """insert into public.units (id, workspace_id, property_id, unit_number)
                values (%s, %s, %s, %s)""",
                (unit_id, self.workspace_id, property_id, str(number)),
            )
        return property_id, unit_ids

    def draft_lease(self, number: str, building: tuple[uuid.UUID, list[uuid.UUID]]) -> uuid.UUID:
        """A draft of the given units, in the given order, that lacks nothing for its activation."""
        lease_id, tenant_id = uuid.uuid4(), uuid.uuid4()
        of_lease = (self.workspace_id, lease_id)
        run = self.db.execute
        run(
            """insert into public.leases (workspace_id, id, property_id, lease_number, starts_on)
            values (%s, %s, %s, %s, '2026-01-01')""",
            (*of_lease, building[0], number),
        )
        for unit_id in building[1]:
            run(
                """insert into public.lease_units (workspace_id, lease_id, property_id, unit_id)
                values (%s, %s, %s, %s)""",
                (*of_lease, building[0], unit_id),
            )
        run(
            "insert into public.tenants (id, workspace_id, last_name) values (%s, %s, 'Renter')",
            (tenant_id, self.workspace_id),
        )
        run(
            """insert into public.lease_tenants (workspace_id, lease_id, tenant_id, role)
            values (%s, %s, %s, 'primary')""",
            (*of_lease, tenant_id),
        )
        run(
            """insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor)
            values (%s, %s, '2026-01-01', 125000)""",
            of_lease,
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
            """select payload || jsonb_build_object('to', to_address, 'status', status)
            from public.messages order by created_at"""
        )
        return [row[0] for row in rows]


def noon(day: date) -> datetime:
    """Noon of the day in UTC, wherever the test runs."""
    return datetime.fromisoformat(f"{day}T12:00:00+00:00")
