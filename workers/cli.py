"""The command `freehold`. A verb imports what it needs when it runs, so that `--help` is instant."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from workers.imports.command import app as imports
from workers.places.command import app as places
from workers.verb_settings import BAD_CONFIGURATION, settings_for

FAILED = 1
UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]

app = typer.Typer(
    name="freehold",
    help="The workers of Freehold: scheduled checks, mail delivery, addresses, imports.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(imports, name="import")
app.add_typer(places, name="places")


@app.command()
def tick(as_json: AsJson = False) -> None:
    """Run the scheduled jobs that are due. For cron, every minute, on as many machines as you like."""
    from workers import report
    from workers.schedule.tick import Run
    from workers.schedule.tick import tick as run_due
    from workers.settings import FOR_WORKER
    from workers.supabase_api import WorkerApi

    settings = settings_for(*FOR_WORKER)

    async def once() -> list[Run]:
        async with WorkerApi.of(settings) as api:
            return await run_due(api)

    runs = asyncio.run(once())
    report.runs(runs, as_json=as_json)
    if any(run.error for run in runs):
        raise typer.Exit(FAILED)


@app.command()
def work(
    until_empty: Annotated[
        bool, typer.Option("--until-empty", "--once", help="Stop when nothing can be claimed any more.")
    ] = False,
    queue: Annotated[
        str, typer.Option(help="The queue to work on: email, or compliance, which holds address checks.")
    ] = "email",
    as_json: AsJson = False,
) -> None:
    """Do what waits in a queue. SIGTERM: finish what is under way and stop; a second one: stop at once."""
    from workers import report
    from workers.places.checks import QUEUE
    from workers.settings import FOR_MAIL, FOR_WORKER
    from workers.work import check_addresses
    from workers.work import work as send_mails

    settings = settings_for(*(FOR_WORKER if queue == QUEUE else FOR_MAIL))
    with report.watching(bar=until_empty and not as_json) as watch:
        if queue == QUEUE:
            finished = asyncio.run(check_addresses(settings, watch, until_empty=until_empty))
        else:
            finished = asyncio.run(send_mails(settings, watch, queue=queue, until_empty=until_empty))
    report.tally(watch.tally, as_json=as_json)
    if not finished:
        raise typer.Exit(FAILED)


@app.command()
def edge() -> None:
    """Serve HTTP: what clients call under /functions/v1. SIGTERM: finish what is under way and stop."""
    from workers.edge.serve import serve
    from workers.settings import FOR_EDGE

    serve(settings_for(*FOR_EDGE))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Test every connection a worker needs, with its latency, and say what to do about each that fails."""
    from workers import report
    from workers.doctor import examine
    from workers.settings import FOR_MAIL

    findings = asyncio.run(examine(settings_for(*FOR_MAIL)))
    report.findings(findings, as_json=as_json)
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(FAILED)


@app.command("check-env")
def check_env(as_json: AsJson = False) -> None:
    """Check the environment variables and tell every problem at once. Exit code 78 if there is one."""
    from workers import report
    from workers.settings import FOR_MAIL, ConfigurationError, load

    problems: list[str] = []
    try:
        load(*FOR_MAIL)
    except ConfigurationError as error:
        problems = error.problems
    report.problems(problems, as_json=as_json)
    if problems:
        raise typer.Exit(BAD_CONFIGURATION)


def main() -> Any:
    """The console script: what goes wrong outside of us is one line on stderr, never a traceback."""
    from workers.api_error import ApiError
    from workers.queue.outage import ProviderAway

    try:
        return app()
    except (ApiError, ProviderAway) as error:
        typer.secho(str(error), err=True, fg="red")
        refused = isinstance(error, ApiError) and not error.transient
        raise SystemExit(FAILED if refused else UNAVAILABLE) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
