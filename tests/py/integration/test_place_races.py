"""Many processes ask for admission at once: limits are exact, one ends a session, none waits for good."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock
from typing import Any

import psycopg
import pytest

from tests.py.integration.searches import (
    Searcher,
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
PROCESSES = 8


@pytest.fixture
def shared(db: Db) -> Db:
    """Whatever is written here, other connections see."""
    db.autocommit = True
    no_limits(db)
    return db


def at_once(database: str, act: Callable[[int, Db], Any]) -> list[Any]:
    """What each of the processes gets; all begin together."""
    ready = Barrier(PROCESSES)

    def run(number: int) -> Any:
        with psycopg.connect(database, autocommit=True) as connection:
            ready.wait(10)
            return act(number, connection)

    with ThreadPoolExecutor(PROCESSES) as pool:
        return list(pool.map(run, range(PROCESSES), timeout=60))


@pytest.mark.parametrize(
    "name",
    [
        "places_per_user",
        "places_per_user_day",
        "places_per_workspace",
        "places_per_workspace_day",
        "places_google_validate",
    ],
)
def test_a_limit_lets_exactly_as_many_through_as_it_says(shared: Db, database: str, name: str) -> None:
    shared.execute("update private.limits set per = '1 day' where name = %s", (name,))
    limit(shared, name, 100)
    who = searcher(shared)
    batches = at_once(
        database,
        lambda _, db: [
            admitted(admit(db, [call(who, "validate")] * size, None)) for size in (1, 7, 3, 5, 4) * 3
        ],
    )
    assert sum(map(sum, batches)) == 100
    assert value(shared, "select sum(calls) from public.places_usage") == 100


def test_spending_stops_exactly_at_the_cap(shared: Db, database: str) -> None:
    limit(shared, "places_cost_per_workspace_day", 30 * 17000 + 16999)
    who = searcher(shared)
    at_once(database, lambda _, db: [admit(db, [call(who, "validate")] * 5, None) for _ in range(4)])
    assert cost(shared, who) == 30 * 17000


def test_of_many_who_end_a_session_one_does(shared: Db, database: str) -> None:
    who = searcher(shared)
    kinds = ("details", "validate")
    sessions = [open_session(shared, who, value(shared, "select clock_timestamp()")) for _ in range(10)]

    def end_all(number: int, db: Db) -> list[int]:
        return [admitted(admit(db, [call(who, kinds[number % 2], session)], None)) for session in sessions]

    ended = at_once(database, end_all)
    assert [sum(each) for each in zip(*ended, strict=True)] == [1] * len(sessions)


def test_no_interleaving_of_processes_brings_a_closed_token_to_the_provider_or_shares_one(
    shared: Db, database: str
) -> None:
    """Each process calls the provider as soon as it is let through; the provider's books tell."""
    people = [searcher(shared) for _ in range(3)]
    sessions: list[tuple[Searcher, str]] = []
    books, closed, faults = Lock(), set[str](), list[str]()
    owners: dict[str, tuple[Searcher, str]] = {}

    def provider(who: Searcher, session: str, kind: str, token: str | None) -> None:
        with books:
            if token is None:
                return
            if token in closed:
                faults.append(f"{kind} with a closed token")
            if owners.setdefault(token, (who, session)) != (who, session):
                faults.append("a token of two")
            if kind != "autocomplete":
                closed.add(token)

    def search(number: int, db: Db) -> None:
        dice = random.Random(number)  # noqa: S311
        for _ in range(40):
            if dice.random() < 0.3:
                who = dice.choice(people)
                opened = open_session(db, who, value(db, "select clock_timestamp()"))
                with books:
                    sessions.append((who, opened))
            with books:
                chosen = [dice.choice(sessions[-4:]) for _ in range(dice.randrange(1, 4))] if sessions else []
            kinds = [dice.choice(["autocomplete"] * 4 + ["details", "validate"]) for _ in chosen]
            calls = [
                call(who, kind, session, f"process {number}")
                for (who, session), kind in zip(chosen, kinds, strict=True)
            ]
            answers = admit(db, calls, None) if calls else []
            # Within one process what is under way ends before its session does.
            for (who, session), kind, answer in zip(chosen, kinds, answers, strict=True):
                if answer["admitted"]:
                    provider(who, session, kind, answer["provider_token"])

    at_once(database, search)
    assert faults == []
    assert len(closed) > 3, "too few sessions were ended with their token for this to mean anything"


def test_batches_in_opposite_orders_never_deadlock(shared: Db, database: str) -> None:
    people = [searcher(shared) for _ in range(6)]

    def ask(number: int, db: Db) -> int:
        order = people if number % 2 else people[::-1]
        return sum(admitted(admit(db, [call(who, "validate") for who in order], None)) for _ in range(20))

    assert at_once(database, ask) == [120] * PROCESSES


def test_who_waits_too_long_is_told_so(shared: Db, database: str) -> None:
    who = searcher(shared)
    with psycopg.connect(database) as slow:
        admit(slow, [call(who, "validate")], None)
        with pytest.raises(psycopg.Error, match="places_unavailable"):
            admit(shared, [call(who, "validate")], None)
    assert admitted(admit(shared, [call(who, "validate")], None)) == 1


def test_an_end_is_on_disk_before_it_is_answered_and_letters_need_not_be(shared: Db) -> None:
    """Else a crash of the server would have a closed token used again."""
    shared.execute("set synchronous_commit = 'on'")
    who = searcher(shared)
    for kind, durable in (("autocomplete", "off"), ("details", "on"), ("validate", "on")):
        session = open_session(shared, who, value(shared, "select clock_timestamp()"))
        with shared.transaction():
            admit(shared, [call(who, kind, session, str(uuid.uuid4()))], None)
            assert value(shared, "select current_setting('synchronous_commit')") == durable
