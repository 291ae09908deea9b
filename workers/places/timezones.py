"""The time zone of a position, without asking anybody. The map is loaded at the first call: 35 MB."""

from __future__ import annotations

from zoneinfo import available_timezones


def timezone_at(latitude: float, longitude: float) -> str | None:
    """An IANA name such as America/Chicago; None at sea, where no property is."""
    from tzfpy import get_tz

    name = get_tz(longitude, latitude)
    return name if name in _known() and not name.startswith("Etc/") else None


_names: frozenset[str] = frozenset()


def _known() -> frozenset[str]:
    global _names
    if not _names:
        _names = frozenset(available_timezones())
    return _names
