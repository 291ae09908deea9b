"""Renters and vendors over HTTP with real tokens: what they see and may do of maintenance, and until when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from tests.py.integration.landlord import TODAY, Landlord, call, refusal, rows, rpc
from tests.py.support import User

Db = psycopg.Connection[Any]
Connect = Callable[[User | str | None], httpx.Client]


@dataclass
class House:
    """A landlord's unit, let to a renter who signs in, and a vendor who does."""

    landlord: Landlord
    renter: httpx.Client
    vendor: httpx.Client
    vendor_id: str
    lease_id: str

    @property
    def unit_id(self) -> str:
        return self.landlord.unit_ids[0]

    def request(self, **row: Any) -> str:
        return self.landlord.add(
            "maintenance_requests",
            **{"property_id": self.landlord.property_id, "unit_id": self.unit_id, "title": "Leak", **row},
        )

    def give(self, request_id: str) -> None:
        rpc(self.landlord.api, "assign_maintenance", request_id=request_id, vendor_id=self.vendor_id)


@pytest.fixture
def house(landlord: Landlord, new_user: Callable[[], User], api: Connect, stack_db: Db) -> House:
    renter, vendor = new_user(), new_user()
    lease_id = landlord.draft("L-1")
    rpc(landlord.api, "activate_lease", lease_id=lease_id)
    vendor_id = landlord.add("vendors", name="Pipes & Sons", trades=["plumbing"])
    tie(stack_db, "tenants", landlord.tenant_id, renter)
    tie(stack_db, "vendors", vendor_id, vendor)
    return House(landlord, api(renter), api(vendor), vendor_id, lease_id)


def tie(db: Db, table: str, record_id: str, person: User) -> None:
    """As accepting an invitation would."""
    db.execute(f"update public.{table} set user_id = %s where id = %s", (person.id, record_id))


def titles(api: httpx.Client) -> list[str]:
    return [row["title"] for row in rows(api, "maintenance_requests?select=title&order=title")]


def test_a_renter_reports_and_hears_and_does_nothing_else(house: House) -> None:
    made = rpc(
        house.renter,
        "report_maintenance",
        unit_id=house.unit_id,
        title="No hot water",
        category="plumbing",
        priority="emergency",
    )
    assert (made["status"], made["lease_id"], made["tenant_id"]) == (
        "open",
        house.lease_id,
        house.landlord.tenant_id,
    )
    said = {"workspace_id": house.landlord.workspace_id, "request_id": made["id"]}
    house.landlord.add("maintenance_comments", request_id=made["id"], body="Again!")
    house.landlord.add(
        "maintenance_comments", request_id=made["id"], body="On our way", visible_to_renter=True
    )
    answer = house.renter.post(
        "/rest/v1/maintenance_comments",
        json={**said, "body": "Thank you", "visible_to_vendor": True},
        headers={"Prefer": "return=representation"},
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()[0]["visible_to_vendor"] is False
    heard = rows(house.renter, "maintenance_requests?select=*,maintenance_comments(body)")
    assert [each["title"] for each in heard] == ["No hot water"]
    assert sorted(each["body"] for each in heard[0]["maintenance_comments"]) == ["On our way", "Thank you"]

    for table in ("maintenance_status_changes", "maintenance_plans", "maintenance_costs", "vendors"):
        assert rows(house.renter, table) == [], table
    for name, arguments in {
        "change_maintenance_status": {"status": "cancelled"},
        "assign_maintenance": {"vendor_id": house.vendor_id},
        "accept_maintenance": {},
        "decline_maintenance": {},
        "schedule_maintenance": {"starts_at": f"{TODAY}T09:00Z", "ends_at": f"{TODAY}T10:00Z"},
    }.items():
        refused = call(house.renter, name, request_id=made["id"], **arguments)
        assert refusal(refused) == (404, "maintenance_request_not_found"), name
    patch = house.renter.patch(f"/rest/v1/maintenance_requests?id=eq.{made['id']}", json={"priority": "low"})
    assert patch.status_code in (200, 204)
    assert rows(house.landlord.api, "maintenance_requests?select=priority,status") == [
        {"priority": "emergency", "status": "open"}
    ]


def test_a_renter_reports_for_no_unit_but_their_own(house: House, stranger: Landlord) -> None:
    nowhere = "00000000-0000-4000-8000-000000000000"
    for unit_id in (house.landlord.unit_ids[1], stranger.unit_ids[0], nowhere):
        refused = call(house.renter, "report_maintenance", unit_id=unit_id, title="Leak")
        assert refusal(refused) == (404, "unit_not_rented")
    assert titles(house.landlord.api) == []


def test_a_renter_s_tie_ends_with_the_lease(house: House) -> None:
    rpc(house.renter, "report_maintenance", unit_id=house.unit_id, title="Leak")
    assert titles(house.renter) == ["Leak"]
    rpc(house.landlord.api, "end_lease", lease_id=house.lease_id, ended_on=str(TODAY))
    assert titles(house.renter) == []
    assert rows(house.renter, "maintenance_comments") == []
    refused = call(house.renter, "report_maintenance", unit_id=house.unit_id, title="Leak")
    assert refusal(refused) == (404, "unit_not_rented")
    assert titles(house.landlord.api) == ["Leak"]


def test_whoever_moves_in_has_let_nobody_in(house: House) -> None:
    rpc(house.renter, "report_maintenance", unit_id=house.unit_id, title="Leak", permission_to_enter=True)
    rpc(house.renter, "report_maintenance", unit_id=house.unit_id, title="Draught", permission_to_enter=True)
    permitted = "maintenance_requests?select=title&permission_to_enter=is.true&order=title"
    done = rows(house.landlord.api, "maintenance_requests?select=id&title=eq.Draught")[0]["id"]
    rpc(house.landlord.api, "change_maintenance_status", request_id=done, status="cancelled", reason="Gone")
    rpc(house.landlord.api, "end_lease", lease_id=house.lease_id, ended_on=str(TODAY))
    # What is over stays as it was.
    assert rows(house.landlord.api, permitted) == [{"title": "Draught"}]


def test_permission_stays_with_a_household_that_stays(house: House) -> None:
    rpc(house.renter, "report_maintenance", unit_id=house.unit_id, title="Leak", permission_to_enter=True)
    renewal = rpc(house.landlord.api, "renew_lease", lease_id=house.lease_id, starts_on=str(TODAY))
    rpc(house.landlord.api, "activate_lease", lease_id=renewal["id"])
    seen = rows(house.landlord.api, "maintenance_requests?select=lease_id,permission_to_enter")
    assert seen == [{"lease_id": renewal["id"], "permission_to_enter": True}]


def test_renters_who_are_moved_leave_the_old_unit_s_requests_behind(house: House) -> None:
    first, second = house.landlord.unit_ids
    shown = {"lease_id": house.lease_id, "shown_to_renter": True}
    leak = house.request(**shown, access_notes="Key with the neighbour")
    house.request(title="Lift", unit_id=None, **shown)
    house.request(title="Noise next door", unit_id=second, **shown)
    house.give(leak)
    house.landlord.add("maintenance_comments", request_id=leak, body="Tuesday", visible_to_renter=True)
    house.landlord.add(
        "documents", maintenance_request_id=leak, title="Drip", visible_to_renters=True,
        content_type="image/png", size_bytes=1, sha256="0" * 64,
    )  # fmt: skip
    document = "documents?select=id"
    house.landlord.api.patch("/rest/v1/documents?id=not.is.null", json={"status": "available"})
    assert titles(house.renter) == ["Leak", "Lift", "Noise next door"]
    assert len(rows(house.renter, document)) == 1

    def move(from_unit_id: str, to_unit_id: str, on: date) -> None:
        rpc(
            house.landlord.api, "transfer_unit", lease_id=house.lease_id,
            from_unit_id=from_unit_id, to_unit_id=to_unit_id, on_date=str(on),
        )  # fmt: skip

    # They are still there until the day has come.
    move(first, second, TODAY + timedelta(days=40))
    assert titles(house.renter) == ["Leak", "Lift", "Noise next door"]
    move(first, second, TODAY - timedelta(days=2))
    assert titles(house.renter) == ["Lift", "Noise next door"]
    assert rows(house.renter, "maintenance_comments") == rows(house.renter, document) == []
    said = {"workspace_id": house.landlord.workspace_id, "request_id": leak, "body": "Still wet"}
    assert house.renter.post("/rest/v1/maintenance_comments", json=said).status_code == 403
    assert refusal(call(house.renter, "report_maintenance", unit_id=first, title="Draught")) == (
        404,
        "unit_not_rented",
    )
    assert rpc(house.renter, "report_maintenance", unit_id=second, title="Draught")["unit_id"] == second
    assert titles(house.vendor) == ["Leak"]
    kept = "maintenance_requests?select=unit_id,lease_id,status&title=eq.Leak"
    assert rows(house.landlord.api, kept) == [
        {"unit_id": first, "lease_id": house.lease_id, "status": "assigned"}
    ]

    # What they left behind, they leave behind for good.
    renewal = rpc(house.landlord.api, "renew_lease", lease_id=house.lease_id, starts_on=str(TODAY))
    rpc(house.landlord.api, "activate_lease", lease_id=renewal["id"])
    assert titles(house.renter) == ["Draught", "Lift", "Noise next door"]
    assert rows(house.landlord.api, kept)[0]["lease_id"] == house.lease_id


def test_renters_who_come_back_find_their_requests(house: House) -> None:
    first, second = house.landlord.unit_ids
    house.request(lease_id=house.lease_id, shown_to_renter=True)
    for days_ago, from_unit_id, to_unit_id, seen in ((3, first, second, []), (1, second, first, ["Leak"])):
        rpc(
            house.landlord.api, "transfer_unit", lease_id=house.lease_id, from_unit_id=from_unit_id,
            to_unit_id=to_unit_id, on_date=str(TODAY - timedelta(days=days_ago)),
        )  # fmt: skip
        assert titles(house.renter) == seen


def test_a_vendor_sees_the_work_and_nothing_of_who_lives_there(house: House) -> None:
    mine = house.request(
        lease_id=house.lease_id, tenant_id=house.landlord.tenant_id, access_notes="Key at the office"
    )
    house.request(title="Somebody else's")
    house.give(mine)
    house.landlord.add("maintenance_costs", request_id=mine, estimate_minor=25_000)
    house.landlord.add("maintenance_comments", request_id=mine, body="Rent is late, be kind")
    seen = rows(
        house.vendor,
        "maintenance_requests?select=*,units(unit_number),properties(name),tenants(last_name),leases(lease_number)"
        ",maintenance_costs(estimate_minor),maintenance_comments(body),maintenance_status_changes(reason)",
    )
    assert [(each["title"], each["location"], each["access_notes"]) for each in seen] == [
        ("Leak", "1 Elm, 1 Elm St, Austin, unit 1", "Key at the office")
    ]
    for embedded in ("units", "properties", "tenants", "leases"):
        assert seen[0][embedded] is None, embedded
    for embedded in ("maintenance_comments", "maintenance_status_changes"):
        assert seen[0][embedded] == [], embedded
    assert not seen[0]["maintenance_costs"]
    for table in (
        "properties",
        "units",
        "leases",
        "lease_terms",
        "lease_tenants",
        "tenants",
        "maintenance_costs",
    ):
        assert rows(house.vendor, table) == [], table
    count = house.vendor.get("/rest/v1/maintenance_requests", headers={"Prefer": "count=exact"})
    assert count.headers["content-range"] == "0-0/1"

    rpc(house.vendor, "accept_maintenance", request_id=mine)
    rpc(house.vendor, "change_maintenance_status", request_id=mine, status="completed", reason="New seal")
    assert rows(house.landlord.api, f"maintenance_requests?select=status&id=eq.{mine}") == [
        {"status": "completed"}
    ]


@pytest.mark.parametrize("how", ["taken", "inactive", "revoked"])
def test_a_vendor_s_tie_ends_with_the_next_request(house: House, how: str) -> None:
    request_id = house.request()
    house.give(request_id)
    house.landlord.add("maintenance_comments", request_id=request_id, body="Gently", visible_to_vendor=True)
    assert titles(house.vendor) == ["Leak"]
    match how:
        case "taken":
            rpc(house.landlord.api, "assign_maintenance", request_id=request_id)
        case "inactive":
            changed = house.landlord.api.patch(
                f"/rest/v1/vendors?id=eq.{house.vendor_id}", json={"status": "inactive"}
            )
            assert changed.status_code == 204
        case _:
            rpc(house.landlord.api, "revoke_portal_access", vendor_id=house.vendor_id)
    assert titles(house.vendor) == []
    assert rows(house.vendor, "maintenance_comments") == []
    for name, arguments in {
        "change_maintenance_status": {"status": "completed"},
        "accept_maintenance": {},
        "decline_maintenance": {},
    }.items():
        refused = call(house.vendor, name, request_id=request_id, **arguments)
        assert refusal(refused) == (404, "maintenance_request_not_found"), name
    said = {
        "workspace_id": house.landlord.workspace_id,
        "request_id": request_id,
        "body": "Still here?",
    }
    assert house.vendor.post("/rest/v1/maintenance_comments", json=said).status_code == 403


def test_somebody_with_three_hats_wears_each_in_its_own_workspace(
    house: House,
    stranger: Landlord,
    new_user: Callable[[], User],
    api: Connect,
    stack_db: Db,
) -> None:
    """A manager here, a renter there, a vendor in a third place: none of it carries over."""
    person = new_user()
    hats = api(person)
    third = Landlord.settle(new_user(), api)
    stranger.employ(stack_db, person, "manager")
    tie(stack_db, "tenants", house.landlord.tenant_id, person)
    vendor_id = third.add("vendors", name="Hats")
    tie(stack_db, "vendors", vendor_id, person)

    managed = stranger.add("maintenance_requests", property_id=stranger.property_id, title="Managed")
    hidden = house.request(title="Hidden", lease_id=house.lease_id)
    rented = rpc(hats, "report_maintenance", unit_id=house.unit_id, title="Rented")["id"]
    worked = third.add("maintenance_requests", property_id=third.property_id, title="Worked")
    third.add("maintenance_requests", property_id=third.property_id, title="Another's")
    rpc(third.api, "assign_maintenance", request_id=worked, vendor_id=vendor_id)
    assert titles(hats) == ["Managed", "Rented", "Worked"]

    # As a manager: anything, there.
    rpc(hats, "assign_maintenance", request_id=managed, member_id=person.id)
    stranger.add("maintenance_costs", request_id=managed, estimate_minor=100)
    house.landlord.add("maintenance_costs", request_id=rented, estimate_minor=100)
    third.add("maintenance_costs", request_id=worked, estimate_minor=100)
    assert [row["request_id"] for row in rows(hats, "maintenance_costs?select=request_id")] == [managed]
    # As a renter and as a vendor: no member's calls.
    for request_id in (rented, hidden, worked):
        refused = call(hats, "assign_maintenance", request_id=request_id)
        assert refusal(refused) == (404, "maintenance_request_not_found")
    # A comment is signed as what they are in its workspace, and seen by that side alone.
    signed = {}
    for workspace_id, request_id in (
        (stranger.workspace_id, managed),
        (house.landlord.workspace_id, rented),
        (third.workspace_id, worked),
    ):
        answer = hats.post(
            "/rest/v1/maintenance_comments",
            json={"workspace_id": workspace_id, "request_id": request_id, "body": "Hello"},
            headers={"Prefer": "return=representation"},
        )
        assert answer.status_code == 201, answer.text
        (row,) = answer.json()
        signed[request_id] = (row["author_kind"], row["visible_to_renter"], row["visible_to_vendor"])
    assert signed == {
        managed: ("member", False, False),
        rented: ("renter", True, False),
        worked: ("vendor", False, True),
    }
    # The work there gives no word here: a request and a workspace of two hats don't mix.
    mixed = {"workspace_id": stranger.workspace_id, "request_id": worked, "body": "Hello"}
    assert hats.post("/rest/v1/maintenance_comments", json=mixed).status_code == 409
    # One hat off at a time, the others stay on.
    rpc(house.landlord.api, "revoke_portal_access", tenant_id=house.landlord.tenant_id)
    assert titles(hats) == ["Managed", "Worked"]
    rpc(stranger.api, "remove_member", workspace_id=stranger.workspace_id, user_id=person.id)
    assert titles(hats) == ["Worked"]
    rpc(hats, "decline_maintenance", request_id=worked)
    assert titles(hats) == []
