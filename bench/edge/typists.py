"""People who type, in a process of their own: `python -m bench.edge.typists`, its task on stdin."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from statistics import quantiles
from typing import Any

import aiohttp
import uvloop

WARM_UP = 1.0


async def type_letters(task: dict[str, Any]) -> dict[str, Any]:
    """`requests` are [headers, body], one a person. With `every` each types so often, else at once."""
    seconds, every, url = task["seconds"], task["every"], task["url"]
    requests = [(headers, json.dumps(body).encode()) for headers, body in task["requests"]]
    took: list[float] = []
    failed: dict[str, int] = {}
    began = time.perf_counter() + WARM_UP
    ends = began + seconds

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def person(number: int) -> None:
            headers, body = requests[number]
            next_at = time.perf_counter() + (every or 0.5) * number / len(requests)
            while (now := time.perf_counter()) < ends:
                if now < next_at:
                    await asyncio.sleep(next_at - now)
                asked = time.perf_counter()
                async with http.post(url, data=body, headers=headers) as answer:
                    text = await answer.read()
                if asked >= began:
                    if answer.status == 200:
                        took.append(time.perf_counter() - asked)
                    else:
                        failed[text.decode()[:200]] = failed.get(text.decode()[:200], 0) + 1
                next_at += every or 0

        await asyncio.gather(*(person(number) for number in range(len(requests))))
    cuts = quantiles(took, n=100) if len(took) > 1 else [0.0] * 99
    return {"letters": len(took), "quantiles": cuts, "failed": failed}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(type_letters(json.load(sys.stdin)))))
