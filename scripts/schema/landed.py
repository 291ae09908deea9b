"""Which migrations have landed: those in the lock of the main branch, as far as git knows it here."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from scripts.schema.files import Project
from scripts.schema.lock import parse

MAIN = "origin/main"


def base(project: Project, environment: Mapping[str, str] = os.environ) -> str | None:
    """The commit that the work here started from on the main branch; None when git can't tell.

    `MIGRATIONS_BASE` names it where there is no `origin/main` to ask, or another commit counts (CI).
    """
    chosen = environment.get("MIGRATIONS_BASE", "")
    if chosen.strip("0"):  # on a branch's first push GitHub says 000…
        return _git(project.root, "rev-parse", "--verify", "--quiet", f"{chosen}^{{commit}}")
    return _git(project.root, "merge-base", "HEAD", MAIN)


def landed(project: Project, commit: str | None) -> dict[str, str]:
    """Hash by file name, as the main branch's lock has them; empty when it has none."""
    if commit is None:
        return {}
    # `./` makes git look from the project's folder, which need not be the repository's.
    text = _git(project.root, "show", f"{commit}:./{project.lock.relative_to(project.root)}")
    return parse(text or "")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
