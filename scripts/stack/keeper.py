"""A stack that lives as long as another process: `python -m scripts.stack.keeper --owner PID --root DIR`.

Tests and benchmarks use it. Whatever happens to the owner, SIGKILL included, the stack stops and its folder
goes. If the keeper itself is killed, the stack stops with it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from threading import Event
from typing import Annotated

import psutil
import typer

from scripts.stack import migrations, postgres, supervise
from scripts.stack.layout import REPOSITORY, Ports, Stack, StackError

TEMPLATE = "template_migrated"
FAST = {
    "RATE_LIMIT_ADDRESS_PER_MINUTE": "1000000",
    "RATE_LIMIT_USER_PER_MINUTE": "1000000",
    "RATE_LIMIT_AUTH_PER_MINUTE": "1000000",
    "PASSWORD_HASH_COST": "4",
}
MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made there is checked to be ours
ENOUGH_MEMORY = 4 * 2**30
STARTED_WITHIN = 120.0
_launched: list[subprocess.Popen[bytes]] = []  # kept, or Python would complain that they outlive the call


def obtain(root: Path, owner: int) -> Stack:
    """The started, migrated stack in `root`, which ends with process `owner`. Raises StackError."""
    if _ready_mark(root).exists():
        return Stack.at(root, durable=False)
    command = [sys.executable, "-m", "scripts.stack.keeper", "--owner", str(owner), "--root", str(root)]
    with (root / "keeper.log").open("wb") as log:
        keeper = subprocess.Popen(
            command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    _launched.append(keeper)
    deadline = time.monotonic() + STARTED_WITHIN
    while not _ready_mark(root).exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            raise StackError(f"The stack for tests did not start:\n{(root / 'keeper.log').read_text()}")
        time.sleep(0.05)
    return Stack.at(root, durable=False)


def release(root: Path) -> None:
    """Stop the stack in `root`, if one was started, and remove the folder; returns when both are done."""
    with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):
        process = psutil.Process(int((root / "keeper.pid").read_text()))
        process.terminate()
        process.wait(60)
    shutil.rmtree(root, ignore_errors=True)


def new_root(name: str | None = None, *, in_memory: bool = True) -> Path:
    """A folder for one stack, with a path short enough for a socket.

    Who gives the same name gets the same folder. In memory, where there is enough of it, a new database takes
    20 ms instead of 600; benchmarks want a disk.
    """
    fits = in_memory and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ENOUGH_MEMORY
    parent = MEMORY if fits else Path(tempfile.gettempdir())
    root = parent / f"freehold-stack-{name or uuid.uuid4().hex}"
    root.mkdir(mode=0o700, exist_ok=name is not None)
    if root.stat().st_uid != os.geteuid():
        raise StackError(f"{root} belongs to another user: remove it")
    return root


def keep(
    owner: Annotated[int, typer.Option(help="Process id; the stack stops when it ends.")],
    root: Annotated[Path, typer.Option(help="An empty folder; it is removed in the end.")],
) -> None:
    """Start a migrated stack on free ports and wait for the owner's end."""
    process = psutil.Process(owner)
    told_to_stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: told_to_stop.set())
    (root / "keeper.pid").write_text(str(os.getpid()))
    stack = Stack.at(root, Ports.free(), durable=False)
    try:
        start_migrated(stack)
        _ready_mark(root).touch()
        while _alive(process) and not told_to_stop.wait(0.2):
            pass
    finally:
        supervise.stop(stack)
        if not _alive(process):
            shutil.rmtree(root, ignore_errors=True)
        elif not _ready_mark(root).exists():
            # The owner reads the log. The data of a start that failed serves nobody, and may be in memory.
            shutil.rmtree(stack.data, ignore_errors=True)


def start_migrated(stack: Stack) -> None:
    """Migrate before PostgREST reads the schema; keep a migrated copy that new databases are made from."""
    supervise.start(stack, only=("postgres",), tethered=True, overrides=FAST)
    postgres.create_database(stack, TEMPLATE)
    for database in (TEMPLATE, "postgres"):
        migrations.push(stack, database)
    supervise.start(stack, tethered=True, overrides=FAST)


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _ready_mark(root: Path) -> Path:
    return root / "run" / "ready"


if __name__ == "__main__":
    typer.run(keep)
