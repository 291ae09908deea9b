"""Who the edge service asks, as fast as Python can be: `python -m bench.edge.upstream PORT SECONDS`.

Google, which takes SECONDS for an answer, and a database that admits everybody at once.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from typing import Any

import uvicorn

SUGGESTED = {
    "placePrediction": {
        "placeId": "ChIJ" + "x" * 23,
        "text": {"text": "123 Main Street, Springfield, IL, USA", "matches": [{"endOffset": 8}]},
        "structuredFormat": {
            "mainText": {"text": "123 Main Street"},
            "secondaryText": {"text": "Springfield, IL, USA"},
        },
    }
}
SUGGESTIONS = json.dumps({"suggestions": [SUGGESTED] * 5}).encode()
PLACE = b'{"id": "ChIJ", "location": {"latitude": 39.78, "longitude": -89.65}}'
ADMITTED = b'{"admitted": true, "provider_token": "%s", "remaining": 9}' % str(uuid.uuid4()).encode()


class Upstream:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if scope["path"].endswith("admit_place_calls"):
            answer = b"[" + b",".join([ADMITTED] * body.count(b'"kind"')) + b"]"
        else:
            answer = PLACE if scope["method"] == "GET" else SUGGESTIONS
            if self.seconds:
                await asyncio.sleep(self.seconds)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    uvicorn.run(
        Upstream(float(sys.argv[2])),
        port=int(sys.argv[1]),
        access_log=False,
        log_level="error",
        lifespan="off",
        ws="none",
    )
