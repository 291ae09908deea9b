"""`freehold places`: what an operator asks about addresses, with the worker's key."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.verb_settings import settings_for

if TYPE_CHECKING:
    from workers.report import Watch
    from workers.settings import Settings

FAILED = 1
UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h
SHORTEST_INPUT = 3
SECONDS = 5.0

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]

app = typer.Typer(help="Look addresses up, and have them verified.", no_args_is_help=True)


@app.callback()
def of_places() -> None:
    """Look addresses up, and have them verified."""


@app.command()
def lookup(
    text: Annotated[str, typer.Argument(help="What somebody would type: at least three letters.")],
    country: Annotated[
        list[str] | None, typer.Option(help="ISO 3166-1 code; may be repeated. PLACES_COUNTRIES else.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a form would suggest, asked of the provider that is configured.

    No session: where a provider bills, each lookup is billed alone.
    """
    from workers.places import report
    from workers.places.asking import asking
    from workers.places.provider import Provider, ProviderError, Query, Suggestion
    from workers.settings import FOR_WORKER

    if len(text.strip()) < SHORTEST_INPUT:
        raise typer.BadParameter("type at least three letters")
    settings = settings_for(*FOR_WORKER)
    query = Query(text, tuple(code.upper() for code in country or ()) or settings.countries)

    async def ask() -> tuple[Provider, list[Suggestion]]:
        async with asking(settings) as provider:
            return provider, list(await provider.autocomplete(query, None, seconds=SECONDS))

    try:
        provider, found = asyncio.run(ask())
    except ProviderError as error:
        report.unavailable(error, as_json=as_json)
        raise typer.Exit(UNAVAILABLE) from None
    report.suggestions(found, provider, as_json=as_json)


@app.command()
def verify(
    workspace: Annotated[str, typer.Option(help="Whose unverified addresses: its id or its name.")],
    as_json: AsJson = False,
) -> None:
    """Check a workspace's unverified addresses now, whatever else waits to be checked along with them.

    An address that is known becomes verified; where it would be written otherwise, a correction is proposed.
    Ctrl-C finishes what is under way, and exits with 130; the rest stays queued for
    `freehold work --queue compliance`. A second Ctrl-C ends it at once.
    """
    import signal

    from workers import report as reports
    from workers.api_error import ApiError
    from workers.places import report
    from workers.queue.outage import ProviderAway
    from workers.settings import FOR_WORKER

    settings = settings_for(*FOR_WORKER, quietly=True)
    watch = reports.Watch()
    try:
        with reports.watching(bar=not as_json, doing="Checking") as watch:
            queued, finished = asyncio.run(_verified(settings, workspace, watch))
    except KeyboardInterrupt:
        # Before there was anything to finish.
        queued, finished, watch.signal = {}, True, signal.SIGINT
    except (ApiError, ProviderAway) as error:
        report.unavailable(error, as_json=as_json)
        away = isinstance(error, ProviderAway) or error.transient
        raise typer.Exit(UNAVAILABLE if away else FAILED) from None
    report.verified(queued, watch.tally, stopped=watch.signal is not None, as_json=as_json)
    if watch.signal is not None:
        raise typer.Exit(128 + watch.signal)
    if not finished:
        raise typer.Exit(FAILED)


@app.command()
def usage(
    days: Annotated[int, typer.Option(min=1, max=3660, help="So many days (UTC), today included.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show what each workspace asked of services for addresses, and what that costs at list price."""
    from workers.api_error import ApiError
    from workers.places import report
    from workers.settings import FOR_WORKER
    from workers.supabase_api import WorkerApi

    settings = settings_for(*FOR_WORKER)

    async def ask() -> list[dict[str, Any]]:
        async with WorkerApi.of(settings) as api:
            rows: list[dict[str, Any]] = await api.rpc("places_spend", {"p_days": days})
            return rows

    try:
        rows = asyncio.run(ask())
    except ApiError as error:
        report.unavailable(error, as_json=as_json)
        raise typer.Exit(UNAVAILABLE if error.transient else FAILED) from None
    report.usage(rows, days, as_json=as_json)


async def _verified(settings: Settings, workspace: str, watch: Watch) -> tuple[dict[str, Any], bool]:
    from workers.supabase_api import WorkerApi
    from workers.work import check_addresses

    told: dict[str, Any] = {"workspace_id": None, "unverified": 0, "queued": 0}
    asked = {"p_workspace": workspace}
    while True:
        async with WorkerApi.of(settings) as api:
            some = await api.rpc("verify_addresses", asked)
        told["workspace_id"] = some["workspace_id"]
        told["unverified"] += some["unverified"]
        told["queued"] += some["queued"]
        finished = await check_addresses(settings, watch, until_empty=True)
        if some["last"] is None or watch.signal is not None or not finished:
            return told, finished
        asked["p_after"] = some["last"]
