"""Access tokens: what they say, in which order, and who can check them."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest

from tests.py.contract.auth_client import UUID, Account, Auth, Target, assert_error

CLAIMS = [
    "iss", "sub", "aud", "exp", "iat", "email", "phone", "app_metadata", "user_metadata", "role", "aal",
    "amr", "session_id", "is_anonymous",
]  # fmt: skip


def decoded(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_the_header_names_algorithm_and_key(auth: Auth, account: Account) -> None:
    header = decoded(auth.sign_in(account)["access_token"].split(".")[0])
    assert list(header) == ["alg", "kid", "typ"]
    assert (header["alg"], header["typ"]) == ("ES256", "JWT")
    assert header["kid"]


def test_the_claims_come_in_the_order_and_with_the_values_of_the_contract(
    auth: Auth, account: Account, target: Target
) -> None:
    before = int(time.time())
    claims = decoded(auth.sign_in(account)["access_token"].split(".")[1])
    assert list(claims) == CLAIMS
    assert claims["iss"] == f"{target.api_url}/auth/v1"
    assert claims["sub"] == account.id
    assert claims["aud"] == claims["role"] == "authenticated"
    assert claims["exp"] - claims["iat"] == 3600
    assert before - 5 <= claims["iat"] <= time.time() + 5
    assert (claims["email"], claims["phone"]) == (account.email, "")
    assert claims["app_metadata"] == {"provider": "email", "providers": ["email"]}
    assert claims["aal"] == "aal1"
    assert [entry["method"] for entry in claims["amr"]] == ["password"]
    assert abs(claims["amr"][0]["timestamp"] - claims["iat"]) <= 5
    assert UUID.fullmatch(claims["session_id"])
    assert claims["is_anonymous"] is False


def test_a_token_verifies_against_the_published_key(auth: Auth, account: Account) -> None:
    token = auth.sign_in(account)["access_token"]
    keys = auth.get("/.well-known/jwks.json").json()["keys"]
    key = next(key for key in keys if key["kid"] == jwt.get_unverified_header(token)["kid"])
    claims = jwt.decode(token, jwt.PyJWK(key).key, ["ES256"], audience="authenticated")
    assert claims["sub"] == account.id


def test_only_public_keys_are_published(auth: Auth) -> None:
    response = auth.get("/.well-known/jwks.json")
    assert response.status_code == 200
    assert list(response.json()) == ["keys"]
    signing = [key for key in response.json()["keys"] if key["alg"] == "ES256"]
    assert signing
    for key in signing:
        assert set(key) == {"alg", "crv", "key_ops", "kid", "kty", "use", "x", "y"}
        assert (key["crv"], key["key_ops"], key["kty"], key["use"]) == ("P-256", ["verify"], "EC", "sig")
    assert not any("d" in key or "k" in key for key in response.json()["keys"])


@pytest.mark.parametrize("role", ["anon", "service_role"])
def test_an_api_key_is_hs256_and_names_its_role(target: Target, role: str) -> None:
    key = {"anon": target.anon_key, "service_role": target.service_role_key}[role]
    assert jwt.get_unverified_header(key)["alg"] == "HS256"
    assert decoded(key.split(".")[1])["role"] == role


def test_a_request_without_a_bearer_token_is_refused(auth: Auth) -> None:
    message = "This endpoint requires a valid Bearer token"
    assert_error(auth.nobody.get("/user"), 401, "no_authorization", message)


def test_a_token_that_somebody_altered_is_refused(auth: Auth, account: Account) -> None:
    header, claims, signature = auth.sign_in(account)["access_token"].split(".")
    body = decoded(claims) | {"role": "service_role"}
    forged = base64.urlsafe_b64encode(json.dumps(body).encode()).rstrip(b"=").decode()
    response = auth.as_user(f"{header}.{forged}.{signature}").get("/user")
    assert response.status_code == 403
    assert response.json()["error_code"] == "bad_jwt"
    assert response.json()["msg"].startswith("invalid JWT: unable to parse or verify signature, ")


def test_a_token_signed_with_no_key_is_refused(auth: Auth, account: Account) -> None:
    unsigned = jwt.encode({"sub": account.id, "role": "authenticated"}, "", algorithm="none")
    response = auth.as_user(unsigned).get("/user")
    assert (response.status_code, response.json()["error_code"]) == (403, "bad_jwt")


def test_something_that_is_no_token_is_refused(auth: Auth) -> None:
    response = auth.as_user("garbage").get("/user")
    assert (response.status_code, response.json()["error_code"]) == (403, "bad_jwt")


def test_an_api_key_is_nobodys_token(auth: Auth, target: Target) -> None:
    response = auth.as_user(target.anon_key).get("/user")
    assert_error(response, 403, "bad_jwt", "invalid claim: missing sub claim")
