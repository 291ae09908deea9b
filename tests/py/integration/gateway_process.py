"""A real Envoy in front of services that say what they were sent, for the tests of the gateway."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jwt

from scripts.stack import gateway
from scripts.stack.layout import HOST, Ports, Stack, write_private
from tests.py.support import wait_until

UNLIMITED = {
    "RATE_LIMIT_ADDRESS_PER_MINUTE": "1000000",
    "RATE_LIMIT_USER_PER_MINUTE": "1000000",
    "RATE_LIMIT_AUTH_PER_MINUTE": "1000000",
}


class Echo(ThreadingHTTPServer):
    """Answers with what it was sent: for a path ending in /slow once `release` is set, in /busy with 429."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, name: str, port: int) -> None:
        super().__init__((HOST, port), _EchoHandler)
        self.name = name
        self.release = threading.Event()
        self.held = threading.Semaphore(0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that the gateway gave up is no error here."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _EchoHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Echo

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path.endswith("/slow"):
            self.server.held.release()
            self.server.release.wait(30)
        seen = {
            "service": self.server.name,
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "bytes": len(body),
        }
        text = json.dumps(seen).encode()
        self.send_response(429 if self.path.endswith("/busy") else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.send_header("access-control-allow-origin", "https://somewhere.else")
        self.send_header("access-control-allow-credentials", "true")
        if self.path.endswith("/busy"):
            self.send_header("retry-after", "77")
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, format: str, *args: Any) -> None:
        pass


@dataclass(frozen=True)
class Gateway:
    """A running gateway, what stands behind it, and what it logs."""

    stack: Stack
    services: Mapping[str, Echo]
    log: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    def call(
        self,
        method: str,
        path: str,
        *,
        key: str | None = "anon",
        token: str | None = None,
        source: str = HOST,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """One request from the loopback address `source`, over its own connection; `key` goes as `apikey`."""
        sent = dict(headers or {})
        if key is not None:
            sent["apikey"] = self.stack.keys.anon_key if key == "anon" else key
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        transport = httpx.HTTPTransport(local_address=source)
        with httpx.Client(transport=transport, base_url=self.stack.api_url, timeout=20) as client:
            return client.request(method, path, headers=sent, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.call("POST", path, **options)

    def admin(self, path: str) -> httpx.Response:
        return httpx.get(f"http://{HOST}:{self.stack.ports.gateway_admin}{path}", trust_env=False)

    def logged(self, request_id: str) -> dict[str, Any]:
        """The access log's entry for a request id, once it is written."""

        def found() -> dict[str, Any] | None:
            entries = [json.loads(line) for line in self.log.read_text().splitlines() if line[:1] == "{"]
            return next((each for each in entries if each["request_id"] == request_id), None)

        entry = wait_until(found)
        assert entry is not None
        return entry

    def user_token(self, sub: str, *, role: str = "authenticated", expires_in: int = 3600) -> str:
        """An access token as Auth signs them."""
        key = self.stack.keys.private_jwk
        claims = {"sub": sub, "role": role, "aud": "authenticated", "exp": int(time.time()) + expires_in}
        return jwt.encode(claims, jwt.PyJWK(key).key, algorithm="ES256", headers={"kid": key["kid"]})


@contextmanager
def running(
    root: Path,
    settings: Mapping[str, str],
    *,
    services: tuple[str, ...] = ("rest", "auth", "storage", "functions"),
) -> Iterator[Gateway]:
    """A gateway on free ports with echoing services behind it; those not named are not running."""
    stack = Stack.at(root, Ports.free())
    write_private(stack.run / "gateway.yaml", gateway.render(stack, settings))
    ports = {each.name: each.port for each in gateway.upstreams(stack.ports, 60)}
    echoes = {name: Echo(name, ports[name]) for name in services}
    for echo in echoes.values():
        threading.Thread(target=echo.serve_forever, args=(0.05,), daemon=True).start()
    log = stack.log / "gateway.log"
    with log.open("wb") as output:
        process = subprocess.Popen(gateway.command(stack, settings), stdout=output, stderr=output)
    try:
        started = Gateway(stack, echoes, log, process)
        wait_until(lambda: _ready(started), within=20)
        yield started
    finally:
        process.terminate()
        process.wait(20)
        for echo in echoes.values():
            echo.release.set()
            echo.shutdown()
            echo.server_close()


def _ready(gateway: Gateway) -> bool:
    assert gateway.process.poll() is None, gateway.log.read_text()
    try:
        return gateway.admin("/ready").is_success
    except httpx.TransportError:
        return False
