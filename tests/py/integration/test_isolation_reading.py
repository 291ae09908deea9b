"""Every way by which PostgREST reads a table shows what the access matrix says, and nothing besides.

Tables, relations and columns are the catalog's; what each actor sees is the hand-written matrix.
"""

from __future__ import annotations

import csv
import io
import json
import uuid
from typing import Any

import httpx
import pytest

from tests.py.access import expectations
from tests.py.integration.landlord import refusal
from tests.py.integration.relations import relations
from tests.py.integration.seeded import Row, Seeded

READERS = (
    "owner_a", "viewer_a", "suspended_a", "removed_a", "renter_a", "occupant_a", "vendor_a", "former_a",
    "unassigned_a", "both", "tied_a", "manager_b", "outsider", "service_role",
)  # fmt: skip
# Whose sight differs from row to row.
EMBEDDERS = ("viewer_a", "renter_a", "vendor_a", "former_a", "both", "tied_a")
COUNTED = {"Prefer": "count=exact"}
# PostgREST knows no such relation, or several: it says so, and shows nothing.
NOT_EMBEDDABLE = ("PGRST200", "PGRST201")


def seen(actor: str, table: str) -> dict[str, int]:
    """How many rows of each workspace the matrix shows the actor."""
    return {
        cell.at: cell.reached or 0
        for cell in expectations.cells()
        if (cell.table, cell.command, cell.actor) == (table, "select", actor)
    }


def key_of(table: str) -> str:
    return "id" if table == "workspaces" else "workspace_id"


def canonical(row: Row) -> str:
    return json.dumps(row, sort_keys=True)


def total(answer: httpx.Response) -> int:
    return int(answer.headers["Content-Range"].partition("/")[2])


@pytest.fixture
def ids(seeded: Seeded) -> dict[str, str]:
    return {at: str(seeded.value("select ws(%s)", at)) for at in "ab"}


def visible(seeded: Seeded, actor: str) -> dict[str, set[str]]:
    """The rows of each table as the actor's plain list shows them."""
    return {table: set(map(canonical, seeded.rows(actor, table))) for table in expectations.tables()}


@pytest.mark.parametrize("actor", READERS)
def test_a_list_a_count_and_a_file_are_what_the_matrix_says(
    seeded: Seeded, ids: dict[str, str], actor: str
) -> None:
    client = seeded.client(actor)
    for table in expectations.tables():
        expected = seen(actor, table)
        listed = client.get(f"/{table}?select=*", headers=COUNTED)
        of_workspaces = [row[key_of(table)] for row in listed.json()]
        assert {at: of_workspaces.count(ids[at]) for at in "ab"} == expected, table
        assert len(of_workspaces) == total(listed) == sum(expected.values()), table
        # PostgREST ends the connection after a HEAD without saying so.
        counted = client.head(f"/{table}", headers={**COUNTED, "Connection": "close"})
        assert total(counted) == len(of_workspaces), table
        past = client.get(f"/{table}", headers={**COUNTED, "Range-Unit": "items", "Range": "0-0"})
        assert (len(past.json()), total(past)) == (min(1, len(of_workspaces)), len(of_workspaces)), table
        file = client.get(f"/{table}", headers={"Accept": "text/csv"}).text
        assert max(0, len(list(csv.reader(io.StringIO(file)))) - 1) == len(of_workspaces), table


@pytest.mark.parametrize("actor", EMBEDDERS)
def test_no_relation_shows_a_row_that_its_own_list_does_not(seeded: Seeded, actor: str) -> None:
    """Every foreign key both ways, and every pair of tables that a third one joins."""
    own, client, embedded = visible(seeded, actor), seeded.client(actor), 0
    for relation in relations(seeded.db):
        for join in ("", "!inner"):
            answer = client.get(f"/{relation.select(join=join)}")
            if answer.status_code in (300, 400) and answer.json()["code"] in NOT_EMBEDDABLE:
                continue
            assert answer.status_code == 200, f"{relation}: {answer.text}"
            for row in answer.json():
                inner = row.pop("e")
                within = inner if isinstance(inner, list) else [inner] if inner else []
                assert canonical(row) in own[relation.table], relation
                assert set(map(canonical, within)) <= own[relation.embedded], relation
                embedded += len(within)
    assert embedded > 0


def test_every_foreign_key_can_be_embedded_both_ways(seeded: Seeded) -> None:
    """Or the test before this one would pass over them in silence."""
    every = [relation for relation in relations(seeded.db) if relation.hint not in expectations.tables()]
    assert len(every) >= 36
    for relation in every:
        assert seeded.client("owner_a").get(f"/{relation.select()}&limit=1").status_code == 200, relation


def test_a_filter_through_a_relation_finds_nothing_of_another_workspace(
    seeded: Seeded, ids: dict[str, str]
) -> None:
    client = seeded.client("viewer_a")
    for relation in relations(seeded.db):
        theirs = f"e.{key_of(relation.embedded)}=eq.{ids['b']}"
        for path in (
            f"{relation.select(key_of(relation.embedded), '!inner')}&{theirs}",
            f"{relation.select(key_of(relation.embedded))}&{theirs}&e=not.is.null",
        ):
            answer = client.get(f"/{path}", headers=COUNTED)
            if answer.status_code in (300, 400) and answer.json()["code"] in NOT_EMBEDDABLE:
                continue
            assert (answer.status_code, answer.json(), total(answer)) == (200, [], 0), relation


@pytest.mark.parametrize("actor", ["viewer_a", "renter_a", "outsider"])
def test_what_a_row_of_another_workspace_holds_can_be_asked_for_in_vain(
    seeded: Seeded, ids: dict[str, str], actor: str
) -> None:
    """By every value of a row of B, in one `or`, sorted by every column: no row of B comes, and no count."""
    client = seeded.client(actor)
    for table in expectations.tables():
        own = {canonical(row) for row in seeded.rows(actor, table)}
        columns = [column.name for column in expectations.columns() if column.table == table]
        as_text = ", ".join(f"{name}::text" for name in columns)
        for row in seeded.db.execute(
            f"select {as_text} from public.{table} where {key_of(table)} = ws('b') limit 3".encode()
        ).fetchall():
            asked = ",".join(
                f'{name}.eq."{_quoted(value)}"'
                for name, value in zip(columns, row, strict=True)
                if value is not None
            )
            answer = client.get(
                f"/{table}", params={"or": f"({asked})", "order": ",".join(columns)}, headers=COUNTED
            )
            assert answer.status_code == 200, f"{table}: {answer.text}"
            assert set(map(canonical, answer.json())) <= own, table
            assert total(answer) == len(answer.json()), table
            exactly = client.get(
                f"/{table}", params={key_of(table): f"eq.{ids['b']}", "or": f"({asked})"}, headers=COUNTED
            )
            assert (exactly.json(), total(exactly)) == ([], 0), table


def test_a_hidden_column_is_neither_shown_nor_filtered_nor_sorted_by(seeded: Seeded) -> None:
    """No column is hidden today (a client's `select=*` would fail): what is, is refused in every place."""
    hidden = [(column.table, column.name) for column in expectations.columns() if not column.select]
    for table, column in [*hidden, ("tenants", "no_such_column")]:
        expected = (400, "42703") if column == "no_such_column" else (403, "42501")
        for asked in (f"select={column}", f"{column}=is.null", f"order={column}", f"or=({column}.is.null)"):
            assert refusal(seeded.client("owner_a").get(f"/{table}?{asked}")) == expected, (table, asked)


@pytest.mark.parametrize("actor", ["manager_a", "renter_a", "outsider"])
def test_one_row_of_another_workspace_and_none_answer_alike(seeded: Seeded, actor: str) -> None:
    single = {"Accept": "application/vnd.pgrst.object+json"}
    for table in expectations.tables():
        if not seeded.value("select to_jsonb(t) ? 'id' from public." + table + " as t limit 1"):
            continue
        theirs = seeded.value(f"select id from public.{table} where {key_of(table)} = ws('b') limit 1")
        nothing = uuid.uuid4() if isinstance(theirs, uuid.UUID) else 2**40
        answers = [
            seeded.client(actor).get(f"/{table}?id=eq.{each}", headers=single) for each in (theirs, nothing)
        ]
        assert [refusal(answer) for answer in answers] == [(406, "PGRST116")] * 2, table
        assert answers[0].json() == answers[1].json(), table


@pytest.mark.parametrize("actor", ["owner_a", "anon", "worker", "service_role"])
@pytest.mark.parametrize("kind", ["json", "text"])
def test_nobody_is_shown_a_plan(seeded: Seeded, actor: str, kind: str) -> None:
    """It would tell how many rows there are of everybody's, and the policies."""
    plan = {"Accept": f'application/vnd.pgrst.plan+{kind}; for="application/json"; options=analyze|verbose'}
    for table in expectations.tables():
        assert refusal(seeded.client(actor).get(f"/{table}", headers=plan))[1] == "PGRST107", table


@pytest.mark.parametrize("count", ["planned", "estimated"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "DELETE"])
def test_nobody_is_told_what_the_planner_guesses_of_everybody_s_rows(
    seeded: Seeded, ids: dict[str, str], count: str, method: str
) -> None:
    for actor in ("owner_a", "outsider"):
        answer = seeded.client(actor).request(
            method,
            f"/units?workspace_id=eq.{ids['b']}",
            json={"bedrooms": 1} if method == "PATCH" else None,
            headers={"Prefer": f"return=minimal, count={count}", "Connection": "close"},
        )
        assert answer.status_code == 400
        assert "/" not in answer.headers.get("Content-Range", "")
        if method != "HEAD":
            assert refusal(answer) == (400, "count_not_exact")


@pytest.mark.parametrize("aggregate", ["count()", "id.count()", "created_at.max()"])
def test_nothing_is_summed_over_rows(seeded: Seeded, aggregate: str) -> None:
    assert refusal(seeded.client("owner_a").get(f"/units?select={aggregate}")) == (400, "PGRST123")


def test_the_methods_of_a_table_tell_nothing_of_its_rows(seeded: Seeded) -> None:
    for table in expectations.tables():
        allowed = {seeded.client(actor).options(f"/{table}").headers["Allow"] for actor in READERS}
        assert len(allowed) == 1, table


def test_there_is_no_view_that_reads_for_its_owner(seeded: Seeded) -> None:
    """A view reads as who made it, past row security, unless it is told not to; a materialized one always."""
    found: list[Any] = seeded.db.execute(
        """
        select c.oid::regclass::text
        from pg_class as c
        where
            c.relnamespace in ('public'::regnamespace, 'worker'::regnamespace)
            and (
                (c.relkind = 'v' and not coalesce(c.reloptions @> '{security_invoker=true}', false))
                or c.relkind in ('m', 'f')
            )
        """
    ).fetchall()
    assert found == []


def test_no_function_poses_as_a_column(seeded: Seeded) -> None:
    """PostgREST lets a function of a table's row be selected like a column, whatever its columns' grants.

    Those meant as columns run as their caller and are read of all tables as the matrix says.
    """
    found: list[Any] = seeded.db.execute(
        """
        select p.oid::regprocedure::text
        from pg_proc as p
        join pg_type as t on t.oid = any (p.proargtypes)
        where
            p.pronamespace in ('public'::regnamespace, 'worker'::regnamespace)
            and (t.typtype = 'c' or t.typname in ('record', 'anyelement'))
            and not (p.oid = 'public.coordinates(public.properties)'::regprocedure and not p.prosecdef)
            and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
        """
    ).fetchall()
    assert found == []


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
