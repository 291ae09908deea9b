"""PostgreSQL as a part: a cluster that is made whole or not at all, and its configuration."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from scripts.stack import tools
from scripts.stack.layout import HOST, Stack, StackError, write_private

HERE = Path(__file__).parent
SUPERUSER = "supabase_admin"


def command(stack: Stack, data: Path | None = None) -> list[str]:
    return [*tools.unprivileged(), str(tools.postgres_program("postgres")), "-D", str(data or stack.data)]


def problem(stack: Stack, database: str = "postgres") -> str | None:
    """Why the server doesn't answer, or None when it does."""
    try:
        with psycopg.connect(stack.db_url(SUPERUSER, database), connect_timeout=2) as connection:
            connection.execute("select 1")
    except psycopg.OperationalError as error:
        return str(error).strip().splitlines()[-1]
    return None


def ensure_cluster(stack: Stack, say: Callable[[str], None]) -> None:
    """Make the cluster with Supabase's roles and schemas, unless it is there.

    It is made in `data.new` and gets its name once it is complete. So what an interrupted start leaves behind
    holds no data of anybody's and is safe to throw away.
    """
    if stack.data.exists():
        if not (stack.data / "PG_VERSION").exists():
            raise StackError(
                f"{stack.data} is not a database: move it away, or run `make reset` to start empty"
            )
        return
    draft = stack.root / "data.new"
    if draft.exists():
        say("An earlier start was interrupted while it made the database: starting over (it held no data)")
        shutil.rmtree(draft)
    say("Creating the database")
    _initialise(stack, draft)
    configure(stack, draft)
    with _running(stack, draft):
        _bootstrap(stack)
    if stack.durable:
        _run_initdb(stack, draft, "--sync-only")
    draft.rename(stack.data)


def configure(stack: Stack, data: Path) -> None:
    """Write postgresql.conf and pg_hba.conf; supervise.py restarts the server when they change."""
    settings: dict[str, str | int] = {
        "listen_addresses": HOST,
        "port": stack.ports.db,
        "unix_socket_directories": "",
        "max_connections": 200,
        "shared_buffers": "128MB",
        "max_wal_size": "2GB",
        "shared_preload_libraries": "pg_stat_statements",
        "search_path": '"$user", public, extensions',
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %q%u@%d %a ",
        "log_checkpoints": "off",
        "log_lock_waits": "on",
        "password_encryption": "scram-sha-256",
        "idle_in_transaction_session_timeout": 0,
    }
    if not stack.durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings["dynamic_shared_memory_type"] = "mmap"  # in the data folder, so that it goes with it

    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    _write(data / "postgresql.conf", "# Written by scripts/stack at each start.\n" + "\n".join(lines) + "\n")
    _write(data / "pg_hba.conf", f"host all all {HOST}/32 scram-sha-256\n")


def create_database(stack: Stack, name: str, template: str = "template1") -> str:
    """Make a database and return its URL. From `template1` it is as empty as a new hosted project."""
    with psycopg.connect(stack.db_url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    return stack.db_url(database=name)


def drop_database(stack: Stack, name: str) -> None:
    with psycopg.connect(stack.db_url(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _bootstrap(stack: Stack) -> None:
    """Roles, schemas, auth and pgmq go into template1; `postgres` is made from it like any other database."""
    with psycopg.connect(stack.db_url(SUPERUSER, "template1")) as connection:
        connection.execute((HERE / "roles.sql").read_bytes())
        auth = HERE / "auth.sql"
        if auth.exists():
            connection.execute(auth.read_bytes())
        connection.execute("set local role postgres")
        connection.execute("set local client_min_messages = warning")
        connection.execute(_pgmq_sql())
    with psycopg.connect(stack.db_url(SUPERUSER, "template1"), autocommit=True) as connection:
        connection.execute("drop database postgres")
        connection.execute("create database postgres owner postgres")


def _pgmq_sql() -> bytes:
    import pgmq

    return (Path(pgmq.__file__).parent / "sql" / "pgmq.sql").read_bytes()


def _initialise(stack: Stack, data: Path) -> None:
    password = stack.run / "initdb-password"
    write_private(password, "postgres")
    data.mkdir(mode=0o700)
    _admit_other_user(stack, data, password)
    try:
        _run_initdb(
            stack, data, f"--username={SUPERUSER}", f"--pwfile={password}", "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync",
        )  # fmt: skip
    finally:
        password.unlink(missing_ok=True)


def _run_initdb(stack: Stack, data: Path, *options: str) -> None:
    initdb = [*tools.unprivileged(), str(tools.postgres_program("initdb")), "-D", str(data), *options]
    done = subprocess.run(
        initdb, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}, check=False
    )
    if done.returncode in (-signal.SIGINT, 128 + signal.SIGINT) or "caught signal" in done.stdout:
        raise KeyboardInterrupt
    if done.returncode:
        (stack.log / "initdb.log").write_text(done.stdout + done.stderr)
        reason = (done.stderr or done.stdout).strip().splitlines()[-1]
        raise StackError(f"initdb failed: {reason} (more in {stack.log / 'initdb.log'})")


@contextmanager
def _running(stack: Stack, data: Path) -> Iterator[None]:
    log = stack.log / "bootstrap.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            tools.tethered("INT", command(stack, data)),
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
    try:
        deadline = time.monotonic() + 60
        while reason := problem(stack, "template1"):
            if server.poll() is not None or time.monotonic() > deadline:
                last = log.read_text().strip().splitlines()[-1:]
                raise StackError(f"PostgreSQL did not start: {last[0] if last else reason} (more in {log})")
            time.sleep(0.05)
        yield
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)


def _write(path: Path, text: str) -> None:
    """Write in place, so that the file keeps the owner that the server needs."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def _admit_other_user(stack: Stack, data: Path, password: Path) -> None:
    """Where root runs Postgres as another user, give that user the data folder and a way in."""
    if tools.unprivileged() != tools.AS_NOBODY:
        return
    for folder in (stack.root, stack.run):
        folder.chmod(0o711)
    for path in (data, password):
        os.chown(path, tools.NOBODY, tools.NOBODY)
    entered = subprocess.run([*tools.unprivileged(), "test", "-w", str(data)], check=False)
    if entered.returncode:
        raise StackError(
            f"PostgreSQL runs as `nobody` here and can't reach {stack.root}: "
            "choose a folder that others may enter, with --root"
        )
