"""Sending a user what confirms an address, sets a new password, or changes the address."""

from __future__ import annotations

from datetime import UTC, datetime

from psycopg import AsyncConnection
from starlette.requests import Request

from scripts.stack.auth import codes, flows, links, mail, users
from scripts.stack.auth.codes import Code, Slot
from scripts.stack.auth.params import Challenge
from scripts.stack.auth.server import Server
from scripts.stack.auth.users import User


async def send_confirmation(
    server: Server, conn: AsyncConnection, user: User, request: Request, params: Challenge
) -> User:
    return await _send(server, conn, user, request, params, codes.CONFIRMATION, "signup")


async def send_recovery(
    server: Server, conn: AsyncConnection, user: User, request: Request, params: Challenge
) -> User:
    return await _send(server, conn, user, request, params, codes.RECOVERY, "recovery")


async def send_email_change(
    server: Server, conn: AsyncConnection, user: User, new_email: str, request: Request, params: Challenge
) -> User:
    """Ask both addresses: the change is made when each has confirmed."""
    now = datetime.now(UTC)
    codes.check_interval(user.email_change_sent_at, server.settings.mail_interval, now)
    pkce = await flows.begin(conn, user.id, "email_change", params)
    user = await users.update(conn, user.id, email_change=new_email, email_change_confirm_status=0)
    for slot, address in ((codes.CHANGE_FROM, user.email), (codes.CHANGE_TO, new_email)):
        if address:
            code = Code.new(address, pkce=pkce)
            user = await codes.store(conn, user, slot, code, now)
            await _deliver(server, request, code, "email_change")
    return user


async def _send(
    server: Server,
    conn: AsyncConnection,
    user: User,
    request: Request,
    params: Challenge,
    slot: Slot,
    verification_type: str,
) -> User:
    """Send at most one mail of a kind in each interval. The caller holds the user's lock."""
    now = datetime.now(UTC)
    codes.check_interval(slot.sent_to(user), server.settings.mail_interval, now)
    pkce = await flows.begin(conn, user.id, verification_type, params)
    code = Code.new(user.email or "", pkce=pkce)
    user = await codes.store(conn, user, slot, code, now)
    await _deliver(server, request, code, verification_type)
    return user


async def _deliver(server: Server, request: Request, code: Code, verification_type: str) -> None:
    redirect_to = links.destination(server.settings, request)
    link = links.action_link(server.settings, code.hash, verification_type, redirect_to)
    await mail.send(server.settings, code.email, verification_type, link=link, otp=code.otp)
