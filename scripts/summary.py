"""What `make up` shows at its end: what was imported, found, sent and failed, and what to try next."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
from rich.console import Console
from rich.table import Table

from scripts import demo
from scripts.stack.layout import Stack, StackError


@dataclass
class Outcome:
    """What one run did: the import's JSON (None: imported before), the tick's runs, messages and checks of
    addresses by outcome."""

    imported: dict[str, Any] | None = None
    runs: list[dict[str, Any]] = field(default_factory=list)
    messages: dict[str, int] = field(default_factory=dict)
    checks: dict[str, int] = field(default_factory=dict)


def show(stack: Stack, done: Outcome) -> None:
    """What was imported, found, sent and failed, and what to try next."""
    with psycopg.connect(stack.db_url()) as db:
        held = one_row(
            db,
            """select
                (select count(*) from public.properties as p where p.workspace_id = w.id) as properties,
                (select count(*) from public.units as u where u.workspace_id = w.id) as units,
                (select count(*) from public.tenants as t where t.workspace_id = w.id) as renters,
                (select count(*) from public.leases as l where l.workspace_id = w.id) as leases
            from public.workspaces as w
            where w.name = %s""",
            demo.WORKSPACE,
        )
        addresses = one_row(
            db,
            """select
                count(*) filter (where p.address_status <> 'unverified') as verified,
                count(*) filter (where p.address_status = 'unverified') as unverified,
                (select count(*) from private.address_checks as c where c.status = 'queued') as waiting
            from public.properties as p""",
        )
        outbox = one_row(
            db,
            """select
                count(*) filter (where m.status = 'sent') as sent,
                count(*) filter (where m.status in ('queued', 'sending')) as waiting,
                count(*) filter (where m.status = 'unknown') as unknown,
                count(*) filter (where m.status = 'failed') as failed
            from public.messages as m""",
        )
    mailbox = stack.env["MAILBOX_URL"]
    mails = httpx.get(f"{mailbox}/api/v1/messages", params={"limit": 1}, timeout=10, trust_env=False).json()[
        "total"
    ]
    now = " ".join(f"{count} {what}" for what, count in sorted(done.messages.items())) or "nothing to send"
    table = Table("", "now", "in all", title="What Freehold did", title_justify="left", header_style="bold")
    table.add_row(
        "imported", told(done.imported), ", ".join(f"{count} {what}" for what, count in held.items())
    )
    table.add_row("found", found(done.runs), f"next look: {next_hour()}")
    checked = (
        " ".join(f"{count} {what}" for what, count in sorted(done.checks.items())) or "no address to check"
    )
    table.add_row("checked", checked, ", ".join(f"{count} {what}" for what, count in addresses.items()))
    table.add_row("sent", now, f"{outbox['sent']} sent, {mails} in the mailbox")
    failed = outbox["failed"] + outbox["unknown"]
    trouble = f"{outbox['failed']} failed, {outbox['unknown']} unknown, {outbox['waiting']} waiting"
    table.add_row("failed", "", f"[red]{trouble}[/]" if failed else trouble)
    today = datetime.now(UTC).date()
    leases = (
        f"leases?select=lease_number,ends_on,tenants(last_name)&ends_on=gte.{today}&order=ends_on&limit=3"
    )
    out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
    out.print(table)
    out.print("\nTry next:")
    out.print(f"  make ask AS={demo.MANAGER} GET='{leases}'", markup=False)
    out.print(
        f"  make ask AS={demo.OUTSIDER} GET='{leases}'   # another workspace's user: no row", markup=False
    )
    out.print(f"  python3 -m webbrowser {mailbox}   # the mailbox", markup=False)


def one_row(db: psycopg.Connection[Any], query: str, *values: object) -> dict[str, int]:
    cursor = db.execute(query, values)
    row = cursor.fetchone()
    if row is None or cursor.description is None:
        raise StackError("The demo workspace is gone: `make reset`, then `make up`, loads it anew")
    return {column.name: count for column, count in zip(cursor.description, row, strict=True)}


def told(imported: dict[str, Any] | None) -> str:
    if imported is None:
        return "nothing: it was imported before"
    return ", ".join(
        f"{imported['changes'][kind]['created']} {'renters' if kind == 'tenants' else kind}"
        for kind in ("properties", "units", "tenants", "leases")
    )


def found(runs: list[dict[str, Any]]) -> str:
    due = [run["result"] for run in runs if run["job"] == "lease_expiry_check" and run["result"]]
    if not due:
        return "nothing: no check was due"
    count = sum(result["leases_due"] for result in due)
    return f"{count} leases that run out soon" if count else "nothing new"


def next_hour() -> str:
    """When the expiry check is due again, on this machine's clock."""
    now = datetime.now(UTC)
    return (
        datetime.fromtimestamp((now.timestamp() // 3600 + 1) * 3600).strftime("%H:%M")
        + ", by `freehold tick`"
    )
