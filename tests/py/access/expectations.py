"""What is expected of access: tables that people wrote, read from tests/sql/matrix."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scripts.stack.layout import REPOSITORY

SQL_TESTS = REPOSITORY / "tests" / "sql"
MATRIX = SQL_TESTS / "matrix"
TWO_WORKSPACES = SQL_TESTS / "helpers" / "two_workspaces.sql"
COMMANDS = ("select", "insert", "update", "delete")
# Actors whose column in the table says nothing about a workspace, for they are not A's.
ELSEWHERE = ("anon", "outsider", "both", "manager_b", "service_role", "worker")


@dataclass(frozen=True)
class Cell:
    """One attempt: an actor's command on a table, on the rows of workspace `at`.

    `reached` is how many rows it sees or changes; None: the role has no grant for it.
    """

    table: str
    command: str
    at: str
    actor: str
    reached: int | None
    rows: int

    def __str__(self) -> str:
        return f"{self.actor} {self.command} {self.table} of workspace {self.at.upper()}"


@dataclass(frozen=True)
class Attempts:
    """How a table's rows are inserted, updated and deleted; see tests/sql/matrix/README.md."""

    insert: str
    update: str
    delete: str
    prepare: str = ""


@dataclass(frozen=True)
class Column:
    """What `authenticated` may do with a column."""

    table: str
    name: str
    select: bool
    insert: bool
    update: bool


@cache
def cells() -> tuple[Cell, ...]:
    """The matrix, table by table and line by line."""
    return tuple(
        Cell(
            path.stem,
            line["command"],
            line["at"],
            actor if actor in ELSEWHERE else f"{actor}_a",
            None if line[actor] == "x" else int(line[actor]),
            int(line["rows"]),
        )
        for path in _files("rows", "csv")
        for line in _lines(path)
        for actor in list(line)[3:]
    )


@cache
def attempts() -> dict[str, Attempts]:
    return {path.stem: Attempts(**tomllib.loads(path.read_text())) for path in _files("attempts", "toml")}


@cache
def columns() -> tuple[Column, ...]:
    """Every column of every table, and what clients may do with it."""
    return tuple(
        Column(path.stem, line["column"], *(line[verb] == "yes" for verb in ("select", "insert", "update")))
        for path in _files("columns", "csv")
        for line in _lines(path)
    )


def tables() -> list[str]:
    """Tables of the matrix, in its order."""
    return list(dict.fromkeys(cell.table for cell in cells()))


def actors() -> list[str]:
    return list(dict.fromkeys(cell.actor for cell in cells()))


def policy_test(table: str) -> Path:
    return SQL_TESTS / "policies" / f"test_{table}.sql"


def _files(kind: str, suffix: str) -> list[Path]:
    return sorted((MATRIX / kind).glob(f"*.{suffix}"))


def _lines(path: Path) -> Iterator[dict[str, str]]:
    """Rows of an aligned CSV file."""
    header, *body = [[field.strip() for field in row] for row in csv.reader(path.read_text().splitlines())]
    return (dict(zip(header, row, strict=True)) for row in body)
