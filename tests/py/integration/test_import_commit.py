"""What an import makes of its rows, once and again."""

from __future__ import annotations

import psycopg
import pytest

from tests.py.integration.importer import HOUSE, LEASE, TABLES, Importer, Refused, counts

Db = psycopg.Connection[object]


@pytest.fixture
def importer(db: Db) -> Importer:
    return Importer(db)


def test_a_row_becomes_property_unit_renter_and_a_lease_that_binds(importer: Importer) -> None:
    answer = importer.commit(
        {
            **LEASE,
            "property_type": "apartment",
            "manager_email": "MIA@example.com",
            "latitude": "30.25",
            "longitude": "-97.75",
            "bedrooms": "2",
            "bathrooms": "1.5",
            "area_sqft": "800",
            "market_rent_minor": "130000",
            "notice_days": "60",
            "due_day": "5",
            "deposit_minor": "100000",
            "co_tenant_last_name": "Ray",
        }
    )
    assert answer == {
        "properties": counts(created=1),
        "units": counts(created=1),
        "tenants": counts(created=2),
        "leases": counts(created=1),
        "leases_activated": 1,
    }
    made = importer.snapshot()
    [house], [unit], [lease], [held], [term] = (
        made[table]
        for table in TABLES
        if table.rpartition(".")[2] in ("properties", "units", "leases", "lease_units", "lease_terms")
    )
    assert (house["name"], house["property_type"], house["address_status"]) == (
        "Maple Court", "apartment", "unverified",
    )  # fmt: skip
    assert (house["timezone"], house["currency"]) == ("America/Chicago", "USD")
    assert house["manager_id"] == str(importer.user_id)
    assert (unit["unit_number"], unit["bathrooms"], unit["market_rent_minor"]) == ("1A", 1.5, 130000)
    assert (lease["status"], lease["starts_on"], lease["ends_on"]) == ("active", "2026-01-01", "2026-12-31")
    assert (lease["notice_days"], lease["deposit_minor"]) == (60, 100000)
    assert (held["possession"], held["binding"]) == ("[2026-01-01,2027-01-01)", True)
    assert (term["rent_minor"], term["due_day"], term["effective_on"]) == (125000, 5, "2026-01-01")
    people = {row["last_name"]: row["id"] for row in made["public.tenants"]}
    assert {row["tenant_id"]: row["role"] for row in made["public.lease_tenants"]} == {
        people["Lee"]: "primary",
        people["Ray"]: "co_tenant",
    }
    [change] = made["public.lease_status_changes"]
    assert (change["from_status"], change["to_status"], change["changed_by"]) == (
        None,
        "active",
        str(importer.user_id),
    )
    assert {row["threshold"]: row["due_on"] for row in made["private.lease_reminders"]} == {
        "days_90": "2026-10-02",
        "days_60": "2026-11-01",
        "days_30": "2026-12-01",
        "notice_deadline": "2026-11-01",
    }


def test_what_is_new_is_written_without_updates_that_find_nothing(importer: Importer) -> None:
    """Each would call the triggers of its table; and its plan is made when tables are empty."""
    importer.db.execute(
        """create function private.refuse_update() returns trigger language plpgsql
        as $$ begin raise exception 'updated %', tg_table_name; end $$"""
    )
    for table in ("properties", "units", "tenants", "leases", "lease_units", "lease_terms"):
        importer.db.execute(
            f"""create trigger refuse_update before update on public.{table}
            for each statement execute function private.refuse_update()""".encode()
        )
    answer = importer.commit(
        LEASE, {**LEASE, "unit_number": "1B", "lease_number": "L-2", "tenant_email": "b@b.co"}
    )
    assert answer["leases"] == counts(created=2)


def test_the_same_rows_again_touch_nothing(importer: Importer) -> None:
    rows = (
        {**LEASE, "co_tenant_last_name": "Ray", "latitude": "30.1234567", "longitude": "-97.7654321"},
        {**LEASE, "unit_number": "1B", "lease_number": "L-2", "tenant_email": "", "lease_status": "draft"},
        {**HOUSE, "unit_number": "1C", "market_rent_minor": "99900"},
    )
    rows[1].pop("tenant_email")
    importer.commit(*rows)
    before = importer.snapshot()
    answer = importer.commit(*rows)
    assert importer.snapshot() == before
    assert answer == {
        "properties": counts(unchanged=1),
        "units": counts(unchanged=3),
        "tenants": counts(unchanged=3),
        "leases": counts(unchanged=2),
        "leases_activated": 0,
    }


def test_case_is_no_difference_and_an_empty_cell_says_nothing(importer: Importer) -> None:
    importer.commit({**LEASE, "postal_code": "78701", "bedrooms": "2", "tenant_phone": "555-0100"})
    before = importer.snapshot()
    answer = importer.commit(
        {
            "property_name": "MAPLE COURT",
            "unit_number": "1a",
            "lease_number": "l-1",
            "tenant_last_name": "LEE",
            "tenant_first_name": "ann",
            "tenant_email": "ANN@example.com",
        }
    )
    assert importer.snapshot() == before
    assert all(answer[kind]["unchanged"] == 1 for kind in ("properties", "units", "tenants", "leases"))


def test_only_what_differs_is_written(importer: Importer) -> None:
    importer.commit(LEASE, {**HOUSE, "unit_number": "1B"})
    before = importer.snapshot()
    answer = importer.commit(
        {**LEASE, "tenant_phone": "555-0111"}, {**HOUSE, "unit_number": "1B", "bedrooms": "3"}
    )
    assert (answer["properties"], answer["units"]) == (counts(unchanged=1), counts(updated=1, unchanged=1))
    assert (answer["tenants"], answer["leases"]) == (counts(updated=1), counts(unchanged=1))
    after = importer.snapshot()
    changed = {table for table in TABLES if before[table] != after[table]}
    assert changed == {"public.units", "public.tenants"}
    assert sum(unit in before["public.units"] for unit in after["public.units"]) == 1


def test_another_address_voids_what_was_confirmed_of_the_old_one(importer: Importer) -> None:
    importer.commit({**HOUSE, "latitude": "30.25", "longitude": "-97.75"})
    importer.db.execute("update public.properties set address_status = 'verified', place_id = 'abc'")
    importer.commit({**HOUSE, "city": "AUSTIN"})
    assert importer.one("select address_status from public.properties") == "verified"
    importer.commit({**HOUSE, "address_line1": "2 Oak St"})
    [house] = importer.snapshot()["public.properties"]
    assert (house["address_status"], house["place_id"], house["latitude"]) == ("unverified", None, None)


def test_a_lease_of_several_units_stands_on_several_rows(importer: Importer) -> None:
    answer = importer.commit(
        {**LEASE, "notice_days": "45"},
        {
            **HOUSE,
            "unit_number": "1B",
            "lease_number": "L-1",
            "tenant_last_name": "Ray",
            "tenant_email": "bo@example.com",
        },
    )
    assert (answer["leases"], answer["units"], answer["tenants"]) == (
        counts(created=1), counts(created=2), counts(created=2),
    )  # fmt: skip
    made = importer.snapshot()
    assert len(made["public.lease_units"]) == 2
    assert sorted(row["role"] for row in made["public.lease_tenants"]) == ["co_tenant", "primary"]
    assert importer.one(
        """select t.last_name from public.lease_tenants as lt join public.tenants as t on t.id = lt.tenant_id
        where lt.role = 'primary'"""
    ) == "Lee"  # fmt: skip


def test_a_renter_without_an_address_is_found_by_name_on_the_same_lease_only(importer: Importer) -> None:
    row = {key: value for key, value in LEASE.items() if key != "tenant_email"}
    importer.commit(row)
    answer = importer.commit({**row, "tenant_email": "ann@example.com"})
    assert (answer["tenants"], answer["leases"]) == (counts(updated=1), counts(unchanged=1))
    answer = importer.commit({**row, "unit_number": "2A", "lease_number": "L-2"})
    assert answer["tenants"] == counts(created=1)


def test_a_draft_follows_the_file_until_it_begins(importer: Importer) -> None:
    importer.commit({**LEASE, "lease_status": "draft"})
    assert importer.one("select binding from public.lease_units") is False
    assert importer.one("select status from public.tenants") == "prospect"
    answer = importer.commit(
        {
            **LEASE,
            "lease_start": "2026-02-01",
            "lease_end": "2027-01-31",
            "rent_minor": "130000",
            "deposit_minor": "5000",
        }
    )
    assert (answer["leases"], answer["leases_activated"]) == (counts(updated=1), 0)
    assert importer.one("select status from public.leases") == "draft"
    assert str(importer.one("select possession from public.lease_units")) == "[2026-02-01, 2027-02-01)"

    answer = importer.commit(
        {
            "property_name": "Maple Court",
            "unit_number": "1A",
            "lease_number": "L-1",
            "lease_status": "active",
            "tenant_first_name": "Ann",
            "tenant_last_name": "Lee",
        }
    )
    assert (answer["leases"], answer["leases_activated"]) == (counts(updated=1), 1)
    made = importer.snapshot()
    [lease], [held] = made["public.leases"], made["public.lease_units"]
    assert (lease["status"], lease["starts_on"], held["binding"]) == ("active", "2026-02-01", True)
    assert [change["to_status"] for change in made["public.lease_status_changes"]].count("active") == 1
    assert len(made["private.lease_reminders"]) == 4
    rents = "select rent_minor from public.lease_terms where effective_on = '2026-02-01'"
    assert importer.one(rents) == 130000
    assert importer.one("select status from public.tenants") == "current"


def test_a_draft_needs_neither_renter_nor_rent(importer: Importer) -> None:
    answer = importer.commit(
        {**HOUSE, "lease_number": "L-1", "lease_start": "2026-01-01", "lease_status": "draft"}
    )
    assert (answer["leases"], answer["tenants"]) == (counts(created=1), counts())


def test_without_a_last_day_a_lease_runs_on_and_arms_nothing(importer: Importer) -> None:
    importer.commit({key: value for key, value in LEASE.items() if key != "lease_end"})
    assert importer.one("select upper_inf(possession) from public.lease_units") is True
    assert importer.one("select count(*) from private.lease_reminders") == 0


def test_with_one_error_nothing_at_all_is_written(importer: Importer) -> None:
    import_id = importer.staged(
        LEASE, {**LEASE, "unit_number": "1B", "lease_number": "L-2", "lease_start": "2027-01-01"}
    )
    with pytest.raises(Refused) as refused:
        importer.rpc("commit_import", {"import_id": import_id})
    assert (refused.value.status, refused.value.code) == (422, "import_has_errors")
    assert not any(importer.snapshot().values())
    assert importer.one("select status from public.imports") == "staged"


def test_a_commit_whose_answer_was_lost_is_told_again(importer: Importer) -> None:
    import_id = importer.staged(LEASE)
    first = importer.rpc("commit_import", {"import_id": import_id})
    before = importer.snapshot()
    assert importer.rpc("commit_import", {"import_id": import_id}) == first
    assert importer.rpc("check_import", {"import_id": import_id}) == {"errors": [], "changes": first}
    assert importer.snapshot() == before
    assert importer.one("select count(*) from private.import_rows") == 0
    assert importer.one("select result from public.imports") == first


def test_a_line_staged_again_replaces_itself(importer: Importer) -> None:
    import_id = importer.staged({**HOUSE, "unit_number": "wrong"})
    assert importer.stage(import_id, HOUSE, {**HOUSE, "unit_number": "1B"}) == 2
    importer.rpc("commit_import", {"import_id": import_id})
    assert [unit["unit_number"] for unit in importer.snapshot()["public.units"]].count("wrong") == 0


def test_what_would_change_is_told_before_it_does(importer: Importer) -> None:
    importer.commit(HOUSE)
    before = importer.snapshot()
    import_id = importer.staged(LEASE)
    told = importer.rpc("check_import", {"import_id": import_id})
    assert importer.snapshot() == before
    assert told == {"errors": [], "changes": importer.rpc("commit_import", {"import_id": import_id})}


def test_the_planner_knows_of_what_a_first_import_brought(importer: Importer, db: Db) -> None:
    importer.commit(*({**LEASE, "unit_number": str(n), "lease_number": f"L-{n}"} for n in range(30)))
    rows = db.execute(
        """select relname, reltuples from pg_class
        where relname in ('leases', 'units', 'lease_units') order by 1"""
    ).fetchall()
    assert rows == [("lease_units", 30), ("leases", 30), ("units", 30)]


def test_a_small_portfolio_known_to_the_planner_does_not_make_a_large_import_quadratic(
    importer: Importer,
) -> None:
    def rent_roll(first: int, rows: int) -> list[dict[str, str]]:
        return [
            {**HOUSE, "property_name": f"House {n // 25}", "unit_number": f"{n}", "lease_number": f"L-{n}",
             "lease_start": "2026-01-01", "lease_end": "2099-12-31", "rent_minor": "100000",
             "tenant_last_name": f"Lee {n}", "tenant_email": f"{n}@example.com"}
            for n in range(first, first + rows)
        ]  # fmt: skip

    # Plans are kept for as long as the connection is: those made now read tables of one page as a whole.
    for start in range(10):
        importer.commit(*rent_roll(start, 1))
    importer.db.execute("vacuum analyze")
    importer.commit(*rent_roll(10, 1))
    with importer.db.transaction():
        importer.commit(*rent_roll(100, 1000))
        read = dict(
            importer.db.execute(
                "select relname, seq_tup_read from pg_stat_xact_user_tables where schemaname <> 'auth'"
            ).fetchall()
        )
    assert {table: rows for table, rows in read.items() if rows > 100 * 1000} == {}
