"""What a database consists of, as far as migrations build it: a map from each object to its definition.

Most of it is what pg_dump writes, statement by statement. Roles, their memberships and settings, and the
settings and privileges of the database itself belong to the cluster, where pg_dump doesn't look: they are
read from the catalog. This sees what `supabase db diff` passes over, such as storage modes and statistics.
"""

from __future__ import annotations

import difflib
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg

from scripts.schema.files import SchemaError
from scripts.stack import postgres, tools
from scripts.stack.layout import Stack

# The CLI keeps its own record of migrations, and pgmq's tables are made by calls, as rows are.
NOT_OURS = ("supabase_migrations", "pgmq")

_HEADER = re.compile(
    r"^-- Name: (?P<name>.*); Type: (?P<type>[A-Z ]+); Schema: (?P<schema>[^;]*); Owner:.*$", re.M
)
_AROUND = re.compile(r"^(SET default_.*;|\\(un)?restrict .*|-- PostgreSQL database dump.*|--)$", re.M)
_CLUSTER: LiteralString = (Path(__file__).parent / "cluster.sql").read_text()

Catalog = Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """One object that is not the same on both sides; None where a side lacks it."""

    name: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.name}: only in the sources"
        if self.after is None:
            return f"{self.name}: only in the migrations"
        return f"{self.name}: not the same"

    def lines(self) -> list[str]:
        """What changed, as a diff without file names: `-` in the migrations, `+` in the sources."""
        before, after = (self.before or "").splitlines(), (self.after or "").splitlines()
        return list(difflib.unified_diff(before, after, lineterm="", n=0))[2:]


def read(stack: Stack, database: str = "postgres") -> Catalog:
    return {**objects(_dump(stack, database)), **_cluster_wide(stack, database)}


def compare(before: Catalog, after: Catalog) -> list[Difference]:
    names = sorted(before.keys() | after.keys())
    return [
        Difference(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]


def objects(dump: str) -> dict[str, str]:
    """A dump cut into objects. Neither their order counts, nor that of columns in a table or of grants."""
    found: dict[str, list[str]] = {}
    for name, kind, body in _statements(dump):
        found.setdefault(name, []).append(_settled(kind, body))
    return {name: "\n".join(sorted(bodies)) for name, bodies in found.items()}


def _statements(dump: str) -> Iterator[tuple[str, str, str]]:
    headers = list(_HEADER.finditer(dump))
    for header, following in zip(headers, [*headers[1:], None], strict=True):
        body = dump[header.end() : following.start() if following else len(dump)]
        schema = "" if header["schema"] == "-" else header["schema"] + "."
        kind, name = header["type"], header["name"]
        if kind in ("ACL", "COMMENT"):  # their names start with the type of what they are about
            of, _, name = name.partition(" ")
            yield f"{kind.lower()} of {of.lower()} {schema}{name}", kind, body
        else:
            yield f"{kind.lower()} {schema}{name}", kind, body


def _settled(kind: str, body: str) -> str:
    """The statement without what pg_dump says around it, in an order of its own where order means nothing."""
    text = _AROUND.sub("", body).strip()
    if kind in ("ACL", "DEFAULT ACL"):
        return "\n".join(sorted(filter(None, text.splitlines())))
    if kind == "TABLE":
        return "\n".join(sorted(line.rstrip(",") for line in text.splitlines() if line))
    return text


def _dump(stack: Stack, database: str) -> str:
    command = [
        str(tools.postgres_client("pg_dump")), "--schema-only",
        *(f"--exclude-schema={name}" for name in NOT_OURS),
        f"--dbname={stack.db_url(postgres.SUPERUSER, database)}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SchemaError(f"pg_dump failed: {done.stderr.strip()}")
    return done.stdout


def _cluster_wide(stack: Stack, database: str) -> dict[str, str]:
    with psycopg.connect(stack.db_url(postgres.SUPERUSER, database)) as connection:
        return dict(connection.execute(_CLUSTER).fetchall())
