"""Which calls to services for addresses go out: whose, in which session, how many, and at what cost."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.py.integration.searches import (
    NOON,
    admit,
    admitted,
    call,
    cost,
    limit,
    no_limits,
    open_session,
    searcher,
    value,
)

Db = psycopg.Connection[Any]
SECOND = timedelta(seconds=1)
# Google's list prices, in millionths of a dollar.
AUTOCOMPLETE, DETAILS, VALIDATION = 2830, 5000, 17000


def reason(answers: list[dict[str, Any]]) -> Any:
    (answer,) = answers
    return answer["reason"]


def test_a_selection_is_one_session_under_one_token_that_nobody_is_told(db: Db) -> None:
    who = searcher(db)
    session = open_session(db, who)
    answers = [
        *admit(db, [call(who, session_id=session)]),
        *admit(db, [call(who, session_id=session)] * 2, NOON + SECOND),
        *admit(db, [call(who, "details", session)], NOON + 2 * SECOND),
    ]
    assert admitted(answers) == 4
    (token,) = {answer["provider_token"] for answer in answers}
    assert token not in (None, session)


@pytest.mark.parametrize("closing", ["details", "validate"])
@pytest.mark.parametrize("later", ["autocomplete", "details", "validate"])
def test_a_session_that_was_ended_is_over_for_every_kind_of_call(db: Db, closing: str, later: str) -> None:
    who = searcher(db)
    session = open_session(db, who)
    assert admitted(admit(db, [call(who, closing, session)])) == 1
    assert reason(admit(db, [call(who, later, session)])) == "places_invalid_session"
    assert reason(admit(db, [call(who, later, session, "two")])) == "places_invalid_session"


def test_within_one_batch_what_comes_after_the_end_comes_too_late(db: Db) -> None:
    who = searcher(db)
    session = open_session(db, who)
    batch = [
        call(who, kind, session)
        for kind in ("autocomplete", "details", "autocomplete", "validate", "details")
    ]
    assert [answer["admitted"] for answer in admit(db, batch)] == [True, True, False, False, False]


def test_a_session_is_its_users_in_its_workspace_alone(db: Db) -> None:
    who, other = searcher(db), searcher(db)
    colleague = searcher(db, workspace_id=who.workspace_id)
    db.execute(
        "insert into public.workspace_members (workspace_id, user_id, role) values (%s, %s, 'manager')",
        (other.workspace_id, who.user_id),
    )
    session = open_session(db, who)
    for thief in (colleague, other, who._replace(workspace_id=other.workspace_id)):
        assert reason(admit(db, [call(thief, session_id=session)])) == "places_invalid_session"
        assert reason(admit(db, [call(thief, "details", session)])) == "places_invalid_session"
    assert admitted(admit(db, [call(who, session_id=session)])) == 1


@pytest.mark.parametrize("kind", ["autocomplete", "details", "validate"])
def test_a_session_that_nobody_opened_is_none(db: Db, kind: str) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    assert reason(admit(db, [call(searcher(db), kind, unknown)])) == "places_invalid_session"


def test_autocomplete_and_details_need_a_session_and_validation_does_not(db: Db) -> None:
    who = searcher(db)
    assert reason(admit(db, [call(who)])) == "places_invalid_session"
    assert reason(admit(db, [call(who, "details")])) == "places_invalid_session"
    (answer,) = admit(db, [call(who, "validate")])
    assert answer["admitted"] and answer["provider_token"] is None


def test_a_session_ends_after_three_idle_minutes_and_lives_for_thirty_at_most(db: Db) -> None:
    who = searcher(db)
    session = open_session(db, who)
    now = NOON
    for _ in range(11):
        now += timedelta(seconds=160)
        assert admitted(admit(db, [call(who, session_id=session)], now)) == 1
    assert (
        reason(admit(db, [call(who, session_id=session)], NOON + timedelta(minutes=30)))
        == "places_invalid_session"
    )
    idle = open_session(db, who)
    assert (
        reason(admit(db, [call(who, session_id=idle)], NOON + timedelta(minutes=3)))
        == "places_invalid_session"
    )


@pytest.mark.parametrize(
    ("role", "refused"),
    [("viewer", "permission_denied"), ("accountant", "permission_denied"), ("manager", None)],
)
def test_searching_takes_the_right_to_change_properties(db: Db, role: str, refused: str | None) -> None:
    who = searcher(db, role=role)
    (answer,) = admit(db, [call(who, "validate")])
    assert answer.get("reason") == refused
    if refused:
        with pytest.raises(psycopg.Error, match=refused):
            open_session(db, who)


def test_an_outsider_and_one_who_was_suspended_meanwhile_are_answered_as_if_there_were_no_workspace(
    db: Db,
) -> None:
    who, other = searcher(db), searcher(db)
    session = open_session(db, who)
    assert (
        reason(admit(db, [call(who._replace(workspace_id=other.workspace_id), "validate")]))
        == "workspace_not_found"
    )
    nowhere = who._replace(workspace_id="00000000-0000-4000-8000-000000000000")
    assert reason(admit(db, [call(nowhere, "validate")])) == "workspace_not_found"
    db.execute("update public.workspace_members set status = 'suspended' where user_id = %s", (who.user_id,))
    assert reason(admit(db, [call(who, session_id=session)])) == "workspace_not_found"
    with db.transaction(), pytest.raises(psycopg.Error, match="workspace_not_found"), db.transaction():
        open_session(db, who)


def test_an_end_goes_without_the_token_while_another_process_may_still_be_asking_with_it(db: Db) -> None:
    who = searcher(db)
    for others, token_is_given in ((2.9, False), (3.0, True)):
        session = open_session(db, who)
        admit(db, [call(who, session_id=session, instance="two")])
        admit(db, [call(who, session_id=session, instance="one")], NOON + 0.1 * SECOND)
        (answer,) = admit(db, [call(who, "details", session, "one")], NOON + others * SECOND)
        assert (answer["provider_token"] is not None) == token_is_given
        assert (
            reason(admit(db, [call(who, "details", session, "one")], NOON + 4 * SECOND))
            == "places_invalid_session"
        )


@pytest.mark.parametrize("name", ["places_per_user", "places_per_workspace"])
def test_a_minute_has_so_many_calls_and_the_next_one_as_many_again(db: Db, name: str) -> None:
    no_limits(db)
    limit(db, name, 3)
    who = searcher(db)
    answers = admit(db, [call(who, "validate")] * 5, NOON + 15 * SECOND)
    assert [answer.get("remaining") for answer in answers] == [2, 1, 0, None, None]
    assert answers[3] == {"admitted": False, "reason": "places_quota", "scope": name, "retry_after": 45}
    assert admitted(admit(db, [call(who, "validate")], NOON + 59 * SECOND)) == 0
    assert admitted(admit(db, [call(who, "validate")] * 5, NOON + 60 * SECOND)) == 3
    assert admitted(admit(db, [call(searcher(db), "validate")], NOON)) == 1


def test_a_days_calls_are_counted_by_workspace(db: Db) -> None:
    no_limits(db)
    limit(db, "places_per_workspace_day", 2)
    who = searcher(db)
    colleague = searcher(db, workspace_id=who.workspace_id)
    assert admitted(admit(db, [call(who, "validate"), call(colleague, "validate")])) == 2
    (answer,) = admit(db, [call(who, "validate")], NOON + timedelta(hours=11))
    assert answer == {
        "admitted": False, "reason": "places_quota", "scope": "places_per_workspace_day", "retry_after": 3600,
    }  # fmt: skip
    assert admitted(admit(db, [call(who, "validate")], NOON + timedelta(hours=12))) == 1


def test_a_days_calls_are_counted_by_user_in_all_their_workspaces(db: Db) -> None:
    no_limits(db)
    limit(db, "places_per_user_day", 2)
    who = searcher(db)
    elsewhere = searcher(db)._replace(user_id=who.user_id)
    db.execute(
        "insert into public.workspace_members (workspace_id, user_id, role) values (%s, %s, 'manager')",
        (elsewhere.workspace_id, who.user_id),
    )
    assert admitted(admit(db, [call(who, "validate"), call(elsewhere, "validate")])) == 2
    (answer,) = admit(db, [call(who, "validate")], NOON + timedelta(hours=11))
    assert answer == {
        "admitted": False, "reason": "places_quota", "scope": "places_per_user_day", "retry_after": 3600,
    }  # fmt: skip
    colleague = searcher(db, workspace_id=who.workspace_id)
    assert admitted(admit(db, [call(colleague, "validate")])) == 1
    assert admitted(admit(db, [call(who, "validate")], NOON + timedelta(hours=12))) == 1


def test_a_day_of_one_user_does_not_hold_up_what_nobody_attends(db: Db) -> None:
    """A workspace's background checks are counted as one caller, and have the workspace's day."""
    no_limits(db)
    limit(db, "places_per_user_day", 1)
    who = searcher(db)
    checks = [call(who._replace(user_id=who.workspace_id), "validate")] * 3
    answers = value(db, "select private.admit_place_calls(%s, true, %s)", json.dumps(checks), NOON)
    assert admitted(answers) == 3


def test_a_days_spending_has_a_cap_and_what_is_free_goes_on(db: Db) -> None:
    limit(db, "places_cost_per_workspace_day", 2 * VALIDATION)
    who = searcher(db)
    answers = admit(db, [call(who, "validate")] * 3)
    assert [answer.get("scope") for answer in answers] == [None, None, "places_cost_per_workspace_day"]
    assert admitted(admit(db, [call(who, "validate", provider="local")])) == 1
    assert cost(db, who) == 2 * VALIDATION


@pytest.mark.parametrize(
    ("autocompletes", "ending", "expected"),
    [
        (5, "details", 5 * AUTOCOMPLETE + DETAILS),
        (15, "details", 12 * AUTOCOMPLETE + DETAILS),
        (15, "validate", VALIDATION),
        (15, None, 15 * AUTOCOMPLETE),
        (15, "alone", 15 * AUTOCOMPLETE + DETAILS),
    ],
)
def test_a_session_costs_what_google_charges_for_it(
    db: Db, autocompletes: int, ending: str | None, expected: int
) -> None:
    who = searcher(db)
    session = open_session(db, who)
    assert admitted(admit(db, [call(who, session_id=session)] * autocompletes)) == autocompletes
    if ending:
        kind, instance = ("details", "two") if ending == "alone" else (ending, "one")
        assert admitted(admit(db, [call(who, kind, session, instance)], NOON + SECOND)) == 1
    assert cost(db, who) == expected
    counted = db.execute(
        "select kind, calls from public.places_usage where workspace_id = %s order by kind",
        (who.workspace_id,),
    ).fetchall()
    ended = [("details" if ending == "alone" else ending, 1)] if ending else []
    assert counted == [("autocomplete", autocompletes), *ended]


def test_a_provider_without_prices_and_limits_is_free_and_unlimited(db: Db) -> None:
    no_limits(db)
    limit(db, "places_google_validate", 1)
    who = searcher(db)
    assert admitted(admit(db, [call(who, "validate", provider="photon")] * 9)) == 9
    assert cost(db, who) == 0


def test_sessions_begun_are_limited_too(db: Db) -> None:
    limit(db, "places_sessions_per_user", 2)
    who = searcher(db)
    open_session(db, who), open_session(db, who)
    with db.transaction(), pytest.raises(psycopg.Error, match="places_quota") as refused, db.transaction():
        open_session(db, who, NOON + 20 * SECOND)
    assert '"Retry-After" : "40"' in str(refused.value.diag.message_detail) or '"Retry-After": "40"' in str(
        refused.value.diag.message_detail
    )
    open_session(db, searcher(db))
    open_session(db, who, NOON + timedelta(minutes=1))


def test_who_comes_late_waits_for_the_next_window_at_most_and_then_gets_their_share(db: Db) -> None:
    no_limits(db)
    limit(db, "places_google_validate", 20)
    greedy, late = searcher(db), searcher(db)
    assert admitted(admit(db, [call(greedy, "validate")] * 100)) == 20
    answers = admit(db, [call(late, "validate")] * 10, NOON + 4 * SECOND)
    assert {(answer["scope"], answer["retry_after"]) for answer in answers} == {("places_google_validate", 6)}
    # Greedy comes first in each window, with more than there is; the other gets what it asked for.
    assert admitted(admit(db, [call(greedy, "validate")] * 100, NOON + 10 * SECOND)) == 10
    assert admitted(admit(db, [call(late, "validate")] * 100, NOON + 11 * SECOND)) == 10
    # Whoever needs little leaves the rest to others.
    assert admitted(admit(db, [call(greedy, "validate")] * 100, NOON + 20 * SECOND)) == 10
    assert admitted(admit(db, [call(late, "validate")] * 2, NOON + 21 * SECOND)) == 2
    assert admitted(admit(db, [call(greedy, "validate")] * 100, NOON + 30 * SECOND)) == 18


ASKS = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 12)), max_size=8), min_size=2, max_size=5
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asks=ASKS, allowed=st.integers(1, 24))
def test_nobody_is_starved_nothing_is_wasted_and_the_limit_holds(
    db: Db, asks: list[list[tuple[int, int]]], allowed: int
) -> None:
    """For each window, who asks how often and in which order. What is expected is counted here alone."""
    with db.transaction(force_rollback=True):
        no_limits(db)
        limit(db, "places_google_validate", allowed)
        workspaces = [searcher(db) for _ in range(4)]
        before: dict[int, int] = {}
        for window, turns in enumerate(asks):
            asked: dict[int, int] = {}
            got: dict[int, int] = {}
            for turn, (index, count) in enumerate(turns):
                now = NOON + (10 * window + turn) * SECOND
                answers = admit(db, [call(workspaces[index], "validate")] * count, now)
                asked[index] = asked.get(index, 0) + count
                got[index] = got.get(index, 0) + admitted(answers)
            assert sum(got.values()) <= allowed
            for index, count in asked.items():
                kept = min(before.get(index, 0), allowed // len(before)) if before else 0
                assert got[index] >= min(count, kept), (window, index)
            if len(asked) == 1 and set(before) <= set(asked):
                assert sum(got.values()) == min(allowed, sum(asked.values()))
            before = asked


def test_counts_and_searches_that_are_over_are_deleted(db: Db) -> None:
    who = searcher(db)
    session = open_session(db, who)
    admit(db, [call(who, session_id=session)])
    kept = (
        "select (select count(*) from private.place_sessions) + (select count(*) from private.place_counts)"
    )
    assert value(db, kept) == 6
    value(db, "select worker.purge_places(%s)", NOON + timedelta(seconds=20))
    assert value(db, kept) == 6, "a window counts in the one after it"
    value(db, "select worker.purge_places(%s)", NOON + timedelta(minutes=5))
    assert value(db, kept) == 2, "the session, and the user's day"
    value(db, "select worker.purge_places(%s)", NOON + timedelta(days=3))
    assert value(db, kept) == 0
