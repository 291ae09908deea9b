"""Sessions and their refresh tokens: `auth.sessions`, `auth.refresh_tokens` and `auth.mfa_amr_claims`.

A refresh token is used once: it is revoked and gets a child. Presented again while that child is unused, it
gets the same child, for the client that never received the answer. Any older token was probably stolen: the
whole family is revoked.
"""

from __future__ import annotations

import ipaddress
import secrets
import string
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from starlette.requests import Request

from scripts.stack.auth import users
from scripts.stack.auth.users import NIL

TOKEN_LENGTH = 12


@dataclass(frozen=True)
class Session:
    """A signed-in device. `methods` are how and when it was signed in to: the claim `amr`."""

    id: UUID
    user_id: UUID
    aal: str
    methods: list[tuple[str, datetime]]
    refresh_token: str = field(repr=False)


@dataclass(frozen=True)
class Client:
    """Where a session was started from."""

    address: str | None
    user_agent: str | None

    @classmethod
    def of(cls, request: Request) -> Client:
        forwarded = request.headers.get("x-forwarded-for", "").split(",")[0].strip()
        candidate = forwarded or (request.client.host if request.client else "")
        try:
            address = str(ipaddress.ip_address(candidate))
        except ValueError:
            address = None
        return cls(address, request.headers.get("user-agent"))


async def start(conn: AsyncConnection, user_id: UUID, method: str, client: Client) -> Session:
    """Sign the user in: a session with its first refresh token; `last_sign_in_at` moves."""
    session_id = uuid4()
    await conn.execute(
        """
        insert into auth.sessions (id, user_id, created_at, updated_at, aal, user_agent, ip)
        values (%s, %s, clock_timestamp(), clock_timestamp(), 'aal1', %s, %s)
        """,
        [session_id, user_id, client.user_agent, client.address],
    )
    await conn.execute(
        """
        insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
        values (%s, %s, clock_timestamp(), clock_timestamp(), %s)
        """,
        [uuid4(), session_id, method],
    )
    await users.update(conn, user_id, last_sign_in_at=datetime.now(UTC))
    token = await _issue(conn, user_id, session_id, parent=None)
    return await _load(conn, session_id, token)


async def lock_by_token(conn: AsyncConnection, token: str) -> tuple[UUID, UUID] | None:
    """Ids of a refresh token's session and user, the session locked: refreshes of one session take turns."""
    cursor = await conn.execute(
        """
        select s.id, s.user_id
        from auth.refresh_tokens as t
        join auth.sessions as s on s.id = t.session_id
        where t.token = %s
        for update of s
        """,
        [token],
    )
    return await cursor.fetchone()


async def rotate(conn: AsyncConnection, session_id: UUID, user_id: UUID, token: str) -> Session | None:
    """Exchange a refresh token of a locked session. None: it was used before; its family is now revoked."""
    cursor = await conn.execute(
        """
        select token, parent
        from auth.refresh_tokens
        where session_id = %s and not revoked
        order by id desc
        limit 1
        """,
        [session_id],
    )
    active, parent = await cursor.fetchone() or (None, None)
    if active == token:
        await conn.execute(
            "update auth.refresh_tokens set revoked = true, updated_at = clock_timestamp() where token = %s",
            [token],
        )
        active = await _issue(conn, user_id, session_id, parent=token)
        await conn.execute(
            """
            update auth.sessions
            set refreshed_at = clock_timestamp() at time zone 'utc', updated_at = clock_timestamp()
            where id = %s
            """,
            [session_id],
        )
    elif active is None or parent != token:
        await conn.execute(
            """
            update auth.refresh_tokens
            set revoked = true, updated_at = clock_timestamp()
            where session_id = %s and not revoked
            """,
            [session_id],
        )
        return None
    return await _load(conn, session_id, active)


async def exists(conn: AsyncConnection, session_id: UUID, user_id: UUID) -> bool:
    cursor = await conn.execute(
        "select from auth.sessions where id = %s and user_id = %s", [session_id, user_id]
    )
    return await cursor.fetchone() is not None


async def end(
    conn: AsyncConnection, user_id: UUID, *, only: UUID | None = None, keep: UUID | None = None
) -> None:
    """End the user's sessions: all of them, `only` one, or all but the one to `keep`."""
    await conn.execute(
        """
        delete from auth.sessions
        where user_id = %(user_id)s
            and (%(only)s::uuid is null or id = %(only)s)
            and id is distinct from %(keep)s::uuid
        """,
        {"user_id": user_id, "only": only, "keep": keep},
    )


def looks_like_token(text: str | None) -> bool:
    return text is not None and len(text) == TOKEN_LENGTH


async def _issue(conn: AsyncConnection, user_id: UUID, session_id: UUID, *, parent: str | None) -> str:
    token = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(TOKEN_LENGTH))
    await conn.execute(
        """
        insert into auth.refresh_tokens
            (instance_id, token, user_id, revoked, created_at, updated_at, parent, session_id)
        values (%s, %s, %s, false, clock_timestamp(), clock_timestamp(), %s, %s)
        """,
        [NIL, token, str(user_id), parent, session_id],
    )
    return token


async def _load(conn: AsyncConnection, session_id: UUID, token: str) -> Session:
    cursor = await conn.execute("select user_id, aal::text from auth.sessions where id = %s", [session_id])
    user_id, aal = await cursor.fetchone() or (NIL, None)
    cursor = await conn.execute(
        """
        select authentication_method, updated_at
        from auth.mfa_amr_claims
        where session_id = %s
        order by updated_at desc, authentication_method
        """,
        [session_id],
    )
    return Session(session_id, user_id, aal or "aal1", await cursor.fetchall(), token)
