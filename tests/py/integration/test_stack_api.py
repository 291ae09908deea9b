"""The parts together: people sign up, and tokens and keys open what they should behind the gateway."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import jwt

from scripts.stack.layout import Stack
from tests.py.conftest import NewUser
from tests.py.support import User

Api = Callable[..., httpx.Client]


def test_a_new_user_is_known_to_auth_and_to_postgrest(api: Api, new_user: NewUser) -> None:
    ann = new_user()
    assert api(ann).get("/auth/v1/user").json()["email"] == ann.email
    assert api(ann).get("/rest/v1/").status_code == httpx.codes.OK


def test_a_token_of_another_stack_opens_nothing(api: Api, stack: Stack, new_user: NewUser) -> None:
    ann = new_user()
    claims = jwt.decode(ann.token, options={"verify_signature": False})
    forged = jwt.encode(claims, "another stack's secret, as long as it has to be", algorithm="HS256")
    assert api(forged).get("/rest/v1/").status_code == httpx.codes.UNAUTHORIZED
    assert api(User(ann.id, ann.email, ann.password, forged)).get("/auth/v1/user").is_client_error


def test_keys_open_the_api_directly_too(stack: Stack) -> None:
    url = f"http://127.0.0.1:{stack.ports.postgrest}/"
    for key in (stack.keys.anon_key, stack.keys.service_role_key):
        answer = httpx.get(url, headers={"Authorization": f"Bearer {key}"}, trust_env=False)
        assert answer.status_code == httpx.codes.OK
    tampered = stack.keys.service_role_key[:-4] + "AAAA"
    refused = httpx.get(url, headers={"Authorization": f"Bearer {tampered}"}, trust_env=False)
    assert refused.status_code == httpx.codes.UNAUTHORIZED
