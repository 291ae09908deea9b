"""The two answers most calls give: a user, or a signed-in session."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection
from starlette.responses import JSONResponse, Response

from scripts.stack.auth import user_json, users
from scripts.stack.auth.errors import user_not_found
from scripts.stack.auth.server import Server
from scripts.stack.auth.sessions import Session
from scripts.stack.auth.users import User


async def user_body(conn: AsyncConnection, user: User) -> dict[str, Any]:
    return user_json.as_json(user, await users.identities_of(conn, user.id))


async def token_body(server: Server, conn: AsyncConnection, session: Session) -> dict[str, Any]:
    """The body that signs in; the user is read anew, for signing in has changed it."""
    user = await users.find(conn, session.user_id)
    if user is None:
        raise user_not_found()
    return server.token_response(await user_body(conn, user), user, session)


def signed_in(body: dict[str, Any], session: Session, **more: Any) -> Response:
    """200 with the headers that name user and session, for logs on the way to the client."""
    headers = {
        "Sb-Auth-User-Id": str(session.user_id),
        "Sb-Auth-Session-Id": str(session.id),
        "Sb-Auth-Refresh-Token-Prefix": session.refresh_token[:5],
    }
    return JSONResponse({**body, **more}, headers=headers)
