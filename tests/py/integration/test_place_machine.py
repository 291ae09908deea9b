"""People, processes and a clock at random: who is let through, with which token, as predicted here alone."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.py.integration.searches import NOON, Searcher, admit, call, no_limits, open_session, searcher

Db = psycopg.Connection[Any]
PEOPLE = 4
IDLE, LONGEST, UNDER_WAY = 180.0, 1800.0, 3.0


@dataclass
class Search:
    """What is known of a session from the outside."""

    owner: Searcher
    opened_at: datetime
    used_at: datetime
    autocompletes: dict[str, datetime] = field(default_factory=dict)
    ended: bool = False
    tokens: set[str] = field(default_factory=set)


Asked = st.tuples(
    # Which of the sessions, the latest first and mostly; beyond them: one that nobody opened.
    st.sampled_from([0, 0, 0, 0, 1, 1, 2, 5]),
    st.sampled_from(["owner"] * 8 + ["another"]),
    st.sampled_from(["autocomplete"] * 3 + ["details", "validate"]),
    st.sampled_from(["x", "y", "z"]),
)


@pytest.mark.parametrize("examples", [60])
def test_no_order_of_events_reuses_a_closed_token_or_shares_one(db: Db, examples: int) -> None:
    no_limits(db)
    same = str(uuid.uuid4())
    people = [searcher(db), searcher(db), searcher(db)]
    people.append(searcher(db, workspace_id=people[0].workspace_id))

    class Machine(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.now = NOON
            self.searches: dict[str, Search] = {}

        @rule(index=st.integers(0, PEOPLE - 1))
        def open(self, index: int) -> None:
            session = open_session(db, people[index], self.now)
            assert session not in self.searches
            self.searches[session] = Search(people[index], self.now, self.now)

        @rule(seconds=st.sampled_from([0.1, 1.0, 2.0, 2.4, 2.9, 3.0, 60.0, 179.9, 180.0]))
        def wait(self, seconds: float) -> None:
            self.now += timedelta(seconds=seconds)

        @rule(
            index=st.integers(0, PEOPLE - 1),
            typing=st.lists(st.sampled_from(["x", "y", "z"]), max_size=3),
            seconds=st.sampled_from([0.1, 1.0, 2.0, 2.9, 3.0, 179.9]),
            ending=st.tuples(st.sampled_from(["details", "validate"]), st.sampled_from(["x", "y"])),
        )
        def type_and_choose(
            self, index: int, typing: list[str], seconds: float, ending: tuple[str, str]
        ) -> None:
            """What mostly happens: a search of its own, a pause, a choice; and then something too late."""
            self.open(index)
            for instance in typing:
                self.ask([(0, "owner", "autocomplete", instance)])
                self.wait(0.1)
            self.wait(seconds)
            self.ask([(0, "owner", *ending), (0, "owner", "autocomplete", "x"), (0, "owner", "details", "y")])

        @rule(batch=st.lists(Asked, min_size=1, max_size=5))
        def ask(self, batch: list[tuple[int, str, str, str]]) -> None:
            known = list(self.searches)[::-1]
            calls, expected = [], []
            for index, whose, kind, instance in batch:
                session = known[index] if index < len(known) else same
                found = self.searches.get(session)
                owner = found.owner if found else people[0]
                who = owner if whose == "owner" else people[(people.index(owner) + 1) % PEOPLE]
                calls.append(call(who, kind, session, instance))
                expected.append((found, self.predict(found, who, kind, instance)))
            for one, answer, (found, (let_through, with_token)) in zip(
                calls, admit(db, calls, self.now), expected, strict=True
            ):
                assert answer["admitted"] == let_through, one
                if let_through:
                    assert found is not None
                    assert (answer["provider_token"] is not None) == with_token, one
                    found.tokens |= {answer["provider_token"]} - {None}
                else:
                    assert answer["reason"] == "places_invalid_session"
                    assert "provider_token" not in answer

        def predict(self, found: Search | None, who: Searcher, kind: str, instance: str) -> tuple[bool, bool]:
            """Whether it is let through, and whether with the token; and makes a note of it."""
            if found is None or found.owner != who or found.ended:
                return False, False
            if (self.now - found.used_at).total_seconds() >= IDLE:
                return False, False
            if (self.now - found.opened_at).total_seconds() >= LONGEST:
                return False, False
            if kind == "autocomplete":
                found.used_at = found.autocompletes[instance] = self.now
                return True, True
            found.ended = True
            others = [at for process, at in found.autocompletes.items() if process != instance]
            return True, all((self.now - at).total_seconds() >= UNDER_WAY for at in others)

        @invariant()
        def every_session_has_a_token_of_its_own(self) -> None:
            tokens = [token for search in self.searches.values() for token in search.tokens]
            assert len(tokens) == len(set(tokens))
            assert all(len(search.tokens) <= 1 for search in self.searches.values())
            assert not set(tokens) & set(self.searches)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
