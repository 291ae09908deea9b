"""One supervisord per stack: its configuration, its socket, and what it has seen."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import Faults, SupervisorTransport

from scripts.stack.layout import REPOSITORY, Stack, StackError, write_private
from scripts.stack.parts import Part
from scripts.stack.tools import tethered as tether

STOP_WITHIN = 60.0
_launched: list[subprocess.Popen[bytes]] = []  # kept, or Python would complain that they outlive the call
LONGEST_SOCKET_PATH = 100
EXITED = re.compile(r"^(?P<at>\S+ [\d:]+)\S* \w+ exited: (?P<name>\S+) \((?P<how>.*); (?:not )?expected\)$")


@dataclass(frozen=True)
class State:
    """What supervisord says of a part: RUNNING, STARTING, BACKOFF, FATAL, EXITED, STOPPED, …"""

    name: str
    pid: int | None


def running(stack: Stack) -> bool:
    """Whether this stack's own supervisord answers."""
    try:
        with _rpc(stack) as rpc:
            return bool(rpc.getIdentification() == _identity(stack))
    except (OSError, xmlrpc.client.Error):
        return False


def launch(stack: Stack, parts: Iterable[Part], *, tethered: bool) -> None:
    """Start supervisord, with every part still stopped. `tethered`: it ends when this process does."""
    write_private(_configuration(stack), render(stack, parts))
    command = [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(_configuration(stack))]
    with (stack.log / "supervisord.out").open("wb") as output:
        child = subprocess.Popen(
            tether("TERM", command) if tethered else command,
            cwd=REPOSITORY,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    _launched.append(child)
    deadline = time.monotonic() + 20
    while not running(stack):
        if child.poll() is not None or time.monotonic() > deadline:
            last = (stack.log / "supervisord.out").read_text().strip().splitlines()[-1:]
            raise StackError(
                f"supervisord did not start: {last[0] if last else 'no answer'} (more in {stack.log})"
            )
        time.sleep(0.05)


def update(stack: Stack, parts: Iterable[Part]) -> list[str]:
    """Have supervisord take on changed parts, stopped for now; returns the names of those changed or gone."""
    write_private(_configuration(stack), render(stack, parts))
    with _rpc(stack) as rpc:
        added, changed, removed = rpc.reloadConfig()[0]
        for name in [*changed, *removed]:
            rpc.stopProcessGroup(name)
            rpc.removeProcessGroup(name)
        for name in [*changed, *added]:
            rpc.addProcessGroup(name)
    return [*changed, *removed]


def start_part(stack: Stack, part: Part) -> bool:
    """Start a part unless it runs; True when it had to be started."""
    try:
        with _rpc(stack) as rpc:
            rpc.startProcess(part.name, False)
    except xmlrpc.client.Fault as fault:
        if fault.faultCode == Faults.ALREADY_STARTED:
            return False
        raise StackError(
            f"{part.title} can't be started: {fault.faultString} (more in {log_file(stack, part.name)})"
        ) from None
    return True


def states(stack: Stack) -> Mapping[str, State]:
    """By part; empty when the stack is down."""
    if not running(stack):
        return {}
    with _rpc(stack) as rpc:
        return {
            info["name"]: State(info["statename"], info["pid"] or None) for info in rpc.getAllProcessInfo()
        }


def exits(stack: Stack) -> Mapping[str, list[str]]:
    """How and when each part ended by itself since the stack was started, oldest first."""
    seen: dict[str, list[str]] = {}
    for path in (stack.log / "supervisord.log.1", stack.log / "supervisord.log"):
        for line in path.read_text().splitlines() if path.exists() else []:
            if "supervisord started with pid" in line:
                seen.clear()
            elif match := EXITED.match(line):
                seen.setdefault(match["name"], []).append(f"{match['how']} at {match['at']}")
    return seen


def shut_down(stack: Stack) -> bool:
    """End supervisord and with it every part; False when it was not running. Waits until all are gone."""
    process = _process(stack)
    if process is None:
        return False
    children = process.children(recursive=True)
    try:
        with _rpc(stack) as rpc:
            rpc.shutdown()
    except (OSError, xmlrpc.client.Error):
        process.send_signal(signal.SIGTERM)
    _gone, alive = psutil.wait_procs([process, *children], timeout=STOP_WITHIN)
    if alive:
        names = ", ".join(f"{p.name()} (pid {p.pid})" for p in alive)
        raise StackError(f"Still running after {STOP_WITHIN:.0f} s: {names}; their logs are in {stack.log}")
    return True


def log_file(stack: Stack, part: str) -> Path:
    return stack.log / f"{part}.log"


def render(stack: Stack, parts: Iterable[Part]) -> str:
    """supervisord's configuration. Parts start on request, in order, and are restarted whenever they end."""
    sections: dict[str, dict[str, Any]] = {
        "supervisord": {
            "identifier": _identity(stack),
            "logfile": stack.log / "supervisord.log",
            "logfile_maxbytes": "5MB",
            "logfile_backups": 1,
            "pidfile": _pid_file(stack),
            "childlogdir": stack.log,
            "directory": REPOSITORY,
            **({"user": "root"} if os.geteuid() == 0 else {}),
        },
        "unix_http_server": {"file": _socket(stack), "chmod": "0700"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
    }
    for part in parts:
        environment = {**part.env, "STACK_PART_FINGERPRINT": part.fingerprint, "PYTHONUNBUFFERED": "1"}
        sections[f"program:{part.name}"] = {
            "command": " ".join(_quoted(word) for word in tether(part.stop_signal, part.command)),
            "environment": ",".join(f"{name}={_quoted(value)}" for name, value in environment.items()),
            "autostart": "false",
            "autorestart": "true",
            "startsecs": 1,
            "startretries": 20,
            "stopsignal": part.stop_signal,
            "stopwaitsecs": 30,
            "redirect_stderr": "true",
            "stdout_logfile": log_file(stack, part.name),
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": 3,
        }
    return "\n".join(
        f"[{title}]\n"
        + "".join(
            f"{key} = {str(value) if key in _EXPANDED else _escaped(value)}\n" for key, value in body.items()
        )
        for title, body in sections.items()
    )


_EXPANDED = ("command", "environment")


def _quoted(word: str) -> str:
    return '"' + _escaped(word).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(value: object) -> str:
    return str(value).replace("%", "%%")


def _environment() -> dict[str, str]:
    """Nothing of the caller's libpq or proxy settings reaches the parts."""
    kept = ("PATH", "HOME", "USER", "LANG", "TMPDIR", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _process(stack: Stack) -> psutil.Process | None:
    """This stack's supervisord by its pid file; None when the file is stale or names a stranger."""
    try:
        process = psutil.Process(int(_pid_file(stack).read_text()))
        return process if str(_configuration(stack)) in process.cmdline() else None
    except (FileNotFoundError, ValueError, psutil.Error):
        return None


@contextmanager
def _rpc(stack: Stack) -> Iterator[Any]:
    transport = SupervisorTransport(serverurl=f"unix://{_socket(stack)}")
    try:
        yield xmlrpc.client.ServerProxy("http://localhost", transport=transport).supervisor
    finally:
        transport.close()


def _identity(stack: Stack) -> str:
    return "freehold-" + hashlib.sha256(str(stack.root).encode()).hexdigest()[:12]


def _configuration(stack: Stack) -> Path:
    return stack.run / "supervisord.conf"


def _pid_file(stack: Stack) -> Path:
    return stack.run / "supervisord.pid"


def _socket(stack: Stack) -> Path:
    """In the stack's folder, or under /tmp where that path is too long for a socket."""
    path = stack.run / "supervisor.sock"
    if len(str(path)) <= LONGEST_SOCKET_PATH:
        return path
    folder = Path(tempfile.gettempdir()) / f"freehold-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise StackError(f"{folder} belongs to another user: choose a shorter path with --root")
    return folder / f"{_identity(stack)}.sock"
