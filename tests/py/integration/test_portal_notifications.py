"""What renters and vendors are told within the app, over HTTP with real tokens: of what, and until when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from tests.py.integration.landlord import TODAY, Landlord, refusal, rows, rpc
from tests.py.integration.landlord import call as called
from tests.py.support import User

Db = psycopg.Connection[Any]
Connect = Callable[[User | str | None], httpx.Client]


@dataclass
class House:
    """A landlord's unit, let to a renter and guaranteed by another, and a vendor; all three sign in."""

    landlord: Landlord
    renter: httpx.Client
    guarantor: httpx.Client
    occupant: httpx.Client
    vendor: httpx.Client
    vendor_id: str
    lease_id: str
    db: Db

    def request(self, **row: Any) -> str:
        shown = {"lease_id": self.lease_id, "shown_to_renter": True, "unit_id": self.landlord.unit_ids[0]}
        columns = {"property_id": self.landlord.property_id, "title": "Leak", **shown, **row}
        return self.landlord.add("maintenance_requests", **columns)

    def act(self, function: str, **arguments: Any) -> Any:
        return rpc(self.landlord.api, function, **arguments)

    def give(self, request_id: str, vendor_id: str | None = None) -> None:
        self.act("assign_maintenance", request_id=request_id, vendor_id=vendor_id or self.vendor_id)

    def say(self, request_id: str, by: httpx.Client | None = None, **columns: Any) -> str:
        answer = (by or self.landlord.api).post(
            "/rest/v1/maintenance_comments",
            json={"workspace_id": self.landlord.workspace_id, "request_id": request_id, "body": "Words"}
            | columns,
            headers={"Prefer": "return=representation"},
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()[0]["id"])

    def document(self, **columns: Any) -> str:
        stored = {"content_type": "image/png", "size_bytes": 1, "sha256": "0" * 64}
        return self.landlord.add("documents", title="House rules", **stored, **columns)

    def patch(self, table: str, row_id: str, **columns: Any) -> None:
        answer = self.landlord.api.patch(f"/rest/v1/{table}?id=eq.{row_id}", json=columns)
        assert answer.status_code in (200, 204), answer.text

    def hush(self) -> None:
        """What was told so far is not asked about."""
        self.db.execute(
            "delete from public.notifications where workspace_id = %s", (self.landlord.workspace_id,)
        )


@pytest.fixture
def house(landlord: Landlord, new_user: Callable[[], User], api: Connect, stack_db: Db) -> House:
    people = {name: new_user() for name in ("renter", "guarantor", "occupant", "vendor")}
    lease_id = landlord.draft("L-1")
    records = {"renter": ("tenants", landlord.tenant_id)}
    for role in ("guarantor", "occupant"):
        records[role] = ("tenants", landlord.add("tenants", last_name=role.title()))
        landlord.add("lease_tenants", lease_id=lease_id, tenant_id=records[role][1], role=role)
    records["vendor"] = ("vendors", landlord.add("vendors", name="Pipes & Sons"))
    rpc(landlord.api, "activate_lease", lease_id=lease_id)
    for name, (table, record_id) in records.items():
        stack_db.execute(
            f"update public.{table} set user_id = %s where id = %s", (people[name].id, record_id)
        )
    clients = {name: api(person) for name, person in people.items()}
    return House(landlord, **clients, vendor_id=records["vendor"][1], lease_id=lease_id, db=stack_db)


def told(person: httpx.Client) -> list[tuple[str, str]]:
    """Category and title of what the person was told, oldest first."""
    found = rows(person, "notifications?select=category,title&order=created_at,title")
    return [(row["category"], row["title"]) for row in found]


def test_a_household_is_told_what_becomes_of_its_request(house: House) -> None:
    made = rpc(house.renter, "report_maintenance", unit_id=house.landlord.unit_ids[0], title="No hot water")
    request_id, number = made["id"], made["request_number"]
    assert told(house.renter) == [], "who reported it knows"
    assert told(house.guarantor) == [("request_status", f"Request {number} is open: No hot water")]
    house.hush()
    house.give(request_id)
    window = {"starts_at": f"{TODAY}T09:00Z", "ends_at": f"{TODAY}T10:00Z"}
    rpc(house.vendor, "schedule_maintenance", request_id=request_id, **window)
    later = {**window, "ends_at": f"{TODAY}T12:00Z"}
    rpc(house.vendor, "schedule_maintenance", request_id=request_id, **later)
    house.act("change_maintenance_status", request_id=request_id, status="in_progress", reason="Secret words")
    steps = ["is assigned", "is scheduled", "has another time", "is in progress"]
    expected = [("request_status", f"Request {number} {step}: No hot water") for step in steps]
    assert told(house.renter) == told(house.guarantor) == expected
    assert told(house.occupant) == []
    (notice, *_) = rows(house.renter, "notifications?select=body,maintenance_requests(title),payload,read_at")
    assert notice["maintenance_requests"] == {"title": "No hot water"}
    assert "Secret" not in str(rows(house.renter, "notifications"))
    unread = house.renter.head("/rest/v1/notifications?read_at=is.null", headers={"Prefer": "count=exact"})
    assert unread.headers["Content-Range"].endswith("/4")
    assert rpc(house.renter, "mark_notifications_read", before="now") == 4
    assert rpc(house.renter, "mark_notifications_read", before="now") == 0


def test_work_is_told_to_the_vendor_who_gets_it_and_who_loses_it(
    house: House, new_user: Callable[[], User], api: Connect
) -> None:
    other = new_user()
    other_id = house.landlord.add("vendors", name="Drains Ltd")
    house.db.execute("update public.vendors set user_id = %s where id = %s", (other.id, other_id))
    request_id = house.request(title="Drain")
    assert told(house.vendor) == []
    house.give(request_id)
    house.act("change_maintenance_status", request_id=request_id, status="in_progress")
    house.give(request_id, other_id)
    house.act("assign_maintenance", request_id=request_id)
    house.give(request_id)
    assert told(house.vendor) == [
        ("work_assigned", "Request 1 is yours: Drain"),
        ("work_status", "Request 1 is in progress: Drain"),
        ("work_assigned", "Request 1 is no longer yours: Drain"),
        ("work_assigned", "Request 1 is yours: Drain"),
    ]
    assert told(api(other)) == [
        ("work_assigned", "Request 1 is yours: Drain"),
        ("work_assigned", "Request 1 is no longer yours: Drain"),
    ]
    rpc(house.vendor, "decline_maintenance", request_id=request_id)
    assert len(told(house.vendor)) == 4, "who declines knows"
    house.patch("vendors", house.vendor_id, status="inactive")
    assert told(house.vendor) == []


def test_a_comment_is_told_to_those_who_may_read_it_once_they_may(house: House) -> None:
    request_id = house.request()
    house.give(request_id)
    house.hush()
    internal = house.say(request_id)
    assert told(house.renter) == told(house.vendor) == []
    house.say(request_id, visible_to_renter=True)
    house.say(request_id, by=house.vendor)
    by_renter = house.say(request_id, by=house.renter)
    said = "commented on request 1: Leak"
    assert told(house.renter) == [("request_commented", f"The property manager {said}")]
    assert told(house.guarantor) == [
        ("request_commented", f"The property manager {said}"),
        ("request_commented", f"Somebody of your household {said}"),
    ]
    assert told(house.vendor) == []
    house.patch("maintenance_comments", internal, visible_to_vendor=True)
    house.patch("maintenance_comments", internal, visible_to_vendor=True)
    house.patch("maintenance_comments", by_renter, visible_to_vendor=True)
    assert told(house.vendor) == [
        ("work_commented", f"The property manager {said}"),
        ("work_commented", f"The renter {said}"),
    ]
    assert "Words" not in str(rows(house.vendor, "notifications") + rows(house.renter, "notifications"))


@pytest.mark.parametrize(
    ("attached", "audience"),
    [
        ("lease", {"renter", "guarantor"}),
        ("unit", {"renter", "guarantor"}),
        ("other unit", set()),
        ("property", {"renter", "guarantor"}),
        ("tenant", {"renter"}),
        ("request", {"renter", "guarantor"}),
        ("hidden request", set()),
        ("vendor", set()),
    ],
)
def test_a_document_is_told_to_those_who_see_it_once_they_do(
    house: House, attached: str, audience: set[str]
) -> None:
    home = {"property_id": house.landlord.property_id}
    columns: dict[str, dict[str, str]] = {
        "lease": {"lease_id": house.lease_id},
        "unit": {**home, "unit_id": house.landlord.unit_ids[0]},
        "other unit": {**home, "unit_id": house.landlord.unit_ids[1]},
        "property": home,
        "tenant": {"tenant_id": house.landlord.tenant_id, "lease_id": house.lease_id},
        "request": {"maintenance_request_id": house.request()},
        "hidden request": {"maintenance_request_id": house.request(shown_to_renter=False)},
        "vendor": {"vendor_id": house.vendor_id, "lease_id": house.lease_id},
    }
    house.hush()
    people = {name: getattr(house, name) for name in ("renter", "guarantor", "occupant", "vendor")}
    document_id = house.document(**columns[attached])
    house.patch("documents", document_id, status="available")
    assert all(told(person) == [] for person in people.values()), "it is not shown yet"
    house.patch("documents", document_id, visible_to_renters=True)
    house.patch("documents", document_id, title="Rules")
    notice = [("document_shown", "There is a document for you: House rules")]
    assert {name for name, person in people.items() if told(person) == notice} == audience
    assert {name for name, person in people.items() if told(person)} == audience
    seeing = {name for name, person in people.items() if rows(person, "documents")}
    assert seeing == audience, "who is told is who sees it"


def test_the_parties_are_told_of_notice_and_renewal(house: House) -> None:
    last_day = str(TODAY + timedelta(days=60))
    house.act("give_notice", lease_id=house.lease_id, given_by="landlord", move_out_on=last_day)
    house.act("withdraw_notice", lease_id=house.lease_id)
    renewal = house.act("renew_lease", lease_id=house.lease_id)
    assert len(told(house.renter)) == 2, "a draft is the manager's"
    house.act("activate_lease", lease_id=renewal["id"])
    house.act("terminate_lease", lease_id=renewal["id"], reason="Changed our minds")
    expected = [
        ("lease_notice", "Notice was given for lease L-1"),
        ("lease_notice", "Notice for lease L-1 was withdrawn"),
        ("lease_renewed", "Lease L-1-R1 renews yours"),
        ("lease_renewed", "Lease L-1-R1, which was to renew yours, was called off"),
    ]
    assert told(house.renter) == told(house.guarantor) == expected
    assert told(house.occupant) == told(house.vendor) == []
    (notice, *_) = rows(
        house.renter, "notifications?order=created_at&select=body,payload,leases(lease_number)"
    )
    assert (notice["body"], notice["payload"]["planned_move_out_on"]) == (f"Last day: {last_day}.", last_day)
    assert notice["leases"] == {"lease_number": "L-1"}


def test_nobody_is_told_once_their_tie_has_ended(house: House) -> None:
    request_id = house.request()
    house.give(request_id)
    moved = house.request(title="Damp")
    house.hush()
    units = house.landlord.unit_ids
    move = {"from_unit_id": units[0], "to_unit_id": units[1], "on_date": str(TODAY)}
    house.act("transfer_unit", lease_id=house.lease_id, **move)
    house.act("change_maintenance_status", request_id=moved, status="cancelled")
    assert told(house.renter) == [], "they were moved out of that unit"
    draught = house.request(title="Draught", unit_id=units[1])
    house.hush()
    house.act("end_lease", lease_id=house.lease_id, ended_on=str(TODAY))
    house.say(draught, visible_to_renter=True, visible_to_vendor=True)
    house.act("change_maintenance_status", request_id=draught, status="cancelled")
    document_id = house.document(property_id=house.landlord.property_id, visible_to_renters=True)
    house.patch("documents", document_id, status="available")
    assert told(house.renter) == told(house.guarantor) == []
    # Their contract stays theirs, and so does what is shown to them of it: the account of the deposit.
    statement = house.document(lease_id=house.lease_id, visible_to_renters=True)
    house.patch("documents", statement, status="available")
    assert [category for category, _ in told(house.renter)] == ["document_shown"]
    house.act("assign_maintenance", request_id=request_id)
    house.hush()
    house.say(request_id, visible_to_vendor=True)
    assert told(house.vendor) == []


def test_a_renter_says_what_they_want_to_be_told(house: House) -> None:
    workspace_id = house.landlord.workspace_id
    wish = {"workspace_id": workspace_id, "category": "request_status", "channel": "in_app"}
    assert rpc(house.renter, "set_notification_preference", **wish, enabled=False) is False
    house.request()
    assert told(house.renter) == []
    assert len(told(house.guarantor)) == 1
    assert rpc(house.renter, "set_notification_preference", **wish, enabled=None) is True
    house.request()
    assert len(told(house.renter)) == 1
    members = {**wish, "category": "maintenance_status"}
    refused = called(house.renter, "set_notification_preference", key=None, **members, enabled=True)
    assert refusal(refused) == (422, "notification_unknown")
    settings = f"rpc/notification_settings?workspace_id={workspace_id}&select=category"
    categories = {row["category"] for row in rows(house.vendor, settings)}
    assert categories == {"work_assigned", "work_commented", "work_status"}


def test_one_who_is_a_member_and_a_renter_is_told_once(house: House) -> None:
    house.db.execute(
        "update public.tenants set user_id = %s where id = %s",
        (house.landlord.owner.id, house.landlord.tenant_id),
    )
    request_id = house.request()
    house.hush()
    house.say(request_id, by=house.guarantor)
    found = rows(house.landlord.api, "notifications?select=audience,category")
    assert found == [{"audience": "member", "category": "maintenance_commented"}]


def test_a_workspace_goes_with_all_that_it_told_vendors(
    landlord: Landlord, new_user: Callable[[], User], api: Connect, stack_db: Db
) -> None:
    vendor = new_user()
    vendor_id = landlord.add("vendors", name="Pipes & Sons")
    stack_db.execute("update public.vendors set user_id = %s where id = %s", (vendor.id, vendor_id))
    leak = landlord.add("maintenance_requests", property_id=landlord.property_id, title="Leak")
    rpc(landlord.api, "assign_maintenance", request_id=leak, vendor_id=vendor_id)
    wish = {"workspace_id": landlord.workspace_id, "category": "work_status", "channel": "in_app"}
    rpc(api(vendor), "set_notification_preference", **wish, enabled=False)
    assert len(told(api(vendor))) == 1
    stack_db.execute("delete from public.workspaces where id = %s", (landlord.workspace_id,))
    for table in ("notifications", "notification_preferences"):
        left = f"select count(*) from public.{table} where workspace_id = %s"
        assert stack_db.execute(left, (landlord.workspace_id,)).fetchone() == (0,)


def test_erasing_a_vendor_takes_what_they_were_told(house: House) -> None:
    house.give(house.request())
    house.db.execute(
        """update public.tenants set user_id = (select user_id from public.vendors where id = %s)
        where id = %s""",
        (house.vendor_id, house.landlord.tenant_id),
    )
    house.request()
    assert {category for category, _ in told(house.vendor)} == {"work_assigned", "request_status"}
    house.act("erase_personal_data", vendor_id=house.vendor_id)
    assert {category for category, _ in told(house.vendor)} == {"request_status"}
    left = "select count(*) from public.notifications where workspace_id = %s and audience = 'vendor'"
    assert house.db.execute(left, (house.landlord.workspace_id,)).fetchone() == (0,)
