"""A dump that was restored: clients go on where they were, and the change log is as trustworthy as it was."""

from __future__ import annotations

import copy
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from scripts.stack import postgres, tools
from scripts.stack.layout import Stack
from tests.py.integration.audit_log import AuditLog
from tests.py.integration.meeting import value
from tests.py.integration.mirror import Mirror, follow, in_sight
from tests.py.integration.portfolio import Portfolio

Db = psycopg.Connection[Any]
TAMPERING = {
    "entry_changed": """update public.audit_entries set actor_role = 'worker' where id = %(entry)s""",
    "entry_missing": "delete from public.audit_entries where id = %(entry)s",
    "values_missing": "delete from public.audit_values where entry_id = %(personal)s",
}


@pytest.fixture
def fresh(stack: Stack) -> Iterator[str]:
    """The name of an empty database for the copy."""
    name = f"copy_{uuid.uuid4().hex[:12]}"
    postgres.create_database(stack, name, template="template0")
    yield name
    postgres.drop_database(stack, name)


def test_a_restored_dump_goes_on_as_the_database_it_was_made_of(
    stack: Stack, db: Db, fresh: str, tmp_path: Path
) -> None:
    db.autocommit = True
    log = AuditLog(Portfolio(db))
    renter = log.write()
    log.seal_all()
    head, owner = log.head(), log.portfolio.owner_id
    client, ahead = follow(db, owner), follow(db, owner)
    client.pull()
    # Committed when the dump is made, and neither sealed nor in the feed.
    log.db.execute("update public.units set bedrooms = 3 where unit_number = '1'")
    log.db.execute("delete from public.units where unit_number = '2'")
    changed = [("upsert", "units"), ("delete", "units")]

    dump(stack, db.info.dbname, tmp_path / "dump")
    log.write(1)  # what the restore undoes
    ahead.pull()
    restore(stack, fresh, tmp_path / "dump")

    with psycopg.connect(stack.db_url(database=fresh), autocommit=True) as restored:
        portfolio = copy.copy(log.portfolio)
        portfolio.db = restored
        again = AuditLog(portfolio)

        told = again.verify(head)
        assert (told["valid"], told["head_held"], told["unsealed"]) == (True, True, 2)
        assert [(op, table) for op, table, _ in moved(client, restored, owner).changes()] == changed
        restored.execute("update public.tenants set phone = '555-0102' where id = %s", (renter,))
        assert client.changes() == [("upsert", "tenants", str(renter))]
        assert client.rows == in_sight(restored, owner)
        # Whoever has seen what is undone is told to begin anew, and ends with the same.
        answers = moved(ahead, restored, owner).pull()
        assert answers[0]["drop"] == [str(log.workspace_id)]
        assert ahead.rows == client.rows

        again.seal_all()
        told = again.verify(head)
        assert (told["valid"], told["head_held"], told["unsealed"]) == (True, True, 0)
        assert told["entries"] == value(restored, "select count(*) from public.audit_entries")
        personal = value(restored, "select min(entry_id) from public.audit_values")
        for kind, tampering in TAMPERING.items():
            with restored.transaction(force_rollback=True):
                entry = personal if kind == "values_missing" else again.entry_at(3)
                restored.execute(tampering.encode(), {"entry": entry, "personal": personal})
                problem = again.verify()["problem"]
                assert (problem["kind"], problem["entry_id"]) == (kind, entry)
        assert again.verify()["valid"] is True


def moved(client: Mirror, db: Db, user_id: uuid.UUID) -> Mirror:
    """The client, with the restored database in the place of the one that it knew."""
    client.ask = follow(db, user_id).ask
    return client


def dump(stack: Stack, database: str, path: Path) -> None:
    run("pg_dump", stack.db_url(postgres.SUPERUSER, database), "--format=custom", "-Z0", f"--file={path}")


def restore(stack: Stack, database: str, path: Path) -> None:
    run("pg_restore", f"--dbname={stack.db_url(postgres.SUPERUSER, database)}", "--exit-on-error", str(path))


def run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(tools.postgres_client(program)), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
