"""The documentation hangs together: every page is in the index once, and no link leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
DOCS = REPOSITORY / "docs"
PAGES = sorted(
    path.relative_to(REPOSITORY).as_posix() for path in [REPOSITORY / "README.md", *DOCS.rglob("*.md")]
)
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")


def test_the_index_lists_every_page_once_under_its_kind() -> None:
    listed = [target for target, _ in LINK.findall((DOCS / "README.md").read_text())]
    assert sorted(listed) == sorted(
        page.removeprefix("docs/") for page in PAGES if page not in ("README.md", "docs/README.md")
    )
    kinds = list(dict.fromkeys(target.split("/")[0] for target in listed))
    assert kinds == ["tutorial", "how-to", "reference", "explanation"]


@pytest.mark.parametrize("page", PAGES)
def test_no_link_of_a_page_leads_nowhere(page: str) -> None:
    path = REPOSITORY / page
    lost = []
    for target, anchor in LINK.findall(path.read_text()):
        if re.match(r"https?:", target):
            continue
        there = (path.parent / target) if target else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            lost.append(f"{target}#{anchor}")
    assert lost == []


def anchors(page: Path) -> set[str]:
    """The anchors a page sets itself, and those that a heading gets."""
    text = page.read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)"', text))
