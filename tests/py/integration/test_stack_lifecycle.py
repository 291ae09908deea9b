"""Starting, stopping, dying and coming back: what `up`, `down`, `status` and `reset` do to real processes."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from scripts.stack import keeper, supervise, supervisord, tools
from scripts.stack.layout import HOST, REPOSITORY, Ports, Stack, StackError
from tests.py.support import wait_until


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder for a stack; what still runs in it in the end is stopped."""
    path = keeper.new_root()
    yield path
    keeper.release(path)


@pytest.fixture
def small(root: Path) -> Iterator[Stack]:
    """A stack of this test's own that is not started yet."""
    stack = Stack.at(root, Ports.free(), durable=False)
    yield stack
    if root.exists():
        supervise.stop(stack)


@pytest.fixture(scope="module")
def whole() -> Iterator[Stack]:
    """A started stack whose parts this module may kill."""
    root = keeper.new_root()
    yield keeper.obtain(root, os.getpid())
    keeper.release(root)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with any stack."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def start(stack: Stack, *only: str) -> bool:
    return supervise.start(stack, only=only, tethered=True)


def pids(stack: Stack) -> dict[str, int | None]:
    return {name: state.pid for name, state in supervisord.states(stack).items()}


def processes_in(root: Path) -> list[psutil.Process]:
    """Every process whose command line names the stack's folder; one that has ended has no command line."""
    everything = psutil.process_iter(["cmdline"])
    return [each for each in everything if any(str(root) in word for word in each.info["cmdline"] or [])]


def test_the_second_start_changes_nothing(whole: Stack) -> None:
    before = pids(whole)
    assert supervise.start(whole, overrides=keeper.FAST) is False
    assert pids(whole) == before


@pytest.mark.parametrize("name", ["postgres", "postgrest", "auth", "mailbox", "edge", "gateway"])
def test_a_killed_part_is_restarted_and_the_status_says_so(whole: Stack, name: str) -> None:
    def now() -> supervise.PartStatus:
        return next(part for part in supervise.status(whole) if part.name == name)

    before = now()
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    after = wait_until(lambda: (part := now()).pid != before.pid and not part.problem and part, within=30)
    assert after
    assert after.last_exit is not None
    killed = after.last_exit.startswith("terminated by SIGKILL at 20")
    # PostgreSQL may be started once too early, while processes of the one killed still hold its memory.
    twice = name == "postgres" and after.restarts == before.restarts + 2
    assert twice or (killed and after.restarts == before.restarts + 1), after


def test_the_api_works_again_after_the_database_was_killed(whole: Stack) -> None:
    victim = pids(whole)["postgres"]
    assert victim is not None
    os.kill(victim, signal.SIGKILL)

    def answers() -> bool:
        url = f"http://{HOST}:{whole.ports.postgrest}/"
        try:
            return httpx.get(url, trust_env=False).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    wait_until(lambda: pids(whole)["postgres"] not in (victim, None) and answers(), within=30)


def test_data_and_mails_survive_down_and_up(small: Stack) -> None:
    start(small)
    with psycopg.connect(small.db_url()) as connection:
        connection.execute("create table public.kept as select 42 as answer")
    mails = f"http://{HOST}:{small.ports.mailbox_http}/api/v1/messages"
    send_mail(small)

    assert supervise.stop(small) is True
    assert processes_in(small.root) == []
    start(small)

    with psycopg.connect(small.db_url()) as connection:
        assert connection.execute("select answer from public.kept").fetchone() == (42,)
    assert httpx.get(mails, trust_env=False).json()["total"] == 1


def send_mail(stack: Stack) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", "b@example.com", "kept"
    with smtplib.SMTP(HOST, stack.ports.smtp) as smtp:
        smtp.send_message(mail)


def test_reset_removes_the_data_and_keeps_the_ports(small: Stack) -> None:
    start(small, "postgres")
    supervise.remove(small)
    assert processes_in(small.root) == []
    assert [path.name for path in small.root.iterdir()] == ["ports.json"]
    assert Stack.at(small.root).ports == small.ports
    assert Stack.at(small.root).keys != small.keys


def test_a_port_in_use_is_named_with_its_part_its_user_and_the_way_out(small: Stack) -> None:
    with socket.socket() as other:
        other.bind((HOST, small.ports.db))
        other.listen()
        with pytest.raises(StackError) as error:
            start(small)
    assert f"Port {small.ports.db} (PostgreSQL 17) is in use by" in str(error.value)
    assert f"(pid {os.getpid()})" in str(error.value)
    assert "make up PORTS=db=" in str(error.value)
    assert not small.data.exists()


def test_a_stack_moves_to_ports_chosen_anew(small: Stack) -> None:
    start(small, "postgres")
    moved = Stack.at(small.root, small.ports.changed({"db": Ports.free().db}), durable=False)
    assert start(moved, "postgres") is True
    with psycopg.connect(moved.db_url()) as connection:
        assert connection.execute("show port").fetchone() == (str(moved.ports.db),)


def test_a_start_killed_while_it_makes_the_database_is_repaired(small: Stack) -> None:
    up = subprocess.Popen(
        [sys.executable, "-m", "scripts.stack", "up", "--root", str(small.root)],
        cwd=REPOSITORY,
        stderr=subprocess.DEVNULL,
    )
    wait_until((small.root / "data.new" / "PG_VERSION").exists)
    up.kill()
    up.wait()
    wait_until(lambda: not processes_in(small.root))
    assert not small.data.exists()

    said: list[str] = []
    supervise.start(small, only=["postgres"], tethered=True, say=said.append)
    assert "An earlier start was interrupted" in said[0]
    with psycopg.connect(small.db_url()) as connection:
        assert connection.execute("select to_regclass('auth.users') is not null").fetchone() == (True,)


def test_a_folder_that_is_no_database_is_left_alone(small: Stack) -> None:
    small.data.mkdir()
    (small.data / "diary.txt").write_text("dear diary")
    with pytest.raises(StackError, match=r"is not a database: move it away, or run `make reset`"):
        start(small, "postgres")
    assert (small.data / "diary.txt").read_text() == "dear diary"


def test_down_does_not_end_a_stranger_that_a_stale_pid_file_names(
    small: Stack, stranger: subprocess.Popen[bytes]
) -> None:
    (small.run / "supervisord.pid").write_text(str(stranger.pid))
    assert supervise.stop(small) is False
    assert stranger.poll() is None


def test_parts_end_with_a_killed_supervisor_and_the_next_start_works(small: Stack) -> None:
    start(small, "postgres", "postgrest")
    os.kill(int((small.run / "supervisord.pid").read_text()), signal.SIGKILL)
    wait_until(lambda: not processes_in(small.root))
    assert start(small, "postgres", "postgrest") is True
    assert [part.problem for part in supervise.status(small)][:2] == [None, None]


def test_a_killed_test_run_leaves_nothing_behind(root: Path, stranger: subprocess.Popen[bytes]) -> None:
    keeper.obtain(root, stranger.pid)
    stranger.kill()
    wait_until(lambda: not root.exists() and not processes_in(root), within=30)


def test_a_killed_keeper_takes_its_stack_along(root: Path) -> None:
    keeper.obtain(root, os.getpid())
    os.kill(int((root / "keeper.pid").read_text()), signal.SIGKILL)
    wait_until(lambda: not processes_in(root), within=30)


def test_a_part_that_cannot_start_is_named_with_the_end_of_its_log(
    small: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEHOLD_ENV", "production")
    with pytest.raises(StackError, match=r"Auth \(stand-in\) did not get ready(.|\n)*FREEHOLD_ENV=local"):
        start(small)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_without_user_namespaces_runs_postgres_as_nobody(
    small: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "unprivileged", lambda: tools.AS_NOBODY)
    start(small, "postgres")
    server = pids(small)["postgres"]
    assert server is not None
    assert psutil.Process(server).username() == "nobody"
