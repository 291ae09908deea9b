"""What a mail carries: a code of six digits to type in, and its hash to click on.

A column of `auth.users` and a row of `auth.one_time_tokens` hold the hash, SHA-224 of address and code. Its
prefix `pkce_` marks one whose link leads to a code for the client (flows.py).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from scripts.stack.auth import users
from scripts.stack.auth.errors import ApiError, otp_expired, validation_failed
from scripts.stack.auth.users import User

PKCE = "pkce_"


@dataclass(frozen=True)
class Slot:
    """A column that holds a hash (the token type has its name), and the one that says when it was sent."""

    column: str
    sent_at: str

    def hash_of(self, user: User) -> str:
        return getattr(user, self.column) or ""

    def sent_to(self, user: User) -> datetime | None:
        sent_at: datetime | None = getattr(user, self.sent_at)
        return sent_at


CONFIRMATION = Slot("confirmation_token", "confirmation_sent_at")
RECOVERY = Slot("recovery_token", "recovery_sent_at")
CHANGE_FROM = Slot("email_change_token_current", "email_change_sent_at")
CHANGE_TO = Slot("email_change_token_new", "email_change_sent_at")
ALL = (CONFIRMATION, RECOVERY, CHANGE_FROM, CHANGE_TO)

SLOTS = {
    "signup": (CONFIRMATION,),
    "invite": (CONFIRMATION,),
    "recovery": (RECOVERY,),
    "magiclink": (RECOVERY,),
    "email": (CONFIRMATION, RECOVERY),
    "email_change": (CHANGE_FROM, CHANGE_TO),
}


@dataclass(frozen=True)
class Code:
    """A code of six digits for one address, and its hash."""

    email: str
    otp: str = field(repr=False)
    pkce: bool = False

    @classmethod
    def new(cls, email: str, *, pkce: bool = False) -> Code:
        return cls(email, f"{secrets.randbelow(10**6):06}", pkce)

    @property
    def hash(self) -> str:
        digest = hashlib.sha224(f"{self.email}{self.otp}".encode()).hexdigest()
        return f"{PKCE}{digest}" if self.pkce else digest


def slots_of(verification_type: str | None) -> tuple[Slot, ...]:
    if verification_type not in SLOTS:
        raise validation_failed(
            f"Verify does not know the type {verification_type!r}: use {', '.join(SLOTS)}"
        )
    return SLOTS[verification_type]


def check_interval(sent_at: datetime | None, interval: timedelta, now: datetime) -> None:
    """Raise `over_email_send_rate_limit` when the last mail is too recent."""
    if sent_at is not None and sent_at + interval > now:
        left = int((sent_at + interval - now).total_seconds())
        raise ApiError(
            429,
            "over_email_send_rate_limit",
            f"For security purposes, you can only request this after {left} seconds.",
        )


async def store(conn: AsyncConnection, user: User, slot: Slot, code: Code, now: datetime) -> User:
    """Keep the code's hash for the user; an earlier one of the same kind stops working."""
    await conn.execute(
        """
        insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to)
        values (%s, %s, %s, %s, %s)
        on conflict (user_id, token_type)
        do update set token_hash = excluded.token_hash, relates_to = excluded.relates_to, updated_at = now()
        """,
        [uuid4(), user.id, slot.column, code.hash, code.email],
    )
    return await users.update(conn, user.id, **{slot.column: code.hash, slot.sent_at: now})


async def find_user(conn: AsyncConnection, token_hash: str, slots: tuple[Slot, ...]) -> User | None:
    """The user to whom the hash was sent, locked."""
    cursor = await conn.execute(
        "select user_id from auth.one_time_tokens where token_hash = %s and token_type::text = any(%s)",
        [token_hash, [slot.column for slot in slots]],
    )
    found: tuple[UUID] | None = await cursor.fetchone()
    return await users.find(conn, found[0], lock=True) if found else None


def matching_slot(
    user: User, slots: tuple[Slot, ...], hashes: list[str], *, lifetime: timedelta, now: datetime
) -> Slot:
    """The slot that holds one of the hashes and is still fresh, or `otp_expired`."""
    for slot in slots:
        sent_at = slot.sent_to(user)
        if any(hmac.compare_digest(slot.hash_of(user), candidate) for candidate in hashes):
            if sent_at is not None and sent_at + lifetime > now:
                return slot
            break
    raise otp_expired()


async def clear(conn: AsyncConnection, user_id: UUID, slots: tuple[Slot, ...] = ALL) -> User:
    """Make what was sent to the user unusable."""
    await conn.execute(
        "delete from auth.one_time_tokens where user_id = %s and token_type::text = any(%s)",
        [user_id, [slot.column for slot in slots]],
    )
    return await users.update(conn, user_id, **{slot.column: "" for slot in slots})
