"""How many calls the gateway lets through, for whom, and what it says to the one call too many."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import httpx
import jwt
import pytest

from scripts.stack.layout import HOST
from tests.py.integration.gateway_process import UNLIMITED, Gateway, running

ANOTHER = "127.0.0.2"
Start = Callable[..., Gateway]


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a gateway whose limits are off, but for those given."""
    with ExitStack() as stack:

        def begin(**limits: str) -> Gateway:
            started: AbstractContextManager[Gateway] = running(
                tmp_path_factory.mktemp("limits"), {**UNLIMITED, **limits}, services=("rest", "auth")
            )
            return stack.enter_context(started)

        yield begin


def statuses(count: int, call: Callable[[], httpx.Response]) -> list[int]:
    return [call().status_code for _ in range(count)]


def test_calls_without_a_user_are_counted_by_address(start: Start) -> None:
    gateway = start(RATE_LIMIT_ADDRESS_PER_MINUTE="3")
    assert statuses(4, lambda: gateway.get("/rest/v1/units")) == [200, 200, 200, 429]
    assert statuses(4, lambda: gateway.get("/rest/v1/units", source=ANOTHER)) == [200, 200, 200, 429]


def test_the_defaults_are_a_hundred_an_address_and_five_for_passwords(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running(tmp_path_factory.mktemp("defaults"), {}, services=("rest", "auth")) as gateway:
        reads = gateway.get("/rest/v1/units")
        signs_in = gateway.post("/auth/v1/token?grant_type=password")
        as_user = gateway.get("/rest/v1/units", token=gateway.user_token("ann"))
    assert [each.headers["x-ratelimit-limit"] for each in (reads, signs_in, as_user)] == ["100", "5", "1000"]


def test_the_anon_keys_own_token_is_no_user(start: Start) -> None:
    gateway = start(RATE_LIMIT_ADDRESS_PER_MINUTE="2")
    anon = gateway.stack.keys.anon_key
    assert statuses(3, lambda: gateway.get("/rest/v1/units", token=anon)) == [200, 200, 429]


def test_calls_of_a_user_are_counted_by_user_wherever_they_come_from(start: Start) -> None:
    gateway = start(RATE_LIMIT_USER_PER_MINUTE="3", RATE_LIMIT_ADDRESS_PER_MINUTE="1")
    ann, bob = gateway.user_token("ann"), gateway.user_token("bob")
    assert statuses(2, lambda: gateway.get("/rest/v1/units", token=ann)) == [200, 200]
    assert statuses(2, lambda: gateway.get("/rest/v1/units", token=ann, source=ANOTHER)) == [200, 429]
    assert statuses(1, lambda: gateway.get("/rest/v1/units", token=bob)) == [200]
    renewed = gateway.user_token("ann", expires_in=7200)
    assert statuses(1, lambda: gateway.get("/rest/v1/units", token=renewed)) == [429]


def test_a_forged_or_expired_token_is_counted_by_address(start: Start) -> None:
    gateway = start(RATE_LIMIT_ADDRESS_PER_MINUTE="3", RATE_LIMIT_USER_PER_MINUTE="1")
    later = int(time.time()) + 3600
    guessed = jwt.encode({"sub": "ann", "role": "service_role", "exp": later}, "a" * 40, algorithm="HS256")
    unsigned = jwt.encode({"sub": "ann", "role": "service_role", "exp": later}, "", algorithm="none")
    expired = gateway.user_token("ann", expires_in=-3600)
    forged = iter([guessed, unsigned, expired, guessed])
    assert statuses(4, lambda: gateway.get("/rest/v1/units", token=next(forged))) == [200, 200, 200, 429]
    assert statuses(1, lambda: gateway.get("/rest/v1/units", token=gateway.user_token("ann"))) == [200]


def test_a_caller_cannot_claim_to_be_somebody_by_header(start: Start) -> None:
    gateway = start(RATE_LIMIT_ADDRESS_PER_MINUTE="1")
    assert gateway.get("/rest/v1/units").status_code == 200
    for claim in (
        {"x-freehold-sub": "ann"},
        {"x-freehold-role": "worker"},
        {"x_freehold_role": "worker"},
        {"x-forwarded-for": "203.0.113.9"},
        {"x-real-ip": "203.0.113.9"},
        {"forwarded": "for=203.0.113.9"},
        {"x-envoy-external-address": "203.0.113.9"},
    ):
        assert gateway.get("/rest/v1/units", headers=claim).status_code == 429, claim


@pytest.mark.parametrize("key", ["worker_key", "service_role_key"])
def test_workers_and_the_service_role_are_not_counted(start: Start, key: str) -> None:
    gateway = start(RATE_LIMIT_ADDRESS_PER_MINUTE="1", RATE_LIMIT_USER_PER_MINUTE="1")
    token = getattr(gateway.stack.keys, key)
    assert statuses(5, lambda: gateway.get("/rest/v1/units", token=token)) == [200] * 5
    assert statuses(5, lambda: gateway.get("/rest/v1/units", key=token)) == [200] * 5
    assert "x-ratelimit-limit" not in gateway.get("/rest/v1/units", token=token).headers
    assert statuses(2, lambda: gateway.get("/rest/v1/units")) == [200, 429]


def test_a_worker_with_a_subject_is_not_counted_either(start: Start) -> None:
    gateway = start(RATE_LIMIT_USER_PER_MINUTE="1")
    worker = gateway.user_token("machine-1", role="worker")
    assert statuses(3, lambda: gateway.get("/rest/v1/units", token=worker)) == [200] * 3


@pytest.mark.parametrize(
    "path",
    [
        "/auth/v1/token?grant_type=password",
        "/auth/v1/token?grant_type=%70assword",
        "/auth/v1/token?grant_type=refresh_token&grant_type=password",
        "/auth/v1//token?grant_type=password",
        "/auth/v1/%74oken?grant_type=password",
        "/auth/v1/signup",
        "/auth/v1/recover?redirect_to=https://app.example",
        "/auth/v1/recover/",
        "/auth/v1/otp",
        "/auth/v1/magiclink",
        "/auth/v1/resend",
        "/auth/v1/verify",
    ],
)
def test_password_and_recovery_requests_are_counted_together_by_address(start: Start, path: str) -> None:
    gateway = start(RATE_LIMIT_AUTH_PER_MINUTE="2")
    assert statuses(3, lambda: gateway.post(path)) == [200, 200, 429]
    assert gateway.post("/auth/v1/recover").status_code == 429
    assert gateway.post(path, source=ANOTHER).status_code == 200


@pytest.mark.parametrize("key", ["anon_key", "service_role_key", "worker_key"])
def test_no_token_lifts_the_limit_on_passwords(start: Start, key: str) -> None:
    gateway = start(RATE_LIMIT_AUTH_PER_MINUTE="1")
    token = getattr(gateway.stack.keys, key)
    sign_in = "/auth/v1/token?grant_type=password"
    assert statuses(2, lambda: gateway.post(sign_in, key=token, token=token)) == [200, 429]
    assert gateway.post(sign_in, token=gateway.user_token("ann")).status_code == 429


def test_other_calls_of_auth_do_not_count_as_password_requests(start: Start) -> None:
    gateway = start(RATE_LIMIT_AUTH_PER_MINUTE="1")
    assert gateway.post("/auth/v1/token?grant_type=password").status_code == 200
    others = [
        gateway.post("/auth/v1/token?grant_type=refresh_token"),
        gateway.post("/auth/v1/logout"),
        gateway.get("/auth/v1/user"),
        gateway.get("/auth/v1/verify?token=x&type=recovery"),
        gateway.call("OPTIONS", "/auth/v1/token?grant_type=password", headers=PREFLIGHT),
        gateway.post("/rest/v1/rpc/signup"),
    ]
    assert [each.status_code for each in others] == [200] * len(others)


PREFLIGHT = {"origin": "https://app.example", "access-control-request-method": "POST"}


def test_preflights_are_not_counted(start: Start) -> None:
    gateway = start(RATE_LIMIT_ADDRESS_PER_MINUTE="1")
    asked = [gateway.call("OPTIONS", "/rest/v1/units", key=None, headers=PREFLIGHT) for _ in range(3)]
    assert [each.status_code for each in asked] == [200] * 3
    assert statuses(2, lambda: gateway.get("/rest/v1/units")) == [200, 429]


def test_guessing_keys_is_counted(start: Start) -> None:
    gateway = start(RATE_LIMIT_ADDRESS_PER_MINUTE="2")
    assert statuses(3, lambda: gateway.get("/rest/v1/units", key="guess")) == [401, 401, 429]


def test_listed_addresses_are_exempt_from_every_limit(start: Start) -> None:
    gateway = start(
        RATE_LIMIT_ADDRESS_PER_MINUTE="1",
        RATE_LIMIT_USER_PER_MINUTE="1",
        RATE_LIMIT_AUTH_PER_MINUTE="1",
        RATE_LIMIT_ALLOW="127.0.0.2, 127.0.5.0/24 2001:db8::/32",
    )
    ann = gateway.user_token("ann")
    for source in (ANOTHER, "127.0.5.77"):
        assert statuses(3, lambda: gateway.get("/rest/v1/units", source=source)) == [200] * 3  # noqa: B023
        assert statuses(3, lambda: gateway.get("/rest/v1/units", token=ann, source=source)) == [200] * 3  # noqa: B023
        assert statuses(3, lambda: gateway.post("/auth/v1/recover", source=source)) == [200] * 3  # noqa: B023
    assert statuses(2, lambda: gateway.get("/rest/v1/units")) == [200, 429]
    assert statuses(2, lambda: gateway.get("/rest/v1/units", source="127.0.6.77")) == [200, 429]


def test_answers_say_what_is_left(start: Start) -> None:
    gateway = start(RATE_LIMIT_ADDRESS_PER_MINUTE="3")
    headers = [gateway.get("/rest/v1/units").headers for _ in range(3)]
    assert [each["x-ratelimit-limit"] for each in headers] == ["3"] * 3
    assert [each["x-ratelimit-remaining"] for each in headers] == ["2", "1", "0"]
    assert all(0 <= int(each["x-ratelimit-reset"]) <= 20 for each in headers)


def test_the_call_too_many_is_told_when_to_come_back(start: Start) -> None:
    gateway = start(RATE_LIMIT_ADDRESS_PER_MINUTE="4")
    answers = [gateway.get("/rest/v1/units", headers={"origin": "https://app.example"}) for _ in range(5)]
    refused = answers[-1]
    assert refused.status_code == 429
    body = refused.json()
    assert (body["code"], set(body)) == ("rate_limited", {"code", "message", "details", "hint"})
    assert refused.headers["content-type"] == "application/json"
    assert refused.headers["access-control-allow-origin"] == "https://app.example"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert 14 <= int(refused.headers["retry-after"]) <= 15  # a quarter of a minute
    assert refused.headers["x-ratelimit-reset"] == refused.headers["retry-after"]
    entry = gateway.logged(refused.headers["x-request-id"])
    assert (entry["status"], entry["flags"]) == (429, "RL")


def test_who_waits_as_told_is_served(start: Start) -> None:
    gateway = start(RATE_LIMIT_ADDRESS_PER_MINUTE="40")
    refused = next(answer for answer in _endless(gateway) if answer.status_code == 429)
    wait = int(refused.headers["retry-after"])
    assert wait in (1, 2)  # never 0: that would invite the next refusal
    began, answer = time.monotonic(), refused
    while answer.status_code == 429 and time.monotonic() - began < 10:
        answer = gateway.get("/rest/v1/units")
    assert time.monotonic() - began <= wait


def _endless(gateway: Gateway) -> Iterator[httpx.Response]:
    with httpx.Client(base_url=gateway.stack.api_url, trust_env=False) as client:
        while True:
            yield client.get("/rest/v1/units", headers={"apikey": gateway.stack.keys.anon_key})


def test_a_services_own_429_keeps_its_own_wait(start: Start) -> None:
    gateway = start()
    answer = gateway.get("/rest/v1/busy")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "77")


def test_behind_a_load_balancer_the_address_is_the_one_it_added(start: Start) -> None:
    gateway = start(RATE_LIMIT_ADDRESS_PER_MINUTE="2", XFF_TRUSTED_HOPS="1")

    def through(balancer_adds: str, claimed: str) -> int:
        headers = {"x-forwarded-for": f"{claimed}, {balancer_adds}"}
        answer = gateway.get("/rest/v1/units", headers=headers)
        if answer.status_code == 200:
            assert answer.json()["headers"]["x-forwarded-for"] == balancer_adds
        return answer.status_code

    assert [through("203.0.113.1", f"198.51.100.{n}") for n in range(3)] == [200, 200, 429]
    assert through("203.0.113.2", "203.0.113.1") == 200


def test_addresses_of_one_ipv6_network_are_one_caller(start: Start) -> None:
    gateway = start(RATE_LIMIT_ADDRESS_PER_MINUTE="1", XFF_TRUSTED_HOPS="1")

    def from_address(address: str) -> int:
        return gateway.get("/rest/v1/units", headers={"x-forwarded-for": address}).status_code

    assert from_address("2001:db8:0:1::1") == 200
    assert from_address("2001:db8:0:1:ffff::9") == 429
    assert from_address("2001:db8:0:2::1") == 200


def test_two_gateways_on_one_machine_count_apart(start: Start) -> None:
    first = start(RATE_LIMIT_ADDRESS_PER_MINUTE="1")
    second = start(RATE_LIMIT_ADDRESS_PER_MINUTE="1")
    assert statuses(2, lambda: first.get("/rest/v1/units", source=HOST)) == [200, 429]
    assert statuses(2, lambda: second.get("/rest/v1/units", source=HOST)) == [200, 429]
