"""What became of one try to send a message or to do other work, and how it is told to the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sent:
    """The provider has taken it."""

    response: str = ""


@dataclass(frozen=True)
class Answered:
    """Somebody was asked, and this is the answer."""

    result: dict[str, Any]


@dataclass(frozen=True)
class Retryable:
    """It was not sent, and a later try may succeed. `retry_after` in seconds, where the provider named it."""

    error: str
    retry_after: float | None = None


@dataclass(frozen=True)
class Permanent:
    """It was not sent, and never will be as it is."""

    error: str


@dataclass(frozen=True)
class Unknown:
    """It may or may not have been sent: the answer was lost after the content had left. Never repeated."""

    error: str


@dataclass(frozen=True)
class Unavailable:
    """It was not sent, for a reason that is not its own: the provider is away, or refuses us altogether.

    `spent`: it was asked, and may have done and billed something all the same.
    """

    error: str
    spent: bool = False


Done = Sent | Answered
Outcome = Done | Retryable | Permanent | Unknown | Unavailable


class ClaimLost(Exception):
    """Somebody else holds the message now, or nobody does: don't send it."""


class NotYet(Exception):
    """The queue has put it off: it waits for its turn there, and no try was counted."""
