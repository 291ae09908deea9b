"""No policy looks its caller up row by row: by the plan on filled tables, and by counting the calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.py.access import expectations, plans

# A member of 6 of 202 workspaces, and one who rents besides.
ACTORS = ("manager_a", "tied_a")
MANY_WORKSPACES = expectations.SQL_TESTS / "helpers" / "many_workspaces.sql"
# Lists by date of which a page without a filter may sort what the caller sees: none is long for a workspace,
# but for messages, which are written far more often than listed.
SORTED = {
    "imports.created_at",
    "inspections.performed_at",
    "lease_addenda.created_at",
    "workspace_invitations.created_at",
    "messages.created_at",
}


@dataclass(frozen=True)
class Policy:
    table: str
    name: str
    command: str
    expressions: str

    @property
    def statement(self) -> str:
        """What the policy alone decides: without a filter, row security asks no other."""
        attempt = expectations.attempts()[self.table]
        return {
            "select": f"select count(*) from public.{self.table}",
            "insert": f"insert into public.{self.table} {attempt.insert.format(w='a')}",
            "update": f"update public.{self.table} set {attempt.update}",
            "delete": f"delete from public.{self.table}",
        }[self.command]


@pytest.fixture(scope="module")
def filled(access_database: str) -> Iterator[psycopg.Connection[Any]]:
    """Some 10,000 rows of each kind over 202 workspaces, in a transaction that is rolled back."""
    with psycopg.connect(access_database) as connection:
        connection.execute(expectations.TWO_WORKSPACES.read_bytes())
        connection.execute(MANY_WORKSPACES.read_bytes())
        connection.execute("set local track_functions = 'all'")
        yield connection
        connection.rollback()


@pytest.fixture
def acting(filled: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    filled.execute("savepoint one_test")
    yield filled
    filled.execute("rollback to savepoint one_test")


def policies(connection: psycopg.Connection[Any]) -> list[Policy]:
    found = connection.execute(
        """
        select tablename, policyname, lower(cmd), concat_ws(' and ', qual, with_check)
        from pg_policies
        where schemaname = 'public'
        order by tablename, policyname
        """
    )
    return [Policy(*row) for row in found]


def calls(connection: psycopg.Connection[Any]) -> int:
    """How often this transaction has called a function of ours."""
    row = connection.execute(
        "select coalesce(sum(calls), 0) from pg_stat_xact_user_functions"
        " where schemaname in ('private', 'auth')"
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("actor", ACTORS)
def test_every_policy_looks_its_caller_up_once_a_query(acting: psycopg.Connection[Any], actor: str) -> None:
    every = policies(acting)
    assert every
    acting.execute("select tests.act_as(%s)", [actor])
    found = {
        f"{policy.table} {policy.name}": plans.problems(acting, policy.statement, policy.expressions)
        for policy in every
    }
    assert {policy: problems for policy, problems in found.items() if problems} == {}


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("table", expectations.tables())
def test_calls_do_not_grow_with_rows(acting: psycopg.Connection[Any], table: str, actor: str) -> None:
    acting.execute("select tests.act_as(%s)", [actor])
    before = calls(acting)
    acting.execute(f"select count(*) from public.{table}".encode())
    once = calls(acting) - before
    assert 0 < once <= 30


def lists(connection: psycopg.Connection[Any]) -> list[str]:
    """`table.column` of each list: what an index has in descending order for each workspace."""
    found = connection.execute(
        """
        select format('%s.%s', c.relname, pg_get_indexdef(i.indexrelid, 2, true))
        from pg_index as i
        join pg_class as c on c.oid = i.indrelid
        where
            c.relnamespace = 'public'::regnamespace
            and i.indnkeyatts = 2
            and pg_get_indexdef(i.indexrelid, 1, true) = 'workspace_id'
            and i.indoption[1] & 1 = 1
        order by 1
        """
    )
    return [name for (name,) in found]


@pytest.mark.parametrize("actor", ACTORS)
def test_a_page_without_a_filter_walks_an_index_that_knows_whose_the_rows_are(
    acting: psycopg.Connection[Any], actor: str
) -> None:
    every = lists(acting)
    assert set(every) >= SORTED, "no list is excused that there is not"
    acting.execute("select tests.act_as(%s)", [actor])
    # As PostgREST sets it for the role.
    acting.execute("set local random_page_cost = 1.1")
    walked = sorted(set(every) - SORTED)
    assert {name.partition(".")[0] for name in walked} == {
        "documents", "expenses", "inspections", "leases", "maintenance_requests"
    }  # fmt: skip
    for name in walked:
        table, _, column = name.partition(".")
        for order in (f"{column} desc", "id"):
            page = f"select * from public.{table} order by {order} limit 50"
            assert (page, plans.visits(acting, page)) == (page, [])


@pytest.mark.parametrize(
    ("index", "order", "reason"),
    [
        ("documents_page_by_created_at_idx", "created_at desc", "Sort"),
        ("documents_page_by_id_idx", "id", "workspace_id"),
    ],
)
def test_a_page_that_reads_what_it_does_not_show_is_found(
    acting: psycopg.Connection[Any], index: str, order: str, reason: str
) -> None:
    acting.execute(f"drop index public.{index}".encode())
    acting.execute("set local random_page_cost = 1.1")
    acting.execute("select tests.act_as('manager_a')")
    problems = plans.visits(acting, f"select * from public.documents order by {order} limit 50")
    assert any(reason in problem for problem in problems)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("using (private.holds_all_of(workspace_id, 'viewer'))", "private.holds_all_of("),
        (
            "using (workspace_id in (select private.workspaces_with('leases.read') where unit_number <> ''))",
            "SubPlan",
        ),
        ("using (auth.uid() is not null)", "current_setting("),
    ],
)
def test_a_policy_that_asks_per_row_is_found(
    acting: psycopg.Connection[Any], policy: str, reason: str
) -> None:
    acting.execute("grant execute on all functions in schema private to authenticated")
    acting.execute("drop policy members_and_portal_select on public.units")
    acting.execute(f"create policy per_row on public.units for select to authenticated {policy}".encode())
    acting.execute("select tests.act_as('manager_a')")
    (problem, *_) = plans.problems(acting, "select count(*) from public.units", policy)
    assert reason in problem


def test_a_check_that_asks_per_row_is_found(acting: psycopg.Connection[Any]) -> None:
    check = "with check (private.holds_all_of(workspace_id, 'manager'))"
    acting.execute("grant execute on all functions in schema private to authenticated")
    acting.execute("drop policy members_insert on public.units")
    acting.execute(f"create policy per_row on public.units for insert to authenticated {check}".encode())
    acting.execute("select tests.act_as('manager_a')")
    statement = Policy("units", "per_row", "insert", check).statement
    assert plans.problems(acting, statement, check) == [
        "of 1 look-ups of the policy, 0 stand apart from the rows"
    ]


def test_calls_per_row_are_counted(acting: psycopg.Connection[Any]) -> None:
    acting.execute("grant execute on all functions in schema private to authenticated")
    acting.execute("drop policy members_and_portal_select on public.units")
    acting.execute(
        "create policy per_row on public.units for select to authenticated"
        " using (private.holds_all_of(workspace_id, 'viewer'))"
    )
    acting.execute("select tests.act_as('manager_a')")
    before = calls(acting)
    acting.execute("select count(*) from public.units")
    assert calls(acting) - before > 10_000
