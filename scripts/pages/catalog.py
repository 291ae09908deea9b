"""What the pages tell of: tables, columns, keys and functions, with their comments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

Db = psycopg.Connection[Any]

_COLUMNS = """
    select
        c.relname,
        a.attname,
        format_type(a.atttypid, a.atttypmod),
        a.attnotnull,
        coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
        a.attgenerated <> '',
        coalesce(col_description(c.oid, a.attnum), '')
    from pg_class as c
    join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef as d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    order by c.relname, a.attnum
"""
_UNIQUE = """
    select
        c.relname,
        i.indisprimary,
        array(
            select pg_get_indexdef(i.indexrelid, position, true)
            from generate_series(1, i.indnkeyatts) as position
        ),
        coalesce(pg_get_expr(i.indpred, i.indrelid), '')
    from pg_index as i
    join pg_class as c on c.oid = i.indrelid
    where i.indisunique and c.relnamespace = 'public'::regnamespace
    order by c.relname, not i.indisprimary, pg_get_indexdef(i.indexrelid)
"""
_REFERENCES = """
    select
        c.relname,
        p.relnamespace::regnamespace::text,
        p.relname,
        array(
            select a.attname::text
            from unnest(f.conkey) with ordinality as k (attnum, position)
            join pg_attribute as a on a.attrelid = f.conrelid and a.attnum = k.attnum
            order by k.position
        ),
        f.confdeltype
    from pg_constraint as f
    join pg_class as c on c.oid = f.conrelid
    join pg_class as p on p.oid = f.confrelid
    where f.contype = 'f' and c.relnamespace = 'public'::regnamespace
    order by c.relname, 4
"""
_FUNCTIONS = """
    select
        p.proname,
        p.provolatile <> 'v',
        coalesce(p.proargnames[:p.pronargs], '{}'),
        array(
            select format_type(t.type, null)
            from unnest(p.proargtypes) with ordinality as t (type, position)
            order by t.position
        ),
        array(
            select pg_get_function_arg_default(p.oid, position)
            from generate_series(1, p.pronargs) as position
        ),
        pg_get_function_result(p.oid),
        coalesce(obj_description(p.oid, 'pg_proc'), '')
    from pg_proc as p
    where
        p.pronamespace = %s::regnamespace
        and p.prorettype <> 'trigger'::regtype
        and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
    order by 1
"""


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    required: bool
    default: str
    generated: bool
    words: str


@dataclass(frozen=True)
class Unique:
    """A key that no two rows share; `where` is empty unless it holds for some rows only."""

    primary: bool
    columns: list[str]
    where: str


@dataclass(frozen=True)
class Reference:
    """A foreign key of `table`; `on_delete` is pg_constraint's letter for it."""

    table: str
    schema: str
    parent: str
    columns: list[str]
    on_delete: str

    @property
    def own(self) -> list[str]:
        """Its columns without the workspace, which it shares with the row it points to."""
        return [name for name in self.columns if name != "workspace_id"] or self.columns


@dataclass(frozen=True)
class Table:
    name: str
    words: str
    columns: list[Column]
    unique: list[Unique]
    references: list[Reference]


@dataclass(frozen=True)
class Function:
    """A function of the API. `defaults` has None where the argument has to be given."""

    name: str
    reads: bool
    arguments: list[str]
    types: list[str]
    defaults: list[str | None]
    returns: str
    words: str


def tables(db: Db) -> list[Table]:
    """The tables of `public`, by name."""
    found = db.execute(
        "select relname, coalesce(obj_description(oid, 'pg_class'), '') from pg_class"
        " where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1"
    ).fetchall()
    columns, unique = db.execute(_COLUMNS).fetchall(), db.execute(_UNIQUE).fetchall()
    references = [Reference(*row) for row in db.execute(_REFERENCES)]
    return [
        Table(
            name,
            words,
            [Column(*row) for table, *row in columns if table == name],
            [Unique(*row) for table, *row in unique if table == name],
            [each for each in references if each.table == name],
        )
        for name, words in found
    ]


def functions(db: Db, schema: str) -> list[Function]:
    return [Function(*row) for row in db.execute(_FUNCTIONS, [schema])]
