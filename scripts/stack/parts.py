"""What a stack consists of: for each part its command, its port, and how to see that it is ready."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from scripts.stack import gateway, postgres, postgrest
from scripts.stack.layout import HOST, REPOSITORY, Stack, write_private

HERE = Path(__file__).parent
AUTH_SETTINGS = (
    "FREEHOLD_ENV",
    "SITE_URL",
    "URI_ALLOW_LIST",
    "MAILER_AUTOCONFIRM",
    "MAILER_OTP_EXP",
    "SMTP_MAX_FREQUENCY",
    "PASSWORD_HASH_COST",
)

# What the edge service may be told by the environment of `up`; the rest follows from the stack.
EDGE_SETTINGS = (
    "CORS_ALLOW_ORIGINS",
    "EDGE_CONCURRENCY",
    "EDGE_DRAIN_SECONDS",
    "EDGE_MAX_BODY_BYTES",
    "EDGE_TIMEOUT",
    "GOOGLE_MAPS_API_KEY",
    "GOOGLE_PLACES_URL",
    "GOOGLE_VALIDATION_URL",
    "LOG_LEVEL",
    "NOMINATIM_URL",
    "PHOTON_URL",
    "PLACES_COUNTRIES",
    "PLACES_PROVIDER",
)


@dataclass(frozen=True)
class Part:
    """A process that the supervisor keeps running.

    `ports` maps names in `Ports` to numbers. `problem` answers why the part isn't ready, or None. When a file
    in `watched` changes, the next `up` restarts the part. `stop_signal` asks it to end in good order.
    `configure` writes its configuration, which only `up` does.
    """

    name: str
    title: str
    command: list[str]
    ports: Mapping[str, int]
    problem: Callable[[], str | None]
    watched: tuple[Path, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    configure: Callable[[], object] = lambda: None

    @property
    def fingerprint(self) -> str:
        """Changes when the part has to be restarted to run as it is now configured."""
        digest = hashlib.sha256()
        for path in self.watched:
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]


def parts(stack: Stack) -> list[Part]:
    """The parts in the order of starting."""
    return [_postgres(stack), _postgrest(stack), _auth(stack), _mailbox(stack), _edge(stack), _gateway(stack)]


def _postgres(stack: Stack) -> Part:
    return Part(
        name="postgres",
        title="PostgreSQL 17",
        command=postgres.command(stack),
        ports={"db": stack.ports.db},
        problem=lambda: postgres.problem(stack),
        watched=(stack.data / "postgresql.conf", stack.data / "pg_hba.conf"),
        stop_signal="INT",
        configure=lambda: postgres.configure(stack, stack.data),
    )


def _postgrest(stack: Stack) -> Part:
    return Part(
        name="postgrest",
        title="PostgREST 12",
        command=postgrest.command(stack),
        ports={"postgrest": stack.ports.postgrest, "postgrest_admin": stack.ports.postgrest_admin},
        problem=lambda: _http_problem(stack.ports.postgrest_admin, "/ready"),
        watched=postgrest.files(stack),
        configure=lambda: postgrest.configure(stack),
    )


def _auth(stack: Stack) -> Part:
    told = {**os.environ, **stack.overrides}
    return Part(
        name="auth",
        title="Auth (stand-in)",
        command=[sys.executable, "-m", "scripts.stack.auth"],
        ports={"auth": stack.ports.auth},
        problem=lambda: _http_problem(stack.ports.auth, "/health"),
        watched=_sources("auth"),
        env={
            "AUTH_PORT": str(stack.ports.auth),
            "AUTH_DB_URL": stack.db_url("supabase_auth_admin") + "?application_name=auth",
            "KEYS_FILE": str(stack.root / "keys.json"),
            "API_URL": stack.api_url,
            "SMTP_HOST": HOST,
            "SMTP_PORT": str(stack.ports.smtp),
            "SITE_URL": "http://127.0.0.1:3000",
            "FREEHOLD_ENV": "local",
            **{name: told[name] for name in AUTH_SETTINGS if name in told},
        },
    )


def _mailbox(stack: Stack) -> Part:
    return Part(
        name="mailbox",
        title="Mailbox",
        command=[
            sys.executable, "-m", "scripts.stack.mailbox", "--folder", str(stack.root / "mail"),
            "--smtp-port", str(stack.ports.smtp), "--http-port", str(stack.ports.mailbox_http),
        ],
        ports={"smtp": stack.ports.smtp, "mailbox_http": stack.ports.mailbox_http},
        problem=lambda: _http_problem(stack.ports.mailbox_http, "/livez"),
        watched=_sources("mailbox"),
    )  # fmt: skip


def _edge(stack: Stack) -> Part:
    return Part(
        name="edge",
        title="Edge service",
        command=[sys.executable, "-m", "workers", "edge"],
        ports={"edge": stack.ports.edge},
        # Not /readyz: the service is up before the first migration, and says then what is missing.
        problem=lambda: _http_problem(stack.ports.edge, "/livez"),
        watched=tuple(sorted((REPOSITORY / "workers").rglob("*.py"))),
        env={
            **{name: os.environ[name] for name in EDGE_SETTINGS if name in os.environ},
            "FREEHOLD_ENV": "local",
            "API_URL": stack.api_url,
            "ANON_KEY": stack.keys.anon_key,
            "WORKER_KEY": stack.keys.worker_key,
            "JWT_SECRET": stack.keys.jwt_secret,
            "EDGE_SECRET": stack.keys.edge_secret,
            "EDGE_LISTEN": HOST,
            "EDGE_PORT": str(stack.ports.edge),
            "LOG_FORMAT": "json",
        },
    )


def _gateway(stack: Stack) -> Part:
    configuration = stack.run / "gateway.yaml"
    return Part(
        name="gateway",
        title="Gateway (Envoy)",
        command=gateway.command(stack),
        ports={"api": stack.ports.api, "gateway_admin": stack.ports.gateway_admin},
        problem=lambda: _http_problem(stack.ports.gateway_admin, "/ready"),
        watched=(configuration,),
        configure=lambda: write_private(configuration, gateway.render(stack)),
    )


def _sources(package: str) -> tuple[Path, ...]:
    """The files that a Python part is made of."""
    return tuple(path for path in sorted((HERE / package).rglob("*")) if path.suffix in (".py", ".html"))


def _http_problem(port: int, path: str) -> str | None:
    try:
        answer = httpx.get(f"http://{HOST}:{port}{path}", timeout=2, trust_env=False)
    except httpx.TransportError as error:
        return f"port {port} does not answer: {error}"
    return None if answer.is_success else f"answers {answer.status_code}"
