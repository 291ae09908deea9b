"""The claim loop over HTTP, against a server that answers as the worker's RPCs do."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.py.unit.rpc_server import CUT, Refusal, RpcServer, Turns
from workers.api_error import ApiError
from workers.queue.consumer import Consumer
from workers.queue.handler import Begin, Pace
from workers.queue.messages import Message, MessageQueue
from workers.queue.outage import LONGEST, Outage, ProviderAway
from workers.queue.outcomes import Outcome, Permanent, Retryable, Sent, Unavailable, Unknown
from workers.supabase_api import WorkerApi

Send = Callable[[str, Begin], Awaitable[Outcome]]


class Queue:
    """The answers of a queue: each row is claimed once; what is reported is kept."""

    def __init__(self, server: RpcServer, count: int) -> None:
        self.waiting = [row(number) for number in range(1, count + 1)]
        self.server = server
        server.answers |= {
            "claim_messages": self.claim,
            "begin_send": True,
            "complete_messages": self.complete,
            "fail_messages": self.fail,
            "release_messages": self.release,
            "extend_claims": lambda asked: [item["msg_id"] for item in asked["p_items"]],
        }

    def claim(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        claimed, self.waiting = self.waiting[: asked["p_limit"]], self.waiting[asked["p_limit"] :]
        return claimed

    def complete(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"msg_id": item["msg_id"], "outcome": "completed"} for item in asked["p_items"]]

    def fail(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        outcomes = {"retryable": "retry", "permanent": "failed", "unknown": "unknown"}
        return [{"msg_id": item["msg_id"], "outcome": outcomes[item["kind"]]} for item in asked["p_items"]]

    def release(self, asked: dict[str, Any]) -> int:
        self.waiting += [row(item["msg_id"]) for item in asked["p_items"]]
        return len(asked["p_items"])

    def items(self, function: str) -> list[dict[str, Any]]:
        return [item for asked in self.server.arguments(function) for item in asked["p_items"]]


def row(number: int) -> dict[str, Any]:
    message = {"id": f"m{number}", "template": "t", "to_address": "a@example.com", "payload": {}, "new": 1}
    return {"msg_id": number, "read_ct": 1, "message": message}


class Handler:
    """Sends by the given coroutine function; `sent` are those that it has sent."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def prepare(self, message: Message) -> str:
        if message.id == "m13":
            raise LookupError("no such template")
        return message.id

    async def send(self, prepared: str, begin: Begin) -> Outcome:
        return await self._send(prepared, begin)


async def at_once(message_id: str, begin: Begin) -> Outcome:
    await begin()
    return Sent()


def consumed(
    server: RpcServer,
    send: Send = at_once,
    *,
    until_empty: bool = True,
    stop_when: Callable[[], bool] | None = None,
    lease: int = 30,
    **pace: Any,
) -> Counter[str]:
    tally: Counter[str] = Counter()

    async def run() -> None:
        async with WorkerApi(server.url, anon_key="a", worker_key="w", timeout=5, deadline=5) as api:
            queue = MessageQueue(api, "email", lease_seconds=lease)
            consumer = Consumer(
                queue,
                Handler(send),
                Pace(**{"poll": 0.05, **pace}),
                until_empty=until_empty,
                settled=lambda outcome: tally.update([outcome]),
            )
            running = asyncio.ensure_future(consumer.run())
            if stop_when is not None:
                async with asyncio.timeout(20):
                    while not stop_when():
                        await asyncio.sleep(0.01)
                consumer.stop()
            assert await running

    asyncio.run(run())
    return tally


def test_every_message_is_begun_sent_and_completed(server: RpcServer) -> None:
    queue = Queue(server, 12)
    assert consumed(server) == {"sent": 12}
    assert sorted(asked["p_msg_id"] for asked in server.arguments("begin_send")) == list(range(1, 13))
    assert sorted(item["msg_id"] for item in queue.items("complete_messages")) == list(range(1, 13))
    assert {asked["p_lease_seconds"] for asked in server.arguments("begin_send")} == {30}


def test_outcomes_gather_while_a_call_is_under_way(server: RpcServer) -> None:
    queue = Queue(server, 100)

    async def slowly(asked: dict[str, Any]) -> list[dict[str, Any]]:
        await asyncio.sleep(0.05)
        return queue.complete(asked)

    server.answers["complete_messages"] = slowly
    assert consumed(server, concurrency=20)["sent"] == 99
    assert len(server.arguments("complete_messages")) < 50


def test_no_more_than_a_batch_is_held_and_no_more_than_allowed_sent_at_once(server: RpcServer) -> None:
    Queue(server, 40)
    at_work = most = 0

    async def count(message_id: str, begin: Begin) -> Outcome:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.01)
        at_work -= 1
        return await at_once(message_id, begin)

    consumed(server, count, batch=10, concurrency=4)
    assert most == 4
    assert max(asked["p_limit"] for asked in server.arguments("claim_messages")) == 10


def test_a_message_that_cannot_be_prepared_fails_alone_and_for_good(server: RpcServer) -> None:
    queue = Queue(server, 20)
    assert consumed(server) == {"sent": 19, "failed": 1}
    (failure,) = queue.items("fail_messages")
    assert (failure["msg_id"], failure["kind"]) == (13, "permanent")
    assert failure["error"] == "LookupError: no such template"
    assert 13 not in [asked["p_msg_id"] for asked in server.arguments("begin_send")]


@pytest.mark.parametrize(
    ("outcome", "reported", "tallied"),
    [
        (Retryable("451 later", 90), {"kind": "retryable", "retry_after_seconds": 90}, "retry"),
        (Retryable("451 later"), {"kind": "retryable"}, "retry"),
        (Permanent("550 no"), {"kind": "permanent"}, "failed"),
        (Unknown("cut"), {"kind": "unknown"}, "unknown"),
    ],
)
def test_what_a_provider_says_is_reported(
    server: RpcServer, outcome: Outcome, reported: dict[str, Any], tallied: str
) -> None:
    queue = Queue(server, 1)

    async def answer(message_id: str, begin: Begin) -> Outcome:
        await begin()
        return outcome

    assert consumed(server, answer) == {tallied: 1}
    (item,) = queue.items("fail_messages")
    key = {"msg_id": 1, "read_ct": 1, "message_id": "m1"}
    assert item == {**key, "error": outcome.error, **reported}  # type: ignore[union-attr]


@pytest.mark.parametrize(("after_begin", "kind"), [(False, "retryable"), (True, "unknown")])
def test_a_bug_in_a_provider_is_in_doubt_only_once_sending_has_begun(
    server: RpcServer, after_begin: bool, kind: str
) -> None:
    queue = Queue(server, 1)

    async def break_down(message_id: str, begin: Begin) -> Outcome:
        if after_begin:
            await begin()
        raise RuntimeError("a bug")

    consumed(server, break_down)
    (item,) = queue.items("fail_messages")
    assert (item["kind"], item["error"]) == (kind, "RuntimeError: a bug")


def test_a_message_whose_claim_is_lost_is_not_sent(server: RpcServer) -> None:
    queue = Queue(server, 3)
    server.answers["begin_send"] = lambda asked: asked["p_msg_id"] != 2
    sent = []

    async def send(message_id: str, begin: Begin) -> Outcome:
        await begin()
        sent.append(message_id)
        return Sent()

    assert consumed(server, send) == {"sent": 2, "lost": 1}
    assert sorted(sent) == ["m1", "m3"]
    assert queue.items("fail_messages") == []


def test_a_completion_whose_answer_was_lost_is_told_again_and_counts_once(server: RpcServer) -> None:
    Queue(server, 1)
    server.answers["complete_messages"] = Turns(CUT, [{"msg_id": 1, "outcome": "already_completed"}])
    assert consumed(server) == {"sent": 1}
    assert len(server.arguments("complete_messages")) == 2


def test_one_refused_outcome_does_not_keep_the_others_from_being_recorded(server: RpcServer) -> None:
    queue = Queue(server, 10)

    def refuse_7(asked: dict[str, Any]) -> Any:
        poisoned = any(item["msg_id"] == 7 for item in asked["p_items"])
        return Refusal(400, "22P02") if poisoned else queue.complete(asked)

    server.answers["complete_messages"] = refuse_7
    assert consumed(server) == {"sent": 9, "unsettled": 1}


def test_leases_are_extended_while_sending_takes_long(server: RpcServer) -> None:
    queue = Queue(server, 2)

    async def slowly(message_id: str, begin: Begin) -> Outcome:
        await begin()
        while len(server.arguments("extend_claims")) < 2:
            await asyncio.sleep(0.01)
        return Sent()

    began = time.monotonic()
    assert consumed(server, slowly, lease=1) == {"sent": 2}
    assert 0.6 < time.monotonic() - began < 3
    assert sorted(item["msg_id"] for item in queue.items("extend_claims")) == [1, 1, 2, 2]


def test_a_lost_lease_ends_what_has_not_begun_but_not_what_has(server: RpcServer) -> None:
    Queue(server, 3)
    server.answers["extend_claims"] = []

    async def send(message_id: str, begin: Begin) -> Outcome:
        if message_id == "m1":
            await begin()
            while len(server.arguments("extend_claims")) < 2:
                await asyncio.sleep(0.01)
            return Sent()
        await asyncio.sleep(60)
        raise AssertionError("cancelled before")

    assert consumed(server, send, lease=1, concurrency=2) == {"sent": 1, "lost": 2}
    assert [asked["p_msg_id"] for asked in server.arguments("begin_send")] == [1]


def test_while_the_api_is_away_a_worker_waits_and_then_goes_on(server: RpcServer) -> None:
    queue = Queue(server, 5)
    away = [Refusal(503, "PGRST001")] * 4
    server.answers["claim_messages"] = Turns(*away, queue.claim)
    tally = consumed(server, until_empty=False, stop_when=lambda: len(queue.items("complete_messages")) == 5)
    assert tally == {"sent": 5}


def test_when_the_mark_cannot_be_made_the_message_is_tried_later(server: RpcServer) -> None:
    queue = Queue(server, 1)
    server.answers["begin_send"] = Refusal(400, "22P02", "No.")
    consumed(server)
    (item,) = queue.items("fail_messages")
    assert item["kind"] == "retryable"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_worker_that_the_api_refuses_ends_with_the_reason(server: RpcServer, status: int) -> None:
    server.answers["claim_messages"] = Refusal(status, "the_code")
    with pytest.raises(ApiError, match="the_code"):
        consumed(server, until_empty=False)
    assert len(server.calls) == 1


def test_while_a_provider_is_away_messages_are_given_back_and_tried_later(server: RpcServer) -> None:
    queue = Queue(server, 6)
    tries = []

    async def away_at_first(message_id: str, begin: Begin) -> Outcome:
        tries.append(message_id)
        return Unavailable("nobody there") if len(tries) == 1 else await at_once(message_id, begin)

    tally = consumed(
        server,
        away_at_first,
        until_empty=False,
        concurrency=1,
        stop_when=lambda: len(queue.items("complete_messages")) == 6,
    )
    assert tally == {"released": 6, "sent": 6}
    assert queue.items("fail_messages") == []


def test_until_empty_does_not_wait_for_a_provider_that_is_away(server: RpcServer) -> None:
    Queue(server, 2)

    async def away(message_id: str, begin: Begin) -> Outcome:
        return Unavailable("nobody there")

    with pytest.raises(ProviderAway, match="nobody there"):
        consumed(server, away)


def test_pauses_double_up_to_a_minute_and_begin_anew_after_a_success() -> None:
    outage = Outage()
    pauses = []
    for _ in range(9):
        outage.began("away")
        pauses.append(outage.pause())
    assert all(
        expected / 2 <= pause <= expected
        for expected, pause in zip([1, 2, 4, 8, 16, 32], pauses, strict=False)
    )
    assert all(pause <= LONGEST for pause in pauses) and min(pauses[6:]) >= LONGEST / 2
    outage.over()
    assert outage.pause() <= 1


def test_stopping_gives_back_what_is_not_started(server: RpcServer) -> None:
    queue = Queue(server, 8)
    started = []

    async def hold(message_id: str, begin: Begin) -> Outcome:
        started.append(message_id)
        await begin()
        await asyncio.sleep(0.2)
        return Sent()

    tally = consumed(server, hold, until_empty=False, concurrency=2, stop_when=lambda: len(started) == 2)
    assert tally == {"sent": 2, "released": 6}
    assert sorted(item["msg_id"] for item in queue.items("release_messages")) == [3, 4, 5, 6, 7, 8]
