"""The gateway's routes, keys, replies of its own, browser rules, request ids and log, seen from outside."""

from __future__ import annotations

import re
import socket
import stat
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from scripts.stack.layout import HOST
from tests.py.integration.gateway_process import UNLIMITED, Echo, Gateway, running
from tests.py.support import wait_until


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = {
        **UNLIMITED,
        "GATEWAY_MAX_BODY_BYTES": "5000",
        "GATEWAY_MAX_UPLOAD_BYTES": "20000",
        "GATEWAY_UPSTREAM_TIMEOUT_SECONDS": "0.5",
    }
    with running(
        tmp_path_factory.mktemp("gateway"), settings, services=("rest", "auth", "storage")
    ) as started:
        yield started


def envelope(answer: httpx.Response, status: int, code: str) -> None:
    """The reply is the gateway's own, in the envelope, and can be found in the log."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    body = answer.json()
    assert set(body) == {"code", "message", "details", "hint"}
    assert body["code"] == code
    assert body["message"]


def raw(gateway: Gateway, request: bytes) -> httpx.Response:
    """Send bytes that no client library would, and read the answer."""
    with socket.create_connection((HOST, gateway.stack.ports.api), timeout=10) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return httpx.Response(int(first.split()[1]), headers=headers, content=body)


@pytest.mark.parametrize(
    ("path", "service", "arrives_as"),
    [
        ("/rest/v1/units?select=id,unit_number&id=eq.1", "rest", "/units?select=id,unit_number&id=eq.1"),
        ("/rest/v1/", "rest", "/"),
        ("/rest/v1", "rest", "/"),
        ("/rest/v1/rpc/rent_roll", "rest", "/rpc/rent_roll"),
        ("/auth/v1/user", "auth", "/user"),
        ("/storage/v1/object/documents/a%20b.pdf", "storage", "/object/documents/a%20b.pdf"),
    ],
)
def test_a_prefix_leads_to_its_service(gateway: Gateway, path: str, service: str, arrives_as: str) -> None:
    seen = gateway.get(path).raise_for_status().json()
    assert (seen["service"], seen["path"]) == (service, arrives_as)


def test_a_query_arrives_as_it_was_written(gateway: Gateway) -> None:
    query = "or=(a.eq.1,b.eq.%22x%20y%26z%22)&z=%E2%82%AC&flag&a=1&a=2"
    arrived = raw(
        gateway,
        f"GET /rest/v1/units?{query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
        f"apikey: {gateway.stack.keys.anon_key}\r\n\r\n".encode(),
    )
    assert arrived.json()["path"] == f"/units?{query}"


@pytest.mark.parametrize(
    ("query", "arrives_as"),
    [
        ("apikey=KEY", ""),
        ("select=id,lease:leases(id)&apikey=KEY&id=in.(1,2)", "?id=in.(1,2)&select=id,lease:leases(id)"),
        ("apikey=KEY&name=eq.x%26y", "?apikey=KEY&name=eq.x%26y"),
    ],
)
def test_a_key_in_the_query_is_no_filter_unless_that_would_decode_the_others(
    gateway: Gateway, query: str, arrives_as: str
) -> None:
    key = gateway.stack.keys.anon_key
    seen = gateway.get(f"/rest/v1/?{query.replace('KEY', key)}", key=None).raise_for_status().json()
    assert seen["path"] == "/" + arrives_as.replace("KEY", key)
    assert seen["headers"]["authorization"] == f"Bearer {key}"


@pytest.mark.parametrize("key", ["anon_key", "service_role_key", "worker_key"])
@pytest.mark.parametrize("place", ["header", "query"])
def test_every_key_of_the_stack_opens(gateway: Gateway, key: str, place: str) -> None:
    secret = getattr(gateway.stack.keys, key)
    if place == "header":
        answer = gateway.get("/rest/v1/units", key=secret)
    else:
        answer = gateway.get("/rest/v1/units", key=None, params={"apikey": secret})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/rest/v1/units", "/rest/v1/", "/auth/v1/user", "/storage/v1/bucket"])
def test_without_a_key_nothing_opens(gateway: Gateway, path: str) -> None:
    missing = gateway.get(path, key=None)
    envelope(missing, 401, "api_key_missing")
    assert missing.json()["message"] == "No API key found in request"
    envelope(gateway.get(path, key=""), 401, "api_key_missing")

    wrong = gateway.get(path, key=gateway.stack.keys.anon_key[:-4] + "AAAA")
    envelope(wrong, 401, "api_key_invalid")
    assert wrong.json()["message"] == "Invalid API key"
    envelope(gateway.get(path, key=None, params={"apikey": "guess"}), 401, "api_key_invalid")


@pytest.mark.parametrize(
    "wishes", [["count=planned"], ["return=minimal, count=estimated"], ["count=planned", "return=minimal"]]
)
def test_guessed_counts_are_refused_in_whichever_header_they_hide(
    gateway: Gateway, wishes: list[str]
) -> None:
    """Of two headers of one name the database sees the last, and PostgREST both."""
    headers = "".join(f"prefer: {wish}\r\n" for wish in wishes)
    key = gateway.stack.keys.anon_key
    head = f"GET /rest/v1/units HTTP/1.1\r\nhost: x\r\napikey: {key}\r\n{headers}connection: close\r\n\r\n"
    envelope(raw(gateway, head.encode()), 400, "count_not_exact")
    exact = gateway.get("/rest/v1/units", headers={"Prefer": "count=exact"})
    assert exact.status_code == 200


def test_a_users_token_is_no_key(gateway: Gateway) -> None:
    token = gateway.user_token("ann")
    envelope(gateway.get("/rest/v1/units", key=None, token=token), 401, "api_key_missing")
    envelope(gateway.get("/rest/v1/units", key=token, token=token), 401, "api_key_invalid")


@pytest.mark.parametrize(
    "path", ["/rest/v1//units", "/rest/./v1/units", "/%72est/v1/units", "/storage/v1/../../rest/v1/x"]
)
def test_another_spelling_of_a_path_needs_a_key_too(gateway: Gateway, path: str) -> None:
    answer = raw(gateway, f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    envelope(answer, 401, "api_key_missing")


@pytest.mark.parametrize(
    "path",
    [
        "/auth/v1/verify?token=x&type=signup",
        "/auth/v1/callback",
        "/auth/v1/authorize?provider=github",
        "/auth/v1/.well-known/jwks.json",
        "/storage/v1/object/public/photos/front.jpg",
        "/storage/v1/object/sign/documents/lease.pdf?token=x",
    ],
)
def test_links_and_redirects_open_without_a_key(gateway: Gateway, path: str) -> None:
    seen = gateway.get(path, key=None).raise_for_status().json()
    assert "authorization" not in seen["headers"]


@pytest.mark.parametrize("path", ["/auth/v1/verifying", "/storage/v1/object/publicity/x", "/auth/v1/health"])
def test_what_only_looks_like_an_open_path_needs_a_key(gateway: Gateway, path: str) -> None:
    envelope(gateway.get(path, key=None), 401, "api_key_missing")


def test_a_worker_may_use_the_anon_key_with_its_token_or_its_own_key(gateway: Gateway) -> None:
    worker = gateway.stack.keys.worker_key
    hosted = gateway.post("/rest/v1/rpc/health", token=worker).raise_for_status()
    local = gateway.post("/rest/v1/rpc/health", key=worker, token=worker).raise_for_status()
    alone = gateway.post("/rest/v1/rpc/health", key=worker).raise_for_status()
    for answer in (hosted, local, alone):
        assert answer.json()["headers"]["authorization"] == f"Bearer {worker}"


def test_a_bad_token_is_for_the_service_to_refuse(gateway: Gateway) -> None:
    seen = gateway.get("/rest/v1/units", token="not.a.token").raise_for_status().json()
    assert seen["headers"]["authorization"] == "Bearer not.a.token"


def test_headers_about_the_caller_are_neither_taken_nor_passed_on(gateway: Gateway) -> None:
    claims = {
        "x-freehold-sub": "ann",
        "x-freehold-role": "service_role",
        "x-envoy-upstream-rq-timeout-ms": "60000",
        "x-envoy-internal": "true",
    }
    for headers in (claims, {**claims, "x-forwarded-for": "203.0.113.7"}):
        answer = gateway.get("/rest/v1/units", headers=headers, token=gateway.user_token("bob"))
        seen = answer.json()["headers"]
        assert seen["x-forwarded-for"] == HOST
        assert not [name for name in seen if name.startswith(("x-freehold-", "x-envoy-"))]


def test_a_caller_cannot_change_how_long_a_service_may_take(gateway: Gateway) -> None:
    patience = {"x-envoy-upstream-rq-timeout-ms": "8000"}
    began = time.monotonic()
    envelope(gateway.get("/rest/v1/slow", headers=patience), 504, "upstream_timeout")
    assert time.monotonic() - began < 5


def test_a_path_that_leads_nowhere_is_404(gateway: Gateway) -> None:
    envelope(gateway.get("/nothing/here"), 404, "route_not_found")
    envelope(gateway.get("/rest/v10/units"), 404, "route_not_found")


def test_a_service_that_is_not_running_is_503(gateway: Gateway) -> None:
    envelope(gateway.get("/functions/v1/webhook", key=None), 503, "upstream_unavailable")


def test_a_service_that_does_not_answer_is_504(gateway: Gateway) -> None:
    envelope(gateway.get("/rest/v1/slow"), 504, "upstream_timeout")


def test_a_body_that_is_too_large_is_413(gateway: Gateway) -> None:
    assert gateway.post("/rest/v1/units", content=b"x" * 5000).json()["bytes"] == 5000
    envelope(gateway.post("/rest/v1/units", content=b"x" * 5001), 413, "payload_too_large")
    envelope(gateway.post("/rest/v1/units", content=iter([b"x" * 3000] * 2)), 413, "payload_too_large")


def test_an_upload_may_be_larger_than_other_bodies_up_to_its_own_limit(gateway: Gateway) -> None:
    assert gateway.post("/storage/v1/object/documents/a", content=b"x" * 20000).json()["bytes"] == 20000
    envelope(gateway.post("/storage/v1/object/documents/a", content=b"x" * 20001), 413, "payload_too_large")


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"GET /rest/v1/units HTTP/1.0\r\n\r\n", 426, "upgrade_required"),
        (b"GARBAGE\r\n\r\n", 400, "bad_request"),
        (b"GET /rest/v1/a%2Fb HTTP/1.1\r\nhost: x\r\n\r\n", 400, "bad_request"),
        (
            b"GET /rest/v1/x HTTP/1.1\r\nx-long: " + b"a" * 70_000 + b"\r\n\r\n",
            431,
            "headers_too_large",
        ),
        (b"GET /rest/v1/x?id=" + b"a" * 50_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 431, "headers_too_large"),
    ],
)
def test_what_is_no_proper_request_is_refused_in_the_envelope(
    gateway: Gateway, request_bytes: bytes, status: int, code: str
) -> None:
    answer = raw(gateway, request_bytes)
    envelope(answer, status, code)
    assert gateway.logged(answer.headers["x-request-id"])["status"] == status


def test_more_requests_than_a_service_can_take_are_turned_away(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = {**UNLIMITED, "GATEWAY_MAX_REQUESTS_PER_UPSTREAM": "1", "GATEWAY_THREADS": "1"}
    with running(tmp_path_factory.mktemp("busy"), settings, services=("rest",)) as gateway:
        answers: list[httpx.Response] = []
        calls = [
            threading.Thread(target=lambda: answers.append(gateway.get("/rest/v1/slow"))) for _ in range(3)
        ]
        for call in calls:
            call.start()
        assert gateway.services["rest"].held.acquire(timeout=10)
        wait_until(lambda: answers)
        gateway.services["rest"].release.set()
        for call in calls:
            call.join(20)
        refused = [answer for answer in answers if answer.status_code != 200]
        assert 1 <= len(refused) < len(answers) == 3
        for answer in refused:
            envelope(answer, 503, "overloaded")


def test_a_service_is_used_as_soon_as_it_runs(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("late"), UNLIMITED, services=()) as gateway:
        metric = re.compile(r'envoy_cluster_membership_healthy\{envoy_cluster_name="rest"\} (\d+)')

        def healthy() -> str:
            found = metric.search(gateway.admin("/stats/prometheus").text)
            assert found
            return found[1]

        envelope(gateway.get("/rest/v1/units"), 503, "upstream_unavailable")
        assert healthy() == "0"
        with Echo("rest", gateway.stack.ports.postgrest) as late:
            threading.Thread(target=late.serve_forever, args=(0.05,), daemon=True).start()
            assert gateway.get("/rest/v1/units").status_code == 200
            wait_until(lambda: healthy() == "1", within=15)
            late.shutdown()


def test_a_preflight_is_answered_by_the_gateway(gateway: Gateway) -> None:
    wanted = "authorization, apikey, content-profile, prefer, idempotency-key, if-none-match, x-client-info"
    answer = gateway.call(
        "OPTIONS",
        "/rest/v1/units",
        key=None,
        headers={
            "origin": "https://app.example",
            "access-control-request-method": "PATCH",
            "access-control-request-headers": wanted,
        },
    )
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "PATCH" in re.split(", ?", answer.headers["access-control-allow-methods"])
    allowed = re.split(", ?", answer.headers["access-control-allow-headers"])
    assert set(wanted.split(", ")) <= set(allowed)


@pytest.mark.parametrize("key", ["anon", None])
def test_a_browser_may_read_answers_and_errors(gateway: Gateway, key: str | None) -> None:
    answer = gateway.get("/rest/v1/units", key=key, headers={"origin": "https://app.example"})
    assert answer.status_code == (200 if key else 401)
    assert answer.headers.get_list("access-control-allow-origin") == ["https://app.example"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "origin" in answer.headers["vary"]
    exposed = re.split(", ?", answer.headers["access-control-expose-headers"])
    assert {
        "content-range",
        "x-request-id",
        "x-ratelimit-remaining",
        "retry-after",
        "etag",
        "location",
    } <= set(exposed)


def test_origins_can_be_listed(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = {**UNLIMITED, "CORS_ALLOW_ORIGINS": "https://app.example, https://admin.example"}
    with running(tmp_path_factory.mktemp("origins"), settings, services=("rest",)) as gateway:
        mine = gateway.get("/rest/v1/units", headers={"origin": "https://admin.example"})
        theirs = gateway.get("/rest/v1/units", headers={"origin": "https://evil.example"})
        assert mine.headers["access-control-allow-origin"] == "https://admin.example"
        assert "access-control-allow-origin" not in theirs.headers


def test_a_request_id_is_taken_passed_on_and_returned(gateway: Gateway) -> None:
    answer = gateway.get("/rest/v1/units", headers={"x-request-id": "order-17"})
    assert answer.headers.get_list("x-request-id") == ["order-17"]
    assert answer.json()["headers"]["x-request-id"] == "order-17"


def test_a_request_id_is_made_where_there_is_none(gateway: Gateway) -> None:
    first, second = gateway.get("/rest/v1/units"), gateway.get("/rest/v1/units")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first.headers["x-request-id"])
    assert first.json()["headers"]["x-request-id"] == first.headers["x-request-id"]
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_the_gateways_own_replies_have_the_callers_request_id(gateway: Gateway) -> None:
    sent = {"x-request-id": "order-18"}
    for answer in (gateway.get("/nothing", headers=sent), gateway.get("/rest/v1/x", key=None, headers=sent)):
        assert answer.headers.get_list("x-request-id") == ["order-18"]


def test_the_log_says_who_called_what_and_how_it_went(gateway: Gateway) -> None:
    answer = gateway.post(
        "/rest/v1/rpc/rent_roll?as_of=2026-01-01",
        token=gateway.user_token("11111111-1111-1111-1111-111111111111"),
        headers={"user-agent": "test/1"},
        json={},
    )
    entry = gateway.logged(answer.headers["x-request-id"])
    expected = {
        "address": HOST,
        "sub": "11111111-1111-1111-1111-111111111111",
        "role": "authenticated",
        "method": "POST",
        "path": "/rest/v1/rpc/rent_roll",
        "route": "rest",
        "status": 200,
        "upstream": "rest",
        "flags": "-",
        "bytes_received": 2,
        "user_agent": "test/1",
    }
    assert {name: entry[name] for name in expected} == expected
    assert 0 <= entry["upstream_ms"] <= entry["duration_ms"] < 5000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"])


def test_the_log_names_nobody_whose_token_is_not_verified(gateway: Gateway) -> None:
    late = gateway.get("/rest/v1/units", token=gateway.user_token("ann", expires_in=-3600))
    entry = gateway.logged(late.headers["x-request-id"])
    assert (entry["sub"], entry["role"]) == (None, None)


def test_the_log_holds_no_secret(gateway: Gateway) -> None:
    token = gateway.user_token("ann")
    answers = [
        gateway.get(
            "/rest/v1/units", key=None, token=token, params={"apikey": gateway.stack.keys.service_role_key}
        ),
        gateway.get("/auth/v1/verify", key=None, params={"token": "hunter2-hunter2"}),
        gateway.get("/nothing", key="hunter2-hunter2"),
        gateway.get("/functions/v1/hook", params={"secret": "hunter2-hunter2"}),
    ]
    for answer in answers:
        gateway.logged(answer.headers["x-request-id"])
    log = gateway.log.read_text()
    for secret in (
        token,
        gateway.stack.keys.service_role_key,
        gateway.stack.keys.anon_key,
        "hunter2-hunter2",
    ):
        assert secret not in log


def test_the_admin_port_shows_metrics_and_no_configuration(gateway: Gateway) -> None:
    metrics = gateway.admin("/stats/prometheus")
    assert "envoy_http_downstream_rq_total" in metrics.text
    for path in ("/config_dump", "/quitquitquit", "/logging", "/certs"):
        assert gateway.admin(path).status_code == 403
    assert gateway.stack.keys.jwt_secret not in metrics.text


def test_only_its_owner_reads_the_configuration(gateway: Gateway) -> None:
    mode = (gateway.stack.run / "gateway.yaml").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
