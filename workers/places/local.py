"""The list of addresses in the database: nothing leaves the house, and nothing needs a key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from workers.api_error import ApiError
from workers.places.admission import Rpc
from workers.places.corrected import corrected
from workers.places.provider import (
    Address,
    Checked,
    Place,
    Query,
    Status,
    Suggestion,
    Unavailable,
    UnknownPlace,
)
from workers.places.written import one_line, same, suggestion_of

PREFIX = "local:"
SUGGESTED = 5


class Local:
    """It takes no session token, and nothing is billed."""

    name = "local"
    attribution = ""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def autocomplete(self, query: Query, token: UUID | None, *, seconds: float) -> Sequence[Suggestion]:
        rows = await self._search(query.text, query.countries, seconds)
        return [suggestion_of(row["place_id"], _address(row), query) for row in rows]

    async def details(
        self, place_id: str, token: UUID | None, *, language: str | None, seconds: float
    ) -> Place:
        if not place_id.startswith(PREFIX):
            raise UnknownPlace("no id of the local list")
        row = await self._call("find_address", {"p_place_id": place_id}, seconds)
        if not row:
            raise UnknownPlace("the local list has it no more")
        return _place(row)

    async def validate(self, address: Address, token: UUID | None, *, seconds: float) -> Checked:
        """Verified when the list has it, however its words are written; corrected when in another town."""
        countries = (address.country,) if address.country else ()
        # The list has no units, which would find others.
        asked = one_line(replace(address, address_line2=None))
        best = Checked("unverified", address)
        for row in await self._search(asked, countries, seconds):
            known = _address(row)
            # Another street or number is another address, however alike they look.
            if not same(address.address_line1, known.address_line1) or address.country != known.country:
                continue
            better = corrected(address, known)
            status: Status = "verified" if better == address else "corrected"
            if status == "verified" or best.address_status == "unverified":
                best = Checked(status, better, _position(row), row["place_id"])
        return best

    async def current_id(self, place_id: str, *, seconds: float) -> str:
        return (await self.details(place_id, None, language=None, seconds=seconds)).place_id

    async def _search(self, text: str, countries: Sequence[str], seconds: float) -> list[dict[str, Any]]:
        asked = {"p_q": text, "p_countries": list(countries) or None, "p_limit": SUGGESTED}
        found: list[dict[str, Any]] = await self._call("search_addresses", asked, seconds)
        return found

    async def _call(self, function: str, arguments: Mapping[str, Any], seconds: float) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await self._rpc(function, arguments)
        except TimeoutError as error:
            raise Unavailable(f"no answer of the local list within {seconds:.1f} s") from error
        except ApiError as error:
            raise Unavailable(f"the local list: {error}") from error


def _place(row: Mapping[str, Any]) -> Place:
    address = _address(row)
    return Place(row["place_id"], address, one_line(address), _position(row), "verified")


def _address(row: Mapping[str, Any]) -> Address:
    return Address(**{name: row.get(name) for name in Address().fields()})


def _position(row: Mapping[str, Any]) -> tuple[float, float] | None:
    if row.get("latitude") is None or row.get("longitude") is None:
        return None
    return float(row["latitude"]), float(row["longitude"])
