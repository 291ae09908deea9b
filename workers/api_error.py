"""The one exception for whatever the API refuses, or doesn't answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

# Answers that a repeated call may not get: the gateway or PostgREST without a database behind it, limits.
TRANSIENT_STATUSES = frozenset({408, 429, 502, 503, 504})
# The same told by the database: connection lost, resources, shutdown, deadlock, serialization, time-out.
TRANSIENT_SQLSTATES = ("08", "53", "57", "40001", "40P01", "55P03")
# PostgREST's answer to a connection that broke without a word: 400 with an envelope of empty strings.
NO_SQLSTATE = ""


class ApiError(Exception):
    """The API's error envelope: `code`, `message`, `details`, `hint`, and the HTTP status (None: no answer).

    `retry_after`: seconds, where the answer said so.

    `transient` errors are of the moment; the same call may succeed later.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: str | None = None,
        hint: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.code = code
        self.message = message
        self.details = details
        self.hint = hint
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        super().__init__(f"{message.rstrip('.')} ({code})" + (f". {hint}" if hint else ""))

    @property
    def transient(self) -> bool:
        if self.status is None or self.status in TRANSIENT_STATUSES:
            return True
        if self.code == "database_lost":
            return True
        return self.status >= 500 and self.code.startswith(TRANSIENT_SQLSTATES)

    @classmethod
    def unreachable(cls, url: str, cause: Exception, request_id: str) -> ApiError:
        reason = str(cause) or type(cause).__name__
        return cls(
            "api_unreachable",
            f"The API at {url} doesn't answer: {reason}",
            hint="Is it up? `make up` starts the local stack; API_URL says where it is looked for",
            request_id=request_id,
        )

    @classmethod
    def of(cls, response: httpx.Response) -> ApiError:
        """From a response that is read."""
        return cls.told(response.status_code, response.reason_phrase, response.content, response.headers)

    @classmethod
    def told(cls, status: int, reason: str, content: bytes, headers: Mapping[str, str]) -> ApiError:
        """From an answer's parts; a body that isn't the envelope (a proxy's page) becomes `details`."""
        try:
            body = json.loads(content)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            body = {"details": content.decode(errors="replace")[:500] or None}
        if body.get("code") == NO_SQLSTATE:
            body |= {"code": "database_lost", "message": "The API lost its connection to the database"}
        return cls(
            str(body.get("code") or f"http_{status}"),
            str(body.get("message") or f"The API answered {status} {reason}"),
            details=body.get("details"),
            hint=body.get("hint"),
            status=status,
            request_id=headers.get("x-request-id"),
            retry_after=whole_seconds(headers.get("retry-after")),
        )


def whole_seconds(retry_after: str | None) -> int | None:
    """Of a Retry-After, unless it is a date or nonsense."""
    text = retry_after or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
