"""Write docs/reference/access.md from the expectations that the tests hold the database to.

`python -m scripts.document_access` writes it; `--check` fails when it is out of date.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from scripts.pages.topics import SOURCES, topics
from scripts.stack.layout import REPOSITORY
from tests.py.access import expectations
from tests.py.access.expectations import Cell

PAGE = REPOSITORY / "docs" / "reference" / "access.md"
COLUMNS = {
    "owner": "owner_a",
    "admin": "admin_a",
    "manager": "manager_a",
    "accountant": "accountant_a",
    "viewer": "viewer_a",
    "renter": "renter_a",
    "occupant": "occupant_a",
    "former renter": "former_a",
    "vendor": "vendor_a",
    "vendor without work": "unassigned_a",
    "service role": "service_role",
}
# They have nothing in any table; the page says so once.
NOBODIES = ("anon", "outsider", "suspended_a", "removed_a", "manager_b", "worker")
INTRODUCTION = """\
# Who may do what

What each person may do with each table over the API, in their own workspace. It is written from
[tests/sql/matrix](../../tests/sql/matrix/README.md), to which every test run holds the
database: `python -m scripts.document_access` writes it anew. How access works is told in
[explanation/access.md](../explanation/access.md).

| sign | meaning |
| --- | --- |
| ● | all rows of the workspace |
| ◐ | some of them: in the tests, so many |
| ○ | none: a read is empty, a change changes nothing, an insert is 403 `42501` |
| | refused without a look at any row: 403 `42501`, permission denied |

A former renter's only lease has ended; from a vendor without work, all of it was taken. A suspended member, a
removed one, somebody who belongs to no workspace and a member of another one have ○ at best, everywhere.
Without a signed-in person (the anon key) every table answers 401, and the worker's key reads and writes none.
Somebody who belongs to two workspaces has in each what their role there allows, and no more.

Access comes first, and the rules of the domain stand behind it: a lease that has begun cannot be deleted by
anybody, for one. What is more than a row goes through [functions](rpcs.md): memberships, invitations, a
lease's beginning and end, imports, the outcome of a message. What a table holds is told in
[schema.md](schema.md).
"""


def page() -> str:
    """Tables stand under their topics, in the order of the sources."""
    lines = [INTRODUCTION]
    for topic, tables in topics(SOURCES).items():
        lines += [f"## {topic}\n", *(_section(table) for table in tables)]
    return "\n".join(lines)


def _section(table: str) -> str:
    cells = {
        (cell.command, cell.actor): cell
        for cell in expectations.cells()
        if (cell.table, cell.at) == (table, "a")
    }
    lines = [
        f"| {command} | " + " | ".join(_sign(cells[command, actor]) for actor in COLUMNS.values()) + " |"
        for command in expectations.COMMANDS
    ]
    head = ["", *COLUMNS]
    return "\n".join(
        [
            f"### {table}\n",
            f"| {' | '.join(head)} |",
            f"|{' --- |' * len(head)}",
            *lines,
            "",
            *_columns(table),
        ]
    )


def _sign(cell: Cell) -> str:
    if cell.reached is None:
        return ""
    if cell.reached == 0:
        return "○"
    return "●" if cell.reached == cell.rows else f"◐ {cell.reached} of {cell.rows}"


def _columns(table: str) -> list[str]:
    """What may be written, in words; a table that nobody writes needs none."""
    columns = [column for column in expectations.columns() if column.table == table]
    said = {
        "Given on insert": [column.name for column in columns if column.insert],
        "Changed by update": [column.name for column in columns if column.update],
        "Read by nobody": [column.name for column in columns if not column.select],
    }
    return [f"{what}: {', '.join(f'`{name}`' for name in names)}.\n" for what, names in said.items() if names]


def main(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when it is out of date.")
    ] = False,
) -> None:
    """Write docs/reference/access.md."""
    current = PAGE.read_text() if PAGE.exists() else ""
    if check and current != page():
        sys.exit("docs/reference/access.md is out of date: run `python -m scripts.document_access`")
    if not check:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page())


if __name__ == "__main__":
    typer.run(main)
