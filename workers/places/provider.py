"""What every service for addresses can do for us, and in which words we speak of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Protocol
from uuid import UUID

# What the columns of public.properties hold, in characters.
LONGEST = {
    "address_line1": 200,
    "address_line2": 200,
    "city": 120,
    "state": 60,
    "postal_code": 20,
    "country": 2,
}
LONGEST_ADDRESS = 280  # characters: Google's limit; a longer one is no address

Status = Literal["verified", "corrected", "unverified"]


class ProviderError(Exception):
    """The provider didn't do what was asked. Its message names no key and nothing that somebody typed."""


class Unavailable(ProviderError):
    """It is away, too slow, overloaded, or refuses us all: the address is typed by hand.

    `consumed`: whether the provider may have acted on the request all the same.
    """

    def __init__(self, message: str, *, consumed: bool = False, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.consumed = consumed
        self.retry_after = retry_after


class Misconfigured(Unavailable):
    """It refuses our key or our project: nothing works until an operator mends that."""


class NotUnderstood(ProviderError):
    """It can do nothing with what it was asked, whoever asks again: a language, say, that it doesn't have."""


class UnknownPlace(ProviderError):
    """There is no place of this id, or no longer."""


@dataclass(frozen=True)
class Query:
    """What somebody has typed so far. `offset`: the cursor, counted in characters (code points).

    `countries` are ISO 3166 codes in capitals, never none: without them a provider would look around itself.
    """

    text: str
    countries: tuple[str, ...]
    offset: int | None = None
    language: str | None = None


@dataclass(frozen=True)
class Match:
    """Part of a suggestion's text that fits what was typed: characters (code points), half-open."""

    start: int
    end: int


@dataclass(frozen=True)
class Suggestion:
    place_id: str
    text: str
    matches: Sequence[Match]
    main_text: str
    secondary_text: str | None


@dataclass(frozen=True)
class Address:
    """The address columns of public.properties, by their names."""

    address_line1: str | None = None
    address_line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None

    def fields(self) -> dict[str, str | None]:
        return asdict(self)

    @property
    def is_too_long(self) -> bool:
        return sum(len(part) for part in self.fields().values() if part) > LONGEST_ADDRESS


@dataclass(frozen=True)
class Place:
    """`address_status`: verified when it is known down to the building."""

    place_id: str
    address: Address
    formatted_address: str
    position: tuple[float, float] | None  # latitude, longitude
    address_status: Status


@dataclass(frozen=True)
class Checked:
    """What became of a typed address. `address` is the better one, or the typed one where none is known."""

    address_status: Status
    address: Address
    position: tuple[float, float] | None = None
    place_id: str | None = None


class Provider(Protocol):
    """A service for addresses. Every call raises Unavailable; suggestions NotUnderstood too, and those about
    a place UnknownPlace.

    `token` ties calls together that are billed as one; `seconds` is what a call may take.
    """

    name: str
    attribution: str

    async def autocomplete(
        self, query: Query, token: UUID | None, *, seconds: float
    ) -> Sequence[Suggestion]: ...

    async def details(
        self, place_id: str, token: UUID | None, *, language: str | None, seconds: float
    ) -> Place: ...

    async def validate(self, address: Address, token: UUID | None, *, seconds: float) -> Checked: ...

    async def current_id(self, place_id: str, *, seconds: float) -> str:
        """The id that the place has now: the same, or that of where it moved."""
        ...


def changes(typed: Address, better: Address) -> list[dict[str, str | None]]:
    """[{field, from, to}] for each field that differs by more than case and blanks."""
    before, after = typed.fields(), better.fields()
    return [
        {"field": name, "from": before[name], "to": after[name]}
        for name in before
        if plain(before[name]) != plain(after[name])
    ]


def plain(text: str | None) -> str:
    return " ".join((text or "").casefold().split())
