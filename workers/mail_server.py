"""Which mail server, and how to talk to it: read from SMTP_URL, or from SMTP_HOST and its companions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Tls = Literal["none", "starttls", "tls"]


@dataclass(frozen=True)
class MailServer:
    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    tls: Tls

    @classmethod
    def at(
        cls, host: str, port: int | None, user: str | None, password: str | None, tls: Tls | None
    ) -> MailServer:
        """Defaults: STARTTLS, unless it is this machine; port 465 for `tls`, else 587."""
        tls = tls or ("none" if host in LOOPBACK else "starttls")
        return cls(host, port or (465 if tls == "tls" else 587), user, password, tls)

    @classmethod
    def from_url(cls, url: str, tls: Tls | None = None) -> MailServer:
        """`smtps://` is TLS from the start, `smtp://` as `at` decides; user and password percent-encoded."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError(
                "is no mail server's URL; it looks like smtp://user:password@host:587 or smtps://host"
            )
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return cls.at(parts.hostname, parts.port, user, password, "tls" if parts.scheme == "smtps" else tls)
