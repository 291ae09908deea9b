"""Two at once, made to meet: the first holds its transaction open until the second waits for it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest

from tests.py.integration.meeting import acting, met, refused, value
from tests.py.integration.portfolio import Portfolio, noon
from tests.py.support import wait_until

Db = psycopg.Connection[Any]
TODAY = date.today()


@pytest.fixture
def portfolio(db: Db) -> Portfolio:
    db.autocommit = True
    return Portfolio(db)


def test_two_owners_who_leave_at_once(portfolio: Portfolio, database: str) -> None:
    second_owner = uuid.uuid4()
    portfolio.user(second_owner, "second@example.com")
    portfolio.member(second_owner, "owner")
    leave = "select public.leave_workspace(%s)"
    outcome = met(
        portfolio,
        database,
        acting(portfolio.owner_id, leave, portfolio.workspace_id),
        acting(second_owner, leave, portfolio.workspace_id),
    )
    assert "last_owner" in refused(outcome)


def test_an_owner_who_is_demoted_while_they_demote_another(portfolio: Portfolio, database: str) -> None:
    second_owner, viewer = uuid.uuid4(), uuid.uuid4()
    for person, email, role in (
        (second_owner, "second@example.com", "owner"),
        (viewer, "v@example.com", "viewer"),
    ):
        portfolio.user(person, email)
        portfolio.member(person, role)
    change = "select public.change_member_role(%s, %s, %s)"
    outcome = met(
        portfolio,
        database,
        acting(portfolio.owner_id, change, portfolio.workspace_id, second_owner, "viewer"),
        acting(second_owner, change, portfolio.workspace_id, second_owner, "admin"),
    )
    assert "permission_denied" in refused(outcome)


def test_two_accounts_that_accept_one_invitation(portfolio: Portfolio, database: str) -> None:
    guests = [uuid.uuid4(), uuid.uuid4()]
    for n, guest in enumerate(guests):
        portfolio.user(guest, f"guest{n}@example.com")
    with portfolio.db.transaction():
        acting(
            portfolio.owner_id,
            "select public.invite(%s, 'member', 'guest@example.com', 'viewer')",
            portfolio.workspace_id,
            **{"idempotency-key": "k"},
        )(portfolio.db)
    token = value(portfolio.db, "select payload ->> 'token' from private.message_secrets")
    accept = "select public.accept_invitation(%s)"
    outcome = met(portfolio, database, acting(guests[0], accept, token), acting(guests[1], accept, token))
    assert "invitation_used" in refused(outcome)


def test_a_member_who_accepts_another_invitation_while_they_are_removed(
    portfolio: Portfolio, database: str
) -> None:
    member = uuid.uuid4()
    portfolio.user(member, "m@example.com")
    portfolio.member(member, "viewer")
    with portfolio.db.transaction():
        acting(
            portfolio.owner_id,
            "select public.invite(%s, 'member', 'm@example.com', 'viewer')",
            portfolio.workspace_id,
            **{"idempotency-key": "k"},
        )(portfolio.db)
    token = value(portfolio.db, "select payload ->> 'token' from private.message_secrets")
    accept = acting(member, "select public.accept_invitation(%s)", token)
    remove = acting(portfolio.owner_id, "select public.remove_member(%s, %s)", portfolio.workspace_id, member)
    with (
        psycopg.connect(database) as accepting,
        psycopg.connect(database) as removing,
        ThreadPoolExecutor(1) as pool,
    ):
        accepting.execute("select from public.workspace_invitations for update")  # what accepting locks first
        removed = pool.submit(remove, removing)
        waits = "select %s = any (pg_blocking_pids(%s))"
        wait_until(lambda: value(portfolio.db, waits, accepting.info.backend_pid, removing.info.backend_pid))
        with pytest.raises(psycopg.Error) as refusal:
            accept(accepting)
        assert "already_member" in refused(refusal.value)
        accepting.rollback()
        removed.result(10)
        removing.commit()
    still = "select count(*) from public.workspace_members where user_id = %s"
    assert value(portfolio.db, still, member) == 0


def test_a_repeated_call_that_overtakes_the_first_waits_for_its_answer(
    portfolio: Portfolio, database: str
) -> None:
    answers = []
    invite = acting(
        portfolio.owner_id,
        "select public.invite(%s, 'member', 'guest@example.com', 'viewer')",
        portfolio.workspace_id,
        **{"idempotency-key": "k"},
    )
    outcome = met(portfolio, database, lambda db: answers.append(invite(db)), invite)
    assert [outcome] == answers
    assert value(portfolio.db, "select count(*) from public.messages") == 1


def test_two_invitations_at_once_count_each_other(portfolio: Portfolio, database: str) -> None:
    portfolio.db.execute("update private.limits set allowed = 1 where name = 'invitations_per_address'")

    def invite(key: str) -> Callable[[Db], Any]:
        return acting(
            portfolio.owner_id,
            "select public.invite(%s, 'member', 'guest@example.com', 'viewer')",
            portfolio.workspace_id,
            **{"idempotency-key": key},
        )

    assert "invitation_limit" in refused(met(portfolio, database, invite("one"), invite("two")))


def test_one_lease_activated_twice(portfolio: Portfolio, database: str) -> None:
    lease_id = portfolio.draft_lease("L-1", portfolio.building(1))
    activate = acting(portfolio.owner_id, "select (public.activate_lease(%s)).status", lease_id)
    assert "lease_not_draft" in refused(met(portfolio, database, activate, activate))


def test_two_leases_of_one_unit(portfolio: Portfolio, database: str) -> None:
    building = portfolio.building(1)
    first, second = portfolio.draft_lease("L-1", building), portfolio.draft_lease("L-2", building)
    activate = "select (public.activate_lease(%s)).status"
    outcome = met(
        portfolio,
        database,
        acting(portfolio.owner_id, activate, first),
        acting(portfolio.owner_id, activate, second),
    )
    assert "Lease L-1 holds unit" in refused(outcome)


def test_a_unit_added_to_a_draft_that_is_being_activated(portfolio: Portfolio, database: str) -> None:
    building = portfolio.building(2)
    lease_id = portfolio.draft_lease("L-1", (building[0], building[1][:1]))
    outcome = met(
        portfolio,
        database,
        acting(portfolio.owner_id, "select (public.activate_lease(%s)).status", lease_id),
        acting(
            portfolio.owner_id,
            """insert into public.lease_units (workspace_id, property_id, lease_id, unit_id)
            values (%s, %s, %s, %s) returning id""",
            portfolio.workspace_id,
            building[0],
            lease_id,
            building[1][1],
        ),
    )
    assert "lease_not_draft" in refused(outcome)


def test_leases_of_the_same_units_in_another_order_never_deadlock(
    portfolio: Portfolio, database: str
) -> None:
    property_id, units = portfolio.building(12)
    for n in range(8):
        order = units if n % 2 else units[::-1]
        portfolio.draft_lease(f"L-{n}", (property_id, order))
    drafts = portfolio.db.execute("select id from public.leases order by lease_number").fetchall()
    start = Barrier(len(drafts))

    def activate(lease_id: uuid.UUID) -> str:
        with psycopg.connect(database) as connection:
            start.wait(10)
            try:
                return str(
                    acting(portfolio.owner_id, "select (public.activate_lease(%s)).status", lease_id)(
                        connection
                    )
                )
            except psycopg.Error as error:
                return str(error)

    with ThreadPoolExecutor(len(drafts)) as pool:
        outcomes = list(pool.map(activate, [draft[0] for draft in drafts]))
    assert outcomes.count("active") == 1
    assert [o for o in outcomes if o != "active" and "possession_overlap" not in o] == []


def test_two_expiry_checks_at_once(portfolio: Portfolio, database: str) -> None:
    end = TODAY + timedelta(days=200)
    portfolio.active_lease("L-1", end)

    def check(db: Db) -> Any:
        return value(db, "select worker.lease_expiry_check(%s)", noon(end - timedelta(days=20)))

    outcome = met(portfolio, database, check, check)
    assert outcome == {"leases_due": 0, "messages_queued": 0, "thresholds_skipped": 0, "more": False}
    assert len(portfolio.messages()) == 1
