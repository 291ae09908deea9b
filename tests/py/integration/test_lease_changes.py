"""What becomes of a lease once signed: notice, holdover, renewal, transfer, amendment, an early end."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.py.integration.lessor import Lessor, refused
from tests.py.integration.meeting import acting, met, value
from tests.py.integration.meeting import refused as refusal
from tests.py.integration.portfolio import Portfolio

Db = psycopg.Connection[Any]
Building = tuple[uuid.UUID, list[uuid.UUID]]
START, MIDDLE, END = date(2026, 1, 1), date(2026, 6, 15), date(2026, 12, 31)
NEXT = END + timedelta(days=1)


@pytest.fixture
def lessor(db: Db) -> Lessor:
    db.autocommit = True
    return Lessor(Portfolio(db, timezone="UTC"))


@pytest.fixture
def building(lessor: Lessor) -> Building:
    return lessor.portfolio.building(2)


@pytest.fixture
def begun(lessor: Lessor, building: Building) -> Callable[..., uuid.UUID]:
    """A lease of the first unit for 2026, active since its first day."""

    def begin(number: str = "L-1", **columns: Any) -> uuid.UUID:
        lease_id = lessor.draft(number, (building[0], building[1][:1]), ends_on=END, **columns)
        lessor.call("activate_lease", lease_id, START)
        return lease_id

    return begin


def days(first: date, end: date | None = None) -> str:
    """The half-open range as Postgres writes it, up to and with `end`."""
    return f"[{first},{end + timedelta(days=1) if end else ''})"


# Term and possession


@pytest.mark.parametrize(
    ("rule", "until"),
    [
        ({"on_expiry": "ends"}, END),
        ({"on_expiry": "month_to_month"}, None),
        ({"on_expiry": "renews", "renewal_months": 12}, None),
    ],
)
def test_a_lease_holds_its_unit_for_its_term_or_until_it_is_ended(
    lessor: Lessor, begun: Callable[..., uuid.UUID], rule: dict[str, Any], until: date | None
) -> None:
    lease_id = begun(**rule)
    assert [possession for _, possession in lessor.held(lease_id)] == [days(START, until)]
    assert lessor.lease(lease_id)["term"] == days(START, END)


def test_renters_who_stay_beyond_their_last_day_hold_the_unit_until_they_leave(
    lessor: Lessor, building: Building, begun: Callable[..., uuid.UUID]
) -> None:
    stays = begun()
    assert lessor.turn_over(END)["leases_held_over"] == 0
    assert lessor.turn_over(NEXT)["leases_held_over"] == 1
    assert lessor.turn_over(NEXT)["leases_held_over"] == 0
    assert lessor.status(stays) == "active"
    assert [possession for _, possession in lessor.held(stays)] == [days(START)]
    later = lessor.draft("L-2", (building[0], building[1][:1]), starts_on=date(2027, 6, 1))
    add_rent(lessor, later, date(2027, 6, 1))
    with refused("possession_overlap"):
        lessor.call("activate_lease", later, date(2027, 1, 2))
    lessor.call("end_lease", stays, date(2027, 1, 20), ended_on=date(2027, 1, 15))
    assert [possession for _, possession in lessor.held(stays)] == [days(START, date(2027, 1, 15))]
    assert lessor.call("activate_lease", later, date(2027, 1, 20))["status"] == "pending"


def test_who_stays_is_in_the_way_before_the_turnover_has_seen_it(
    lessor: Lessor, building: Building, begun: Callable[..., uuid.UUID]
) -> None:
    begun()
    following = lessor.draft("L-2", (building[0], building[1][:1]), starts_on=NEXT)
    with refused("possession_overlap"):
        lessor.call("activate_lease", following, NEXT)


def test_a_lease_signed_ahead_waits_for_the_renters_before_to_leave(
    lessor: Lessor, building: Building, begun: Callable[..., uuid.UUID]
) -> None:
    before = begun()
    following = lessor.draft("L-2", (building[0], building[1][:1]), starts_on=NEXT)
    assert lessor.call("activate_lease", following, MIDDLE)["status"] == "pending"
    assert lessor.turn_over(NEXT + timedelta(days=3)) == {
        "leases_begun": 0,
        "leases_renewed": 0,
        "leases_held_over": 0,
        "more": False,
    }
    assert lessor.status(following) == "pending"
    lessor.call("end_lease", before, NEXT + timedelta(days=4), ended_on=END)
    assert lessor.turn_over(NEXT + timedelta(days=4))["leases_begun"] == 1
    assert lessor.status(following) == "active"


def test_what_was_held_over_on_is_told_as_it_was_known(
    lessor: Lessor, begun: Callable[..., uuid.UUID]
) -> None:
    lease_id = begun()
    lessor.turn_over(NEXT)
    lessor.call("end_lease", lease_id, NEXT + timedelta(days=9), ended_on=NEXT + timedelta(days=8))
    rows = lessor.db.execute(
        """select possession::text, recorded_at, superseded_at from public.lease_units
        where lease_id = %s order by recorded_at""",
        (lease_id,),
    ).fetchall()
    assert [row[0] for row in rows] == [days(START, END), days(START), days(START, NEXT + timedelta(days=8))]
    # No instant between two rows at which nothing was known.
    assert [row[2] for row in rows] == [rows[1][1], rows[2][1], None]


# Notice


def test_a_notice_frees_the_unit_from_the_day_after(
    lessor: Lessor, building: Building, begun: Callable[..., uuid.UUID]
) -> None:
    lease_id = begun(on_expiry="month_to_month", notice_days=30)
    leaving = date(2027, 2, 28)
    noticed = lessor.call("give_notice", lease_id, date(2027, 1, 10), given_by="renter", move_out_on=leaving)
    assert (noticed["status"], noticed["notice_given_on"], noticed["leaves_on"]) == (
        "notice_given",
        "2027-01-10",
        "2027-02-28",
    )
    assert noticed["notice_is_late"] is False
    following = lessor.draft("L-2", (building[0], building[1][:1]), starts_on=leaving + timedelta(days=1))
    assert lessor.call("activate_lease", following, date(2027, 1, 11))["status"] == "pending"
    with refused("possession_overlap"):
        lessor.call("withdraw_notice", lease_id, date(2027, 1, 12))
    lessor.call("terminate_lease", following, date(2027, 1, 12), reason="They found another home")
    back = lessor.call("withdraw_notice", lease_id, date(2027, 1, 13), reason="They stay")
    assert (back["status"], back["leaves_on"], back["notice_given_by"]) == ("active", None, None)
    assert [possession for _, possession in lessor.held(lease_id)] == [days(START)]
    assert [step[0] for step in lessor.history(lease_id)] == ["draft", "active", "notice_given", "active"]
    assert lessor.history(lease_id)[-1][2] == "They stay"


def test_a_short_notice_is_recorded_and_marked(lessor: Lessor, begun: Callable[..., uuid.UUID]) -> None:
    noticed = lessor.call(
        "give_notice",
        begun(notice_days=30),
        MIDDLE,
        given_by="landlord",
        move_out_on=MIDDLE + timedelta(days=29),
    )
    assert noticed["notice_is_late"] is True


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"given_by": "neighbour"}, "party_unknown"),
        ({"given_by": None}, "party_unknown"),
        ({"move_out_on": None}, "notice_out_of_range"),
        ({"move_out_on": MIDDLE - timedelta(days=1)}, "notice_out_of_range"),
        ({"given_on": MIDDLE + timedelta(days=1)}, "notice_out_of_range"),
        ({"reason": "x" * 1001}, "notice_out_of_range"),
    ],
)
def test_a_notice_that_cannot_be_is_refused(
    lessor: Lessor, begun: Callable[..., uuid.UUID], change: dict[str, Any], code: str
) -> None:
    lease_id = begun()
    with refused(code):
        lessor.call(
            "give_notice", lease_id, MIDDLE, **{"given_by": "renter", "move_out_on": MIDDLE, **change}
        )
    assert lessor.status(lease_id) == "active"


# Renewal


def test_a_renewal_is_a_lease_of_its_own_that_ends_the_one_before(
    lessor: Lessor, building: Building, begun: Callable[..., uuid.UUID]
) -> None:
    lease_id = begun(deposit_minor=50_000)
    draft = lessor.call("renew_lease", lease_id, MIDDLE, ends_on=date(2027, 12, 31), rent_minor=131_000)
    assert (draft["status"], draft["lease_number"], draft["starts_on"], draft["renewed_from_id"]) == (
        "draft",
        "L-1-R1",
        "2027-01-01",
        str(lease_id),
    )
    assert draft["deposit_minor"] == 50_000
    renewal_id = uuid.UUID(draft["id"])
    assert lessor.call("activate_lease", renewal_id, MIDDLE)["status"] == "pending"
    assert lessor.held(renewal_id) == [(building[1][0], days(NEXT, date(2027, 12, 31)))]
    assert lessor.turn_over(END)["leases_begun"] == 0
    assert lessor.turn_over(NEXT)["leases_begun"] == 1
    ended = lessor.lease(lease_id)
    assert (ended["status"], ended["ended_on"], ended["moved_out_on"]) == ("ended", str(END), None)
    assert lessor.history(lease_id)[-1] == ("ended", str(END), "Renewed by lease L-1-R1")
    assert lessor.status(renewal_id) == "active"
    people = "select tenant_id, role from public.lease_tenants where lease_id = %s"
    assert (
        lessor.db.execute(people, (renewal_id,)).fetchall()
        == lessor.db.execute(people, (lease_id,)).fetchall()
    )
    rents = "select effective_on, rent_minor from public.lease_terms where lease_id = %s"
    assert lessor.db.execute(rents, (renewal_id,)).fetchall() == [(NEXT, 131_000)]
    again = lessor.call("renew_lease", renewal_id, NEXT, ends_on=date(2028, 12, 31))
    assert again["lease_number"] == "L-1-R2"


def test_a_renewal_takes_over_from_a_lease_that_runs_on(
    lessor: Lessor, begun: Callable[..., uuid.UUID]
) -> None:
    lease_id = begun(on_expiry="month_to_month")
    today = date(2027, 3, 10)
    draft = lessor.call("renew_lease", lease_id, today, starts_on=date(2027, 4, 1), ends_on=date(2028, 3, 31))
    lessor.call("activate_lease", uuid.UUID(draft["id"]), today)
    assert [possession for _, possession in lessor.held(lease_id)] == [days(START, date(2027, 3, 31))]
    with refused("lease_renewed"):
        lessor.call("end_lease", lease_id, today, ended_on=today)
    with refused("lease_renewed"):
        lessor.call("give_notice", lease_id, today, given_by="renter", move_out_on=today)
    lessor.call("terminate_lease", uuid.UUID(draft["id"]), today, reason="Changed their mind")
    assert [possession for _, possession in lessor.held(lease_id)] == [days(START)]
    assert lessor.call("renew_lease", lease_id, today, starts_on=date(2027, 5, 1))["status"] == "draft"


@pytest.mark.parametrize("moved_by", [-40, 40])
def test_a_renewal_that_begins_on_another_day_ends_the_lease_before_it_on_another(
    lessor: Lessor, begun: Callable[..., uuid.UUID], moved_by: int
) -> None:
    lease_id = begun()
    draft = lessor.call("renew_lease", lease_id, MIDDLE, ends_on=date(2027, 12, 31))
    renewal_id = uuid.UUID(draft["id"])
    lessor.call("activate_lease", renewal_id, MIDDLE)
    first_day = NEXT + timedelta(days=moved_by)
    change = {"title": "Another first day", "effective_on": first_day}
    lessor.call("amend_lease", renewal_id, MIDDLE, **change, starts_on=first_day)
    last_day = first_day - timedelta(days=1)
    assert [possession for _, possession in lessor.held(lease_id)] == [days(START, last_day)]
    assert [possession for _, possession in lessor.held(renewal_id)] == [days(first_day, date(2027, 12, 31))]
    lessor.turn_over(first_day)
    assert lessor.lease(lease_id)["ended_on"] == str(last_day)
    with refused("amendment_out_of_range"):
        lessor.call("amend_lease", renewal_id, first_day, **change, starts_on=START)


def test_a_renewal_that_has_begun_already_is_active_at_once(
    lessor: Lessor, begun: Callable[..., uuid.UUID]
) -> None:
    lease_id = begun(on_expiry="month_to_month")
    today = date(2027, 3, 10)
    draft = lessor.call("renew_lease", lease_id, today, ends_on=date(2027, 12, 31))
    assert draft["starts_on"] == str(NEXT)
    assert lessor.call("activate_lease", uuid.UUID(draft["id"]), today)["status"] == "active"
    assert lessor.lease(lease_id)["ended_on"] == str(END)


def test_a_lease_is_renewed_once(lessor: Lessor, begun: Callable[..., uuid.UUID]) -> None:
    lease_id = begun()
    lessor.call("renew_lease", lease_id, MIDDLE)
    with refused("lease_renewed"):
        lessor.call("renew_lease", lease_id, MIDDLE)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"starts_on": START}, "renewal_out_of_range"),
        ({"ends_on": END}, "renewal_out_of_range"),
        ({"rent_minor": -1}, "renewal_out_of_range"),
        ({"lease_number": " "}, "renewal_out_of_range"),
        ({"lease_number": "l-1"}, "lease_number_taken"),
    ],
)
def test_a_renewal_that_cannot_be_is_refused(
    lessor: Lessor, begun: Callable[..., uuid.UUID], change: dict[str, Any], code: str
) -> None:
    lease_id = begun()
    with refused(code):
        lessor.call("renew_lease", lease_id, MIDDLE, **change)


def test_a_lease_that_renews_does_so_by_itself_term_by_term(
    lessor: Lessor, building: Building, begun: Callable[..., uuid.UUID]
) -> None:
    lease_id = begun(on_expiry="renews", renewal_months=6)
    assert lessor.turn_over(END)["leases_renewed"] == 0
    counted = lessor.turn_over(date(2027, 8, 1))
    assert (counted["leases_renewed"], counted["more"]) == (1, True)
    assert lessor.turn_over(date(2027, 8, 1))["leases_renewed"] == 1
    assert lessor.turn_over(date(2027, 8, 1)) == {
        "leases_begun": 0,
        "leases_renewed": 0,
        "leases_held_over": 0,
        "more": False,
    }
    terms = lessor.db.execute(
        "select lease_number, status, term::text from public.leases order by starts_on"
    ).fetchall()
    assert terms == [
        ("L-1", "ended", days(START, END)),
        ("L-1-R1", "ended", days(NEXT, date(2027, 6, 30))),
        ("L-1-R2", "active", days(date(2027, 7, 1), date(2027, 12, 31))),
    ]
    assert lessor.lease(lease_id)["ended_on"] == str(END)


def test_a_renewal_gets_the_next_number_that_is_free(
    lessor: Lessor, building: Building, begun: Callable[..., uuid.UUID]
) -> None:
    lease_id = begun(on_expiry="renews", renewal_months=6)
    lessor.db.execute("update public.leases set lease_number = 'L-1-R41' where id = %s", (lease_id,))
    lessor.draft("l-1-r42", (building[0], building[1][1:2]))
    assert lessor.turn_over(date(2027, 2, 1))["leases_renewed"] == 1
    renewal = "select lease_number from public.leases where renewed_from_id = %s"
    assert lessor.db.execute(renewal, (lease_id,)).fetchone() == ("L-1-R43",)


def last_day_before(boundary: date) -> date:
    return boundary - timedelta(days=1)


@pytest.mark.parametrize(
    ("first_day", "months", "boundaries"),
    [
        ("2026-01-31", 1, ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"]),
        ("2026-01-30", 1, ["2026-02-28", "2026-03-30", "2026-04-30", "2026-05-30", "2026-06-30"]),
        ("2025-12-31", 2, ["2026-02-28", "2026-04-30", "2026-06-30", "2026-08-31", "2026-10-31"]),
        ("2024-02-29", 12, ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29", "2029-02-28"]),
        # No whole months before the first boundary: it is the anchor itself.
        ("2026-01-15", 1, ["2026-02-28", "2026-03-28", "2026-04-28"]),
        ("2026-01-15", 12, ["2027-01-01", "2028-01-01", "2029-01-01"]),
    ],
)
def test_terms_are_counted_from_the_day_on_which_the_first_began(
    lessor: Lessor, building: Building, first_day: str, months: int, boundaries: list[str]
) -> None:
    starts = [date.fromisoformat(day) for day in [first_day, *boundaries]]
    lease_id = lessor.draft(
        "L-1",
        (building[0], building[1][:1]),
        starts_on=starts[0],
        ends_on=last_day_before(starts[1]),
        on_expiry="renews",
        renewal_months=months,
    )
    add_rent(lessor, lease_id, starts[0])
    lessor.call("activate_lease", lease_id, starts[0])
    for _ in range(len(starts)):
        lessor.turn_over(last_day_before(starts[-1]))
    terms = lessor.db.execute("select term::text from public.leases order by starts_on").fetchall()
    assert [term for (term,) in terms] == [
        days(first, last_day_before(boundary)) for first, boundary in itertools.pairwise(starts)
    ]


def test_a_renewal_with_a_last_day_of_its_own_is_counted_from_that(
    lessor: Lessor, building: Building
) -> None:
    first, second = date(2026, 1, 31), date(2026, 2, 28)
    lease_id = lessor.draft(
        "L-1",
        (building[0], building[1][:1]),
        starts_on=first,
        ends_on=last_day_before(second),
        on_expiry="renews",
        renewal_months=1,
    )
    add_rent(lessor, lease_id, first)
    lessor.call("activate_lease", lease_id, first)
    draft = lessor.call("renew_lease", lease_id, first, ends_on=date(2026, 4, 14))
    assert draft["renewal_day"] == 31
    lessor.call("activate_lease", uuid.UUID(draft["id"]), first)
    for _ in range(3):
        lessor.turn_over(date(2026, 5, 20))
    ends = lessor.db.execute("select ends_on from public.leases order by starts_on offset 1").fetchall()
    assert ends == [(date(2026, 4, 14),), (date(2026, 5, 14),), (date(2026, 6, 14),)]


@pytest.mark.parametrize("by_itself", [True, False])
def test_a_renewal_has_the_people_papers_rents_and_fields_of_the_lease_before(
    lessor: Lessor, building: Building, by_itself: bool
) -> None:
    lease_id = lessor.draft(
        "L-1",
        (building[0], building[1][:1]),
        ends_on=END,
        on_expiry="renews",
        renewal_months=12,
        deposit_minor=90_000,
        deposit_nonrefundable_minor=10_000,
        deposit_held_by="third_party",
        deposit_conditions="Broom-clean",
        holdover_rent_percent=150,
        notice_days=45,
    )
    run, workspace_id = lessor.db.execute, lessor.portfolio.workspace_id
    for role, share in (("co_tenant", 40), ("guarantor", None), ("occupant", None)):
        tenant_id = value(
            lessor.db,
            "insert into public.tenants (workspace_id, last_name) values (%s, %s) returning id",
            workspace_id,
            role,
        )
        run(
            """insert into public.lease_tenants (workspace_id, lease_id, tenant_id, role, share)
            values (%s, %s, %s, %s, %s)""",
            (workspace_id, lease_id, tenant_id, role, share),
        )
    step = date(2027, 7, 1)
    for day, rent in ((date(2026, 7, 1), 130_000), (step, 140_000)):
        run(
            """insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor, due_day)
            values (%s, %s, %s, %s, 5)""",
            (workspace_id, lease_id, day, rent),
        )
    for title, effective_on, signed_on in (
        ("A dog", date(2026, 3, 1), date(2026, 2, 20)),
        ("A cat", date(2027, 3, 1), date(2026, 2, 20)),
        ("Never signed", date(2026, 3, 1), None),
    ):
        run(
            """insert into public.lease_addenda (workspace_id, lease_id, title, body, effective_on, signed_on)
            values (%s, %s, %s, 'As agreed', %s, %s)""",
            (workspace_id, lease_id, title, effective_on, signed_on),
        )
    fields = {"parking": "P7", "pets": 2, "broker": "gone"}
    for key, kind in (("parking", "text"), ("pets", "integer"), ("broker", "text"), ("insured", "boolean")):
        run(
            """insert into public.custom_field_definitions (workspace_id, entity, key, label, type)
            values (%s, 'leases', %s, %s, %s)""",
            (workspace_id, key, key, kind),
        )
    run(
        "insert into public.lease_custom_fields (workspace_id, lease_id, fields) values (%s, %s, %s)",
        (workspace_id, lease_id, Jsonb(fields)),
    )
    run("update public.custom_field_definitions set status = 'archived' where key = 'broker'")
    # What was made required since stops no lease from renewing by itself.
    run("update public.custom_field_definitions set required = true where key = 'insured'")
    lessor.call("activate_lease", lease_id, START)
    lessor.call(
        "amend_lease", lease_id, MIDDLE, title="Shorter notice", effective_on=MIDDLE, notice_days=20,
        signed_on=MIDDLE,
    )  # fmt: skip
    if by_itself:
        assert lessor.turn_over(NEXT)["leases_renewed"] == 1
    else:
        lessor.call("renew_lease", lease_id, MIDDLE, ends_on=date(2027, 12, 31))
    renewal_id = value(lessor.db, "select id from public.leases where renewed_from_id = %s", lease_id)

    same = """select notice_days, holdover_rent_percent, deposit_minor, deposit_nonrefundable_minor,
        deposit_held_by, deposit_conditions, currency from public.leases where id = %s"""
    assert run(same, (renewal_id,)).fetchone() == run(same, (lease_id,)).fetchone()
    people = """select t.last_name, lt.role, lt.share from public.lease_tenants as lt
        join public.tenants as t on t.id = lt.tenant_id where lt.lease_id = %s order by 1"""
    assert run(people, (renewal_id,)).fetchall() == [
        ("Renter", "primary", None),
        ("co_tenant", "co_tenant", 40),
        ("guarantor", "guarantor", None),
        ("occupant", "occupant", None),
    ]
    rents = "select effective_on, rent_minor, due_day from public.lease_terms where lease_id = %s order by 1"
    assert run(rents, (renewal_id,)).fetchall() == [(NEXT, 130_000, 5), (step, 140_000, 5)]
    addenda = """select title, body, effective_on, signed_on, changes from public.lease_addenda
        where lease_id = %s order by title"""
    assert run(addenda, (renewal_id,)).fetchall() == [
        ("A cat", "As agreed", date(2027, 3, 1), date(2026, 2, 20), None),
        ("A dog", "As agreed", NEXT, date(2026, 2, 20), None),
    ]
    values = "select fields from public.lease_custom_fields where lease_id = %s"
    assert run(values, (renewal_id,)).fetchall() == [({"parking": "P7", "pets": 2},)]
    assert run(values, (lease_id,)).fetchall() == [(fields,)]
    # From here on the field is asked for, as of any lease.
    with refused("custom_field_required"):
        run(
            "update public.lease_custom_fields set fields = fields || '{\"pets\": 3}' where lease_id = %s",
            (renewal_id,),
        )


def test_a_renewal_at_a_rent_of_its_own_has_no_other(lessor: Lessor, begun: Callable[..., uuid.UUID]) -> None:
    lease_id = begun()
    add_rent(lessor, lease_id, date(2027, 7, 1))
    draft = lessor.call("renew_lease", lease_id, MIDDLE, ends_on=date(2027, 12, 31), rent_minor=131_000)
    rents = "select effective_on, rent_minor from public.lease_terms where lease_id = %s"
    assert lessor.db.execute(rents, (draft["id"],)).fetchall() == [(NEXT, 131_000)]


def test_a_lease_for_which_a_renewal_is_drafted_does_not_renew_by_itself(
    lessor: Lessor, begun: Callable[..., uuid.UUID]
) -> None:
    lease_id = begun(on_expiry="renews", renewal_months=6)
    lessor.call("renew_lease", lease_id, MIDDLE, ends_on=date(2027, 3, 31))
    assert lessor.turn_over(NEXT)["leases_renewed"] == 0
    assert [possession for _, possession in lessor.held(lease_id)] == [days(START)]


# Transfer and amendment


def test_renters_move_to_another_unit_and_back(
    lessor: Lessor, building: Building, begun: Callable[..., uuid.UUID]
) -> None:
    lease_id, (first, second) = begun(), building[1]
    move = {"from_unit_id": first, "to_unit_id": second, "on_date": date(2026, 3, 1)}
    lessor.call("transfer_unit", lease_id, MIDDLE, **move)
    lessor.call(
        "transfer_unit",
        lease_id,
        MIDDLE,
        from_unit_id=second,
        to_unit_id=first,
        on_date=date(2026, 5, 1),
    )
    assert lessor.held(lease_id) == [
        (first, days(START, date(2026, 2, 28))),
        (second, days(date(2026, 3, 1), date(2026, 4, 30))),
        (first, days(date(2026, 5, 1), END)),
    ]
    addenda = lessor.db.execute("select title from public.lease_addenda order by created_at").fetchall()
    assert addenda == [("Transfer from unit 0 to unit 1",), ("Transfer from unit 1 to unit 0",)]
    lessor.call("end_lease", lease_id, MIDDLE, ended_on=MIDDLE)
    assert lessor.held(lease_id)[-1] == (first, days(date(2026, 5, 1), MIDDLE))


def test_a_unit_that_was_given_up_is_free_and_its_renters_are_in_nobodys_way(
    lessor: Lessor, building: Building, begun: Callable[..., uuid.UUID]
) -> None:
    lease_id, (first, second) = begun(), building[1]
    lessor.call(
        "transfer_unit", lease_id, MIDDLE, from_unit_id=first, to_unit_id=second, on_date=date(2026, 3, 1)
    )
    following = lessor.draft("L-2", (building[0], [first]), starts_on=date(2026, 3, 1))
    assert lessor.call("activate_lease", following, MIDDLE)["status"] == "active"
    with refused("possession_overlap"):
        lessor.call("transfer_unit", lease_id, MIDDLE, from_unit_id=second, to_unit_id=first, on_date=MIDDLE)


@pytest.mark.parametrize("case", ["not held", "not that day", "itself", "elsewhere", "nowhere"])
def test_a_transfer_that_cannot_be_is_refused(
    lessor: Lessor, building: Building, begun: Callable[..., uuid.UUID], case: str
) -> None:
    lease_id, (first, second) = begun(), building[1]
    abroad = lessor.portfolio.building(1)[1][0]
    move: dict[str, Any] = {"from_unit_id": first, "to_unit_id": second, "on_date": MIDDLE}
    changes: dict[str, dict[str, Any]] = {
        "not held": {"from_unit_id": second, "to_unit_id": first},
        "not that day": {"on_date": NEXT},
        "itself": {"to_unit_id": first},
        "elsewhere": {"to_unit_id": abroad},
        "nowhere": {"to_unit_id": uuid.uuid4()},
    }
    with refused("transfer_impossible"):
        lessor.call("transfer_unit", lease_id, MIDDLE, **{**move, **changes[case]})


def test_an_addendum_changes_the_term_and_the_rent_and_says_so(
    lessor: Lessor, begun: Callable[..., uuid.UUID]
) -> None:
    lease_id, until = begun(), date(2027, 6, 30)
    amended = lessor.call(
        "amend_lease",
        lease_id,
        MIDDLE,
        title="Half a year more",
        effective_on=NEXT,
        signed_on=MIDDLE,
        ends_on=until,
        rent_minor=140_000,
    )
    assert (amended["ends_on"], amended["amendments"]) == (str(until), 1)
    assert [possession for _, possession in lessor.held(lease_id)] == [days(START, until)]
    rents = "select effective_on, rent_minor from public.lease_terms where lease_id = %s order by 1"
    assert lessor.db.execute(rents, (lease_id,)).fetchall() == [(START, 125_000), (NEXT, 140_000)]
    changes = lessor.db.execute("select changes from public.lease_addenda").fetchone()
    assert changes == (
        {
            "ends_on": {"from": str(END), "to": str(until)},
            "rent_minor": {"from": 125_000, "to": 140_000},
        },
    )


def test_no_term_changes_without_an_addendum_whoever_writes(
    lessor: Lessor, begun: Callable[..., uuid.UUID]
) -> None:
    lease_id = begun()
    for change in ("ends_on = '2027-06-30'", "on_expiry = 'month_to_month'", "notice_days = 5"):
        with refused("lease_not_draft"):
            lessor.db.execute(f"update public.leases set {change} where id = %s", (lease_id,))
    with refused("lease_not_draft"):
        lessor.db.execute(
            "update public.leases set deposit_minor = 1, amendments = amendments + 1 where id = %s",
            (lease_id,),
        )


def test_a_lease_signed_ahead_begins_earlier_or_later_by_addendum(lessor: Lessor, building: Building) -> None:
    lease_id = lessor.draft("L-1", (building[0], building[1][:1]), ends_on=END)
    lessor.call("activate_lease", lease_id, date(2025, 11, 1))
    change = {"title": "First day", "effective_on": START}
    late = date(2026, 2, 1)
    lessor.call("amend_lease", lease_id, date(2025, 11, 2), **change, starts_on=late)
    assert [possession for _, possession in lessor.held(lease_id)] == [days(late, END)]
    early = date(2025, 12, 1)
    lessor.call("amend_lease", lease_id, date(2025, 11, 3), **change, starts_on=early)
    assert [possession for _, possession in lessor.held(lease_id)] == [days(early, END)]
    rents = "select effective_on, rent_minor from public.lease_terms where lease_id = %s order by 1"
    assert lessor.db.execute(rents, (lease_id,)).fetchone() == (early, 125_000)
    lessor.turn_over(early)
    with refused("amendment_out_of_range"):
        lessor.call("amend_lease", lease_id, early, **change, starts_on=late)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "amendment_incomplete"),
        ({"title": " "}, "amendment_incomplete"),
        ({"notice_days": 30}, "amendment_incomplete"),
        ({"ends_on": START - timedelta(days=1)}, "amendment_out_of_range"),
        ({"on_expiry": "renews"}, "amendment_out_of_range"),
        ({"on_expiry": "never"}, "amendment_out_of_range"),
        ({"rent_minor": -1}, "amendment_out_of_range"),
        ({"due_day": 32}, "amendment_out_of_range"),
        ({"rent_minor": 1, "effective_on": START - timedelta(days=1)}, "amendment_out_of_range"),
    ],
)
def test_an_amendment_that_cannot_be_is_refused(
    lessor: Lessor, begun: Callable[..., uuid.UUID], change: dict[str, Any], code: str
) -> None:
    lease_id = begun()
    with refused(code):
        lessor.call("amend_lease", lease_id, MIDDLE, **{"title": "No", "effective_on": MIDDLE, **change})
    assert lessor.lease(lease_id)["amendments"] == 0


def test_a_longer_term_does_not_run_into_the_next_lease(
    lessor: Lessor, building: Building, begun: Callable[..., uuid.UUID]
) -> None:
    lease_id = begun()
    following = lessor.draft("L-2", (building[0], building[1][:1]), starts_on=NEXT)
    lessor.call("activate_lease", following, MIDDLE)
    with refused("possession_overlap"):
        lessor.call(
            "amend_lease", lease_id, MIDDLE, title="Longer", effective_on=MIDDLE, ends_on=date(2027, 1, 1)
        )
    assert lessor.lease(lease_id)["ends_on"] == str(END)


# An early end


def test_a_lease_is_ended_early_for_a_reason(lessor: Lessor, begun: Callable[..., uuid.UUID]) -> None:
    lease_id = begun()
    for missing in (None, "", "  "):
        with refused("reason_required"):
            lessor.call("terminate_lease", lease_id, MIDDLE, reason=missing, ended_on=MIDDLE)
    over = lessor.call("terminate_lease", lease_id, MIDDLE, reason="Rent was not paid", ended_on=MIDDLE)
    assert (over["status"], over["ended_on"], over["moved_out_on"]) == (
        "terminated",
        str(MIDDLE),
        str(MIDDLE),
    )
    assert lessor.history(lease_id)[-1] == ("terminated", str(MIDDLE), "Rent was not paid")
    assert [possession for _, possession in lessor.held(lease_id)] == [days(START, MIDDLE)]


def test_a_lease_called_off_before_it_began_frees_its_unit(lessor: Lessor, building: Building) -> None:
    one = (building[0], building[1][:1])
    lease_id, other = lessor.draft("L-1", one), lessor.draft("L-2", one)
    lessor.call("activate_lease", lease_id, date(2025, 11, 1))
    with refused("end_out_of_range"):
        lessor.call("terminate_lease", lease_id, date(2025, 11, 2), reason="No", ended_on=START)
    off = lessor.call("terminate_lease", lease_id, date(2025, 11, 2), reason="They found another home")
    assert (off["status"], off["ended_on"]) == ("terminated", None)
    assert lessor.held(lease_id) == []
    assert lessor.call("activate_lease", other, date(2025, 11, 3))["status"] == "pending"


# The whole property


def test_a_lease_of_the_whole_property_holds_units_that_are_added_later(
    lessor: Lessor, building: Building
) -> None:
    lease_id = lessor.draft("L-1", (building[0], []), whole_property=True, ends_on=date(2090, 12, 31))
    lessor.call("activate_lease", lease_id, START)
    assert {unit for unit, _ in lessor.held(lease_id)} == set(building[1])
    added = uuid.uuid4()
    lessor.db.execute(
        "insert into public.units (id, workspace_id, property_id, unit_number) values (%s, %s, %s, 'attic')",
        (added, lessor.portfolio.workspace_id, building[0]),
    )
    assert [possession for unit, possession in lessor.held(lease_id) if unit == added] == [
        days(date.today(), date(2090, 12, 31))
    ]
    other = lessor.draft("L-2", (building[0], [added]), starts_on=date(2080, 1, 1))
    add_rent(lessor, other, date(2080, 1, 1))
    with refused("possession_overlap"):
        lessor.call("activate_lease", other, MIDDLE)
    with refused("lease_of_whole_property"):
        lessor.call(
            "transfer_unit", lease_id, MIDDLE, from_unit_id=added, to_unit_id=building[1][0], on_date=MIDDLE
        )


def test_a_unit_added_while_the_whole_property_is_let_belongs_to_the_lease(
    lessor: Lessor, building: Building, database: str
) -> None:
    lease_id = lessor.draft("L-1", (building[0], []), whole_property=True)
    add = """insert into public.units (workspace_id, property_id, unit_number)
        values (%s, %s, 'attic') returning id"""
    added = met(
        lessor.portfolio,
        database,
        acting(lessor.portfolio.owner_id, "select (public.activate_lease(%s)).status", lease_id),
        acting(lessor.portfolio.owner_id, add, lessor.portfolio.workspace_id, building[0]),
    )
    assert {unit for unit, _ in lessor.held(lease_id)} == {*building[1], added}


def test_the_lease_of_the_whole_property_waits_for_a_unit_that_is_being_added(
    lessor: Lessor, building: Building, database: str
) -> None:
    lease_id = lessor.draft("L-1", (building[0], []), whole_property=True)
    add = """insert into public.units (workspace_id, property_id, unit_number)
        values (%s, %s, 'attic') returning id"""
    outcome = met(
        lessor.portfolio,
        database,
        acting(lessor.portfolio.owner_id, add, lessor.portfolio.workspace_id, building[0]),
        acting(lessor.portfolio.owner_id, "select (public.activate_lease(%s)).status", lease_id),
    )
    assert outcome == "active"
    assert len(lessor.held(lease_id)) == 3


def test_no_unit_is_added_while_the_lease_of_the_whole_property_ends(
    lessor: Lessor, building: Building, database: str
) -> None:
    lease_id = lessor.draft("L-1", (building[0], []), whole_property=True)
    lessor.call("activate_lease", lease_id, START)
    with psycopg.connect(database) as other:
        acting(
            lessor.portfolio.owner_id,
            "select (private.end_lease(%s, '2026-03-01', now())).status",
            lease_id,
        )(other)
        with refused("lease_busy"):
            lessor.db.execute(
                "insert into public.units (workspace_id, property_id, unit_number) values (%s, %s, 'attic')",
                (lessor.portfolio.workspace_id, building[0]),
            )


# Two at once


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        (
            "end_lease(%s, '2026-03-01', now())",
            "terminate_lease(%s, 'No', '2026-03-01', now())",
            "lease_not_active",
        ),
        ("give_notice(%s, 'renter', '2090-01-01', null, null, now())",) * 2 + ("lease_not_active",),
        ("renew_lease(%s, null, null, null, null, now())",) * 2 + ("lease_renewed",),
        (
            "end_lease(%s, '2026-03-01', now())",
            "renew_lease(%s, null, null, null, null, now())",
            "lease_not_active",
        ),
    ],
)
def test_of_two_who_change_a_lease_at_once_the_second_sees_what_the_first_did(
    lessor: Lessor, begun: Callable[..., uuid.UUID], database: str, first: str, second: str, code: str
) -> None:
    lease_id, owner = begun(), lessor.portfolio.owner_id
    outcome = met(
        lessor.portfolio,
        database,
        acting(owner, f"select (private.{first}).status", lease_id),
        acting(owner, f"select (private.{second}).status", lease_id),
    )
    assert code in refusal(outcome)


def add_rent(lessor: Lessor, lease_id: uuid.UUID, day: date) -> None:
    lessor.db.execute(
        """insert into public.lease_terms (workspace_id, lease_id, effective_on, rent_minor)
        values (%s, %s, %s, 1)""",
        (lessor.portfolio.workspace_id, lease_id, day),
    )
