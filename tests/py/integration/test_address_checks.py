"""Addresses typed by hand are checked later: what is asked, what comes of it, what stays as typed."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.py.integration.address_office import BETTER, TYPED, Office, make_visible
from tests.py.integration.meeting import acting, asked, met, refused
from tests.py.integration.portfolio import Portfolio
from tests.py.integration.searches import NOON, limit, no_limits, searcher, value

Db = psycopg.Connection[Any]


@pytest.fixture
def office(db: Db) -> Office:
    return Office(db)


def test_an_address_that_is_known_becomes_verified_with_its_place(office: Office) -> None:
    house = office.add()
    assert office.queue() == {"verify": 1, "renew": 0}
    (claim,) = office.claim()
    assert claim["check"]["address"] == TYPED
    assert office.begin(claim)
    where: dict[str, Any] = {"place_id": "p", "latitude": 42.5, "longitude": -93.5}
    assert office.complete(claim, address_status="verified", address=BETTER, **where) == "verified"
    assert office.read(house, "address_line1", "address_status", "place_id") == ["1 Elm", "verified", "p"]
    assert value(office.db, "select latitude from public.place_coordinates where place_id = %s", "p") == 42.5
    assert value(office.db, "select count(*) from pgmq.q_compliance") == 0


def test_a_better_way_to_write_it_is_proposed_and_nothing_typed_is_overwritten(office: Office) -> None:
    correction = office.proposed()
    assert (correction["status"], correction["address_line1"]) == ("open", "1 Elm Street")
    left = office.read(correction["property_id"], *TYPED, "address_status", "place_id")
    assert left == [*TYPED.values(), "unverified", None]


def test_an_address_that_nobody_knows_is_asked_about_once_until_it_changes(office: Office) -> None:
    house = office.add()
    office.queue()
    (claim,) = office.claim()
    office.begin(claim)
    assert office.complete(claim, address_status="unverified", address=TYPED) == "unknown"
    assert office.queue()["verify"] == 0
    office.change(house, city="Boone")
    assert office.queue()["verify"] == 1


def test_what_waits_is_not_queued_twice(office: Office) -> None:
    office.add()
    assert [office.queue()["verify"], office.queue()["verify"]] == [1, 0]
    assert value(office.db, "select count(*) from pgmq.q_compliance") == 1


@pytest.mark.parametrize("result", [{"address_status": "verified"}, {"address_status": "corrected"}])
def test_an_answer_about_an_address_that_was_changed_meanwhile_is_dropped(
    office: Office, result: dict[str, Any]
) -> None:
    house = office.add()
    office.queue()
    (claim,) = office.claim()
    office.begin(claim)
    office.change(house, address_line1="2 Oak")
    assert office.complete(claim, **result, address=BETTER, place_id="p") == "outdated"
    assert office.read(house, "address_line1", "address_status", "place_id") == ["2 Oak", "unverified", None]
    assert value(office.db, "select count(*) from public.address_corrections") == 0
    assert office.queue()["verify"] == 1, "the new address is asked about"


def test_an_answer_under_an_older_claim_changes_nothing(office: Office) -> None:
    house = office.add()
    office.queue()
    (stale,) = office.claim()
    office.begin(stale)
    make_visible(office.db)
    (fresh,) = office.claim()
    assert office.complete(stale, address_status="verified", address=TYPED) == "stale"
    assert office.fail(stale)["outcome"] == "stale"
    assert not office.begin(stale)
    assert office.read(house, "address_status") == ["unverified"]
    assert office.begin(fresh)
    assert office.complete(fresh, address_status="verified", address=TYPED) == "verified"


def test_an_answer_that_is_told_twice_counts_once(office: Office) -> None:
    office.add()
    office.queue()
    (claim,) = office.claim()
    assert [office.begin(claim), office.begin(claim)] == [True, True]
    assert value(office.db, "select attempts from private.address_checks") == 1
    outcomes = [office.complete(claim, address_status="verified", address=TYPED) for _ in range(2)]
    assert outcomes == ["verified", "stale"]


def test_what_fails_is_tried_again_six_times_and_then_given_up(office: Office) -> None:
    house = office.add()
    office.queue()
    outcomes: list[str] = []
    for _ in range(6):
        make_visible(office.db)
        (claim,) = office.claim()
        assert claim["check"]["attempts"] == len(outcomes)
        assert office.begin(claim)
        outcomes.append(office.fail(claim)["outcome"])
    assert outcomes == ["retry"] * 5 + ["failed"]
    assert value(office.db, "select count(*) from pgmq.q_compliance") == 0
    assert value(office.db, "select message ->> 'error' from pgmq.q_compliance_dead") == "no"
    assert office.queue()["verify"] == 0
    office.change(house, city="Boone")
    assert office.queue()["verify"] == 1


def test_a_named_delay_is_kept_and_a_refusal_for_good_is_not_tried_again(office: Office) -> None:
    office.add("One")
    office.add("Two")
    office.queue()
    one, two = office.claim()
    assert office.fail(one, retry_after_seconds=77) == {
        "msg_id": one["msg_id"], "outcome": "retry", "delay_seconds": 77,
    }  # fmt: skip
    assert office.fail(two, kind="permanent")["outcome"] == "failed"


def test_a_claim_that_is_given_back_costs_no_attempt(office: Office) -> None:
    office.add()
    office.queue()
    (claim,) = office.claim()
    assert office.claim() == []
    assert value(office.db, "select worker.release_address_checks(%s)", json.dumps([claim])) == 1
    (again,) = office.claim()
    assert again["check"]["attempts"] == 0


def test_a_property_that_is_gone_is_not_asked_about(office: Office) -> None:
    house = office.add()
    office.queue()
    office.db.execute("delete from public.properties where id = %s", (house,))
    assert office.claim() == []
    assert value(office.db, "select count(*) from pgmq.q_compliance") == 0


def test_checks_count_against_the_workspace_s_limits_and_wait_for_them(office: Office) -> None:
    limit(office.db, "places_cost_per_workspace_day", 17000)
    office.add("One")
    office.add("Two")
    office.queue()
    one, two = office.claim()
    assert office.begin(one)
    assert not office.begin(two)
    assert value(office.db, "select sum(calls) from public.places_usage") == 1
    waits = "select extract(epoch from vt - clock_timestamp()) > 1 from pgmq.q_compliance where msg_id = %s"
    assert value(office.db, waits, two["msg_id"])
    assert value(office.db, "select sum(attempts) from private.address_checks") == 1


def test_the_mail_queue_s_consumer_can_not_take_checks(office: Office) -> None:
    office.add()
    office.queue()
    with (
        office.db.transaction(),
        pytest.raises(psycopg.Error, match="queue_not_found"),
        office.db.transaction(),
    ):
        office.db.execute("select worker.claim_messages('compliance')")
    assert len(office.claim()) == 1


def test_place_ids_are_renewed_after_twelve_months(office: Office) -> None:
    house, moved, gone = (
        office.add(name, place_id=name, address_status="verified") for name in ("same", "moved", "gone")
    )
    office.add("local", place_id="local:1", address_status="verified")
    now = value(office.db, "select now()")
    assert office.queue(now + timedelta(days=364)) == {"verify": 0, "renew": 0}
    later = now + timedelta(days=367)
    assert office.queue(later) == {"verify": 0, "renew": 3}
    outcomes = {"same": "renewed", "moved": "renewed", "gone": "gone"}
    results = {"same": "same", "moved": "elsewhere", "gone": None}
    for claim in office.claim():
        assert claim["check"]["kind"] == "renew"
        assert office.begin(claim)
        assert (
            office.complete(claim, later, place_id=results[claim["check"]["place_id"]])
            == outcomes[claim["check"]["place_id"]]
        )
    assert office.read(house, "place_id", "address_status") == ["same", "verified"]
    assert office.read(moved, "place_id", "address_status") == ["elsewhere", "verified"]
    assert office.read(gone, "place_id", "address_status") == [None, "unverified"]
    assert value(office.db, "select coalesce(sum(calls), 0) from public.places_usage") == 0, "renewal is free"
    assert office.queue(later) == {"verify": 1, "renew": 0}


def test_coordinates_are_fetched_again_when_asked_for(office: Office) -> None:
    house = office.add(place_id="p", address_status="verified")
    manager = uuid.UUID(office.manager.user_id)
    locate = "select public.locate_property(%s)"
    assert [asked(office.db, manager, locate, house) for _ in range(2)] == [True, False]
    (claim,) = office.claim()
    assert claim["check"]["kind"] == "locate"
    office.begin(claim)
    now = value(office.db, "select now()")
    assert office.complete(claim, now, place_id="p", latitude=42.5, longitude=-93.5) == "located"
    assert value(office.db, "select p.coordinates ->> 'source' from public.properties as p") == "google"
    assert asked(office.db, manager, locate, house) is False


def test_a_proposal_is_accepted_by_a_person(office: Office) -> None:
    correction = office.proposed()
    accept = "select address_line1 from public.accept_address_correction(%s)"
    assert asked(office.db, uuid.UUID(office.manager.user_id), accept, correction["id"]) == "1 Elm Street"
    columns = ("address_line1", "postal_code", "address_status", "place_id")
    assert office.read(correction["property_id"], *columns) == [
        "1 Elm Street",
        "50010-1234",
        "corrected",
        "p",
    ]
    assert office.queue()["verify"] == 0


def test_a_proposal_for_an_address_that_was_changed_since_is_outdated(office: Office) -> None:
    correction = office.proposed()
    office.change(correction["property_id"], city="Boone")
    accept = acting(
        uuid.UUID(office.manager.user_id), "select public.accept_address_correction(%s)", correction["id"]
    )
    with (
        office.db.transaction(),
        pytest.raises(psycopg.Error, match="correction_outdated"),
        office.db.transaction(),
    ):
        accept(office.db)
    assert office.read(correction["property_id"], "city", "address_line1") == ["Boone", "1 Elm"]


def test_one_that_is_dismissed_is_not_proposed_again_until_the_address_changes(office: Office) -> None:
    correction = office.proposed()
    dismiss = "select status from public.dismiss_address_correction(%s)"
    assert asked(office.db, uuid.UUID(office.manager.user_id), dismiss, correction["id"]) == "dismissed"
    assert office.queue()["verify"] == 0
    assert office.read(correction["property_id"], "address_line1", "address_status") == [
        "1 Elm",
        "unverified",
    ]


@pytest.mark.parametrize("second", ["accept", "dismiss"])
def test_of_two_who_decide_at_once_one_does(office: Office, database: str, second: str) -> None:
    correction = office.proposed()
    office.db.commit()
    manager = uuid.UUID(office.manager.user_id)
    portfolio = Portfolio(office.db)
    office.db.commit()
    accept = acting(manager, "select public.accept_address_correction(%s)", correction["id"])
    later = acting(manager, f"select public.{second}_address_correction(%s)", correction["id"])
    assert "correction_settled" in refused(met(portfolio, database, accept, later))


def test_proposals_do_not_get_thirty_days_old_and_open_ones_are_asked_for_anew(office: Office) -> None:
    office.proposed()
    purge = "select worker.purge_places(%s)"
    assert value(office.db, purge, NOON + timedelta(days=28))["address_corrections"] == 0
    assert value(office.db, purge, NOON + timedelta(days=29))["address_corrections"] == 1
    assert value(office.db, "select count(*) from public.address_corrections") == 0
    assert office.queue()["verify"] == 1


def test_nothing_that_was_proposed_reaches_the_change_log(office: Office) -> None:
    office.proposed()
    told = "select count(*) from public.audit_entries as e where e::text like '%50010-1234%'"
    assert office.db.execute(told).fetchone() == (0,)


def test_an_address_changed_by_hand_is_unverified_and_elsewhere(office: Office) -> None:
    house = office.add(address_status="verified", place_id="p")
    state = ("address_status", "place_id")
    office.change(house, name="Home", address_line2="Apt 4")
    assert office.read(house, *state) == ["verified", "p"]
    office.change(house, address_line1="2 Elm")
    assert office.read(house, *state) == ["unverified", None]
    office.change(house, address_line1="3 Elm", place_id="q", address_status="verified")
    assert office.read(house, *state) == ["verified", "q"]
    office.change(house, address_line1="4 Elm", place_id="r")
    assert office.read(house, *state) == ["verified", "r"]


def test_many_workers_check_each_address_once(db: Db, database: str) -> None:
    office = Office(db)
    no_limits(db)
    for number in range(60):
        office.add(f"House {number}")
    assert office.queue()["verify"] == 60
    db.commit()

    def work(_: int) -> int:
        done = 0
        with psycopg.connect(database, autocommit=True) as connection:
            mine = Office.of(connection)
            while claims := mine.claim():
                for claim in claims[:7]:
                    if mine.begin(claim):
                        result = mine.complete(claim, address_status="verified", address=TYPED)
                        done += result == "verified"
                value(connection, "select worker.release_address_checks(%s)", json.dumps(claims[7:]))
        return done

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(work, range(6))) == 60
    assert value(db, "select count(*) from public.properties where address_status = 'verified'") == 60
    assert value(db, "select sum(calls) from public.places_usage") == 60


def test_an_operator_has_a_workspace_checked_by_its_name(office: Office) -> None:
    office.add()
    office.db.execute("update public.workspaces set name = 'Elm Homes' where id = %s", (office.workspace_id,))
    verify = "select worker.verify_addresses(%s)"
    expected = {"workspace_id": office.workspace_id, "unverified": 1, "queued": 1, "last": None}
    assert value(office.db, verify, "Elm Homes") == expected
    assert value(office.db, verify, office.workspace_id) == {**expected, "queued": 0}
    searcher(office.db)
    office.db.execute("update public.workspaces set name = 'Elm Homes'")
    for name, code in (("Elm Homes", "workspace_ambiguous"), ("Nobody", "workspace_not_found")):
        with office.db.transaction(), pytest.raises(psycopg.Error, match=code), office.db.transaction():
            value(office.db, verify, name)
