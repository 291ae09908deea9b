"""What a benchmark found: tables, goals and remarks; printed, as JSON, or as Markdown for a record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from rich.console import Console
from rich.table import Table as RichTable

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """Rows under columns; the first column names the row. `extract` is shown under it as it stands."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    extract: str = ""


@dataclass(frozen=True)
class Goal:
    """`value` is measured; `met` says whether it reaches what `text` asks, None: this run can't tell."""

    text: str
    value: str
    met: bool | None


@dataclass(frozen=True)
class Report:
    """All that one benchmark says. `conditions` are those of this very run."""

    name: str
    title: str
    conditions: Mapping[str, str]
    tables: Sequence[Table]
    goals: Sequence[Goal]
    remarks: Sequence[str] = field(default_factory=tuple)


def as_json(reports: Sequence[Report]) -> str:
    return json.dumps([asdict(report) for report in reports], indent=2)


def show(report: Report, console: Console) -> None:
    console.rule(f"[bold]{report.title}")
    console.print(" · ".join(f"{name} {value}" for name, value in report.conditions.items()), style="dim")
    for table in report.tables:
        grid = RichTable(title=table.title, title_justify="left", title_style="bold")
        for position, column in enumerate(table.columns):
            grid.add_column(column, justify="left" if position == 0 else "right")
        for row in table.rows:
            grid.add_row(*(shown(cell) for cell in row))
        console.print(grid)
        if table.extract:
            console.print(table.extract, style="dim", markup=False)
    for goal in report.goals:
        verdict = {True: "[green]met[/]", False: "[red]missed[/]", None: "[dim]not judged[/]"}[goal.met]
        console.print(f"{verdict}  {goal.text}: {goal.value}")
    for remark in report.remarks:
        console.print(f"· {remark}", style="dim", markup=False)


def as_markdown(report: Report) -> str:
    """The record of a run, as kept in bench/results/."""
    lines = [f"# {report.title}", "", "| condition | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in report.conditions.items()]
    for table in report.tables:
        lines += ["", f"## {table.title}", "", f"| {' | '.join(table.columns)} |"]
        lines.append(f"| --- {'| ---: ' * (len(table.columns) - 1)}|")
        lines += [f"| {' | '.join(shown(cell) for cell in row)} |" for row in table.rows]
        if table.extract:
            lines += ["", "```", table.extract, "```"]
    if report.goals:
        lines += ["", "## Goals", "", "| goal | measured | |", "| --- | --- | --- |"]
    verdicts = {True: "met", False: "missed", None: "not judged"}
    lines += [f"| {goal.text} | {goal.value} | {verdicts[goal.met]} |" for goal in report.goals]
    if report.remarks:
        lines += ["", "## Remarks", "", *(f"- {remark}" for remark in report.remarks)]
    return "\n".join(lines) + "\n"


def shown(cell: Cell) -> str:
    """Numbers with three digits that count, large ones with separators."""
    if cell is None:
        return "–"  # noqa: RUF001
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else cell
