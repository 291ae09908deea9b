"""What the verbs print: a table for people, one JSON document for programs."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from workers.doctor import Finding
    from workers.schedule.tick import Run

MARKS = {"ok": "[green]ok[/]", "warn": "[yellow]warn[/]", "fail": "[red]fail[/]"}


def runs(done: Sequence[Run], *, as_json: bool) -> None:
    if as_json:
        return _json({"runs": [asdict(run) for run in done]})
    if not done:
        return print("Nothing was due.")
    table = Table("job", "due at", "outcome")
    for run in done:
        outcome = run.error or ", ".join(f"{name} {count}" for name, count in run.result.items()) or "done"
        table.add_row(run.job, run.due_at, f"[red]{outcome}[/]" if run.error else outcome)
    _wide().print(table)


def tally(counts: Counter[str], *, as_json: bool) -> None:
    """Messages by what became of them."""
    if as_json:
        return _json({"messages": dict(counts)})
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "No messages.")


def findings(found: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        healthy = all(one.state != "fail" for one in found)
        return _json({"ok": healthy, "findings": [asdict(one) for one in found]})
    table = Table("", "what", "ms", "finding", box=None, pad_edge=False)
    table.columns[2].justify = "right"
    for one in found:
        took = f"{one.milliseconds:.0f}" if one.milliseconds is not None else ""
        detail = one.detail + (f"\n[dim]→ {one.remedy}[/]" if one.remedy else "")
        table.add_row(MARKS[one.state], one.name, took, detail)
    _wide().print(table)


def problems(lines: Sequence[str], *, as_json: bool) -> None:
    """Problems of the configuration; those go to stderr unless a program reads along."""
    if as_json:
        return _json({"ok": not lines, "problems": list(lines)})
    if not lines:
        return print("The environment is complete.")
    print("The environment can't be used:", *(f"  {line}" for line in lines), sep="\n", file=sys.stderr)


class Watch:
    """Counts what became of messages, and moves a bar where a person looks at it."""

    def __init__(self, bar: Progress | None = None, doing: str = "Sending") -> None:
        self.tally: Counter[str] = Counter()
        self.signal: int | None = None
        self._bar = bar
        self._task = bar.add_task(doing, total=None) if bar else None

    def expect(self, length: int) -> None:
        if self._bar and self._task is not None:
            self._bar.update(self._task, total=self.tally.total() + length)

    def settled(self, outcome: str) -> None:
        self.tally[outcome] += 1
        if self._bar and self._task is not None:
            self._bar.advance(self._task)

    def stopping(self, signal: int) -> None:
        self.signal = signal


@contextmanager
def watching(*, bar: bool, doing: str = "Sending") -> Iterator[Watch]:
    console = Console(stderr=True)
    if not (bar and console.is_terminal):
        yield Watch()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield Watch(progress, doing)


def _wide() -> Console:
    """Tables that don't wrap where nobody looks: in a log, in a pipe."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)


def _json(document: dict[str, Any]) -> None:
    print(json.dumps(document, default=str, ensure_ascii=False))
