"""POST /admin/generate_link: the link and code of a mail, for the caller to send."""

from __future__ import annotations

from datetime import UTC, datetime

from psycopg import AsyncConnection, errors
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from scripts.stack.auth import codes, links, passwords, sign_in, users
from scripts.stack.auth.answers import user_body
from scripts.stack.auth.codes import Code
from scripts.stack.auth.errors import ApiError, email_exists, validation_failed
from scripts.stack.auth.params import GenerateLink, SignUp, checked_email
from scripts.stack.auth.server import server_of
from scripts.stack.auth.users import User

SLOTS = {
    "signup": codes.CONFIRMATION,
    "invite": codes.CONFIRMATION,
    "magiclink": codes.RECOVERY,
    "recovery": codes.RECOVERY,
    "email_change_current": codes.CHANGE_FROM,
    "email_change_new": codes.CHANGE_TO,
}


async def generate_link(request: Request) -> Response:
    """Make a link of some type; `signup`, `invite` and `magiclink` register an unknown address."""
    server = server_of(request)
    server.require_admin(request)
    params = await GenerateLink.read(request)
    email = checked_email(params.email)
    if params.type not in SLOTS:
        raise validation_failed(f"Invalid email action link type requested: {params.type}")
    password_hash = await _checked_password(params)
    redirect_to = links.destination(server.settings, request, params.redirect_to)
    try:
        async with server.transaction() as conn:
            user = await users.find_by_email(conn, email, lock=True)
            kind = "signup" if params.type == "magiclink" and user is None else params.type
            user = await _prepared(conn, user, kind, email, password_hash, params)
            address = user.email_change if kind == "email_change_new" else email
            code = Code.new(address or email)
            user = await codes.store(conn, user, SLOTS[kind], code, datetime.now(UTC))
            verify_as = "email_change" if kind.startswith("email_change") else kind
            body = await user_body(conn, user) | {
                "action_link": links.action_link(server.settings, code.hash, verify_as, redirect_to),
                "email_otp": code.otp,
                "hashed_token": code.hash,
                "verification_type": kind,
                "redirect_to": redirect_to,
            }
            return JSONResponse(body)
    except errors.UniqueViolation:
        raise email_exists() from None


async def _checked_password(params: GenerateLink) -> str:
    if params.type != "signup":
        return ""
    if not params.password:
        raise validation_failed("Signup requires a valid password")
    passwords.check_strength(params.password)
    return await passwords.hash_password(params.password)


async def _prepared(
    conn: AsyncConnection, user: User | None, kind: str, email: str, password_hash: str, params: GenerateLink
) -> User:
    """The user whom the link is for, ready to use it."""
    if kind in ("signup", "invite"):
        if user and user.confirmed:
            raise email_exists()
        user = user or await sign_in.register(conn, email, password_hash, SignUp(data=params.data))
        return await users.update(conn, user.id, invited_at=datetime.now(UTC)) if kind == "invite" else user
    if user is None:
        raise ApiError(404, "user_not_found", "User with this email not found")
    if kind.startswith("email_change"):
        new_email = checked_email(params.new_email)
        if await users.find_by_email(conn, new_email):
            raise email_exists()
        return await users.update(conn, user.id, email_change=new_email, email_change_confirm_status=0)
    return user
