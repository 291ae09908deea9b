"""What a database of the local stack offers to migrations, as a hosted project does."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.py.support import as_role


def test_postgres_is_no_superuser_and_bypasses_policies(db: psycopg.Connection[Any]) -> None:
    row = db.execute(
        "select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = current_user"
    ).fetchone()
    assert row == (False, True, True)
