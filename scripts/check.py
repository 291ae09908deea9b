"""Look at everything that `make check` promises, and say for each finding where it is and what to do.

python -m scripts.check
python -m scripts.check --only drift --only squawk
python -m scripts.check --json
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from scripts.checks import database, history, style
from scripts.checks.finding import Check, Finding, Skipped
from scripts.checks.workshop import Workshop
from scripts.schema.files import Project, SchemaError
from scripts.stack.layout import REPOSITORY, StackError

# The slow ones start first: two run at a time.
CHECKS = (
    Check("mypy", "types", style.check_mypy),
    Check("push", "migrations apply from empty, and again without effect", database.check_push),
    Check("drift", "sources and migrations build the same database", database.check_drift),
    Check("advisors", "Supabase's advisors", database.check_advisors),
    Check("functions", "function bodies (supabase db lint)", database.check_functions),
    Check("sqlfluff", "style of the SQL", style.check_sqlfluff),
    Check("history", "landed migrations are as they were, in order", history.check_history),
    Check("squawk", "migrations are safe on a database in use", style.check_squawk),
    Check("ruff", "Python lint", style.check_ruff),
    Check("format", "Python format", style.check_format),
    Check("templates", "mails are compiled from their sources", style.check_templates),
)
AT_ONCE = 2


@dataclass(frozen=True)
class Result:
    """How one check went; `skipped` says why it could not run."""

    name: str
    title: str
    seconds: float
    findings: Sequence[Finding] = field(default_factory=list)
    skipped: str | None = None


def main(
    only: Annotated[list[str] | None, typer.Option(help="Run this check alone; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
    project: Annotated[Path, typer.Option(help="The folder that holds supabase/.")] = REPOSITORY,
) -> None:
    """Check the sources, the migrations and the code. Fails when there is a finding."""
    console = Console(stderr=as_json, emoji=False, highlight=False, soft_wrap=True)
    checks = _chosen(only or [])
    started = time.monotonic()
    with Workshop(Project(project.resolve())) as workshop:
        results = run(checks, workshop, lambda result: _show(console, result))
    if as_json:
        typer.echo(json.dumps([asdict(result) for result in results], indent=2))
    _conclude(console, results, time.monotonic() - started)
    if any(result.findings for result in results):
        raise typer.Exit(1)


def run(checks: Sequence[Check], workshop: Workshop, done: Callable[[Result], None]) -> list[Result]:
    """Run the checks side by side; `done` hears of each as it ends. Results keep the order of the checks."""

    def one(check: Check) -> Result:
        result = _result(check, workshop)
        done(result)
        return result

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, checks))


def _chosen(names: Sequence[str]) -> list[Check]:
    unknown = set(names) - {check.name for check in CHECKS}
    if unknown:
        raise typer.BadParameter(
            f"there is no check called {', '.join(sorted(unknown))}: "
            f"choose from {', '.join(check.name for check in CHECKS)}"
        )
    return [check for check in CHECKS if not names or check.name in names]


def _result(check: Check, workshop: Workshop) -> Result:
    started = time.monotonic()

    def ended(findings: Sequence[Finding] = (), skipped: str | None = None) -> Result:
        return Result(check.name, check.title, round(time.monotonic() - started, 2), findings, skipped)

    try:
        return ended(check.run(workshop))
    except Skipped as reason:
        return ended(skipped=str(reason))
    except (SchemaError, StackError) as error:
        return ended([Finding(check.name, str(error), "mend that, then run this again")])


def _show(console: Console, result: Result) -> None:
    mark = "[yellow]skip[/]" if result.skipped else "[red]FAIL[/]" if result.findings else "[green] ok [/]"
    reason = f" [dim]({escape(result.skipped)})[/]" if result.skipped else ""
    console.print(f"{mark} {result.name:<10}{result.seconds:6.1f} s  {result.title}{reason}")


def _conclude(console: Console, results: Sequence[Result], seconds: float) -> None:
    findings = [(result, finding) for result in results for finding in result.findings]
    for result, finding in findings:
        console.print(f"\n[bold red]{escape(finding.where)}[/] [dim]({result.name})[/]")
        console.print(escape(finding.problem))
        console.print(f"[bold]What to do:[/] {escape(finding.remedy)}")
    failed = sum(bool(result.findings) for result in results)
    verdict = f"{failed} of {len(results)} checks failed" if failed else f"{len(results)} checks passed"
    skipped = sum(result.skipped is not None for result in results)
    console.print(f"\n{verdict}{f', {skipped} of them skipped' if skipped else ''}, in {seconds:.0f} s")


if __name__ == "__main__":
    typer.run(main)
