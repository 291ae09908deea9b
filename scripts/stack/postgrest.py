"""PostgREST as a part: its configuration and how to ask whether it is ready."""

from __future__ import annotations

import json
from pathlib import Path

from scripts.stack import tools
from scripts.stack.layout import HOST, Stack, write_private


def command(stack: Stack) -> list[str]:
    configuration, _ = files(stack)
    return [str(tools.postgrest_program()), str(configuration)]


def files(stack: Stack) -> tuple[Path, Path]:
    """The configuration, and the keys that it names."""
    return stack.run / "postgrest.conf", stack.run / "postgrest.jwks.json"


def configure(stack: Stack) -> None:
    """Write both files, for nobody else to read."""
    configuration, keys = files(stack)
    settings: dict[str, str | int] = {
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
    write_private(keys, json.dumps(stack.keys.verifying_jwks))
    write_private(configuration, "".join(f"{name} = {_literal(value)}\n" for name, value in settings.items()))


def _literal(value: str | int) -> str:
    """Numbers bare, text in double quotes, as PostgREST's configuration wants it."""
    return str(value) if isinstance(value, int) else json.dumps(value)
