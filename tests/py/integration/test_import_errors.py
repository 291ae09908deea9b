"""What stands in the way of an import, by line and column; nothing that a client sends is trusted."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.py.integration.importer import HOUSE, LEASE, Cells, Importer, Refused

Db = psycopg.Connection[Any]
OTHER: Cells = {
    **LEASE,
    "unit_number": "1B",
    "lease_number": "L-2",
    "tenant_last_name": "Ray",
    "tenant_email": "bo@example.com",
}

SECOND = {**HOUSE, "unit_number": "1B"}
TAKEN = "email_of_another_renter"


def without(cells: Cells, *names: str) -> Cells:
    return {name: value for name, value in cells.items() if name not in names}


@pytest.fixture
def importer(db: Db) -> Importer:
    return Importer(db)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([without(HOUSE, "property_name")], [(2, "property_name", "value_missing")]),
        ([without(HOUSE, "unit_number")], [(2, "unit_number", "value_missing")]),
        ([without(HOUSE, "address_line1")], [(2, "address_line1", "value_missing")]),
        ([without(HOUSE, "city")], [(2, "city", "value_missing")]),
        ([without(LEASE, "lease_number")], [(2, "lease_number", "value_missing")]),
        ([without(LEASE, "lease_start")], [(2, "lease_start", "value_missing")]),
        ([without(LEASE, "rent_minor")], [(2, "rent_minor", "value_missing")]),
        (
            [without(LEASE, "tenant_first_name", "tenant_last_name", "tenant_email")],
            [(2, "tenant_last_name", "value_missing")],
        ),
        ([{**without(LEASE, "tenant_last_name")}], [(2, "tenant_last_name", "value_missing")]),
        ([{**HOUSE, "latitude": "30"}], [(2, "latitude", "coordinates_incomplete")]),
        ([{**HOUSE, "timezone": "America/Nowhere"}], [(2, "timezone", "timezone_unknown")]),
        ([{**HOUSE, "manager_email": "x@example.com"}], [(2, "manager_email", "manager_not_a_member")]),
        ([HOUSE, {**SECOND, "address_line1": "9 Elm"}], [(3, "address_line1", "property_contradicted")]),
        ([{**HOUSE, "bedrooms": "1"}, {**HOUSE, "bedrooms": "2"}], [(3, "bedrooms", "unit_contradicted")]),
        ([LEASE, {**LEASE, "lease_end": "2027-12-31"}], [(3, "lease_end", "lease_contradicted")]),
        ([LEASE, {**LEASE, **SECOND, "rent_minor": "1"}], [(3, "rent_minor", "lease_contradicted")]),
        ([{**LEASE, "lease_end": "2025-12-31"}], [(2, "lease_end", "lease_ends_before_start")]),
        (
            [LEASE, {**OTHER, "property_name": "Oak", "lease_number": "L-1"}],
            [(3, "property_name", "lease_in_two_properties")],
        ),
        ([LEASE, {**OTHER, "tenant_email": "Ann@x.test"}], []),
        ([LEASE, {**OTHER, "tenant_email": "ANN@example.com"}], [(3, "tenant_email", TAKEN)]),
        ([LEASE, {**OTHER, "unit_number": "1a"}], [(3, "unit_number", "possession_overlap")]),
        (
            [without(LEASE, "lease_end"), {**OTHER, "unit_number": "1A", "lease_end": "2031-01-01"}],
            [(3, "unit_number", "possession_overlap")],
        ),
    ],
)  # fmt: skip
def test_rows_that_cannot_be(
    importer: Importer, rows: list[Cells], expected: list[tuple[int, str, str]]
) -> None:
    assert importer.errors(*rows) == expected


@pytest.mark.parametrize(
    "rows",
    [
        [LEASE, {**OTHER, "unit_number": "1A", "lease_status": "draft"}],
        [LEASE, {**OTHER, "unit_number": "1A", "lease_start": "2027-01-01", "lease_end": "2027-12-31"}],
        [LEASE, {**HOUSE, "bedrooms": "2"}],
        [
            LEASE,
            {
                **OTHER,
                "tenant_first_name": "ANN",
                "tenant_last_name": "lee",
                "tenant_email": "ANN@example.com",
            },
        ],
    ],
)
def test_rows_that_look_like_it_and_can(importer: Importer, rows: list[Cells]) -> None:
    assert importer.errors(*rows) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"lease_start": "2026-02-01"}, ("lease_start", "lease_is_fixed")),
        ({"lease_end": "2027-06-30"}, ("lease_end", "lease_is_fixed")),
        ({"notice_days": "90"}, ("notice_days", "lease_is_fixed")),
        ({"deposit_minor": "1"}, ("deposit_minor", "lease_is_fixed")),
        ({"unit_number": "9"}, ("unit_number", "lease_is_fixed")),
        ({"rent_minor": "1"}, ("rent_minor", "rent_differs")),
        ({"due_day": "9"}, ("due_day", "rent_differs")),
        ({"lease_status": "draft"}, ("lease_status", "lease_has_begun")),
        ({"currency": "EUR"}, ("currency", "currency_differs")),
        ({"property_name": "Oak House"}, ("property_name", "lease_of_another_property")),
        ({"tenant_last_name": "Bell"}, ("tenant_email", "email_of_another_renter")),
        (
            {"tenant_last_name": "Bell", "tenant_email": "b@example.com"},
            ("tenant_last_name", "primary_renter_differs"),
        ),
        ({"lease_number": "L-9"}, ("unit_number", "possession_overlap")),
    ],
)
def test_what_has_begun_stays_as_it_is(importer: Importer, change: Cells, expected: tuple[str, str]) -> None:
    importer.commit(LEASE)
    before = importer.snapshot()
    assert (2, *expected) in importer.errors({**LEASE, **change})
    with pytest.raises(Refused, match="Nothing was imported"):
        importer.commit({**LEASE, **change})
    assert importer.snapshot() == before


def test_a_known_name_in_another_city_is_another_property(importer: Importer) -> None:
    importer.commit(HOUSE)
    [error] = importer.check({**HOUSE, "address_line1": "9 Oak St", "city": "Dallas"})["errors"]
    assert (error["column"], error["code"]) == ("address_line1", "property_elsewhere")
    assert error["message"] == "The workspace has a property of this name at 1 Maple St, Austin."


def test_an_overlap_names_the_other_lease(importer: Importer) -> None:
    importer.commit(LEASE)
    [error] = importer.check({**OTHER, "unit_number": "1A"})["errors"]
    assert (error["value"], error["message"]) == ("1A", "Lease L-1 holds the unit in that time.")
    second = {**OTHER, "unit_number": "2A"}
    [error] = importer.check(second, {**second, "lease_number": "L-3"})["errors"]
    assert error["message"] == "Lease L-2 of line 2 holds the unit in that time."


def test_a_rent_is_compared_with_the_one_in_force(importer: Importer) -> None:
    importer.commit({**LEASE, "lease_start": "2020-01-01", "lease_end": "2099-12-31"})
    importer.db.execute(
        """insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor)
        select workspace_id, id, '2021-01-01', 140000 from public.leases"""
    )
    row = {**LEASE, "lease_start": "2020-01-01", "lease_end": "2099-12-31"}
    assert importer.errors({**row, "rent_minor": "140000"}) == []
    assert importer.errors(row) == [(2, "rent_minor", "rent_differs")]


def test_a_lease_that_has_ended_does_not_come_back(importer: Importer) -> None:
    importer.commit(LEASE)
    importer.rpc(
        "end_lease", {"lease_id": importer.one("select id from public.leases"), "ended_on": "2026-03-01"}
    )
    assert importer.errors(LEASE) == [(2, "lease_number", "lease_has_ended")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rent_minor", "-1"),
        ("rent_minor", "12.5"),
        ("rent_minor", "9999999999999999"),
        ("rent_minor", {"amount": 1}),
        ("lease_start", "2026-02-30"),
        ("lease_start", "infinity"),
        ("lease_start", "01/02/2026"),
        ("lease_end", "2200-01-01"),
        ("due_day", "0"),
        ("due_day", 32),
        ("notice_days", "401"),
        ("latitude", "91"),
        ("longitude", "NaN"),
        ("property_type", "castle"),
        ("lease_status", "ended"),
        ("currency", "usd"),
        ("country", "USA"),
        ("tenant_email", "ann"),
        ("tenant_last_name", ""),
        ("tenant_last_name", " Lee"),
        ("property_name", "x" * 121),
        ("unit_number", "9" * 41),
        ("area_sqft", "0"),
        ("bedrooms", "1.25"),
        ("workspace_id", "00000000-0000-0000-0000-000000000000"),
        ("activated_at", "2020-01-01"),
    ],
)
def test_a_cell_that_no_honest_client_sends_is_an_error_like_any_other(
    importer: Importer, name: str, value: Any
) -> None:
    assert importer.errors({**LEASE, name: value}) == [(2, name, "value_invalid")]


@pytest.mark.parametrize(
    "rows",
    [
        None,
        {},
        [],
        [1],
        [{"line": 2}],
        [{"line": 0, "data": {}}],
        [{"line": "x", "data": {}}],
        [{"line": 2.5, "data": {}}],
        [{"line": 2, "data": []}],
        [{"line": n + 1, "data": {}} for n in range(1001)],
        [{"line": 2, "data": {f"column {n}": "x" for n in range(101)}}],
    ],
)
def test_a_batch_that_is_none_is_refused(importer: Importer, rows: Any) -> None:
    import_id = importer.start()
    with pytest.raises(Refused) as refused:
        importer.rpc("stage_import_rows", {"import_id": import_id, "rows": rows})
    assert (refused.value.status, refused.value.code) == (422, "import_batch_invalid")


def test_an_import_has_an_end(importer: Importer) -> None:
    import_id = importer.start()
    importer.db.execute(
        """insert into private.import_rows (import_id, line, data)
        select %s, n, '{}' from generate_series(1, 12000) as n""",
        (import_id,),
    )
    with pytest.raises(Refused) as refused:
        importer.rpc("stage_import_rows", {"import_id": import_id, "rows": [{"line": 12001, "data": HOUSE}]})
    assert (refused.value.status, refused.value.code) == (413, "import_too_large")


def test_an_empty_import_and_an_unknown_kind_are_refused(importer: Importer) -> None:
    with pytest.raises(Refused) as refused:
        importer.rpc("commit_import", {"import_id": importer.start()})
    assert refused.value.code == "import_is_empty"
    start = {
        "workspace_id": importer.workspace_id,
        "kind": "ledger",
        "file_name": "a",
        "file_digest": "0" * 64,
    }
    with pytest.raises(Refused) as refused:
        importer.rpc("start_import", start)
    assert refused.value.code == "import_kind_unknown"
    with pytest.raises(Refused) as refused:
        importer.rpc("start_import", {**start, "kind": "rent_roll", "file_digest": "abc"})
    assert refused.value.code == "import_file_invalid"


def test_a_value_too_long_to_print_is_told_by_its_beginning(importer: Importer) -> None:
    import_id = importer.staged({**HOUSE, "x" * 9_000: "y" * 9_000})
    [error] = importer.rpc("check_import", {"import_id": import_id})["errors"]
    assert (error["column"], error["value"]) == ("x" * 100, "y" * 300)
