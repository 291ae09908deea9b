"""An import that is cut short, and one whose answers get lost: nothing half-written, nothing twice."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.py.integration.importer import Importer
from workers.api_error import ApiError
from workers.imports.run import BATCH, Outcome, find_workspace, run_import
from workers.imports.table import Table, read_table

ROWS = 2 * BATCH + 1


class Meddler:
    """The API, with something done around the n-th call of a function."""

    def __init__(
        self, importer: Importer, function: str, nth: int, meddle: Callable[[Callable[[], Any]], Any]
    ) -> None:
        self.importer = importer
        self.left = {function: nth}
        self.meddle = meddle

    def rpc(self, function: str, arguments: dict[str, Any]) -> Any:
        def call() -> Any:
            return self.importer.rpc(function, arguments)

        self.left[function] = self.left.get(function, 0) - 1
        return self.meddle(call) if self.left[function] == 0 else call()

    def select(self, table: str, columns: str) -> Any:
        return self.importer.select(table, columns)


class Steps:
    """The steps that were begun."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []
        self.done = 0

    def begin(self, step: str, total: int) -> None:
        self.begun.append((step, total))

    def advance(self, count: int) -> None:
        self.done += count


def interrupt(call: Callable[[], Any]) -> Any:
    call()
    raise KeyboardInterrupt


def lose_the_answer(call: Callable[[], Any]) -> Any:
    call()
    return call()


def vanish(_: Callable[[], Any]) -> Any:
    raise ApiError("api_unreachable", "nobody answers")


@pytest.fixture
def importer(db: psycopg.Connection[Any]) -> Importer:
    return Importer(db)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    path = tmp_path / "rent.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["property_name", "address", "city", "unit"])
        writer.writerows(["Maple Court", "1 Maple St", "Austin", str(n)] for n in range(ROWS))
    return read_table(path)


def run(api: Any, table: Table, steps: Steps | None = None) -> Outcome:
    workspace = find_workspace(api, None)
    return run_import(api, table, workspace, steps or Steps(), dates="iso", shift=timedelta())


@pytest.mark.parametrize(
    ("function", "nth"), [("stage_import_rows", 1), ("stage_import_rows", 3), ("check_import", 1)]
)
def test_interrupted_before_the_commit_it_leaves_no_trace(
    importer: Importer, table: Table, function: str, nth: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(Meddler(importer, function, nth, interrupt), table)
    assert not any(importer.snapshot().values())
    assert importer.one("select count(*) from public.imports") == 0


def test_interrupted_after_the_commit_it_is_whole_and_the_same_again_changes_nothing(
    importer: Importer, table: Table
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(Meddler(importer, "commit_import", 1, interrupt), table)
    before = importer.snapshot()
    assert len(before["public.units"]) == ROWS
    assert run(importer, table).changes["units"] == {"created": 0, "updated": 0, "unchanged": ROWS}
    assert importer.snapshot() == before


@pytest.mark.parametrize("function", ["stage_import_rows", "check_import", "commit_import", "start_import"])
def test_a_call_that_is_repeated_for_its_answer_does_no_harm(
    importer: Importer, table: Table, function: str
) -> None:
    outcome = run(Meddler(importer, function, 1, lose_the_answer), table)
    assert outcome.committed
    assert outcome.changes["units"]["created"] == ROWS
    assert len(importer.snapshot()["public.units"]) == ROWS


def test_without_an_api_to_speak_to_the_error_is_told_and_nothing_else_tried(
    importer: Importer, table: Table
) -> None:
    with pytest.raises(ApiError):
        run(Meddler(importer, "check_import", 1, vanish), table)
    assert not any(importer.snapshot().values())
    # Withdrawing it would have had to wait as long again: housekeeping does it.
    assert importer.one("select count(*) from public.imports") == 1


def test_progress_goes_from_reading_to_committing(importer: Importer, table: Table) -> None:
    steps = Steps()
    run(importer, table, steps)
    assert steps.begun == [("Reading", ROWS), ("Staging", ROWS), ("Checking", 1), ("Committing", 1)]
    assert steps.done == 2 * ROWS + 2
