"""What servers over OpenStreetMap's data have in common: how they are asked, and what their houses tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

import aiohttp
import structlog

from workers.outbound import Unreadable, loggable, read_json
from workers.places.breaker import Breaker
from workers.places.corrected import corrected
from workers.places.provider import Address, Checked, Place, Status, Unavailable
from workers.places.states import state_as_written
from workers.places.written import one_line, street_line, words

log = structlog.get_logger()

ATTRIBUTION = "© OpenStreetMap contributors"
LARGEST = 1 << 20
SUGGESTED = 5
# Streets that are less alike than this are two: 1 is the same.
ALIKE = 0.8


class Refused(Unavailable):
    """It can't do anything with what was asked, though it is well."""


class Server:
    """A server of one's own at `url`, called `name` in what we say of it."""

    def __init__(self, http: aiohttp.ClientSession, name: str, url: str) -> None:
        self.name = name
        self.breaker = Breaker()
        self._http = http
        self._url = url.rstrip("/")

    async def get(self, path: str, asked: Sequence[tuple[str, str]], *, seconds: float) -> Any:
        """The document at the path. Refused or Unavailable; one call, unless the breaker is open."""
        if not self.breaker.allows():
            raise Unavailable(f"{self.name} failed too often", retry_after=self.breaker.retry_after())
        try:
            document = await self._asked(path, asked, seconds)
        except Refused as refused:
            self.breaker.succeeded()
            log.warning("the server of addresses refuses a request", server=self.name, error=str(refused))
            raise
        except Unavailable as error:
            self.breaker.failed()
            log.warning(
                "the server of addresses doesn't answer",
                server=self.name,
                error=str(error),
                breaker_open=self.breaker.open,
            )
            raise
        except BaseException:
            self.breaker.let_go()
            raise
        self.breaker.succeeded()
        return document

    async def _asked(self, path: str, asked: Sequence[tuple[str, str]], seconds: float) -> Any:
        try:
            async with self._http.get(
                f"{self._url}{path}",
                params=asked,
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as response:
                if response.status == 400:
                    raise Refused(f"{self.name} answers 400")
                if response.status != 200:
                    raise Unavailable(f"{self.name} answers {response.status}")
                return await read_json(response, at_most=LARGEST)
        except TimeoutError as error:
            raise Unavailable(f"no answer of {self.name} within {seconds:.1f} s") from error
        except (aiohttp.ClientError, Unreadable) as error:
            raise Unavailable(f"{self.name}: {loggable(error)}") from error


@dataclass(frozen=True)
class Found:
    """A house or a street. `country` is an ISO 3166 code in capitals, empty where it isn't told."""

    place_id: str
    osm_id: str
    position: tuple[float, float]
    country: str
    name: str | None = None
    number: str | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None

    @property
    def is_house(self) -> bool:
        return bool(self.number and self.street and self.city)

    @property
    def address(self) -> Address:
        return Address(
            address_line1=street_line(self.number, self.street, self.country) or self.name,
            city=self.city,
            state=state_as_written(self.state, self.country),
            postal_code=self.postal_code,
            country=self.country or None,
        )


def texts(told: Mapping[str, Any]) -> dict[str, str]:
    """Of an address as the server tells it, what is as it should be."""
    return {name: value for name, value in told.items() if isinstance(value, str)}


def on_the_globe(latitude: float, longitude: float) -> bool:
    return abs(latitude) <= 90 and abs(longitude) <= 180


def place_of(found: Found) -> Place:
    address = found.address
    return Place(
        place_id=found.place_id,
        address=address,
        formatted_address=one_line(address),
        position=found.position,
        address_status="verified" if found.is_house else "unverified",
    )


def check_of(found: Found, typed: Address) -> Checked | None:
    """What the house says of a typed address; None when it is another house."""
    if not found.is_house or not _has_number(typed, found.number) or not _alike(typed, found.address):
        return None
    better = corrected(typed, found.address)
    status: Status = "verified" if better == typed else "corrected"
    return Checked(status, better, found.position, found.place_id)


def _has_number(typed: Address, number: str | None) -> bool:
    """Whether the line has the number: 5a is also 5 a."""
    written, wanted = words(typed.address_line1), "".join(words(number))
    pairs = [first + second for first, second in pairwise(written)]
    return wanted in (*written, *pairs)


def _alike(typed: Address, found: Address) -> bool:
    one, other = (" ".join(words(address.address_line1)) for address in (typed, found))
    return SequenceMatcher(None, one, other).ratio() >= ALIKE
