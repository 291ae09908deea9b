"""Where the database is written down: sources say how it is, migrations how it got there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

VERSION_FORMAT = "%Y%m%d%H%M%S"
_FILE_NAME = re.compile(r"(\d{14})_([a-z][a-z0-9_]*)\.sql")


class SchemaError(Exception):
    """What went wrong and what to do about it, on one line."""


@dataclass(frozen=True)
class Project:
    """The folder that holds `supabase/`."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "supabase"

    @property
    def migrations_folder(self) -> Path:
        return self.folder / "migrations"

    @property
    def lock(self) -> Path:
        return self.folder / "migrations.lock"

    @property
    def sources(self) -> list[Path]:
        """Schemas, then policies, each in the order of their names: the order in which they are loaded."""
        return [
            path for name in ("schemas", "policies") for path in sorted((self.folder / name).glob("*.sql"))
        ]

    @property
    def migrations(self) -> list[Path]:
        """In the order in which they are applied, which is that of their names."""
        return sorted(self.migrations_folder.glob("*.sql"))

    def shown(self, path: Path) -> str:
        """The path as a person at the project's root types it."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)


def version_of(name: str) -> str | None:
    """The timestamp in a migration's file name; None when the name isn't `YYYYMMDDHHMMSS_words.sql`."""
    found = _FILE_NAME.fullmatch(name)
    if found is None:
        return None
    try:
        datetime.strptime(found[1], VERSION_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
    return found[1]


def next_version(names: Sequence[str], now: datetime) -> str:
    """A timestamp for a new migration: now in UTC, or a second after the newest one if that is later."""
    versions = [version for name in names if (version := version_of(name))]
    earliest = now.astimezone(UTC)
    if versions:
        newest = datetime.strptime(max(versions), VERSION_FORMAT).replace(tzinfo=UTC)
        earliest = max(earliest, newest + timedelta(seconds=1))
    return earliest.strftime(VERSION_FORMAT)
