"""The pages that are written from the catalog say what the catalog says."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from scripts import document_schema
from scripts.pages.catalog import tables
from scripts.pages.topics import SOURCES, topics

Db = psycopg.Connection[Any]


@pytest.mark.parametrize("name", ["schema.md", "rpcs.md"])
def test_the_page_is_current(db: Db, name: str) -> None:
    page = document_schema.REFERENCE / name
    assert page.read_text() == document_schema.pages(db)[page], (
        "run `python -m scripts.document_schema`, and read the difference"
    )


def test_every_table_has_a_topic(db: Db) -> None:
    grouped = topics(SOURCES)
    named = [name for names in grouped.values() for name in names]
    assert sorted(named) == [table.name for table in tables(db)]


def test_a_page_shows_what_changes(db: Db) -> None:
    """A column, a key and a word more: the page has them, so that a stale page is noticed."""
    db.execute("alter table public.units add column floor text not null, add column over uuid")
    db.execute("comment on column public.units.floor is 'Which floor | it is on.'")
    db.execute(
        "alter table public.units add constraint over_fkey foreign key (workspace_id, over)"
        " references public.units (workspace_id, id) on delete set null (over)"
    )
    written = document_schema.pages(db)[document_schema.REFERENCE / "schema.md"]
    assert "| `floor` | text | required | Which floor \\| it is on. |" in written
    assert "- `over` → [units](#units): emptied when it is deleted" in written
    assert '    units |o--o{ units : "over"' in written
