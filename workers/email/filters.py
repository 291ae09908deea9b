"""How templates write dates and lists. Nothing here depends on the machine's locale or time zone.

str() of a field that the payload lacks raises and names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from urllib.parse import quote

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def long_date(value: str) -> str:
    """`2027-01-31` as January 31, 2027."""
    day = date.fromisoformat(str(value))
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def long_time(value: str) -> str:
    """An instant in ISO 8601 as January 31, 2027, 14:05 UTC."""
    instant = datetime.fromisoformat(str(value)).astimezone(UTC)
    return f"{long_date(instant.date().isoformat())}, {instant:%H:%M} UTC"


def enumerated(values: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(values[:-1]), *values[-1:]) if part)


def days(count: int) -> str:
    """`today`, `tomorrow`, `in 30 days`; what is past as `3 days ago`."""
    if count < 0:
        return f"{-count} day{'s' if count != -1 else ''} ago"
    return {0: "today", 1: "tomorrow"}.get(count, f"in {count} days")


def in_url(value: str) -> str:
    return quote(value, safe="")


ALL = {
    "long_date": long_date,
    "long_time": long_time,
    "enumerated": enumerated,
    "days": days,
    "in_url": in_url,
}
