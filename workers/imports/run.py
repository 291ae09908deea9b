"""One import from file to result: read, stage, check, commit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from workers.api_error import ApiError
from workers.imports.columns import BY_KEY
from workers.imports.problem import Problem
from workers.imports.rent_roll import Row, read_rows
from workers.imports.table import Table
from workers.imports.values import DateStyle

BATCH = 500
PAUSE = 0.5  # seconds between two looks at the checks of addresses
PATIENCE = 30.0  # seconds in which one of them at least is answered, where somebody works on them


class Api(Protocol):
    def rpc(self, function: str, arguments: dict[str, Any], /) -> Any: ...
    def select(self, table: str, columns: str, /) -> Any: ...


class Progress(Protocol):
    def begin(self, step: str, total: int) -> None: ...
    def advance(self, count: int) -> None: ...


@dataclass(frozen=True)
class Workspace:
    id: str
    name: str
    currency: str
    timezone: str

    def today(self, now: datetime) -> date:
        return now.astimezone(ZoneInfo(self.timezone)).date()


@dataclass
class Outcome:
    """`changes` is what was done, or would be without the problems; {} if nobody worked that out.

    `addresses` is how far checking the workspace's addresses was when we looked last.
    """

    workspace: Workspace
    file: str
    rows: int
    ignored_columns: list[str]
    dry_run: bool
    import_id: str | None = None
    problems: list[Problem] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)
    addresses_queued: int | None = None
    addresses: dict[str, int] | None = None
    interrupted: bool = False

    @property
    def committed(self) -> bool:
        return not self.dry_run and not self.problems


def find_workspace(api: Api, wanted: str | None) -> Workspace:
    """By id, or by name whatever its case; without either, the only one. ApiError says which there are."""
    every = [Workspace(**row) for row in api.select("workspaces", "id,name,currency,timezone")]
    key = (wanted or "").strip().casefold()
    found = [one for one in every if not key or key in (one.id, one.name.casefold())]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{one.name} ({one.id})" for one in found or every) or "none"
    if found:
        raise ApiError(
            "workspace_ambiguous", f"Which workspace? {listed}", hint="Give --workspace an id", status=400
        )
    hint = f"You belong to: {listed}"
    raise ApiError(
        "workspace_not_found", f"You belong to no workspace {wanted or ''}".strip(), hint=hint, status=404
    )


def shift_from(reference: date | None, workspace: Workspace, now: datetime | None = None) -> timedelta:
    """How far to move the dates of a file written around `reference`, so that they lie around today."""
    return workspace.today(now or datetime.now(UTC)) - reference if reference else timedelta()


def run_import(
    api: Api,
    table: Table,
    workspace: Workspace,
    progress: Progress,
    *,
    dates: DateStyle,
    shift: timedelta = timedelta(),
    dry_run: bool = False,
    verify_addresses: bool = False,
    patience: float = PATIENCE,
) -> Outcome:
    """All or nothing: with a problem anywhere nothing is changed. Interrupted before the commit, neither.

    `verify_addresses`: afterwards the workspace's unverified addresses are queued to be checked, and waited
    for as long as some are answered every `patience` seconds.
    """
    outcome = Outcome(workspace, table.name, len(table.records), table.ignored, dry_run)
    progress.begin("Reading", len(table.records))
    rows = []
    for row in read_rows(table, dates=dates, shift=shift, currency=workspace.currency):
        rows.append(row)
        outcome.problems += row.problems
        progress.advance(1)
    if not rows:
        outcome.problems.append(_no_rows())
        return outcome
    started = api.rpc(
        "start_import",
        {
            "workspace_id": workspace.id,
            "kind": "rent_roll",
            "file_name": table.name,
            "file_digest": table.digest,
        },
    )
    outcome.import_id = started["id"]
    try:
        _stage(api, started["id"], rows, progress)
        progress.begin("Checking", 1)
        checked = api.rpc("check_import", {"import_id": started["id"]})
        progress.advance(1)
        outcome.changes = checked["changes"]
        outcome.problems = merged(outcome.problems, _told(checked["errors"], table))
    except BaseException as error:
        if not (isinstance(error, ApiError) and error.transient):
            _discard(api, started["id"])
        raise
    if not outcome.committed:
        _discard(api, started["id"])
        return outcome
    progress.begin("Committing", 1)
    outcome.changes = api.rpc("commit_import", {"import_id": started["id"]})
    progress.advance(1)
    if verify_addresses:
        try:
            outcome.addresses_queued = api.rpc("verify_addresses", {"workspace_id": workspace.id})
            _await_checks(api, outcome, progress, patience)
        except KeyboardInterrupt:
            outcome.interrupted = True
    return outcome


def merged(read: Sequence[Problem], told: Sequence[Problem]) -> list[Problem]:
    """The file's own problems and the database's; of one cell the file's, which the other follows from."""
    known = {(problem.line, problem.column) for problem in read}
    return sorted(
        [*read, *(one for one in told if (one.line, one.column) not in known)],
        key=lambda one: (one.line, one.column, one.code),
    )


def _stage(api: Api, import_id: str, rows: Sequence[Row], progress: Progress) -> None:
    progress.begin("Staging", len(rows))
    for start in range(0, len(rows), BATCH):
        batch = [{"line": row.line, "data": row.data} for row in rows[start : start + BATCH]]
        api.rpc("stage_import_rows", {"import_id": import_id, "rows": batch})
        progress.advance(len(batch))


def _told(errors: Sequence[dict[str, Any]], table: Table) -> list[Problem]:
    problems = []
    for error in errors:
        column = BY_KEY.get(error["column"])
        label = table.label(column) if column else error["column"]
        value = error["value"]
        if value is not None and error["column"].endswith("_minor"):
            value = f"{value} minor units"
        problems.append(
            Problem(error["line"], label, value, error["code"], error["message"], error["remedy"])
        )
    return problems


def _await_checks(api: Api, outcome: Outcome, progress: Progress, patience: float) -> None:
    """Others check them. The import is done: whatever ends the waiting undoes nothing."""
    asked = {"workspace_id": outcome.workspace.id}
    with suppress(ApiError):
        summary = outcome.addresses = api.rpc("address_summary", asked)
        progress.begin("Checking addresses", summary["waiting"])
        until = time.monotonic() + patience
        while summary["waiting"] and time.monotonic() < until:
            time.sleep(PAUSE)
            before = summary["waiting"]
            summary = outcome.addresses = api.rpc("address_summary", asked)
            if summary["waiting"] < before:
                progress.advance(before - summary["waiting"])
                until = time.monotonic() + patience


def _discard(api: Api, import_id: str) -> None:
    # What can't be withdrawn now is deleted within a day.
    with suppress(ApiError):
        api.rpc("discard_import", {"import_id": import_id})


def _no_rows() -> Problem:
    return Problem(2, "", None, "file_empty", "The file has headers and no rows.", "Export it again.")
