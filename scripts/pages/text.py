"""Comments and types as a page shows them."""

from __future__ import annotations

_SHORT = {"timestamp with time zone": "timestamptz", "character varying": "text", "double precision": "float"}


def parted(words: str) -> tuple[str, str]:
    """A comment's title, which is its first line, and what follows."""
    title, _, rest = words.partition("\n")
    return title.strip(), rest.strip()


def cell(text: str) -> str:
    """On one line, with nothing that would end the cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def type_name(name: str) -> str:
    return _SHORT.get(name, name)


def grid(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table."""
    return [
        f"| {' | '.join(head)} |",
        f"|{' --- |' * len(head)}",
        *(f"| {' | '.join(row)} |".replace("|  |", "| |") for row in rows),
        "",
    ]
