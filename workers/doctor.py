"""`freehold doctor`: is all that a worker needs there, how fast does it answer, and what to do if not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx
from aiosmtplib import SMTPException

from workers.api_error import ApiError
from workers.keys import claims_of, expiry_of
from workers.settings import Settings
from workers.supabase_api import WorkerApi
from workers.work import smtp

State = Literal["ok", "warn", "fail"]

MIGRATIONS = Path("supabase/migrations")
SKEW_TO_WARN, SKEW_TO_FAIL = 2.0, 30.0
OLD_MESSAGE_SECONDS = 600
KEY_DAYS_LEFT = 14


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `milliseconds` is how long it took to answer, where it was asked."""

    name: str
    state: State
    detail: str
    milliseconds: float | None = None
    remedy: str | None = None


async def examine(settings: Settings) -> list[Finding]:
    """Everything, in the order in which things depend on each other. Nothing is changed, no mail is sent."""
    findings = list(await _api(settings))
    findings.append(await _auth(settings))
    findings.append(await _mail(settings))
    if settings.edge_url:
        findings.append(await _edge(settings.edge_url, settings.api_timeout))
    return findings


async def _api(settings: Settings) -> list[Finding]:
    reached = await _reach(settings)
    if reached.state == "fail":
        return [reached]
    asked = datetime.now(UTC)
    started = time.monotonic()
    async with WorkerApi.of(settings) as api:
        try:
            health = await api.rpc("health", deadline=0)
        except ApiError as error:
            return [reached, refusal(error, (time.monotonic() - started) * 1000)]
    took = time.monotonic() - started
    return [
        reached,
        Finding("worker profile", "ok", "exposed"),
        _key(settings, asked),
        _database(health, took * 1000),
        clock(health["database_time"], asked, took),
        *backlog(health),
        *sealing(health.get("sealing")),
    ]


async def _reach(settings: Settings) -> Finding:
    """Whether anything answers there; what it answers is the next check's concern."""
    started = time.monotonic()
    try:
        async with httpx.AsyncClient(timeout=settings.api_timeout) as http:
            await http.head(
                f"{settings.api_url}/rest/v1/", headers={"apikey": settings.anon_key.get_secret_value()}
            )
    except httpx.TransportError as error:
        away = ApiError.unreachable(settings.api_url, error, "")
        return Finding("api", "fail", away.message, remedy=away.hint)
    return Finding("api", "ok", settings.api_url, (time.monotonic() - started) * 1000)


def refusal(error: ApiError, milliseconds: float) -> Finding:
    """Which of the API, its worker profile, the key and the migrations is at fault."""
    name, remedy = "database", error.hint or "See the logs of PostgREST and Postgres: `make logs`"
    if error.code == "PGRST106":
        name = "worker profile"
        remedy = "Expose the schema `worker`: `supabase config push`, or Data API → Exposed schemas"
    elif error.status == 401:
        name, remedy = "worker key", "Mint a WORKER_KEY for this project: docs/how-to/run-the-workers.md"
    elif error.status == 403 or error.code == "42501":
        name, remedy = "worker key", "WORKER_KEY must carry the role `worker`, which the migrations create"
    elif error.code in ("PGRST202", "42883"):
        name, remedy = "database", "Apply the migrations: `supabase db push`"
    return Finding(name, "fail", f"{error.message.rstrip('.')} ({error.code})", milliseconds, remedy)


def _key(settings: Settings, now: datetime) -> Finding:
    token = settings.worker_key.get_secret_value() if settings.worker_key else ""
    expires_at = expiry_of(claims_of(token))
    days = (expires_at - now).days if expires_at else 0
    late = days < KEY_DAYS_LEFT
    remedy = "Mint a new WORKER_KEY before it does: docs/how-to/run-the-workers.md" if late else None
    return Finding("worker key", "warn" if late else "ok", f"accepted, expires in {days} days", remedy=remedy)


def _database(health: dict[str, Any], milliseconds: float) -> Finding:
    applied = health["migration"]
    newest = max((path.name.split("_")[0] for path in MIGRATIONS.glob("*.sql")), default=None)
    if applied is None:
        return Finding("database", "warn", "no migration is recorded", milliseconds, "Run `supabase db push`")
    if newest and applied < newest:
        return Finding(
            "database", "fail", f"at {applied}, not {newest}", milliseconds, "Run `supabase db push`"
        )
    return Finding("database", "ok", f"migration {applied}", milliseconds)


def clock(database_time: str, asked: datetime, took: float) -> Finding:
    """The database's time against ours at the middle of the call; `took` in seconds."""
    skew = abs((datetime.fromisoformat(database_time) - asked).total_seconds() - took / 2)
    state: State = "ok" if skew < SKEW_TO_WARN + took else "warn" if skew < SKEW_TO_FAIL else "fail"
    remedy = None if state == "ok" else "Set this machine's clock by NTP: tokens and leases depend on it"
    return Finding("clock", state, f"{skew:.1f} s from the database's", remedy=remedy)


def backlog(health: dict[str, Any]) -> Iterator[Finding]:
    for queue in health["queues"]:
        age = queue["oldest_age_seconds"] or 0
        detail = f"{queue['length']} waiting" + (f", the oldest for {age} s" if queue["length"] else "")
        if queue["queue"].endswith("_dead"):
            remedy = "See `last_error` of the failed messages; `rpc/resolve_message` sends one again"
            yield _noted(f"queue {queue['queue']}", detail, remedy if queue["length"] else None)
        else:
            remedy = "Is a worker running? Start one: `freehold work`"
            late = queue["visible"] and age > OLD_MESSAGE_SECONDS
            yield _noted(f"queue {queue['queue']}", detail, remedy if late else None)
    unknown, failed = health["messages"]["unknown"], health["messages"]["failed"]
    remedy = "Find out what arrived, then settle each: `rpc/resolve_message`"
    yield _noted("messages", f"{unknown} unknown, {failed} failed", remedy if unknown or failed else None)


def sealing(lag: dict[str, Any] | None) -> Iterator[Finding]:
    """Whether the change log is being sealed; a database that doesn't say so is older than this worker."""
    if lag is None:
        return
    waiting, held_up = lag["waiting_seconds"] or 0, lag["held_up_seconds"] or 0
    if waiting > OLD_MESSAGE_SECONDS:
        remedy = "Is `freehold tick` run every minute? Its job `seal_audit` does it"
        yield Finding("change log", "warn", f"not sealed for {waiting} s", remedy=remedy)
    elif held_up > OLD_MESSAGE_SECONDS:
        age = lag["oldest_transaction_seconds"]
        since = f" for {age} s" if age is not None else ""
        remedy = (
            "Find it in pg_stat_activity by its xact_start, in whatever database, and end it; and see"
            " pg_prepared_xacts"
        )
        detail = f"sealing is held up for {held_up} s by a transaction that has been open{since}"
        yield Finding("change log", "warn", detail, remedy=remedy)
    else:
        yield Finding("change log", "ok", f"sealed, but for the last {max(waiting, held_up)} s")


def _noted(name: str, detail: str, remedy: str | None) -> Finding:
    return Finding(name, "warn" if remedy else "ok", detail, remedy=remedy)


async def _auth(settings: Settings) -> Finding:
    started = time.monotonic()
    try:
        async with httpx.AsyncClient(timeout=settings.api_timeout) as http:
            response = await http.get(
                f"{settings.api_url}/auth/v1/health", headers={"apikey": settings.anon_key.get_secret_value()}
            )
            response.raise_for_status()
            detail = str(response.json().get("name") or "healthy")
    except (httpx.HTTPError, ValueError) as error:
        remedy = "Locally see `make status`, else the project's Auth logs"
        return Finding("auth", "fail", str(error) or type(error).__name__, remedy=remedy)
    return Finding("auth", "ok", detail, (time.monotonic() - started) * 1000)


async def _mail(settings: Settings) -> Finding:
    started = time.monotonic()
    try:
        detail = await smtp(settings).check()
    except (SMTPException, OSError) as error:
        server = settings.mail_server()
        remedy = f"Check SMTP_*: {server.host}:{server.port}, {server.tls}, user {server.user or 'none'}"
        return Finding("mail", "fail", str(error) or type(error).__name__, remedy=remedy)
    return Finding("mail", "ok", detail, (time.monotonic() - started) * 1000)


async def _edge(url: str, timeout: float) -> Finding:
    started = time.monotonic()
    try:
        async with httpx.AsyncClient(timeout=timeout) as http:
            response = await http.get(f"{url}/readyz")
        checks = response.json()["checks"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        remedy = "Is `freehold edge` running, and EDGE_URL where it is reached? Locally see `make status`"
        return Finding("edge", "fail", str(error) or type(error).__name__, remedy=remedy)
    troubles = [f"{name}: {check['detail']}" for name, check in checks.items() if check["status"] != "pass"]
    took = (time.monotonic() - started) * 1000
    if troubles:
        state: State = "warn" if response.is_success else "fail"
        return Finding("edge", state, "; ".join(troubles), took, "See the log of `freehold edge`")
    return Finding("edge", "ok", url, took)
