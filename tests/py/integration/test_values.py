"""Values that fit a column's type and mean nothing: refused by the table, whoever writes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.py.integration.landlord import Landlord, call

PADDED = " " * 900_000 + "a"
HOUSE = {"name": "Far Off", "address_line1": "1 Elm St", "city": "Austin"}


def add(landlord: Landlord, table: str, row: dict[str, Any]) -> httpx.Response:
    return landlord.api.post(f"/rest/v1/{table}", json={"workspace_id": landlord.workspace_id, **row})


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("properties", {**HOUSE, "name": PADDED}),
        ("properties", {**HOUSE, "address_line1": PADDED}),
        ("properties", {**HOUSE, "city": PADDED}),
        ("properties", {**HOUSE, "timezone": "Foo/Bar5"}),
        ("properties", {**HOUSE, "timezone": "Etc/GMT+13"}),
        ("properties", {**HOUSE, "latitude": "NaN", "longitude": "NaN"}),
        ("tenants", {"last_name": PADDED}),
        ("vendors", {"name": PADDED}),
    ],
)
def test_a_value_without_meaning_is_refused(landlord: Landlord, table: str, row: dict[str, Any]) -> None:
    refused = add(landlord, table, row)
    assert (refused.status_code, refused.json()["code"]) == (400, "23514"), refused.text


@pytest.mark.parametrize(
    "wrong",
    [{"bedrooms": "NaN"}, {"bathrooms": "NaN"}, {"unit_number": PADDED}],
    ids=["bedrooms", "bathrooms", "unit_number"],
)
def test_a_unit_has_a_number_of_rooms(landlord: Landlord, wrong: dict[str, Any]) -> None:
    unit = {"property_id": landlord.property_id, "unit_number": "9"}
    refused = add(landlord, "units", {**unit, **wrong})
    assert (refused.status_code, refused.json()["code"]) == (400, "23514"), refused.text
    assert add(landlord, "units", {**unit, "bedrooms": 999.9, "bathrooms": 0}).status_code == 201


@pytest.mark.parametrize("day", ["infinity", "-infinity", "1066-10-14", "5874897-12-31"])
def test_a_rent_begins_on_a_day_of_our_times(landlord: Landlord, day: str) -> None:
    lease_id = landlord.draft("L-1")
    refused = add(landlord, "lease_terms", {"lease_id": lease_id, "effective_on": day, "rent_minor": 1})
    assert (refused.status_code, refused.json()["code"]) == (400, "23514"), refused.text


@pytest.mark.parametrize("days", ["[-infinity,2027-01-01)", "[2026-01-01,infinity)", "[1066-10-14,)"])
def test_possession_is_of_our_times(landlord: Landlord, days: str) -> None:
    plan = {"property_id": landlord.property_id, "unit_id": landlord.unit_ids[1]}
    lease_id = landlord.draft("L-1")
    refused = add(landlord, "lease_units", {**plan, "lease_id": lease_id, "possession": days})
    assert (refused.status_code, refused.json()["code"]) == (400, "23514"), refused.text
    until_further_notice = {**plan, "lease_id": lease_id, "possession": "[2026-01-01,)"}
    assert add(landlord, "lease_units", until_further_notice).status_code == 201


@pytest.mark.parametrize(
    "zone", ["UTC", "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "Etc/GMT+5"]
)
def test_a_time_zone_of_the_world_is_taken(landlord: Landlord, zone: str) -> None:
    assert call(landlord.api, "create_workspace", name="Elsewhere", timezone=zone).status_code == 200
