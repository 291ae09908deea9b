"""The command line: `python -m scripts.stack up|down|reset|status|logs|env`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from scripts.stack import supervise
from scripts.stack.layout import REPOSITORY, Stack, StackError

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(stderr=True, highlight=False, soft_wrap=True)

Root = Annotated[Path, typer.Option(help="The stack's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DEFAULT_ROOT = REPOSITORY / ".stack"


@app.command()
def up(root: Root = DEFAULT_ROOT) -> None:
    """Start what is not running, and wait until it is ready."""
    began = time.monotonic()
    stack = Stack.at(root)
    changed = supervise.start(stack, say=console.print)
    outcome = "is up" if changed else "was up already"
    console.print(
        f"The stack {outcome} ({time.monotonic() - began:.1f} s): {stack.api_url}, {stack.db_url()}"
    )


@app.command()
def down(root: Root = DEFAULT_ROOT) -> None:
    """Stop the stack; its data stays."""
    stopped = supervise.stop(Stack.at(root))
    console.print("The stack is down; its data is kept" if stopped else "The stack was down already")


@app.command()
def reset(root: Root = DEFAULT_ROOT) -> None:
    """Stop the stack and remove its data, mails and keys."""
    supervise.remove(Stack.at(root))
    console.print("The stack is down and its data is gone")


@app.command()
def status(root: Root = DEFAULT_ROOT, as_json: AsJson = False) -> None:
    """Show every part. Exit code 1 when one is not ready."""
    parts = supervise.status(Stack.at(root))
    if as_json:
        print(json.dumps([asdict(part) for part in parts], indent=2))
    else:
        _print_table(parts)
    if any(part.problem for part in parts):
        raise typer.Exit(1)


@app.command()
def logs(
    part: Annotated[str | None, typer.Argument(help="One part; all of them without.")] = None,
    root: Root = DEFAULT_ROOT,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines are written.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0)] = 20,
) -> None:
    """Show the end of the logs."""
    stack = Stack.at(root)
    files = sorted(stack.log.glob(f"{part or '*'}.log"))
    if not files:
        known = ", ".join(sorted(path.stem for path in stack.log.glob("*.log"))) or "none yet"
        raise StackError(f"There is no log of {part or 'any part'}: there are {known}")
    tail = ["tail", f"--lines={lines}", *(["--follow=name", "--retry"] if follow else []), *map(str, files)]
    raise typer.Exit(subprocess.run(tail, check=False).returncode)


@app.command()
def env(root: Root = DEFAULT_ROOT, as_json: AsJson = False) -> None:
    """Print addresses and keys as KEY=value lines, under the names of `supabase status -o env`."""
    values = Stack.at(root).env
    print(json.dumps(dict(values), indent=2) if as_json else "\n".join(f"{k}={v}" for k, v in values.items()))


@app.command()
def ports(
    choices: Annotated[list[str] | None, typer.Argument(help="As in `db=55322 api=55321`.")] = None,
    root: Root = DEFAULT_ROOT,
) -> None:
    """Show the ports, or choose some anew; `up` moves a running stack to them."""
    chosen = Stack.at(root).ports
    if choices:
        pairs = [choice.partition("=") for choice in choices]
        if wrong := [name for name, _, number in pairs if not number.isdecimal()]:
            raise StackError(f"Give each port as name=number, as in db=55322, not {', '.join(wrong)}")
        chosen = chosen.changed({name: int(number) for name, _, number in pairs})
        Stack.at(root, chosen)
    print("\n".join(f"{name}={number}" for name, number in asdict(chosen).items()))


def _print_table(parts: list[supervise.PartStatus]) -> None:
    table = Table("part", "state", "pid", "ports", "restarts", "last exit", box=None, header_style="bold")
    for part in parts:
        state = f"[green]{part.state}[/]" if not part.problem else f"[red]{part.state}: {part.problem}[/]"
        numbers = ", ".join(str(number) for number in part.ports.values())
        table.add_row(
            part.title, state, str(part.pid or ""), numbers, str(part.restarts), part.last_exit or ""
        )
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def main() -> None:
    try:
        app()
    except StackError as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}")
        sys.exit(1)


if __name__ == "__main__":
    main()
