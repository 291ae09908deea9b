"""The functions of the API as the catalog has them, and arguments that an honest caller might send."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

Db = psycopg.Connection[Any]

# By type, where nothing is said by name.
OF_TYPE: dict[str, Any] = {
    "uuid": None,
    "text": "x",
    "text[]": ["x"],
    "uuid[]": [],
    "integer": 1,
    "bigint": 1,
    "smallint": 1,
    "numeric": 1,
    "double precision": 1,
    "boolean": True,
    "date": "2031-01-01",
    "daterange": "[2031-01-01,2031-02-01)",
    "timestamp with time zone": "2031-01-01T00:00:00Z",
    "interval": "30 days",
    "json": {},
    "jsonb": {},
}
# By name: what gets a call past the first look at its arguments.
OF_NAME: dict[str, Any] = {
    "currency": "USD",
    "email": "somebody@example.com",
    "entity": "tenants",
    "file_digest": "0" * 64,
    "incurred_on": "2024-01-01",
    "kind": "member",
    "name": "Elm Street Homes",
    "outcome": "sent",
    "role": "viewer",
    "rows": [],
    "status": "active",
    "timezone": "America/Chicago",
}
# By function and name, where the name alone says too little.
OF_FUNCTION: dict[tuple[str, str], Any] = {("start_import", "kind"): "rent_roll"}
# By function and id, when that id is what the call is about: either this one is given, or that one.
WITH_ID: dict[tuple[str, str], dict[str, Any]] = {
    ("invite", "tenant_id"): {"kind": "renter", "vendor_id": None, "role": None, "email": None},
    ("invite", "vendor_id"): {"kind": "vendor", "tenant_id": None, "role": None, "email": None},
    ("revoke_portal_access", "tenant_id"): {"vendor_id": None},
    ("revoke_portal_access", "vendor_id"): {"tenant_id": None},
}
# Which column an id is of, where neither the name nor a foreign key tells.
IDENTIFIED = {
    "correction_id": ("address_corrections", "id"),
    "entity_id": ("tenants", "id"),
    "from_unit_id": ("units", "id"),
    "member_id": ("workspace_members", "user_id"),
    "to_unit_id": ("units", "id"),
    "user_id": ("workspace_members", "user_id"),
}


@dataclass(frozen=True)
class Rpc:
    """A function that PostgREST exposes, and the types of its arguments by name."""

    schema: str
    name: str
    volatile: bool
    arguments: dict[str, str]
    optional: list[str]

    @property
    def ids(self) -> list[str]:
        return [name for name, kind in self.arguments.items() if kind == "uuid"]

    def body(self, ids: dict[str, str]) -> dict[str, Any]:
        """A call's arguments, those in `ids` as given; what may be left out is."""
        return {
            name: ids.get(name, OF_FUNCTION.get((self.name, name), OF_NAME.get(name, OF_TYPE.get(kind))))
            for name, kind in self.arguments.items()
            if name in ids or name not in self.optional
        }

    def about(self, name: str, value: str, ids: dict[str, str]) -> dict[str, Any]:
        """The arguments of a call about the thing of kind `name` that `value` identifies."""
        return {**self.body({**ids, name: value}), **WITH_ID.get((self.name, name), {})}


def rpcs(db: Db, schema: str = "public") -> list[Rpc]:
    found = db.execute(
        """
        select
            p.proname,
            p.provolatile = 'v',
            coalesce(
                (
                    select jsonb_object_agg(a.name, format_type(a.type, null))
                    from unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type)
                    where a.type is not null
                ),
                '{}'
            ),
            coalesce(p.proargnames[p.pronargs - p.pronargdefaults + 1:p.pronargs], '{}')
        from pg_proc as p
        where
            p.pronamespace = %s::regnamespace
            and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
            and p.prorettype <> 'trigger'::regtype
            -- No call carries a row: such a function is a column of its table.
            and not exists (select from pg_type as t where t.oid = any (p.proargtypes) and t.typtype = 'c')
        order by 1
        """,
        [schema],
    ).fetchall()
    return [
        Rpc(schema, name, volatile, arguments, list(optional))
        for name, volatile, arguments, optional in found
    ]


def named_ids(db: Db, names: set[str], at: str) -> dict[str, list[str]]:
    """For each argument that is an id, ids of that kind in workspace `at`, in a stable order."""
    return {name: list(_ids(db, name, at)) for name in sorted(names)}


def nowhere() -> str:
    """An id that nothing has."""
    return str(uuid.uuid4())


def _ids(db: Db, name: str, at: str) -> Iterator[str]:
    table, column = _identified(db, name)
    workspace = "id" if table == "workspaces" else "workspace_id"
    found = db.execute(
        f"select {column}::text from public.{table} where {workspace} = ws(%s) order by 1".encode(), [at]
    )
    yield from (each for (each,) in found)


def _identified(db: Db, name: str) -> tuple[str, str]:
    """The table and column of ids of this name: of the table it begins with, or of the key named so."""
    stem = name.removesuffix("_id")
    row = db.execute(
        """
        select c.relname, 'id', 1
        from pg_class as c
        where
            c.relnamespace = 'public'::regnamespace
            and c.relkind in ('r', 'p')
            and c.relname in (%(stem)s || 's', %(stem)s || 'es', regexp_replace(%(stem)s, 'y$', 'ies'))
        union all
        select p.relname, t.attname, 2
        from pg_constraint as f
        join pg_class as p on p.oid = f.confrelid
        cross join lateral unnest(f.conkey, f.confkey) as k (own, target)
        join pg_attribute as a on a.attrelid = f.conrelid and a.attnum = k.own
        join pg_attribute as t on t.attrelid = f.confrelid and t.attnum = k.target
        where f.contype = 'f' and a.attname = %(name)s and p.relnamespace = 'public'::regnamespace
        order by 3
        limit 1
        """,
        {"stem": stem, "name": name},
    ).fetchone()
    found = IDENTIFIED.get(name) or (row and (str(row[0]), str(row[1])))
    assert found, f"say in IDENTIFIED whose id {name} is"
    return found
