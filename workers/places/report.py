"""What the verbs about addresses print: a table for people, one JSON document for programs."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from workers.api_error import ApiError
from workers.places.provider import Provider, Suggestion


def suggestions(found: Sequence[Suggestion], provider: Provider, *, as_json: bool) -> None:
    if as_json:
        told = [asdict(one) for one in found]
        document = {"suggestions": told, "provider": provider.name, "attribution": provider.attribution}
        return print(json.dumps(document, indent=2))
    if not found:
        return print("Nothing is like that.")
    table = Table("address", "place id", box=None, pad_edge=False)
    for one in found:
        text = Text(one.text)
        for match in one.matches:
            text.stylize("bold", match.start, match.end)
        table.add_row(text, Text(one.place_id, style="dim"))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200
    console.print(table)
    if provider.attribution:
        console.print(provider.attribution, style="dim")


def verified(queued: Mapping[str, Any], tally: Counter[str], *, stopped: bool, as_json: bool) -> None:
    if as_json:
        return print(json.dumps({**queued, "checks": dict(tally), "stopped": stopped}, indent=2))
    if stopped:
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(tally.items()))
        left = "what is queued waits for `freehold work --queue compliance`"
        return print(f"Stopped ({told or 'nothing checked'}); {left}.", file=sys.stderr)
    one = queued["unverified"] == 1
    print("1 address was unverified." if one else f"{queued['unverified']} addresses were unverified.")
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(tally.items()))
    print(f"{told}." if told else "None had to be checked.")
    if tally["proposed"]:
        print("Proposed corrections wait in address_corrections for somebody to accept or dismiss them.")


def usage(rows: Sequence[Mapping[str, Any]], days: int, *, as_json: bool) -> None:
    if as_json:
        return print(json.dumps({"days": days, "usage": rows}, indent=2))
    if not rows:
        return print("Nobody asked for an address.")
    table = Table("workspace", "provider", "calls", "US dollars", box=None, pad_edge=False)
    for column in table.columns[2:]:
        column.justify = "right"
    for row in rows:
        dollars = f"{row['cost_microdollars'] / 1_000_000:,.2f}"
        table.add_row(Text(row["workspace"]), row["provider"], f"{row['calls']:,}", dollars)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200
    console.print(table)


def unavailable(error: Exception, *, as_json: bool) -> None:
    """On stderr, unless a program reads along."""
    if not as_json:
        return Console(stderr=True, highlight=False).print(Text(str(error), style="red"), soft_wrap=True)
    told = {"code": "places_unavailable", "message": str(error)}
    if isinstance(error, ApiError):
        told = {"code": error.code, "message": error.message}
    print(json.dumps({"ok": False, "error": told}, indent=2))
