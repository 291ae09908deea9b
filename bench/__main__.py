"""The command line: `python -m bench [NAME …] [--quick] [--json] [--record]`; NAME is a key of BENCHMARKS."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import (
    audit,
    changes,
    cluster,
    edge,
    embedding,
    expiry,
    fields,
    kpis,
    places,
    queue,
    report,
    rls,
    search,
)

BENCHMARKS = {
    "rls": rls.run,
    "embedding": embedding.run,
    "queue": queue.run,
    "expiry": expiry.run,
    "audit": audit.run,
    "changes": changes.run,
    "fields": fields.run,
    "search": search.run,
    "kpis": kpis.run,
    "edge": edge.run,
    "places": places.run,
}
RESULTS = Path(__file__).parent / "results"


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Which; all of them without.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small tables, few rounds: is it sound at all?")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Keep the result in bench/results/.")] = False,
) -> None:
    """Measure, and print side by side."""
    chosen = names or list(BENCHMARKS)
    if unknown := set(chosen) - set(BENCHMARKS):
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: choose from {', '.join(BENCHMARKS)}")
    console = Console(stderr=as_json, highlight=False, width=None if Console().is_terminal else 150)
    reports = []
    for name in chosen:
        with cluster.started() as stack:
            found = BENCHMARKS[name](stack, quick=quick, say=lambda line: console.print(line, style="dim"))
        report.show(found, console)
        reports.append(found)
        if record:
            path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{name}.md"
            path.write_text(report.as_markdown(found))
            console.print(f"Kept in {path}", style="dim")
    if as_json:
        print(report.as_json(reports))


if __name__ == "__main__":
    typer.run(main)
