"""docs/reference/errors.md lists each refusal with its status: no more, no fewer."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import psycopg

from scripts.stack.gateway_replies import REPLIES
from scripts.stack.layout import REPOSITORY

Db = psycopg.Connection[Any]
DOCUMENT = (REPOSITORY / "docs" / "reference" / "errors.md").read_text()
ROW = re.compile(r'^\| <a id="([^"]+)"></a>`([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$', re.M)


def section(title: str) -> str:
    """The part of the document under a heading of the second level."""
    return DOCUMENT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def bodies(db: Db) -> list[str]:
    return [
        row[0]
        for row in db.execute(
            """
                select p.prosrc from pg_catalog.pg_proc as p
                where
                    p.pronamespace::regnamespace::text in ('public', 'private', 'worker')
                    and p.proname <> 'fail'
            """
        ).fetchall()
    ]


def test_every_refusal_names_its_status_and_code_outright(db: Db) -> None:
    for body in bodies(db):
        calls = body.count("private.fail(")
        assert len(re.findall(r"private\.fail\(\s*\d{3}, '[a-z_]+',", body)) == calls, body
        assert "raise exception" not in body, "refuse with private.fail, so that the caller gets a code"


def test_the_codes_are_those_of_the_database(db: Db) -> None:
    raised = {
        (code, status)
        for body in bodies(db)
        for status, code in re.findall(r"private\.fail\(\s*(\d{3}), '([a-z_]+)'", body)
    }
    assert raised
    assert {(code, status) for _, code, status, *_ in ROW.findall(section("Freehold's own codes"))} == raised


def test_the_codes_are_those_of_the_gateway() -> None:
    """Besides those that the database answers as well."""
    listed, own = (
        [code for _, code, *_ in ROW.findall(section(title))]
        for title in ("The gateway's codes", "Freehold's own codes")
    )
    assert sorted(listed) == sorted(reply.code for reply in REPLIES if reply.code not in own)


def test_every_code_has_one_row_one_anchor_and_something_to_do() -> None:
    rows = ROW.findall(DOCUMENT)
    assert len(rows) == len(re.findall(r"^\| <a id=", DOCUMENT, re.M))
    assert [code for code, count in Counter(row[1] for row in rows).items() if count > 1] == []
    for anchor, code, _, happened, remedy in rows:
        assert anchor == code
        assert happened.strip(), code
        assert remedy.strip(), code
