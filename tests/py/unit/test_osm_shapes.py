"""Whatever a server over OpenStreetMap's data sends, what we make of it can be shown and saved."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from tests.py.unit.spoilt_documents import anything, names_of, spoilt
from workers.places import nominatim, osm, photon
from workers.places.osm import Found
from workers.places.provider import Address, Query
from workers.places.written import suggestion_of

PHOTON = {
    "properties": {
        "osm_type": "W",
        "osm_id": 38862723,
        "type": "house",
        "housenumber": "5",
        "street": "Elm Street",
        "city": "Springfield",
        "postcode": "62701",
        "state": "Illinois",
        "countrycode": "US",
    },
    "geometry": {"coordinates": [-89.65, 39.78]},
}
NOMINATIM = {
    "osm_type": "way",
    "osm_id": 38862723,
    "lat": "39.78",
    "lon": "-89.65",
    "name": "",
    "address": {
        "house_number": "5",
        "road": "Elm Street",
        "city": "Springfield",
        "ISO3166-2-lvl4": "US-IL",
        "state": "Illinois",
        "postcode": "62701",
        "country_code": "us",
    },
}
WORDS = ["US", "DE", "5", "9.5", "node", "W", "house", "Elm Street"]
TYPED = Address("5 Elm Street", None, "Springfield", "IL", "62701", "US")
INSTEAD = anything(sorted(names_of([PHOTON, NOMINATIM]) | {"name", "locality", "county", "town"}), WORDS)


def use(found: Found | None) -> None:
    if found is None:
        return
    place = osm.place_of(found)
    assert all(value is None or isinstance(value, str) for value in place.address.fields().values())
    assert place.position and abs(place.position[0]) <= 90 and abs(place.position[1]) <= 180
    assert isinstance(suggestion_of(found.place_id, found.address, Query("5 elm", ("US",))).text, str)
    osm.check_of(found, TYPED)


@given(spoilt(PHOTON, INSTEAD))
def test_photon(document: Any) -> None:
    use(photon._feature(document))


@given(spoilt(NOMINATIM, INSTEAD))
def test_nominatim(document: Any) -> None:
    use(nominatim._object(document))


def test_the_documents_that_are_spoilt_are_understood_when_they_are_whole() -> None:
    """Else the properties would hold of nothing."""
    for found in (photon._feature(PHOTON), nominatim._object(NOMINATIM)):
        assert found is not None
        checked = osm.check_of(found, TYPED)
        assert checked is not None and checked.address_status == "verified"
