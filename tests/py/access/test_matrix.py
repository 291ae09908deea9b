"""Every table, command and actor, against the table of expectations that people wrote."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
import pytest

from scripts.stack.layout import REPOSITORY
from tests.py.access import expectations, grants
from tests.py.access.matrix import Matrix

POLICIES = REPOSITORY / "supabase" / "policies"
API_ROLES = ("anon", "authenticated", "service_role", "worker")


def column(connection: psycopg.Connection[Any], query: LiteralString) -> list[str]:
    return [row[0] for row in connection.execute(query)]


@pytest.mark.parametrize("table", expectations.tables())
def test_access_is_as_the_matrix_says(connection: psycopg.Connection[Any], table: str) -> None:
    assert [str(surprise) for surprise in Matrix(connection).surprises(table)] == []


def test_every_table_has_its_policy_file_its_test_and_its_expectations(
    connection: psycopg.Connection[Any],
) -> None:
    tables = column(
        connection,
        "select relname from pg_class"
        " where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1",
    )
    assert tables
    missing = [
        f"{table}: {what}"
        for table in tables
        for what, there in {
            f"supabase/policies/{table}.sql": (POLICIES / f"{table}.sql").exists(),
            f"tests/sql/policies/test_{table}.sql": expectations.policy_test(table).exists(),
            f"tests/sql/matrix/rows/{table}.csv": table in expectations.tables(),
            f"tests/sql/matrix/attempts/{table}.toml": table in expectations.attempts(),
        }.items()
        if not there
    ]
    assert missing == []


def test_nothing_is_expected_of_a_table_that_is_gone(connection: psycopg.Connection[Any]) -> None:
    there = column(connection, "select relname from pg_class where relnamespace = 'public'::regnamespace")
    named = {
        *expectations.tables(),
        *expectations.attempts(),
        *(path.stem for path in POLICIES.glob("*.sql")),
        *(path.stem.removeprefix("test_") for path in expectations.policy_test("*").parent.glob("*.sql")),
    }
    assert named - set(there) == set()


def test_the_matrix_is_complete() -> None:
    attempted = [(cell.table, cell.command, cell.at, cell.actor) for cell in expectations.cells()]
    assert len(attempted) == len(set(attempted))
    assert set(attempted) == {
        (table, command, at, actor)
        for table in expectations.tables()
        for command in expectations.COMMANDS
        for at in "ab"
        for actor in expectations.actors()
    }


def test_every_denial_stands_beside_somebody_who_is_allowed() -> None:
    """A command that a policy denies to some is allowed to others, or the denial would prove nothing."""
    denied = {(cell.table, cell.command) for cell in expectations.cells() if cell.reached == 0}
    allowed = {(cell.table, cell.command) for cell in expectations.cells() if cell.reached}
    assert denied - allowed == set()


def test_grants_are_those_of_the_list_and_no_more(connection: psycopg.Connection[Any]) -> None:
    assert list(grants.surprises(connection)) == []


@pytest.mark.parametrize("role", API_ROLES)
@pytest.mark.parametrize("schema", ["private", "pgmq", "auth", "worker"])
def test_tables_outside_public_are_out_of_reach(
    connection: psycopg.Connection[Any], role: str, schema: str
) -> None:
    reached = connection.execute(
        """
        select c.oid::regclass::text
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = %(schema)s and c.relkind in ('r', 'p', 'v', 'm', 'S')
            and has_schema_privilege(%(role)s, n.oid, 'usage')
            and case
                when c.relkind = 'S' then has_sequence_privilege(%(role)s, c.oid, 'usage, select, update')
                else has_any_column_privilege(%(role)s, c.oid, 'select, insert, update, references')
                    or has_table_privilege(%(role)s, c.oid, 'delete')
            end
        """,
        {"role": role, "schema": schema},
    ).fetchall()
    assert reached == []


def test_every_key_between_tables_of_a_workspace_carries_the_workspace(
    connection: psycopg.Connection[Any],
) -> None:
    """A row can't point into another workspace, whatever a policy says."""
    loose = connection.execute(
        """
        select c.conrelid::regclass::text, c.conname
        from pg_constraint as c
        join pg_attribute as own on own.attrelid = c.conrelid and own.attname = 'workspace_id'
        join pg_attribute as theirs on theirs.attrelid = c.confrelid and theirs.attname = 'workspace_id'
        where c.contype = 'f'
            and not exists (
                select from unnest(c.conkey, c.confkey) as pair (from_column, to_column)
                where pair.from_column = own.attnum and pair.to_column = theirs.attnum
            )
        """
    ).fetchall()
    composite = column(
        connection,
        "select conname::text from pg_constraint"
        " where contype = 'f' and connamespace = 'public'::regnamespace and cardinality(conkey) > 1",
    )
    assert loose == []
    assert composite


def test_every_unique_key_of_a_workspace_is_led_by_it(connection: psycopg.Connection[Any]) -> None:
    """Else its error tells what another workspace has. Ids that nobody chooses tell nothing."""
    led_by_another = connection.execute(
        """
        select i.indexrelid::regclass::text
        from pg_index as i
        join pg_class as c on c.oid = i.indrelid
        join pg_attribute as own on own.attrelid = i.indrelid and own.attname = 'workspace_id'
        where c.relnamespace = 'public'::regnamespace
            and (i.indisunique or i.indisexclusion)
            and i.indkey[0] <> own.attnum
        order by 1
        """
    ).fetchall()
    chosen_by_the_database = {
        *(f"{table}_pkey" for table in expectations.tables()),
        "tenants_user_id_key",
        "vendors_user_id_key",
    }
    assert {name for (name,) in led_by_another} - chosen_by_the_database == set()


def test_no_row_can_be_truncated_away(connection: psycopg.Connection[Any]) -> None:
    """Not even by the role that runs migrations, which no policy holds."""
    for table in expectations.tables():
        with pytest.raises(psycopg.Error, match="truncate_refused"), connection.transaction():
            connection.execute(f"truncate public.{table} cascade".encode())
