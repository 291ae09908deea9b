"""What a check answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from scripts.checks.workshop import Workshop


@dataclass(frozen=True)
class Finding:
    """Something to mend: where (a file, with line where known), what, and how."""

    where: str
    problem: str
    remedy: str


class Skipped(Exception):
    """Why a check can't run here, and how to run it elsewhere."""


Run: TypeAlias = Callable[[Workshop], list[Finding]]


@dataclass(frozen=True)
class Check:
    """`name` is what `--only` takes. The first of `CHECKS` start first."""

    name: str
    title: str
    run: Run
