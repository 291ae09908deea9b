"""Which table belongs to which topic: the files of supabase/schemas say."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.stack.layout import REPOSITORY

SOURCES = REPOSITORY / "supabase" / "schemas"
_DEFINED = re.compile(r"^create table (?:if not exists )?public\.(\w+)", re.MULTILINE)


def topics(sources: Path) -> dict[str, list[str]]:
    """The tables that each file of supabase/schemas makes, in the files' order, under the file's topic."""
    found: dict[str, list[str]] = {}
    for path in sorted(sources.glob("*.sql")):
        if names := _DEFINED.findall(path.read_text()):
            topic = path.stem.partition("_")[2].replace("_", " ").capitalize()
            found.setdefault(topic, []).extend(names)
    return found
