"""Whatever document Google sends, what we make of it is as it should be."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given

from tests.py.unit.spoilt_documents import anything, names_of, spoilt
from workers.places.google_shapes import check_of, id_of, moved_id_of, place_of, reason_of, suggestions_of
from workers.places.provider import Address

WORDS = [
    "PREMISE",
    "street_number",
    "route",
    "country",
    "subpremise",
    "street_address",
    "US",
    "usa",
    "12",
    "é",
]

SUGGESTIONS = {
    "suggestions": [
        {
            "placePrediction": {
                "placeId": "ChIJ1",
                "text": {
                    "text": "1 Elm St",
                    "matches": [{"endOffset": 1}, {"startOffset": 2, "endOffset": 5}],
                },
                "structuredFormat": {"mainText": {"text": "1 Elm St"}, "secondaryText": {"text": "US"}},
            }
        }
    ]
}
PLACE = {
    "id": "ChIJ1",
    "formattedAddress": "1 Elm St",
    "types": ["street_address"],
    "location": {"latitude": 39.7, "longitude": -89.6},
    "addressComponents": [
        {"longText": "1", "shortText": "1", "types": ["street_number"]},
        {"longText": "Elm Street", "shortText": "Elm St", "types": ["route"]},
        {"longText": "4", "shortText": "4", "types": ["subpremise"]},
        {"longText": "United States", "shortText": "US", "types": ["country"]},
    ],
    "postalAddress": {"regionCode": "US", "addressLines": ["1 Elm St"], "locality": "Springfield"},
}
CHECK = {
    "result": {
        "verdict": {
            "addressComplete": True,
            "validationGranularity": "PREMISE",
            "hasReplacedComponents": True,
        },
        "address": {
            "postalAddress": {
                "regionCode": "US",
                "addressLines": ["1 Elm St", "Apt 4"],
                "locality": "Springfield",
                "administrativeArea": "IL",
                "postalCode": "62701",
            }
        },
        "geocode": {"placeId": "ChIJ1", "location": {"latitude": 39.7, "longitude": -89.6}},
    }
}
ERROR = {"error": {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}
NAMES = sorted(names_of([SUGGESTIONS, PLACE, CHECK, ERROR]) | {"startOffset", "movedPlaceId"})
TYPED = Address("1 elm street", None, "Springfield", "IL", "62702", "US")
# As the columns of public.properties are.
LONGEST = {
    "address_line1": 200,
    "address_line2": 200,
    "city": 120,
    "state": 60,
    "postal_code": 20,
    "country": 2,
}


def is_object(document: Any) -> bool:
    return isinstance(document, dict)


def assert_savable(address: Address) -> None:
    for name, value in address.fields().items():
        assert value is None or (isinstance(value, str) and 1 <= len(value) <= LONGEST[name]), name
    assert address.country is None or (address.country.isupper() and address.country.isascii())


def assert_on_the_globe(position: tuple[float, float] | None) -> None:
    if position:
        assert all(map(math.isfinite, position)) and abs(position[0]) <= 90 and abs(position[1]) <= 180


@given(spoilt(SUGGESTIONS, anything(NAMES, WORDS)).filter(is_object))
def test_suggestions_are_texts_with_matches_inside(document: dict[str, Any]) -> None:
    for found in suggestions_of(document):
        assert found.place_id and found.text and isinstance(found.main_text, str)
        assert found.secondary_text is None or isinstance(found.secondary_text, str)
        assert all(0 <= match.start < match.end <= len(found.text) for match in found.matches)


@given(spoilt(PLACE, anything(NAMES, WORDS)).filter(is_object))
def test_a_place_can_be_saved(document: dict[str, Any]) -> None:
    found = place_of(document, "ChIJasked")
    assert isinstance(found.place_id, str) and isinstance(found.formatted_address, str)
    assert_savable(found.address)
    assert_on_the_globe(found.position)
    for renewed in (id_of(document), moved_id_of(document)):
        assert renewed is None or isinstance(renewed, str)


@given(spoilt(CHECK, anything(NAMES, WORDS)).filter(is_object))
def test_a_checked_address_can_be_saved(document: dict[str, Any]) -> None:
    found = check_of(document, TYPED)
    assert found.address_status in ("verified", "corrected", "unverified")
    assert found.place_id is None or isinstance(found.place_id, str)
    assert_savable(found.address)
    assert_on_the_globe(found.position)


@given(spoilt(ERROR, anything(NAMES, WORDS)))
def test_a_reason_is_a_text(document: Any) -> None:
    assert isinstance(reason_of(document), str)


@pytest.mark.parametrize("location", [{"latitude": 91, "longitude": 1}, {"latitude": True, "longitude": 1}])
def test_a_position_beyond_the_globe_is_none(location: dict[str, Any]) -> None:
    assert place_of({**PLACE, "location": location}, "x").position is None


def test_the_documents_that_are_spoilt_are_understood_when_they_are_whole() -> None:
    """Else the properties would hold of nothing."""
    [suggestion] = suggestions_of(SUGGESTIONS)
    assert len(suggestion.matches) == 2
    assert place_of(PLACE, "x").address_status == "verified"
    assert check_of(CHECK, TYPED).address_status == "corrected"
    assert reason_of(ERROR) == "API_KEY_INVALID"
