"""Workspaces and members through the API: who may change whom, and that an owner always remains."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest

from tests.py.integration.landlord import Landlord, call, refusal, rpc
from tests.py.support import User

NewUser = Callable[[], User]
Connect = Callable[[User | str | None], httpx.Client]
Db = psycopg.Connection[Any]


def members(landlord: Landlord) -> dict[str, str]:
    rows = landlord.api.get("/rest/v1/workspace_members", params={"select": "user_id,role"}).json()
    return {row["user_id"]: row["role"] for row in rows}


def test_whoever_makes_a_workspace_owns_it(landlord: Landlord) -> None:
    assert members(landlord) == {landlord.owner.id: "owner"}


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"name": "  "}, 400),
        ({"name": "A", "currency": "usd"}, 400),
        ({"name": "A", "timezone": "EST5EDT"}, 400),
    ],
)
def test_a_workspace_with_bad_settings_is_refused(
    landlord: Landlord, wrong: dict[str, str], status: int
) -> None:
    assert call(landlord.api, "create_workspace", **wrong).status_code == status
    assert len(landlord.api.get("/rest/v1/workspaces").json()) == 1


def test_a_stranger_gets_the_same_answer_for_a_foreign_workspace_as_for_none(
    landlord: Landlord, new_user: NewUser, api: Connect
) -> None:
    stranger = api(new_user())
    foreign = call(stranger, "remove_member", workspace_id=landlord.workspace_id, user_id=landlord.owner.id)
    nowhere = call(
        stranger,
        "remove_member",
        workspace_id="00000000-0000-0000-0000-00000000dead",
        user_id=landlord.owner.id,
    )
    assert refusal(foreign) == (404, "workspace_not_found")
    assert foreign.json() == nowhere.json()


def test_an_admin_changes_what_is_within_their_own_role_and_no_more(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    admin, manager = new_user(), new_user()
    landlord.employ(stack_db, admin, "admin")
    landlord.employ(stack_db, manager, "manager")
    at_work = api(admin)

    def change(person: User, role: str) -> httpx.Response:
        return call(
            at_work, "change_member_role", workspace_id=landlord.workspace_id, user_id=person.id, role=role
        )

    assert refusal(change(manager, "owner")) == (403, "exceeds_own_role")
    assert refusal(change(landlord.owner, "viewer")) == (403, "exceeds_own_role")
    assert refusal(change(manager, "king")) == (422, "role_unknown")
    assert change(manager, "admin").status_code == 200
    assert members(landlord) == {landlord.owner.id: "owner", admin.id: "admin", manager.id: "admin"}


def test_a_manager_manages_no_members(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    manager = new_user()
    landlord.employ(stack_db, manager, "manager")
    removal = call(
        api(manager), "remove_member", workspace_id=landlord.workspace_id, user_id=landlord.owner.id
    )
    assert refusal(removal) == (403, "permission_denied")
    assert len(members(landlord)) == 2


def test_a_removed_member_loses_access_with_the_token_they_hold(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    viewer = new_user()
    landlord.employ(stack_db, viewer, "viewer")
    reading = api(viewer)
    assert len(reading.get("/rest/v1/units").json()) == 2
    rpc(landlord.api, "remove_member", workspace_id=landlord.workspace_id, user_id=viewer.id)
    assert reading.get("/rest/v1/units").json() == []
    assert reading.get("/rest/v1/workspaces").json() == []


def test_a_suspended_member_sees_nothing_until_taken_back(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    viewer = new_user()
    landlord.employ(stack_db, viewer, "viewer")
    reading = api(viewer)
    who = {"workspace_id": landlord.workspace_id, "user_id": viewer.id}
    rpc(landlord.api, "set_member_status", **who, status="suspended")
    assert reading.get("/rest/v1/units").json() == []
    assert refusal(call(landlord.api, "set_member_status", **who, status="asleep")) == (422, "status_unknown")
    rpc(landlord.api, "set_member_status", **who, status="active")
    assert len(reading.get("/rest/v1/units").json()) == 2


def test_the_last_owner_can_neither_leave_nor_be_demoted_nor_suspended(landlord: Landlord) -> None:
    who = {"workspace_id": landlord.workspace_id, "user_id": landlord.owner.id}
    for attempt in (
        call(landlord.api, "leave_workspace", workspace_id=landlord.workspace_id),
        call(landlord.api, "remove_member", **who),
        call(landlord.api, "change_member_role", **who, role="admin"),
        call(landlord.api, "set_member_status", **who, status="suspended"),
    ):
        assert refusal(attempt) == (409, "last_owner")
    assert members(landlord) == {landlord.owner.id: "owner"}


def test_deleting_the_account_of_the_last_owner_is_refused(landlord: Landlord, stack_db: Db) -> None:
    with pytest.raises(psycopg.Error, match="last_owner"):
        stack_db.execute("delete from auth.users where id = %s", (landlord.owner.id,))
    assert members(landlord) == {landlord.owner.id: "owner"}


def test_of_two_owners_who_leave_at_once_one_stays(
    landlord: Landlord, new_user: NewUser, api: Connect, stack_db: Db
) -> None:
    second = new_user()
    landlord.employ(stack_db, second, "owner")
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda client: call(client, "leave_workspace", workspace_id=landlord.workspace_id),
                [landlord.api, api(second)],
            )
        )
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    left = stack_db.execute(
        "select count(*) from public.workspace_members where workspace_id = %s", (landlord.workspace_id,)
    ).fetchone()
    assert left == (1,)


def test_a_workspace_without_begun_leases_can_be_deleted_by_its_owner(landlord: Landlord) -> None:
    landlord.draft("D-1")
    deleted = landlord.api.delete("/rest/v1/workspaces", params={"id": f"eq.{landlord.workspace_id}"})
    assert deleted.status_code == 204
    assert landlord.api.get("/rest/v1/workspaces").json() == []


def test_a_workspace_with_a_begun_lease_stays(landlord: Landlord) -> None:
    rpc(landlord.api, "activate_lease", lease_id=landlord.draft("L-1"))
    deleted = landlord.api.delete("/rest/v1/workspaces", params={"id": f"eq.{landlord.workspace_id}"})
    assert refusal(deleted) == (409, "lease_has_begun")
    assert len(landlord.api.get("/rest/v1/units").json()) == 2
