"""The client of the worker profile, against a server that speaks PostgREST's wire format."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.py.unit.rpc_server import CUT, Refusal, RpcServer, Turns
from workers.api_error import ApiError
from workers.supabase_api import WorkerApi


def using(
    url: str, do: Callable[[WorkerApi], Awaitable[Any]], *, timeout: float = 2, deadline: float = 5
) -> Any:
    async def run() -> Any:
        async with WorkerApi(
            url, anon_key="anon", worker_key="key", timeout=timeout, deadline=deadline
        ) as api:
            return await do(api)

    return asyncio.run(run())


def refused(url: str, *, deadline: float = 0, timeout: float = 2) -> ApiError:
    with pytest.raises(ApiError) as caught:
        using(url, lambda api: api.rpc("health"), deadline=deadline, timeout=timeout)
    return caught.value


def test_a_call_names_the_worker_profile_and_carries_both_keys_and_a_request_id(server: RpcServer) -> None:
    server.answers["health"] = {"migration": "1"}
    assert using(server.url, lambda api: api.rpc("health", {"p_now": "x"})) == {"migration": "1"}
    (call,) = server.calls
    assert call.arguments == {"p_now": "x"}
    assert call.headers["content-profile"] == "worker"
    assert call.headers["apikey"] == "anon"
    assert call.headers["authorization"] == "Bearer key"
    assert len(call.headers["x-request-id"]) == 36


@pytest.mark.parametrize("value", [True, False, None, 3, [], [{"a": 1}], {"a": None}])
def test_whatever_json_a_function_answers_comes_back_as_it_is(server: RpcServer, value: Any) -> None:
    server.answers["health"] = value
    assert using(server.url, lambda api: api.rpc("health")) == value


def test_connections_are_kept(server: RpcServer) -> None:
    server.answers["health"] = 1

    async def three(api: WorkerApi) -> None:
        for _ in range(3):
            await api.rpc("health")

    using(server.url, three)
    assert len({call.client for call in server.calls}) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        Refusal(502, body="<html>"),
        Refusal(503, "PGRST001"),
        Refusal(504, body=""),
        Refusal(500, "57P01"),
        Refusal(400, body='{"code":"","details":null,"hint":null,"message":""}'),
        CUT,
    ],
    ids=["502", "503", "504", "shutdown", "connection lost", "cut"],
)
def test_a_call_is_repeated_under_one_request_id_while_the_api_is_away(
    server: RpcServer, trouble: Any
) -> None:
    server.answers["health"] = Turns(trouble, trouble, "fine")
    assert using(server.url, lambda api: api.rpc("health")) == "fine"
    assert len(server.calls) == 3
    assert len({call.headers["x-request-id"] for call in server.calls}) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_what_the_api_refuses_is_not_repeated_and_keeps_its_envelope(server: RpcServer, status: int) -> None:
    server.answers["health"] = Refusal(status, "some_code", "No.", "Do this.")
    error = refused(server.url, deadline=5)
    assert len(server.calls) == 1
    assert (error.status, error.code, error.message, error.hint) == (status, "some_code", "No.", "Do this.")
    assert error.request_id == "from-the-server"
    assert not error.transient
    assert str(error) == "No (some_code). Do this."


def test_a_page_of_a_proxy_becomes_an_error_too(server: RpcServer) -> None:
    server.answers["health"] = Refusal(502, body="<html>upstream gone</html>")
    error = refused(server.url)
    assert (error.status, error.code, error.details) == (502, "http_502", "<html>upstream gone</html>")


def test_when_nothing_answers_the_error_is_one_line_that_names_make_up() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        error = refused(url)
    assert error.code == "api_unreachable" and error.status is None and error.transient
    assert "make up" in str(error) and url in str(error) and "\n" not in str(error)


def test_the_deadline_ends_the_repeating(server: RpcServer) -> None:
    server.answers["health"] = Refusal(503, "PGRST001")
    began = time.monotonic()
    assert refused(server.url, deadline=1).status == 503
    assert 1 <= time.monotonic() - began < 5
    assert len(server.calls) > 2


def test_a_server_that_hangs_counts_as_away(server: RpcServer) -> None:
    async def hang() -> None:
        await asyncio.sleep(1)

    server.answers["health"] = lambda _: hang()
    error = refused(server.url, timeout=0.2)
    assert error.code == "api_unreachable" and "ReadTimeout" in str(error)
