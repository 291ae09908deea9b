"""PostgREST as a part: its configuration and how to ask whether it is ready."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from scripts.stack import tools
from scripts.stack.layout import HOST, Ports, Stack, StackError, write_private


def command(stack: Stack) -> list[str]:
    configuration, _ = files(stack)
    return [str(tools.postgrest_program()), str(configuration)]


def files(stack: Stack) -> tuple[Path, Path]:
    """The configuration, and the keys that it names."""
    return stack.run / "postgrest.conf", stack.run / "postgrest.jwks.json"


def configure(stack: Stack) -> None:
    """Write both files, for nobody else to read."""
    configuration, keys = files(stack)
    write_private(keys, json.dumps(stack.keys.verifying_jwks))
    _write(configuration, _settings(stack))


@contextmanager
def another(stack: Stack, database: str, **changed: str | int) -> Iterator[str]:
    """PostgREST once more, before another database of a running stack, for tests and benchmarks.

    `changed` are settings by name, `_` for `-`. It skips the gateway, as one may at a hosted project.
    """
    ports = Ports.free()
    configuration, log = stack.run / f"postgrest-{database}.conf", stack.log / f"postgrest-{database}.log"
    of_its_own: dict[str, str | int] = {
        "db-uri": stack.db_url("authenticator", database),
        "server-port": ports.postgrest,
        "admin-server-port": ports.postgrest_admin,
    }
    chosen = {name.replace("_", "-"): value for name, value in changed.items()}
    _write(configuration, {**_settings(stack), **of_its_own, **chosen})
    command = tools.tethered("TERM", [str(tools.postgrest_program()), str(configuration)])
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 30
        while not _ready(ports.postgrest_admin):
            if server.poll() is not None or time.monotonic() > deadline:
                raise StackError(f"PostgREST did not start:\n{log.read_text()}")
            time.sleep(0.02)
        yield f"http://{HOST}:{ports.postgrest}"
    finally:
        server.terminate()
        server.wait(30)
        configuration.unlink()


def _settings(stack: Stack) -> dict[str, str | int]:
    _, keys = files(stack)
    return {
        "db-uri": stack.db_url("authenticator") + "?application_name=postgrest",
        "db-schemas": "public,worker",
        "db-extra-search-path": "public,extensions",
        "db-anon-role": "anon",
        "db-max-rows": 1000,
        "db-pool": 20,
        "jwt-secret": f"@{keys}",
        "server-host": HOST,
        "server-port": stack.ports.postgrest,
        "admin-server-port": stack.ports.postgrest_admin,
        "server-trace-header": "X-Request-Id",
        "openapi-server-proxy-uri": f"{stack.api_url}/rest/v1",
        "log-level": "warn",
    }


def _write(path: Path, settings: dict[str, str | int]) -> None:
    write_private(path, "".join(f"{name} = {_literal(value)}\n" for name, value in settings.items()))


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://{HOST}:{port}/ready", trust_env=False).is_success
    except httpx.TransportError:
        return False


def _literal(value: str | int) -> str:
    """Numbers bare, text in double quotes, as PostgREST's configuration wants it."""
    return str(value) if isinstance(value, int) else json.dumps(value)
