"""The chain over the change log: whoever changes what was sealed is noticed, the database's owner, too."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.py.integration.audit_log import AuditLog
from tests.py.integration.meeting import asked, met, refused, value
from tests.py.integration.portfolio import Portfolio

Db = psycopg.Connection[Any]


@pytest.fixture
def log(db: Db) -> AuditLog:
    db.autocommit = True
    audit_log = AuditLog(Portfolio(db))
    audit_log.write()
    return audit_log


def test_a_log_that_nobody_touched_is_valid(log: AuditLog) -> None:
    entries = value(log.db, "select count(*) from public.audit_entries")
    assert log.verify()["unsealed"] == entries
    assert log.seal_all() == entries
    told = log.verify()
    assert (told["valid"], told["problem"], told["entries"], told["unsealed"]) == (True, None, entries, 0)
    assert (told["position"], told["digest"]) == (log.head()["position"], log.head()["digest"])


def test_a_digest_is_what_anybody_can_work_out(log: AuditLog) -> None:
    """The chain, worked out once more by hand, from the entries alone."""
    log.seal_all()
    rows = log.db.execute(
        """select s.position, s.digest, sha256(convert_to(jsonb_build_array(
            e.id, e.workspace_id, e.entity, e.entity_id, e.operation, e.actor_id, e.actor_role, e.request_id,
            extract(epoch from e.recorded_at), e.transaction_id::text, e.before, e.after, e.personal_columns,
            encode(e.personal_digest, 'hex'))::text, 'UTF8'))
        from private.audit_seals as s
        join public.audit_entries as e on e.workspace_id = s.workspace_id and e.id = s.entry_id
        order by s.position"""
    ).fetchall()
    previous = b""
    for position, digest, payload in rows:
        previous = hashlib.sha256(previous + payload + position.to_bytes(8, "big")).digest()
        assert digest == previous
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))


def test_what_a_running_transaction_holds_up_is_sealed_after_it(log: AuditLog, database: str) -> None:
    """Its id is older than that of others that have committed: none of them may be sealed before it."""
    log.seal_all()
    with psycopg.connect(database) as slow:
        slow.execute("update public.units set bedrooms = 7 where unit_number = '0'")
        log.db.execute("update public.units set bedrooms = 1 where unit_number = '1'")
        assert log.seal() == 0
        assert log.verify()["unsealed"] == 1
        slow.commit()
    assert log.seal_all() == 2
    bedrooms = log.db.execute(
        """select (e.after ->> 'bedrooms')::numeric::integer from private.audit_seals as s
        join public.audit_entries as e on e.workspace_id = s.workspace_id and e.id = s.entry_id
        order by s.position desc limit 2"""
    ).fetchall()
    assert bedrooms == [(1,), (7,)]


def test_a_batch_goes_on_where_the_last_one_ended(log: AuditLog) -> None:
    entries = value(log.db, "select count(*) from public.audit_entries")
    log.db.execute("update public.units set bedrooms = 3")  # more of one transaction than a batch holds
    assert log.seal_all(p_limit=2) == entries + 3
    assert log.verify()["valid"] is True
    assert log.seal() == 0


def test_every_workspace_has_a_chain_of_its_own(log: AuditLog) -> None:
    for n in range(3):
        log.db.execute("insert into public.workspaces (name) values (%s)", (f"Other {n}",))
        log.db.execute("update public.units set bedrooms = %s", (n,))
    log.seal_all()
    chains = log.db.execute(
        "select count(*), min(position), max(position) from private.audit_seals group by workspace_id"
    ).fetchall()
    assert all((first, last) == (1, count) for count, first, last in chains)
    assert len(chains) == 4


Tampering = Callable[[AuditLog, int], Any]


def _run(statement: str) -> Tampering:
    def tamper(log: AuditLog, position: int) -> None:
        done = log.db.execute(
            statement.encode(),
            {"entry": log.entry_at(position), "position": position, "workspace": log.workspace_id},
        )
        assert done.rowcount >= 1

    return tamper


def _swap(log: AuditLog, position: int) -> None:
    one, other = log.entry_at(position), log.entry_at(position + 1)
    for entry, at in ((-1, position + 1), (other, position), (one, position + 1)):
        log.db.execute("update private.audit_seals set entry_id = %s where position = %s", (entry, at))


TAMPERING: dict[str, tuple[str, Tampering]] = {
    "a value is changed": (
        "entry_changed",
        _run('update public.audit_entries set after = after || \'{"name": "forged"}\' where id = %(entry)s'),
    ),
    "another is blamed": (
        "entry_changed",
        _run("update public.audit_entries set actor_id = gen_random_uuid() where id = %(entry)s"),
    ),
    "it is dated back": (
        "entry_changed",
        _run(
            "update public.audit_entries set recorded_at = recorded_at - interval '1 us' where id = %(entry)s"
        ),
    ),
    "an entry is deleted": ("entry_missing", _run("delete from public.audit_entries where id = %(entry)s")),
    "a seal is deleted": (
        "seal_missing",
        _run("delete from private.audit_seals where position = %(position)s"),
    ),
    "a seal is forged": (
        "entry_changed",
        _run("update private.audit_seals set digest = sha256('forged') where position = %(position)s"),
    ),
    "two entries change places": ("order_changed", _swap),
    "an entry goes with its seal": (
        "seal_missing",
        _run(
            """with gone as (delete from private.audit_seals where position = %(position)s returning entry_id)
            delete from public.audit_entries where id in (select entry_id from gone)"""
        ),
    ),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_named_wherever_it_happens(log: AuditLog, how: str) -> None:
    log.seal_all()
    last = log.head()["position"]
    kind, tamper = TAMPERING[how]

    @settings(max_examples=8, deadline=None, derandomize=True)
    @given(st.integers(1, last - 1), st.booleans())
    def tampered(position: int, went_on: bool) -> None:
        with log.db.transaction(force_rollback=True):
            tamper(log, position)
            if went_on:
                log.write(1)
            told = log.verify()
            assert told["valid"] is False
            assert (told["problem"]["kind"], told["problem"]["position"]) == (kind, position)

    tampered()
    assert log.verify()["valid"] is True


def test_the_first_of_several_is_named(log: AuditLog) -> None:
    log.seal_all()
    TAMPERING["an entry is deleted"][1](log, 6)
    TAMPERING["a value is changed"][1](log, 4)
    problem = log.verify()["problem"]
    assert (problem["kind"], problem["position"], problem["entry_id"]) == (
        "entry_changed",
        4,
        log.entry_at(4),
    )


def test_an_entry_put_in_past_the_seal_is_named(log: AuditLog) -> None:
    log.seal_all()
    forge = """
        insert into public.audit_entries
            (workspace_id, entity, entity_id, operation, actor_role, after, transaction_id)
        values (%s, 'units', 'x', 'insert', 'authenticated', '{}', %s::text::xid8)
        returning id
    """
    before = value(log.db, "select min(transaction_id::text::bigint) from public.audit_entries")
    for transaction_id in (before, before + 1_000_000_000):
        with log.db.transaction(force_rollback=True):
            forged = value(log.db, forge, log.workspace_id, transaction_id)
            log.seal()
            problem = log.verify()["problem"]
            assert (problem["kind"], problem["entry_id"]) == ("entry_inserted", forged)


def test_a_tail_that_is_cut_off_is_named(log: AuditLog) -> None:
    log.seal_all()
    last = log.head()["position"]
    TAMPERING["an entry goes with its seal"][1](log, last)
    problem = log.verify()["problem"]
    assert (problem["kind"], problem["position"]) == ("seal_missing", last)


@pytest.mark.parametrize("change", ["position = position - 1", "digest = sha256('forged')"])
def test_a_head_that_is_not_where_the_chain_ends_is_named(log: AuditLog, change: str) -> None:
    log.seal_all()
    last = log.head()["position"]
    log.db.execute(f"update private.audit_heads set {change}".encode())
    problem = log.verify()["problem"]
    assert (problem["kind"], problem["position"]) == ("head_changed", last)


def test_a_head_kept_elsewhere_tells_of_a_chain_that_was_cut_off_or_written_anew(log: AuditLog) -> None:
    log.seal_all()
    log.write()
    log.seal_all()
    head = log.head()
    assert (log.verify(head)["valid"], log.verify(head)["head_held"]) == (True, True)

    # All that the database knows of the chain is taken back, by somebody who knows how it works.
    back_to = head["position"] - 2
    log.db.execute(
        "delete from public.audit_entries where id in (%s, %s)",
        (log.entry_at(back_to + 1), log.entry_at(back_to + 2)),
    )
    log.db.execute("delete from private.audit_seals where position > %s", (back_to,))
    log.db.execute(
        """update private.audit_heads as h set position = s.position, digest = s.digest
        from private.audit_seals as s where s.position = %s""",
        (back_to,),
    )
    assert log.verify()["valid"] is True
    told = log.verify(head)
    assert (told["head_held"], told["problem"]["kind"]) == (False, "head_differs")

    # So is the whole of it, sealed anew over another past.
    log.db.execute(
        "update public.audit_entries set actor_role = 'service_role' where id = %s", (log.entry_at(2),)
    )
    log.db.execute("delete from private.audit_seals")
    log.db.execute("delete from private.audit_heads")
    log.db.execute("update private.audit_progress set transaction_id = '0', entry_id = 0")
    log.write()
    log.seal_all()
    assert log.verify()["valid"] is True
    assert log.head()["position"] > head["position"]
    assert log.verify(head)["problem"]["kind"] == "head_differs"


@pytest.mark.parametrize(
    ("tampering", "kind"),
    [
        (
            'update public.audit_values set after = \'{"phone": "555-9999"}\' where entry_id = %s',
            "values_changed",
        ),
        ("update public.audit_values set salt = gen_random_uuid() where entry_id = %s", "values_changed"),
        ("delete from public.audit_values where entry_id = %s", "values_missing"),
    ],
)
def test_personal_values_are_held_to_their_entries(log: AuditLog, tampering: str, kind: str) -> None:
    log.seal_all()
    entry = value(log.db, "select max(entry_id) from public.audit_values")
    assert log.db.execute(tampering.encode(), (entry,)).rowcount == 1
    problem = log.verify()["problem"]
    assert (problem["kind"], problem["entry_id"]) == (kind, entry)


def test_values_given_to_an_entry_that_had_none_are_named(log: AuditLog) -> None:
    log.seal_all()
    entry = value(log.db, "select min(id) from public.audit_entries where personal_columns is null")
    log.db.execute(
        "insert into public.audit_values (workspace_id, entry_id, after) values (%s, %s, '{}')",
        (log.workspace_id, entry),
    )
    problem = log.verify()["problem"]
    assert (problem["kind"], problem["entry_id"]) == ("values_added", entry)


def test_two_sealers_at_once_seal_nothing_twice(log: AuditLog, database: str) -> None:
    def seal(db: Db) -> Any:
        return value(db, "select worker.seal_audit()")

    entries = value(log.db, "select count(*) from public.audit_entries")
    assert met(log.portfolio, database, seal, seal) == {"entries": 0, "more": False}
    assert [position for position, _ in log.positions()] == list(range(1, entries + 1))


def test_writers_and_sealers_at_once_lose_nothing(log: AuditLog, database: str) -> None:
    """Writers whose transactions overlap, some of them undone, beside two sealers in small batches."""
    units = [row[0] for row in log.db.execute("select id from public.units order by unit_number").fetchall()]
    done = Event()

    def write(unit: uuid.UUID) -> None:
        with psycopg.connect(database) as connection:
            for n in range(40):
                connection.execute("update public.units set bedrooms = %s where id = %s", (n, unit))
                connection.execute("update public.units set bathrooms = %s where id = %s", (n, unit))
                if n % 5 == 4:
                    connection.rollback()
                else:
                    connection.commit()

    def seal() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            while not done.is_set():
                connection.execute("select worker.seal_audit(p_limit => 7)")

    with ThreadPoolExecutor(5) as pool:
        sealers = [pool.submit(seal) for _ in range(2)]
        for writer in [pool.submit(write, unit) for unit in units]:
            writer.result(60)
        done.set()
        for sealer in sealers:
            sealer.result(60)
    log.seal_all()
    told = log.verify()
    assert (told["valid"], told["unsealed"]) == (True, 0)
    assert told["entries"] == value(log.db, "select count(*) from public.audit_entries")
    changes = value(
        log.db, "select count(*) from public.audit_entries where entity = 'units' and operation = 'update'"
    )
    assert changes == len(units) * 32 * 2


def test_sealing_holds_no_writer_up(log: AuditLog, database: str) -> None:
    with psycopg.connect(database) as sealing, psycopg.connect(database) as writing:
        assert value(sealing, "select worker.seal_audit()")["entries"] > 0  # and does not commit
        writing.execute("set lock_timeout = '1s'")
        writing.execute("update public.units set bedrooms = 4")
        writing.commit()
        sealing.commit()
    assert log.seal_all() == 3
    assert log.verify()["valid"] is True


def test_health_tells_what_waits_for_a_seal_and_what_holds_it_up(log: AuditLog, database: str) -> None:
    """The sealer has not run; then it has, and an open transaction holds up what came after it began."""

    def lag() -> dict[str, Any]:
        told: dict[str, Any] = value(log.db, "select worker.health() -> 'sealing'")
        return told

    aged = (
        "update public.audit_entries set recorded_at = recorded_at - interval '20 minutes' where id in ({})"
    )
    log.db.execute(aged.format("select id from public.audit_entries").encode())
    assert lag()["waiting_seconds"] >= 1200
    log.seal_all()
    assert lag()["waiting_seconds"] is None
    with psycopg.connect(database) as writing:
        writing.execute("update public.units set bedrooms = 4 where unit_number = '0'")
        log.write(1)
        log.seal()
        unsealed = (
            "select id from public.audit_entries where id not in (select entry_id from private.audit_seals)"
        )
        log.db.execute(aged.format(unsealed).encode())
        told = lag()
        assert told["waiting_seconds"] is None
        assert told["held_up_seconds"] >= 1200
        assert told["oldest_transaction_seconds"] is None or told["oldest_transaction_seconds"] >= 0
    log.seal_all()
    assert (lag()["waiting_seconds"], lag()["held_up_seconds"]) == (None, None)


def test_a_restored_copy_is_sealed_on(log: AuditLog) -> None:
    """In another cluster transaction ids start anew: below those that the copy's entries have."""
    log.seal_all()
    head = log.head()
    log.write()  # not sealed yet when the copy is made
    log.db.execute(
        """update public.audit_entries
        set transaction_id = (transaction_id::text::bigint + 1000000000)::text::xid8
        where id not in (select entry_id from private.audit_seals)"""
    )
    log.db.execute(
        """update private.audit_progress
        set system_identifier = 1, transaction_id = '2000000000', entry_id = 9000000000"""
    )
    assert log.verify()["valid"] is True
    log.write()
    assert log.seal_all() > 0
    log.write()
    assert log.seal_all() > 0
    told = log.verify(head)
    assert (told["valid"], told["head_held"], told["unsealed"]) == (True, True, 0)
    assert told["entries"] == value(log.db, "select count(*) from public.audit_entries")
    # A copy's entries count as sealed when this cluster's transactions have reached their ids, too.
    log.db.execute("update private.audit_progress set transaction_id = '0', entry_id = 0")
    log.seal_all()
    assert log.verify(head)["entries"] == told["entries"]


def test_a_long_chain_is_verified_page_by_page(log: AuditLog) -> None:
    log.seal_all()
    call = "select private.verify_audit(%s, null, null, %s, 4)"
    position, pages, more = 0, 0, True
    while more:
        told = asked(log.db, log.portfolio.owner_id, call, log.workspace_id, position)
        assert told["valid"] is True
        position, more, pages = told["position"], told["more"], pages + 1
    assert position == log.head()["position"]
    assert pages == position // 4 + 1


@pytest.mark.parametrize("call", ["select public.verify_audit(%s)", "select public.audit_head(%s)"])
def test_who_may_not_read_the_log_is_told_nothing_of_it(log: AuditLog, call: str) -> None:
    manager, outsider = uuid.uuid4(), uuid.uuid4()
    log.portfolio.user(manager, "manager@example.com")
    log.portfolio.user(outsider, "outsider@example.com")
    log.portfolio.member(manager, "manager")
    for who, code in ((manager, "permission_denied"), (outsider, "workspace_not_found")):
        with pytest.raises(psycopg.Error) as refusal:
            asked(log.db, who, call, log.workspace_id)
        assert code in refused(refusal.value)
