"""Style and types: tools of their own, whose findings name file and line already."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from scripts.checks.finding import Finding, Skipped
from scripts.checks.workshop import Workshop
from scripts.stack.layout import REPOSITORY

PYTHON = ("workers", "scripts", "tests/py", "bench")
SHOWN = 40  # lines of a tool's output; the tool itself shows all


def check_sqlfluff(workshop: Workshop) -> list[Finding]:
    project = workshop.project
    files = [*project.sources, *project.folder.glob("seed.sql")]
    command = [
        _tool("sqlfluff"),
        "lint",
        "--nocolor",
        f"--config={REPOSITORY / '.sqlfluff'}",
        "--disable-progress-bar",
    ]
    return _run(
        [*command, *map(str, files)], "sqlfluff fix mends most of it; .sqlfluff says what is asked for"
    )


def check_squawk(workshop: Workshop) -> list[Finding]:
    files = [str(path) for path in workshop.project.migrations]
    command = [_tool("squawk"), f"--config={REPOSITORY / '.squawk.toml'}", "--reporter=gcc"]
    return _run(
        [*command, *files] if files else [],
        "make it safe on a database in use (squawkhq.com/docs/rules), "
        "or say above the statement why it is: -- squawk-ignore the-rule",
    )


def check_ruff(workshop: Workshop) -> list[Finding]:
    return _run(
        [_tool("ruff"), "check", "--output-format=concise", "--quiet", *_python()], "ruff check --fix"
    )


def check_format(workshop: Workshop) -> list[Finding]:
    return _run([_tool("ruff"), "format", "--check", "--output-format=concise", *_python()], "ruff format")


def check_mypy(workshop: Workshop) -> list[Finding]:
    return _run([sys.executable, "-m", "mypy", "--strict", *_python()], "mend the types")


def check_templates(workshop: Workshop) -> list[Finding]:
    if not (REPOSITORY / "scripts" / "templates.py").exists():
        raise Skipped("there are no templates")
    return _run([sys.executable, "-m", "scripts.templates", "--check"], "python -m scripts.templates")


def _python() -> list[str]:
    return [folder for folder in PYTHON if any((REPOSITORY / folder).rglob("*.py"))]


def _tool(name: str) -> str:
    """The program that belongs to this Python."""
    return str(Path(sys.executable).with_name(name))


def _run(command: list[str], remedy: str) -> list[Finding]:
    """One finding with all that the tool says; none when it is content, or has nothing to look at."""
    if not command:
        return []
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode == 0:
        return []
    lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
    if len(lines) > SHOWN:
        lines = [*lines[:SHOWN], f"… and {len(lines) - SHOWN} lines more"]
    return [Finding(_first_file(lines), "\n".join(lines), remedy)]


def _first_file(lines: list[str]) -> str:
    """`folder/file.py:12` out of a tool's words, else the tool's first line."""
    for line in lines:
        for word in line.split():
            if "/" in word and (".py" in word or ".sql" in word):
                return word.strip("[]:,").removeprefix(f"{REPOSITORY}/")
    return lines[0] if lines else "no output"
