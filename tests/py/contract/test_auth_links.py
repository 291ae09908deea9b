"""What mails carry: POST /admin/generate_link and /verify."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import psycopg
import pytest

from tests.py.contract.auth_client import INSTANT, Account, Auth, Target, assert_error, fragment, newest_mail

EXPIRED = (403, "otp_expired", "Email link is invalid or has expired")


def follow(auth: Auth, link: str) -> str:
    """Where the link leads; nothing there is opened."""
    response = auth.get(link, follow_redirects=False)
    assert response.status_code == 303, response.text
    return response.headers["location"]


def path_of(link: str) -> str:
    """The link relative to the API: a server behind a proxy may call itself otherwise."""
    parts = urlsplit(link)
    return f"{parts.path.removeprefix('/auth/v1')}?{parts.query}"


def test_a_link_comes_with_its_code_and_hash(auth: Auth, account: Account, target: Target) -> None:
    made = auth.generate_link("recovery", account.email)
    assert made["id"] == account.id
    assert re.fullmatch(r"\d{6}", made["email_otp"])
    assert re.fullmatch(r"[0-9a-f]{56}", made["hashed_token"])
    assert made["verification_type"] == "recovery"
    assert INSTANT.fullmatch(made["recovery_sent_at"])
    link = urlsplit(made["action_link"])
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{target.api_url}/auth/v1/verify"
    query = parse_qs(link.query)
    assert query == {
        "token": [made["hashed_token"]],
        "type": ["recovery"],
        "redirect_to": [made["redirect_to"]],
    }


@pytest.mark.parametrize("kind", ["recovery", "magiclink"])
def test_a_hash_signs_in_once(auth: Auth, account: Account, kind: str) -> None:
    body = {"type": kind, "token_hash": auth.generate_link(kind, account.email)["hashed_token"]}
    response = auth.post("/verify", json=body)
    assert response.status_code == 200
    signed_in = response.json()
    assert signed_in["user"]["id"] == account.id
    claims = jwt.decode(signed_in["access_token"], options={"verify_signature": False})
    assert [entry["method"] for entry in claims["amr"]] == ["otp"]
    assert auth.as_user(signed_in["access_token"]).get("/user").status_code == 200
    assert_error(auth.post("/verify", json=body), *EXPIRED)


def test_a_code_signs_in_once_and_only_its_address(auth: Auth, new_account: Callable[..., Account]) -> None:
    ann, bob = new_account(), new_account()
    otp = auth.generate_link("magiclink", ann.email)["email_otp"]
    stolen = auth.post("/verify", json={"type": "email", "email": bob.email, "token": otp})
    assert (stolen.status_code, stolen.json()["error_code"]) == (403, "otp_expired")
    body = {"type": "email", "email": ann.email, "token": otp}
    response = auth.post("/verify", json=body)
    assert (response.status_code, response.json()["user"]["id"]) == (200, ann.id)
    again = auth.post("/verify", json=body)
    assert (again.status_code, again.json()["error_code"]) == (403, "otp_expired")


def test_a_newer_code_replaces_the_older(auth: Auth, account: Account) -> None:
    older, newer = (auth.generate_link("recovery", account.email)["hashed_token"] for _ in range(2))
    assert_error(auth.post("/verify", json={"type": "recovery", "token_hash": older}), *EXPIRED)
    assert auth.post("/verify", json={"type": "recovery", "token_hash": newer}).status_code == 200


def test_an_old_hash_is_refused(auth: Auth, account: Account, sql: psycopg.Connection[Any]) -> None:
    token_hash = auth.generate_link("recovery", account.email)["hashed_token"]
    sql.execute(
        "update auth.users set recovery_sent_at = now() - interval '2 days' where id = %s", [account.id]
    )
    assert_error(auth.post("/verify", json={"type": "recovery", "token_hash": token_hash}), *EXPIRED)


def test_an_unknown_hash_is_refused(auth: Auth) -> None:
    assert_error(auth.post("/verify", json={"type": "signup", "token_hash": "0" * 56}), *EXPIRED)


def test_a_hash_of_another_type_is_refused(auth: Auth, account: Account) -> None:
    token_hash = auth.generate_link("recovery", account.email)["hashed_token"]
    assert_error(auth.post("/verify", json={"type": "signup", "token_hash": token_hash}), *EXPIRED)


def test_a_sign_up_link_registers_and_confirms(auth: Auth, fresh_email: Callable[[], str]) -> None:
    email = fresh_email()
    made = auth.generate_link("signup", email, password="secret1", data={"name": "Ann"})
    refused = auth.grant("password", email=email, password="secret1")
    assert_error(refused, 400, "email_not_confirmed", "Email not confirmed")
    response = auth.post("/verify", json={"type": "signup", "token_hash": made["hashed_token"]})
    user = response.json()["user"]
    assert (user["id"], user["user_metadata"]["name"]) == (made["id"], "Ann")
    assert user["user_metadata"]["email_verified"] is True
    assert auth.grant("password", email=email, password="secret1").status_code == 200


def test_an_invitation_registers_and_confirms(auth: Auth, fresh_email: Callable[[], str]) -> None:
    made = auth.generate_link("invite", fresh_email())
    assert INSTANT.fullmatch(made["invited_at"])
    response = auth.post("/verify", json={"type": "invite", "token_hash": made["hashed_token"]})
    assert (response.status_code, response.json()["user"]["id"]) == (200, made["id"])


def test_a_sign_up_link_for_a_registered_address_is_refused(auth: Auth, account: Account) -> None:
    body = {"type": "signup", "email": account.email, "password": "secret1"}
    message = "A user with this email address has already been registered"
    assert_error(auth.admin.post("/admin/generate_link", json=body), 422, "email_exists", message)


def test_a_recovery_link_for_nobody_is_refused(auth: Auth, fresh_email: Callable[[], str]) -> None:
    response = auth.admin.post("/admin/generate_link", json={"type": "recovery", "email": fresh_email()})
    assert_error(response, 404, "user_not_found", "User with this email not found")


def test_links_are_made_for_the_administrator_alone(auth: Auth, account: Account) -> None:
    me = auth.as_user(auth.sign_in(account)["access_token"])
    response = me.post("/admin/generate_link", json={"type": "recovery", "email": account.email})
    assert_error(response, 403, "not_admin", "User not allowed")


def test_following_a_link_hands_the_session_to_the_page(auth: Auth, account: Account) -> None:
    made = auth.generate_link("magiclink", account.email)
    location = follow(auth, path_of(made["action_link"]))
    assert location.startswith(f"{made['redirect_to']}#") or location.startswith(f"{made['redirect_to']}/#")
    members = fragment(location)
    assert list(members) == [
        "access_token", "expires_at", "expires_in", "refresh_token", "sb", "token_type", "type"
    ]  # fmt: skip
    assert (members["expires_in"], members["sb"], members["token_type"]) == ("3600", "", "bearer")
    assert members["type"] == "magiclink"
    assert auth.as_user(members["access_token"]).get("/user").json()["id"] == account.id
    assert auth.refresh(members["refresh_token"]).status_code == 200


def test_following_a_used_link_hands_over_an_error(auth: Auth, account: Account) -> None:
    path = path_of(auth.generate_link("recovery", account.email)["action_link"])
    follow(auth, path)
    members = fragment(follow(auth, path))
    assert members["error"] == "access_denied"
    assert members["error_code"] == "otp_expired"
    assert members["error_description"] == "Email link is invalid or has expired"
    assert "access_token" not in members


def test_a_link_never_hands_a_session_to_a_stranger(auth: Auth, account: Account) -> None:
    made = auth.generate_link("magiclink", account.email, redirect_to="https://evil.example.net/")
    assert urlsplit(made["redirect_to"]).hostname != "evil.example.net"
    query = {"token": made["hashed_token"], "type": "magiclink", "redirect_to": "https://evil.example.net/"}
    response = auth.get("/verify", params=query, follow_redirects=False)
    assert response.status_code == 303
    assert urlsplit(response.headers["location"]).hostname != "evil.example.net"


def test_recovery_answers_the_same_for_an_unknown_address(auth: Auth, account: Account) -> None:
    for email in (account.email, "nobody-at-all@example.com"):
        response = auth.post("/recover", json={"email": email})
        assert (response.status_code, response.json()) == (200, {})


def test_recovery_mails_a_code_and_a_link(auth: Auth, account: Account, mailbox: httpx.Client) -> None:
    auth.post("/recover", json={"email": account.email})
    mail = newest_mail(mailbox, account.email)
    members = fragment(follow(auth, path_of(mail.link)))
    assert members["type"] == "recovery"
    me = auth.as_user(members["access_token"])
    assert me.put("/user", json={"password": "battery staple"}).status_code == 200
    assert auth.grant("password", email=account.email, password="battery staple").status_code == 200


def test_recovery_cannot_be_asked_for_twice_at_once(auth: Auth, account: Account) -> None:
    assert auth.post("/recover", json={"email": account.email}).status_code == 200
    message = re.compile(r"For security purposes, you can only request this after \d+ seconds\.")
    response = auth.post("/recover", json={"email": account.email})
    assert_error(response, 429, "over_email_send_rate_limit", message)


def test_a_link_asked_for_with_a_challenge_leads_to_a_code(
    auth: Auth, account: Account, mailbox: httpx.Client
) -> None:
    verifier = "a verifier that only this client knows, long enough"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    body = {"email": account.email, "code_challenge": challenge, "code_challenge_method": "s256"}
    assert auth.post("/recover", json=body).status_code == 200

    location = follow(auth, path_of(newest_mail(mailbox, account.email).link))
    assert not fragment(location)
    code = parse_qs(urlsplit(location).query)["code"][0]
    guessed = auth.grant("pkce", auth_code=code, code_verifier="a guess, which has to be forty-three letters")
    assert (guessed.status_code, guessed.json()["error_code"]) == (400, "bad_code_verifier")
    response = auth.grant("pkce", auth_code=code, code_verifier=verifier)
    assert (response.status_code, response.json()["user"]["id"]) == (200, account.id)
    again = auth.grant("pkce", auth_code=code, code_verifier=verifier)
    assert (again.status_code, again.json()["error_code"]) == (404, "flow_state_not_found")
