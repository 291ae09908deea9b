"""docs/reference/auth.md names every error code of the stand-in, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_reference_lists_the_codes_of_the_source() -> None:
    source = "".join(path.read_text() for path in (ROOT / "scripts/stack/auth").glob("*.py"))
    raised = set(re.findall(r'ApiError\(\s*[\w.]+,\s*"(\w+)"', source))
    assert len(raised) > 20
    page = (ROOT / "docs/reference/auth.md").read_text()
    errors = page.split("## Errors")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", errors, re.MULTILINE) == sorted(raised)
