"""The page that people read says what the tests expect."""

from __future__ import annotations

from scripts import document_access
from tests.py.access import expectations


def test_the_page_is_current() -> None:
    assert document_access.PAGE.read_text() == document_access.page(), (
        "run `python -m scripts.document_access`, and read the difference"
    )


def test_those_of_whom_the_page_says_that_they_have_nothing_have_nothing() -> None:
    own = {"manager_b": "b"}
    assert [
        str(cell)
        for cell in expectations.cells()
        if cell.actor in document_access.NOBODIES and cell.reached and cell.at != own.get(cell.actor)
    ] == []


def test_nobody_of_the_page_reaches_another_workspace() -> None:
    members = set(document_access.COLUMNS.values()) - {"service_role"}
    assert [
        str(cell)
        for cell in expectations.cells()
        if cell.actor in members and cell.at == "b" and cell.reached
    ] == []
