"""States and provinces as their countries' addresses are written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from workers.places.written import words

# Where an address has the code: Springfield, IL.
CODED = frozenset({"US", "CA", "AU"})


def state_as_written(state: str | None, country: str) -> str | None:
    """IL for Illinois, or for US-IL; what is no state of that country, and all other countries', as it is."""
    if not state or country not in CODED:
        return state
    code = state.removeprefix(f"{country}-").upper()
    by_name = _codes(country)
    if code in by_name.values():
        return code
    return by_name.get(" ".join(words(state)), state)


@cache
def _codes(country: str) -> Mapping[str, str]:
    """Codes by compared names. The list is loaded at the first call: 8 MB."""
    from pycountry import subdivisions

    found = subdivisions.get(country_code=country)  # type: ignore[no-untyped-call]
    return {" ".join(words(each.name)): each.code.partition("-")[2] for each in found or ()}
