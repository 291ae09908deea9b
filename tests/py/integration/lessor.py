"""The owner of a portfolio acts on its leases at a time of the test's choosing; each call is committed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import psycopg
import pytest

from tests.py.integration.meeting import asked, value
from tests.py.integration.portfolio import Portfolio, noon

Db = psycopg.Connection[Any]
CASTS = {date: "date", int: "bigint", uuid.UUID: "uuid", str: "text", bool: "boolean", type(None): ""}
ARGUMENTS = {
    "activate_lease": (),
    "end_lease": ("ended_on",),
    "terminate_lease": ("reason", "ended_on"),
    "give_notice": ("given_by", "move_out_on", "given_on", "reason"),
    "withdraw_notice": ("reason",),
    "renew_lease": ("ends_on", "rent_minor", "starts_on", "lease_number"),
    "transfer_unit": ("from_unit_id", "to_unit_id", "on_date"),
    "amend_lease": (
        *("title", "effective_on", "body", "signed_on", "starts_on", "ends_on", "open_ended", "on_expiry"),
        *("renewal_months", "notice_days", "rent_minor", "due_day"),
    ),
}
# Whence a lease's status may go where.
STEPS = {
    ("draft", "pending"),
    ("draft", "active"),
    ("pending", "active"),
    ("pending", "terminated"),
    ("active", "notice_given"),
    ("active", "ended"),
    ("active", "terminated"),
    ("notice_given", "active"),
    ("notice_given", "ended"),
    ("notice_given", "terminated"),
}
INTEGERS = {"renewal_months", "notice_days", "due_day"}


class Lessor:
    """The owner of a portfolio whose database is reached past the API, so that the clock can be set."""

    def __init__(self, portfolio: Portfolio, db: Db | None = None) -> None:
        self.portfolio = portfolio
        self.db = db or portfolio.db

    def call(self, function: str, lease_id: uuid.UUID, now: date | datetime, **arguments: Any) -> Any:
        """The lease as `function` answers it, called at `now`: noon in Greenwich of a bare date."""
        names = ARGUMENTS[function]
        assert set(arguments) <= set(names), arguments
        given = [arguments.get(name) for name in names]
        casts = [
            "integer" if name in INTEGERS else CASTS[type(argument)]
            for name, argument in zip(names, given, strict=True)
        ]
        places = ", ".join(f"%s::{cast}" if cast else "%s" for cast in ["uuid", *casts, "timestamptz"])
        moment = now if isinstance(now, datetime) else noon(now)
        query = f"select to_jsonb(private.{function}({places}))"
        return asked(self.db, self.portfolio.owner_id, query, lease_id, *given, moment)

    def turn_over(self, now: date | datetime, limit: int = 1000) -> dict[str, Any]:
        """What the turnover of that time counts."""
        moment = now if isinstance(now, datetime) else noon(now)
        answer = value(self.db, "select worker.lease_turnover(%s, %s)", moment, limit)
        assert isinstance(answer, dict)
        return answer

    def status(self, lease_id: uuid.UUID) -> str:
        return str(value(self.db, "select status from public.leases where id = %s", lease_id))

    def lease(self, lease_id: uuid.UUID) -> dict[str, Any]:
        """The lease's row."""
        found = value(self.db, "select to_jsonb(l) from public.leases as l where id = %s", lease_id)
        assert isinstance(found, dict)
        return found

    def held(self, lease_id: uuid.UUID) -> list[tuple[uuid.UUID, str]]:
        """The units that the lease holds, and when."""
        query = """select unit_id, possession::text from public.lease_units
            where lease_id = %s and superseded_at is null and binding order by possession, unit_id"""
        return list(self.db.execute(query, (lease_id,)))

    def history(self, lease_id: uuid.UUID) -> list[tuple[str, str, str | None]]:
        """Each status the lease has had: which, from which day, and why."""
        query = """select to_status, effective_on::text, reason from public.lease_status_changes
            where lease_id = %s order by recorded_at"""
        return list(self.db.execute(query, (lease_id,)))

    def draft(self, number: str, building: tuple[uuid.UUID, list[uuid.UUID]], **columns: Any) -> uuid.UUID:
        """A draft that lacks nothing, with these columns set."""
        lease_id = self.portfolio.draft_lease(number, building)
        if columns:
            settings = ", ".join(f"{name} = %s" for name in columns)
            # The names are the test's own.
            query = f"update public.leases set {settings} where id = %s"
            self.db.execute(query, (*columns.values(), lease_id))
        return lease_id


@contextmanager
def refused(code: str) -> Iterator[None]:
    """The block is refused with that code."""
    with pytest.raises(psycopg.Error, match=f'"{code}"'):
        yield
