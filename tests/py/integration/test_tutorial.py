"""docs/tutorial/first-portfolio.md works as written: what it has you type is run from the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.stack import supervise
from scripts.stack.layout import REPOSITORY, Ports, Stack

PAGE = (REPOSITORY / "docs" / "tutorial" / "first-portfolio.md").read_text()
FREEHOLD = Path(sys.executable).parent / "freehold"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Stack]:
    """A stack with the demo portfolio, as `make up` leaves it."""
    stack = Stack.at(tmp_path / "stack", Ports.free())
    try:
        up = [sys.executable, "-m", "scripts.up", f"--root={stack.root}"]
        subprocess.run(up, cwd=REPOSITORY, capture_output=True, timeout=120, check=True)
        yield stack
    finally:
        supervise.stop(stack)


# supabase-py uses a parameter of its own postgrest client that the latter has deprecated.
@pytest.mark.filterwarnings("ignore:The '.*' parameter is deprecated:DeprecationWarning")
def test_the_tutorial_shows_what_it_says(
    demo: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in demo.env.items():
        monkeypatch.setenv(name, value)
    session: dict[str, Any] = {}
    printed = []
    for language, block in re.findall(r"^```(python|console)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        if language == "python":
            exec(compile(block, "first-portfolio.md", "exec"), session)  # noqa: S102 - our own page
            printed.append(capsys.readouterr().out)
        elif verb := re.search(r"bin/freehold (.+)", block):
            subprocess.run(
                [FREEHOLD, *verb[1].split()], env=os.environ, capture_output=True, timeout=60, check=True
            )

    read, notice, _invited, accepted, refused, begun = printed
    assert read.count("'ends_on': '20") == 3
    assert notice.count("'status': 'sent', 'to_address': 'manager@maple.test', 'lease_number': 'MM-") == 3
    assert re.fullmatch(r"0 leases before\nmanager\n\d{3} leases after\n", accepted)
    assert refused.startswith("possession_overlap - Lease MM-")
    assert re.search(r"'lease_number': 'MM-\d+-R', 'status': 'pending'", begun)
