"""POST /recover, POST /resend, and /verify, where what was mailed comes back."""

from __future__ import annotations

from datetime import UTC, datetime

from psycopg import AsyncConnection, errors
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from scripts.stack.auth import codes, flows, links, mailing, sessions, users
from scripts.stack.auth.answers import signed_in, token_body
from scripts.stack.auth.codes import Code
from scripts.stack.auth.errors import ApiError, email_exists, otp_expired, validation_failed
from scripts.stack.auth.params import Recover, Resend, Verify, checked_email
from scripts.stack.auth.server import Server, server_of
from scripts.stack.auth.sessions import Client
from scripts.stack.auth.users import User

ONE_OF_TWO = "Confirmation link accepted. Please proceed to confirm link sent to the other email"


async def recover(request: Request) -> Response:
    """Mail a link for a new password; the answer is the same for an unknown address."""
    server, params = server_of(request), await Recover.read(request)
    if not params.email:
        raise validation_failed("Password recovery requires an email")
    email = checked_email(params.email)
    async with server.transaction() as conn:
        if user := await users.find_by_email(conn, email, lock=True):
            await mailing.send_recovery(server, conn, user, request, params)
    return JSONResponse({})


async def resend(request: Request) -> Response:
    """Mail the confirmation of a sign-up once more, where one is outstanding."""
    server, params = server_of(request), await Resend.read(request)
    if params.type != "signup":
        raise validation_failed("Resend is offered for the type signup")
    email = checked_email(params.email)
    async with server.transaction() as conn:
        user = await users.find_by_email(conn, email, lock=True)
        if user and not user.confirmed:
            await mailing.send_confirmation(server, conn, user, request, params)
    return JSONResponse({})


async def verify_post(request: Request) -> Response:
    """Exchange a mailed hash, or an address and its code, for a session."""
    server, params = server_of(request), await Verify.read(request)
    async with server.transaction() as conn:
        user = await _consume(server, conn, params)
        if user is None:
            return JSONResponse({"msg": ONE_OF_TWO, "code": "200"})
        session = await sessions.start(conn, user.id, "otp", Client.of(request))
        return signed_in(await token_body(server, conn, session), session)


async def verify_get(request: Request) -> Response:
    """Follow a mailed link to the site, with a session in the fragment, a code in the query, or an error."""
    server, query = server_of(request), request.query_params
    params = Verify(type=query.get("type"), token_hash=query.get("token") or query.get("token_hash"))
    if not params.token_hash:
        raise validation_failed("Verify requires a token or a token hash")
    codes.slots_of(params.type)
    target = links.destination(server.settings, request)
    pkce = params.token_hash.startswith(codes.PKCE)
    try:
        async with server.transaction() as conn:
            user = await _consume(server, conn, params)
            if user is None:
                location = links.with_fragment(target, {"message": ONE_OF_TWO, "sb": ""})
            elif pkce:
                auth_code = await flows.issue_code(conn, user.id, params.type or "")
                location = links.with_query(target, {"code": auth_code})
            else:
                session = await _session_members(server, conn, user, request, params)
                location = links.with_fragment(target, session)
    except ApiError as error:
        location = links.with_error(target, error, pkce=pkce)
    return RedirectResponse(location, 303)


async def _session_members(
    server: Server, conn: AsyncConnection, user: User, request: Request, params: Verify
) -> dict[str, str]:
    session = await sessions.start(conn, user.id, "otp", Client.of(request))
    body = await token_body(server, conn, session)
    members = ("access_token", "expires_at", "expires_in", "refresh_token", "token_type")
    return {**{name: str(body[name]) for name in members}, "sb": "", "type": params.type or ""}


async def _consume(server: Server, conn: AsyncConnection, params: Verify) -> User | None:
    """The user whose hash or code this is, now used up. None: the other address has still to confirm."""
    slots, now = codes.slots_of(params.type), datetime.now(UTC)
    if params.token_hash and not params.token:
        hashes = [params.token_hash]
        user = await codes.find_user(conn, params.token_hash, slots)
    elif params.token and params.email and not params.token_hash:
        email = checked_email(params.email)
        hashes = [Code(email, params.token, pkce).hash for pkce in (False, True)]
        if params.type == "email_change":
            user = await users.find_by_new_email(conn, email)
        else:
            user = await users.find_by_email(conn, email, lock=True)
    else:
        raise validation_failed("Verify requires either a token hash, or a token and an email address")
    if user is None:
        raise otp_expired()
    if user.banned(now):
        raise ApiError(403, "user_banned", "User is banned")
    slot = codes.matching_slot(user, slots, hashes, lifetime=server.settings.otp_lifetime, now=now)
    if slot in codes.SLOTS["email_change"]:
        return await _confirm_change(conn, user, slot)
    user = await codes.clear(conn, user.id, codes.ALL if slot is codes.CONFIRMATION else (slot,))
    return user if user.confirmed else await users.confirm(conn, user)


async def _confirm_change(conn: AsyncConnection, user: User, slot: codes.Slot) -> User | None:
    other = codes.CHANGE_TO if slot is codes.CHANGE_FROM else codes.CHANGE_FROM
    if other.hash_of(user):
        await codes.clear(conn, user.id, (slot,))
        await users.update(conn, user.id, email_change_confirm_status=1)
        return None
    try:
        async with conn.transaction():
            await users.change_email(conn, user, user.email_change or "")
    except errors.UniqueViolation:  # somebody else took the address meanwhile
        raise email_exists() from None
    await codes.clear(conn, user.id)
    user = await users.update(conn, user.id, email_change="", email_change_confirm_status=0)
    return user if user.confirmed else await users.confirm(conn, user)
