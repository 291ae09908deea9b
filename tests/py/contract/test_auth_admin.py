"""/admin/users: what the service-role key may do."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest

from tests.py.contract.auth_client import INSTANT, UUID, Account, Auth, Target, assert_error
from tests.py.support import wait_until

TAKEN = (422, "email_exists", "A user with this email address has already been registered")
MISSING = (404, "user_not_found", "User not found")


def test_a_user_is_made_with_metadata(auth: Auth, fresh_email: Callable[[], str]) -> None:
    email = fresh_email()
    response = auth.admin.post(
        "/admin/users",
        json={
            "email": email,
            "password": "secret1",
            "email_confirm": True,
            "app_metadata": {"plan": "pro"},
            "user_metadata": {"name": "Ann"},
        },
    )
    assert response.status_code == 200
    user = response.json()
    assert UUID.fullmatch(user["id"]) and INSTANT.fullmatch(user["created_at"])
    assert (user["email"], user["role"], user["aud"]) == (email, "authenticated", "authenticated")
    assert user["app_metadata"] == {"plan": "pro", "provider": "email", "providers": ["email"]}
    assert user["user_metadata"]["name"] == "Ann"
    assert "email_confirmed_at" in user and "last_sign_in_at" not in user
    assert [identity["provider"] for identity in user["identities"]] == ["email"]


def test_a_user_is_made_with_a_chosen_id(auth: Auth, fresh_email: Callable[[], str]) -> None:
    chosen = str(uuid.uuid4())
    response = auth.admin.post("/admin/users", json={"id": chosen, "email": fresh_email()})
    assert (response.status_code, response.json()["id"]) == (200, chosen)


def test_an_unconfirmed_user_has_no_confirmation(auth: Auth, fresh_email: Callable[[], str]) -> None:
    user = auth.admin.post("/admin/users", json={"email": fresh_email(), "password": "secret1"}).json()
    assert "email_confirmed_at" not in user and "confirmed_at" not in user


def test_a_user_without_a_password_has_none_to_guess(auth: Auth, fresh_email: Callable[[], str]) -> None:
    email = fresh_email()
    assert auth.admin.post("/admin/users", json={"email": email, "email_confirm": True}).status_code == 200
    response = auth.grant("password", email=email, password="")
    assert_error(response, 400, "invalid_credentials", "Invalid login credentials")


def test_a_taken_address_is_refused(auth: Auth, account: Account) -> None:
    body = {"email": account.email.upper(), "password": "secret1"}
    assert_error(auth.admin.post("/admin/users", json=body), *TAKEN)


def test_a_malformed_address_is_refused(auth: Auth) -> None:
    message = "Unable to validate email address: invalid format"
    assert_error(auth.admin.post("/admin/users", json={"email": "nobody"}), 400, "validation_failed", message)


def test_a_user_is_found_by_id(auth: Auth, account: Account) -> None:
    response = auth.admin.get(f"/admin/users/{account.id}")
    assert response.status_code == 200
    assert (response.json()["id"], response.json()["email"]) == (account.id, account.email)
    assert len(response.json()["identities"]) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_nobody_is_found_by_an_unknown_id(auth: Auth, method: str) -> None:
    assert_error(auth.admin.call(method, f"/admin/users/{uuid.uuid4()}", content=b"{}"), *MISSING)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_id_must_be_a_uuid(auth: Auth, method: str) -> None:
    response = auth.admin.call(method, "/admin/users/ann", content=b"{}")
    assert_error(response, 404, "validation_failed", "user_id must be an UUID")


def test_users_are_listed_newest_first(auth: Auth, new_account: Callable[..., Account]) -> None:
    older, newer = new_account(), new_account()
    response = auth.admin.get("/admin/users", params={"page": 1, "per_page": 50})
    assert response.status_code == 200
    assert set(response.json()) == {"users", "aud"}
    assert response.json()["aud"] == "authenticated"
    listed = [user["id"] for user in response.json()["users"]]
    assert listed.index(newer.id) < listed.index(older.id)
    assert all(user["identities"] is None for user in response.json()["users"])


def test_pages_follow_each_other(auth: Auth, new_account: Callable[..., Account]) -> None:
    made = [new_account().id for _ in range(3)]

    def page(number: int) -> httpx.Response:
        return auth.admin.get("/admin/users", params={"page": number, "per_page": 2})

    def undisturbed() -> tuple[httpx.Response, httpx.Response] | None:
        """Two pages between which no other test made or deleted a user."""
        first, second = page(1), page(2)
        again = [page(1).json(), page(2).json()]
        return (first, second) if again == [first.json(), second.json()] else None

    pages = wait_until(undisturbed)
    assert pages
    first, second = pages
    seen = [user["id"] for each in (first, second) for user in each.json()["users"]]
    assert len(seen) == len(set(seen)) == 4 or len(seen) == int(first.headers["X-Total-Count"])
    total = int(first.headers["X-Total-Count"])
    assert total >= len(made)
    assert relations(first) == {"next": "2", "last": str(-(-total // 2))}


def test_the_last_page_has_no_next(auth: Auth, account: Account) -> None:
    response = auth.admin.get("/admin/users", params={"page": 1, "per_page": 100_000})
    assert account.id in [user["id"] for user in response.json()["users"]]
    assert relations(response) == {"last": "1"}


def relations(response: httpx.Response) -> dict[str, str]:
    """Page numbers in the header Link, by relation."""
    found = re.findall(r'<[^>]*[?&]page=(\d+)[^>]*>; rel="(\w+)"', response.headers["Link"])
    return {relation: number for number, relation in found}


@pytest.mark.parametrize("query", [{"page": "x"}, {"per_page": "-1"}])
def test_a_malformed_page_is_refused(auth: Auth, query: dict[str, str]) -> None:
    response = auth.admin.get("/admin/users", params=query)
    assert (response.status_code, response.json()["error_code"]) == (400, "validation_failed")


def test_everything_of_a_user_can_be_changed(
    auth: Auth, account: Account, fresh_email: Callable[[], str]
) -> None:
    new_email = fresh_email()
    response = auth.admin.put(
        f"/admin/users/{account.id}",
        json={
            "email": new_email,
            "password": "battery staple",
            "app_metadata": {"plan": "pro"},
            "user_metadata": {"name": "Ann"},
        },
    )
    assert response.status_code == 200
    user = response.json()
    assert user["email"] == user["identities"][0]["email"] == new_email
    assert user["app_metadata"] == {"plan": "pro", "provider": "email", "providers": ["email"]}
    signed_in = auth.grant("password", email=new_email, password="battery staple").json()
    assert signed_in["user"]["user_metadata"]["name"] == "Ann"
    again = auth.admin.put(f"/admin/users/{account.id}", json={"app_metadata": {"plan": None}}).json()
    assert again["app_metadata"] == {"provider": "email", "providers": ["email"]}


def test_an_address_can_be_confirmed(auth: Auth, new_account: Callable[..., Account]) -> None:
    account = new_account(email_confirm=False)
    response = auth.admin.put(f"/admin/users/{account.id}", json={"email_confirm": True})
    assert INSTANT.fullmatch(response.json()["email_confirmed_at"])
    assert auth.sign_in(account)["user"]["id"] == account.id


def test_a_change_to_a_taken_address_is_refused(auth: Auth, new_account: Callable[..., Account]) -> None:
    ann, bob = new_account(), new_account()
    response = auth.admin.put(f"/admin/users/{ann.id}", json={"email": bob.email})
    assert_error(response, *TAKEN)
    assert auth.admin.get(f"/admin/users/{ann.id}").json()["email"] == ann.email


@pytest.mark.parametrize("duration", ["tomorrow", "10", "5d"])
def test_a_malformed_ban_is_refused(auth: Auth, account: Account, duration: str) -> None:
    response = auth.admin.put(f"/admin/users/{account.id}", json={"ban_duration": duration})
    assert (response.status_code, response.json()["error_code"]) == (400, "validation_failed")
    assert auth.sign_in(account)


def test_deleting_a_user_removes_what_belonged_to_them(
    auth: Auth, account: Account, sql: psycopg.Connection[Any]
) -> None:
    signed_in = auth.sign_in(account)
    response = auth.admin.delete(f"/admin/users/{account.id}", json={"should_soft_delete": False})
    assert (response.status_code, response.json()) == (200, {})
    assert_error(auth.admin.get(f"/admin/users/{account.id}"), *MISSING)
    assert auth.refresh(signed_in["refresh_token"]).json()["error_code"] == "refresh_token_not_found"
    for table in ("identities", "sessions"):
        left = sql.execute(f"select from auth.{table} where user_id = %s", [account.id]).fetchall()
        assert left == [], table


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/users"),
        ("POST", "/admin/users"),
        ("GET", "/admin/users/{id}"),
        ("PUT", "/admin/users/{id}"),
        ("DELETE", "/admin/users/{id}"),
        ("POST", "/admin/generate_link"),
    ],
)
def test_only_the_service_role_may(
    auth: Auth, account: Account, target: Target, method: str, path: str
) -> None:
    path = path.format(id=account.id)
    body = {} if method == "GET" else {"json": {"email": account.email, "type": "recovery"}}
    message = "This endpoint requires a valid Bearer token"
    assert_error(auth.nobody.call(method, path, **body), 401, "no_authorization", message)
    token = auth.sign_in(account)["access_token"]
    for who in (token, target.anon_key):
        assert_error(auth.as_user(who).call(method, path, **body), 403, "not_admin", "User not allowed")
    assert auth.admin.get(f"/admin/users/{account.id}").status_code == 200
