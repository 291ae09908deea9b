"""How an address is written on one line, and which parts of a line fit what was typed."""

from __future__ import annotations

import re

from workers.places.provider import Address, Match

# Where the number stands before the street.
NUMBER_FIRST = frozenset({"US", "CA", "GB", "IE", "AU", "NZ", "FR", "ZA", "IN", "SG", "HK", "PH", "LU"})
# Where the postal code follows the town.
POSTCODE_LAST = NUMBER_FIRST - {"FR", "LU"}


def street_line(number: str | None, street: str | None, country: str | None) -> str | None:
    if not number or not street:
        return street
    return f"{number} {street}" if country in NUMBER_FIRST else f"{street} {number}"


def one_line(address: Address) -> str:
    """123 Main Street, #4, Springfield, IL 62701, US; or Am Markt 5, 20095 Hamburg, DE."""
    if address.country in POSTCODE_LAST:
        town = [address.city, " ".join(filter(None, (address.state, address.postal_code)))]
    else:
        town = [" ".join(filter(None, (address.postal_code, address.city)))]
    parts = [address.address_line1, address.address_line2, *town, address.country]
    return ", ".join(part for part in parts if part)


def matches_in(text: str, typed: str) -> list[Match]:
    """Where the typed words begin words of the text; each typed word once."""
    found = []
    for word in dict.fromkeys(re.findall(r"\w+", typed)):
        begins = re.search(rf"(?<!\w){re.escape(word)}", text, re.IGNORECASE)
        if begins:
            found.append(Match(*begins.span()))
    return sorted(found, key=lambda match: match.start)
