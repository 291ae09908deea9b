"""Style and types: tools of their own, whose findings name file and line already."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from scripts.checks.finding import Finding
from scripts.checks.workshop import Workshop
from scripts.stack.layout import REPOSITORY, StackError

PYTHON = ("workers", "scripts", "tests/py", "bench")
SHOWN = 40  # lines of a tool's output; the tool itself shows all


def check_sqlfluff(workshop: Workshop) -> list[Finding]:
    """The sources. Migrations are drafted by a program, and the seed is data."""
    project = workshop.project
    command = [_tool("sqlfluff"), "lint", "--nocolor", "--disable-progress-bar"]
    return _run(
        [*command, f"--config={REPOSITORY / '.sqlfluff'}", *map(project.shown, project.sources)],
        "sqlfluff fix mends most of it; .sqlfluff says what is asked for",
        folder=project.root,
    )


def check_squawk(workshop: Workshop) -> list[Finding]:
    project = workshop.project
    files = list(map(project.shown, project.migrations))
    if not files:
        return []
    done = _call(
        [_tool("squawk"), f"--config={REPOSITORY / '.squawk.toml'}", "--reporter=json", *files], project.root
    )
    if done.returncode and not done.stdout.strip():
        raise StackError(f"squawk could not look: {done.stderr.strip()}")
    return [
        Finding(
            f"{each['file']}:{each['line'] + 1}",  # squawk counts lines from 0
            f"{each['rule_name']}: {each['message']}",
            f"{each['help'] or 'See squawkhq.com/docs/rules.'} "
            f"Or say above the statement why it is safe, and: -- squawk-ignore {each['rule_name']}",
        )
        for each in json.loads(done.stdout or "[]")
    ]


def check_ruff(workshop: Workshop) -> list[Finding]:
    return _run(
        [_tool("ruff"), "check", "--output-format=concise", "--quiet", *_python()], "ruff check --fix"
    )


def check_format(workshop: Workshop) -> list[Finding]:
    return _run([_tool("ruff"), "format", "--check", "--output-format=concise", *_python()], "ruff format")


def check_mypy(workshop: Workshop) -> list[Finding]:
    return _run([sys.executable, "-m", "mypy", "--strict", *_python()], "mend the types")


def check_templates(workshop: Workshop) -> list[Finding]:
    return _run([sys.executable, "-m", "scripts.templates", "--check"], "python -m scripts.templates")


def _python() -> list[str]:
    return [folder for folder in PYTHON if any((REPOSITORY / folder).rglob("*.py"))]


def _tool(name: str) -> str:
    """The program that belongs to this Python."""
    return str(Path(sys.executable).with_name(name))


def _run(command: list[str], remedy: str, *, folder: Path = REPOSITORY) -> list[Finding]:
    """One finding with all that the tool says; none when it is content."""
    done = _call(command, folder)
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


def _call(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"}
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, env=environment, check=False
        )
    except FileNotFoundError as error:
        raise StackError(f"{command[0]} is missing: run `make install`") from error
