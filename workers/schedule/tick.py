"""One tick: run what is due. Any number of machines may tick at once; each run goes to one of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import structlog

from workers.api_error import ApiError
from workers.supabase_api import WorkerApi

log = structlog.get_logger()


@dataclass(frozen=True)
class Run:
    """A run that this tick did. `error` is None for success; not `recorded`: another machine took it over."""

    job: str
    due_at: str
    error: str | None
    result: dict[str, Any] = field(default_factory=dict)
    recorded: bool = True


async def tick(api: WorkerApi) -> list[Run]:
    """Run what is due, one after the other. A job that fails is recorded as failed and stops no other.

    Raises ApiError where even asking what is due fails.
    """
    return [await _run(api, due) for due in await api.rpc("start_due_runs")]


async def _run(api: WorkerApi, due: dict[str, Any]) -> Run:
    job, due_at = due["job"], due["due_at"]
    error, result = None, {}
    try:
        result = await _work(api, job)
    except ApiError as failure:
        error = str(failure)
    recorded = await api.rpc(
        "finish_run",
        {"p_job": job, "p_due_at": due_at, "p_fence": due["fence"], "p_error": error, "p_result": result},
    )
    run = Run(job, due_at, error, result, bool(recorded))
    level = log.error if error else log.info
    level("run finished", job=job, due_at=due_at, error=error, recorded=run.recorded, **result)
    return run


async def _work(api: WorkerApi, job: str) -> dict[str, Any]:
    """A job is the worker RPC of its name, called until it has no more to do; its counts are added up."""
    counts: Counter[str] = Counter()
    more = True
    while more:
        answer = await api.rpc(job) or {}
        more = bool(answer.pop("more", False))
        counts.update(answer)
    return dict(counts)
