"""docs/reference/rent-roll-csv.md lists every column that is read, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from workers.imports.columns import COLUMNS, known

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "rent-roll-csv.md").read_text()


def test_the_reference_lists_the_columns_that_are_read() -> None:
    tables = DOCUMENT[DOCUMENT.index("## Property") : DOCUMENT.index("## Values")]
    first_cells = [line.split("|")[1] for line in tables.splitlines() if line.startswith("| `")]
    listed = [name for cell in first_cells for name in re.findall(r"`([a-z_0-9]+)`", cell)]
    assert listed == list(dict.fromkeys(listed))
    assert set(listed) == {column.name for column in COLUMNS}


def test_every_other_name_that_the_reference_lists_is_understood() -> None:
    tables = DOCUMENT[DOCUMENT.index("## Property") : DOCUMENT.index("## Values")]
    for line in tables.splitlines():
        if line.startswith("| `"):
            names, aliases = line.split("|")[1], line.rstrip("|").split("|")[-1]
            meant = re.findall(r"`([a-z_0-9]+)`", names)
            for alias in re.findall(r"[a-z_0-9]+(?!…)\b", aliases.replace("_…", "_phone")):
                column = known(alias)
                assert column is not None and column.name in meant, alias
