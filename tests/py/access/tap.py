"""Run a pgTAP file through psql, as a person would, and read what it says.

pytest-pgtap sends a file to the server as it stands; these files are psql's (`\\ir`, `\\echo`), so that each
reads as a specification and `psql -f` runs it anywhere.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from scripts.stack import tools

_PLAN = re.compile(r"^1\.\.(\d+)$", re.MULTILINE)
_RESULT = re.compile(r"^(not )?ok \d+.*$", re.MULTILINE)


@dataclass(frozen=True)
class TapRun:
    """What a file reported: how many assertions it planned and ran, and all that went wrong."""

    planned: int | None
    ran: int
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.problems


def run(file: Path, database_url: str, *, before: str = "") -> TapRun:
    """Run the file. `before` is SQL for its transaction, which the file itself rolls back."""
    psql = [str(tools.postgres_client("psql")), "-XqtA", "-v", "ON_ERROR_STOP=1"]
    changes = ["-c", "begin", "-c", before] if before else []
    command = [*psql, *changes, "-f", str(file), database_url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    plan = _PLAN.search(done.stdout)
    planned = int(plan.group(1)) if plan else None
    results = list(_RESULT.finditer(done.stdout))
    problems = [_section(done.stdout, match) for match in results if match.group(1)]
    if done.returncode:
        problems.append(done.stderr.strip())
    elif planned != len(results):
        problems.append(f"planned {planned} assertions, ran {len(results)}")
    return TapRun(planned, len(results), tuple(problems))


def _section(output: str, failure: re.Match[str]) -> str:
    """A failed assertion with the heading it stands under and pgTAP's diagnosis below it."""
    headings = re.findall(r"^# (?!Failed|Looks| {4}).*$", output[: failure.start()], re.MULTILINE)
    diagnosis = re.match(r"(?:\n(?:#.*)?)*", output[failure.end() :])
    return "\n".join([*headings[-1:], failure.group(0) + (diagnosis.group(0) if diagnosis else "").rstrip()])
