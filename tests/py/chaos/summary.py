"""Gathers what the chaos tests measured, and prints it as one table at the end of the run."""

from __future__ import annotations

import pytest

from tests.py.chaos.outbox import Account

KEY = "chaos"
COLUMNS = (
    *("what happened", "messages", "sent", "unknown", "failed"),
    *("delivered", "duplicates", "lost", "settled after"),
)


def record(request: pytest.FixtureRequest, what: str, account: Account, seconds: float) -> None:
    """Keep one row; it travels with the test's report, so that it arrives from pytest-xdist's workers too."""
    counts = [account.statuses[status] for status in ("sent", "unknown", "failed")]
    row = [what, account.messages, *counts, account.delivered, account.duplicates, account.lost]
    request.node.user_properties.append((KEY, [str(cell) for cell in row] + [f"{seconds:.1f} s"]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = [
        value
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        if report.when == "call"
        for name, value in report.user_properties
        if name == KEY
    ]
    if not rows:
        return
    widths = [max(len(row[i]) for row in [COLUMNS, *rows]) for i in range(len(COLUMNS))]
    terminalreporter.section("delivery under failures")
    for row in [COLUMNS, *sorted(rows)]:
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        terminalreporter.write_line("  ".join([first, *others]))
