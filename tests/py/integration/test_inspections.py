"""Inspections: a draft is free, a completed one is as it was found, and a signature says of what."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import psycopg
import pytest

from tests.py.integration.meeting import acting, met, refused, value
from tests.py.integration.records import Records

Db = psycopg.Connection[Any]
COMPLETE = "select (public.complete_inspection(%s)).content_digest"
SIGN = "select (public.sign_inspection(%s, %s, %s, %s)).id"


@pytest.fixture
def records(db: Db) -> Records:
    return Records(db)


def fingerprint(records: Records, inspection_id: uuid.UUID) -> str:
    """Every column of the inspection, its items and their photos."""
    query = """
        select md5(concat(
            (select to_jsonb(i) from public.inspections as i where i.id = %(id)s),
            (select jsonb_agg(to_jsonb(i) order by i.id) from public.inspection_items as i
            where i.inspection_id = %(id)s),
            (select jsonb_agg(to_jsonb(d) - '{title, updated_at}'::text[] order by d.id)
            from public.documents as d where d.inspection_id = %(id)s and d.inspection_item_id is not null)
        ))
    """
    row = records.db.execute(query, {"id": inspection_id}).fetchone()
    assert row is not None
    return str(row[0])


# What anybody might write to a completed inspection {i}, its items {s} and {t}, and the photo {p} of that,
# or around it.
WRITES = [
    "update public.inspections set notes = 'x' where id = '{i}'",
    "update public.inspections set status = 'draft', completed_at = null, content_digest = null"
    " where id = '{i}'",
    "update public.inspections set content_digest = repeat('f', 64) where id = '{i}'",
    "update public.inspections set inspector_id = null where id = '{i}'",
    "update public.inspections set lease_id = gen_random_uuid() where id = '{i}'",
    "update public.inspections set id = gen_random_uuid() where id = '{i}'",
    "delete from public.inspections where id = '{i}'",
    "update public.inspection_items set condition = 'damaged' where id = '{t}'",
    "update public.inspection_items set position = 99 where id = '{t}'",
    "update public.inspection_items set inspection_id = '{d}' where id = '{s}'",
    "update public.inspection_items set inspection_id = '{i}' where inspection_id = '{d}'",
    "delete from public.inspection_items where id = '{t}'",
    "insert into public.inspection_items (workspace_id, inspection_id, room, item)"
    " values ('{w}', '{i}', 'x', 'x')",
    "update public.documents set inspection_item_id = null where id = '{p}'",
    "update public.documents set inspection_id = '{d}', inspection_item_id = null where id = '{p}'",
    "update public.documents set sha256 = repeat('f', 64) where id = '{p}'",
    "update public.documents set storage_path = '{w}/other' where id = '{p}'",
    "delete from public.documents where id = '{p}'",
    "insert into public.documents (workspace_id, title, inspection_id, inspection_item_id)"
    " values ('{w}', 'x', '{i}', '{t}')",
    "update public.documents set inspection_id = '{i}', inspection_item_id = '{t}' where id = '{o}'",
    "delete from public.properties where id = '{b}'",
    "delete from public.units where id = '{u}'",
]


@pytest.mark.parametrize("role", ["postgres", "owner"])
def test_nothing_of_a_completed_inspection_changes_whoever_writes(records: Records, role: str) -> None:
    empty = records.portfolio.building(1)
    inspection_id = records.inspection(
        property_id=empty[0], unit_id=empty[1][0], lease_id=None, inspector_id=records.owner_id
    )
    draft = records.inspection()
    item, second = records.items(inspection_id)
    photo = records.document(inspection_id=inspection_id, inspection_item_id=item, stored="oven")
    other = records.document(stored="other")
    records.complete(inspection_id)
    before = fingerprint(records, inspection_id)
    names = {
        "i": inspection_id,
        "t": item,
        "s": second,
        "p": photo,
        "d": draft,
        "o": other,
        "w": records.workspace_id,
        "b": empty[0],
        "u": empty[1][0],
    }
    for write in WRITES:
        statement = write.format(**names)
        with pytest.raises(psycopg.Error) as refusal:
            if role == "postgres":
                records.db.execute(statement)
            else:
                records.run(f"{statement} returning 1")
        told = str(refusal.value)
        codes = ("inspection_completed", "document_stored", "permission denied")
        assert any(code in told for code in codes), (statement, told)
        assert fingerprint(records, inspection_id) == before, statement
    if role == "postgres":
        return
    # What does no harm still works: its paper gets another title, and its inspector may leave.
    records.run("update public.documents set title = 'Oven' where id = %s returning 1", photo)
    assert fingerprint(records, inspection_id) == before


def test_who_inspected_may_leave_and_who_completed_may_delete_their_account(records: Records) -> None:
    inspector = records.member("manager")
    inspection_id = records.inspection(inspector_id=inspector)
    digest = str(records.run(COMPLETE, inspection_id, by=inspector))
    signed = records.run(SIGN, inspection_id, "landlord", "Ina Inspector", digest, by=inspector)
    records.db.execute("delete from auth.users where id = %s", (inspector,))
    row = records.db.execute(
        "select inspector_id, completed_by, content_digest from public.inspections where id = %s",
        (inspection_id,),
    ).fetchone()
    assert row == (None, None, digest)
    query = "select (user_id is null, signer_name)::text from public.inspection_signatures where id = %s"
    assert value(records.db, query, signed) == '(t,"Ina Inspector")'
    assert digest_of(records, inspection_id) == digest


def digest_of(records: Records, inspection_id: uuid.UUID, by: uuid.UUID | None = None) -> str:
    text = records.run("select public.inspection_content(%s)", inspection_id, by=by)
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_digest_is_of_what_the_inspection_says(records: Records) -> None:
    inspection_id = records.inspection(
        items=0, notes="Bright, dry; \u00e9t\u00e9", performed_at="2026-01-02T12:00:00-05:00"
    )
    records.item(inspection_id, item="Walls", condition="fair", note='A "stain"', position=2)
    oven = records.item(inspection_id, item="Oven", position=1)
    for stored in ("b", "a"):
        records.document(inspection_id=inspection_id, inspection_item_id=oven, stored=stored)
    records.document(inspection_id=inspection_id, stored="the signed paper is no photo")
    digest = records.complete(inspection_id)
    for person in (records.owner_id, records.renter_id):
        for zone in ("UTC", "Asia/Tokyo"):
            records.db.execute("select set_config('timezone', %s, false)", (zone,))
            assert digest_of(records, inspection_id, by=person) == digest
    said = json.loads(records.run("select public.inspection_content(%s)", inspection_id))
    photos = sorted(hashlib.sha256(stored.encode()).hexdigest() for stored in "ab")
    assert said == {
        "version": 1,
        "inspection_id": str(inspection_id),
        "workspace_id": str(records.workspace_id),
        "property_id": str(records.property_id),
        "unit_id": str(records.unit_id),
        "lease_id": str(records.lease_id),
        "inspection_type": "move_in",
        "title": "Move-in",
        "performed_at": "2026-01-02T17:00:00.000000Z",
        "notes": "Bright, dry; \u00e9t\u00e9",
        "items": [
            {"room": "Kitchen", "item": "Oven", "condition": "good", "note": None, "photos": photos},
            {"room": "Kitchen", "item": "Walls", "condition": "fair", "note": 'A "stain"', "photos": []},
        ],
    }


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        ("delete from public.inspection_items where inspection_id = %s", "has no items"),
        (
            "update public.inspection_items set condition = null where inspection_id = %s",
            "Kitchen, Item 0; Kitchen, Item 1",
        ),
        ("update public.inspections set performed_at = now() + interval '1 day' where id = %s", "lies ahead"),
        (
            """insert into public.documents (workspace_id, title, inspection_id, inspection_item_id)
            select workspace_id, 'Photo', inspection_id, id from public.inspection_items
            where inspection_id = %s""",
            "still being uploaded",
        ),
    ],
)
def test_an_inspection_that_lacks_something_is_not_completed(
    records: Records, lacking: str, told: str
) -> None:
    inspection_id = records.inspection()
    records.db.execute(lacking, (inspection_id,))
    with pytest.raises(psycopg.Error) as refusal:
        records.complete(inspection_id)
    assert "inspection_incomplete" in str(refusal.value)
    assert told in str(refusal.value)
    assert value(records.db, "select status from public.inspections where id = %s", inspection_id) == "draft"


def test_two_who_complete_it_at_once(records: Records, database: str) -> None:
    inspection_id = records.inspection()
    complete = acting(records.owner_id, COMPLETE, inspection_id)
    assert "inspection_completed" in refused(met(records.portfolio, database, complete, complete))


def test_an_item_added_while_it_is_completed_waits_and_stays_out(records: Records, database: str) -> None:
    inspection_id = records.inspection()
    add = acting(
        records.owner_id,
        """insert into public.inspection_items (workspace_id, inspection_id, room, item)
        values (%s, %s, 'Hall', 'Lamp') returning id""",
        records.workspace_id,
        inspection_id,
    )
    outcome = met(records.portfolio, database, acting(records.owner_id, COMPLETE, inspection_id), add)
    assert "inspection_completed" in refused(outcome)


@pytest.mark.parametrize(
    "write",
    [
        "update public.inspection_items set condition = 'damaged' where id = %s returning id",
        "delete from public.inspection_items where id = %s returning id",
    ],
)
def test_an_item_changed_while_it_is_completed_stays_as_the_digest_has_it(
    records: Records, database: str, write: str
) -> None:
    inspection_id = records.inspection()
    (item, _) = records.items(inspection_id)
    with psycopg.connect(database) as completing:
        digest = acting(records.owner_id, COMPLETE, inspection_id)(completing)
        with pytest.raises(psycopg.Error) as refusal:
            records.run(write, item)
        assert "inspection_busy" in str(refusal.value)
    assert digest_of(records, inspection_id) == digest


def test_a_completion_waits_for_an_item_under_way_and_has_it(records: Records, database: str) -> None:
    inspection_id = records.inspection()
    (item, _) = records.items(inspection_id)
    change = acting(
        records.owner_id,
        "update public.inspection_items set note = 'Seen at last' where id = %s returning id",
        item,
    )
    digest = met(records.portfolio, database, change, acting(records.owner_id, COMPLETE, inspection_id))
    assert "Seen at last" in records.run("select public.inspection_content(%s)", inspection_id)
    assert digest_of(records, inspection_id) == digest


def test_a_draft_deleted_while_its_item_is_changed_never_deadlocks(records: Records, database: str) -> None:
    inspection_id = records.inspection()
    (item, _) = records.items(inspection_id)
    delete = acting(
        records.owner_id, "delete from public.inspections where id = %s returning id", inspection_id
    )
    change = acting(
        records.owner_id, "update public.inspection_items set note = 'x' where id = %s returning id", item
    )
    assert met(records.portfolio, database, delete, change) is None
    assert records.items(inspection_id) == []


def test_a_draft_deleted_while_it_is_completed(records: Records, database: str) -> None:
    inspection_id = records.inspection()
    delete = acting(
        records.owner_id, "delete from public.inspections where id = %s returning id", inspection_id
    )
    outcome = met(records.portfolio, database, delete, acting(records.owner_id, COMPLETE, inspection_id))
    assert "inspection_not_found" in refused(outcome)


def test_one_saves_the_notes_while_another_saves_an_item(records: Records, database: str) -> None:
    inspection_id = records.inspection()
    (item, _) = records.items(inspection_id)
    with psycopg.connect(database) as noting:
        noting.execute("update public.inspections set notes = 'Bright' where id = %s", (inspection_id,))
        records.run("update public.inspection_items set note = 'Clean' where id = %s returning id", item)
        records.item(inspection_id, item="Lamp")
    said = records.run("select public.inspection_content(%s)", inspection_id)
    assert "Bright" in said and "Clean" in said and "Lamp" in said


def test_a_photo_added_while_it_is_completed_waits_and_stays_out(records: Records, database: str) -> None:
    inspection_id = records.inspection()
    (item, _) = records.items(inspection_id)
    add = acting(
        records.owner_id,
        """insert into public.documents (workspace_id, title, inspection_id, inspection_item_id)
        values (%s, 'Photo', %s, %s) returning id""",
        records.workspace_id,
        inspection_id,
        item,
    )
    outcome = met(records.portfolio, database, acting(records.owner_id, COMPLETE, inspection_id), add)
    assert "inspection_completed" in refused(outcome)


def test_a_photo_taken_off_while_it_is_completed(records: Records, database: str) -> None:
    inspection_id = records.inspection()
    (item, _) = records.items(inspection_id)
    photo = records.document(inspection_id=inspection_id, inspection_item_id=item, stored="oven")
    with psycopg.connect(database) as completing:
        digest = acting(records.owner_id, COMPLETE, inspection_id)(completing)
        with pytest.raises(psycopg.Error) as refusal:
            records.run("delete from public.documents where id = %s returning id", photo)
        assert "inspection_busy" in str(refusal.value)
    assert digest_of(records, inspection_id) == digest


def test_one_renter_who_signs_twice_at_once(records: Records, database: str) -> None:
    inspection_id = records.inspection()
    digest = records.complete(inspection_id)
    sign = acting(records.renter_id, SIGN, inspection_id, "renter", "Rae Renter", digest)
    assert "inspection_signed" in refused(met(records.portfolio, database, sign, sign))
    assert value(records.db, "select count(*) from public.inspection_signatures") == 1


def test_several_members_and_the_renter_each_sign_once(records: Records) -> None:
    inspection_id = records.inspection()
    digest = records.complete(inspection_id)
    manager = records.member("manager")
    for person, capacity in (
        (records.owner_id, "landlord"),
        (manager, "landlord"),
        (records.renter_id, "renter"),
    ):
        records.run(SIGN, inspection_id, capacity, "Somebody", digest, by=person)
        with pytest.raises(psycopg.Error, match="inspection_signed"):
            records.run(SIGN, inspection_id, capacity, "Somebody", digest, by=person)
    query = "select array_agg(signed_as order by signed_as) from public.inspection_signatures"
    assert value(records.db, query) == ["landlord", "landlord", "renter"]
    for write in (
        "update public.inspection_signatures set remarks = 'x'",
        "delete from public.inspection_signatures",
    ):
        with pytest.raises(psycopg.Error, match="signature_given"):
            records.db.execute(write)


def test_a_renter_reads_and_signs_after_the_lease_has_ended(records: Records) -> None:
    inspection_id = records.inspection(inspection_type="move_out", title="Move-out")
    digest = records.complete(inspection_id)
    records.run("select (public.end_lease(%s, current_date)).status", records.lease_id)
    assert records.seen_by(records.renter_id, "inspections") == {inspection_id}
    assert len(records.seen_by(records.renter_id, "inspection_items")) == 2
    assert digest_of(records, inspection_id, by=records.renter_id) == digest
    records.run(SIGN, inspection_id, "renter", "Rae Renter", digest, by=records.renter_id)
    # Until their access is taken away.
    records.db.execute("update public.tenants set user_id = null")
    assert records.seen_by(records.renter_id, "inspections") == set()
    with pytest.raises(psycopg.Error, match="inspection_not_found"):
        digest_of(records, inspection_id, by=records.renter_id)


def test_a_template_changed_later_changes_no_inspection(records: Records) -> None:
    template = records.insert("inspection_templates", name="Move-in", inspection_type="move_in")
    for position, item in enumerate(("Oven", "Walls")):
        records.insert(
            "inspection_template_items", template_id=template, room="Kitchen", item=item, position=position
        )
    start = "select (public.start_inspection(%s, %s, %s, %s)).id"
    inspection_id = records.run(start, template, records.property_id, records.unit_id, records.lease_id)
    records.run("delete from public.inspection_templates where id = %s returning id", template)
    query = "select array_agg(item order by position) from public.inspection_items where inspection_id = %s"
    assert value(records.db, query, inspection_id) == ["Oven", "Walls"]
    with pytest.raises(psycopg.Error, match="inspection_template_not_found"):
        records.run(start, template, records.property_id, None, None)


def test_nothing_starts_from_an_archived_template(records: Records) -> None:
    template = records.insert("inspection_templates", name="Old", status="archived")
    with pytest.raises(psycopg.Error, match="inspection_template_archived"):
        records.run("select (public.start_inspection(%s, %s)).id", template, records.property_id)


def test_a_workspace_goes_with_its_completed_inspections(db: Db) -> None:
    """Unless a lease that has begun keeps it; here none does."""
    records = Records(db)
    empty = records.portfolio.building(1)
    inspection_id = records.inspection(property_id=empty[0], unit_id=empty[1][0], lease_id=None)
    (item, _) = records.items(inspection_id)
    records.document(inspection_id=inspection_id, inspection_item_id=item, stored="oven")
    digest = records.complete(inspection_id)
    records.run(SIGN, inspection_id, "landlord", "Olga Owner", digest)
    with pytest.raises(psycopg.Error, match="lease_has_begun"):
        db.execute("delete from public.workspaces")
    with db.transaction():
        db.execute("set local session_replication_role = replica")
        for table in ("lease_units", "lease_tenants", "lease_terms", "lease_status_changes", "leases"):
            db.execute(f"delete from public.{table}")
    db.execute("delete from public.workspaces")
    for table in ("inspections", "inspection_items", "inspection_signatures", "documents"):
        assert value(db, f"select count(*) from public.{table}") == 0, table
