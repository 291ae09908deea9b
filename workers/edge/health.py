"""`/livez`: the process answers. `/readyz`: so does what it can't do without."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from workers.edge import service
from workers.edge.envelope import answer


async def livez(request: Request) -> Response:
    return answer({"status": "pass"})


async def readyz(request: Request) -> Response:
    checks = await service.of(request).readiness.found()
    ready = all(check["status"] == "pass" for check in checks.values())
    return answer({"status": "pass" if ready else "fail", "checks": checks}, 200 if ready else 503)
