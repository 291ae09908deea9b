"""PKCE: a mailed link leads to a code, which only the client that asked for it can exchange for a session."""

from __future__ import annotations

import base64
import hashlib
import hmac
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from scripts.stack.auth.errors import ApiError, validation_failed
from scripts.stack.auth.params import Challenge

LIFETIME_SECONDS = 300
METHODS = {
    "signup": "email/signup",
    "invite": "invite",
    "recovery": "recovery",
    "magiclink": "magiclink",
    "email_change": "email_change",
}


async def begin(conn: AsyncConnection, user_id: UUID, verification_type: str, params: Challenge) -> bool:
    """Remember the client's challenge. False: it sent none and wants tokens in the link's fragment."""
    if not params.code_challenge:
        return False
    method = (params.code_challenge_method or "plain").lower()
    if method not in ("s256", "plain"):
        raise validation_failed("code challenge method must be s256 or plain")
    await conn.execute(
        """
        insert into auth.flow_state (
            id, user_id, auth_code, code_challenge_method, code_challenge, provider_type,
            created_at, updated_at, authentication_method
        )
        values (%s, %s, %s, %s, %s, 'email', now(), now(), %s)
        """,
        [uuid4(), user_id, str(uuid4()), method, params.code_challenge, METHODS[verification_type]],
    )
    return True


async def issue_code(conn: AsyncConnection, user_id: UUID, verification_type: str) -> str:
    """The code for the newest challenge of this kind, valid from now on."""
    cursor = await conn.execute(
        """
        update auth.flow_state
        set auth_code_issued_at = now(), updated_at = now()
        where id = (
            select id from auth.flow_state
            where user_id = %s and authentication_method = %s
            order by created_at desc
            limit 1
        )
        returning auth_code
        """,
        [user_id, METHODS.get(verification_type)],
    )
    found: tuple[str] | None = await cursor.fetchone()
    if found is None:
        raise _not_found()
    return found[0]


async def redeem(conn: AsyncConnection, auth_code: str, verifier: str) -> tuple[UUID, str]:
    """User and authentication method of a code, which is used up."""
    cursor = await conn.execute(
        """
        select id, user_id, authentication_method, code_challenge, code_challenge_method::text,
            auth_code_issued_at > now() - make_interval(secs => %s)
        from auth.flow_state
        where auth_code = %s and auth_code_issued_at is not null
        for update
        """,
        [LIFETIME_SECONDS, auth_code],
    )
    found = await cursor.fetchone()
    if found is None:
        raise _not_found()
    flow_id, user_id, method, challenge, challenge_method, fresh = found
    if not fresh:
        raise ApiError(403, "flow_state_expired", "invalid flow state, flow state has expired")
    if not _proves(verifier, challenge, challenge_method):
        raise ApiError(
            400, "bad_code_verifier", "code challenge does not match previously saved code verifier"
        )
    await conn.execute("delete from auth.flow_state where id = %s", [flow_id])
    return user_id, method


def _not_found() -> ApiError:
    return ApiError(404, "flow_state_not_found", "invalid flow state, no valid flow state found")


def _proves(verifier: str, challenge: str, method: str) -> bool:
    if method == "s256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(verifier.encode(), challenge.encode())
