"""The consumer on the queue of address checks, against a server that answers as the worker's RPCs do."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.py.unit.rpc_server import Refusal, RpcServer, Turns
from workers.places.checks import AddressCheck, CheckQueue
from workers.queue.consumer import Consumer
from workers.queue.handler import Begin, Pace
from workers.queue.outage import ProviderAway
from workers.queue.outcomes import Answered, Outcome, Unavailable
from workers.supabase_api import WorkerApi

TYPED = {"address_line1": "1 Secret Street", "city": "Ames", "country": "US"}


class Oracle:
    """A handler that says what it is told to."""

    def __init__(self, *outcomes: Outcome) -> None:
        self._next = Turns(*outcomes).next

    def prepare(self, item: AddressCheck, /) -> AddressCheck:
        return item

    async def send(self, prepared: AddressCheck, begin: Begin) -> Outcome:
        await begin()
        outcome: Outcome = self._next()
        return outcome


def serve(server: RpcServer, count: int, begun: Any = True) -> None:
    left = [
        {
            "msg_id": number,
            "read_ct": 1,
            "check": {
                "id": f"c{number}", "workspace_id": "w", "property_id": "p", "kind": "verify",
                "place_id": None, "address": TYPED, "newer": 1,
            },
        }
        for number in range(1, count + 1)
    ]  # fmt: skip

    def claim(asked: dict[str, Any]) -> list[dict[str, Any]]:
        claimed = left[: asked["p_limit"]]
        del left[: asked["p_limit"]]
        return claimed

    server.answers |= {
        "claim_address_checks": claim,
        "begin_address_check": begun,
        "complete_address_checks": lambda asked: [
            {"msg_id": item["msg_id"], "outcome": "verified"} for item in asked["p_items"]
        ],
        "release_address_checks": lambda asked: len(asked["p_items"]),
        "extend_claims": lambda asked: [item["msg_id"] for item in asked["p_items"]],
    }


def worked(server: RpcServer, oracle: Oracle) -> Counter[str]:
    tally: Counter[str] = Counter()

    async def run() -> None:
        async with WorkerApi(server.url, anon_key="a", worker_key="w", timeout=5, deadline=5) as api:
            queue = CheckQueue(api, provider="google", lease_seconds=30)
            pace = Pace(poll=0.05, concurrency=1)
            settled: Callable[[str], None] = lambda outcome: tally.update([outcome])  # noqa: E731
            assert await Consumer(queue, oracle, pace, until_empty=True, settled=settled).run()

    asyncio.run(run())
    return tally


def test_a_check_that_waits_for_a_limit_is_called_so_and_a_lost_one_lost(server: RpcServer) -> None:
    serve(server, 4, begun=lambda asked: {1: True, 2: None, 3: False, 4: None}[asked["p_msg_id"]])
    tally = worked(server, Oracle(Answered({"address_status": "verified"})))
    assert tally == {"verified": 1, "waiting": 2, "lost": 1}
    assert server.arguments("fail_address_checks") == []
    assert server.arguments("release_address_checks") == []


@pytest.mark.parametrize("spent", [False, True])
def test_what_is_given_back_says_whether_the_provider_may_bill_it(server: RpcServer, spent: bool) -> None:
    serve(server, 1)
    with pytest.raises(ProviderAway):
        worked(server, Oracle(Unavailable("away", spent=spent)))
    (asked,) = server.arguments("release_address_checks")
    assert asked["p_items"] == [{"msg_id": 1, "read_ct": 1, "spent": spent}]


def test_an_answer_that_the_database_refuses_is_in_no_log(server: RpcServer) -> None:
    serve(server, 1)
    server.answers["complete_address_checks"] = Refusal(400, "22P05")
    told = Answered({"address": {"address_line1": "9 Told Road"}, "latitude": 42.25})
    with capture_logs() as logs:
        assert worked(server, Oracle(told)) == {"unsettled": 1}
    assert logs[0]["event"] == "outcome refused"
    assert logs[0]["check_id"] == "c1"
    for secret in ("Told", "Secret", "42.25"):
        assert secret not in str(logs)
