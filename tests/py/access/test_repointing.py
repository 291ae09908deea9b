"""No foreign key lets a row point into another workspace, and none tells what is there.

The keys are the catalog's: a new table is attacked from its first day. The first two tests act as `postgres`,
past row security, grants, rules and checks, so that what refuses is the key itself; the others as a member.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.py.access import expectations, foreign_keys
from tests.py.access.foreign_keys import Key, nothing_but, savepoint
from tests.py.access.valid_rows import valid_row, writable

Db = psycopg.Connection[Any]
Refusal = tuple[str | None, str, str, str]
Values = tuple[Any, ...]

WRITERS = ("manager_a", "owner_a")


@pytest.fixture
def two_workspaces(connection: Db) -> Db:
    connection.execute(expectations.TWO_WORKSPACES.read_bytes())
    return connection


def test_every_key_of_a_row_refuses_a_row_of_another_workspace(two_workspaces: Db) -> None:
    """Pointed at each other workspace's row, the workspace of the row itself staying as it is."""
    every = foreign_keys.keys(two_workspaces)
    assert len(every) > 10
    wrong = {}
    for key in every:
        foreign = _targets(two_workspaces, key)[1]
        assert foreign, f"{key}: B has no row of {key.parent} to point at: two_workspaces.sql needs one"
        with nothing_but(two_workspaces, key):
            wrong[str(key)] = _outcome(
                two_workspaces,
                key,
                sql.SQL(
                    "update {table} set ({own}) = row({values})"
                    " where ctid = (select ctid from {table} where workspace_id = ws('a') limit 1)"
                ).format(values=sql.SQL(", ").join(map(sql.Literal, foreign[0])), **key.identifiers),
            )
    assert {key: outcome for key, outcome in wrong.items() if outcome} == {}


def test_no_row_leaves_its_workspace_while_it_points_anywhere(two_workspaces: Db) -> None:
    wrong = {}
    for key in foreign_keys.keys(two_workspaces):
        with nothing_but(two_workspaces, key):
            _point_somewhere(two_workspaces, key)
            # A row without an id of its own may meet its like there; a workspace of its own is empty.
            two_workspaces.execute(
                "insert into public.workspaces (id, name) values (%s, 'Elsewhere')", [uuid.UUID(int=1)]
            )
            wrong[str(key)] = _outcome(
                two_workspaces,
                key,
                sql.SQL(
                    "update {table} set workspace_id = '00000000-0000-0000-0000-000000000001'"
                    " where ctid = (select ctid from {table}"
                    " where workspace_id = ws('a') and ({own}) is not null limit 1)"
                ).format(**key.identifiers),
            )
    assert {key: outcome for key, outcome in wrong.items() if outcome} == {}


def test_a_key_that_leaves_the_workspace_out_is_found(two_workspaces: Db) -> None:
    """Broken on purpose: the attempts above would see it."""
    (key,) = [key for key in foreign_keys.keys(two_workspaces) if str(key) == "units (property_id)"]
    with nothing_but(two_workspaces, key):
        two_workspaces.execute(
            sql.SQL(
                "alter table public.units drop constraint {name}, add constraint {name}"
                " foreign key (property_id) references public.properties (id)"
            ).format(name=sql.Identifier(key.name))
        )
        outcome = _outcome(
            two_workspaces,
            key,
            sql.SQL("update public.units set property_id = prop('b') where workspace_id = ws('a')"),
        )
    assert outcome == "5 rows point into another workspace"


@pytest.mark.parametrize("actor", WRITERS)
def test_an_id_of_another_workspace_and_none_at_all_are_refused_alike(two_workspaces: Db, actor: str) -> None:
    """Who may write a key learns nothing: code, message, details and hint are the same but for the id."""
    told, tried = {}, 0
    for key in foreign_keys.keys(two_workspaces):
        for command in _allowed(key, actor):
            tried += 1
            for foreign, nothing in _pairs(two_workspaces, key):
                not_yours = _refusal(two_workspaces, actor, command, key, foreign)
                not_there = _refusal(two_workspaces, actor, command, key, nothing)
                if not_yours is None or not_yours != not_there:
                    told[f"{key}, {command}, {foreign}"] = (not_yours, not_there)
    assert told == {}
    assert tried >= 9


def test_a_row_of_another_workspace_is_refused_before_anything_of_it_is_looked_at(two_workspaces: Db) -> None:
    """A whole row of B, as it stands or with ids that exist nowhere: one answer."""
    told = {}
    for table in expectations.tables():
        given = writable(table, "insert")
        if "workspace_id" not in given:
            continue
        row = {name: value for name, value in valid_row(two_workspaces, table, "b").items() if name in given}
        unlike = {name: _unlike(value) for name, value in row.items()}
        answers = {
            _insert_refusal(two_workspaces, "manager_a", table, each)
            for each in (row, {**unlike, "workspace_id": row["workspace_id"]})
        }
        if answers != {("42501", f'new row violates row-level security policy for table "{table}"', "", "")}:
            told[table] = answers
    assert told == {}


def _outcome(db: Db, key: Key, statement: sql.Composed | sql.SQL) -> str | None:
    """What is wrong with how the statement ended; None if this very key refused it."""
    try:
        with db.transaction():
            changed = db.execute(statement).rowcount
            db.execute("set constraints all immediate")
    except psycopg.errors.ForeignKeyViolation as error:
        return None if error.diag.constraint_name == key.name else f"refused by {error.diag.constraint_name}"
    except psycopg.Error as error:
        return f"refused by something else: {error}"
    return f"{changed} rows point into another workspace" if changed else "no row to try it with"


def _point_somewhere(db: Db, key: Key) -> None:
    """Give one row of A a target of its own workspace, where the fixture has none that has one.

    The first row gets the last one: in a table that points at itself, it would else take itself along.
    """
    db.execute(
        sql.SQL(
            """
            update {table} set ({own}) = (
                select {foreign} from {parent} as p where p.workspace_id = ws('a')
                order by p.ctid desc limit 1
            )
            where
                ctid = (select ctid from {table} where workspace_id = ws('a') limit 1)
                and not exists (
                    select from {table} where workspace_id = ws('a') and ({own}) is not null
                )
            """
        ).format(**key.identifiers)
    )


def _targets(db: Db, key: Key) -> tuple[list[Values], list[Values]]:
    """What a row of A may point at, and what B has that A has not."""
    own, theirs = (
        db.execute(
            sql.SQL("select {foreign} from {parent} as p where p.workspace_id = ws({at}) order by 1").format(
                at=sql.Literal(at), **key.identifiers
            )
        ).fetchall()
        for at in "ab"
    )
    return own, [row for row in theirs if row not in own]


def _pairs(db: Db, key: Key) -> Iterator[tuple[Values, Values]]:
    """Where to point: at rows of B and at none, with all columns of the key and with the last alone."""
    own, theirs = _targets(db, key)
    for foreign in dict.fromkeys([*theirs[:1], *theirs[-1:]]):
        for kept in range(len(foreign)):
            nothing = tuple(_unlike(value) for value in foreign)
            yield (*own[0][:kept], *foreign[kept:]), (*own[0][:kept], *nothing[kept:])


def _allowed(key: Key, actor: str) -> Iterator[str]:
    """`insert` and `update`, where the member may set all of the key's columns and reaches a row."""
    for command in ("insert", "update"):
        allowed = any(
            cell.reached
            for cell in expectations.cells()
            if (cell.table, cell.command, cell.at, cell.actor) == (key.table, command, "a", actor)
        )
        if allowed and set(key.columns) <= writable(key.table, command):
            yield command


def _refusal(db: Db, actor: str, command: str, key: Key, values: tuple[Any, ...]) -> Refusal | None:
    """How the member is refused who points at `values`; None if they are not."""
    pointed = dict(zip(key.columns, map(str, values), strict=True))
    if command == "insert":
        row, given = valid_row(db, key.table, "a"), writable(key.table, "insert")
        row = {name: value for name, value in row.items() if name in given}
        refused = _insert_refusal(db, actor, key.table, {**row, **pointed})
    else:
        assignments = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value))
            for name, value in pointed.items()
        )
        refused = _tried(
            db,
            actor,
            sql.SQL("update {} set {} where workspace_id = ws('a')").format(
                key.identifiers["table"], assignments
            ),
        )
    return refused and _without(refused, pointed.values())


def _insert_refusal(db: Db, actor: str, table: str, row: dict[str, Any]) -> Refusal | None:
    names = sql.SQL(", ").join(map(sql.Identifier, row))
    return _tried(
        db,
        actor,
        sql.SQL(
            "insert into public.{table} ({names})"
            " select {names} from jsonb_populate_record(null::public.{table}, {row})"
        ).format(table=sql.Identifier(table), names=names, row=sql.Literal(Jsonb(row))),
    )


def _tried(db: Db, actor: str, statement: sql.Composed) -> Refusal | None:
    with savepoint(db):
        try:
            db.execute("select tests.act_as(%s)", [actor])
            db.execute(statement)
            db.execute("set constraints all immediate")
        except psycopg.Error as error:
            said = error.diag
            return (
                error.sqlstate,
                said.message_primary or "",
                said.message_detail or "",
                said.message_hint or "",
            )
    return None


def _without(refusal: Refusal, ids: Iterable[str]) -> Refusal:
    code, *texts = refusal
    for value in ids:
        texts = [text.replace(value, "<id>") for text in texts]
    message, details, hint = texts
    return code, message, details, hint


def _unlike(value: Any) -> Any:
    """Another value of the same kind, which no row has. Words that a check allows stay as they are."""
    try:
        uuid.UUID(str(value))
    except ValueError:
        return value + 1 if type(value) is int else value
    return str(uuid.uuid4())
