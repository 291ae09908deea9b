"""A migration drafted from the difference between the migrations so far and the sources."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.schema import catalog, diff, recorders
from scripts.schema.catalog import Catalog, Difference
from scripts.schema.files import Project
from scripts.schema.lock import REVIEW_MARK
from scripts.stack import migrations
from scripts.stack.layout import Stack, StackError

PREAMBLE = f"""\
{REVIEW_MARK} drafted by `make migration` from the difference between sources and migrations. Before it lands:
-- read every statement; a rename shows as a drop and an addition, and would lose the data;
-- move data by hand where a column becomes not null or changes its type;
-- then delete this comment and run: make lock

set local lock_timeout = '2s';
set local statement_timeout = '30s';
"""


@dataclass(frozen=True)
class Draft:
    """The text of a migration. `missing` is what it doesn't bring about, `failure` why it doesn't apply."""

    text: str
    missing: Sequence[Difference]
    failure: str | None


def draft(migrated: Stack, sourced: Stack, project: Project, name: str) -> Draft | None:
    """Draft the migration `name`, and try it on the migrated database; None when there is no difference."""
    wanted = catalog.read(sourced)
    if not catalog.compare(catalog.read(migrated), wanted):
        return None
    written = recorders.called(diff.statements(migrated, sourced, project))
    text = PREAMBLE + (f"\n{written}\n" if written else "")
    failure = _failure(migrated, project, name, text)
    missing = [] if failure else _missing(migrated, wanted)
    return Draft(text + "".join(map(_by_hand, missing)), missing, failure)


def _failure(migrated: Stack, project: Project, name: str, text: str) -> str | None:
    """Why `supabase db push` refuses the draft; None once it is applied."""
    with tempfile.TemporaryDirectory(prefix="freehold-draft-") as folder:
        trial = Path(folder)
        shutil.copytree(project.migrations_folder, trial / "supabase" / "migrations")
        (trial / "supabase" / "migrations" / name).write_text(text)
        try:
            migrations.push(migrated, project=trial)
        except StackError as error:
            return str(error)
    return None


def _missing(migrated: Stack, wanted: Catalog) -> list[Difference]:
    return catalog.compare(catalog.read(migrated), wanted)


def _by_hand(difference: Difference) -> str:
    """A comment that says what the CLI has no statement for: storage modes, say."""
    lines = [f"-- Write by hand, the diff has no statement for it. {difference}"]
    lines += [f"--     {line}" for line in difference.lines() if not line.startswith("@@")]
    return "\n" + "\n".join(lines) + "\n"
