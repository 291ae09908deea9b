"""supabase/migrations.lock: a hash per migration, in the order in which people recorded them.

A line means that somebody has read the file and stands by it. It has the form that `sha256sum` writes, and
checks: `cd supabase/migrations && sha256sum --check ../migrations.lock`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from scripts.schema.files import Project, SchemaError

REVIEW_MARK = "-- REVIEW:"


def parse(text: str) -> dict[str, str]:
    """Hash by file name, in the order of the lines. Raises SchemaError."""
    hashes: dict[str, str] = {}
    for line in filter(None, text.splitlines()):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or name in hashes:
            raise SchemaError(f"supabase/migrations.lock has a line that is no hash of a new file: {line!r}")
        hashes[name] = digest
    return hashes


def load(project: Project) -> dict[str, str]:
    return parse(project.lock.read_text()) if project.lock.exists() else {}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def record(project: Project, landed: dict[str, str]) -> list[str]:
    """Bring the lock up to date and return the names that it got or changed.

    Raises SchemaError for a landed migration that is not as it was, and for one that nobody has reviewed.
    """
    for name, was in landed.items():
        path = project.migrations_folder / name
        if not path.exists() or digest(path) != was:
            raise SchemaError(
                f"{project.shown(path)} has landed and can't change: "
                f"put it back, and make a new migration for what you want instead"
            )
    unread = [path for path in project.migrations if path.read_text().startswith(REVIEW_MARK)]
    if unread:
        raise SchemaError(
            f"{project.shown(unread[0])} still says {REVIEW_MARK!r}: "
            f"read it, change what has to change, and delete that comment"
        )
    before = load(project)
    now = {path.name: digest(path) for path in project.migrations}
    # Lines that stay keep their places; a new one comes last.
    kept = [name for name in before if name in now]
    order = [*kept, *(name for name in now if name not in before)]
    project.lock.write_text("".join(f"{now[name]}  {name}\n" for name in order))
    return [name for name in order if before.get(name) != now[name]] + [n for n in before if n not in now]
