"""docs/reference/rpcs.md: every function of the API, from its comment and its signature."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scripts.pages.catalog import Db, Function, functions, tables
from scripts.pages.text import cell, grid, parted, type_name

INTRODUCTION = """\
# Functions of the API

What is more than a row goes through a function: `POST /rest/v1/rpc/<name>` with the arguments as a JSON
object. Those that only read can be asked by `GET` as well, with the arguments in the query. Each acts as the
signed-in caller. The codes that a call is refused with are told in [errors.md](errors.md).

This page is written from the functions' own comments, which the API's OpenAPI document shows too:
`python -m scripts.document_schema` writes it anew.
"""
WORKERS = """\
## For the workers

The role `worker` alone executes these, with the header `Content-Profile: worker`. They are Freehold's own,
and change with it.
"""


def page(db: Db) -> str:
    rows_of = {table.name for table in tables(db)}
    public = functions(db, "public")
    lines = [INTRODUCTION]
    for title, reads in (("Reads", True), ("Changes", False)):
        chosen = [function for function in public if function.reads == reads]
        if chosen:
            lines += [f"## {title}\n", *(line for each in chosen for line in _section(each, rows_of))]
    lines += [WORKERS, *(line for each in functions(db, "worker") for line in _section(each, rows_of))]
    return "\n".join(lines)


def _section(function: Function, rows_of: set[str]) -> Iterator[str]:
    title, body = parted(function.words)
    yield f"### {function.name}\n"
    yield f"{title}.\n"
    if function.arguments:
        given = zip(function.arguments, function.types, function.defaults, strict=True)
        yield from grid(
            ["argument", "type", ""],
            [
                [f"`{name}`", cell(type_name(kind)), "required" if default is None else _default(default)]
                for name, kind, default in given
            ],
        )
    if function.returns not in ("json", "jsonb"):  # of which the comment tells
        yield f"Answers {_answer(function.returns, rows_of)}.\n"
    yield f"{body}\n"


def _default(expression: str) -> str:
    """What an argument is when it is left out."""
    bare = re.sub(r"::[a-z ]+(\[\])?$", "", expression)
    return "optional" if bare.upper() == "NULL" else f"else `{cell(bare)}`"


def _answer(returns: str, rows_of: set[str]) -> str:
    """The shape of the answer, in words."""
    if match := re.fullmatch(r"TABLE\((.*)\)", returns):
        return "rows of " + ", ".join(f"`{column.split()[0]}`" for column in _split(match[1]))
    many, kind = returns.startswith("SETOF "), returns.removeprefix("SETOF ").removeprefix("public.")
    if kind in rows_of:
        return f"{'rows' if many else 'a row'} of [{kind}](schema.md#{kind})"
    if kind == "void":
        return "nothing (204)"
    return f"{'a list of ' if many else ''}{'JSON' if kind in ('json', 'jsonb') else type_name(kind)}"


def _split(columns: str) -> list[str]:
    """The columns of a TABLE(...), whose types may hold commas in parentheses."""
    return [column.strip() for column in re.split(r",(?![^()]*\))", columns)]
