"""/admin/users: what the service-role key may do with users."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from psycopg import errors
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from scripts.stack.auth import account, codes, passwords, sessions, user_json, users
from scripts.stack.auth.answers import user_body
from scripts.stack.auth.errors import email_exists, phone_disabled, user_not_found, validation_failed
from scripts.stack.auth.params import AdminDelete, AdminUser, checked_email, checked_uuid
from scripts.stack.auth.server import server_of

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
MAX_BAN_SECONDS = 290 * 365 * 86_400  # as long as the real server can count
DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|ns|m|s)")


async def list_users(request: Request) -> Response:
    """A page of users, newest first, without their identities."""
    server = server_of(request)
    server.require_admin(request)
    number, size = _natural(request, "page", 1), _natural(request, "per_page", 50)
    async with server.transaction() as conn:
        found, total = await users.page(conn, limit=size, offset=(number - 1) * size)
    headers = {"X-Total-Count": str(total), "Link": _links(request, number, max(1, math.ceil(total / size)))}
    body = {"users": [user_json.as_json(user, None) for user in found], "aud": users.AUDIENCE}
    return JSONResponse(body, headers=headers)


async def create_user(request: Request) -> Response:
    server, params = server_of(request), await _params(request)
    if not params.email:
        raise validation_failed("Cannot create a user without either an email or phone")
    email = checked_email(params.email)
    password_hash = params.password_hash or ""
    if password_hash and (params.password or not passwords.BCRYPT_HASH.fullmatch(password_hash)):
        raise validation_failed("Give either a password or a password_hash made by bcrypt")
    if params.password:
        passwords.check_strength(params.password)
        password_hash = await passwords.hash_password(params.password)
    try:
        async with server.transaction() as conn:
            user = await users.create(
                conn,
                email,
                password_hash=password_hash,
                user_metadata=params.user_metadata,
                app_metadata=params.app_metadata,
                role=params.role or users.AUDIENCE,
                user_id=checked_uuid(params.id, "ID is not a valid UUID") if params.id else None,
            )
            await users.add_email_identity(conn, user)
            if params.email_confirm:
                user = await users.confirm(conn, user)
            if params.ban_duration:
                user = await users.update(conn, user.id, banned_until=_banned_until(params.ban_duration))
            return JSONResponse(await user_body(conn, user))
    except errors.UniqueViolation:
        raise email_exists() from None


async def get_user(request: Request) -> Response:
    server = server_of(request)
    server.require_admin(request)
    async with server.transaction() as conn:
        user = await users.find(conn, _user_id(request))
        if user is None:
            raise user_not_found()
        return JSONResponse(await user_body(conn, user))


async def update_user(request: Request) -> Response:
    """Change anything of a user. A new password ends all sessions."""
    server, params = server_of(request), await _params(request)
    email = checked_email(params.email) if params.email else None
    if params.password is not None:
        passwords.check_strength(params.password)
    try:
        async with server.transaction() as conn:
            user = await users.find(conn, _user_id(request), lock=True)
            if user is None:
                raise user_not_found()
            if params.password is not None:
                await account.set_password(conn, user, await passwords.hash_password(params.password))
                await sessions.end(conn, user.id)
            if email and email != user.email:
                user = await users.change_email(conn, user, email)
            changes: dict[str, object] = {}
            if params.role:
                changes["role"] = params.role
            if params.ban_duration:
                changes["banned_until"] = _banned_until(params.ban_duration)
            if params.user_metadata is not None:
                changes["raw_user_meta_data"] = users.merged(user.raw_user_meta_data, params.user_metadata)
            if params.app_metadata is not None:
                changes["raw_app_meta_data"] = users.merged(user.raw_app_meta_data, params.app_metadata)
            user = await users.update(conn, user.id, **changes)
            if params.email_confirm and not user.confirmed:
                await codes.clear(conn, user.id)
                user = await users.confirm(conn, user)
            return JSONResponse(await user_body(conn, user))
    except errors.UniqueViolation:
        raise email_exists() from None


async def delete_user(request: Request) -> Response:
    """Delete a user for good, with identities, sessions and tokens."""
    server = server_of(request)
    server.require_admin(request)
    if await request.body() and (await AdminDelete.read(request)).should_soft_delete:
        raise validation_failed("should_soft_delete is not offered here: users are deleted for good")
    async with server.transaction() as conn:
        deleted = await conn.execute("delete from auth.users where id = %s", [_user_id(request)])
        if not deleted.rowcount:
            raise user_not_found()
    return JSONResponse({})


async def _params(request: Request) -> AdminUser:
    server_of(request).require_admin(request)
    params = await AdminUser.read(request)
    if params.phone:
        raise phone_disabled()
    return params


def _user_id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["user_id"])
    except ValueError:
        error = validation_failed("user_id must be an UUID")
        error.status = 404
        raise error from None


def _natural(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 10**6:
        raise validation_failed(f"Bad Pagination Parameters: {name} is {json.dumps(text)}")
    return int(text)


def _links(request: Request, number: int, last: int) -> str:
    pages = {"next": number + 1, "last": last} if number < last else {"last": last}
    query = {name: value for name, value in request.query_params.items() if name != "page"}
    return ", ".join(
        f'<{request.url.path}?{urlencode({"page": page, **query})}>; rel="{relation}"'
        for relation, page in pages.items()
    )


def _banned_until(duration: str) -> datetime | None:
    """When a ban of this length ends: `24h`, `1h30m`; `none` lifts it."""
    if duration == "none":
        return None
    parts = DURATION.findall(duration)
    seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    if (
        not parts
        or "".join(f"{number}{unit}" for number, unit in parts) != duration
        or seconds > MAX_BAN_SECONDS
    ):
        raise validation_failed(f"invalid format for ban duration: {json.dumps(duration)}")
    return datetime.now(UTC) + timedelta(seconds=seconds)
