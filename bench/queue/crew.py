"""Several processes of one contender, started together and measured together."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from bench.queue.consumers import Access, Consumer, Count

WORKERS = 4
PATIENCE = 300


@dataclass(frozen=True)
class Shift:
    """What a crew did. `cpu` in seconds, by part of the stack and for all workers; `calls`: seconds each."""

    messages: int
    seconds: float
    cpu: Mapping[str, float]
    calls: Mapping[str, float]
    rss_mb: float

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


def work(consumer: Consumer, access: Access, parts: Mapping[str, int]) -> Shift:
    """Run the consumer in four processes until all are done. `parts`: whose CPU to count, by name and pid."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(WORKERS + 1)
    results = context.Queue()
    processes = [
        context.Process(target=_work, args=(consumer, access, start, results), daemon=True)
        for _ in range(WORKERS)
    ]
    for process in processes:
        process.start()
    start.wait(PATIENCE)
    before = {name: _cpu(pid) for name, pid in parts.items()}
    began = time.perf_counter()
    done: list[tuple[Count, float, float]] = [results.get(timeout=PATIENCE) for _ in processes]
    seconds = time.perf_counter() - began
    cpu = {name: _cpu(pid) - before[name] for name, pid in parts.items()}
    for process in processes:
        process.join(PATIENCE)
    calls = sum(count.calls for count, _, _ in done) / 2
    names = {name for count, _, _ in done for name in count.seconds}
    return Shift(
        messages=sum(count.messages for count, _, _ in done),
        seconds=seconds,
        cpu={**cpu, "workers": sum(spent for _, spent, _ in done)},
        calls={name: sum(count.seconds[name] for count, _, _ in done) / max(calls, 1) for name in names},
        rss_mb=max(rss for _, _, rss in done),
    )


def _work(consumer: Consumer, access: Access, start: Any, results: Any) -> None:
    began = 0.0

    def ready() -> None:
        nonlocal began
        start.wait(PATIENCE)
        began = time.process_time()

    count = consumer(access, ready)
    rss = psutil.Process().memory_info().rss / 2**20
    results.put((count, time.process_time() - began, rss))


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process and those it started have used, ended ones included."""
    total = 0.0
    process = psutil.Process(pid)
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total + process.cpu_times().children_user + process.cpu_times().children_system
