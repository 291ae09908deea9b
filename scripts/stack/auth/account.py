"""GET /user and PUT /user."""

from __future__ import annotations

from psycopg import AsyncConnection, errors
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from scripts.stack.auth import codes, mailing, passwords, sessions, users
from scripts.stack.auth.answers import user_body
from scripts.stack.auth.errors import ApiError, email_exists, phone_disabled
from scripts.stack.auth.params import UserUpdate, checked_email
from scripts.stack.auth.server import server_of
from scripts.stack.auth.users import User


async def get_user(request: Request) -> Response:
    server = server_of(request)
    async with server.transaction() as conn:
        user, _ = await server.require_user(conn, request)
        return JSONResponse(await user_body(conn, user))


async def update_user(request: Request) -> Response:
    """Change one's own metadata, password or address. A new password ends the user's other sessions."""
    server, params = server_of(request), await UserUpdate.read(request)
    if params.phone:
        raise phone_disabled()
    email = checked_email(params.email) if params.email else None
    if params.password is not None:
        passwords.check_strength(params.password)
    try:
        async with server.transaction() as conn:
            user, session_id = await server.require_user(conn, request, lock=True)
            if params.password is not None:
                if await passwords.matches(params.password, user.encrypted_password):
                    raise ApiError(
                        422, "same_password", "New password should be different from the old password."
                    )
                await set_password(conn, user, await passwords.hash_password(params.password))
                await sessions.end(conn, user.id, keep=session_id)
            if params.data is not None:
                metadata = users.merged(user.raw_user_meta_data, params.data)
                await users.update(conn, user.id, raw_user_meta_data=metadata)
            user = await users.find(conn, user.id) or user
            if email and email != user.email:
                if await users.find_by_email(conn, email):
                    raise email_exists()
                user = await mailing.send_email_change(server, conn, user, email, request, params)
            return JSONResponse(await user_body(conn, user))
    except errors.UniqueViolation:
        raise email_exists() from None


async def set_password(conn: AsyncConnection, user: User, password_hash: str) -> None:
    """Store a password; what was mailed before stops working."""
    await codes.clear(conn, user.id)
    await users.update(
        conn,
        user.id,
        encrypted_password=password_hash,
        confirmation_sent_at=None,
        recovery_sent_at=None,
        email_change_sent_at=None,
    )
