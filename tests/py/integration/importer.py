"""Imports into a database of the test's own: the RPCs as PostgREST calls them, for a signed-in person."""

from __future__ import annotations

import json
import uuid
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.py.integration.portfolio import Portfolio
from tests.py.support import as_role

Db = psycopg.Connection[Any]
Cells = dict[str, Any]

TABLES = (
    "public.properties",
    "public.units",
    "public.tenants",
    "public.leases",
    "public.lease_units",
    "public.lease_terms",
    "public.lease_tenants",
    "public.lease_status_changes",
    "private.lease_reminders",
)
HOUSE: Cells = {
    "property_name": "Maple Court",
    "address_line1": "1 Maple St",
    "city": "Austin",
    "unit_number": "1A",
}
LEASE: Cells = {
    **HOUSE,
    "tenant_first_name": "Ann",
    "tenant_last_name": "Lee",
    "tenant_email": "ann@example.com",
    "lease_number": "L-1",
    "lease_start": "2026-01-01",
    "lease_end": "2026-12-31",
    "rent_minor": "125000",
}


class Refused(Exception):
    """The error envelope of a refused call."""

    def __init__(self, status: int, envelope: dict[str, Any]) -> None:
        self.status = status
        self.code = envelope["code"]
        super().__init__(envelope["message"])


class DbApi:
    """The import RPCs over a connection, each in a transaction of its own, with the person's token."""

    def __init__(self, db: Db, user_id: uuid.UUID) -> None:
        self.db = db
        self.user_id = user_id

    def rpc(self, function: str, arguments: dict[str, Any]) -> Any:
        named = sql.SQL(", ").join(
            sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in arguments
        )
        call = sql.SQL("select to_jsonb(public.{}({}))").format(sql.Identifier(function), named)
        values = {name: Jsonb(value) if name == "rows" else value for name, value in arguments.items()}
        try:
            with as_role(self.db, "authenticated", sub=str(self.user_id)):
                row = self.db.execute(call, values).fetchone()
        except psycopg.errors.DatabaseError as error:
            if error.sqlstate != "PGRST":
                raise
            detail = json.loads(error.diag.message_detail or "{}")
            raise Refused(detail["status"], json.loads(error.diag.message_primary or "{}")) from None
        return row and row[0]

    def select(self, table: str, columns: str) -> Any:
        query = sql.SQL("select coalesce(jsonb_agg(t), '[]') from (select {} from public.{}) as t").format(
            sql.SQL(columns),
            sql.Identifier(table),
        )
        with as_role(self.db, "authenticated", sub=str(self.user_id)):
            row = self.db.execute(query).fetchone()
        return row and row[0]


class Importer(DbApi):
    """A workspace and somebody who imports into it."""

    def __init__(self, db: Db, *, role: str = "manager") -> None:
        db.autocommit = True
        self.portfolio = Portfolio(db, timezone="America/Chicago")
        self.workspace_id = self.portfolio.workspace_id
        super().__init__(db, self.hire("mia@example.com", role))

    def hire(self, email: str, role: str) -> uuid.UUID:
        user_id = uuid.uuid4()
        self.portfolio.user(user_id, email)
        self.portfolio.member(user_id, role)
        return user_id

    def start(self) -> str:
        return str(
            self.rpc(
                "start_import",
                {
                    "workspace_id": self.workspace_id,
                    "kind": "rent_roll",
                    "file_name": "rent.csv",
                    "file_digest": "0" * 64,
                },
            )["id"]
        )

    def stage(self, import_id: str, *rows: Cells) -> Any:
        lines = [{"line": line, "data": cells} for line, cells in enumerate(rows, start=2)]
        return self.rpc("stage_import_rows", {"import_id": import_id, "rows": lines})

    def staged(self, *rows: Cells) -> str:
        import_id = self.start()
        self.stage(import_id, *rows)
        return import_id

    def check(self, *rows: Cells) -> Any:
        return self.rpc("check_import", {"import_id": self.staged(*rows)})

    def errors(self, *rows: Cells) -> list[tuple[int, str, str]]:
        """Line, column and code of every error."""
        return [(error["line"], error["column"], error["code"]) for error in self.check(*rows)["errors"]]

    def commit(self, *rows: Cells) -> Any:
        return self.rpc("commit_import", {"import_id": self.staged(*rows)})

    def snapshot(self) -> dict[str, list[Any]]:
        """Every row of the workspace, whole."""
        query = "select to_jsonb(t) from {} as t where workspace_id = %s order by to_jsonb(t)::text"
        return {
            table: [
                row[0]
                for row in self.db.execute(
                    sql.SQL(query).format(sql.Identifier(*table.split("."))), (self.workspace_id,)
                )
            ]
            for table in TABLES
        }

    def one(self, query: str, *values: Any) -> Any:
        """The only column of the only row; None without a row."""
        row = self.db.execute(query, values).fetchone()
        return row and row[0]


def counts(created: int = 0, updated: int = 0, unchanged: int = 0) -> dict[str, int]:
    return {"created": created, "updated": updated, "unchanged": unchanged}
