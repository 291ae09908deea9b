"""What is asked of a provider for a check of an address, and what its answers and failures become."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from workers.places.checking import AddressCheckHandler, owner_of
from workers.places.checks import AddressCheck
from workers.places.provider import Address, Checked, Place, Query, Suggestion, Unavailable, UnknownPlace
from workers.queue.outcomes import Answered, Outcome, Unknown
from workers.queue.outcomes import Unavailable as Away

TYPED = Address("1 Elm", None, "Ames", "IA", "50010", "US")
BETTER = Address("1 Elm Street", None, "Ames", "IA", "50010", "US")


class Atlas:
    """Answers as it is told to, or raises that; `asked` are the calls."""

    attribution = ""

    def __init__(self, answer: Any, name: str = "google") -> None:
        self.name = name
        self.answer = answer
        self.asked: list[str] = []

    def _answer(self, call: str) -> Any:
        self.asked.append(call)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def autocomplete(self, query: Query, token: UUID | None, *, seconds: float) -> Sequence[Suggestion]:
        raise AssertionError("a check never autocompletes")

    async def details(
        self, place_id: str, token: UUID | None, *, language: str | None, seconds: float
    ) -> Place:
        return self._answer(f"details {place_id}")  # type: ignore[no-any-return]

    async def validate(self, address: Address, token: UUID | None, *, seconds: float) -> Checked:
        assert token is None
        return self._answer("validate")  # type: ignore[no-any-return]

    async def current_id(self, place_id: str, *, seconds: float) -> str:
        return self._answer(f"current_id {place_id}")  # type: ignore[no-any-return]


def check(kind: Any, place_id: str | None = "p", address: Address = TYPED) -> AddressCheck:
    return AddressCheck("c", "w", "h", kind, address, place_id)


def done(atlas: Atlas, what: AddressCheck) -> Outcome:
    handler = AddressCheckHandler(atlas)
    begun: list[int] = []

    async def begin() -> None:
        assert atlas.asked == [], "nothing is asked before it is let through"
        begun.append(1)

    outcome = asyncio.run(handler.send(handler.prepare(what), begin))
    assert begun == [1]
    return outcome


def test_an_address_is_validated_and_told_with_its_position() -> None:
    outcome = done(Atlas(Checked("corrected", BETTER, (42.5, -93.5), "q")), check("verify"))
    assert outcome == Answered(
        {
            "address_status": "corrected",
            "place_id": "q",
            "address": BETTER.fields(),
            "latitude": 42.5,
            "longitude": -93.5,
        }
    )


@pytest.mark.parametrize(
    "better",
    [
        Address(city="Ames", country="US"),
        replace(BETTER, state="x" * 61),
        replace(BETTER, city="x" * 121),
        replace(BETTER, postal_code="5" * 21),
        replace(BETTER, country="USA"),
    ],
)
def test_a_correction_that_no_property_could_be_saved_with_is_none(better: Address) -> None:
    outcome = done(Atlas(Checked("corrected", better)), check("verify"))
    assert isinstance(outcome, Answered) and outcome.result["address_status"] == "unverified"


def test_a_place_id_is_renewed_by_asking_for_the_id_alone() -> None:
    atlas = Atlas("elsewhere")
    assert done(atlas, check("renew")) == Answered({"place_id": "elsewhere"})
    assert atlas.asked == ["current_id p"]


@pytest.mark.parametrize("kind", ["renew", "locate"])
def test_a_place_that_is_gone_is_told_so(kind: str) -> None:
    assert done(Atlas(UnknownPlace("gone")), check(kind)) == Answered({"place_id": None})


def test_what_a_provider_told_is_in_no_error() -> None:
    outcome = done(Atlas(ValueError("1 Secret Street is no number")), check("verify"))
    assert isinstance(outcome, Unknown) and "Secret" not in outcome.error


def test_a_position_is_told_under_the_id_that_was_asked_about() -> None:
    place = Place("another spelling of it", BETTER, "", (42.5, -93.5), "verified")
    assert done(Atlas(place), check("locate")) == Answered(
        {"place_id": "p", "latitude": 42.5, "longitude": -93.5}
    )


@pytest.mark.parametrize("kind", ["verify", "renew", "locate"])
def test_a_provider_that_is_away_is_nobody_s_fault(kind: str) -> None:
    assert done(Atlas(Unavailable("busy")), check(kind)) == Away("busy")
    late = Atlas(Unavailable("too slow", consumed=True))
    assert done(late, check(kind)) == Away("too slow", spent=True)


@pytest.mark.parametrize(
    ("kind", "place_id", "provider"),
    [("renew", "ChIJ", "local"), ("locate", "local:1", "google"), ("renew", "photon:1", "google")],
)
def test_nobody_is_asked_about_another_provider_s_place(kind: str, place_id: str, provider: str) -> None:
    """Else a change of provider would look as if every place had gone."""
    with pytest.raises(ValueError, match="is asked"):
        AddressCheckHandler(Atlas("x", provider)).prepare(check(kind, place_id))


def test_an_address_too_long_for_google_is_not_sent() -> None:
    with pytest.raises(ValueError, match="280"):
        AddressCheckHandler(Atlas(None)).prepare(check("verify", address=Address("x" * 200, "y" * 81)))


@pytest.mark.parametrize(
    ("place_id", "owner"),
    [
        ("ChIJ", "google"),
        ("local:1", "local"),
        ("photon:2", "photon"),
        ("nominatim:2", "nominatim"),
        ("other:3", "google"),
    ],
)
def test_a_place_id_says_whose_it_is(place_id: str, owner: str) -> None:
    assert owner_of(place_id) == owner
