"""A landlord as tests need one: a workspace over HTTP, with a property, renters and leases to act on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx
import psycopg

from tests.py.support import User

Connect = Callable[[User | str | None], httpx.Client]
TODAY = date.today()


@dataclass
class Landlord:
    """The owner of a fresh workspace with one property of two units and one renter."""

    owner: User
    api: httpx.Client
    workspace_id: str
    property_id: str
    unit_ids: list[str]
    tenant_id: str

    @classmethod
    def settle(cls, owner: User, connect: Connect) -> Landlord:
        api = connect(owner)
        workspace_id = rpc(api, "create_workspace", name="Elm Street Homes", timezone="America/Chicago")["id"]
        fresh = cls(owner, api, workspace_id, "", [], "")
        fresh.property_id = fresh.add("properties", name="1 Elm", address_line1="1 Elm St", city="Austin")
        fresh.unit_ids = [
            fresh.add("units", property_id=fresh.property_id, unit_number=number) for number in ("1", "2")
        ]
        fresh.tenant_id = fresh.add("tenants", first_name="Rae", last_name="Renter", email="rae@example.com")
        return fresh

    def add(self, table: str, **row: Any) -> str:
        answer = self.api.post(
            f"/rest/v1/{table}",
            json={"workspace_id": self.workspace_id, **row},
            headers={"Prefer": "return=representation"},
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()[0].get("id", ""))

    def draft(
        self,
        number: str,
        *,
        starts_on: date = TODAY - timedelta(days=100),
        ends_on: date | None = TODAY + timedelta(days=265),
        units: tuple[int, ...] = (0,),
    ) -> str:
        """A draft lease that lacks nothing for its activation."""
        lease_id = self.add(
            "leases",
            property_id=self.property_id,
            lease_number=number,
            starts_on=str(starts_on),
            ends_on=str(ends_on) if ends_on else None,
        )
        for unit in units:
            self.add(
                "lease_units", property_id=self.property_id, lease_id=lease_id, unit_id=self.unit_ids[unit]
            )
        self.add("lease_tenants", lease_id=lease_id, tenant_id=self.tenant_id, role="primary")
        self.add("lease_terms", lease_id=lease_id, effective_on=str(starts_on), rent_minor=125_000)
        return lease_id

    def employ(self, db: psycopg.Connection[Any], person: User, role: str) -> None:
        """Make the person a member without an invitation."""
        db.execute(
            "insert into public.workspace_members (workspace_id, user_id, role) values (%s, %s, %s)",
            (self.workspace_id, person.id, role),
        )


def call(api: httpx.Client, function: str, *, key: str | None = None, **arguments: Any) -> httpx.Response:
    """Call an RPC, with an Idempotency-Key of its own unless one is given."""
    return api.post(
        f"/rest/v1/rpc/{function}",
        json=arguments,
        headers={"Idempotency-Key": str(uuid.uuid4()) if key is None else key},
    )


def rpc(api: httpx.Client, function: str, **arguments: Any) -> Any:
    """Call an RPC that must succeed, and return what it answers."""
    answer = call(api, function, **arguments)
    assert answer.status_code in (200, 204), answer.text
    return answer.json() if answer.content else None


def rows(api: httpx.Client, path: str) -> Any:
    """What a GET that must succeed answers."""
    answer = api.get(f"/rest/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an answer in the error envelope."""
    body = answer.json()
    assert set(body) == {"code", "message", "details", "hint"}, body
    return answer.status_code, body["code"]
