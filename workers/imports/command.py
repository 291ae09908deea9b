"""`freehold import`: bring in what a file has, as the person who is signed in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workers.verb_settings import settings_for

if TYPE_CHECKING:
    from workers.imports.session import Session
    from workers.settings import Settings

HAS_ERRORS = 1
UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h
INTERRUPTED = 130

app = typer.Typer(help="Bring in a portfolio from a file.", no_args_is_help=True)


@app.callback()
def of_files() -> None:
    """Bring in a portfolio from a file."""


@app.command("rent-roll")
def rent_roll(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV, in UTF-8.")],
    workspace: Annotated[
        str | None, typer.Option(help="Id or name; may be left out by who belongs to one only.")
    ] = None,
    email: Annotated[
        str | None,
        typer.Option(envvar="FREEHOLD_EMAIL", help="Sign in with it, and FREEHOLD_PASSWORD or a prompt."),
    ] = None,
    dates: Annotated[
        Literal["iso", "us"], typer.Option(help="iso is YYYY-MM-DD; us takes MM/DD/YYYY too.")
    ] = "iso",
    relative_to: Annotated[
        datetime | None,
        typer.Option(
            "--dates-relative-to",
            formats=["%Y-%m-%d"],
            help="Move every date by whole days, so that this day becomes today. For demonstrations.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List every problem and what would change; change nothing.")
    ] = False,
    verify_addresses: Annotated[
        bool,
        typer.Option(
            "--verify-addresses",
            help="Then have the workspace's unverified addresses checked, and wait for it while some are.",
        ),
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Whether to wait for the addresses to be checked.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Import properties, units, renters and leases; all of the file or nothing.

    FREEHOLD_TOKEN, or --email and a password, says who you are. The same file twice changes nothing.
    Exit codes: 0 done, 1 problems (nothing imported), 2 usage, 69 the API doesn't answer, 78 configuration.
    """
    from workers.imports import report, run
    from workers.imports.table import read_table

    settings = settings_for()
    with _telling(file, "nothing is imported twice", as_json=as_json):
        table = read_table(file)
        session = _session(settings, email)
        target = run.find_workspace(session, workspace)
        shift = run.shift_from(relative_to.date() if relative_to else None, target)
        with report.steps(shown=not as_json) as steps:
            outcome = run.run_import(
                session,
                table,
                target,
                steps,
                dates=dates,
                shift=shift,
                dry_run=dry_run,
                verify_addresses=verify_addresses,
                patience=run.PATIENCE if wait else 0,
            )
    report.show(outcome, as_json=as_json)
    if outcome.problems:
        raise typer.Exit(HAS_ERRORS)
    if outcome.interrupted:
        raise typer.Exit(INTERRUPTED)


@app.command("addresses")
def addresses(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV, in UTF-8.")],
    name: Annotated[str, typer.Option("--list", help="What to call the list; its last import is replaced.")],
    country: Annotated[
        str | None, typer.Option(help="ISO 3166-1 code of lines that name no country, such as US.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Import addresses that forms are to suggest, for all workspaces, with the worker's key.

    The file's headers are ours (address_line1, city, state, postal_code, country, latitude, longitude) or
    those of OpenAddresses. Lines that are no address are told and passed over.
    Exit codes: 0 done, 1 nothing imported, 2 usage, 69 the API doesn't answer, 78 configuration.
    """
    import asyncio
    from datetime import UTC

    from workers.imports import report
    from workers.imports.addresses import Loaded, load_addresses, read_addresses
    from workers.settings import FOR_WORKER
    from workers.supabase_api import WorkerApi

    settings = settings_for(*FOR_WORKER)

    async def load(progress: report.Steps) -> Loaded:
        async with WorkerApi.of(settings) as api:
            progress.begin("addresses", file.stat().st_size)
            lines = read_addresses(file, country.upper() if country else None)
            return await load_addresses(api, lines, name, datetime.now(UTC), progress.reach)

    with (
        _telling(file, "no address is there twice", as_json=as_json),
        report.steps(shown=not as_json) as steps,
    ):
        loaded = asyncio.run(load(steps))
    report.addresses(loaded, name, as_json=as_json)
    if not loaded.added and not loaded.kept:
        raise typer.Exit(HAS_ERRORS)


@contextmanager
def _telling(file: Path, safe: str, *, as_json: bool) -> Iterator[None]:
    """What ends an import early is told, with its exit code; `safe` is why it may be run again."""
    from workers.api_error import ApiError
    from workers.imports import report
    from workers.imports.problem import UnreadableFile

    try:
        yield
    except UnreadableFile as error:
        report.unreadable(file.name, error.problems, as_json=as_json)
        raise typer.Exit(HAS_ERRORS) from None
    except ApiError as error:
        report.refused(error, as_json=as_json)
        raise typer.Exit(UNAVAILABLE if error.transient else HAS_ERRORS) from None
    except KeyboardInterrupt:
        typer.secho(f"Interrupted. Run the same command again: {safe}.", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _session(settings: Settings, email: str | None) -> Session:
    from workers.imports.session import Session

    anon_key = settings.anon_key.get_secret_value()
    if email:
        password = os.environ.get("FREEHOLD_PASSWORD") or typer.prompt("Password", hide_input=True, err=True)
        return Session.with_password(settings.api_url, anon_key, email, password)
    if token := os.environ.get("FREEHOLD_TOKEN"):
        return Session.with_token(settings.api_url, anon_key, token)
    raise typer.BadParameter("Who are you? Give --email, or set FREEHOLD_TOKEN to an access token.")
