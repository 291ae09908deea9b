"""What stands in the way of an import: one cell, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """`line` counts from 1, the header's; `column` is as the file names it. `value` None: an empty cell."""

    line: int
    column: str
    value: str | None
    code: str
    message: str
    remedy: str


class UnreadableFile(Exception):
    """The file can't be read as a table at all; `problems` says why."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(problem.message for problem in problems))


class Unreadable(ValueError):
    """A cell can't be read. The text is what to do about it."""
