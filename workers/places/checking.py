"""The worker's handler for the queue of address checks: asks the provider what the check is about."""

from __future__ import annotations

from typing import Any

from workers.places.checks import AddressCheck
from workers.places.provider import LONGEST, LONGEST_ADDRESS, Address, Provider, Unavailable, UnknownPlace
from workers.queue import outcomes
from workers.queue.handler import Begin
from workers.queue.outcomes import Outcome

SECONDS = 10.0  # nobody waits for the answer
# By the beginning of a place id, whose it is; without one it is Google's.
OWNERS = ("local", "nominatim", "photon")


class AddressCheckHandler:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def prepare(self, item: AddressCheck, /) -> AddressCheck:
        if item.kind == "verify":
            if item.address.is_too_long:
                raise ValueError(f"an address of more than {LONGEST_ADDRESS} characters")
        elif owner_of(item.place_id) != self._provider.name:
            raise ValueError(f"the place is {owner_of(item.place_id)}'s, and {self._provider.name} is asked")
        return item

    async def send(self, prepared: AddressCheck, begin: Begin) -> Outcome:
        await begin()
        try:
            return outcomes.Answered(await self._answer(prepared))
        except UnknownPlace:
            return outcomes.Answered({"place_id": None})
        except Unavailable as error:
            return outcomes.Unavailable(str(error), spent=error.consumed)
        except Exception as error:
            # Its words may repeat what the provider told, and they would be kept.
            return outcomes.Unknown(f"{type(error).__name__} while the provider's answer was read")

    async def _answer(self, check: AddressCheck) -> dict[str, Any]:
        if check.kind == "verify":
            checked = await self._provider.validate(check.address, None, seconds=SECONDS)
            told: dict[str, Any] = {"address_status": checked.address_status, "place_id": checked.place_id}
            if not _complete(checked.address):
                told["address_status"] = "unverified"
            return {**told, "address": checked.address.fields(), **_at(checked.position)}
        place_id = str(check.place_id)
        if check.kind == "renew":
            return {"place_id": await self._provider.current_id(place_id, seconds=SECONDS)}
        place = await self._provider.details(place_id, None, language=None, seconds=SECONDS)
        return {"place_id": place_id, **_at(place.position)}


def owner_of(place_id: str | None) -> str:
    """The provider that knows places by such ids."""
    beginning = (place_id or "").partition(":")[0]
    return beginning if beginning in OWNERS else "google"


def _complete(address: Address) -> bool:
    """Whether a property could be saved with it."""
    required = (address.address_line1, address.city, address.country)
    told = address.fields()
    return all(required) and all(len(told[name] or "") <= most for name, most in LONGEST.items())


def _at(position: tuple[float, float] | None) -> dict[str, float]:
    return {"latitude": position[0], "longitude": position[1]} if position else {}
