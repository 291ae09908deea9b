"""POST /signup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import jwt
import psycopg
import pytest

from tests.py.contract.auth_client import INSTANT, UUID, Account, Auth, assert_error, newest_mail


@pytest.mark.usefixtures("auto_confirm")
def test_signing_up_signs_in(auth: Auth, fresh_email: Callable[[], str]) -> None:
    email = fresh_email()
    response = auth.post("/signup", json={"email": email, "password": "secret1", "data": {"name": "Ann"}})
    assert response.status_code == 200
    body = response.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "expires_at", "refresh_token", "user"}
    user = body["user"]
    assert user["user_metadata"] == {
        "email": email,
        "email_verified": True,
        "name": "Ann",
        "phone_verified": False,
        "sub": user["id"],
    }
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert claims["user_metadata"] == user["user_metadata"]
    assert user["email_confirmed_at"] == user["confirmed_at"]
    assert INSTANT.fullmatch(user["confirmed_at"])


@pytest.mark.usefixtures("auto_confirm")
def test_metadata_cannot_claim_another_identity(auth: Auth, fresh_email: Callable[[], str]) -> None:
    email = fresh_email()
    data = {"sub": "00000000-0000-0000-0000-000000000000", "email": "boss@example.com"}
    user = auth.post("/signup", json={"email": email, "password": "secret1", "data": data}).json()["user"]
    assert (user["user_metadata"]["sub"], user["user_metadata"]["email"]) == (user["id"], email)


@pytest.mark.usefixtures("auto_confirm")
def test_an_address_is_kept_in_lower_case(auth: Auth, fresh_email: Callable[[], str]) -> None:
    email = fresh_email()
    body = {"email": email.upper(), "password": "secret1"}
    assert auth.post("/signup", json=body).json()["user"]["email"] == email
    assert auth.grant("password", **body).status_code == 200


@pytest.mark.usefixtures("auto_confirm")
def test_a_registered_address_is_refused(auth: Auth, account: Account) -> None:
    response = auth.post("/signup", json={"email": account.email, "password": "another one"})
    assert_error(response, 422, "user_already_exists", "User already registered")


def test_a_registered_address_is_not_betrayed(mailing_auth: Auth, account: Account) -> None:
    response = mailing_auth.post("/signup", json={"email": account.email, "password": "another one"})
    assert response.status_code == 200
    stranger = response.json()
    assert stranger["id"] != account.id
    assert stranger["identities"] == []
    assert "confirmation_sent_at" in stranger and "confirmed_at" not in stranger
    assert mailing_auth.sign_in(account)["user"]["id"] == account.id


def test_signing_up_sends_a_mail_and_gives_no_token(
    mailing_auth: Auth, fresh_email: Callable[[], str], mailbox: httpx.Client
) -> None:
    auth, email = mailing_auth, fresh_email()
    response = auth.post("/signup", json={"email": email, "password": "secret1"})
    assert response.status_code == 200
    user = response.json()
    assert "access_token" not in user and "confirmed_at" not in user
    assert UUID.fullmatch(user["id"]) and INSTANT.fullmatch(user["confirmation_sent_at"])
    refused = auth.grant("password", email=email, password="secret1")
    assert_error(refused, 400, "email_not_confirmed", "Email not confirmed")

    otp = newest_mail(mailbox, email).otp
    confirmed = auth.post("/verify", json={"type": "signup", "email": email, "token": otp})
    assert (confirmed.status_code, confirmed.json()["user"]["id"]) == (200, user["id"])
    assert auth.grant("password", email=email, password="secret1").status_code == 200


def test_a_confirmation_is_not_sent_twice_at_once(mailing_auth: Auth, fresh_email: Callable[[], str]) -> None:
    body = {"email": fresh_email(), "password": "secret1"}
    assert mailing_auth.post("/signup", json=body).status_code == 200
    for path, again in (("/signup", body), ("/resend", {"type": "signup", "email": body["email"]})):
        response = mailing_auth.post(path, json=again)
        assert (response.status_code, response.json()["error_code"]) == (429, "over_email_send_rate_limit")


def test_a_confirmation_is_sent_again_later(
    mailing_auth: Auth,
    fresh_email: Callable[[], str],
    mailbox: httpx.Client,
    sql: psycopg.Connection[Any],
) -> None:
    email = fresh_email()
    mailing_auth.post("/signup", json={"email": email, "password": "secret1"})
    first = newest_mail(mailbox, email)
    sql.execute(
        "update auth.users set confirmation_sent_at = now() - interval '5 minutes' where email = %s", [email]
    )
    response = mailing_auth.post("/resend", json={"type": "signup", "email": email})
    assert (response.status_code, response.json()) == (200, {})
    second = newest_mail(mailbox, email, count=2)
    stale = mailing_auth.post("/verify", json={"type": "signup", "token_hash": first.token_hash})
    assert (stale.status_code, stale.json()["error_code"]) == (403, "otp_expired")
    fresh = mailing_auth.post("/verify", json={"type": "signup", "token_hash": second.token_hash})
    assert fresh.status_code == 200


def test_a_short_password_is_refused(auth: Auth, fresh_email: Callable[[], str]) -> None:
    response = auth.post("/signup", json={"email": fresh_email(), "password": "12345"})
    assert_error(response, 422, "weak_password", "Password should be at least 6 characters.")
    assert response.json()["weak_password"] == {"reasons": ["length"]}


def test_a_password_longer_than_bcrypt_reads_is_refused(auth: Auth, fresh_email: Callable[[], str]) -> None:
    response = auth.post("/signup", json={"email": fresh_email(), "password": "x" * 73})
    assert_error(response, 400, "validation_failed", "Password cannot be longer than 72 characters")


def test_no_password_is_refused(auth: Auth, fresh_email: Callable[[], str]) -> None:
    response = auth.post("/signup", json={"email": fresh_email()})
    assert_error(response, 400, "validation_failed", "Signup requires a valid password")


@pytest.mark.parametrize(
    "email", ["nobody", "a@b c.com", "@example.com", "a@", "a@example..com", "a\n@b.com"]
)
def test_a_malformed_address_is_refused(auth: Auth, email: str) -> None:
    response = auth.post("/signup", json={"email": email, "password": "secret1"})
    message = "Unable to validate email address: invalid format"
    assert_error(response, 400, "validation_failed", message)


@pytest.mark.parametrize("body", ["", "{", "[]", '{"email": 5}', '{"data": "text"}'])
def test_a_malformed_body_is_refused(auth: Auth, body: str) -> None:
    response = auth.post("/signup", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["error_code"]) == (400, "bad_json")
    assert response.json()["msg"].startswith("Could not parse request body as JSON: ")
