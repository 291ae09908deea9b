"""What an import prints: its progress, every problem, and what changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from workers.api_error import ApiError
from workers.imports.addresses import Loaded
from workers.imports.problem import Problem
from workers.imports.run import Outcome

KINDS = {"properties": "properties", "units": "units", "tenants": "renters", "leases": "leases"}


class Steps:
    """A bar for each step where a person looks on; nothing otherwise."""

    def __init__(self, bars: Bars | None = None) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def begin(self, step: str, total: int) -> None:
        if self._bars:
            self._task = self._bars.add_task(step, total=total)

    def advance(self, count: int) -> None:
        if self._bars and self._task is not None:
            self._bars.advance(self._task, count)

    def reach(self, count: int) -> None:
        if self._bars and self._task is not None:
            self._bars.update(self._task, completed=count)


@contextmanager
def steps(*, shown: bool) -> Iterator[Steps]:
    console = Console(stderr=True)
    if not (shown and console.is_terminal):
        yield Steps()
        return
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console) as bars:
        yield Steps(bars)


def show(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        return print(_document(outcome))
    console = _wide()
    if outcome.ignored_columns:
        console.print(f"Columns not read: {', '.join(outcome.ignored_columns)}", markup=False)
    if outcome.problems:
        console.print(problems(outcome.problems))
    if outcome.changes:
        console.print(_changes(outcome))
    console.print(_conclusion(outcome), markup=False)


def addresses(loaded: Loaded, name: str, *, as_json: bool) -> None:
    """What became of a list of addresses."""
    counts = {what: getattr(loaded, what) for what in ("added", "kept", "deleted", "skipped")}
    if as_json:
        done = bool(loaded.added or loaded.kept)
        return print(
            _json({"ok": done, "list": name, **counts, "errors": [vars(one) for one in loaded.problems]})
        )
    console = _wide()
    if loaded.problems:
        console.print(problems(loaded.problems))
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    console.print(f"The list {name}: {told}.", markup=False)


def unreadable(file: str, found: Sequence[Problem], *, as_json: bool) -> None:
    """A file that is no table: nobody was asked anything yet."""
    if as_json:
        return print(_json({"ok": False, "file": file, "errors": [vars(one) for one in found]}))
    console = _wide()
    console.print(problems(found))
    console.print(f"Nothing was imported: {file} can't be read.", markup=False)


def refused(error: ApiError, *, as_json: bool) -> None:
    """The API's own words; a transient error leaves nothing behind either."""
    if as_json:
        told = {"code": error.code, "message": error.message, "details": error.details, "hint": error.hint}
        return print(_json({"ok": False, "error": told}))
    Console(stderr=True, highlight=False).print(Text(str(error), style="red"), soft_wrap=True)


def problems(found: Sequence[Problem]) -> Table:
    # Text, not markup: what stands in a file is not ours to interpret.
    table = Table(
        "line", "column", "value", "what is wrong", "what to do", title="Problems", title_justify="left"
    )
    table.columns[0].justify = "right"
    for one in found:
        value = Text("(empty)", style="dim") if one.value is None else Text(one.value[:60])
        what = Text(one.message).append(f" [{one.code}]", style="dim")
        table.add_row(str(one.line), Text(one.column), value, what, Text(one.remedy))
    return table


def _changes(outcome: Outcome) -> Table:
    title = "What changed" if outcome.committed else "What would change"
    title += ", as far as can be told" if outcome.problems else ""
    table = Table("", "created", "updated", "unchanged", title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for kind, title in KINDS.items():
        counts = outcome.changes[kind]
        table.add_row(title, *(str(counts[what]) for what in ("created", "updated", "unchanged")))
    return table


def _conclusion(outcome: Outcome) -> str:
    of_file = f"{outcome.rows} rows of {outcome.file}"
    if outcome.problems:
        count = len(outcome.problems)
        return f"Nothing was imported: {count} problem{'s' * (count != 1)} in {of_file}."
    begun = outcome.changes["leases_activated"]
    leases = f"{begun} lease{'s' * (begun != 1)}"
    if outcome.dry_run:
        return f"No problems in {of_file}; {leases} would become active. Repeat without --dry-run."
    imported = f"Imported {of_file} into {outcome.workspace.name}; {leases} became active."
    return f"{imported}\n{_addresses(outcome.addresses)}" if outcome.addresses else imported


def _addresses(summary: dict[str, int]) -> str:
    told = [
        f"The workspace's addresses: {summary['verified']} verified, {summary['corrected']} corrected,"
        f" {summary['unverified']} unverified."
    ]
    if summary["proposed"]:
        told.append(f"{summary['proposed']} proposed corrections wait in address_corrections for a decision.")
    if summary["waiting"]:
        told.append(
            f"{summary['waiting']} wait to be checked by `freehold work --queue compliance`;"
            " rpc/address_summary tells how far it is."
        )
    return "\n".join(told)


def _document(outcome: Outcome) -> str:
    return _json(
        {
            "ok": not outcome.problems,
            "committed": outcome.committed,
            "dry_run": outcome.dry_run,
            "workspace_id": outcome.workspace.id,
            "import_id": outcome.import_id if outcome.committed else None,
            "file": outcome.file,
            "rows": outcome.rows,
            "ignored_columns": outcome.ignored_columns,
            "errors": [vars(one) for one in outcome.problems],
            "changes": outcome.changes,
            "addresses_queued": outcome.addresses_queued,
            "addresses": outcome.addresses,
        }
    )


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False)


def _wide() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)
