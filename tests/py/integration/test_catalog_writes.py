"""Every update and delete in a function says which rows, also where there is one row alone.

A hosted project loads safeupdate into every session of the API, and it refuses the others, in functions and
triggers as well. The local stack doesn't have it, so nothing else would tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

WRITE = re.compile(r"\b(?:update\s+[\w.%$]+(?:\s+as)?(?:\s+\w+)?\s+set|delete\s+from)\b", re.I)


def writes(source: str) -> Iterator[str]:
    """A body's updates and deletes, each to its end or that of the parentheses it stands in."""
    source = re.sub(r"--[^\n]*", "", source)
    for found in WRITE.finditer(source):
        depth, end = 0, found.end()
        while end < len(source) and depth >= 0 and (depth or source[end] != ";"):
            depth += {"(": 1, ")": -1}.get(source[end], 0)
            end += 1
        yield source[found.start() : end]


def says_which_rows(write: str) -> bool:
    """A `where` of its own counts, one in parentheses is another query's."""
    while (without := re.sub(r"\([^()]*\)", "", write)) != write:
        write = without
    return bool(re.search(r"\bwhere\b", write, re.I))


def test_no_function_writes_every_row_there_is(db: psycopg.Connection[Any]) -> None:
    functions = db.execute(
        """
        select p.oid::regprocedure::text, p.prosrc
        from pg_catalog.pg_proc as p
        where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace, 'worker'::regnamespace)
        """
    ).fetchall()
    found = [(name, write) for name, source in functions for write in writes(source)]
    assert len(found) > 60
    assert [(name, write) for name, write in found if not says_which_rows(write)] == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("update private.clock set at = now();", [False]),
        ("update private.clock as c set at = (select t.at from t where t.id = 1);", [False]),
        ("update private.clock c set at = now() where id;", [True]),
        (
            "with gone as (delete from public.units returning id) select count(*) from gone where true;",
            [False],
        ),
        ("delete from public.units as u where u.id = any (p_ids); delete from public.units;", [True, False]),
        ("select 1 from t for update; insert into t values (1) on conflict do update set at = now();", []),
        ("-- update t set x = 1;\nperform 1;", []),
    ],
)
def test_one_that_does_would_be_seen(body: str, expected: list[bool]) -> None:
    assert [says_which_rows(write) for write in writes(body)] == expected
