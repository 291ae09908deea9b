"""Migrations are a history: what has landed stays, and time only grows."""

from __future__ import annotations

from scripts.checks.finding import Finding
from scripts.checks.workshop import Workshop
from scripts.schema import history
from scripts.schema.landed import base, landed


def check_history(workshop: Workshop) -> list[Finding]:
    commit = base(workshop.project)
    found = history.problems(workshop.project, landed(workshop.project, commit), commit)
    return [Finding(each.file, each.problem, each.remedy) for each in found]
