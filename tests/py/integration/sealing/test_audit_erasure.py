"""Who a person is can be erased, and old entries dropped: the log that is left is valid, and says so."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.py.integration.audit_log import AuditLog
from tests.py.integration.meeting import acting, asked, met, refused, value
from tests.py.integration.portfolio import Portfolio

Db = psycopg.Connection[Any]
NOW = datetime.now(UTC)
# Wherever a value of Rae's could be left: every column of every table, but for accounts.
EVERYWHERE = """
    select string_agg(format(
        'select %1$L as place, t::text from %1$s as t where t::text ilike %2$L', c.oid::regclass, '%rae%'
    ), ' union all ')
    from pg_class as c
    where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'private'::regnamespace)
"""


@pytest.fixture
def log(db: Db) -> AuditLog:
    db.autocommit = True
    return AuditLog(Portfolio(db))


def rae(log: AuditLog) -> uuid.UUID:
    """A renter who has had two addresses, a mail to each, an invitation and a note in a field."""
    db, tenant_id = log.db, uuid.uuid4()
    of_rae = (log.workspace_id, tenant_id)
    db.execute(
        """insert into public.tenants (workspace_id, id, first_name, last_name, email, phone)
        values (%s, %s, 'Rae', 'Renter', 'rae@example.com', '555-RAE')""",
        of_rae,
    )
    db.execute(
        """insert into public.custom_field_definitions (workspace_id, entity, key, label, type)
        values (%s, 'tenants', 'nickname', 'Nickname', 'text')""",
        (log.workspace_id,),
    )
    db.execute(
        """insert into public.tenant_custom_fields (workspace_id, tenant_id, fields)
        values (%s, %s, '{"nickname": "Rae-Rae"}')""",
        of_rae,
    )
    for n, address in enumerate(("rae@example.com", "rae@example.net")):
        db.execute("update public.tenants set email = %s where id = %s", (address, tenant_id))
        db.execute(
            """insert into public.messages
                (workspace_id, template, to_address, to_name, payload, dedupe_key, status, sent_at)
            values (%s, 'invitation', %s, 'Rae', '{"greet": "Rae"}', %s, 'sent', now())""",
            (log.workspace_id, address.upper(), f"mail/{n}"),
        )
    with db.transaction():
        acting(
            log.portfolio.owner_id,
            "select public.invite(%s, 'renter', tenant_id => %s)",
            *of_rae,
            **{"idempotency-key": "k"},
        )(db)
    return tenant_id


def left_of_rae(log: AuditLog) -> list[Any]:
    """Every row of every table that still has the name in it."""
    ((query,),) = log.db.execute(EVERYWHERE).fetchall()
    return log.db.execute(query).fetchall()


def erase(log: AuditLog, tenant_id: uuid.UUID, who: uuid.UUID | None = None) -> Any:
    call = "select public.erase_personal_data(tenant_id => %s)"
    return asked(log.db, who or log.portfolio.owner_id, call, tenant_id)


@pytest.mark.parametrize("sealed_first", [True, False])
def test_a_person_s_values_are_gone_and_the_chain_holds(log: AuditLog, sealed_first: bool) -> None:
    tenant_id = rae(log)
    log.db.execute("update public.messages set status = 'sent', sent_at = now()")  # the invitation, too
    # What the stack keeps of a call for a day, to answer it again, is not of the log.
    log.db.execute("delete from private.idempotency_keys; delete from private.message_secrets")
    assert left_of_rae(log) != []
    entries = value(log.db, "select count(*) from public.audit_entries")
    if sealed_first:
        log.seal_all()
    told = erase(log, tenant_id)
    assert (told["invitations"], told["messages"], told["messages_under_way"]) == (1, 3, 0)
    assert told["audit_entries"] >= 10
    assert left_of_rae(log) == []
    assert value(log.db, "select count(*) from public.audit_entries") > entries
    log.seal_all()
    verified = log.verify()
    assert (verified["valid"], verified["erased"]) == (True, told["audit_entries"])


def test_the_record_stays_without_a_person(log: AuditLog) -> None:
    tenant_id = rae(log)
    log.db.execute("update public.tenants set user_id = %s", (log.portfolio.owner_id,))
    erase(log, tenant_id)
    assert log.db.execute(
        "select first_name, last_name, email, phone, status, user_id from public.tenants"
    ).fetchall() == [("", "Erased", None, None, "former", None)]
    assert erase(log, tenant_id)["audit_entries"] == 0  # there is nothing left
    assert log.db.execute(
        "select distinct actor_id from public.audit_entries where operation = 'erase'"
    ).fetchall() == [(log.portfolio.owner_id,)]


def test_others_keep_their_values(log: AuditLog) -> None:
    other = log.write()
    erase(log, rae(log))
    kept = log.db.execute(
        """select v.after ->> 'phone' from public.audit_values as v
        join public.audit_entries as e on e.workspace_id = v.workspace_id and e.id = v.entry_id
        where e.entity_id = %s order by e.id""",
        (str(other),),
    ).fetchall()
    assert kept == [("555-0100",), ("555-0101",)]


def test_values_that_go_without_an_erasure_are_still_missed(log: AuditLog) -> None:
    """An erasure accounts for what was recorded before it about that row: for nothing else."""
    tenant_id, other = rae(log), log.write()
    erase(log, tenant_id)
    log.db.execute("update public.tenants set phone = '555-0199' where id = %s", (tenant_id,))
    log.seal_all()
    for entity_id in (tenant_id, other):
        with log.db.transaction(force_rollback=True):
            entry = value(
                log.db,
                """select max(v.entry_id) from public.audit_values as v
                join public.audit_entries as e on e.id = v.entry_id where e.entity_id = %s""",
                str(entity_id),
            )
            log.db.execute("delete from public.audit_values where entry_id = %s", (entry,))
            problem = log.verify()["problem"]
            assert (problem["kind"], problem["entry_id"]) == ("values_missing", entry)


def test_a_renter_whose_lease_is_in_force_is_not_erased(log: AuditLog) -> None:
    lease_id = log.portfolio.draft_lease("L-1", log.portfolio.building(1))
    tenant_id = value(log.db, "select tenant_id from public.lease_tenants")
    asked(log.db, log.portfolio.owner_id, "select (public.activate_lease(%s)).status", lease_id)
    with pytest.raises(psycopg.Error) as refusal:
        erase(log, tenant_id)
    assert "lease_not_over" in refused(refusal.value) and "L-1" in refused(refusal.value)
    assert value(log.db, "select last_name from public.tenants") == "Renter"


def test_a_vendor_is_erased_too(log: AuditLog) -> None:
    vendor_id = uuid.uuid4()
    log.db.execute(
        """insert into public.vendors (id, workspace_id, name, email, phone, license_number)
        values (%s, %s, 'Rae Pipes', 'rae@example.com', '555-RAE', 'RAE-1')""",
        (vendor_id, log.workspace_id),
    )
    asked(log.db, log.portfolio.owner_id, "select public.erase_personal_data(vendor_id => %s)", vendor_id)
    assert left_of_rae(log) == []
    log.seal_all()
    assert log.verify()["valid"] is True


def account(log: AuditLog, email: str = "rae@example.com") -> uuid.UUID:
    user_id = uuid.uuid4()
    log.portfolio.user(user_id, email)
    return user_id


def erase_account(log: AuditLog, user_id: uuid.UUID) -> Any:
    """As the database's owner: nobody whom the API knows may."""
    return value(log.db, "select private.erase_account(%s)", user_id)


def test_an_account_is_erased_in_every_workspace_where_it_is_renter_vendor_or_member(log: AuditLog) -> None:
    tenant_id, user_id = rae(log), account(log)
    log.db.execute("update public.tenants set user_id = %s where id = %s", (user_id, tenant_id))
    log.db.execute("update public.messages set status = 'sent', sent_at = now()")
    elsewhere = AuditLog(Portfolio(log.db, owner="owner@example.net"))
    elsewhere.db.execute(
        "insert into public.vendors (workspace_id, name, email, user_id) values (%s, 'Rae Pipes', %s, %s)",
        (elsewhere.workspace_id, "rae-pipes@example.com", user_id),
    )
    employer = Portfolio(log.db, owner="owner@example.org")
    employer.member(user_id, "manager")
    log.db.execute(
        """insert into public.notifications (workspace_id, user_id, category, title, dedupe_key)
        values (%s, %s, 'lease_expiry', 'Rae, a lease runs out', 'one')""",
        (employer.workspace_id, user_id),
    )
    asked(
        log.db,
        employer.owner_id,
        "select public.invite(%s, 'member', email => 'Rae@example.com', role => 'admin')",
        employer.workspace_id,
        **{"idempotency-key": "again"},
    )
    log.db.execute("update public.messages set status = 'sent', sent_at = now() where status = 'queued'")
    log.db.execute("delete from private.idempotency_keys; delete from private.message_secrets")
    log.seal_all()

    told = erase_account(log, user_id)
    assert (told["memberships"], told["kept"]) == (1, [])
    assert {row["workspace_id"] for row in told["erased"]} == {
        str(place.workspace_id) for place in (log, elsewhere, employer)
    }
    assert left_of_rae(log) == []
    assert value(log.db, "select count(*) from public.tenant_custom_fields") == 0
    log.seal_all()
    assert (log.verify()["valid"], elsewhere.verify()["valid"]) == (True, True)
    assert log.db.execute(
        "select distinct actor_id, actor_role from public.audit_entries where operation = 'erase'"
    ).fetchall() == [(None, "postgres")]
    # What the person owns is nobody's any more: the account itself can go.
    assert erase_account(log, user_id) == {"memberships": 0, "erased": [], "kept": []}


def test_a_renter_s_account_is_erased_but_for_a_lease_that_is_not_over(log: AuditLog) -> None:
    lease_id = log.portfolio.draft_lease("L-1", log.portfolio.building(1))
    tenant_id, user_id = value(log.db, "select tenant_id from public.lease_tenants"), account(log)
    asked(log.db, log.portfolio.owner_id, "select (public.activate_lease(%s)).status", lease_id)
    log.db.execute("update public.tenants set user_id = %s where id = %s", (user_id, tenant_id))
    employer = Portfolio(log.db, owner="owner@example.org")
    employer.member(user_id, "manager")
    told = erase_account(log, user_id)
    assert (told["memberships"], told["erased"]) == (1, [])
    assert told["kept"] == [
        {"workspace_id": str(log.workspace_id), "tenant_id": str(tenant_id), "lease_number": "L-1"}
    ]
    assert log.db.execute("select last_name, user_id from public.tenants").fetchall() == [("Renter", user_id)]


def test_the_last_owner_hands_their_workspace_over_first(log: AuditLog) -> None:
    with pytest.raises(psycopg.Error) as refusal:
        erase_account(log, log.portfolio.owner_id)
    assert "last_owner" in refused(refusal.value)
    assert value(log.db, "select count(*) from public.workspace_members") == 1


def test_an_account_that_is_not_there_is_an_error(log: AuditLog) -> None:
    with pytest.raises(psycopg.Error) as refusal:
        erase_account(log, uuid.uuid4())
    assert "account_not_found" in refused(refusal.value)


def test_only_who_runs_the_workspace_erases(log: AuditLog) -> None:
    tenant_id, manager, outsider = rae(log), uuid.uuid4(), uuid.uuid4()
    for who in (manager, outsider):
        log.portfolio.user(who, f"{who}@example.com")
    log.portfolio.member(manager, "manager")
    for who, code in ((manager, "permission_denied"), (outsider, "record_not_found")):
        with pytest.raises(psycopg.Error) as refusal:
            erase(log, tenant_id, who)
        assert code in refused(refusal.value)
    assert value(log.db, "select first_name from public.tenants") == "Rae"


def test_an_erasure_waits_for_a_change_under_way(log: AuditLog, database: str) -> None:
    """Else what the other transaction is about to record would survive it."""
    tenant_id = rae(log)
    outcome = met(
        log.portfolio,
        database,
        lambda db: db.execute("update public.tenants set phone = 'rae' where id = %s", (tenant_id,)),
        acting(log.portfolio.owner_id, "select public.erase_personal_data(tenant_id => %s)", tenant_id),
    )
    assert isinstance(outcome, dict)
    left = "select count(*) from public.audit_values where concat(before, after) ilike '%%rae%%'"
    assert value(log.db, left) == value(log.db, left + " and concat(before, after) like '%%rae-rae%%'")


def prune(log: AuditLog, now: datetime, limit: int = 10_000) -> int:
    dropped, more = 0, True
    while more:
        answer = value(log.db, "select worker.prune_audit(%s, %s)", now, limit)
        dropped, more = dropped + answer["entries"], answer["more"]
    return dropped


def age(log: AuditLog, months: int) -> None:
    """What is in the log, sealed as though all of it had happened so many months ago."""
    log.db.execute(
        "update public.audit_entries set recorded_at = recorded_at - make_interval(months => %s)", (months,)
    )
    log.seal_all()


def test_what_is_older_than_the_workspace_keeps_it_is_dropped_and_the_rest_is_valid(log: AuditLog) -> None:
    log.write()
    age(log, 85)
    old, head = log.head()["position"], log.head()
    log.write()
    log.seal_all()
    recent = log.head()["position"] - old
    assert prune(log, NOW, limit=3) == old
    assert prune(log, NOW) == 0
    log.seal_all()
    told = log.verify()
    prunings = value(log.db, "select count(*) from public.audit_entries where operation = 'prune'")
    assert (told["valid"], told["entries"]) == (True, recent + prunings)
    assert told["pruned"]["to_position"] == old
    assert (
        value(
            log.db,
            "select sum((after ->> 'entries')::integer) from public.audit_entries where operation = 'prune'",
        )
        == old
    )
    assert (
        value(
            log.db,
            """select count(*) from public.audit_values
            where entry_id not in (select id from public.audit_entries)""",
        )
        == 0
    )
    # A head of the time is one that the log no longer reaches back to, but for its very last one.
    assert log.verify(head)["head_held"] is True
    assert log.verify({"position": 1, "digest": "00"})["head_held"] is None


def test_each_workspace_keeps_its_log_as_long_as_it_says(log: AuditLog) -> None:
    log.write()
    age(log, 20)
    assert prune(log, NOW) == 0
    with log.db.transaction():
        acting(
            log.portfolio.owner_id,
            "update public.workspaces set audit_retention_months = 12 where id = %s returning id",
            log.workspace_id,
        )(log.db)
    log.seal_all()
    assert prune(log, NOW) > 0
    assert log.verify()["valid"] is True


def test_what_has_no_seal_yet_is_kept(log: AuditLog) -> None:
    log.write()
    assert prune(log, NOW + timedelta(days=10_000)) == 0


def test_the_log_of_a_workspace_that_is_gone_goes_in_time(log: AuditLog) -> None:
    log.write()
    log.db.execute("delete from public.workspaces")
    log.seal_all()
    entries = value(log.db, "select count(*) from public.audit_entries")
    assert prune(log, NOW + timedelta(days=80 * 30)) == 0
    assert prune(log, NOW + timedelta(days=90 * 31)) == entries


@pytest.mark.parametrize(
    "forgery",
    [
        "delete from private.audit_seals where position <= 3",
        """update public.audit_entries set after = after || '{"digest": "00"}' where operation = 'prune'""",
        "delete from public.audit_entries where operation = 'prune'",
    ],
)
def test_a_beginning_that_was_cut_off_without_right_is_named(log: AuditLog, forgery: str) -> None:
    log.write()
    if "prune" in forgery:
        age(log, 85)
        log.write()
        log.seal_all()
        assert prune(log, NOW) > 0
    log.seal_all()
    assert log.verify()["valid"] is True
    log.db.execute(forgery.encode())
    assert log.verify()["valid"] is False


@pytest.mark.parametrize(
    "said",
    [
        {"to_position": 4, "digest": "the fourth seal's", "recorded_to": "2018-01-01"},
        {"to_position": "all", "digest": "00", "recorded_to": "2018-01-01"},
        {},
    ],
)
def test_an_altered_beginning_is_not_hidden_behind_a_pruning_that_never_was(
    log: AuditLog, said: dict[str, Any]
) -> None:
    log.write()
    log.seal_all()
    digest = value(log.db, "select encode(digest, 'hex') from private.audit_seals where position = 4")
    log.db.execute("update public.audit_entries set actor_role = 'forged' where id = %s", (log.entry_at(3),))
    pruning = value(
        log.db,
        """insert into public.audit_entries (workspace_id, entity, entity_id, operation, actor_role, after)
        values (%s, 'audit_entries', 'x', 'prune', 'worker', %s) returning id""",
        log.workspace_id,
        Jsonb(said | ({"digest": digest} if said.get("to_position") == 4 else {})),
    )
    log.seal_all()
    problem = log.verify()["problem"]
    assert (problem["kind"], problem["entry_id"]) == ("prune_differs", pruning)


def test_a_pruning_of_what_no_workspace_may_drop_yet_is_named(log: AuditLog) -> None:
    log.write()
    log.seal_all()
    value(log.db, "select private.prune_audit(%s, %s, %s, 5)", log.workspace_id, NOW + timedelta(1), NOW)
    log.seal_all()
    assert log.verify()["problem"]["kind"] == "pruned_early"
