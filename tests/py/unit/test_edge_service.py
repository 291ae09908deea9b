"""The edge service as a process: what it refuses and how, what it logs, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.py.support import wait_until
from tests.py.unit.edge_process import Edge, command, environment, free_port, running
from tests.py.unit.rpc_server import Refusal, RpcServer
from workers.edge import envelope

ENVELOPE = {"code", "message", "details", "hint"}


@pytest.fixture(scope="module")
def edge(rpc_server: RpcServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    limits = {"EDGE_TIMEOUT": "1", "EDGE_MAX_BODY_BYTES": "2000", "EDGE_CONCURRENCY": "3"}
    with running(rpc_server.url, tmp_path_factory.mktemp("edge"), **limits) as started:
        yield started


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The envelope, whole, with the code that was expected and a request id beside it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    body: dict[str, Any] = response.json()
    assert set(body) == ENVELOPE and body["code"] == code
    return body


class Upload:
    """A request over a socket of its own, sent in pieces."""

    def __init__(self, edge: Edge, size: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", edge.port), timeout=10)
        head = f"POST /nowhere HTTP/1.1\r\nHost: edge\r\nContent-Length: {size}\r\n\r\n"
        self.socket.sendall(head.encode() + b"x")

    def send(self, count: int) -> None:
        self.socket.sendall(b"x" * count)

    def answer(self) -> tuple[int, dict[str, Any]]:
        """Status and body, once the service has answered or closed."""
        received = b""
        while b"\r\n\r\n" not in received or not received.endswith(b"}"):
            chunk = self.socket.recv(65536)
            if not chunk:
                break
            received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)


@contextmanager
def uploads(edge: Edge, count: int = 1, size: int = 100) -> Iterator[list[Upload]]:
    """Requests whose bodies are under way."""
    opened = [Upload(edge, size) for _ in range(count)]
    try:
        yield opened
    finally:
        for each in opened:
            each.socket.close()


def test_it_lives_and_is_ready_when_the_api_and_the_keys_are(rpc_server: RpcServer, tmp_path: Path) -> None:
    rpc_server.answers["health"] = {}
    with running(rpc_server.url, tmp_path) as edge:
        assert edge.call("GET", "/livez").json() == {"status": "pass"}
        ready = edge.call("GET", "/readyz")
        assert (ready.status_code, ready.json()) == (
            200,
            {"status": "pass", "checks": {"api": {"status": "pass"}, "keys": {"status": "pass"}}},
        )
        asked = len(rpc_server.arguments("health"))
        for _ in range(5):
            edge.call("GET", "/readyz")
        assert len(rpc_server.arguments("health")) == asked


def test_it_is_alive_but_not_ready_when_the_key_was_revoked(rpc_server: RpcServer, tmp_path: Path) -> None:
    rpc_server.answers["health"] = Refusal(401, "token_revoked", "This token was revoked.")
    with running(rpc_server.url, tmp_path) as edge:
        ready = edge.call("GET", "/readyz")
        assert ready.status_code == 503
        detail = "This token was revoked (token_revoked)"
        assert ready.json()["checks"] == {
            "api": {"status": "fail", "detail": detail},
            "keys": {"status": "pass"},
        }
        assert edge.call("GET", "/livez").status_code == 200


def test_without_an_api_it_starts_and_says_what_is_missing(tmp_path: Path) -> None:
    with running(f"http://127.0.0.1:{free_port()}", tmp_path) as edge:
        ready = edge.call("GET", "/readyz")
        assert ready.status_code == 503
        assert {check["status"] for check in ready.json()["checks"].values()} == {"fail"}


def test_an_unknown_path_and_a_wrong_method_are_told_in_the_envelope(edge: Edge) -> None:
    refused(edge.call("GET", "/nowhere"), 404, "route_not_found")
    assert "GET" in str(refused(edge.call("POST", "/livez"), 405, "method_not_allowed")["hint"])


@pytest.mark.parametrize("sent", ["req-12345678", "A" * 64])
def test_a_request_id_is_taken_over_and_logged(edge: Edge, sent: str) -> None:
    response = edge.call("GET", "/nowhere?token=s3cret-in-query", headers={"x-request-id": sent})
    assert response.headers["x-request-id"] == sent
    line = edge.line_of(sent)
    assert (line["event"], line["path"], line["status"]) == ("request", "/nowhere", 404)
    assert (line["method"], line["error_code"], line["level"]) == ("GET", "route_not_found", "info")
    assert line["timestamp"].endswith("Z") and line["ms"] >= 0
    assert "s3cret-in-query" not in edge.log.read_text()


@pytest.mark.parametrize("sent", [None, "short", "A" * 65, "with spaces in it", 'quote"quote"'])
def test_a_request_id_that_could_forge_a_log_line_is_replaced(edge: Edge, sent: str | None) -> None:
    response = edge.call("GET", "/livez", headers={"x-request-id": sent} if sent else {})
    assert re.fullmatch(r"[0-9a-f-]{36}", response.headers["x-request-id"])


def test_a_path_is_logged_as_it_was_sent_and_only_its_beginning(edge: Edge) -> None:
    sent = "/%1b%5b31m%0a" + "x" * 300
    edge.call("GET", sent, headers={"x-request-id": "terminal-12345678"})
    assert edge.line_of("terminal-12345678")["path"] == sent[:200]


def test_a_page_of_another_origin_may_call(edge: Edge) -> None:
    asked = {
        "origin": "https://app.example.com",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, apikey, content-type, x-client-info",
    }
    preflight = edge.call("OPTIONS", "/nowhere", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    refusal = edge.call("POST", "/nowhere", headers={"origin": "https://app.example.com"})
    assert refusal.headers["access-control-allow-origin"] == "*"
    assert "retry-after" in refusal.headers["access-control-expose-headers"].lower()
    assert "access-control-allow-credentials" not in refusal.headers


def test_a_body_that_is_too_large_is_refused_whether_announced_or_not(edge: Edge) -> None:
    refused(edge.call("POST", "/nowhere", content=b"x" * 2001), 413, "payload_too_large")
    pieces = (b"x" * 100 for _ in range(30))
    refused(edge.call("POST", "/nowhere", content=pieces), 413, "payload_too_large")
    refused(edge.call("POST", "/nowhere", content=b"x" * 2000), 404, "route_not_found")


@pytest.mark.parametrize("endless", [b"a" * 1000, b"a: b\r\n" * 100], ids=["one header", "many headers"])
def test_a_head_without_end_is_refused(edge: Edge, endless: bytes) -> None:
    """Else it would fill the memory."""
    with socket.create_connection(("127.0.0.1", edge.port), timeout=10) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: edge\r\nx: ")
        with contextlib.suppress(ConnectionError):  # it answers 400, and listens no more
            for _ in range(5000):
                client.sendall(endless)
            raise AssertionError("megabytes were taken for a head")
    assert edge.call("GET", "/livez").status_code == 200


@pytest.mark.parametrize("begun", [b"", b"GET /livez HTTP/1.1\r\nHost: edge\r\n"])
def test_a_head_that_dawdles_is_given_up(edge: Edge, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", edge.port), timeout=10) as client:
        client.sendall(begun)
        assert client.recv(1000) == b""


def test_a_connection_is_used_again_after_more_than_a_head_s_time(edge: Edge) -> None:
    with httpx.Client(base_url=edge.url, trust_env=False) as client:
        assert client.post("/nowhere", content=b"x").status_code == 404
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > 1.2)
        assert client.get("/livez").status_code == 200


def test_what_is_refused_is_let_go(rpc_server: RpcServer, tmp_path: Path) -> None:
    with running(rpc_server.url, tmp_path, EDGE_MAX_BODY_BYTES="1000000") as edge:
        memory = psutil.Process(edge.process.pid).memory_info

        def send_too_much() -> None:
            pieces = (b"x" * 100_000 for _ in range(11))
            refused(edge.call("POST", "/nowhere", content=pieces), 413, "payload_too_large")

        for _ in range(10):
            send_too_much()
        before = memory().rss
        for _ in range(60):
            send_too_much()
        assert memory().rss - before < 20_000_000


@pytest.mark.parametrize("path", ["/places/sessions/", "/livez/", "//livez", "/places"])
def test_nobody_is_sent_to_another_path(edge: Edge, path: str) -> None:
    """Behind the gateway it would lack the prefix."""
    refused(edge.call("POST", path), 404, "route_not_found")


def test_a_body_that_dawdles_is_given_up(edge: Edge) -> None:
    with uploads(edge) as [upload]:
        status, body = upload.answer()
    assert (status, body["code"]) == (408, "request_timeout")


def test_a_request_too_many_is_refused_at_once_and_the_next_served(edge: Edge) -> None:
    with uploads(edge, count=3) as held:
        wait_until(lambda: edge.call("GET", "/nowhere").status_code == 503)
        response = edge.call("GET", "/nowhere")
        refused(response, 503, "overloaded")
        assert response.headers["retry-after"] == "1"
        assert edge.call("GET", "/livez").status_code == 200, "it has much to do, and lives"
        for upload in held:
            upload.send(99)
            assert upload.answer()[0] == 404
    assert edge.call("GET", "/nowhere").status_code == 404


def test_a_client_that_leaves_in_the_middle_takes_no_place(edge: Edge) -> None:
    for _ in range(5):
        with uploads(edge, count=3):
            pass
    wait_until(lambda: edge.call("GET", "/nowhere").status_code == 404)


def test_sigterm_lets_the_request_under_way_finish_and_takes_no_other(
    rpc_server: RpcServer, tmp_path: Path
) -> None:
    with running(rpc_server.url, tmp_path) as edge, uploads(edge) as [upload]:
        edge.call("GET", "/livez")
        edge.tell(signal.SIGTERM)
        wait_until(lambda: _refuses(edge.port))
        assert edge.process.poll() is None
        upload.send(99)
        assert upload.answer()[0] == 404
        assert edge.process.wait(10) == 0
        assert edge.lines()[0]["event"] == "listening"
        assert any(line["event"].startswith("stopping") for line in edge.lines())


def test_sigterm_waits_no_longer_than_it_was_told(rpc_server: RpcServer, tmp_path: Path) -> None:
    with running(rpc_server.url, tmp_path, EDGE_DRAIN_SECONDS="1") as edge, uploads(edge):
        edge.tell(signal.SIGTERM)
        assert edge.process.wait(10) == 0


def test_a_second_signal_ends_it_at_once(rpc_server: RpcServer, tmp_path: Path) -> None:
    with running(rpc_server.url, tmp_path) as edge, uploads(edge):
        edge.tell(signal.SIGTERM)
        wait_until(lambda: _refuses(edge.port))
        edge.tell(signal.SIGTERM)
        assert edge.process.wait(5) == 143


def _refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_port_in_use_is_told_on_one_line(edge: Edge, rpc_server: RpcServer, tmp_path: Path) -> None:
    second = subprocess.run(
        command(),
        env=environment(rpc_server.url, edge.port),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=30,
        check=False,
    )
    assert second.returncode != 0
    assert "address already in use" in second.stderr and "Traceback" not in second.stderr


def test_without_a_worker_key_it_does_not_start(tmp_path: Path) -> None:
    done = subprocess.run(
        command(),
        env=environment("http://127.0.0.1:1", 1, WORKER_KEY=""),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=30,
        check=False,
    )
    assert done.returncode == 78 and "WORKER_KEY is missing" in done.stderr


def test_what_nobody_expected_is_500_in_the_envelope_and_tells_nothing() -> None:
    async def broken(request: Request) -> Response:
        raise ZeroDivisionError("the canary sings")

    app = Starlette(
        routes=[Route("/broken", broken)],
        middleware=[Middleware(envelope.Unexpected)],
        exception_handlers=envelope.HANDLERS,
    )

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as http:
            return await http.get("/broken")

    response = asyncio.run(ask())
    assert response.status_code == 500 and response.json()["code"] == "edge_error"
    assert "canary" not in response.text
