"""changes(after): a copy that follows it is what its owner can select, and tells them of nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.py.access.expectations import TWO_WORKSPACES
from tests.py.integration.mirror import Mirror, follow, in_sight
from tests.py.support import as_role

Db = psycopg.Connection[Any]

# Tables that clients don't keep a copy of, and why.
NOT_SYNCED = {
    "audit_entries": "grows without end, and is read by range",
    "audit_values": "goes with audit_entries",
    "places_usage": "counts that grow with every few letters typed; read by day",
}
ACTORS = (
    "owner_a", "admin_a", "manager_a", "accountant_a", "viewer_a", "suspended_a", "removed_a", "renter_a",
    "occupant_a", "vendor_a", "tied_a", "former_a", "unassigned_a", "outsider", "both", "manager_b",
)  # fmt: skip


@pytest.fixture
def known(db: Db) -> Db:
    """Workspaces A and B with everybody who may knock; nothing is committed."""
    db.execute(TWO_WORKSPACES.read_bytes())
    return db


def person(db: Db, actor: str) -> str:
    return str(one(db, "select tests.member(%s)", actor))


def one(db: Db, query: str, *arguments: Any) -> Any:
    row = db.execute(query.encode(), arguments or None).fetchone()
    return row[0] if row else None


def suspend_rules(db: Db) -> None:
    """Let rows be changed past the rules of the domain: what counts here is what is seen afterwards."""
    for table in ("leases", "lease_units", "lease_tenants", "lease_terms", "tenants", "workspace_members"):
        db.execute(f"alter table public.{table} disable trigger user".encode())
        for write in ("insert", "update", "delete"):
            db.execute(f"alter table public.{table} enable trigger note_{write}".encode())


def add_tenant(db: Db) -> None:
    db.execute(
        """insert into public.tenants (id, workspace_id, last_name)
        values (tests.id_of('a', 'tenant', 90), ws('a'), 'New')"""
    )


def client(db: Db, actor: str, page_size: int = 500) -> Mirror:
    return follow(db, person(db, actor), page_size)


def test_every_table_is_followed_or_left_out_on_purpose(db: Db) -> None:
    tables = db.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
    )
    synced = {name for (name,) in db.execute("select t.name from private.synced_tables() as t")}
    assert {name for (name,) in tables} - NOT_SYNCED.keys() == synced
    assert not synced & NOT_SYNCED.keys()


def test_every_followed_table_notes_each_kind_of_write(db: Db) -> None:
    triggers = db.execute(
        """
            select t.tgrelid::regclass::text, t.tgtype & 28
            from pg_trigger as t where t.tgfoid = 'private.note_changes'::regproc and t.tgenabled = 'O'
        """
    ).fetchall()
    synced = [name for (name,) in db.execute("select t.name from private.synced_tables() as t")]
    assert sorted(triggers) == sorted((name, kind) for name in synced for kind in (4, 8, 16))


@pytest.mark.parametrize("page_size", [7, 500])
def test_who_begins_gets_what_they_can_select(known: Db, page_size: int) -> None:
    for actor in ACTORS:
        mirror = client(known, actor, page_size)
        answers = mirror.pull()
        assert mirror.rows == in_sight(known, person(known, actor)), actor
        assert all(len(answer["changes"]) <= page_size for answer in answers)
        assert mirror.changes() == [], actor


def test_a_member_is_told_of_what_came_changed_and_went(known: Db) -> None:
    mirror = client(known, "viewer_a")
    mirror.pull()
    add_tenant(known)
    known.execute("update public.vendors set phone = '+12025550100' where id = vendor('a', 2)")
    known.execute("delete from public.tenants where id = tenant('a', 4)")
    known.execute("update public.vendors set phone = '+12025550100' where workspace_id = ws('b')")
    assert mirror.changes() == [
        ("upsert", "tenants", one(known, "select tests.id_of('a', 'tenant', 90)::text")),
        ("upsert", "vendors", one(known, "select vendor('a', 2)::text")),
        ("delete", "tenants", one(known, "select tenant('a', 4)::text")),
    ]
    assert mirror.rows == in_sight(known, person(known, "viewer_a"))


def test_a_row_that_changed_often_is_told_once(known: Db) -> None:
    mirror = client(known, "viewer_a")
    mirror.pull()
    for name in ("One", "Two", "Three"):
        known.execute("update public.vendors set name = %s where id = vendor('a', 2)", (name,))
        known.execute("select private.settle_changes(now())")
    (answer,) = mirror.pull()
    assert [(change["op"], change["row"]["name"]) for change in answer["changes"]] == [("upsert", "Three")]


def test_what_came_and_went_between_two_calls_is_a_deletion(known: Db) -> None:
    mirror = client(known, "viewer_a")
    mirror.pull()
    add_tenant(known)
    known.execute("delete from public.tenants where id = tests.id_of('a', 'tenant', 90)")
    assert [op for op, _, _ in mirror.changes()] == ["delete"]


def test_deleting_a_property_tells_of_all_that_goes_with_it(known: Db) -> None:
    mirror = client(known, "viewer_a")
    mirror.pull()
    known.execute("delete from public.leases where id = lease('a', 'draft')")
    assert {(op, table) for op, table, _ in mirror.changes()} >= {
        ("delete", "leases"),
        ("delete", "lease_units"),
        ("delete", "lease_tenants"),
        ("delete", "lease_terms"),
    }
    assert mirror.rows == in_sight(known, person(known, "viewer_a"))


@pytest.mark.parametrize(
    ("actor", "statement", "dropped"),
    [
        ("viewer_a", "update public.workspace_members set status = 'suspended' where user_id = {me}", True),
        ("viewer_a", "delete from public.workspace_members where user_id = {me}", True),
        # An accountant is not shown imports, as a manager is.
        ("manager_a", "update public.workspace_members set role = 'accountant' where user_id = {me}", True),
        ("viewer_a", "update public.workspace_members set role = 'accountant' where user_id = {me}", False),
        ("renter_a", "update public.tenants set user_id = null where user_id = {me}", True),
        (
            "renter_a",
            "delete from public.lease_tenants where tenant_id = tenant('a', 1) and role = 'primary'",
            False,
        ),
        ("vendor_a", "update public.vendors set user_id = null where user_id = {me}", True),
        ("owner_a", "delete from public.workspaces where id = ws('a')", True),
        (
            "both",
            "delete from public.workspace_members where (user_id, workspace_id) = ({me}, ws('b'))",
            True,
        ),
    ],
)
def test_what_went_out_of_sight_is_dropped(known: Db, actor: str, statement: str, dropped: bool) -> None:
    me, mirror = person(known, actor), client(known, actor)
    mirror.pull()
    before = dict(mirror.rows)
    suspend_rules(known)
    known.execute(statement.format(me=f"'{me}'").encode())
    answers = mirror.pull()
    assert mirror.rows == in_sight(known, me)
    assert mirror.rows != before
    assert bool(answers[0]["drop"]) is dropped


def test_what_comes_into_sight_is_told(known: Db) -> None:
    """A renter who is put on a lease sees it, and all that belongs to it, though none of that has changed."""
    mirror = client(known, "renter_a")
    mirror.pull()
    suspend_rules(known)
    known.execute(
        """insert into public.lease_tenants (workspace_id, lease_id, tenant_id, role)
        values (ws('a'), lease('a', 'neighbour'), tenant('a', 1), 'co_tenant')"""
    )
    told = mirror.changes()
    assert {table for _, table, _ in told} >= {"leases", "lease_units", "lease_terms", "lease_tenants"}
    assert {op for op, _, _ in told} == {"upsert"}
    assert mirror.rows == in_sight(known, person(known, "renter_a"))


def test_somebody_who_joins_gets_the_workspace(known: Db) -> None:
    mirror = client(known, "outsider")
    mirror.pull()
    known.execute(
        "insert into public.workspace_members (workspace_id, user_id, role)"
        " values (ws('a'), tests.member('outsider'), 'viewer')"
    )
    mirror.pull()
    assert mirror.rows == in_sight(known, person(known, "outsider")) != {}


@pytest.mark.parametrize("actor", ["renter_a", "occupant_a", "vendor_a", "former_a", "outsider", "manager_b"])
def test_whoever_may_not_see_changes_is_answered_as_if_there_were_none(known: Db, actor: str) -> None:
    mirror = client(known, actor)
    mirror.pull()
    (quiet,) = mirror.pull()
    suspend_rules(known)
    for statement in (
        "update public.leases set lease_number = 'OTHER' where id = lease('a', 'draft')",
        "delete from public.lease_units where lease_id = lease('a', 'draft')",
        "delete from public.tenants where id = tenant('a', 4)",
        "update public.properties set name = 'Full Lot' where id = prop('a', 2)",
        "delete from public.workspace_invitations where workspace_id = ws('a')",
    ):
        known.execute(statement.encode())
    (busy,) = mirror.pull()
    assert one(known, "select count(*) from private.changes where deleted") > 0
    assert busy == quiet


def test_a_copy_restored_elsewhere_goes_on_where_it_was(known: Db) -> None:
    """Transaction ids begin anew in a restored cluster; positions are the feed's own and go on."""
    mirror = client(known, "viewer_a")
    mirror.pull()
    known.execute("update private.change_clock set database_oid = 1, transaction_id = '9000000000000000000'")
    add_tenant(known)
    assert [table for _, table, _ in mirror.changes()] == ["tenants"]
    assert mirror.rows == in_sight(known, person(known, "viewer_a"))


def test_who_has_seen_what_a_restore_undid_begins_anew(known: Db) -> None:
    mirror = client(known, "viewer_a")
    mirror.pull()
    known.execute("savepoint backup")
    add_tenant(known)
    mirror.pull()
    known.execute("rollback to savepoint backup")
    (answer,) = mirror.pull()
    assert answer["drop"] == [one(known, "select ws('a')::text")]
    assert mirror.rows == in_sight(known, person(known, "viewer_a"))


def test_who_has_seen_what_a_restore_undid_begins_anew_though_much_has_happened_since(known: Db) -> None:
    mirror = client(known, "viewer_a")
    mirror.pull()
    known.execute("savepoint backup")
    add_tenant(known)
    mirror.pull()
    known.execute("rollback to savepoint backup")
    known.execute("select private.note_restore(now() + interval '1 minute')")
    known.execute("update public.vendors set name = 'Brushes' where id = vendor('a', 2)")
    known.execute("select private.settle_changes(now())")
    (answer,) = mirror.pull()
    assert answer["drop"] == [one(known, "select ws('a')::text")]
    assert mirror.rows == in_sight(known, person(known, "viewer_a"))


def test_deletions_are_told_for_ninety_days_and_then_the_client_begins_anew(known: Db) -> None:
    early, late = client(known, "viewer_a"), client(known, "viewer_a")
    early.pull()
    late.pull()
    known.execute("delete from public.properties where id = prop('a', 2)")
    early.pull()
    now = datetime.now(UTC)
    assert housekeeping(known, now + timedelta(days=89))["forgotten"] == 0
    deleted = one(known, "select count(*) from private.changes where deleted")
    assert housekeeping(known, now + timedelta(days=91))["forgotten"] == deleted > 0
    (answer,) = late.pull()
    assert answer["drop"] == [one(known, "select ws('a')::text")]
    assert late.rows == in_sight(known, person(known, "viewer_a"))


def housekeeping(db: Db, now: datetime) -> dict[str, int]:
    with as_role(db, "worker"):
        answer: dict[str, int] = one(db, "select worker.settle_changes(%s)", now)
    return answer


@pytest.mark.parametrize(
    "after",
    [
        '"then"', "17", "[]", '{"elsewhere": {}}', '{"a0000000-0002-4000-8000-000000000001": 3}',
        '{"a0000000-0002-4000-8000-000000000001": {"as": "", "at": 1.5, "since": 0, "held": {}}}',
        '{"a0000000-0002-4000-8000-000000000001": {"as": "", "at": 0, "since": 0, "held": {"leases": []}}}',
    ],
)  # fmt: skip
def test_a_position_that_is_none_is_refused(known: Db, after: str) -> None:
    with pytest.raises(psycopg.Error, match="position_unknown"):
        client(known, "viewer_a").ask(json.loads(after), 10)


def test_a_forged_position_tells_nothing(known: Db) -> None:
    """A renter who claims to hold others' rows hears that they are out of sight, and of no other."""
    mirror = client(known, "renter_a")
    mirror.pull()
    assert mirror.position is not None
    ((workspace, mark),) = mirror.position.items()
    others = one(known, "select tenant('a', 4)::text")
    mark["held"]["tenants"][others] = "0"
    mark["at"] = 0
    answer = mirror.ask({workspace: mark}, 500)
    assert [(change["op"], change["key"]) for change in answer["changes"]] == [("gone", {"id": others})]
    mark["as"] = "everything"
    answer = mirror.ask({workspace: mark, str(one(known, "select ws('b')")): mark}, 500)
    mirror.rows = {}
    assert {change["workspace_id"] for change in answer["changes"]} == {workspace}


@pytest.mark.parametrize("page_size", [0, 1001, None])
def test_a_page_has_1_to_1000_changes(known: Db, page_size: int) -> None:
    with pytest.raises(psycopg.Error, match="page_size_out_of_range"):
        client(known, "viewer_a").ask(None, page_size)


def test_rows_of_a_page_are_read_by_index(known: Db) -> None:
    """What an index may not serve under row security would read the table for each page."""
    known.execute(
        """insert into public.tenants (workspace_id, last_name)
        select ws('a'), 'Renter ' || n from generate_series(1, 20000) as n"""
    )
    known.execute("analyze public.tenants")
    keys = one(
        known,
        """select (array_agg(t.id::text order by t.id))[1:100]
        from public.tenants as t where t.workspace_id = ws('a')""",
    )
    read = """
        select pg_stat_get_xact_tuples_returned('public.tenants'::regclass)
            + pg_stat_get_xact_tuples_fetched('public.tenants'::regclass)
    """
    with as_role(known, "authenticated", sub=person(known, "viewer_a")):
        before = one(known, read)
        rows = one(known, "select private.rows_in_sight('tenants', '{id}', tests.ws('a'), %s)", keys)
        after = one(known, read)
    assert len(rows) == 100
    assert after - before <= 300
