"""The change log: every change is recorded, once, with who did it; what is no change is not."""

from __future__ import annotations

import uuid
from typing import Any

import psycopg
import pytest

from tests.py.integration.meeting import acting, value
from tests.py.integration.portfolio import Portfolio

Db = psycopg.Connection[Any]


@pytest.fixture
def portfolio(db: Db) -> Portfolio:
    db.autocommit = True
    return Portfolio(db)


def since(db: Db, last: int, columns: str = "entity, operation") -> list[Any]:
    """What was recorded after the entry `last`, oldest first."""
    rows = db.execute(
        f"select {columns} from public.audit_entries where id > %s order by id".encode(), (last,)
    ).fetchall()
    return [row[0] if len(row) == 1 else row for row in rows]


def last(db: Db) -> int:
    return int(value(db, "select coalesce(max(id), 0) from public.audit_entries"))


def tenant(portfolio: Portfolio, **columns: Any) -> uuid.UUID:
    tenant_id = uuid.uuid4()
    columns = {"id": tenant_id, "workspace_id": portfolio.workspace_id, "last_name": "Renter", **columns}
    names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
    portfolio.db.execute(
        f"insert into public.tenants ({names}) values ({marks})".encode(), list(columns.values())
    )
    return tenant_id


def test_an_insert_an_update_and_a_delete_are_told_in_full(portfolio: Portfolio) -> None:
    db, start = portfolio.db, last(portfolio.db)
    tenant_id = tenant(portfolio, email="rae@example.com")
    db.execute("update public.tenants set phone = '555-0100', status = 'former'")
    db.execute("delete from public.tenants")
    assert since(db, start, "operation, entity_id, before ->> 'status', after ->> 'status'") == [
        ("insert", str(tenant_id), None, "current"),
        ("update", str(tenant_id), "current", "former"),
        ("delete", str(tenant_id), "former", None),
    ]
    personal = db.execute(
        "select before, after from public.audit_values where entry_id > %s order by entry_id", (start,)
    )
    everything = {"first_name": "", "last_name": "Renter", "email": "rae@example.com", "phone": None}
    assert personal.fetchall() == [
        (None, everything),
        ({"phone": None}, {"phone": "555-0100"}),
        ({**everything, "phone": "555-0100"}, None),
    ]


def test_an_entry_holds_no_personal_value_but_a_digest_that_fits(portfolio: Portfolio) -> None:
    start = last(portfolio.db)
    tenant(portfolio, first_name="Rae", email="rae@example.com")
    portfolio.db.execute("update public.tenants set email = 'new@example.com'")
    (insert, update) = since(portfolio.db, start, "concat_ws(' ', before, after)")
    assert "example.com" not in insert + update and "Rae" not in insert
    fits = portfolio.db.execute(
        """select
            e.personal_digest = sha256(convert_to(jsonb_build_array(v.salt, v.before, v.after)::text, 'UTF8'))
        from public.audit_entries as e
        join public.audit_values as v on v.workspace_id = e.workspace_id and v.entry_id = e.id
        where e.id > %s""",
        (start,),
    )
    assert fits.fetchall() == [(True,), (True,)]


def test_what_changes_nothing_is_not_recorded(portfolio: Portfolio) -> None:
    portfolio.building(2)
    start = last(portfolio.db)
    portfolio.db.execute("update public.units set unit_number = unit_number")
    portfolio.db.execute("update public.units set bedrooms = 1 where false")
    portfolio.db.execute("delete from public.units where false")
    assert since(portfolio.db, start) == []


def test_a_statement_of_many_rows_leaves_an_entry_for_each(portfolio: Portfolio) -> None:
    _, units = portfolio.building(3)
    portfolio.db.execute("update public.units set bedrooms = 2 where unit_number = '0'")
    start = last(portfolio.db)
    portfolio.db.execute("update public.units set bedrooms = 2")
    assert sorted(since(portfolio.db, start, "entity_id")) == sorted(str(unit) for unit in units[1:])


def test_an_upsert_is_recorded_as_what_it_came_to(portfolio: Portfolio) -> None:
    building = portfolio.building(1)
    start = last(portfolio.db)
    portfolio.db.execute(
        """insert into public.units (id, workspace_id, property_id, unit_number)
        values (%s, %s, %s, 'A'), (%s, %s, %s, 'B')
        on conflict (id) do update set unit_number = excluded.unit_number""",
        (
            building[1][0],
            portfolio.workspace_id,
            building[0],
            uuid.uuid4(),
            portfolio.workspace_id,
            building[0],
        ),
    )
    assert sorted(since(portfolio.db, start)) == [("units", "insert"), ("units", "update")]


def test_rows_that_go_with_others_are_recorded_too(portfolio: Portfolio) -> None:
    portfolio.draft_lease("L-1", portfolio.building(2))
    start = last(portfolio.db)
    portfolio.db.execute("delete from public.properties")
    recorded = since(portfolio.db, start)
    assert {operation for _, operation in recorded} == {"delete"}
    entities = [entity for entity, _ in recorded]
    assert {name: entities.count(name) for name in entities} == {
        "properties": 1,
        "units": 2,
        "leases": 1,
        "lease_units": 2,
        "lease_tenants": 1,
        "lease_terms": 1,
        "lease_status_changes": 1,
    }


def test_the_log_outlives_its_workspace(portfolio: Portfolio) -> None:
    portfolio.building(1)
    start = last(portfolio.db)
    portfolio.db.execute("delete from public.workspaces")
    assert set(since(portfolio.db, start)) == {
        (entity, "delete") for entity in ("workspaces", "workspace_members", "properties", "units")
    }


def test_a_row_whose_key_changes_goes_and_comes(portfolio: Portfolio) -> None:
    (_, (unit_id,)) = portfolio.building(1)
    start, new_id = last(portfolio.db), uuid.uuid4()
    portfolio.db.execute("update public.units set id = %s", (new_id,))
    assert sorted(since(portfolio.db, start, "operation, entity_id")) == [
        ("delete", str(unit_id)),
        ("insert", str(new_id)),
    ]


def test_a_key_of_several_columns_is_told_in_its_order(portfolio: Portfolio) -> None:
    start = last(portfolio.db)
    lease_id = portfolio.draft_lease("L-1", portfolio.building(1))
    tenant_id = value(portfolio.db, "select tenant_id from public.lease_tenants")
    told = "entity_id || case entity when 'lease_tenants' then '' else '?' end"
    assert f"{lease_id}/{tenant_id}" in since(portfolio.db, start, told)
    assert value(
        portfolio.db, "select entity_id from public.audit_entries where entity = 'workspace_members'"
    ) == str(portfolio.owner_id)


def test_an_entry_says_who_did_it_and_in_which_request(portfolio: Portfolio) -> None:
    db, start = portfolio.db, last(portfolio.db)
    rename = "update public.workspaces set name = %s where id = %s returning name"
    with db.transaction():
        db.execute("select set_config('freehold.request_id', 'request-0001', true)")
        acting(portfolio.owner_id, rename, "Oak", portfolio.workspace_id)(db)
    with db.transaction():
        db.execute("""select set_config('request.jwt.claims', '{"role": "worker", "sub": "mailer"}', true)""")
        db.execute(rename.encode(), ("Ash", portfolio.workspace_id))
    db.execute(rename.encode(), ("Fir", portfolio.workspace_id))
    assert since(db, start, "actor_id, actor_role, request_id, after ->> 'name'") == [
        (portfolio.owner_id, "authenticated", "request-0001", "Oak"),
        (None, "worker", None, "Ash"),
        (None, "postgres", None, "Fir"),
    ]


def test_changes_of_one_transaction_share_its_id(portfolio: Portfolio) -> None:
    start = last(portfolio.db)
    with portfolio.db.transaction():
        portfolio.building(1)
        with portfolio.db.transaction():
            tenant(portfolio)
    portfolio.building(1)
    ids = since(portfolio.db, start, "transaction_id::text")
    assert ids[0] == ids[1] == ids[2] != ids[3]


def test_times_are_kept_in_utc_whatever_the_caller_s_zone(portfolio: Portfolio) -> None:
    portfolio.db.execute("set timezone = 'Asia/Tokyo'")
    start = last(portfolio.db)
    portfolio.building(1)
    assert all(at.endswith("+00:00") for at in since(portfolio.db, start, "after ->> 'created_at'"))


def test_secrets_are_recorded_as_changed_and_never_kept(portfolio: Portfolio) -> None:
    db = portfolio.db
    db.execute("create table public.locks (id uuid primary key, workspace_id uuid, code text, label text)")
    for name, event, tables in (
        ("record_inserts", "insert", "new table as new_rows"),
        ("record_updates", "update", "old table as old_rows new table as new_rows"),
        ("record_deletes", "delete", "old table as old_rows"),
    ):
        db.execute(
            f"""create trigger {name} after {event} on public.locks referencing {tables} for each statement
            execute function private.record_changes('{{id}}', '{{}}', '{{code}}')""".encode()
        )
    db.execute("select private.write_recorders()")
    start = last(db)
    db.execute(
        "insert into public.locks values (%s, %s, '1234', 'front')", (uuid.uuid4(), portfolio.workspace_id)
    )
    db.execute("update public.locks set code = '9876'")
    db.execute("delete from public.locks")
    assert since(db, start, "operation, before ->> 'code', after ->> 'code', after ->> 'label'") == [
        ("insert", None, "[redacted]", "front"),
        ("update", "[redacted]", "[redacted]", None),
        ("delete", "[redacted]", None, None),
    ]
    kept = "select string_agg(concat(before, after), ' ') from public.audit_entries where entity = 'locks'"
    assert "1234" not in value(db, kept) and "9876" not in value(db, kept)
