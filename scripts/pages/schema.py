"""docs/reference/schema.md: every table with its columns and keys, and diagrams of how they hang together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from scripts.pages.catalog import Column, Db, Reference, Table, Unique, tables
from scripts.pages.text import cell, grid, parted, type_name

INTRODUCTION = """\
# The schema

Every table of the API, by topic. A diagram shows a topic's tables with their keys, and what they point to
elsewhere. It leaves out that every row belongs to a workspace: each table but `workspaces` has a
`workspace_id`, and every line between two tables carries it, so that a row can't point into another one.
Who may read and write what is told in [access.md](access.md).

This page is written from the database's catalog and its comments:
`python -m scripts.document_schema` writes it anew.
"""
_ON_DELETE = {
    "c": "goes with it",
    "n": "emptied when it is deleted",
    "d": "reset when it is deleted",
    "a": "keeps it from being deleted",
    "r": "keeps it from being deleted",
}


def page(db: Db, grouped: Mapping[str, list[str]]) -> str:
    every = {table.name: table for table in tables(db)}
    lines = [INTRODUCTION, "| topic | tables |", "| --- | --- |"]
    lines += [
        f"| [{topic}](#topic-{topic.lower().replace(' ', '-')}) | {', '.join(map(_link, names))} |"
        for topic, names in grouped.items()
    ]
    for topic, names in grouped.items():
        chosen = [every[name] for name in names]
        lines += ["", f"## Topic: {topic.lower()}", "", *_diagram(chosen, every)]
        for table in chosen:
            lines += _section(table)
    return "\n".join(lines).rstrip() + "\n"


def _link(name: str) -> str:
    return f"[{name}](#{name})"


def _diagram(chosen: list[Table], every: Mapping[str, Table]) -> Iterator[str]:
    """The topic's tables with their keys; tables of other topics that they point to are boxes without any."""
    lines = [line for table in chosen for line in _entity(table)]
    lines += [line for table in chosen for each in table.references if (line := _relation(each, every))]
    if len(lines) > 2:
        yield from ["```mermaid", "erDiagram", *lines, "```", ""]


def _entity(table: Table) -> Iterator[str]:
    primary = {name for key in table.unique if key.primary for name in key.columns}
    pointing = {name for each in table.references for name in each.own}
    yield f"    {table.name} {{"
    for column in table.columns:
        marks = [mark for mark, names in (("PK", primary), ("FK", pointing)) if column.name in names]
        if marks and column.name != "workspace_id":
            kind = re.sub(r"[^a-z0-9]+", "_", type_name(column.type))
            yield f"        {kind} {column.name} {', '.join(marks)}"
    yield "    }"


def _relation(reference: Reference, every: Mapping[str, Table]) -> str | None:
    """A line of the diagram; the one to a row's own workspace says nothing."""
    if reference.schema != "public" or reference.columns == ["workspace_id"]:
        return None
    table = every[reference.table]
    required = all(column.required for column in table.columns if column.name in reference.columns)
    single = any(set(key.columns) <= set(reference.columns) and not key.where for key in table.unique)
    parent, child = "||" if required else "|o", "o|" if single else "o{"
    return f'    {reference.parent} {parent}--{child} {reference.table} : "{", ".join(reference.own)}"'


def _section(table: Table) -> Iterator[str]:
    title, body = parted(table.words)
    yield f"### {table.name}\n"
    yield f"{title}\n"
    if body:
        yield f"{body}\n"
    yield from grid(
        ["column", "type", "", "what it is"],
        [
            [f"`{column.name}`", cell(type_name(column.type)), _given(column), cell(column.words)]
            for column in table.columns
        ],
    )
    facts = [*_pointing(table), *(_alone(key) for key in table.unique if _telling(key))]
    if facts:
        yield from [*(f"- {fact}" for fact in facts), ""]


def _given(column: Column) -> str:
    if column.generated:
        return "computed"
    if column.default:
        return f"`{cell(re.sub(r'::[a-z ]+$', '', column.default))}`"
    return "required" if column.required else ""


def _pointing(table: Table) -> Iterator[str]:
    for each in table.references:
        names = ", ".join(f"`{name}`" for name in each.own)
        parent = _link(each.parent) if each.schema == "public" else f"`{each.schema}.{each.parent}`"
        yield f"{names} → {parent}: {_ON_DELETE[each.on_delete]}"


def _telling(key: Unique) -> bool:
    """Whether the key says something of the domain; that ids differ goes without saying."""
    return "id" not in key.columns


def _alone(key: Unique) -> str:
    columns = ", ".join(f"`{name}`" for name in key.columns if name != "workspace_id") or "`workspace_id`"
    return f"one row for each {columns}{f' where `{cell(key.where)}`' if key.where else ''}"
