"""`make up`: start the stack, load the demo portfolio, tell its manager which leases run out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import typer
from rich.console import Console
from rich.markup import escape

from scripts import demo
from scripts.stack import migrations, supervise
from scripts.stack.__main__ import DEFAULT_ROOT, Root
from scripts.stack.layout import REPOSITORY, Stack, StackError
from scripts.summary import Outcome, show

console = Console(stderr=True, highlight=False, soft_wrap=True)


def up(stack: Stack) -> Outcome:
    """Everything from nothing to delivered notices; may be run again at any time. Raises StackError."""
    done = Outcome()
    with step("The stack runs"):
        supervise.start(stack, say=console.print)
    with step("The schema is up to date"):
        migrations.push(stack)
    with psycopg.connect(stack.db_url(), autocommit=True) as db:
        with step("The demo's people are there"):
            db.execute((REPOSITORY / "supabase" / "seed.sql").read_bytes())
        with step("The addresses that forms suggest are there"):
            freehold(stack, "import", "addresses", str(demo.ADDRESSES), "--list", "demo")
        if not imported_before(db):
            with step("The demo portfolio is imported"):
                who = ["--workspace", demo.WORKSPACE, "--email", demo.MANAGER]
                when = ["--dates-relative-to", demo.REFERENCE_DATE]
                done.imported = freehold(stack, "import", "rent-roll", str(demo.RENT_ROLL), *who, *when)
    with step("The checks that are due have run"):
        done.runs = freehold(stack, "tick")["runs"]
    with step("The addresses are checked"):
        work = ("work", "--queue", "compliance", "--until-empty")
        done.checks = freehold(stack, *work, PLACES_PROVIDER="local")["messages"]
    with step("The mail is delivered"):
        done.messages = freehold(stack, "work", "--until-empty")["messages"]
    return done


def imported_before(db: psycopg.Connection[Any]) -> bool:
    """Whether the demo workspace has its portfolio: its dates were set on the day it was loaded, and stay."""
    row = db.execute(
        """select exists (
            select from public.imports as i
            join public.workspaces as w on w.id = i.workspace_id
            where w.name = %s and i.status = 'committed'
        )""",
        (demo.WORKSPACE,),
    ).fetchone()
    return row is not None and bool(row[0])


def freehold(stack: Stack, *arguments: str, **env: str) -> Any:
    """Run a verb of the command-line client as an operator would, and return its JSON. Raises StackError."""
    done = subprocess.run(
        [sys.executable, "-m", "workers", *arguments, "--json"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            **stack.env,
            "FREEHOLD_ENV": "local",
            "FREEHOLD_PASSWORD": demo.PASSWORD,
            "LOG_LEVEL": "warning",
            **env,
        },
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise StackError(
            f"`freehold {' '.join(arguments)}` ended with {done.returncode}; `make logs` may tell more"
            + (f"\n{done.stdout.decode().strip()}" if done.stdout else "")
        )
    return json.loads(done.stdout)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show that something is under way, and how long it took."""
    began = time.monotonic()
    with console.status(f"{title} …"):
        yield
    console.print(f"[green]✓[/] {title} [dim]({time.monotonic() - began:.1f} s)[/]")


def main(root: Root = DEFAULT_ROOT) -> None:
    """Start Freehold with the demo portfolio, deliver its notices, and show what was done."""
    try:
        stack = Stack.at(root)
        done = up(stack)
        show(stack, done)
    except StackError as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}")
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("Stopped half-way; `make up` goes on from here")
        sys.exit(130)


if __name__ == "__main__":
    typer.run(main)
