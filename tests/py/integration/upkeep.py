"""People around a portfolio's maintenance: a manager, a renter, two vendors, and what they call."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from tests.py.integration.meeting import asked, value
from tests.py.integration.portfolio import Portfolio

ASSIGN = "select (public.assign_maintenance(%s, %s, %s, %s)).status"
MOVE = "select (public.change_maintenance_status(%s, %s, %s)).status"
SCHEDULE = "select (public.schedule_maintenance(%s, %s, %s)).status"
ACCEPT = "select (public.accept_maintenance(%s)).vendor_accepted_at is not null"
DECLINE = "select public.decline_maintenance(%s, %s)"
REPORT = "select (public.report_maintenance(%s, %s)).id"


class Upkeep(Portfolio):
    """A portfolio with one lease, whose renter signs in, and two vendors who do."""

    def __init__(self, db: Any, *, timezone: str = "America/New_York") -> None:
        super().__init__(db, timezone=timezone)
        self.manager_id = uuid.uuid4()
        self.user(self.manager_id, "manager@example.com")
        self.member(self.manager_id, "manager")
        self.lease_id = self.active_lease("L-1", None)
        self.property_id, self.unit_id = self.row(
            "select property_id, unit_id from public.lease_units where lease_id = %s", self.lease_id
        )
        self.renter_id, self.tenant_id = uuid.uuid4(), uuid.uuid4()
        self.user(self.renter_id, "renter@example.com")
        db.execute(
            "insert into public.tenants (id, workspace_id, last_name, user_id) values (%s, %s, 'Renter', %s)",
            (self.tenant_id, self.workspace_id, self.renter_id),
        )
        db.execute(
            """insert into public.lease_tenants (workspace_id, lease_id, tenant_id, role)
            values (%s, %s, %s, 'primary')""",
            (self.workspace_id, self.lease_id, self.tenant_id),
        )
        self.plumber_id, self.plumber = self.vendor("Pipes & Sons")
        self.sweeper_id, self.sweeper = self.vendor("Brooms")

    def row(self, query: str, *arguments: Any) -> Any:
        found = self.db.execute(query, arguments).fetchone()
        assert found is not None
        return found

    def vendor(self, name: str) -> tuple[uuid.UUID, uuid.UUID]:
        """A vendor's account, and their record."""
        user_id, vendor_id = uuid.uuid4(), uuid.uuid4()
        self.user(user_id, f"{user_id}@example.com")
        self.db.execute(
            "insert into public.vendors (id, workspace_id, name, user_id) values (%s, %s, %s, %s)",
            (vendor_id, self.workspace_id, name, user_id),
        )
        return user_id, vendor_id

    def request(self, title: str = "Leak") -> uuid.UUID:
        """An open request about the unit, which its household does not see."""
        return uuid.UUID(
            str(
                self.row(
                    """insert into public.maintenance_requests
                    (workspace_id, property_id, unit_id, lease_id, title)
                    values (%s, %s, %s, %s, %s) returning id""",
                    self.workspace_id,
                    self.property_id,
                    self.unit_id,
                    self.lease_id,
                    title,
                )[0]
            )
        )

    def plan(self, anchor_on: date, *, unit: str = "month", count: int = 1, **more: Any) -> uuid.UUID:
        """A plan of the property. `more` names other columns."""
        columns = {
            "workspace_id": self.workspace_id,
            "property_id": self.property_id,
            "title": "Service",
            "interval_unit": unit,
            "interval_count": count,
            "anchor_on": anchor_on,
            "lead_days": 0,
            **more,
        }
        return uuid.UUID(
            str(
                self.row(
                    f"insert into public.maintenance_plans ({', '.join(columns)}) "
                    f"values ({', '.join(['%s'] * len(columns))}) returning id",
                    *columns.values(),
                )[0]
            )
        )

    def as_user(self, user_id: uuid.UUID, query: str, *arguments: Any) -> Any:
        """The first value of the query, as that person asks it."""
        return asked(self.db, user_id, query, *arguments)

    def status(self, request_id: uuid.UUID) -> str:
        return str(value(self.db, "select status from public.maintenance_requests where id = %s", request_id))

    def due_dates(self) -> list[date]:
        """Of all requests that plans made, in order."""
        found = self.db.execute(
            "select plan_due_on from public.maintenance_requests where plan_id is not null order by 1"
        )
        return [day for (day,) in found]
