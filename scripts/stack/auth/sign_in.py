"""POST /signup, POST /token, POST /logout."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from psycopg import AsyncConnection, errors
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from scripts.stack.auth import flows, mailing, passwords, sessions, user_json, users
from scripts.stack.auth.answers import signed_in, token_body, user_body
from scripts.stack.auth.errors import ApiError, invalid_credentials, phone_disabled, validation_failed
from scripts.stack.auth.params import PasswordGrant, PkceGrant, RefreshTokenGrant, SignUp, checked_email
from scripts.stack.auth.server import Server, server_of
from scripts.stack.auth.sessions import Client
from scripts.stack.auth.users import User


async def signup(request: Request) -> Response:
    """Register a user: signed in at once, or asked by mail to confirm the address."""
    server, params = server_of(request), await SignUp.read(request)
    if params.phone:
        raise phone_disabled()
    if not params.email:
        raise ApiError(422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled")
    if not params.password:
        raise validation_failed("Signup requires a valid password")
    passwords.check_strength(params.password)
    email = checked_email(params.email)
    hashed = await passwords.hash_password(params.password)
    try:
        async with server.transaction() as conn:
            existing = await users.find_by_email(conn, email, lock=True)
            if server.settings.autoconfirm:
                if existing:
                    raise _already_registered()
                user = await users.confirm(conn, await register(conn, email, hashed, params))
                session = await sessions.start(conn, user.id, "password", Client.of(request))
                return signed_in(await token_body(server, conn, session), session)
            if existing and existing.confirmed:
                return JSONResponse(_looks_new(existing, params))
            user = existing or await register(conn, email, hashed, params)
            user = await mailing.send_confirmation(server, conn, user, request, params)
            return JSONResponse(await user_body(conn, user))
    except errors.UniqueViolation:
        raise _already_registered() from None


async def token(request: Request) -> Response:
    """Exchange a password, a refresh token or a PKCE code for a session."""
    grant = {"password": _password_grant, "refresh_token": _refresh_token_grant, "pkce": _pkce_grant}.get(
        request.query_params.get("grant_type", "")
    )
    if grant is None:
        raise ApiError(400, "invalid_credentials", "unsupported_grant_type")
    return await grant(server_of(request), request)


async def logout(request: Request) -> Response:
    """End all sessions of the user, this one, or the others."""
    server, scope = server_of(request), request.query_params.get("scope") or "global"
    if scope not in ("global", "local", "others"):
        raise validation_failed(f'Unsupported logout scope "{scope}"')
    async with server.transaction() as conn:
        user, session_id = await server.require_user(conn, request)
        await sessions.end(
            conn,
            user.id,
            only=session_id if scope == "local" else None,
            keep=session_id if scope == "others" else None,
        )
    return Response(status_code=204)


async def register(conn: AsyncConnection, email: str, password_hash: str, params: SignUp) -> User:
    """A new user with an identity; the user's metadata starts as a copy of what the identity holds."""
    user = await users.create(conn, email, password_hash=password_hash)
    identity_data = await users.add_email_identity(conn, user, params.data)
    return await users.update(conn, user.id, raw_user_meta_data=identity_data)


async def _password_grant(server: Server, request: Request) -> Response:
    params = await PasswordGrant.read(request)
    if params.phone:
        raise phone_disabled()
    if not params.email:
        raise validation_failed("missing email or phone")
    async with server.transaction() as conn:
        user = await users.find_by_email(conn, params.email)
    if user is None:
        raise invalid_credentials()
    if user.banned(datetime.now(UTC)):
        raise ApiError(400, "user_banned", "User is banned")
    if not await passwords.matches(params.password or "", user.encrypted_password):
        raise invalid_credentials()
    if not user.confirmed:
        raise ApiError(400, "email_not_confirmed", "Email not confirmed")
    try:
        async with server.transaction() as conn:
            session = await sessions.start(conn, user.id, "password", Client.of(request))
            return signed_in(await token_body(server, conn, session), session, weak_password=None)
    except errors.ForeignKeyViolation:  # deleted since it was read
        raise invalid_credentials() from None


async def _refresh_token_grant(server: Server, request: Request) -> Response:
    presented = (await RefreshTokenGrant.read(request)).refresh_token
    if presented is None or not sessions.looks_like_token(presented):
        raise validation_failed("Refresh token is not valid")
    async with server.transaction() as conn:
        found = await sessions.lock_by_token(conn, presented)
        if found is None:
            raise ApiError(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
        session_id, user_id = found
        user = await users.find(conn, user_id)
        if user is None or user.banned(datetime.now(UTC)):
            raise ApiError(400, "user_banned", "Invalid Refresh Token: User Banned")
        session = await sessions.rotate(conn, session_id, user_id, presented)
        if session is not None:
            return signed_in(await token_body(server, conn, session), session)
    # Outside the transaction: that the family is revoked must be committed.
    raise ApiError(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")


async def _pkce_grant(server: Server, request: Request) -> Response:
    params = await PkceGrant.read(request)
    if not params.auth_code or not params.code_verifier:
        raise validation_failed("invalid request: both auth code and code verifier should be non-empty")
    async with server.transaction() as conn:
        user_id, method = await flows.redeem(conn, params.auth_code, params.code_verifier)
        session = await sessions.start(conn, user_id, method, Client.of(request))
        return signed_in(await token_body(server, conn, session), session)


def _already_registered() -> ApiError:
    return ApiError(422, "user_already_exists", "User already registered")


def _looks_new(existing: User, params: SignUp) -> dict[str, object]:
    """What a stranger is told who signs up with a registered address: nothing about its owner."""
    now = user_json.instant(datetime.now(UTC))
    return {
        "id": str(uuid4()),
        "aud": existing.aud,
        "role": "",
        "email": existing.email,
        "phone": "",
        "confirmation_sent_at": now,
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": params.data or {},
        "identities": [],
        "created_at": now,
        "updated_at": now,
        "is_anonymous": False,
    }
