"""POST /token?grant_type=password."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import bcrypt
import jwt

from tests.py.contract.auth_client import INSTANT, UUID, Account, Auth, assert_error

USER_MEMBERS = [
    "id", "aud", "role", "email", "email_confirmed_at", "phone", "confirmed_at", "last_sign_in_at",
    "app_metadata", "user_metadata", "identities", "created_at", "updated_at", "is_anonymous",
]  # fmt: skip


def test_the_answer_has_the_members_of_the_contract(auth: Auth, account: Account) -> None:
    body = auth.sign_in(account)
    assert set(body) == {
        "access_token", "token_type", "expires_in", "expires_at", "refresh_token", "user", "weak_password"
    }  # fmt: skip
    assert (body["token_type"], body["expires_in"], body["weak_password"]) == ("bearer", 3600, None)
    assert re.fullmatch(r"[a-z0-9]{12}", body["refresh_token"])
    assert body["expires_at"] == jwt.decode(body["access_token"], options={"verify_signature": False})["exp"]
    assert abs(body["expires_at"] - time.time() - 3600) < 10


def test_the_user_has_the_members_of_the_contract(auth: Auth, account: Account) -> None:
    user = auth.sign_in(account)["user"]
    assert list(user) == USER_MEMBERS
    assert (user["id"], user["email"], user["phone"]) == (account.id, account.email, "")
    for name in ("email_confirmed_at", "confirmed_at", "last_sign_in_at", "created_at", "updated_at"):
        assert INSTANT.fullmatch(user[name]), name
    (identity,) = user["identities"]
    assert set(identity) == {
        "identity_id", "id", "user_id", "identity_data", "provider", "last_sign_in_at", "created_at",
        "updated_at", "email",
    }  # fmt: skip
    assert (identity["id"], identity["user_id"]) == (account.id, account.id)
    assert (identity["provider"], identity["email"]) == ("email", account.email)
    assert (identity["identity_data"]["sub"], identity["identity_data"]["email"]) == (
        account.id,
        account.email,
    )
    assert UUID.fullmatch(identity["identity_id"])


def test_headers_name_user_session_and_token(auth: Auth, account: Account) -> None:
    response = auth.grant("password", email=account.email, password=account.password)
    claims = jwt.decode(response.json()["access_token"], options={"verify_signature": False})
    assert response.headers["Sb-Auth-User-Id"] == account.id
    assert response.headers["Sb-Auth-Session-Id"] == claims["session_id"]
    assert response.headers["Sb-Auth-Refresh-Token-Prefix"] == response.json()["refresh_token"][:5]


def test_the_last_sign_in_moves(auth: Auth, account: Account) -> None:
    first = auth.sign_in(account)["user"]["last_sign_in_at"]
    second = auth.sign_in(account)["user"]["last_sign_in_at"]
    assert second > first


def test_each_sign_in_is_a_session_of_its_own(auth: Auth, account: Account) -> None:
    tokens = [auth.sign_in(account)["access_token"] for _ in range(2)]
    first, second = (jwt.decode(token, options={"verify_signature": False}) for token in tokens)
    assert first["session_id"] != second["session_id"]


def test_a_wrong_password_is_refused(auth: Auth, account: Account) -> None:
    response = auth.grant("password", email=account.email, password="wrong horse")
    assert_error(response, 400, "invalid_credentials", "Invalid login credentials")


def test_an_unknown_address_gets_the_same_answer(auth: Auth, fresh_email: Callable[[], str]) -> None:
    response = auth.grant("password", email=fresh_email(), password="correct horse")
    assert_error(response, 400, "invalid_credentials", "Invalid login credentials")


def test_an_unknown_grant_is_refused(auth: Auth) -> None:
    response = auth.grant("telepathy", email="a@example.com", password="secret1")
    assert_error(response, 400, "invalid_credentials", "unsupported_grant_type")


def test_an_unconfirmed_address_is_refused(auth: Auth, new_account: Callable[..., Account]) -> None:
    account = new_account(email_confirm=False)
    response = auth.grant("password", email=account.email, password=account.password)
    assert_error(response, 400, "email_not_confirmed", "Email not confirmed")


def test_a_banned_user_is_refused_until_the_ban_is_lifted(auth: Auth, account: Account) -> None:
    refresh_token = auth.sign_in(account)["refresh_token"]
    banned = auth.admin.put(f"/admin/users/{account.id}", json={"ban_duration": "1h30m"})
    assert INSTANT.fullmatch(banned.json()["banned_until"])
    response = auth.grant("password", email=account.email, password=account.password)
    assert_error(response, 400, "user_banned", "User is banned")
    assert_error(auth.refresh(refresh_token), 400, "user_banned", "Invalid Refresh Token: User Banned")
    lifted = auth.admin.put(f"/admin/users/{account.id}", json={"ban_duration": "none"})
    assert "banned_until" not in lifted.json()
    assert auth.sign_in(account)["user"]["id"] == account.id


def test_a_hash_from_elsewhere_works(auth: Auth, fresh_email: Callable[[], str]) -> None:
    email, hashed = fresh_email(), bcrypt.hashpw(b"from another system", bcrypt.gensalt(4)).decode()
    assert hashed.startswith("$2b$")
    body = {"email": email, "password_hash": hashed, "email_confirm": True}
    assert auth.admin.post("/admin/users", json=body).status_code == 200
    assert auth.grant("password", email=email, password="from another system").status_code == 200
    assert auth.grant("password", email=email, password="From another system").status_code == 400
