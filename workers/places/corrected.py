"""A typed address beside the one that is known."""

from __future__ import annotations

from workers.places.provider import Address
from workers.places.states import state_as_written
from workers.places.written import same


def corrected(typed: Address, known: Address) -> Address:
    """`typed`, with what is known otherwise put right.

    What only writes a word short or long, or leaves an accent out, stays as it was typed; so does what is not
    known, and the unit, which is the person's to know.
    """
    right = known.fields()
    return Address(
        **{
            name: value if _same(name, value, right[name], known.country or "") else right[name]
            for name, value in typed.fields().items()
        }
    )


def _same(name: str, typed: str | None, known: str | None, country: str) -> bool:
    if known is None or name == "address_line2":
        return True
    if name == "state":
        typed = state_as_written(typed, country)
    if name == "postal_code" and typed and typed.startswith(f"{known}-"):
        return True  # four more digits than are known
    return same(typed, known)
