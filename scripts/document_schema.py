"""Write docs/reference/schema.md and rpcs.md from a database that the migrations build.

`python -m scripts.document_schema` writes them; `--check` fails when one is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from scripts.pages import rpcs, schema
from scripts.pages.catalog import Db
from scripts.pages.topics import SOURCES, topics
from scripts.schema import scratch
from scripts.stack import migrations
from scripts.stack.layout import REPOSITORY, StackError

REFERENCE = REPOSITORY / "docs" / "reference"


def pages(db: Db) -> dict[Path, str]:
    """Each page as it should be."""
    return {
        REFERENCE / "schema.md": schema.page(db, topics(SOURCES)),
        REFERENCE / "rpcs.md": rpcs.page(db),
    }


def main(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when one is out of date.")
    ] = False,
) -> None:
    """Write docs/reference/schema.md and docs/reference/rpcs.md."""
    try:
        with scratch.cluster() as stack:
            migrations.push(stack)
            with psycopg.connect(stack.db_url()) as db:
                written = pages(db)
    except StackError as error:
        sys.exit(f"error: {error}")
    stale = [path for path, text in written.items() if not path.exists() or path.read_text() != text]
    if check and stale:
        names = ", ".join(str(path.relative_to(REPOSITORY)) for path in stale)
        sys.exit(f"{names} out of date: run `python -m scripts.document_schema`")
    for path in stale:
        path.write_text(written[path])


if __name__ == "__main__":
    typer.run(main)
