"""Names and timestamps of migrations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.schema.files import Project, next_version, version_of

NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def test_a_new_migration_is_dated_now_in_utc() -> None:
    in_new_york = NOON.astimezone(timezone(timedelta(hours=-5)))
    assert next_version(["20261121090000_core.sql"], in_new_york) == "20261121120000"


def test_a_new_migration_comes_after_one_from_the_future() -> None:
    assert next_version(["20261231235959_party.sql"], NOON) == "20270101000000"


@given(
    st.lists(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2080, 1, 1))),
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2080, 1, 1)),
)
def test_time_only_grows(written: list[datetime], now: datetime) -> None:
    names = [f"{at:%Y%m%d%H%M%S}_x.sql" for at in written]
    new = f"{next_version(names, now.replace(tzinfo=UTC))}_a.sql"
    assert all(name < new for name in names)


@pytest.mark.parametrize(
    "name",
    [
        "core.sql",
        "20261121_core.sql",
        "20261321090000_core.sql",
        "20261121090000_Core.sql",
        "20261121090000.sql",
    ],
)
def test_a_name_that_gives_no_order_has_no_version(name: str) -> None:
    assert version_of(name) is None


def test_policies_are_loaded_after_all_schemas(tmp_path: Path) -> None:
    for path in ("policies/a.sql", "schemas/10_b.sql", "schemas/00_z.sql"):
        file = tmp_path / "supabase" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    project = Project(tmp_path)
    assert [project.shown(path) for path in project.sources] == [
        "supabase/schemas/00_z.sql",
        "supabase/schemas/10_b.sql",
        "supabase/policies/a.sql",
    ]
