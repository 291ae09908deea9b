"""What the doctor finds, and what it says to do."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.py.chaos.mail_server import MailServer
from tests.py.unit.edge_process import running
from tests.py.unit.rpc_server import Refusal, RpcServer
from workers.doctor import Finding, backlog, clock, examine, sealing
from workers.settings import Settings

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def health(**changes: Any) -> dict[str, Any]:
    queues = [
        {"queue": "email", "length": 0, "visible": 0, "oldest_age_seconds": None},
        {"queue": "email_dead", "length": 0, "visible": 0, "oldest_age_seconds": None},
    ]
    database_time = datetime.now(UTC).isoformat()
    messages = {"unknown": 0, "failed": 0}
    return {
        "migration": "20261121090000",
        "database_time": database_time,
        "queues": queues,
        "messages": messages,
        "sealing": {"waiting_seconds": None, "held_up_seconds": None, "oldest_transaction_seconds": None},
        **changes,
    }


@pytest.fixture(scope="module")
def running_server() -> Iterator[RpcServer]:
    with RpcServer() as server:
        yield server


@pytest.fixture
def server(running_server: RpcServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RpcServer:
    monkeypatch.chdir(tmp_path)
    running_server.calls.clear()
    running_server.answers.clear()
    running_server.answers["health"] = lambda _: health()
    return running_server


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def key(days: float) -> str:
    claims = {"role": "worker", "exp": int(time.time() + days * 86400)}
    return jwt.encode(claims, "a-secret-of-the-tests-that-is-long-enough", algorithm="HS256")


def found(
    api_url: str, smtp_url: str, *, key_days: float = 100, edge_url: str | None = None
) -> dict[str, Finding]:
    settings = Settings(
        api_url=api_url,
        anon_key="sb_publishable_x7Kq",  # type: ignore[arg-type]
        worker_key=key(key_days),  # type: ignore[arg-type]
        smtp_url=smtp_url,  # type: ignore[arg-type]
        edge_url=edge_url,
        api_timeout=2,
        smtp_timeout=2,
    )
    return {finding.name: finding for finding in asyncio.run(examine(settings))}


@pytest.fixture
def nobody() -> Iterator[int]:
    """A port on which nothing answers."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_all_is_well(server: RpcServer, mail: MailServer) -> None:
    findings = found(server.url, mail.url)
    assert {name: finding.state for name, finding in findings.items()} == dict.fromkeys(
        [
            "api",
            "worker profile",
            "worker key",
            "database",
            "clock",
            "queue email",
            "queue email_dead",
            "messages",
            "change log",
            "auth",
            "mail",
        ],
        "ok",
    )
    for name in ("api", "database", "auth", "mail"):
        milliseconds = findings[name].milliseconds
        assert milliseconds is not None and 0 < milliseconds < 2000
    assert findings["database"].detail == "migration 20261121090000"


@pytest.mark.parametrize(
    ("refusal", "name", "remedy"),
    [
        (Refusal(406, "PGRST106"), "worker profile", "supabase config push"),
        (Refusal(401, "PGRST301"), "worker key", "Mint a WORKER_KEY"),
        (Refusal(403, "42501"), "worker key", "role `worker`"),
        (Refusal(404, "PGRST202"), "database", "supabase db push"),
        (Refusal(503, "PGRST001", hint="Is Postgres up?"), "database", "Is Postgres up?"),
    ],
)
def test_each_refusal_is_laid_at_the_right_door(
    server: RpcServer, mail: MailServer, refusal: Refusal, name: str, remedy: str
) -> None:
    server.answers["health"] = refusal
    findings = found(server.url, mail.url)
    assert findings[name].state == "fail"
    assert remedy in (findings[name].remedy or "")
    assert findings["mail"].state == findings["auth"].state == "ok"


def test_an_api_that_does_not_answer_fails_at_once_and_names_make_up(nobody: int, mail: MailServer) -> None:
    began = time.monotonic()
    findings = found(f"http://127.0.0.1:{nobody}", mail.url)
    assert time.monotonic() - began < 5
    assert findings["api"].state == findings["auth"].state == "fail"
    assert "make up" in (findings["api"].remedy or "")


def test_a_mail_server_that_does_not_answer_fails_and_shows_the_settings(
    server: RpcServer, nobody: int
) -> None:
    finding = found(server.url, f"smtp://127.0.0.1:{nobody}")["mail"]
    assert finding.state == "fail"
    assert f"127.0.0.1:{nobody}" in (finding.remedy or "")


def test_a_key_that_soon_lapses_is_a_warning(server: RpcServer, mail: MailServer) -> None:
    finding = found(server.url, mail.url, key_days=3.5)["worker key"]
    assert (finding.state, finding.detail) == ("warn", "accepted, expires in 3 days")


@pytest.mark.parametrize(
    ("applied", "state"), [(None, "warn"), ("20260101000000", "fail"), ("20261121090000", "ok")]
)
def test_migrations_that_are_missing_are_found(
    server: RpcServer, mail: MailServer, tmp_path: Path, applied: str | None, state: str
) -> None:
    (tmp_path / "supabase" / "migrations").mkdir(parents=True)
    (tmp_path / "supabase" / "migrations" / "20261121090000_core.sql").touch()
    server.answers["health"] = health(migration=applied)
    assert found(server.url, mail.url)["database"].state == state


@pytest.mark.parametrize(
    ("ahead", "state"), [(0, "ok"), (1.5, "ok"), (-1.5, "ok"), (5, "warn"), (-5, "warn"), (60, "fail")]
)
def test_the_clocks_are_compared_at_the_middle_of_the_call(ahead: float, state: str) -> None:
    database_time = NOW + timedelta(seconds=0.1 + ahead)
    finding = clock(database_time.isoformat(), NOW, took=0.2)
    assert (finding.state, finding.detail) == (state, f"{abs(ahead):.1f} s from the database's")


@pytest.mark.parametrize(
    ("queue", "state"),
    [
        ({"length": 900, "visible": 900, "oldest_age_seconds": 20}, "ok"),
        ({"length": 1, "visible": 1, "oldest_age_seconds": 601}, "warn"),
        ({"length": 1, "visible": 0, "oldest_age_seconds": 3000}, "ok"),
    ],
)
def test_a_backlog_is_a_warning_when_nobody_works_on_it(queue: dict[str, Any], state: str) -> None:
    first, *_ = backlog(health(queues=[{"queue": "email", **queue}]))
    assert first.state == state


def test_what_was_given_up_or_is_in_doubt_is_a_warning_with_the_way_out() -> None:
    dead = {"queue": "email_dead", "length": 2, "visible": 2, "oldest_age_seconds": 9}
    findings = list(backlog(health(queues=[dead], messages={"unknown": 1, "failed": 2})))
    assert [(finding.state, finding.detail) for finding in findings] == [
        ("warn", "2 waiting, the oldest for 9 s"),
        ("warn", "1 unknown, 2 failed"),
    ]
    assert all("resolve_message" in (finding.remedy or "") for finding in findings)


def test_an_edge_service_is_asked_where_it_is_said_to_be(
    server: RpcServer, mail: MailServer, nobody: int, tmp_path: Path
) -> None:
    with running(server.url, tmp_path) as edge:
        finding = found(server.url, mail.url, edge_url=edge.url)["edge"]
        assert (finding.state, finding.detail) == ("ok", edge.url)
    with running(f"http://127.0.0.1:{nobody}", tmp_path) as edge:
        finding = found(server.url, mail.url, edge_url=edge.url)["edge"]
        assert finding.state == "fail" and "api: " in finding.detail and "keys: " in finding.detail
    finding = found(server.url, mail.url, edge_url=f"http://127.0.0.1:{nobody}")["edge"]
    assert finding.state == "fail" and "freehold edge" in (finding.remedy or "")
    assert "edge" not in found(server.url, mail.url)


@pytest.mark.parametrize(
    ("waiting", "held_up", "oldest", "state", "says"),
    [
        (None, None, None, "ok", "the last 0 s"),
        (55, 20, 20, "ok", "the last 55 s"),
        (601, 900, 900, "warn", "not sealed for 601 s"),
        (40, 900, 1000, "warn", "held up for 900 s by a transaction that has been open for 1000 s"),
        (40, 900, None, "warn", "held up for 900 s by a transaction that has been open"),
    ],
)
def test_a_change_log_that_is_not_sealed_is_a_warning(
    waiting: int | None, held_up: int | None, oldest: int | None, state: str, says: str
) -> None:
    lag = {"waiting_seconds": waiting, "held_up_seconds": held_up, "oldest_transaction_seconds": oldest}
    (finding,) = sealing(lag)
    assert (finding.state, finding.detail[-len(says) :]) == (state, says)
    assert bool(finding.remedy) == (state == "warn")


def test_a_database_that_says_nothing_of_sealing_is_not_held_against_it(
    server: RpcServer, mail: MailServer
) -> None:
    before = {name: value for name, value in health().items() if name != "sealing"}
    server.answers["health"] = before
    assert "change log" not in found(server.url, mail.url)
