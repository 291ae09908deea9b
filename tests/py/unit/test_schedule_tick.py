"""One tick, against a server that answers as the schedule's RPCs do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.py.unit.rpc_server import Refusal, RpcServer, Turns
from workers.api_error import ApiError
from workers.schedule.tick import Run, tick
from workers.supabase_api import WorkerApi

DUE = "2026-11-21T03:00:00+00:00"


@pytest.fixture
def server(server: RpcServer) -> RpcServer:
    server.answers["finish_run"] = True
    return server


def ticked(server: RpcServer) -> list[Run]:
    async def once() -> list[Run]:
        async with WorkerApi(server.url, anon_key="a", worker_key="w", deadline=1) as api:
            return await tick(api)

    return asyncio.run(once())


def due(*jobs: str) -> list[dict[str, Any]]:
    return [{"job": job, "due_at": DUE, "fence": number} for number, job in enumerate(jobs, 1)]


def test_nothing_due_is_nothing_done(server: RpcServer) -> None:
    server.answers["start_due_runs"] = []
    assert ticked(server) == []
    assert [call.function for call in server.calls] == ["start_due_runs"]


def test_a_job_is_the_rpc_of_its_name_and_its_end_is_recorded_under_its_fence(server: RpcServer) -> None:
    server.answers |= {"start_due_runs": due("count_sheep"), "count_sheep": {"sheep": 3}}
    assert ticked(server) == [Run("count_sheep", DUE, None, {"sheep": 3})]
    assert server.arguments("finish_run") == [
        {"p_job": "count_sheep", "p_due_at": DUE, "p_fence": 1, "p_error": None, "p_result": {"sheep": 3}}
    ]


def test_a_job_is_called_again_while_it_has_more_and_its_counts_are_added_up(server: RpcServer) -> None:
    server.answers |= {
        "start_due_runs": due("count_sheep"),
        "count_sheep": Turns({"sheep": 3, "more": True}, {"sheep": 2, "goats": 1, "more": False}),
    }
    (run,) = ticked(server)
    assert run.result == {"sheep": 5, "goats": 1}
    assert len(server.arguments("finish_run")) == 1


def test_a_job_that_fails_is_recorded_and_stops_no_other(server: RpcServer) -> None:
    server.answers |= {
        "start_due_runs": due("break_down", "count_sheep"),
        "break_down": Refusal(409, "fence_broken", "The fence is down."),
        "count_sheep": {"sheep": 3},
    }
    broken, counted = ticked(server)
    assert (broken.error, counted.error) == ("The fence is down (fence_broken)", None)
    assert [asked["p_error"] for asked in server.arguments("finish_run")] == [broken.error, None]


def test_a_job_that_this_database_does_not_know_fails(server: RpcServer) -> None:
    server.answers["start_due_runs"] = due("unheard_of")
    (run,) = ticked(server)
    assert run.error is not None and "PGRST202" in run.error


def test_a_run_that_another_machine_took_over_is_told_apart(server: RpcServer) -> None:
    server.answers |= {"start_due_runs": due("count_sheep"), "count_sheep": {}, "finish_run": False}
    (run,) = ticked(server)
    assert not run.recorded and run.error is None


def test_when_it_cannot_even_ask_what_is_due_the_tick_fails(server: RpcServer) -> None:
    server.answers["start_due_runs"] = Refusal(401, "PGRST301")
    with pytest.raises(ApiError):
        ticked(server)
