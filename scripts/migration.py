"""Write the difference between the sources and the migrations as the next migration.

python -m scripts.migration add_pets   what `make migration NAME=add_pets` runs
python -m scripts.migration --lock     what `make lock` runs: record the migrations that were reviewed
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from scripts.schema import build, lock, scratch
from scripts.schema.draft import Draft, draft
from scripts.schema.files import Project, SchemaError, next_version
from scripts.schema.landed import base, landed
from scripts.stack import migrations
from scripts.stack.layout import REPOSITORY, Stack, StackError


def main(
    name: Annotated[str | None, typer.Argument(help="What it does, as in add_pets.")] = None,
    record: Annotated[bool, typer.Option("--lock", help="Record reviewed migrations in the lock.")] = False,
    project: Annotated[Path, typer.Option(help="The folder that holds supabase/.")] = REPOSITORY,
) -> None:
    """Write the difference between the sources and the migrations as the next migration."""
    try:
        if record:
            _record(Project(project.resolve()))
        else:
            _write(Project(project.resolve()), name)
    except (SchemaError, StackError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _record(project: Project) -> None:
    names = lock.record(project, landed(project, base(project)))
    for name in names:
        typer.echo(f"recorded {name}")
    if not names:
        typer.echo("The lock is up to date.")


def _write(project: Project, name: str | None) -> None:
    if name is None or not re.fullmatch(r"[a-z][a-z0-9_]{1,60}", name):
        raise SchemaError("Name the migration in lower case and underscores: make migration NAME=add_pets")
    version = next_version([path.name for path in project.migrations], datetime.now(UTC))
    path = project.migrations_folder / f"{version}_{name}.sql"
    with _both(project) as (migrated, sourced):
        drafted = draft(migrated, sourced, project, path.name)
    if drafted is None:
        typer.echo("Sources and migrations agree: there is nothing to write.")
        return
    path.write_text(drafted.text)
    typer.echo(_report(drafted, project.shown(path)))
    if drafted.failure or drafted.missing:
        raise typer.Exit(1)


@contextmanager
def _both(project: Project) -> Iterator[tuple[Stack, Stack]]:
    """A database from the migrations and one from the sources, built side by side."""
    with ExitStack() as stack, ThreadPoolExecutor(1) as pool:
        migrated, sourced = (
            stack.enter_context(context) for context in (scratch.cluster(), scratch.cluster())
        )
        pushing = pool.submit(migrations.push, migrated, project=project.root)
        build.load_sources(sourced, project)
        pushing.result()
        yield migrated, sourced


def _report(drafted: Draft, file: str) -> str:
    lines = [f"Wrote {file}."]
    if drafted.failure:
        lines += ["", "It does not apply as it stands, mend it by hand:", drafted.failure]
    elif drafted.missing:
        lines += ["", "The diff has no statement for these. The file says where to write them by hand:"]
        lines += [f"  {difference}" for difference in drafted.missing]
    lines += [
        "",
        "Next:",
        "  1. Read it, mend what has to be mended, and delete the comment on top.",
        "  2. make lock",
        "  3. make check",
        "  4. make up   (applies it to the local stack)",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    typer.run(main)
