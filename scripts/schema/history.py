"""Whether the migrations are a history: nothing landed has changed, and time only grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scripts.schema import lock
from scripts.schema.files import Project, version_of

RECORD = "make lock"


@dataclass(frozen=True)
class Problem:
    """What is wrong with one file, and what to do about it."""

    file: str
    problem: str
    remedy: str


def problems(project: Project, landed: Mapping[str, str], base: str | None) -> list[Problem]:
    """Everything that speaks against these migrations as the continuation of what has landed."""
    recorded = lock.load(project)
    present = {path.name: lock.digest(path) for path in project.migrations}
    return [
        *_changed(project, present, recorded, landed, base),
        *_disordered(project, list(present), recorded),
    ]


def _changed(
    project: Project,
    present: Mapping[str, str],
    recorded: Mapping[str, str],
    landed: Mapping[str, str],
    base: str | None,
) -> list[Problem]:
    found = []
    for name in sorted({*present, *recorded, *landed}):
        file = project.shown(project.migrations_folder / name)
        if name in landed and present.get(name) != landed[name]:
            verb = "was edited" if name in present else "was deleted"
            was = (base or "")[:12]
            remedy = f"put it back: git checkout {was} -- {file}; then make a new migration of the change"
            found.append(Problem(file, f"a landed migration {verb}", remedy))
        elif name not in present:
            found.append(Problem(file, "is in migrations.lock, and the file is gone", _restore(file)))
        elif name not in recorded:
            found.append(Problem(file, "is not in migrations.lock", f"review it, then run: {RECORD}"))
        elif recorded[name] != present[name]:
            found.append(Problem(file, "is not what migrations.lock says", _restore(file)))
    return found


def _restore(file: str) -> str:
    return f"if any other database has it, put it back: git checkout -- {file}; if only yours has: {RECORD}"


def _disordered(project: Project, names: Sequence[str], recorded: Mapping[str, str]) -> list[Problem]:
    found = []
    for name in names:
        if version_of(name) is None:
            file = project.shown(project.migrations_folder / name)
            rename = "rename it to YYYYMMDDHHMMSS_what_it_does.sql, the time in UTC"
            found.append(Problem(file, "has no timestamp that the order could follow", rename))
    history = [name for name in recorded if name in names]
    history += [name for name in names if name not in recorded]
    dated = [(name, version) for name in history if (version := version_of(name))]
    for (earlier, before), (later, after) in pairwise(dated):
        if after <= before:
            found.append(
                Problem(
                    project.shown(project.migrations_folder / later),
                    f"is dated before {earlier}, which came first: databases that have it would refuse this",
                    f"give it a later timestamp, and run: {RECORD}",
                )
            )
    return found
