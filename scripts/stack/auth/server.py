"""What every request handler works with: settings, keys, the database, and who asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from starlette.requests import Request

from scripts.stack.auth import sessions, users
from scripts.stack.auth.errors import ApiError
from scripts.stack.auth.sessions import Session
from scripts.stack.auth.settings import Settings
from scripts.stack.auth.tokens import LIFETIME, Signer, access_claims
from scripts.stack.auth.users import User
from scripts.stack.keys import Keys

POOL_SIZE = 10
POOL_TIMEOUT_SECONDS = 3
ADMIN_ROLES = ("service_role", "supabase_admin")


@dataclass(frozen=True)
class Server:
    settings: Settings
    signer: Signer
    pool: AsyncConnectionPool[AsyncConnection]

    @classmethod
    def create(cls, settings: Settings) -> Server:
        """A server whose pool is still closed. Connections are checked before use: databases restart."""
        pool: AsyncConnectionPool[AsyncConnection] = AsyncConnectionPool(
            settings.db_url,
            min_size=1,
            max_size=POOL_SIZE,
            timeout=POOL_TIMEOUT_SECONDS,
            reconnect_timeout=POOL_TIMEOUT_SECONDS,  # then the next request tries, without a growing delay
            check=AsyncConnectionPool.check_connection,
            kwargs={"application_name": "auth", "connect_timeout": POOL_TIMEOUT_SECONDS},
            open=False,
        )
        return cls(settings, Signer(Keys.load_or_create(settings.keys_file)), pool)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose work is committed at the end, or undone when an exception leaves the block."""
        async with self.pool.connection() as conn:
            yield conn

    def token_response(self, user: dict[str, Any], row: User, session: Session) -> dict[str, Any]:
        """The body that signs a client in."""
        claims = access_claims(row, session, issuer=self.settings.issuer, now=datetime.now(UTC))
        return {
            "access_token": self.signer.sign(claims),
            "token_type": "bearer",
            "expires_in": LIFETIME,
            "expires_at": claims["exp"],
            "refresh_token": session.refresh_token,
            "user": user,
        }

    def require_admin(self, request: Request) -> None:
        """Raise unless the bearer token is the service-role key."""
        if self.signer.bearer_claims(request).get("role") not in ADMIN_ROLES:
            raise ApiError(403, "not_admin", "User not allowed")

    async def require_user(
        self, conn: AsyncConnection, request: Request, *, lock: bool = False
    ) -> tuple[User, UUID | None]:
        """The user of the bearer token, and the session it belongs to."""
        claims = self.signer.bearer_claims(request)
        if not claims.get("sub"):
            raise ApiError(403, "bad_jwt", "invalid claim: missing sub claim")
        try:
            user_id = UUID(claims["sub"])
            session_id = UUID(claims["session_id"]) if claims.get("session_id") else None
        except ValueError:
            raise ApiError(403, "bad_jwt", "invalid claim: sub and session_id must be UUIDs") from None
        user = await users.find(conn, user_id, lock=lock)
        if user is None:
            raise ApiError(403, "user_not_found", "User from sub claim in JWT does not exist")
        if session_id and not await sessions.exists(conn, session_id, user_id):
            raise ApiError(403, "session_not_found", "Session from session_id claim in JWT does not exist")
        return user, session_id


def server_of(request: Request) -> Server:
    server: Server = request.app.state.server
    return server
