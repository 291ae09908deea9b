"""What can be embedded in what: the catalog's foreign keys, in both directions, and across a third table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

Db = psycopg.Connection[Any]


@dataclass(frozen=True)
class Relation:
    """`table` may embed `embedded`; `hint` says by which foreign key or through which table."""

    table: str
    embedded: str
    hint: str

    def select(self, embedded: str = "*", join: str = "") -> str:
        """A `select` of all columns with the embedded rows as `e`; `join` is `!inner` or nothing."""
        return f"{self.table}?select=*,e:{self.embedded}!{self.hint}{join}({embedded})"

    def __str__(self) -> str:
        return f"{self.embedded} in {self.table} by {self.hint}"


def relations(db: Db) -> list[Relation]:
    keys = db.execute(
        """
        select c.relname, p.relname, f.conname
        from pg_constraint as f
        join pg_class as c on c.oid = f.conrelid
        join pg_class as p on p.oid = f.confrelid
        where
            f.contype = 'f'
            -- PostgREST can't be told which way to go along a key of several columns from a table to itself.
            and c.oid <> p.oid
            and c.relnamespace = 'public'::regnamespace
            and p.relnamespace = 'public'::regnamespace
        order by 1, 3
        """
    ).fetchall()
    return [*_both_ways(keys), *_across(keys)]


def _both_ways(keys: list[tuple[str, str, str]]) -> Iterator[Relation]:
    for child, parent, name in keys:
        yield Relation(child, parent, name)
        yield Relation(parent, child, name)


def _across(keys: list[tuple[str, str, str]]) -> Iterator[Relation]:
    """Two tables that a third one points to. PostgREST takes a part of these, and refuses the rest."""
    found = {
        Relation(one, other, child)
        for child, one, _ in keys
        for same, other, _ in keys
        if same == child and one != other and child not in (one, other)
    }
    yield from sorted(found, key=str)
