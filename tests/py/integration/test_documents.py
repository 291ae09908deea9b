"""Documents: where they lie, what becomes of them, and who sees them."""

from __future__ import annotations

import uuid
from itertools import permutations
from typing import Any

import psycopg
import pytest

from tests.py.integration.meeting import value
from tests.py.integration.records import Records

Db = psycopg.Connection[Any]
STATUSES = ("pending_upload", "available", "archived")
ALLOWED = {("pending_upload", "available"), ("available", "archived"), ("archived", "available")}


@pytest.fixture
def records(db: Db) -> Records:
    return Records(db)


TAKEN = ["a", "leases/2026/L-1 (signed).pdf", "...", "a..b/.c", "!.*'()&$@=;:+,?_- a", "x" * 463]
# {w} is the workspace, {o} another.
REFUSED = [
    *("", "a", "/{w}/a", "{w}", "{w}/", "{w}//a", "{w}/a/", "{o}/a", "{w}{w}/a"),
    *("{w}/../{o}/a", "{w}/a/..", "{w}/./a", "{w}/.."),
    *("{w}/b\u00fcrger.pdf", "{w}/a\\b", "{w}/a%2e", "{w}/a\nb", "{w}/a\tb", "{w}/a\n", "{w}/" + "x" * 464),
]


def test_a_path_is_one_that_storage_takes_in_the_workspace_s_folder(records: Records) -> None:
    for name in TAKEN:
        path = f"{records.workspace_id}/{name}"
        document_id = records.document(storage_path=path)
        query = "select storage_path from public.documents where id = %s"
        assert value(records.db, query, document_id) == path
    for path in REFUSED:
        with pytest.raises(psycopg.errors.CheckViolation):
            records.document(storage_path=path.format(w=records.workspace_id, o=uuid.uuid4()))


def test_a_path_is_taken_once(records: Records) -> None:
    path = f"{records.workspace_id}/a"
    records.document(storage_path=path)
    with pytest.raises(psycopg.errors.UniqueViolation):
        records.document(storage_path=path)


def test_a_status_goes_along_its_edges(records: Records) -> None:
    document_id = records.document(stored="paper")
    for before, after in permutations(STATUSES, 2):
        with records.db.transaction():
            records.db.execute("set local session_replication_role = replica")
            records.db.execute("update public.documents set status = %s", (before,))
        move = "update public.documents set status = %s where id = %s returning status"
        if (before, after) in ALLOWED:
            assert records.run(move, after, document_id) == after
        else:
            with pytest.raises(psycopg.Error, match="document_status_refused"):
                records.run(move, after, document_id)


def test_nothing_is_added_as_if_it_were_there(records: Records) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        records.insert("documents", title="Paper", status="available")
    document_id = records.document()
    with pytest.raises(psycopg.errors.CheckViolation):
        records.run(
            "update public.documents set status = 'available' where id = %s returning id", document_id
        )


def test_what_is_stored_stays_what_it_is_whoever_writes(records: Records) -> None:
    document_id = records.document(stored="paper")
    for status in ("available", "archived"):
        records.db.execute("update public.documents set status = %s", (status,))
        for change in (
            "sha256 = repeat('f', 64)",
            "size_bytes = 1",
            "content_type = 'image/png'",
            "sha256 = null",
        ):
            statement = f"update public.documents set {change} where id = %s returning id"
            with pytest.raises(psycopg.Error, match="document_stored"):
                records.run(statement, document_id)
            with pytest.raises(psycopg.Error, match="document_stored"):
                records.db.execute(statement, (document_id,))


def test_a_file_s_name_is_no_path(records: Records) -> None:
    records.document(file_name="M\u00fcller lease.pdf")
    for file_name in ("a/b", "a\\b", "a\nb", "", "x" * 256):
        with pytest.raises(psycopg.errors.CheckViolation):
            records.document(file_name=file_name)


def test_what_it_named_may_vanish(records: Records) -> None:
    """The paper of a unit stays when the unit, the property, the vendor or the lease goes."""
    house = records.portfolio.building(2)
    draft = records.portfolio.draft_lease("L-2", house)
    vendor = records.insert("vendors", name="Pipes")
    inspection = records.inspection(property_id=house[0], unit_id=None, lease_id=None)
    paper: dict[str, Any] = {
        "property_id": house[0],
        "unit_id": house[1][0],
        "lease_id": draft,
        "vendor_id": vendor,
    }
    item = records.items(inspection)[0]
    of_unit = records.document(**paper, inspection_id=inspection, inspection_item_id=item)
    records.run("delete from public.inspection_items where id = %s returning id", item)
    assert named(records, of_unit) == {"property_id", "unit_id", "lease_id", "vendor_id", "inspection_id"}
    records.run("delete from public.vendors where id = %s returning id", vendor)
    records.run("delete from public.units where id = %s returning id", house[1][0])
    assert named(records, of_unit) == {"property_id", "lease_id", "inspection_id"}
    of_other = records.document(property_id=house[0], unit_id=house[1][1])
    records.run("delete from public.properties where id = %s returning id", house[0])
    assert named(records, of_unit) == named(records, of_other) == set()


def named(records: Records, document_id: uuid.UUID) -> set[str]:
    query = """select to_jsonb(d) from public.documents as d where id = %s"""
    row = value(records.db, query, document_id)
    keys = {name for name, held in row.items() if held is not None and name.endswith("_id")}
    return keys - {"workspace_id"}


def test_a_unit_or_an_item_comes_with_what_it_is_in(records: Records) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="a_unit_comes_with_its_property"):
        records.document(unit_id=records.unit_id)
    inspection = records.inspection()
    with pytest.raises(psycopg.errors.CheckViolation, match="an_item_comes_with_its_inspection"):
        records.document(inspection_item_id=records.items(inspection)[0])
    elsewhere = records.portfolio.building(1)[0]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        records.document(property_id=elsewhere, unit_id=records.unit_id)
    document_id = records.document(property_id=records.property_id, unit_id=records.unit_id)
    records.run("update public.documents set property_id = null where id = %s returning id", document_id)
    assert named(records, document_id) == set()


def test_what_a_document_names_most_closely_decides_who_sees_it(records: Records) -> None:
    """From the widest to the closest: adding one hides the document from who had it by the wider."""
    vendor_account = uuid.uuid4()
    records.portfolio.user(vendor_account, "vendor@example.com")
    vendor = records.insert("vendors", name="Pipes")
    records.db.execute("update public.vendors set user_id = %s", (vendor_account,))
    inspection = records.inspection()
    records.complete(inspection)
    request = records.insert(
        "maintenance_requests",
        property_id=records.property_id,
        lease_id=records.lease_id,
        title="Leak",
        shown_to_renter=True,
    )
    records.db.execute(
        "update public.maintenance_requests set assigned_vendor_id = %s, status = 'assigned'", (vendor,)
    )
    expense = records.run(
        "select (public.record_expense(%s, 'repairs', 1, '2026-01-01')).id", records.property_id
    )
    other = records.insert("tenants", last_name="Other")
    document_id = records.document(stored="paper", visible_to_renters=True, visible_to_vendors=True)
    steps = [
        ({"property_id": records.property_id}, "renter"),
        ({"unit_id": records.unit_id}, "renter"),
        ({"lease_id": records.lease_id}, "renter"),
        ({"inspection_id": inspection}, "renter"),
        ({"maintenance_request_id": request}, "renter and vendor"),
        ({"expense_id": expense}, "nobody"),
        ({"vendor_id": vendor}, "vendor"),
        ({"tenant_id": other}, "nobody"),
        ({"tenant_id": records.tenant_id}, "renter"),
    ]
    for change, expected in steps:
        ((column, target),) = change.items()
        records.run(
            f"update public.documents set {column} = %s where id = %s returning id", target, document_id
        )
        audience = {"renter": records.renter_id, "vendor": vendor_account}
        seeing = [who for who, person in audience.items() if document_id in records.seen_by(person)]
        assert (" and ".join(seeing) or "nobody") == expected, column


def test_a_document_is_shown_to_a_kind_of_people_each_by_itself(records: Records) -> None:
    document_id = records.document(stored="paper", lease_id=records.lease_id)
    for shown in (False, True, False):
        change = "update public.documents set visible_to_vendors = true, visible_to_renters = %s returning id"
        records.run(change, shown)
        assert (document_id in records.seen_by(records.renter_id)) is shown
    records.run("update public.documents set visible_to_renters = true returning id")
    records.run("update public.documents set status = 'archived' returning id")
    assert records.seen_by(records.renter_id) == set()


def test_the_papers_of_a_lease_outlast_it_and_those_of_the_house_do_not(records: Records) -> None:
    shown: dict[str, Any] = {"visible_to_renters": True, "stored": "paper"}
    rules = records.document(property_id=records.property_id, **shown)
    manual = records.document(property_id=records.property_id, unit_id=records.unit_id, **shown)
    contract = records.document(property_id=records.property_id, lease_id=records.lease_id, **shown)
    letter = records.document(tenant_id=records.tenant_id, **shown)
    assert records.seen_by(records.renter_id) == {rules, manual, contract, letter}
    records.run("select (public.end_lease(%s, current_date)).status", records.lease_id)
    assert records.seen_by(records.renter_id) == {contract, letter}
    records.db.execute("update public.tenants set user_id = null")
    assert records.seen_by(records.renter_id) == set()


def test_a_vendor_from_whom_the_work_is_taken_sees_its_papers_no_longer(records: Records) -> None:
    account = uuid.uuid4()
    records.portfolio.user(account, "vendor@example.com")
    vendor = records.insert("vendors", name="Pipes")
    records.db.execute("update public.vendors set user_id = %s", (account,))
    request = records.insert("maintenance_requests", property_id=records.property_id, title="Leak")
    plan = records.document(maintenance_request_id=request, visible_to_vendors=True, stored="plan")
    assert records.seen_by(account) == set()
    assign = "update public.maintenance_requests set assigned_vendor_id = %s, status = %s"
    records.db.execute(assign, (vendor, "assigned"))
    assert records.seen_by(account) == {plan}
    records.db.execute(assign, (None, "open"))
    assert records.seen_by(account) == set()
