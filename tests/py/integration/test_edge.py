"""The edge service in a real stack: behind the gateway, with tokens that Auth issued."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
import httpx

from scripts.stack.layout import Stack
from tests.py.conftest import NewUser
from tests.py.support import User
from workers.edge.key_set import KeySet
from workers.edge.tokens import Caller, Tokens
from workers.refusal import Refusal

Api = Callable[[User | str | None], httpx.Client]


def test_the_gateway_serves_it_under_functions(api: Api) -> None:
    live = api(None).get("/functions/v1/livez", headers={"x-request-id": "through-the-gateway"})
    assert (live.status_code, live.json()) == (200, {"status": "pass"})
    assert live.headers["x-request-id"] == "through-the-gateway"
    lost = api(None).post("/functions/v1/nowhere", json={})
    assert (lost.status_code, lost.json()["code"]) == (404, "route_not_found")


def test_it_is_ready_in_a_migrated_stack(stack: Stack) -> None:
    ready = httpx.get(f"{stack.env['EDGE_URL']}/readyz", trust_env=False)
    assert (ready.status_code, ready.json()["status"]) == (200, "pass"), ready.text


def test_a_page_gets_one_answer_about_origins_the_gateways(api: Api) -> None:
    headers = {"origin": "https://app.example.com", "access-control-request-method": "POST"}
    preflight = api(None).options("/functions/v1/nowhere", headers=headers)
    assert preflight.is_success
    assert preflight.headers.get_list("access-control-allow-origin") == ["https://app.example.com"]
    answer = api(None).post("/functions/v1/nowhere", headers={"origin": "https://app.example.com"})
    assert answer.headers.get_list("access-control-allow-origin") == ["https://app.example.com"]


def test_a_token_of_auth_is_taken_and_the_keys_of_the_api_are_not(stack: Stack, new_user: NewUser) -> None:
    user = new_user()

    async def verdict(token: str) -> Caller | str:
        async with aiohttp.ClientSession() as http:
            tokens = Tokens(
                KeySet(http, stack.env["JWKS_URL"]),
                issuer=f"{stack.api_url}/auth/v1",
                audience="authenticated",
                secret=stack.keys.jwt_secret,
            )
            try:
                return await tokens.caller(f"Bearer {token}")
            except Refusal as refusal:
                return refusal.code

    assert asyncio.run(verdict(user.token)) == Caller(user.id)
    for key in (stack.keys.anon_key, stack.keys.service_role_key, stack.keys.worker_key):
        assert asyncio.run(verdict(key)) == "token_without_account"
