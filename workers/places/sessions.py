"""Session tokens: what a client holds while somebody looks for an address. No provider ever sees them.

One names a session in the database and is bound to the user and workspace that opened it. The signature
spares the database whatever was forged, replayed by another user, or made up.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from workers.refusal import Refusal

# Of the key's other uses none may ever sign the same bytes.
PURPOSE = b"freehold places session 1\0"
SIGNATURE = 16

INVALID = Refusal(
    409,
    "places_invalid_session",
    "The search is over, or the session token is another's",
    hint="Open a new session with places/sessions, and repeat the call with its token.",
)


@dataclass(frozen=True)
class Session:
    id: UUID
    workspace_id: UUID


class SessionTokens:
    """`secret` must be the same for all processes of the service."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(PURPOSE + secret.encode()).digest()

    def issue(self, session: Session, user_id: str) -> str:
        names = session.id.bytes + session.workspace_id.bytes
        return _base64url(names + self._signature(names, user_id))

    def open(self, token: str, user_id: str) -> Session:
        """The session of this user's token. Refusal 409 `places_invalid_session` for any other."""
        try:
            data = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise INVALID from None
        names, signature = data[:32], data[32:]
        if not hmac.compare_digest(signature, self._signature(names, user_id)):
            raise INVALID
        return Session(UUID(bytes=names[:16]), UUID(bytes=names[16:]))

    def _signature(self, names: bytes, user_id: str) -> bytes:
        return hmac.digest(self._key, names + UUID(user_id).bytes, "sha256")[:SIGNATURE]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
