"""Break access in every way there is and see the tests notice: `python -m scripts.mutants`.

Each mutant (a policy dropped or widened, a grant too many, a look-up without one of its conditions) is made
in a transaction that is rolled back. The list of grants, the matrix and the pgTAP files judge it, each by
itself.
"""

from __future__ import annotations

import fnmatch
import json
import os
import sys
import time
import tomllib
import uuid
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Annotated

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from scripts import pgtap
from scripts.stack import keeper, postgres
from scripts.stack.layout import Stack, StackError
from tests.py.access import expectations, grants, tap
from tests.py.access.matrix import Matrix
from tests.py.access.mutation import Mutant, mutants

SUITES = ("grants", "matrix", "pgtap")
WORKERS = 2


@dataclass(frozen=True)
class Verdict:
    """What each suite that was asked first said of a mutant; None: it noticed nothing."""

    mutant: str
    noticed: dict[str, str | None]

    @property
    def survived(self) -> bool:
        return not any(self.noticed.values())


class Judge:
    """One database for transactions that hold the matrix, and one for psql: their locks would meet."""

    def __init__(self, stack: Stack, opened: ExitStack) -> None:
        self.matrix_connection = opened.enter_context(psycopg.connect(opened.enter_context(_database(stack))))
        opened.callback(self.matrix_connection.rollback)
        self.matrix = Matrix(self.matrix_connection)
        self.pgtap_url = opened.enter_context(_database(stack))
        pgtap.load(self.pgtap_url)

    def verdict(self, mutant: Mutant, *, every_suite: bool) -> Verdict:
        """Ask the suites, the fastest first; without `every_suite`, until one notices."""
        noticed: dict[str, str | None] = {}
        with self._changed(mutant):
            for suite, ask in {"grants": self._grants, "matrix": self._matrix}.items():
                if every_suite or not any(noticed.values()):
                    noticed[suite] = next(ask(mutant), None)
        if every_suite or not any(noticed.values()):
            noticed["pgtap"] = next(self._pgtap(mutant), None)
        return Verdict(mutant.name, noticed)

    @contextmanager
    def _changed(self, mutant: Mutant) -> Iterator[None]:
        self.matrix_connection.execute("savepoint mutant")
        try:
            self.matrix_connection.execute(mutant.change.encode())
            yield
        finally:
            self.matrix_connection.execute("rollback to savepoint mutant")

    def _grants(self, mutant: Mutant) -> Iterator[str]:
        if not mutant.looks_up:
            for table in mutant.tables:
                yield from grants.surprises(self.matrix_connection, table)

    def _matrix(self, mutant: Mutant) -> Iterator[str]:
        """A look-up shows soonest where all tables that ask it are read at once; then in what is written."""
        if mutant.looks_up:
            read = [table for table, commands in mutant.scope.items() if "select" in commands]
            yield from map(str, self.matrix.unexpected_reads(read))
        for table, commands in mutant.scope.items():
            left = [command for command in commands if not (mutant.looks_up and command == "select")]
            if left:
                yield from map(str, self.matrix.surprises(table, left))

    def _pgtap(self, mutant: Mutant) -> Iterator[str]:
        for table in mutant.tables:
            yield from tap.run(expectations.policy_test(table), self.pgtap_url, before=mutant.change).problems


def judge(
    stack: Stack,
    *,
    every_suite: bool = False,
    only: str = "*",
    progress: Callable[[int, int], None] | None = None,
) -> list[Verdict]:
    """Judge all mutants whose name matches `only`, on databases made for it, in the order of their names."""
    with ExitStack() as opened:
        judges = [Judge(stack, opened) for _ in range(WORKERS)]
        found = [
            mutant for mutant in mutants(judges[0].matrix_connection) if fnmatch.fnmatch(mutant.name, only)
        ]
        verdicts: list[Verdict] = []

        def work(number: int) -> None:
            for mutant in found[number::WORKERS]:
                verdicts.append(judges[number].verdict(mutant, every_suite=every_suite))
                if progress:
                    progress(len(verdicts), len(found))

        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(work, range(WORKERS)))
    return sorted(verdicts, key=lambda verdict: verdict.mutant)


def reasons() -> dict[str, str]:
    """Name patterns of mutants that nobody could notice, and why; written by hand."""
    text = (expectations.SQL_TESTS / "matrix" / "equivalent_mutants.toml").read_text()
    return {entry["name"]: entry["reason"] for entry in tomllib.loads(text).get("mutant", [])}


def reason_of(name: str) -> str | None:
    return next((reason for pattern, reason in reasons().items() if fnmatch.fnmatchcase(name, pattern)), None)


def unexplained(verdicts: Collection[Verdict]) -> list[str]:
    """Survivors without a reason: holes in the tests."""
    return [v.mutant for v in verdicts if v.survived and reason_of(v.mutant) is None]


def stale_reasons(verdicts: Collection[Verdict]) -> list[str]:
    """Reasons for mutants that are noticed after all, or are gone."""
    survivors = [v.mutant for v in verdicts if v.survived]
    return [
        *(pattern for pattern in reasons() if not fnmatch.filter(survivors, pattern)),
        *(v.mutant for v in verdicts if not v.survived and reason_of(v.mutant)),
    ]


@contextmanager
def _database(stack: Stack) -> Iterator[str]:
    name = f"mutants_{uuid.uuid4().hex[:12]}"
    yield postgres.create_database(stack, name, template=keeper.TEMPLATE)
    postgres.drop_database(stack, name)


def main(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    only: Annotated[str, typer.Option(help="Mutants whose name matches, as in 'units *'.")] = "*",
    quick: Annotated[bool, typer.Option(help="Ask no further suite once one has noticed.")] = False,
) -> None:
    """Break each policy, grant and look-up, and show which tests notice."""
    console = Console(stderr=True)
    root = keeper.new_root()
    began = time.monotonic()
    try:
        with console.status("Starting a stack") as status:
            stack = keeper.obtain(root, os.getpid())
            began = time.monotonic()

            def progress(done: int, of: int) -> None:
                status.update(f"{done} of {of} mutants judged")

            verdicts = judge(stack, every_suite=not quick, only=only, progress=progress)
    except StackError as error:
        sys.exit(f"error: {error}")
    finally:
        keeper.release(root)
    if as_json:
        print(json.dumps([{**asdict(v), "reason": reason_of(v.mutant)} for v in verdicts], indent=2))
    else:
        _print(verdicts, time.monotonic() - began)
    if unexplained(verdicts):
        sys.exit(1)


def _print(verdicts: list[Verdict], seconds: float) -> None:
    table = Table("mutant", *SUITES, "", box=None, header_style="bold")
    for verdict in verdicts:
        marks = [_mark(verdict, suite) for suite in SUITES]
        fate = "" if not verdict.survived else reason_of(verdict.mutant) or "[bold red]not noticed[/]"
        table.add_row(verdict.mutant, *marks, fate)
    console = Console(width=None if sys.stdout.isatty() else 240)
    console.print(table)
    survivors = [v for v in verdicts if v.survived]
    console.print(
        f"\n{len(verdicts)} mutants in {seconds:.0f} s: {len(verdicts) - len(survivors)} noticed,"
        f" {len(survivors) - len(unexplained(verdicts))} change nothing,"
        f" {len(unexplained(verdicts))} not noticed"
    )


def _mark(verdict: Verdict, suite: str) -> str:
    if suite not in verdict.noticed:
        return "[dim]-[/]"
    return "[green]noticed[/]" if verdict.noticed[suite] else ""


if __name__ == "__main__":
    typer.run(main)
