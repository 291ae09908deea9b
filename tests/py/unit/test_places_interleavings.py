"""No interleaving of callers over two processes sends a token after the call that ended its session.

Two lookups with admissions of their own stand for two processes; the database is the model of its contract.
What happens next is Hypothesis's choice: who asks, which request of the database is carried out, which call
arrives at the provider, who leaves, how much time passes. Time is ours, so three minutes take none.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.py.unit.place_admission import Desk
from workers.api_error import ApiError
from workers.places.admission import Admission
from workers.places.lookup import Lookup
from workers.places.provider import Address, Checked, Place, Query, Suggestion, Unavailable
from workers.places.sessions import Session, SessionTokens
from workers.refusal import Refusal

SECRET = "a-secret-of-the-tests-of-forty-two-characters"


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Gate:
    """Something that waits until the schedule lets it go on."""

    ends_at: float
    passed: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass
class Provider:
    """Keeps which token it was sent for what, in the order of arrival."""

    clock: Clock
    name: str = "google"
    attribution: str = ""
    gates: list[Gate] = field(default_factory=list)
    ended: set[UUID] = field(default_factory=set)
    owner: dict[UUID, str] = field(default_factory=dict)
    reused: list[str] = field(default_factory=list)
    calls: int = 0

    async def _arrive(self, kind: str, token: UUID | None, seconds: float, who: str) -> None:
        """The request is on its way, arrives when the schedule says, or is given up at its time."""
        gate = Gate(self.clock() + seconds)
        self.gates.append(gate)
        try:
            if not await gate.passed:
                raise Unavailable("too slow", consumed=True)
        finally:
            self.gates.remove(gate)
        self.calls += 1
        if token is None:
            return
        if token in self.ended or self.owner.setdefault(token, who) != who:
            self.reused.append(f"{kind} of {who}")
        if kind != "autocomplete":
            self.ended.add(token)

    async def autocomplete(self, query: Query, token: UUID | None, *, seconds: float) -> Sequence[Suggestion]:
        await self._arrive("autocomplete", token, seconds, query.text)
        return []

    async def details(
        self, place_id: str, token: UUID | None, *, language: str | None, seconds: float
    ) -> Place:
        await self._arrive("details", token, seconds, place_id)
        return Place(place_id, Address(), "", None, "verified")

    async def validate(self, address: Address, token: UUID | None, *, seconds: float) -> Checked:
        await self._arrive("validate", token, seconds, str(address.address_line1))
        return Checked("unverified", address)

    async def current_id(self, place_id: str, *, seconds: float) -> str:
        return place_id


class Wire:
    """The database as one process sees it: a request is carried out when the schedule says, or lost."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock
        self.gates: list[Gate] = []

    async def __call__(self, function: str, arguments: Mapping[str, Any]) -> Any:
        assert function == "admit_place_calls"
        gate = Gate(self._clock() + 2.5)
        self.gates.append(gate)
        try:
            carried_out = await gate.passed
        finally:
            self.gates.remove(gate)
        answer = self._desk.admit(arguments)
        if not carried_out:
            raise ApiError("api_unreachable", "the answer was lost")
        return answer


PEOPLE = [("ann", "maple"), ("bob", "maple"), ("ann", "oak"), ("cat", "oak")]
IDS = {name: str(uuid.uuid5(uuid.NAMESPACE_DNS, name)) for pair in PEOPLE for name in pair}


async def settle() -> None:
    """Let every task run until it waits for something of ours."""
    for _ in range(8):
        await asyncio.sleep(0)


async def run(seed: int, steps: int) -> Provider:
    rng = random.Random(seed)  # noqa: S311
    clock = Clock()
    desk, provider = Desk(clock), Provider(clock)
    desk.members = {(IDS[user], IDS[workspace]) for user, workspace in PEOPLE}
    wires = [Wire(desk, clock) for _ in range(2)]
    tasks: list[asyncio.Task[Any]] = []
    sessions: list[tuple[str, Session]] = []

    def open_one() -> None:
        user, workspace = (IDS[name] for name in rng.choice(PEOPLE))
        opened = desk.open({"p_user_id": user, "p_workspace_id": workspace})
        sessions.append((user, Session(UUID(opened["session_id"]), UUID(workspace))))

    async with (
        Admission(wires[0], instance="one", provider="google") as first,
        Admission(wires[1], instance="two", provider="google") as second,
    ):
        tokens = SessionTokens(SECRET)
        lookups = [
            Lookup(provider, admission, tokens, wire, clock)
            for admission, wire in zip((first, second), wires, strict=True)
        ]
        open_one()
        for _ in range(steps):
            gates = [gate for wire in wires for gate in wire.gates] + provider.gates
            match rng.choices(
                ["suggest", "end", "gate", "leave", "wait", "open"],
                [6, 3, 12, 1, 2, 1 if len(sessions) < 3 else 0],
            )[0]:
                case "open":
                    open_one()
                case "suggest" | "end" as what:
                    user, session = rng.choice(sessions)
                    lookup, who = rng.choice(lookups), f"{user} {session.workspace_id}"
                    if what == "suggest":
                        work = lookup.autocomplete(user, session, Query(who, ("US",)))
                    elif rng.random() < 0.5:
                        work = lookup.details(user, session, who, None)
                    else:
                        work = lookup.validate(user, session.workspace_id, session, Address(who))
                    tasks.append(asyncio.create_task(work))
                case "gate" if gates:
                    gate = rng.choice(gates)
                    if not gate.passed.done():
                        gate.passed.set_result(rng.random() < 0.9)
                case "leave" if tasks:
                    rng.choice(tasks).cancel()
                case "wait":
                    clock.now += rng.choice([0.1, 0.5, 1.0, 2.0, 4.0])
                    for gate in gates:
                        if clock.now >= gate.ends_at and not gate.passed.done():
                            gate.passed.set_result(False)
            await settle()
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert outcome is None or isinstance(outcome, dict | Refusal | asyncio.CancelledError), outcome
    return provider


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(60, 120))
def test_no_token_is_sent_after_the_call_that_ended_its_session_or_for_another(seed: int, steps: int) -> None:
    assert asyncio.run(run(seed, steps)).reused == []


def test_the_schedules_reach_the_provider_and_end_sessions() -> None:
    """Else the property would hold of nothing."""
    calls = ended = 0
    for seed in range(20):
        provider = asyncio.run(run(seed, 120))
        calls, ended = calls + provider.calls, ended + len(provider.ended)
    assert calls > 50 and ended > 10
