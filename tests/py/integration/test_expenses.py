"""Expenses: recorded once, in the property's money, and never rewritten."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest

from tests.py.integration.meeting import acting, met, refused, value
from tests.py.integration.records import Records

Db = psycopg.Connection[Any]
MOST = 2**53 - 1
RECORD = """select (public.record_expense(%s, 'repairs', %s, %s, 'Tap', %s, unit_id => %s, vendor_id => %s,
    lease_id => %s, tenant_id => %s, maintenance_request_id => %s)).id"""
VOID = "select (public.void_expense(%s, %s)).void_reason"


@pytest.fixture
def records(db: Db) -> Records:
    return Records(db)


def record(records: Records, **changed: Any) -> uuid.UUID:
    """An expense of the owner's; `key` is its idempotency key."""
    given = {
        "property_id": records.property_id,
        "amount_minor": 12_500,
        "incurred_on": date(2026, 1, 15),
        "currency": None,
        "unit_id": None,
        "vendor_id": None,
        "lease_id": None,
        "tenant_id": None,
        "maintenance_request_id": None,
        "key": "",
        **changed,
    }
    key = str(given.pop("key"))
    recorded = records.run(RECORD, *given.values(), key=key)
    assert isinstance(recorded, uuid.UUID)
    return recorded


def count(records: Records) -> int:
    return int(value(records.db, "select count(*) from public.expenses"))


def refusal(records: Records, **changed: Any) -> str:
    """What is said of an expense that is not recorded."""
    before = count(records)
    with pytest.raises(psycopg.Error) as refused_with:
        record(records, **changed)
    assert count(records) == before
    return str(refused_with.value)


def test_an_expense_is_in_the_property_s_money(records: Records) -> None:
    assert "currency_mismatch" in refusal(records, currency="EUR")
    expense_id = record(records, currency="USD")
    query = "select currency from public.expenses where id = %s"
    assert value(records.db, query, expense_id) == "USD"


def test_nor_can_any_writer_make_it_another(records: Records) -> None:
    """The key from expenses to properties holds the currency."""
    record(records)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        records.db.execute(
            """insert into public.expenses (workspace_id, property_id, category, amount_minor, currency,
            incurred_on) values (%s, %s, 'repairs', 1, 'EUR', '2026-01-01')""",
            (records.workspace_id, records.property_id),
        )
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        records.run(
            "update public.properties set currency = 'EUR' where id = %s returning id", records.property_id
        )
    other = records.portfolio.building(1)[0]
    records.run("update public.properties set currency = 'EUR' where id = %s returning id", other)
    record(records, property_id=other, currency="EUR")


def test_a_currency_changed_while_an_expense_is_recorded(records: Records, database: str) -> None:
    """Whichever comes second is refused: there is never an expense in money that isn't the property's."""
    house = records.portfolio.building(1)[0]
    change = acting(
        records.owner_id, "update public.properties set currency = 'EUR' where id = %s returning id", house
    )
    spend = acting(
        records.owner_id,
        "select (public.record_expense(%s, 'repairs', 1, '2026-01-01')).currency",
        house,
        **{"idempotency-key": "k"},
    )
    assert isinstance(met(records.portfolio, database, spend, change), psycopg.errors.ForeignKeyViolation)
    other = records.portfolio.building(1)[0]
    change = acting(
        records.owner_id, "update public.properties set currency = 'EUR' where id = %s returning id", other
    )
    spend = acting(
        records.owner_id,
        "select (public.record_expense(%s, 'repairs', 1, '2026-01-01')).currency",
        other,
        **{"idempotency-key": "l"},
    )
    assert isinstance(met(records.portfolio, database, change, spend), psycopg.errors.ForeignKeyViolation)


def test_an_amount_is_some_and_javascript_can_count_it(records: Records) -> None:
    for amount in (1, -1, MOST, -MOST):
        record(records, amount_minor=amount)
    for none in (0, MOST + 1, -MOST - 1, None):
        assert "amount_minor" in refusal(records, amount_minor=none)
    assert "bigint out of range" in refusal(records, amount_minor=-(2**63))


def test_it_is_not_recorded_before_its_day_has_come_at_the_property(records: Records) -> None:
    """In New York it is still the 14th at four in the morning of the 15th, UTC."""
    call = """select (private.record_expense(
        %s, 'repairs', 1, %s, '', null, null, null, null, null, null, %s
    )).id"""
    early = datetime(2026, 1, 15, 4, tzinfo=UTC)
    with pytest.raises(psycopg.Error, match="incurred_ahead"):
        records.run(call, records.property_id, date(2026, 1, 15), early)
    records.run(call, records.property_id, date(2026, 1, 14), early)
    records.run(call, records.property_id, date(2026, 1, 15), datetime(2026, 1, 15, 6, tzinfo=UTC))


def test_whom_it_can_be_billed_to(records: Records) -> None:
    billed = {"lease_id": records.lease_id, "tenant_id": records.tenant_id}
    record(records, **billed)
    record(records, lease_id=records.lease_id)
    assert "renter_not_billable" in refusal(records, tenant_id=records.tenant_id)
    occupant = records.insert("tenants", last_name="Occupant")
    records.run(
        "insert into public.lease_tenants (workspace_id, lease_id, tenant_id, role)"
        " values (%s, %s, %s, 'occupant') returning role",
        records.workspace_id,
        records.lease_id,
        occupant,
    )
    assert "renter_not_billable" in refusal(records, lease_id=records.lease_id, tenant_id=occupant)
    elsewhere = records.portfolio.building(1)
    draft = records.portfolio.draft_lease("L-2", elsewhere)
    assert "lease_not_billable" in refusal(records, property_id=elsewhere[0], lease_id=draft)
    assert "expenses_workspace_id_property_id_lease_id_fkey" in refusal(
        records, property_id=elsewhere[0], lease_id=records.lease_id
    )


def test_the_request_that_it_paid_for_is_of_the_same_property(records: Records) -> None:
    request = records.insert("maintenance_requests", property_id=records.property_id, title="Leak")
    record(records, maintenance_request_id=request)
    elsewhere = records.portfolio.building(1)[0]
    assert "request_elsewhere" in refusal(records, property_id=elsewhere, maintenance_request_id=request)


def test_a_repeated_call_records_it_once(records: Records) -> None:
    first = record(records, key="k")
    assert record(records, key="k") == first
    assert "idempotency_key_reused" in refusal(records, key="k", amount_minor=1)
    assert "idempotency_key_required" in refusal(records, key="x" * 256)
    assert count(records) == 1


def test_two_repeated_calls_at_once_record_it_once(records: Records, database: str) -> None:
    answers: list[Any] = []
    spend = acting(
        records.owner_id,
        "select (public.record_expense(%s, 'repairs', 1, '2026-01-01')).id",
        records.property_id,
        **{"idempotency-key": "k"},
    )
    outcome = met(records.portfolio, database, lambda db: answers.append(spend(db)), spend)
    assert [outcome] == answers
    assert count(records) == 1


def test_two_who_void_it_at_once(records: Records, database: str) -> None:
    expense_id = record(records)
    void = acting(records.owner_id, VOID, expense_id, "Twice")
    assert "expense_void" in refused(met(records.portfolio, database, void, void))


def test_a_void_needs_a_reason(records: Records) -> None:
    expense_id = record(records)
    for reason in ("", " ", None):
        with pytest.raises(psycopg.Error, match="reason_required"):
            records.run(VOID, expense_id, reason)
    assert records.run(VOID, expense_id, " Twice ") == "Twice"


FIXED = [
    "amount_minor = 1",
    "currency = 'EUR'",
    "incurred_on = '2026-01-01'",
    "property_id = gen_random_uuid()",
    "unit_id = '{u}'",
    "lease_id = '{l}', tenant_id = '{t}'",
    "vendor_id = '{v}'",
    "recorded_by = '{r}'",
    "recorded_at = now()",
]
FILED = ["category = 'fees'", "description = 'x'"]
OF_A_VOID = [
    "voided_at = null, void_reason = null, voided_by = null",
    "void_reason = 'x'",
    "voided_by = '{r}'",
]


def test_no_writer_rewrites_it(records: Records) -> None:
    expense_id = record(records)
    names = {
        "u": records.unit_id,
        "l": records.lease_id,
        "t": records.tenant_id,
        "v": records.insert("vendors", name="Pipes"),
        "r": records.renter_id,
    }

    def attempt(change: str) -> str | None:
        try:
            records.db.execute(
                f"update public.expenses set {change.format(**names)} where id = %s", (expense_id,)
            )
        except psycopg.Error as error:
            return str(error)
        return None

    assert [change for change in FIXED if "expense_recorded" not in str(attempt(change))] == []
    assert [change for change in FILED if attempt(change)] == []
    records.run(VOID, expense_id, "Twice")
    assert [change for change in FIXED if "expense_recorded" not in str(attempt(change))] == []
    assert [
        change
        for change in (*OF_A_VOID, "category = 'taxes'", "description = 'y'")
        if "expense_void" not in str(attempt(change))
    ] == []
    for deletion in ("public.expenses", f"public.properties where id = '{records.property_id}'"):
        with pytest.raises(psycopg.Error, match=r"expense_recorded|lease_has_begun"):
            records.db.execute(f"delete from {deletion}")


def test_what_it_refers_to_may_vanish(records: Records) -> None:
    """A vendor, a unit, the account of whoever recorded and voided it: the expense stays."""
    house = records.portfolio.building(1)
    vendor = records.insert("vendors", name="Pipes")
    accountant = records.member("accountant")
    expense_id = records.run(
        RECORD, house[0], 1, "2026-01-01", None, house[1][0], vendor, None, None, None, by=accountant
    )
    records.run(VOID, expense_id, "Twice", by=accountant)
    records.run("delete from public.vendors where id = %s returning id", vendor)
    records.run("delete from public.units where id = %s returning id", house[1][0])
    records.db.execute("delete from auth.users where id = %s", (accountant,))
    row = records.db.execute(
        """select property_id, unit_id, vendor_id, recorded_by, voided_by, void_reason
        from public.expenses where id = %s""",
        (expense_id,),
    ).fetchone()
    assert row == (house[0], None, None, None, None, "Twice")
    with pytest.raises(psycopg.Error, match="expense_recorded"):
        records.run("delete from public.properties where id = %s returning id", house[0])


def test_the_receipt_names_the_expense(records: Records) -> None:
    expense_id = record(records)
    receipt = records.document(document_type="receipt", expense_id=expense_id, stored="receipt")
    query = "select attached_to from public.documents where id = %s"
    assert value(records.db, query, receipt) == expense_id
