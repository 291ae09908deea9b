"""Access over HTTP with real tokens: what the matrix says holds through gateway and PostgREST too."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest

from scripts.stack.layout import Stack
from tests.py.integration.landlord import Landlord, call, refusal, rows, rpc
from tests.py.support import User

Connect = Callable[[User | str | None], httpx.Client]
REPRESENTATION = {"Prefer": "return=representation"}


@pytest.fixture
def member(
    landlord: Landlord, stack_db: psycopg.Connection[Any], new_user: Callable[..., User], api: Connect
) -> Callable[[str], httpx.Client]:
    """Signed-in members of the landlord's workspace: `member("viewer")`."""

    def join(role: str) -> httpx.Client:
        person = new_user()
        landlord.employ(stack_db, person, role)
        client = api(person)
        client.headers["X-Test-User"] = person.id
        return client

    return join


@pytest.fixture
def renter(
    landlord: Landlord, stack_db: psycopg.Connection[Any], new_user: Callable[..., User], api: Connect
) -> Iterator[httpx.Client]:
    """The landlord's renter, signed in and party to an active lease; another lease is a draft."""
    rpc(landlord.api, "activate_lease", lease_id=landlord.draft("BEGUN"))
    landlord.draft("PLANNED", units=(1,))
    person = new_user()
    stack_db.execute("update public.tenants set user_id = %s where id = %s", (person.id, landlord.tenant_id))
    yield api(person)


def test_a_viewer_reads_and_writes_nothing(landlord: Landlord, member: Callable[[str], httpx.Client]) -> None:
    viewer, unit = member("viewer"), f"/rest/v1/units?id=eq.{landlord.unit_ids[0]}"
    assert [row["unit_number"] for row in rows(viewer, "units?order=unit_number")] == ["1", "2"]
    added = viewer.post(
        "/rest/v1/units",
        json={
            "workspace_id": landlord.workspace_id,
            "property_id": landlord.property_id,
            "unit_number": "3",
        },
    )
    assert refusal(added) == (403, "42501")
    assert viewer.patch(unit, json={"bedrooms": 3}, headers=REPRESENTATION).json() == []
    assert viewer.delete(unit, headers=REPRESENTATION).json() == []
    assert rows(landlord.api, "units?select=unit_number,bedrooms&order=unit_number") == [
        {"unit_number": "1", "bedrooms": None},
        {"unit_number": "2", "bedrooms": None},
    ]


def test_a_manager_writes(landlord: Landlord, member: Callable[[str], httpx.Client]) -> None:
    manager = member("manager")
    added = manager.post(
        "/rest/v1/units",
        json={
            "workspace_id": landlord.workspace_id,
            "property_id": landlord.property_id,
            "unit_number": "3",
        },
        headers=REPRESENTATION,
    )
    assert added.status_code == 201
    unit = f"/rest/v1/units?id=eq.{added.json()[0]['id']}"
    assert [
        row["bedrooms"] for row in manager.patch(unit, json={"bedrooms": 3}, headers=REPRESENTATION).json()
    ] == [3]
    assert [row["unit_number"] for row in manager.delete(unit, headers=REPRESENTATION).json()] == ["3"]


@pytest.mark.parametrize("how", ["remove_member", "set_member_status"])
def test_whoever_is_out_is_out_at_once_with_the_token_they_hold(
    landlord: Landlord, member: Callable[[str], httpx.Client], how: str
) -> None:
    admin = member("admin")
    assert len(rows(admin, "units")) == 2
    status = {"status": "suspended"} if how == "set_member_status" else {}
    user_id = admin.headers["X-Test-User"]
    rpc(landlord.api, how, workspace_id=landlord.workspace_id, user_id=user_id, **status)
    for table in ("workspaces", "workspace_members", "properties", "units", "tenants", "leases", "messages"):
        assert rows(admin, table) == []
    assert admin.patch("/rest/v1/units?id=not.is.null", json={"bedrooms": 9}).status_code in (200, 204)
    assert rows(landlord.api, "units?bedrooms=eq.9") == []
    invited = call(
        admin,
        "invite",
        workspace_id=landlord.workspace_id,
        kind="member",
        email="a@example.com",
        role="viewer",
    )
    assert refusal(invited) == (404, "workspace_not_found")
    if how == "set_member_status":
        rpc(landlord.api, how, workspace_id=landlord.workspace_id, user_id=user_id, status="active")
        assert len(rows(admin, "units")) == 2


def test_another_workspace_is_not_even_counted(landlord: Landlord, stranger: Landlord) -> None:
    for table in ("workspaces", "workspace_members", "properties", "units", "tenants"):
        key = "id" if table == "workspaces" else "workspace_id"
        for path in (
            f"{table}?{key}=eq.{stranger.workspace_id}",
            f"{table}?or=({key}.eq.{stranger.workspace_id},and({key}.not.is.null,{key}.neq.{landlord.workspace_id}))",
        ):
            counted = landlord.api.get(f"/rest/v1/{path}", headers={"Prefer": "count=exact"})
            assert counted.headers["content-range"] == "*/0"
            assert counted.json() == []
        assert {row[key] for row in rows(landlord.api, table)} == {landlord.workspace_id}


def test_counting_alone_disturbs_no_later_request(landlord: Landlord) -> None:
    """PostgREST ends the connection after a HEAD without saying so; the gateway must not use it again."""
    for _ in range(150):
        counted = landlord.api.head("/rest/v1/units", headers={"Prefer": "count=exact"})
        assert counted.headers["content-range"] == "0-1/2"
        assert len(rows(landlord.api, "units?select=id")) == 2


def test_embedding_widens_nothing(landlord: Landlord, stranger: Landlord, renter: httpx.Client) -> None:
    neighbour = landlord.add("tenants", first_name="Ned", last_name="Next", email="ned@example.com")
    (lease,) = rows(landlord.api, "leases?select=id&lease_number=eq.BEGUN")
    landlord.add("lease_tenants", lease_id=lease["id"], tenant_id=neighbour)
    found = rows(
        renter,
        "leases?select=lease_number,properties(name,units(unit_number)),"
        "lease_tenants(role,tenants(first_name)),lease_terms(rent_minor)",
    )
    (found[0]["lease_tenants"]).sort(key=lambda row: row["role"])
    assert found == [
        {
            "lease_number": "BEGUN",
            "properties": {"name": "1 Elm", "units": [{"unit_number": "1"}]},
            "lease_tenants": [
                {"role": "co_tenant", "tenants": None},
                {"role": "primary", "tenants": {"first_name": "Rae"}},
            ],
            "lease_terms": [{"rent_minor": 125_000}],
        }
    ]
    embedded = rows(stranger.api, "workspaces?select=id,properties(workspace_id,units(workspace_id))")
    assert [(row["id"], row["properties"][0]["workspace_id"]) for row in embedded] == [
        (stranger.workspace_id, stranger.workspace_id)
    ]


def test_a_renter_changes_nothing(landlord: Landlord, renter: httpx.Client) -> None:
    tenant = f"/rest/v1/tenants?id=eq.{landlord.tenant_id}"
    assert [row["first_name"] for row in rows(renter, "tenants")] == ["Rae"]
    assert renter.patch(tenant, json={"phone": "555-0100"}, headers=REPRESENTATION).json() == []
    assert renter.delete("/rest/v1/leases?id=not.is.null", headers=REPRESENTATION).json() == []
    (lease,) = rows(renter, "leases?select=id")
    assert refusal(call(renter, "end_lease", lease_id=lease["id"], ended_on="2024-01-01")) == (
        404,
        "lease_not_found",
    )
    assert rows(renter, "workspace_members") == []
    assert rows(renter, "messages") == []
    assert len(rows(landlord.api, "leases")) == 2


def test_an_account_with_the_right_address_is_nobody(
    landlord: Landlord, new_user: Callable[..., User], api: Connect
) -> None:
    email = f"rae-{uuid.uuid4().hex[:8]}@example.com"
    landlord.api.patch(f"/rest/v1/tenants?id=eq.{landlord.tenant_id}", json={"email": email})
    rpc(
        landlord.api,
        "invite",
        workspace_id=landlord.workspace_id,
        kind="renter",
        tenant_id=landlord.tenant_id,
    )
    namesake = api(new_user(email))
    for table in ("workspaces", "tenants", "leases", "units"):
        assert rows(namesake, table) == []


def test_rows_of_two_workspaces_are_refused_together(landlord: Landlord, stranger: Landlord) -> None:
    both = [{"workspace_id": owner.workspace_id, "last_name": "Bulk"} for owner in (landlord, stranger)]
    assert refusal(landlord.api.post("/rest/v1/tenants", json=both)) == (403, "42501")
    assert rows(landlord.api, "tenants?last_name=eq.Bulk") == []
    assert rows(stranger.api, "tenants?last_name=eq.Bulk") == []
    assert landlord.api.post("/rest/v1/tenants", json=both[:1] * 2).status_code == 201


def test_there_is_no_upsert(landlord: Landlord, stranger: Landlord) -> None:
    for owner in (landlord, stranger):
        row = {"id": owner.tenant_id, "workspace_id": landlord.workspace_id, "last_name": "Taken over"}
        merged = landlord.api.post(
            "/rest/v1/tenants", json=row, headers={"Prefer": "resolution=merge-duplicates"}
        )
        assert refusal(merged) == (403, "42501")
        put = landlord.api.put(f"/rest/v1/tenants?id=eq.{owner.tenant_id}", json=row)
        assert refusal(put) == (403, "42501")
        assert rows(owner.api, "tenants?select=last_name") == [{"last_name": "Renter"}]


def test_without_a_person_nothing_is_read(landlord: Landlord, stack: Stack, api: Connect) -> None:
    assert landlord.workspace_id
    for key, expected in ((stack.keys.anon_key, 401), (stack.keys.worker_key, 403)):
        for table in ("workspaces", "units", "messages"):
            assert refusal(api(key).get(f"/rest/v1/{table}")) == (expected, "42501")
        assert refusal(call(api(key), "create_workspace", name="Mine"))[0] == expected


def test_the_service_role_reads_and_writes_nothing(landlord: Landlord, stack: Stack, api: Connect) -> None:
    service = api(stack.keys.service_role_key)
    unit = f"units?id=eq.{landlord.unit_ids[0]}"
    assert len(rows(service, unit)) == 1
    assert refusal(service.patch(f"/rest/v1/{unit}", json={"bedrooms": 9})) == (403, "42501")
    assert refusal(service.delete(f"/rest/v1/{unit}")) == (403, "42501")
    assert refusal(call(service, "create_workspace", name="Mine")) == (403, "42501")
