"""Build a database from the sources, as role `postgres`, the way a migration would run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from scripts.schema.files import Project, SchemaError
from scripts.stack.layout import Stack


def load_sources(stack: Stack, project: Project, database: str = "postgres") -> None:
    """Run every source file in order, in one transaction. Raises SchemaError with file and line.

    Bodies of functions are not looked into: a function may call one of a later file, as in a migration that
    the diff writes.
    """
    with psycopg.connect(stack.db_url(database=database)) as connection:
        connection.execute("set local check_function_bodies = off")
        for path in project.sources:
            _run(connection, path, project)


def _run(connection: psycopg.Connection[Any], path: Path, project: Project) -> None:
    text = path.read_text()
    try:
        connection.execute(text.encode())
    except psycopg.Error as error:
        position = error.diag.statement_position
        line = f":{text.count(chr(10), 0, int(position) - 1) + 1}" if position else ""
        hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
        message = error.diag.message_primary or str(error)
        raise SchemaError(f"{project.shown(path)}{line}: {message}{hint}") from error
