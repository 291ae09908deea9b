"""The cluster that benchmarks run on: a stack of their own, durable as in production, gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from scripts.stack import keeper, migrations, postgres, supervise
from scripts.stack.layout import Ports, Stack

PARTS = ("postgres", "postgrest", "gateway")
# What a small hosted project has, instead of the few megabytes that a laptop's stack asks for.
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "autovacuum_naptime": "10s"}


@contextmanager
def started() -> Iterator[Stack]:
    """A running, migrated stack on free ports. It ends with the block, or with this process."""
    root = Path(tempfile.mkdtemp(prefix="freehold-bench-"))
    root.chmod(0o711)
    stack = Stack.at(root, Ports.free())
    try:
        supervise.start(stack, only=("postgres",), tethered=True, overrides=keeper.FAST)
        with superuser(stack, "postgres") as connection:
            for name, value in SETTINGS.items():
                connection.execute(f"alter system set {name} = '{value}'".encode())
        migrations.push(stack)
        supervise.stop(stack)
        supervise.start(stack, only=PARTS, tethered=True, overrides=keeper.FAST)
        yield stack
    finally:
        supervise.stop(stack)
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def database(stack: Stack, name: str) -> Iterator[str]:
    """The name of a migrated database of its own, dropped afterwards."""
    postgres.create_database(stack, name)
    migrations.push(stack, name)
    yield name
    postgres.drop_database(stack, name)


def fill(connection: psycopg.Connection[Any], script: Path, **values: int) -> None:
    """Run the script's statements, each by itself, with `%(name)s` in them as `values` say."""
    for statement in (script.read_text() % values).split(";\n"):
        connection.execute(statement.encode())
    connection.execute("reset session_replication_role")


@contextmanager
def superuser(stack: Stack, name: str) -> Iterator[psycopg.Connection[Any]]:
    """Each statement by itself. Filling tables by the million takes a superuser: it switches triggers off."""
    with psycopg.connect(stack.db_url(postgres.SUPERUSER, name), autocommit=True) as connection:
        yield connection
