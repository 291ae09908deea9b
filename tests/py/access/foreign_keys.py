"""Foreign keys of the catalog that carry the workspace, and tables laid bare but for one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

Db = psycopg.Connection[Any]


@dataclass(frozen=True)
class Key:
    """A foreign key of `table` whose first column is the workspace: `columns` point at `target`s."""

    name: str
    table: str
    parent: str
    columns: tuple[str, ...]
    targets: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.table} ({', '.join(self.columns)})"

    @property
    def identifiers(self) -> dict[str, sql.Composable]:
        return {
            "table": sql.Identifier("public", self.table),
            "parent": sql.Identifier(*self.parent.split(".")),
            "own": sql.SQL(", ").join(map(sql.Identifier, self.columns)),
            "foreign": sql.SQL(", ").join(
                sql.SQL("p.{}").format(sql.Identifier(name)) for name in self.targets
            ),
        }


def keys(db: Db) -> list[Key]:
    """Every foreign key of `public` that carries the workspace, without the workspace's own columns."""
    found = db.execute(
        """
        select
            f.conname,
            c.relname,
            p.relnamespace::regnamespace || '.' || p.relname,
            array_agg(a.attname::text order by k.position) filter (where a.attname <> 'workspace_id'),
            array_agg(t.attname::text order by k.position) filter (where a.attname <> 'workspace_id')
        from pg_constraint as f
        join pg_class as c on c.oid = f.conrelid
        join pg_class as p on p.oid = f.confrelid
        cross join lateral unnest(f.conkey, f.confkey) with ordinality as k (own, target, position)
        join pg_attribute as a on a.attrelid = f.conrelid and a.attnum = k.own
        join pg_attribute as t on t.attrelid = f.confrelid and t.attnum = k.target
        where f.contype = 'f' and c.relnamespace = 'public'::regnamespace
        group by f.oid, c.relname, p.oid
        having bool_or(t.attname = 'workspace_id')
        order by 2, 1
        """
    ).fetchall()
    return [
        Key(name, table, parent, tuple(own), tuple(targets)) for name, table, parent, own, targets in found
    ]


@contextmanager
def nothing_but(db: Db, key: Key) -> Iterator[None]:
    """The key's table without its rules, checks and every other key from it or to it. Undone afterwards.

    A column of the key that the database works out becomes one that can be set.
    """
    others = db.execute(
        """
        select conrelid::regclass::text, conname
        from pg_constraint
        where
            conname <> %(name)s
            and (
                (conrelid = %(table)s::regclass and contype in ('c', 'f', 'x'))
                or (confrelid = %(table)s::regclass and contype = 'f')
            )
        """,
        {"name": key.name, "table": f"public.{key.table}"},
    ).fetchall()
    worked_out = db.execute(
        """
        select attname
        from pg_attribute
        where attrelid = %s::regclass and attname = any (%s) and attgenerated <> ''
        """,
        [f"public.{key.table}", list(key.columns)],
    ).fetchall()
    with savepoint(db):
        table = key.identifiers["table"]
        for (column,) in worked_out:
            db.execute(
                sql.SQL("alter table {} alter column {} drop expression").format(
                    table, sql.Identifier(column)
                )
            )
        db.execute(sql.SQL("alter table {} disable trigger user").format(table))
        for owner, name in others:
            db.execute(
                sql.SQL("alter table {} drop constraint if exists {}").format(
                    sql.SQL(owner), sql.Identifier(name)
                )
            )
        yield


@contextmanager
def savepoint(db: Db) -> Iterator[None]:
    db.execute("savepoint attacked")
    try:
        yield
    finally:
        db.execute("rollback to savepoint attacked; release savepoint attacked")
