"""Where a stack is: its folder, its ports, its keys, and the addresses that follow from them."""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from scripts.stack.keys import Keys

REPOSITORY = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"


class StackError(Exception):
    """What went wrong and what to do about it, on one line."""


@dataclass(frozen=True)
class Ports:
    """One TCP port a part, on 127.0.0.1. The first four are Supabase's own."""

    api: int = 54321
    db: int = 54322
    mailbox_http: int = 54324
    smtp: int = 54325
    postgrest: int = 54331
    auth: int = 54332
    storage: int = 54333
    edge: int = 54334
    postgrest_admin: int = 54335
    gateway_admin: int = 54336

    @classmethod
    def free(cls) -> Ports:
        """Ports that nobody listens on now, for tests; below those that outgoing connections are given."""
        count = len(fields(cls))
        for _ in range(100):
            first = secrets.choice(range(10_000, max(_first_ephemeral_port(), 20_000) - count, count))
            numbers = range(first, first + count)
            with ExitStack() as held, suppress(OSError):
                for number in numbers:
                    held.enter_context(socket.socket()).bind((HOST, number))
                return cls(*numbers)
        raise StackError(f"No {count} ports in a row are free: end what listens on ports from 10000 on")

    def changed(self, choices: Mapping[str, int]) -> Ports:
        """These ports with some chosen anew, as in `{"db": 55322}`."""
        unknown = set(choices) - set(asdict(self))
        if unknown:
            raise StackError(
                f"There is no port called {', '.join(sorted(unknown))}: choose from {', '.join(asdict(self))}"
            )
        return replace(self, **choices)


@dataclass(frozen=True)
class Stack:
    """One stack on disk.

    `overrides` are settings of the gateway and Auth, by environment variable, over the environment's.
    `durable=False` trades safety in a power cut for speed (fsync off), for tests.
    """

    root: Path
    ports: Ports
    keys: Keys
    overrides: Mapping[str, str] = field(default_factory=dict)
    durable: bool = True

    @classmethod
    def at(cls, root: Path, ports: Ports | None = None, *, durable: bool = True) -> Stack:
        """The stack in `root`: its keys and ports are read, or made and kept there on first use."""
        root = root.resolve()
        for folder in (root, root / "log", root / "run"):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        chosen = _load_or_keep(root / "ports.json", ports)
        return cls(root=root, ports=chosen, keys=Keys.load_or_create(root / "keys.json"), durable=durable)

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def api_url(self) -> str:
        return f"http://{HOST}:{self.ports.api}"

    def db_url(self, role: str = "postgres", database: str = "postgres") -> str:
        """A connection URL; every role of a local stack has the password `postgres`."""
        return f"postgresql://{role}:postgres@{HOST}:{self.ports.db}/{database}"

    @property
    def env(self) -> Mapping[str, str]:
        """Addresses and keys under the names that `supabase status -o env` uses, and a few of our own."""
        return {
            "API_URL": self.api_url,
            "REST_URL": f"{self.api_url}/rest/v1",
            "AUTH_URL": f"{self.api_url}/auth/v1",
            "FUNCTIONS_URL": f"{self.api_url}/functions/v1",
            "EDGE_SECRET": self.keys.edge_secret,
            "EDGE_URL": f"http://{HOST}:{self.ports.edge}",
            "JWKS_URL": f"{self.api_url}/auth/v1/.well-known/jwks.json",
            "DB_URL": self.db_url(),
            "ANON_KEY": self.keys.anon_key,
            "SERVICE_ROLE_KEY": self.keys.service_role_key,
            "WORKER_KEY": self.keys.worker_key,
            "JWT_SECRET": self.keys.jwt_secret,
            "MAILBOX_URL": f"http://{HOST}:{self.ports.mailbox_http}",
            "MAILPIT_URL": f"http://{HOST}:{self.ports.mailbox_http}",
            "SMTP_URL": f"smtp://{HOST}:{self.ports.smtp}",
        }


def write_private(path: Path, text: str) -> None:
    """Replace a file that may hold secrets: mode 0600, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def _first_ephemeral_port() -> int:
    """Where Linux begins with the ports of outgoing connections."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return 32768


def _load_or_keep(path: Path, ports: Ports | None) -> Ports:
    if ports is not None:
        write_private(path, json.dumps(asdict(ports), indent=2) + "\n")
    elif path.exists():
        return Ports().changed(json.loads(path.read_text()))
    return ports or Ports()
