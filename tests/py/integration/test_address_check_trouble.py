"""Checks of addresses when things change under them, fail, or are told what can't be kept."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.py.integration.address_office import BETTER, TYPED, Office, make_visible
from tests.py.integration.meeting import acting, asked
from tests.py.integration.searches import limit, value
from tests.py.support import wait_until

Db = psycopg.Connection[Any]
VERIFIED: dict[str, Any] = {"address_status": "verified", "address": TYPED, "place_id": "p"}


@pytest.fixture
def office(db: Db) -> Office:
    return Office(db)


def used(office: Office) -> tuple[int, int]:
    row = office.db.execute(
        "select coalesce(sum(calls), 0), coalesce(sum(cost_microdollars), 0) from public.places_usage"
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def test_an_address_that_changed_while_it_waited_is_asked_about_as_it_stands(office: Office) -> None:
    house = office.add()
    office.queue()
    office.change(house, address_line1="2 Oak")
    (claim,) = office.claim()
    assert claim["check"]["address"]["address_line1"] == "2 Oak"
    office.begin(claim)
    assert office.complete(claim, **VERIFIED) == "verified"


@pytest.mark.parametrize(
    "change", [{"address_status": "verified", "place_id": "q"}, {"address_status": "corrected"}]
)
def test_an_address_that_a_person_confirmed_while_it_waited_is_not_asked_about(
    office: Office, change: dict[str, str]
) -> None:
    house = office.add()
    office.queue()
    office.change(house, **change)
    assert office.claim() == []
    assert office.waiting() == 0
    assert value(office.db, "select status from private.address_checks") == "done"
    office.change(house, address_status="unverified")
    assert office.queue()["verify"] == 1, "unverified again, it is asked about"


def test_an_address_that_a_person_confirmed_meanwhile_gets_no_proposal(office: Office) -> None:
    house = office.add()
    office.queue()
    (claim,) = office.claim()
    office.begin(claim)
    office.change(house, address_status="corrected")
    answer: dict[str, Any] = {"address_status": "corrected", "address": BETTER, "place_id": "p"}
    assert office.complete(claim, **answer) == "outdated"
    assert value(office.db, "select count(*) from public.address_corrections") == 0
    assert office.read(house, "address_status", "place_id") == ["corrected", None]


def test_a_place_that_was_taken_away_while_it_waited_is_not_asked_about(office: Office) -> None:
    house = office.add(place_id="p", address_status="verified")
    manager = uuid.UUID(office.manager.user_id)
    assert asked(office.db, manager, "select public.locate_property(%s)", house)
    office.change(house, place_id=None)
    assert office.claim() == []
    assert office.waiting() == 0


def test_a_place_that_is_gone_has_its_address_asked_about_again_even_if_it_was_before(office: Office) -> None:
    house = office.add()
    office.queue()
    (claim,) = office.claim()
    office.begin(claim)
    office.complete(claim, **VERIFIED)
    later = value(office.db, "select now()") + timedelta(days=367)
    assert office.queue(later) == {"verify": 0, "renew": 1}
    (claim,) = office.claim()
    office.begin(claim)
    assert office.complete(claim, later, place_id=None) == "gone"
    assert office.read(house, "place_id", "address_status") == [None, "unverified"]
    assert office.queue(later)["verify"] == 1


def test_a_place_found_gone_when_its_position_is_asked_for_is_gone(office: Office) -> None:
    house = office.add(place_id="p", address_status="verified")
    manager = uuid.UUID(office.manager.user_id)
    asked(office.db, manager, "select public.locate_property(%s)", house)
    (claim,) = office.claim()
    office.begin(claim)
    assert office.complete(claim, place_id=None) == "gone"
    assert office.read(house, "place_id", "address_status") == [None, "unverified"]


def test_to_take_the_place_away_with_the_address_leaves_it_unverified(office: Office) -> None:
    house = office.add(address_status="verified", place_id="p")
    office.change(house, address_line1="2 Elm", place_id=None)
    assert office.read(house, "address_status", "place_id") == ["unverified", None]


@pytest.mark.parametrize(
    "answer",
    [
        {**VERIFIED, "place_id": "p" * 2001},
        {**VERIFIED, "place_id": ""},
        {**VERIFIED, "latitude": 91, "longitude": 0},
        {**VERIFIED, "latitude": "north", "longitude": 0},
        {"address_status": "corrected", "address": {**BETTER, "city": None}, "place_id": "p"},
        {"address_status": "corrected", "address": BETTER, "provider": "somebody"},
    ],
)
def test_an_answer_that_can_not_be_kept_is_given_up_and_not_asked_for_again(
    office: Office, answer: dict[str, Any]
) -> None:
    house = office.add()
    before = office.read(house, "to_jsonb(properties)")
    office.queue()
    (claim,) = office.claim()
    office.begin(claim)
    assert office.complete(claim, **answer) == "failed"
    make_visible(office.db)
    assert (office.claim(), office.waiting(), office.given_up()) == ([], 0, 1)
    assert office.read(house, "to_jsonb(properties)") == before
    error = str(value(office.db, "select last_error from private.address_checks"))
    assert "can't be kept" in error
    assert "91" not in error and "north" not in error and "ppp" not in error, "what was told is told nobody"


def test_a_check_whose_workers_die_of_it_is_given_up(office: Office) -> None:
    office.add()
    office.queue()
    for _ in range(6):
        make_visible(office.db)
        (claim,) = office.claim()
        assert office.begin(claim)
    make_visible(office.db)
    assert office.claim() == []
    assert (office.waiting(), office.given_up()) == (0, 1)
    assert value(office.db, "select status from private.address_checks") == "failed"


def test_a_day_without_the_provider_costs_no_try_and_no_money(office: Office) -> None:
    limit(office.db, "places_cost_per_workspace_day", 17000)
    office.add()
    office.queue()
    for _ in range(20):
        (claim,) = office.claim()
        assert office.begin(claim), "what was not asked uses up no limit"
        assert office.release(claim) == 1
        assert office.release(claim) == 1, "told twice, it counts once"
    assert used(office) == (0, 0)
    (claim,) = office.claim()
    assert claim["check"]["attempts"] == 0
    assert office.begin(claim)
    assert office.complete(claim, **VERIFIED) == "verified"
    assert used(office) == (1, 17000)


def test_what_the_provider_may_bill_stays_counted(office: Office) -> None:
    office.add()
    office.queue()
    (claim,) = office.claim()
    office.begin(claim)
    assert office.release(claim, spent=True) == 1
    assert used(office) == (1, 17000)
    (claim,) = office.claim()
    assert claim["check"]["attempts"] == 0


def test_an_older_claim_given_back_takes_nothing_back(office: Office) -> None:
    office.add()
    office.queue()
    (stale,) = office.claim()
    office.begin(stale)
    make_visible(office.db)
    (fresh,) = office.claim()
    office.begin(fresh)
    assert office.release(stale) == 0
    assert used(office) == (2, 34000)
    assert office.complete(fresh, **VERIFIED) == "verified"


def test_waiting_for_a_limit_is_not_the_same_as_a_lost_claim(office: Office) -> None:
    limit(office.db, "places_cost_per_workspace_day", 17000)
    office.add("One")
    office.add("Two")
    office.queue()
    one, two = office.claim()
    begin = "select worker.begin_address_check(%s, %s, 'google')"
    assert value(office.db, begin, one["msg_id"], one["read_ct"]) is True
    assert value(office.db, begin, two["msg_id"], two["read_ct"]) is None
    assert value(office.db, begin, two["msg_id"], two["read_ct"] + 1) is False


def test_what_was_dismissed_is_not_proposed_again_for_the_same_address(office: Office) -> None:
    correction = office.proposed()
    manager = uuid.UUID(office.manager.user_id)
    asked(office.db, manager, "select public.dismiss_address_correction(%s)", correction["id"])
    for answer, outcome in ((BETTER, "dismissed"), ({**BETTER, "city": "Boone"}, "proposed")):
        value(office.db, "select worker.verify_addresses(%s)", office.workspace_id)
        (claim,) = office.claim()
        office.begin(claim)
        told: dict[str, Any] = {"address_status": "corrected", "address": answer, "place_id": "p"}
        assert office.complete(claim, **told) == outcome
    assert value(office.db, "select count(*) from public.address_corrections where status = 'open'") == 1


def test_a_proposal_that_should_be_deleted_by_now_can_not_be_accepted(office: Office) -> None:
    """Whether or not the job that deletes it has run."""
    correction = office.proposed()
    office.db.execute("update public.address_corrections set proposed_at = now() - interval '29 days'")
    manager = uuid.UUID(office.manager.user_id)
    for verb in ("accept", "dismiss"):
        decide = acting(manager, f"select public.{verb}_address_correction(%s)", correction["id"])
        with (
            office.db.transaction(),
            pytest.raises(psycopg.Error, match="correction_not_found"),
            office.db.transaction(),
        ):
            decide(office.db)


def test_a_property_can_be_deleted_while_its_check_is_answered(office: Office, database: str) -> None:
    """Whoever deletes it holds it and then wants the check: an answer that holds the check would deadlock."""
    house = office.add()
    office.queue()
    (claim,) = office.claim()
    office.begin(claim)
    office.db.commit()
    with (
        psycopg.connect(database) as deleting,
        psycopg.connect(database) as answering,
        ThreadPoolExecutor(1) as pool,
    ):
        deleting.execute("select from public.properties where id = %s for update", (house,))
        answer = pool.submit(Office.of(answering).complete, claim, **VERIFIED)
        waits = "select %s = any (pg_blocking_pids(%s))"
        pids = (deleting.info.backend_pid, answering.info.backend_pid)
        wait_until(lambda: value(office.db, waits, *pids))
        deleting.execute("delete from public.properties where id = %s", (house,))
        deleting.commit()
        assert answer.result(timeout=10) == "stale"
    assert value(office.db, "select count(*) from private.address_checks") == 0


def test_an_address_that_changed_while_the_provider_failed_for_good_is_asked_about(office: Office) -> None:
    house = office.add()
    office.queue()
    (claim,) = office.claim()
    office.begin(claim)
    office.change(house, address_line1="2 Oak")
    assert office.fail(claim, kind="permanent")["outcome"] == "failed"
    assert office.queue()["verify"] == 1
