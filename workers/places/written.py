"""How an address is written, when two ways mean the same, and which parts of a line fit what was typed."""

from __future__ import annotations

import re
import unicodedata

from workers.places.provider import Address, Match, Query, Suggestion

# Where the number stands before the street.
NUMBER_FIRST = frozenset({"US", "CA", "GB", "IE", "AU", "NZ", "FR", "ZA", "IN", "SG", "HK", "PH", "LU"})
# Where the postal code follows the town.
POSTCODE_LAST = NUMBER_FIRST - {"FR", "LU"}

# As private.address_abbreviations has them.
_SHORT_AND_LONG = """
    n=north s=south e=east w=west ne=northeast nw=northwest se=southeast sw=southwest
    al=alley aly=alley ave=avenue av=avenue blvd=boulevard bldg=building cir=circle cres=crescent ct=court
    cts=courts cv=cove dr=drive expy=expressway fwy=freeway ft=fort hbr=harbor hts=heights hwy=highway
    jct=junction ln=lane lndg=landing mt=mount mtn=mountain pkwy=parkway pl=place plz=plaza pt=point
    rd=road rte=route sq=square st=street ste=suite ter=terrace trl=trail tpke=turnpike vlg=village
    xing=crossing
"""
ABBREVIATIONS = dict(pair.split("=") for pair in _SHORT_AND_LONG.split())
# St. is both.
COMPARED = {**ABBREVIATIONS, "saint": "street"}


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


def suggestion_of(place_id: str, address: Address, query: Query) -> Suggestion:
    """An address as a suggestion for what was typed: its line first, then the rest."""
    text = one_line(address)
    main = address.address_line1 or text
    return Suggestion(
        place_id=place_id,
        text=text,
        matches=matches_in(text, query.text),
        main_text=main,
        secondary_text=text[len(main) :].lstrip(", ") or None,
    )


def words(text: str | None) -> list[str]:
    """Words of part of an address as they are compared: in full, without case, accents and marks."""
    letters = unicodedata.normalize("NFKD", (text or "").casefold())
    found = re.findall(r"\w+", "".join(c for c in letters if not unicodedata.combining(c)))
    return [COMPARED.get(word) or re.sub(r"str$", "strasse", word) for word in found]


def same(one: str | None, other: str | None) -> bool:
    """Whether both mean the same: 1 N. Elm St is 1 North Elm Street."""
    return words(one) == words(other)
