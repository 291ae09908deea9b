"""Realtime, as far as the database goes: what is published, who joins which channel, and what is sent."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.py.access.expectations import SQL_TESTS, TWO_WORKSPACES

Db = psycopg.Connection[Any]

# Everything that goes out, written by hand: no name, no address, no amount, no word that somebody wrote.
PUBLISHED = {
    "leases": {"id", "workspace_id", "property_id", "status", "updated_at"},
    "maintenance_requests": {"id", "workspace_id", "status", "priority", "updated_at"},
    "maintenance_comments": {"id", "workspace_id", "request_id", "created_at"},
    "notifications": {"id", "workspace_id", "user_id", "category", "created_at", "read_at"},
    "messages": {"id", "workspace_id", "status", "created_at"},
}
MEMBERS = {"owner_a", "admin_a", "manager_a", "accountant_a", "viewer_a", "both"}
OTHERS = {
    "suspended_a", "removed_a", "renter_a", "occupant_a", "vendor_a", "former_a", "unassigned_a", "outsider",
    "manager_b", "tied_b", "anon",
}  # fmt: skip


@pytest.fixture
def project(db: Db) -> Db:
    """A project that has Realtime; nothing is committed."""
    db.execute(TWO_WORKSPACES.read_bytes())
    db.execute((SQL_TESTS / "helpers" / "realtime.sql").read_bytes())
    db.execute("select private.set_up_realtime()")
    return db


def receives(db: Db, actor: str, topic: str, extension: str = "broadcast") -> bool:
    """Whether the actor may join, asked as Realtime does: by a row that is looked for as them, and undone."""
    with db.transaction(force_rollback=True):
        db.execute("insert into realtime.messages (topic, extension) values (%s, %s)", (topic, extension))
        db.execute("select tests.act_as(%s), set_config('realtime.topic', %s, true)", (actor, topic))
        row = db.execute("select from realtime.messages where topic = %s", (topic,)).fetchone()
    return row is not None


def sends(db: Db, actor: str, topic: str, extension: str = "broadcast") -> bool:
    try:
        with db.transaction(force_rollback=True):
            db.execute("select tests.act_as(%s), set_config('realtime.topic', %s, true)", (actor, topic))
            db.execute("insert into realtime.messages (topic, extension) values (%s, %s)", (topic, extension))
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def topic(db: Db, query: str) -> str:
    row = db.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_what_is_published_is_listed_and_deletions_are_not(db: Db) -> None:
    published = db.execute(
        "select tablename, attnames from pg_publication_tables where pubname = 'supabase_realtime'"
    )
    assert {table: set(columns) for table, columns in published} == PUBLISHED
    row = db.execute(
        "select pubinsert, pubupdate, pubdelete, pubtruncate, puballtables from pg_publication"
        " where pubname = 'supabase_realtime'"
    ).fetchone()
    assert row == (True, True, False, False, False)


def test_setting_up_twice_leaves_a_team_s_own_tables_published(project: Db) -> None:
    project.execute("create table public.theirs (id integer primary key)")
    project.execute("alter publication supabase_realtime add table public.theirs")
    project.execute("select private.set_up_realtime()")
    test_tables = project.execute(
        "select tablename from pg_publication_tables where pubname = 'supabase_realtime'"
    ).fetchall()
    assert {name for (name,) in test_tables} == {*PUBLISHED, "theirs"}


def test_a_workspace_s_channel_is_for_its_active_members(project: Db) -> None:
    workspace = topic(project, "select 'workspace:' || ws('a')")
    for extension in ("broadcast", "presence"):
        joined = {actor for actor in MEMBERS | OTHERS if receives(project, actor, workspace, extension)}
        assert joined == MEMBERS, extension


def test_a_person_s_channel_is_theirs_alone(project: Db) -> None:
    mine = topic(project, "select 'user:' || tests.member('renter_a')")
    assert {actor for actor in MEMBERS | OTHERS if receives(project, actor, mine)} == {"renter_a"}


def test_nobody_but_the_database_sends(project: Db) -> None:
    workspace = topic(project, "select 'workspace:' || ws('a')")
    mine = topic(project, "select 'user:' || tests.member('owner_a')")
    assert {actor for actor in MEMBERS | OTHERS if sends(project, actor, workspace)} == set()
    assert not sends(project, "owner_a", mine)


def test_members_show_each_other_that_they_are_there(project: Db) -> None:
    workspace = topic(project, "select 'workspace:' || ws('a')")
    assert {a for a in MEMBERS | OTHERS if sends(project, a, workspace, "presence")} == MEMBERS


@pytest.mark.parametrize("name", ["workspace:", "workspace:null", "user:", "room", "WORKSPACE:x"])
def test_other_channels_are_nobody_s(project: Db, name: str) -> None:
    assert {actor for actor in MEMBERS | OTHERS if receives(project, actor, name)} == set()


def test_a_transaction_tells_a_workspace_once_that_something_changed(project: Db) -> None:
    project.execute("select set_config('freehold.nudged', '', true)")
    project.execute("update public.vendors set phone = '+12025550100' where workspace_id = ws('a')")
    project.execute("update public.tenants set phone = '+12025550100' where workspace_id = ws('a')")
    sent = project.execute("select topic, event, payload, private from realtime.messages").fetchall()
    assert sent == [(topic(project, "select 'workspace:' || ws('a')"), "changed", {}, True)]


def test_without_realtime_nothing_is_sent_and_writes_go_on(db: Db) -> None:
    db.execute(TWO_WORKSPACES.read_bytes())
    db.execute("update public.vendors set phone = '+12025550100' where workspace_id = ws('a')")
    db.execute("select private.set_up_realtime()")
