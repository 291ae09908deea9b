"""Bring a database of a stack up to date with supabase/migrations, by the Supabase CLI as on any project."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from scripts.stack import tools
from scripts.stack.layout import REPOSITORY, Stack, StackError


def push(stack: Stack, database: str = "postgres", *, project: Path = REPOSITORY) -> bool:
    """Apply the migrations that are missing; False when there were none. Raises StackError.

    `project` is the folder that holds `supabase/`.
    """
    if not any((project / "supabase" / "migrations").glob("*.sql")):
        return False
    url = f"{stack.db_url(database=database)}?sslmode=disable"
    done = subprocess.run(
        [tools.supabase_program(), "db", "push", "--yes", f"--remote={url}", f"--workdir={project}"],
        capture_output=True,
        text=True,
        env={**os.environ, "SUPABASE_TELEMETRY_DISABLED": "1"},
        check=False,
    )
    if done.returncode:
        raise StackError(
            f"A migration failed in database {database}:\n{done.stderr.strip() or done.stdout.strip()}"
        )
    return "Applying migration" in done.stdout + done.stderr
