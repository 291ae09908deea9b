"""Every way by which PostgREST writes a table, aimed at another workspace: refused, and no row is changed.

Tables and keys are the catalog's; who may write what is the hand-written matrix.
"""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.py.access import expectations, foreign_keys
from tests.py.access.valid_rows import writable
from tests.py.integration.landlord import refusal
from tests.py.integration.seeded import Row, Seeded

pytestmark = pytest.mark.usefixtures("unchanged")

STRANGERS = {
    "manager_a": 403,
    "viewer_a": 403,
    "renter_a": 403,
    "vendor_a": 403,
    "outsider": 403,
    "anon": 401,
}
SHOWN = {"Prefer": "return=representation,count=exact"}
UNDONE = {"Prefer": "return=representation,count=exact,tx=rollback"}


def reached(actor: str, table: str, command: str, at: str) -> int | None:
    (cell,) = [
        cell
        for cell in expectations.cells()
        if (cell.actor, cell.table, cell.command, cell.at) == (actor, table, command, at)
    ]
    return cell.reached


def key_of(table: str) -> str:
    return "id" if table == "workspaces" else "workspace_id"


def row_for(seeded: Seeded, table: str, at: str) -> Row:
    """A row that lacks nothing, or where no client inserts any, one that names its workspace."""
    return seeded.new_row(table, at) or {key_of(table): str(seeded.value("select ws(%s)", at))}


def key(seeded: Seeded, table: str) -> str:
    """The columns of the table's primary key, as `on_conflict` names them."""
    return str(
        seeded.value(
            """
            select string_agg(a.attname, ',')
            from pg_index as i
            join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
            where i.indisprimary and i.indrelid = to_regclass(%s)
            """,
            f"public.{table}",
        )
    )


def ways(row: Row, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The query and the rest of the request: plain, shown, a file, a form, an upsert of either kind."""

    def preferring(*wishes: str) -> dict[str, Any]:
        return {"json": row, "headers": {"Prefer": ",".join(wishes)}}

    yield "", {"json": row}
    yield "", preferring("return=representation")
    yield "", preferring("return=headers-only")
    yield f"columns={','.join(row)}", preferring("missing=default", "return=representation")
    yield "", preferring("resolution=ignore-duplicates", "return=representation")
    yield f"on_conflict={key}", preferring("resolution=ignore-duplicates")
    yield "", preferring("resolution=merge-duplicates", "return=representation")
    yield f"on_conflict={key}", preferring("resolution=merge-duplicates")
    yield "", {"content": _csv([row]), "headers": {"Content-Type": "text/csv", **SHOWN}}
    yield "", {"data": {name: _cell(value) for name, value in _flat(row).items() if value is not None}}


@pytest.mark.parametrize("actor", STRANGERS)
def test_a_row_for_another_workspace_is_refused_however_it_is_sent(seeded: Seeded, actor: str) -> None:
    client = seeded.client(actor)
    for table in expectations.tables():
        for query, request in ways(row_for(seeded, table, "b"), key(seeded, table)):
            answer = client.post(f"/{table}?{query}", **request)
            assert refusal(answer) == (STRANGERS[actor], "42501"), f"{table}?{query}: {answer.text}"


def test_one_row_too_many_of_another_workspace_and_nothing_is_written(seeded: Seeded) -> None:
    """Mixed lists, whichever comes first, as JSON and as a file; without theirs, the same list is taken."""
    client, taken = seeded.client("manager_a"), 0
    for table in expectations.tables():
        if not reached("manager_a", table, "insert", "a"):
            continue
        mine, theirs = seeded.new_row(table, "a"), seeded.new_row(table, "b")
        for mixed in ([mine, theirs], [theirs, mine]):
            for answer in (
                client.post(f"/{table}", json=mixed, headers=SHOWN),
                client.post(f"/{table}", content=_csv(mixed), headers={"Content-Type": "text/csv", **SHOWN}),
            ):
                assert refusal(answer) == (403, "42501"), table
        allowed = client.post(f"/{table}", json=[mine], headers=UNDONE)
        assert (allowed.status_code, len(allowed.json())) == (201, 1), f"{table}: {allowed.text}"
        taken += 1
    assert taken > 5


@pytest.mark.parametrize("actor", STRANGERS)
@pytest.mark.parametrize("command", ["update", "delete"])
def test_rows_of_another_workspace_are_not_changed_nor_counted_nor_shown(
    seeded: Seeded, actor: str, command: str
) -> None:
    client, theirs = seeded.client(actor), seeded.value("select ws('b')")
    for table in expectations.tables():
        column = min(writable(table, "update") or {key_of(table)})
        body = {column: seeded.value(f"select to_jsonb(t) -> %s from public.{table} as t limit 1", column)}
        for query in (f"{key_of(table)}=eq.{theirs}", f"or=({key_of(table)}.eq.{theirs})"):
            request: dict[str, Any] = {"headers": SHOWN}
            if command == "update":
                request["json"] = body
            method = {"update": "PATCH", "delete": "DELETE"}[command]
            answer = client.request(method, f"/{table}?{query}", **request)
            if reached(actor, table, command, "b") is None:
                assert refusal(answer) == (STRANGERS[actor], "42501"), table
            else:
                assert answer.status_code == 200, f"{table}: {answer.text}"
                assert (answer.json(), answer.headers["Content-Range"]) == ([], "*/0"), table


def test_a_row_that_is_put_in_the_place_of_another_s_is_refused(seeded: Seeded) -> None:
    tried = 0
    for table in expectations.tables():
        theirs = seeded.value(
            f"select to_jsonb(t) ->> 'id' from public.{table} as t where {key_of(table)} = ws('b') limit 1"
        )
        if theirs is None:
            continue
        for at in "ab":
            row = {**row_for(seeded, table, at), "id": theirs}
            put = seeded.client("manager_a").put(f"/{table}?id=eq.{theirs}", json=row, headers=SHOWN)
            # Where the key has more columns than the id, PostgREST refuses the address itself.
            assert refusal(put) in ((403, "42501"), (405, "PGRST105")), table
            tried += put.status_code == 403
    assert tried > 10


def test_no_row_is_moved_to_another_workspace(seeded: Seeded) -> None:
    theirs = str(seeded.value("select ws('b')"))
    for actor in ("owner_a", "manager_a", "both"):
        for table in expectations.tables():
            answer = seeded.client(actor).patch(
                f"/{table}?{key_of(table)}=neq.{theirs}", json={key_of(table): theirs}, headers=SHOWN
            )
            assert refusal(answer) == (403, "42501"), (actor, table)


def test_a_key_to_another_s_row_and_one_to_none_are_refused_alike(seeded: Seeded) -> None:
    client, tried = seeded.client("manager_a"), 0
    for key in foreign_keys.keys(seeded.db):
        if not reached("manager_a", key.table, "insert", "a"):
            continue
        if not set(key.columns) <= writable(key.table, "insert"):
            continue
        columns = ", ".join(f"{name}::text" for name in key.targets)
        theirs = seeded.db.execute(
            f"select {columns} from {key.parent} where workspace_id = ws('b')"
            f" except select {columns} from {key.parent} where workspace_id = ws('a') order by 1".encode()
        ).fetchone()
        assert theirs is not None, key
        mine = seeded.new_row(key.table, "a")
        for kept in range(len(key.columns)):
            not_yours = dict(zip(key.columns[kept:], theirs[kept:], strict=True))
            not_there = {name: str(uuid.uuid4()) for name in not_yours}
            answers = [
                _anonymous(client.post(f"/{key.table}", json={**mine, **pointed}), pointed)
                for pointed in (not_yours, not_there)
            ]
            assert answers[0] == answers[1], key
            assert 400 <= answers[0][0] < 500, key
            tried += 1
    assert tried > 5


@pytest.mark.parametrize("profile", ["private", "auth", "pgmq", "storage", "pg_catalog"])
def test_no_profile_leads_to_a_schema_that_is_not_exposed(seeded: Seeded, profile: str) -> None:
    for actor in ("owner_a", "anon", "worker", "service_role"):
        client = seeded.client(actor)
        for answer in (
            client.get("/users", headers={"Accept-Profile": profile}),
            client.post("/users", json={}, headers={"Content-Profile": profile}),
            client.post("/rpc/workspaces_with", json={}, headers={"Content-Profile": profile}),
        ):
            assert refusal(answer) == (406, "PGRST106"), actor


def _anonymous(answer: httpx.Response, ids: Row) -> tuple[int, str]:
    """Status and body of a refusal, without the ids that the caller sent."""
    text = json.dumps(answer.json(), sort_keys=True)
    for value in ids.values():
        text = text.replace(str(value), "<id>")
    return answer.status_code, text


def _csv(rows: list[Row]) -> bytes:
    """Lists and objects are left out: each type has a spelling of its own for them there."""
    rows = list(map(_flat, rows))
    names = sorted({name for row in rows for name in row})
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    return file.getvalue().encode()


def _flat(row: Row) -> Row:
    return {name: value for name, value in row.items() if not isinstance(value, dict | list)}


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    return value if isinstance(value, str) else json.dumps(value)
