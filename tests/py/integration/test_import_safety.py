"""Who may import, and what happens beside other people's work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.py.integration.importer import HOUSE, LEASE, Cells, DbApi, Importer, Refused, counts
from tests.py.support import wait_until

Db = psycopg.Connection[Any]


@pytest.fixture
def importer(db: Db) -> Importer:
    return Importer(db)


@contextmanager
def second_connection(importer: Importer) -> Iterator[Db]:
    with psycopg.connect(importer.db.info.dsn + " password=postgres", autocommit=True) as connection:
        yield connection


def refusal(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.status, refused.value.code


def waiting(importer: Importer) -> bool:
    """Whether some connection of this database waits for a lock."""
    return bool(
        importer.one(
            """select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock' and pid <> pg_backend_pid()"""
        )
    )


@pytest.mark.parametrize("role", ["viewer", "accountant"])
def test_who_may_not_write_may_not_import(importer: Importer, role: str) -> None:
    reader = DbApi(importer.db, importer.hire(f"{role}@example.com", role))
    start = {
        "workspace_id": importer.workspace_id,
        "kind": "rent_roll",
        "file_name": "a",
        "file_digest": "0" * 64,
    }
    assert refusal(lambda: reader.rpc("start_import", start)) == (403, "permission_denied")
    assert reader.select("imports", "id") == []


@pytest.mark.parametrize("permission", ["imports.run", "portfolio.write", "renters.write", "leases.write"])
def test_each_of_the_permissions_is_needed(importer: Importer, permission: str) -> None:
    import_id = importer.staged(LEASE)
    importer.db.execute("delete from private.role_permissions where permission = %s", (permission,))
    for function in ("check_import", "commit_import", "discard_import"):
        assert refusal(lambda call=function: importer.rpc(call, {"import_id": import_id})) == (  # type: ignore[misc]
            403,
            "permission_denied",
        )
    assert not any(importer.snapshot().values())


def test_an_import_is_its_starters_alone(importer: Importer) -> None:
    import_id = importer.staged(LEASE)
    colleague = DbApi(importer.db, importer.hire("cy@example.com", "manager"))
    assert [row["id"] for row in colleague.select("imports", "id")] == [import_id]
    for function in ("check_import", "commit_import", "discard_import"):
        assert refusal(lambda call=function: colleague.rpc(call, {"import_id": import_id})) == (  # type: ignore[misc]
            404,
            "import_not_found",
        )
    rows = {"import_id": import_id, "rows": [{"line": 9, "data": HOUSE}]}
    assert refusal(lambda: colleague.rpc("stage_import_rows", rows)) == (404, "import_not_found")


def test_who_was_removed_cannot_commit_what_they_had_staged(importer: Importer) -> None:
    import_id = importer.staged(LEASE)
    importer.db.execute(
        "update public.workspace_members set status = 'suspended' where user_id = %s", (importer.user_id,)
    )
    assert refusal(lambda: importer.rpc("commit_import", {"import_id": import_id})) == (
        404,
        "import_not_found",
    )


def test_what_is_committed_takes_no_more_rows_and_stays_on_record(importer: Importer) -> None:
    import_id = importer.staged(LEASE)
    importer.rpc("commit_import", {"import_id": import_id})
    assert refusal(lambda: importer.stage(import_id, HOUSE)) == (409, "import_committed")
    assert refusal(lambda: importer.rpc("discard_import", {"import_id": import_id})) == (
        409,
        "import_committed",
    )


def test_a_discarded_import_is_gone_with_its_rows(importer: Importer) -> None:
    importer.rpc("discard_import", {"import_id": importer.staged(LEASE)})
    assert importer.one("select count(*) from public.imports") == 0
    assert importer.one("select count(*) from private.import_rows") == 0


def test_another_workspaces_records_are_neither_found_nor_told_of(importer: Importer) -> None:
    importer.commit(LEASE)
    before = importer.snapshot()
    with second_connection(importer) as connection:
        stranger = Importer.__new__(Importer)
        DbApi.__init__(stranger, connection, importer.user_id)
        connection.execute("insert into public.workspaces (id, name) values (gen_random_uuid(), 'Oak')")
        row = connection.execute("select id from public.workspaces where name = 'Oak'").fetchone()
        assert row is not None
        stranger.workspace_id = row[0]
        connection.execute(
            "insert into public.workspace_members (workspace_id, user_id, role) values (%s, %s, 'owner')",
            (row[0], importer.user_id),
        )
        answer = stranger.commit({**LEASE, "tenant_last_name": "Bell", "lease_start": "2025-06-01"})
        assert answer["leases"] == counts(created=1)
    assert importer.snapshot() == before


def test_two_imports_of_one_file_at_once_make_everything_once(importer: Importer) -> None:
    rows = [
        {**LEASE, "unit_number": f"{n}", "lease_number": f"L-{n}", "tenant_email": f"t{n}@example.com"}
        for n in range(300)
    ]
    with second_connection(importer) as connection:
        apis = [importer, DbApi(connection, importer.user_id)]
        ids = [importer.staged(*rows), importer.staged(*rows)]
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda api, one: api.rpc("commit_import", {"import_id": one}), apis, ids))
    assert sorted(answer["leases"]["created"] for answer in answers) == [0, 300]
    assert sorted(answer["leases"]["unchanged"] for answer in answers) == [0, 300]
    assert len(importer.snapshot()["public.leases"]) == 300


def race(importer: Importer, statement: str, row: Cells) -> tuple[str, Any]:
    """Commit `row` while another transaction holds what `statement` did, and let that one go first.

    Answers what became of the commit: `committed` or the code of the refusal, and the id of the import.
    """
    import_id = importer.staged(row)
    with second_connection(importer) as writer, second_connection(importer) as connection:
        api = DbApi(connection, importer.user_id)
        writer.autocommit = False
        writer.execute(statement, {"workspace": importer.workspace_id})
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(api.rpc, "commit_import", {"import_id": import_id})
            wait_until(lambda: waiting(importer))
            writer.commit()
            error = answer.exception(30)
    assert error is None or isinstance(error, Refused), error
    return (error.code if error else "committed"), import_id


def test_a_property_that_somebody_adds_meanwhile_is_found_by_the_second_try(importer: Importer) -> None:
    outcome, import_id = race(
        importer,
        """insert into public.properties (workspace_id, name, address_line1, city)
        values (%(workspace)s, 'maple court', '1 Maple St', 'Austin')""",
        LEASE,
    )
    assert outcome == "import_raced"
    assert not importer.snapshot()["public.leases"]
    answer = importer.rpc("commit_import", {"import_id": import_id})
    assert (answer["properties"], answer["units"]) == (counts(unchanged=1), counts(created=1))
    assert importer.one("select count(*) from public.properties") == 1


def test_what_somebody_else_changes_of_a_renter_meanwhile_stays(importer: Importer) -> None:
    importer.commit(LEASE)
    outcome, _ = race(
        importer,
        "update public.tenants set phone = '555-0100' where workspace_id = %(workspace)s",
        {**LEASE, "tenant_email": "ann.lee@example.com"},
    )
    assert outcome == "committed"
    renter = importer.db.execute("select email, phone from public.tenants").fetchall()
    assert renter == [("ann.lee@example.com", "555-0100")]


def test_an_import_waits_for_a_lease_that_is_about_to_bind_and_then_sees_it(importer: Importer) -> None:
    importer.commit({**LEASE, "lease_status": "draft"})
    rival = {**LEASE, "lease_number": "L-2", "tenant_last_name": "Ray", "tenant_email": "bo@example.com"}
    outcome, import_id = race(
        importer,
        """with held as (
            select id from public.units where workspace_id = %(workspace)s for no key update
        ), bound as (
            update public.lease_units set binding = true where unit_id in (select id from held)
        )
        update public.leases set status = 'active', activated_at = now()
        where workspace_id = %(workspace)s""",
        rival,
    )
    assert outcome == "import_has_errors"
    [error] = importer.rpc("check_import", {"import_id": import_id})["errors"]
    assert error["message"] == "Lease L-1 holds the unit in that time."


def test_activating_leases_beside_imports_neither_deadlocks_nor_binds_a_unit_twice(
    importer: Importer,
) -> None:
    units = [
        {**LEASE, "unit_number": f"{n}", "lease_number": f"D-{n}", "lease_status": "draft"} for n in range(8)
    ]
    importer.commit(*[{**row, "tenant_email": f"d{n}@example.com"} for n, row in enumerate(units)])
    drafts = [row["id"] for row in importer.snapshot()["public.leases"]]
    import_id = importer.staged(
        *[
            {**row, "lease_number": f"I-{n}", "lease_status": "active", "tenant_email": f"i{n}@example.com"}
            for n, row in enumerate(units)
        ]
    )

    def activate(lease_id: str) -> str:
        with second_connection(importer) as connection:
            try:
                DbApi(connection, importer.user_id).rpc("activate_lease", {"lease_id": lease_id})
            except Refused as error:
                return str(error.code)
        return "active"

    def commit(_: str) -> str:
        with second_connection(importer) as connection:
            try:
                DbApi(connection, importer.user_id).rpc("commit_import", {"import_id": import_id})
            except Refused as error:
                return str(error.code)
        return "committed"

    with ThreadPoolExecutor(9) as pool:
        imported = pool.submit(commit, "")
        outcomes = list(pool.map(activate, drafts))
    if imported.result() == "committed":
        assert set(outcomes) == {"possession_overlap"}
    else:
        assert imported.result() in ("import_has_errors", "import_raced")
        assert "active" in outcomes
    assert (
        importer.one("select count(*) = count(distinct unit_id) from public.lease_units where binding")
        is True
    )


def test_what_nobody_commits_is_deleted_after_a_day(importer: Importer) -> None:
    abandoned, fresh, done = importer.staged(LEASE), importer.staged(LEASE), importer.staged(HOUSE)
    importer.rpc("commit_import", {"import_id": done})
    importer.db.execute(
        "update public.imports set created_at = now() - interval '25 hours' where id = any (%s)",
        ([abandoned, done],),
    )
    assert importer.one("select worker.housekeeping() -> 'imports'") == 1
    left = {str(row[0]) for row in importer.db.execute("select id from public.imports")}
    assert left == {fresh, done}
    assert importer.one("select count(*) from private.import_rows where import_id = %s", abandoned) == 0
    assert importer.one("select count(*) from private.import_rows") == 1
