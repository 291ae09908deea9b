"""GET /user and PUT /user: what somebody may do with their own account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import psycopg

from tests.py.contract.auth_client import INSTANT, Account, Auth, assert_error, newest_mail

BOTH = "Confirmation link accepted. Please proceed to confirm link sent to the other email"


def test_a_token_shows_its_user(auth: Auth, account: Account) -> None:
    signed_in = auth.sign_in(account)
    response = auth.as_user(signed_in["access_token"]).get("/user")
    assert response.status_code == 200
    assert response.json() == signed_in["user"]


def test_metadata_is_merged_and_null_removes(auth: Auth, account: Account) -> None:
    me = auth.as_user(auth.sign_in(account)["access_token"])
    me.put("/user", json={"data": {"name": "Ann", "city": "Boston"}})
    response = me.put("/user", json={"data": {"city": None, "unit": {"number": "1A"}}})
    assert response.status_code == 200
    metadata = response.json()["user_metadata"]
    assert (metadata["name"], metadata["unit"]) == ("Ann", {"number": "1A"})
    assert "city" not in metadata
    assert me.get("/user").json()["user_metadata"] == metadata


def test_nobody_can_change_their_own_app_metadata(auth: Auth, account: Account) -> None:
    me = auth.as_user(auth.sign_in(account)["access_token"])
    me.put("/user", json={"app_metadata": {"role": "owner"}, "role": "service_role", "data": {}})
    user = me.get("/user").json()
    assert user["app_metadata"] == {"provider": "email", "providers": ["email"]}
    assert user["role"] == "authenticated"


def test_a_new_password_replaces_the_old_one(auth: Auth, account: Account) -> None:
    me = auth.as_user(auth.sign_in(account)["access_token"])
    assert me.put("/user", json={"password": "battery staple"}).status_code == 200
    old = auth.grant("password", email=account.email, password=account.password)
    assert_error(old, 400, "invalid_credentials", "Invalid login credentials")
    assert auth.grant("password", email=account.email, password="battery staple").status_code == 200


def test_a_new_password_ends_the_other_sessions(auth: Auth, account: Account) -> None:
    other, me = (auth.as_user(auth.sign_in(account)["access_token"]) for _ in range(2))
    me.put("/user", json={"password": "battery staple"})
    assert me.get("/user").status_code == 200
    message = "Session from session_id claim in JWT does not exist"
    assert_error(other.get("/user"), 403, "session_not_found", message)


def test_the_same_password_is_refused(auth: Auth, account: Account) -> None:
    me = auth.as_user(auth.sign_in(account)["access_token"])
    message = "New password should be different from the old password."
    assert_error(me.put("/user", json={"password": account.password}), 422, "same_password", message)


def test_a_short_password_is_refused(auth: Auth, account: Account) -> None:
    me = auth.as_user(auth.sign_in(account)["access_token"])
    response = me.put("/user", json={"password": "12345"})
    assert_error(response, 422, "weak_password", "Password should be at least 6 characters.")
    assert auth.sign_in(account)


def test_a_malformed_address_is_refused(auth: Auth, account: Account) -> None:
    me = auth.as_user(auth.sign_in(account)["access_token"])
    message = "Unable to validate email address: invalid format"
    assert_error(me.put("/user", json={"email": "nobody"}), 400, "validation_failed", message)


def test_the_address_of_somebody_else_is_refused(auth: Auth, new_account: Callable[..., Account]) -> None:
    ann, bob = new_account(), new_account()
    me = auth.as_user(auth.sign_in(ann)["access_token"])
    message = "A user with this email address has already been registered"
    assert_error(me.put("/user", json={"email": bob.email}), 422, "email_exists", message)


def test_an_address_changes_when_both_have_confirmed(
    auth: Auth, account: Account, fresh_email: Callable[[], str], mailbox: httpx.Client
) -> None:
    me, new_email = auth.as_user(auth.sign_in(account)["access_token"]), fresh_email()
    asked = me.put("/user", json={"email": new_email})
    assert asked.status_code == 200, asked.text
    assert (asked.json()["email"], asked.json()["new_email"]) == (account.email, new_email)
    assert INSTANT.fullmatch(asked.json()["email_change_sent_at"])

    half = newest_mail(mailbox, account.email)
    response = auth.post("/verify", json={"type": "email_change", "token_hash": half.token_hash})
    assert (response.status_code, response.json()) == (200, {"code": "200", "msg": BOTH})
    assert me.get("/user").json()["email"] == account.email

    whole = newest_mail(mailbox, new_email)
    response = auth.post("/verify", json={"type": "email_change", "email": new_email, "token": whole.otp})
    assert response.status_code == 200, response.text
    user = response.json()["user"]
    assert user["email"] == user["identities"][0]["email"] == new_email
    assert "new_email" not in user
    assert auth.grant("password", email=new_email, password=account.password).status_code == 200


def test_a_deleted_user_has_no_token(auth: Auth, account: Account) -> None:
    me = auth.as_user(auth.sign_in(account)["access_token"])
    auth.admin.delete(f"/admin/users/{account.id}")
    message = "User from sub claim in JWT does not exist"
    assert_error(me.get("/user"), 403, "user_not_found", message)


def test_a_password_is_kept_as_bcrypt_alone(
    auth: Auth, account: Account, sql: psycopg.Connection[Any]
) -> None:
    row = sql.execute("select encrypted_password from auth.users where id = %s", [account.id]).fetchone()
    assert row is not None and row[0].startswith("$2a$04$")  # tests hash at the least cost
    assert len(row[0]) == 60
