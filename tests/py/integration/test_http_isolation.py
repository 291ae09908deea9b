"""What one workspace can learn of another over HTTP, and do to it: nothing, not even what is there."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.py.access import expectations
from tests.py.integration.landlord import Landlord, call, refusal, rows, rpc

NO_SUCH_ID = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("table", expectations.tables())
def test_a_client_that_selects_everything_of_a_table_gets_it(landlord: Landlord, table: str) -> None:
    """supabase-js selects `*` unless told otherwise, so no table hides a column."""
    assert landlord.api.get(f"/rest/v1/{table}?select=*").status_code == 200


def test_what_is_private_has_no_address(landlord: Landlord) -> None:
    assert refusal(landlord.api.get("/rest/v1/invitation_tokens")) == (404, "42P01")
    addressed = landlord.api.get("/rest/v1/invitation_tokens", headers={"Accept-Profile": "private"})
    assert refusal(addressed) == (406, "PGRST106")


def test_no_row_is_pointed_into_another_workspace(landlord: Landlord, stranger: Landlord) -> None:
    lease_id = landlord.draft("MINE")
    moved = landlord.api.patch(
        f"/rest/v1/tenants?id=eq.{landlord.tenant_id}", json={"workspace_id": stranger.workspace_id}
    )
    assert refusal(moved) == (403, "42501")
    workspace = {"workspace_id": landlord.workspace_id}
    crossing = {
        "units": {**workspace, "property_id": stranger.property_id, "unit_number": "9"},
        "leases": {
            **workspace, "property_id": stranger.property_id, "lease_number": "X", "starts_on": "2030-01-01",
            "currency": "USD",
        },
        "lease_units": {
            **workspace, "property_id": landlord.property_id, "lease_id": lease_id,
            "unit_id": stranger.unit_ids[0],
        },
        "lease_tenants": {**workspace, "lease_id": lease_id, "tenant_id": stranger.tenant_id},
    }  # fmt: skip
    for table, row in crossing.items():
        assert refusal(landlord.api.post(f"/rest/v1/{table}", json=row)) == (409, "23503")
    managed = landlord.api.patch(
        f"/rest/v1/properties?id=eq.{landlord.property_id}", json={"manager_id": stranger.owner.id}
    )
    assert refusal(managed) == (409, "23503")
    assert len(rows(stranger.api, "units")) == 2


def test_what_is_not_yours_and_what_is_not_there_answer_alike(landlord: Landlord, stranger: Landlord) -> None:
    lease_id = stranger.draft("THEIRS")
    invited = rpc(
        stranger.api, "invite", workspace_id=stranger.workspace_id, kind="member", role="viewer",
        email=f"{uuid.uuid4().hex}@example.com",
    )  # fmt: skip
    (message,) = rows(stranger.api, "messages?select=id")
    imported = rpc(
        stranger.api, "start_import", workspace_id=stranger.workspace_id, kind="rent_roll", file_name="a.csv",
        file_digest="0" * 64,
    )  # fmt: skip
    assert invited["id"]
    mine, theirs = landlord.workspace_id, stranger.workspace_id
    asked: list[tuple[str, dict[str, Any], str]] = [
        ("activate_lease", {"lease_id": lease_id}, "lease_id"),
        ("end_lease", {"lease_id": lease_id, "ended_on": "2024-01-01"}, "lease_id"),
        ("resolve_message", {"message_id": message["id"], "outcome": "sent"}, "message_id"),
        ("revoke_portal_access", {"tenant_id": stranger.tenant_id}, "tenant_id"),
        ("leave_workspace", {"workspace_id": theirs}, "workspace_id"),
        ("remove_member", {"workspace_id": theirs, "user_id": stranger.owner.id}, "workspace_id"),
        ("remove_member", {"workspace_id": mine, "user_id": stranger.owner.id}, "user_id"),
        (
            "change_member_role",
            {"workspace_id": theirs, "user_id": stranger.owner.id, "role": "viewer"},
            "workspace_id",
        ),
        (
            "change_member_role",
            {"workspace_id": mine, "user_id": stranger.owner.id, "role": "viewer"},
            "user_id",
        ),
        (
            "set_member_status",
            {"workspace_id": theirs, "user_id": stranger.owner.id, "status": "suspended"},
            "workspace_id",
        ),
        (
            "invite",
            {"workspace_id": theirs, "kind": "member", "email": "a@example.com", "role": "viewer"},
            "workspace_id",
        ),
        ("invite", {"workspace_id": mine, "kind": "renter", "tenant_id": stranger.tenant_id}, "tenant_id"),
        (
            "start_import",
            {"workspace_id": theirs, "kind": "rent_roll", "file_name": "a.csv", "file_digest": "0" * 64},
            "workspace_id",
        ),
        ("check_import", {"import_id": imported["id"]}, "import_id"),
        ("commit_import", {"import_id": imported["id"]}, "import_id"),
        ("discard_import", {"import_id": imported["id"]}, "import_id"),
        ("stage_import_rows", {"import_id": imported["id"], "rows": []}, "import_id"),
    ]
    for function, arguments, parameter in asked:
        not_yours = call(landlord.api, function, **arguments)
        not_there = call(landlord.api, function, **{**arguments, parameter: NO_SUCH_ID})
        assert not_yours.status_code == 404, f"{function}: {not_yours.text}"
        assert (not_there.status_code, not_there.json()) == (404, not_yours.json()), function


def test_constraints_tell_no_stranger_what_is_there(landlord: Landlord, stranger: Landlord) -> None:
    """A row refused for its workspace is refused before any key is looked at."""
    lease_id = stranger.draft("THEIRS")
    theirs = {"workspace_id": stranger.workspace_id}
    attempts: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        (
            "tenants",
            {"last_name": "R", "email": "rae@example.com"},
            {"last_name": "R", "email": "n@example.com"},
        ),
        ("properties", {"name": "1 Elm"}, {"name": "None"}),
        ("leases", {"lease_number": "THEIRS"}, {"lease_number": "NONE"}),
        ("lease_terms", {"lease_id": lease_id}, {"lease_id": NO_SUCH_ID}),
        ("lease_units", {"lease_id": lease_id}, {"lease_id": NO_SUCH_ID}),
        ("lease_tenants", {"tenant_id": stranger.tenant_id}, {"tenant_id": NO_SUCH_ID}),
    ]
    for table, taken, free in attempts:
        completed: dict[str, dict[str, Any]] = {
            "tenants": {},
            "properties": {"address_line1": "1 Elm", "city": "Austin"},
            "leases": {"property_id": stranger.property_id, "starts_on": "2030-01-01"},
            "lease_terms": {"effective_on": "2030-01-01", "rent_minor": 1},
            "lease_units": {"property_id": stranger.property_id, "unit_id": stranger.unit_ids[0]},
            "lease_tenants": {"lease_id": lease_id},
        }
        answers = [
            landlord.api.post(f"/rest/v1/{table}", json={**theirs, **completed[table], **row})
            for row in (taken, free)
        ]
        assert [refusal(answer) for answer in answers] == [(403, "42501")] * 2, table
        assert answers[0].json() == answers[1].json()
