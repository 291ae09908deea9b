"""Compile the mails' MJML sources to the HTML that the workers fill in.

python -m scripts.templates            write workers/email/templates/*.html
python -m scripts.templates --check    fail when one of them is not what its source compiles to
"""

from __future__ import annotations

import sys
from pathlib import Path

from mjml import mjml2html

TEMPLATES = Path(__file__).resolve().parents[1] / "workers" / "email" / "templates"


def compiled(source: Path) -> str:
    """The HTML of one template, its Jinja untouched. Files named _something are there to be included."""
    html = mjml2html(
        source.read_text(),
        disable_comments=True,
        fonts={},  # a mail fetches nothing
        include_loader=lambda path: (source.parent / path).read_text(),
    )
    return html.rstrip() + "\n"


def main(arguments: list[str]) -> int:
    stale = []
    for source in sorted(TEMPLATES.glob("[!_]*.mjml")):
        html, target = compiled(source), source.with_suffix(".html")
        if target.exists() and target.read_text() == html:
            continue
        stale.append(target.name)
        if "--check" not in arguments:
            target.write_text(html)
    if stale and "--check" in arguments:
        remedy = "not what the MJML source says; run: python -m scripts.templates"
        print(f"{', '.join(stale)}: {remedy}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
