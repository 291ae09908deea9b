"""What a database of the local stack offers to migrations, as a hosted project does."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest

from scripts.stack import postgres
from scripts.stack.layout import Stack
from tests.py.support import as_role, wait_until

Connection = psycopg.Connection[Any]


@pytest.fixture
def empty(stack: Stack) -> Any:
    """A connection as `postgres` to a database that no migration has touched."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres.create_database(stack, name)) as connection:
        yield connection
    postgres.drop_database(stack, name)


def test_postgres_is_no_superuser_but_passes_policies(empty: Connection) -> None:
    rights = (
        "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user"
    )
    assert empty.execute(rights).fetchone() == (False, True, True, True)


def test_postgres_may_not_do_what_takes_a_superuser(empty: Connection) -> None:
    for statement in (
        "create extension dblink",
        "alter role supabase_admin login",
        "set role supabase_admin",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            empty.execute(statement)
        empty.rollback()


@pytest.mark.parametrize("extension", ["btree_gist", "pg_trgm", "pgcrypto", "citext"])
def test_postgres_creates_trusted_extensions(empty: Connection, extension: str) -> None:
    empty.execute(f"create extension {extension} with schema extensions")
    empty.commit()


def test_postgres_creates_and_uses_queues(empty: Connection) -> None:
    empty.execute("select pgmq.create('letters')")
    empty.execute("select pgmq.send('letters', '{\"to\": \"ann\"}')")
    row = empty.execute("select message ->> 'to' from pgmq.read('letters', 30, 1)").fetchone()
    assert row == ("ann",)


def test_postgres_makes_a_role_that_the_api_may_take(empty: Connection) -> None:
    empty.execute("create role courier nologin")
    empty.execute("grant courier to authenticator")
    empty.execute("grant courier to postgres with set true")
    with as_role(empty, "courier"):
        assert empty.execute("select current_user").fetchone() == ("courier",)
    empty.rollback()


def test_postgres_configures_postgrest_in_the_database(empty: Connection) -> None:
    empty.execute("alter role authenticator set pgrst.db_pre_request = 'public.check'")
    empty.rollback()


def test_postgres_may_refer_to_users_and_have_triggers_on_them(empty: Connection) -> None:
    empty.execute("create table public.profiles (user_id uuid references auth.users (id) on delete cascade)")
    empty.execute(
        "create function public.greet() returns trigger language plpgsql as $$ begin return new; end $$"
    )
    empty.execute(
        "create trigger greet after insert on auth.users for each row execute function public.greet()"
    )
    empty.execute("insert into auth.users (id, email) values (gen_random_uuid(), 'ann@example.com')")
    empty.rollback()


def test_as_role_gives_the_claims_and_takes_them_back(empty: Connection) -> None:
    ann = "6c5d1f4e-2b1c-4a55-9c1b-5a7c0e1b2f33"
    with as_role(empty, "authenticated", sub=ann, email="ann@example.com"):
        row = empty.execute("select current_user, auth.uid()::text, auth.role(), auth.email()").fetchone()
        assert row == ("authenticated", ann, "authenticated", "ann@example.com")
    assert empty.execute("select current_user, auth.uid()").fetchone() == ("postgres", None)


def test_api_roles_hold_nothing_by_default(empty: Connection) -> None:
    empty.execute("create table public.secrets (id int)")
    for role in ("anon", "authenticated"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), as_role(empty, role):
            empty.execute("select from public.secrets")


@pytest.mark.parametrize(
    ("role", "limit"), [("anon", "3s"), ("authenticated", "8s"), ("authenticator", "8s")]
)
def test_api_roles_have_statement_timeouts(empty: Connection, role: str, limit: str) -> None:
    row = empty.execute("select rolconfig from pg_roles where rolname = %s", (role,)).fetchone()
    assert row is not None
    assert f"statement_timeout={limit}" in row[0]


def test_a_change_of_the_schema_is_announced_to_postgrest(empty: Connection) -> None:
    empty.execute("listen pgrst")
    empty.commit()
    empty.execute("create table public.announced (id int)")
    empty.commit()
    empty.execute("drop table public.announced")
    empty.commit()
    notices = wait_until(lambda: list(empty.notifies(timeout=1, stop_after=2)))
    assert [notice.payload for notice in notices] == ["reload schema", "reload schema"]


def test_each_test_has_a_database_of_its_own(database: str, stack: Stack) -> None:
    assert database != stack.db_url()
    with psycopg.connect(database) as mine, psycopg.connect(stack.db_url()) as shared:
        mine.execute("create table public.mine (id int)")
        mine.commit()
        assert shared.execute("select to_regclass('public.mine')").fetchone() == (None,)
