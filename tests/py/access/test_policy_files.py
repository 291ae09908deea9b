"""Each file of tests/sql/policies, run by psql on a database with pgTAP."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.stack.layout import REPOSITORY
from tests.py.access import tap

FILES = sorted((REPOSITORY / "tests" / "sql" / "policies").glob("test_*.sql"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_pgtap(access_database: str, file: Path) -> None:
    result = tap.run(file, access_database)
    assert result.problems == (), "\n\n".join(result.problems)


def test_a_failing_assertion_is_told_with_its_heading(access_database: str, tmp_path: Path) -> None:
    file = tmp_path / "test_wrong.sql"
    file.write_text("begin;\nselect plan(1);\n\\echo '# somebody'\nselect is(1, 2, 'sees one');\nrollback;\n")
    (problem,) = tap.run(file, access_database).problems
    assert problem.splitlines()[:2] == ["# somebody", "not ok 1 - sees one"]
    assert "want: 2" in problem


def test_a_file_that_stops_half_way_fails(access_database: str, tmp_path: Path) -> None:
    file = tmp_path / "test_short.sql"
    file.write_text("begin;\nselect plan(2);\nselect pass('one');\nrollback;\n")
    assert tap.run(file, access_database).problems == ("planned 2 assertions, ran 1",)
    file.write_text("begin;\nselect plan(1);\nselect pass('one');\nselect 1 / 0;\nrollback;\n")
    assert "division by zero" in tap.run(file, access_database).problems[0]
