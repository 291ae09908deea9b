"""Compare what the roles of the API are granted with the list of columns that people wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from tests.py.access import expectations

# They pass by row security, and nothing of the API needs them.
BESIDE_ROWS = ("truncate", "references", "trigger", "maintain")


def surprises(connection: psycopg.Connection[Any], table: str | None = None) -> Iterator[str]:
    """Each grant that is missing or too many, on one table or on all."""
    granted = connection.execute(
        """
        select
            c.relname,
            a.attname,
            has_column_privilege('authenticated', c.oid, a.attnum, 'select'),
            has_column_privilege('authenticated', c.oid, a.attnum, 'insert'),
            has_column_privilege('authenticated', c.oid, a.attnum, 'update')
        from pg_class as c
        join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where
            c.relnamespace = 'public'::regnamespace
            and c.relkind in ('r', 'p')
            and c.relname = coalesce(%s, c.relname)
        """,
        [table],
    )
    seen = {(name, column): privileges for name, column, *privileges in granted}
    listed = {
        (column.table, column.name): [column.select, column.insert, column.update]
        for column in expectations.columns()
        if table in (None, column.table)
    }
    for name, column in sorted(seen.keys() | listed.keys()):
        expected, found = listed.get((name, column)), seen.get((name, column))
        if expected != found:
            yield f"{name}.{column}: expected {_verbs(expected)}, granted: {_verbs(found)}"
    beside = connection.execute(
        """
        select c.relname, r.rolname, p.privilege
        from pg_class as c
        cross join unnest('{anon, authenticated, service_role, worker}'::text[]) as r (rolname)
        cross join unnest(%s::text[]) as p (privilege)
        where
            c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
            and c.relkind in ('r', 'p', 'v', 'm')
            and c.relname = coalesce(%s, c.relname)
            and has_table_privilege(r.rolname, c.oid, p.privilege)
        """,
        [list(BESIDE_ROWS), table],
    )
    yield from (f"{name}: {role} holds {privilege}" for name, role, privilege in beside)


def _verbs(privileges: list[bool] | None) -> str:
    if privileges is None:
        return "no such column"
    held = [verb for verb, has in zip(("select", "insert", "update"), privileges, strict=True) if has]
    return ", ".join(held) or "nothing"
