"""The statements that lead from one database to another, written by the Supabase CLI."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from scripts.schema.files import Project, SchemaError
from scripts.stack import tools
from scripts.stack.layout import Stack


def statements(before: Stack, after: Stack, project: Project) -> str:
    """What turns the database of `before` into that of `after`; empty when the CLI sees no difference."""
    with tempfile.TemporaryDirectory(prefix="freehold-diff-") as folder:
        output = Path(folder) / "difference.sql"
        command = [
            str(tools.supabase_program()), "db", "diff", f"--workdir={project.root}", f"--output={output}",
            f"--from={before.db_url()}?sslmode=disable", f"--to={after.db_url()}?sslmode=disable",
        ]  # fmt: skip
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env={**os.environ, "SUPABASE_TELEMETRY_DISABLED": "1"},
            check=False,
        )
        if done.returncode:
            raise SchemaError(f"supabase db diff failed: {done.stderr.strip() or done.stdout.strip()}")
        return output.read_text().strip() if output.exists() else ""
