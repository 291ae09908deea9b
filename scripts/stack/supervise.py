"""Start, stop and watch the parts of a stack: a supervisord of its own keeps them running."""

from __future__ import annotations

import fcntl
import shutil
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psutil

from scripts.stack import postgres, supervisord
from scripts.stack.layout import HOST, Stack, StackError
from scripts.stack.parts import Part, parts

MIN_FREE_BYTES = 500 * 1024 * 1024
READY_WITHIN = 60.0
GIVE_UP_AFTER = 3  # times that a part ended while it was waited for


@dataclass(frozen=True)
class PartStatus:
    """One part as `status` shows it. `problem` is None when the part answers."""

    name: str
    title: str
    state: str
    pid: int | None
    ports: Mapping[str, int]
    restarts: int
    last_exit: str | None
    problem: str | None


def start(
    stack: Stack,
    *,
    overrides: Mapping[str, str] | None = None,
    say: Callable[[str], None] = lambda line: None,
    only: Collection[str] = (),
    tethered: bool = False,
) -> bool:
    """Start what is not running, and return once every part is ready; False when nothing had to be done.

    `only` names the parts to start, all of them without. `tethered` stops the stack when the calling thread
    ends, however it ends. Raises StackError.
    """
    stack = replace(stack, overrides=overrides or stack.overrides)
    every = parts(stack)
    wanted = [part for part in every if not only or part.name in only]
    with _one_at_a_time(stack):
        was_running = supervisord.running(stack)
        if not was_running:
            _check_disk(stack)
            _check_ports(every)
            postgres.ensure_cluster(stack, say)
        for part in every:
            part.configure()
        if not was_running:
            supervisord.launch(stack, every, tethered=tethered)
        restarted = supervisord.update(stack, every) if was_running else []
        for name in restarted:
            say(f"{name} is configured differently now: restarting it")
        started = [part for part in wanted if _start_part(stack, part)]
        _wait_ready(stack, wanted)
    return bool(restarted or started)


def stop(stack: Stack) -> bool:
    """Stop the stack's own processes and wait until they are gone; False when none ran."""
    with _one_at_a_time(stack):
        return supervisord.shut_down(stack)


def status(stack: Stack) -> list[PartStatus]:
    """Every part, running or not."""
    states = supervisord.states(stack)
    history = supervisord.exits(stack) if states else {}
    result = []
    for part in parts(stack):
        state = states.get(part.name)
        exits = history.get(part.name, [])
        result.append(
            PartStatus(
                name=part.name,
                title=part.title,
                state=state.name if state else "STOPPED",
                pid=state.pid if state else None,
                ports=part.ports,
                restarts=len(exits),
                last_exit=exits[-1] if exits else None,
                problem=part.problem() if state else "not started",
            )
        )
    return result


def last_lines(stack: Stack, part: str, count: int = 10) -> list[str]:
    """The end of a part's log."""
    path = supervisord.log_file(stack, part)
    return path.read_text(errors="replace").splitlines()[-count:] if path.exists() else []


@contextmanager
def _one_at_a_time(stack: Stack) -> Iterator[None]:
    """Two `up` or `down` of one stack wait for each other."""
    with (stack.run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _start_part(stack: Stack, part: Part) -> bool:
    """Start a part unless it runs. The others need the database, so that one is waited for."""
    started = supervisord.start_part(stack, part)
    if part.name == "postgres":
        _wait_ready(stack, [part])
    return started


def _wait_ready(stack: Stack, waiting: list[Part]) -> None:
    """Return when all are ready; raise StackError when one keeps ending, or time is up."""
    deadline = time.monotonic() + READY_WITHIN
    for part in waiting:
        exits_before = len(supervisord.exits(stack).get(part.name, []))
        while problem := part.problem():
            exits = len(supervisord.exits(stack).get(part.name, [])) - exits_before
            if exits >= GIVE_UP_AFTER or time.monotonic() > deadline:
                log = supervisord.log_file(stack, part.name)
                end = "\n".join(last_lines(stack, part.name))
                raise StackError(f"{part.title} did not get ready: {problem}; the end of {log}:\n{end}")
            time.sleep(0.05)


def _check_disk(stack: Stack) -> None:
    free = shutil.disk_usage(stack.root).free
    if free < MIN_FREE_BYTES:
        raise StackError(
            f"Only {free // 2**20} MB are free at {stack.root}, and {MIN_FREE_BYTES // 2**20} MB are needed: "
            "free some space, or choose another folder with --root"
        )


def _check_ports(all_parts: list[Part]) -> None:
    taken = [
        f"Port {port} ({part.title}) is in use{_user_of(port)}: stop that program, "
        f"or choose another port, as in `make up PORTS={name}={port + 1000}`"
        for part in all_parts
        for name, port in part.ports.items()
        if _in_use(port)
    ]
    if taken:
        raise StackError("\n".join(taken))


def _in_use(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _user_of(port: int) -> str:
    """The program that listens there, where the system lets us see it."""
    try:
        for connection in psutil.net_connections("tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr[1:2] == (port,)
                and connection.pid
            ):
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return ""


def remove(stack: Stack) -> None:
    """Stop the stack and remove all it kept: data, mails, keys, logs. Its ports stay as chosen."""
    stop(stack)
    for path in stack.root.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "ports.json":
            path.unlink()
