"""What a caller of the edge service is told when it can't be served: the error envelope as an exception."""

from __future__ import annotations


class Refusal(Exception):
    """`status` is HTTP's; `code` stands in docs/reference/errors.md; `hint` says what to do.

    `retry_after`: seconds until the same call may succeed.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        details: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details
        self.retry_after = retry_after
        super().__init__(f"{message} ({code})")
