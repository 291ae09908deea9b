"""Values that fit a column's type and mean nothing: refused by the table, whoever writes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.py.access.valid_rows import writable
from tests.py.integration.landlord import Landlord, call, refusal, rpc
from tests.py.integration.seeded import Seeded

PADDED = " " * 900_000 + "a"
OF_NO_TIME = {
    "date": ["infinity", "-infinity", "0044-03-15 BC", "5874897-01-01"],
    "timestamp with time zone": ["infinity", "-infinity", "0044-03-15 BC", "294276-01-01"],
    "daterange": ["[infinity,)", "[-infinity,2027-01-01)", "[2026-01-01,infinity)", "(,)", "empty"],
}
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


def test_no_day_outside_of_our_times_is_taken(seeded: Seeded) -> None:
    """Whatever column of whatever table a client may write; a new one is tried from its first day."""
    columns = seeded.db.execute(
        """
        select c.relname, a.attname, format_type(a.atttypid, null)
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_class as c on c.oid = a.attrelid
        where
            c.relnamespace = 'public'::regnamespace
            and c.relkind = 'r'
            and a.attnum > 0
            and format_type(a.atttypid, null) = any (%s)
        order by 1, 2
        """,
        [list(OF_NO_TIME)],
    ).fetchall()
    client, undone = seeded.client("owner_a"), {"Prefer": "return=representation,tx=rollback"}
    inserted = updated = 0
    for table, column, kind in columns:
        for value in OF_NO_TIME[kind]:
            told = f"{table}.{column} = {value}"
            if column in writable(table, "insert"):
                row = {**seeded.new_row(table, "a"), column: value}
                answer = client.post(f"/{table}", json=row, headers=undone)
                assert answer.status_code in (400, 422), f"{told}: {answer.status_code} {answer.text}"
                inserted += 1
            if column in writable(table, "update"):
                # Each row by itself: one that is fixed would keep the others from being tried.
                for each in seeded.rows("owner_a", f"{table}?select=id"):
                    answer = client.patch(
                        f"/{table}?id=eq.{each['id']}", json={column: value}, headers=undone
                    )
                    assert not (answer.is_success and answer.json()), told
                    updated += 1
    assert inserted > 30
    assert updated > 100


@pytest.mark.parametrize("day", ["infinity", "-infinity"])
def test_nobody_moves_to_another_unit_on_no_day(landlord: Landlord, day: str) -> None:
    lease_id = landlord.draft("L-1", ends_on=None)
    rpc(landlord.api, "activate_lease", lease_id=lease_id)
    one, other = landlord.unit_ids
    units = {"from_unit_id": one, "to_unit_id": other}
    refused = call(landlord.api, "transfer_unit", lease_id=lease_id, **units, on_date=day)
    assert refusal(refused) == (422, "transfer_impossible")


def test_a_lease_that_ends_before_it_starts_is_told_so(landlord: Landlord) -> None:
    reversed_term = {"starts_on": "2027-02-01", "ends_on": "2027-01-31"}
    lease = {"property_id": landlord.property_id, "lease_number": "L-2"}
    refused = add(landlord, "leases", {**lease, **reversed_term})
    assert refusal(refused) == (422, "lease_term_reversed")
    assert add(landlord, "leases", {**lease, **reversed_term, "ends_on": "2027-02-01"}).status_code == 201
    patched = landlord.api.patch("/rest/v1/leases?lease_number=eq.L-2", json={"starts_on": "2027-02-02"})
    assert refusal(patched) == (422, "lease_term_reversed")


@pytest.mark.parametrize("interval", [0, -1, 401])
def test_a_plan_has_an_interval(landlord: Landlord, interval: int) -> None:
    plan = {"property_id": landlord.property_id, "title": "Mow", "anchor_on": "2026-01-31"}
    monthly = {"interval_unit": "month", "interval_count": interval}
    refused = add(landlord, "maintenance_plans", {**plan, **monthly})
    assert (refused.status_code, refused.json()["code"]) == (400, "23514"), refused.text


@pytest.mark.parametrize(
    "zone", ["UTC", "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "Etc/GMT+5"]
)
def test_a_time_zone_of_the_world_is_taken(landlord: Landlord, zone: str) -> None:
    assert call(landlord.api, "create_workspace", name="Elsewhere", timezone=zone).status_code == 200
