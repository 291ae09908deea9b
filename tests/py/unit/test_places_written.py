"""When two ways to write an address are the same."""

from __future__ import annotations

import pytest

from workers.places.states import state_as_written
from workers.places.written import same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 N. Elm St", "1 north elm street"),
        ("St. Louis", "Saint Louis"),
        ("Montréal", "Montreal"),
        ("Lange Str. 5", "Lange Straße 5"),
        ("Hauptstr. 5", "Hauptstraße 5"),
        (None, " "),
    ],
)
def test_ways_to_write_the_same(one: str | None, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 N Elm St", "1 NW Elm St"),
        ("1 Elm Ct", "1 Elm Circle"),
        ("1 Elm St", "1 Elm"),
        ("12 Elm St", "1 2 Elm St"),
        (None, "IL"),
    ],
)
def test_what_is_not_the_same(one: str | None, other: str) -> None:
    assert not same(one, other)


@pytest.mark.parametrize(
    ("state", "country", "written"),
    [
        ("Illinois", "US", "IL"),
        ("il", "US", "IL"),
        ("US-IL", "US", "IL"),
        ("Québec", "CA", "QC"),
        ("New South Wales", "AU", "NSW"),
        ("Atlantis", "US", "Atlantis"),
        ("Bayern", "DE", "Bayern"),
        ("", "US", ""),
        (None, "US", None),
    ],
)
def test_states_as_their_country_writes_them(state: str | None, country: str, written: str | None) -> None:
    assert state_as_written(state, country) == written
