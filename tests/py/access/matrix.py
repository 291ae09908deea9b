"""Attempt every cell of the matrix in one transaction, and tell what was not as expected.

Nothing here knows a policy. Three rounds, each from the same hand-written table:

- as it stands: every command, on the rows of either workspace, told apart into rows, nothing, and no grant;
- blind: updates and deletes without a filter, which row security judges by the command's own policy alone;
- policies alone: once more with every privilege granted: the second lock must hold where the first is open.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from tests.py.access import expectations
from tests.py.access.expectations import Cell

WORKSPACES = ("a", "b")
NO_GRANT = "permission denied for table "
BYPASSES_POLICIES = ("service_role", "worker")
_ROWS_WRITTEN = """
    select sum(
        pg_stat_get_xact_tuples_inserted(c.oid)
        + pg_stat_get_xact_tuples_updated(c.oid)
        + pg_stat_get_xact_tuples_deleted(c.oid)
    )
    from pg_class as c
    where c.relkind = 'r' and c.relnamespace <> 'pg_catalog'::regnamespace
"""


@dataclass(frozen=True)
class Surprise:
    """An attempt that ended otherwise than the table says."""

    attempt: str
    expected: str
    seen: str

    def __str__(self) -> str:
        return f"{self.attempt}: expected {self.expected}, seen: {self.seen}"


@dataclass(frozen=True)
class Outcome:
    """`reached` rows, or None with the error's code and words; `written` rows, in whatever table."""

    reached: int | None
    error: str = ""
    written: int = 0

    @property
    def is_no_grant(self) -> bool:
        return self.error.startswith(f"42501 {NO_GRANT}")

    @property
    def is_policy_violation(self) -> bool:
        return self.error.startswith("42501 new row violates row-level security policy")

    def __str__(self) -> str:
        return f"{self.reached} rows" if self.reached is not None else self.error


class Matrix:
    """The two workspaces in a transaction of `connection` that the caller rolls back."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        connection.execute(expectations.TWO_WORKSPACES.read_bytes())
        self._fingerprint = _fingerprint_query(connection)
        self._at_rest = self._fingerprints()

    def surprises(self, table: str, commands: Collection[str] = expectations.COMMANDS) -> Iterator[Surprise]:
        """What is not as expected, lazily: the first one is found without trying the rest.

        A change to the policies for some `commands` alone shows in attempts of these, and soonest where no
        grant stands before them.
        """
        cells = [cell for cell in expectations.cells() if cell.table == table]
        rounds = [
            self._as_it_stands([cell for cell in cells if cell.command in commands]),
            self._blind(table, cells, commands),
            self._policies_alone(table, cells, commands),
        ]
        for attempts in rounds if set(commands) == set(expectations.COMMANDS) else reversed(rounds):
            yield from attempts

    def unexpected_reads(self, tables: Collection[str]) -> Iterator[Surprise]:
        """Rows that are seen and should not be, or the reverse: all tables in one statement an actor."""
        cells = [cell for cell in expectations.cells() if cell.table in tables and cell.command == "select"]
        for actor in dict.fromkeys(cell.actor for cell in cells):
            own = [cell for cell in cells if cell.actor == actor and cell.reached is not None]
            if not own:
                continue
            counts = " union all ".join(_statement(cell.table, "select", cell.at) for cell in own)
            expected = [cell.reached for cell in own]
            try:
                with self._savepoint():
                    self.connection.execute("select tests.act_as(%s)", [actor])
                    seen = [count for (count,) in self.connection.execute(counts.encode())]
            except psycopg.Error as error:
                yield Surprise(f"{actor} reads", f"{expected} rows", str(error))
                continue
            if seen != expected:
                yield Surprise(f"{actor} reads", f"{expected} rows", f"{seen} rows")

    def _as_it_stands(self, cells: list[Cell], reason: str = "") -> Iterator[Surprise]:
        for cell in cells:
            with self._savepoint():
                outcome, touched = self._attempt(cell)
            if surprise := _judge(cell, outcome, touched):
                yield Surprise(f"{cell}{reason}", *surprise)

    def _attempt(self, cell: Cell) -> tuple[Outcome, set[tuple[str, str]]]:
        """The outcome, and the rows' tables and workspaces that a write has touched, seen by `postgres`."""
        plan = expectations.attempts()[cell.table]
        at_rest = self._at_rest
        if cell.command == "delete" and plan.prepare and cell.reached:
            self.connection.execute(plan.prepare.format(w=cell.at).encode())
            at_rest = self._fingerprints()
        outcome = self._as(cell.actor, _statement(cell.table, cell.command, cell.at))
        return outcome, self._touched(at_rest) if outcome.written else set()

    def _blind(
        self, table: str, cells: list[Cell], commands: Collection[str], reason: str = ""
    ) -> Iterator[Surprise]:
        for command in [each for each in ("update", "delete") if each in commands]:
            for actor in dict.fromkeys(cell.actor for cell in cells):
                attempted = [cell for cell in cells if (cell.command, cell.actor) == (command, actor)]
                if any(cell.reached is None for cell in attempted):
                    continue
                with self._savepoint():
                    if command == "delete":
                        # What is asked is whom a policy lets, not what a rule of the domain holds back.
                        self.connection.execute("set local session_replication_role = replica")
                    outcome = self._as(actor, _statement(table, command))
                    touched = self._touched(self._at_rest) if outcome.written else set()
                expected = sum(_without_rules(cell, cells) for cell in attempted)
                allowed = {cell.at for cell in attempted if cell.reached}
                reached = {at for name, at in touched if name == table}
                if (outcome.reached, reached) != (expected, allowed):
                    yield Surprise(
                        f"{actor} {command} {table} without a filter{reason}",
                        f"{expected} rows, of {_listed(allowed)}",
                        f"{outcome}, of {_listed(reached)}",
                    )

    def _policies_alone(self, table: str, cells: list[Cell], commands: Collection[str]) -> Iterator[Surprise]:
        """Where a grant refused, a policy must; and no row moves to another workspace."""
        reason = ", with every privilege granted"
        held = [
            replace(cell, reached=cell.reached or 0) for cell in cells if cell.actor not in BYPASSES_POLICIES
        ]
        with self._savepoint():
            self.connection.execute(
                sql.SQL("grant all on public.{} to anon, authenticated").format(sql.Identifier(table))
            )
            may_update = {(cell.actor, cell.at) for cell in held if cell.command == "update" and cell.reached}
            # Whoever may write in both could do as much without moving anything.
            movers = [who for who, at in sorted(may_update) if at == "a" and (who, "b") not in may_update]
            for mover in movers if "update" in commands else []:
                with self._savepoint():
                    outcome = self._as(mover, _move(table))
                if not outcome.is_policy_violation:
                    attempt = f"{mover} moves {table} to the other workspace{reason}"
                    yield Surprise(attempt, "a policy to refuse", str(outcome))
            yield from self._as_it_stands([cell for cell in held if cell.command in commands], reason)
            yield from self._blind(table, held, commands, reason)

    def _as(self, actor: str, statement: str) -> Outcome:
        """Run it as PostgREST runs a request of that actor's."""
        before = self._rows_written()
        try:
            self.connection.execute("select tests.act_as(%s)", [actor])
            cursor = self.connection.execute(statement.encode())
        except psycopg.Error as error:
            return Outcome(None, f"{error.sqlstate} {error.diag.message_primary}")
        reached = cursor.fetchall()[0][0] if statement.startswith("select") else cursor.rowcount
        return Outcome(reached, written=self._rows_written() - before)

    def _rows_written(self) -> int:
        """So far, by this transaction, in any table of any schema: what triggers do counts too."""
        row = self.connection.execute(_ROWS_WRITTEN).fetchone()
        assert row is not None
        return int(row[0])

    def _touched(self, at_rest: dict[tuple[str, str], str]) -> set[tuple[str, str]]:
        now = self._fingerprints()
        return {key for key in at_rest.keys() | now.keys() if at_rest.get(key) != now.get(key)}

    def _fingerprints(self) -> dict[tuple[str, str], str]:
        self.connection.execute("select tests.act_as_postgres()")
        return {(table, at): digest for table, at, digest in self.connection.execute(self._fingerprint)}

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        self.connection.execute("savepoint attempt")
        try:
            yield
        finally:
            self.connection.execute("rollback to savepoint attempt; release savepoint attempt")


def _without_rules(cell: Cell, cells: list[Cell]) -> int:
    """How many rows the cell reaches where no rule of the domain holds any back: all, if all it aims at."""
    if cell.reached != cell.rows:
        return cell.reached or 0
    return next(other.rows for other in cells if (other.command, other.at) == ("select", cell.at))


def _statement(table: str, command: str, at: str | None = None) -> str:
    """The attempt at the rows of workspace `at`, or without any filter. Names come from our own files."""
    plan = expectations.attempts()[table]
    own = f"{_workspace_key(table)} = ws('{{w}}')"
    match command:
        case "select":
            statement, rows = f"select count(*) from public.{table}", own
        case "insert":
            return f"insert into public.{table} {plan.insert.format(w=at)}"
        case "update":
            statement, rows = f"update public.{table} set {plan.update}", own
        case _:
            statement, rows = f"delete from public.{table}", plan.delete
    return f"{statement} where {rows.format(w=at)}" if at else statement


def _move(table: str) -> str:
    """Carry whatever the actor may change to B; only the policy's check stands in the way."""
    return f"update public.{table} set {_workspace_key(table)} = ws('b')"


def _workspace_key(table: str) -> str:
    return "id" if table == "workspaces" else "workspace_id"


def _judge(cell: Cell, outcome: Outcome, touched: set[tuple[str, str]]) -> tuple[str, str] | None:
    """What was expected and what was seen, if they differ."""
    if cell.reached is None:
        return None if outcome.is_no_grant else ("no grant for it", str(outcome))
    if cell.command == "insert" and cell.reached == 0:
        return None if outcome.is_policy_violation else ("a policy to refuse", str(outcome))
    if outcome.reached != cell.reached:
        return f"{cell.reached} rows", str(outcome)
    if cell.command == "select" or cell.reached == 0:
        return ("nothing to change", f"{outcome.written} rows written") if outcome.written else None
    if not any(table == cell.table for table, _ in touched):
        return "a row to change", "every row as before"
    return None


def _fingerprint_query(connection: psycopg.Connection[Any]) -> sql.Composed:
    """One statement that answers (table, workspace, digest of its rows) for every table of `public`."""
    names = connection.execute(
        "select relname from pg_class"
        " where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1"
    )
    digests = [
        sql.SQL(
            "select {label}, case {key} when tests.ws('a') then 'a' when tests.ws('b') then 'b' else '' end,"
            " md5(string_agg(t::text, '|' order by t::text)) from public.{table} as t group by 2"
        ).format(
            label=sql.Literal(name), key=sql.Identifier(_workspace_key(name)), table=sql.Identifier(name)
        )
        for (name,) in names
    ]
    return sql.SQL(" union all ").join(digests)


def _listed(words: Collection[str] | Iterator[str]) -> str:
    return ", ".join(sorted(words)) or "none"
