"""Asking the database for many calls at once: order, batches, and whoever stops waiting."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from workers.api_error import ApiError
from workers.places.admission import LARGEST, Admission, Call, Kind
from workers.refusal import Refusal

ANN, MAPLE = str(uuid.uuid4()), uuid.uuid4()


class Database:
    """Answers when it is told to, with the token that the session's id makes; keeps the batches."""

    def __init__(self) -> None:
        self.batches: list[list[Mapping[str, Any]]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.error: Exception | None = None

    async def __call__(self, function: str, arguments: Mapping[str, Any]) -> Any:
        assert function == "admit_place_calls"
        self.batches.append(arguments["p_calls"])
        await self.go.wait()
        if self.error:
            raise self.error
        return [
            {"admitted": True, "provider_token": str(call["session_id"])} for call in arguments["p_calls"]
        ]


def call(kind: Kind = "autocomplete", session: UUID | None = None) -> Call:
    return Call(kind, ANN, MAPLE, session or uuid.uuid4())


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


def test_calls_that_come_together_go_together_and_each_gets_its_own_answer() -> None:
    async def run() -> None:
        database = Database()
        async with Admission(database, instance="one", provider="google") as admission:
            calls = [call() for _ in range(50)]
            answers = await asyncio.gather(*(admission.ask(each) for each in calls))
            assert answers == [each.session_id for each in calls]
            assert [len(batch) for batch in database.batches] == [50]
            assert {entry["instance"] for entry in database.batches[0]} == {"one"}
            assert set(database.batches[0][0]) == {
                "session_id",
                "user_id",
                "workspace_id",
                "kind",
                "instance",
                "provider",
            }

    asyncio.run(run())


def test_while_one_request_is_under_way_the_others_gather_in_their_order() -> None:
    async def run() -> None:
        database = Database()
        database.go.clear()
        async with Admission(database, instance="one", provider="google", lanes=1) as admission:
            first = asyncio.create_task(admission.ask(call()))
            await until(lambda: len(database.batches) == 1)
            later = [call() for _ in range(LARGEST + 10)]
            tasks = [asyncio.create_task(admission.ask(each)) for each in later]
            await settle()
            assert len(database.batches) == 1
            database.go.set()
            await asyncio.gather(first, *tasks)
            assert [len(batch) for batch in database.batches] == [1, LARGEST, 10]
            asked = [entry["session_id"] for batch in database.batches[1:] for entry in batch]
            assert asked == [each.session_id for each in later]

    asyncio.run(run())


def test_a_session_is_never_asked_for_twice_at_once_and_others_are_not_held_up() -> None:
    async def run() -> None:
        database = Database()
        database.go.clear()
        async with Admission(database, instance="one", provider="google", lanes=2) as admission:
            session, other = uuid.uuid4(), uuid.uuid4()
            asked: list[Call] = [
                call("autocomplete", session),
                call("details", session),
                call("details", other),
            ]
            tasks = []
            for each in asked:
                tasks.append(asyncio.create_task(admission.ask(each)))
                await settle()
            kinds = [[entry["session_id"] for entry in batch] for batch in database.batches]
            assert kinds == [[session], [other]]
            database.go.set()
            await asyncio.gather(*tasks)
            assert [entry["kind"] for batch in database.batches[2:] for entry in batch] == ["details"]

    asyncio.run(run())


def test_whoever_stops_waiting_is_not_asked_for() -> None:
    async def run() -> None:
        database = Database()
        database.go.clear()
        async with Admission(database, instance="one", provider="google", lanes=1) as admission:
            first = asyncio.create_task(admission.ask(call()))
            await until(lambda: len(database.batches) == 1)
            gone, stays = (
                asyncio.create_task(admission.ask(call())),
                asyncio.create_task(admission.ask(call())),
            )
            await asyncio.sleep(0)
            gone.cancel()
            database.go.set()
            await asyncio.gather(first, stays)
            assert [len(batch) for batch in database.batches] == [1, 1]

    asyncio.run(run())


@pytest.mark.parametrize("error", [ApiError("api_unreachable", "away"), KeyError("x"), TimeoutError()])
def test_a_request_that_fails_refuses_its_calls_and_the_next_works(error: Exception) -> None:
    async def run() -> None:
        database = Database()
        database.error = error
        async with Admission(database, instance="one", provider="google") as admission:
            answers = await asyncio.gather(*(admission.ask(call()) for _ in range(3)), return_exceptions=True)
            assert [answer.code for answer in answers if isinstance(answer, Refusal)] == [
                "places_unavailable"
            ] * 3
            database.error = None
            assert await admission.ask(call())

    asyncio.run(run())


def test_closing_leaves_nobody_waiting() -> None:
    async def run() -> None:
        database = Database()
        database.go.clear()
        async with Admission(database, instance="one", provider="google") as admission:
            waiting = [asyncio.create_task(admission.ask(call())) for _ in range(2)]
            await until(lambda: database.batches)
            waiting.append(asyncio.create_task(admission.ask(call())))
            await asyncio.sleep(0)
        done, pending = await asyncio.wait(waiting, timeout=5)
        assert not pending and all(task.cancelled() for task in done)

    asyncio.run(run())
