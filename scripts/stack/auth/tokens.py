"""Access tokens: ES256 for users, HS256 for API keys."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import jwt
from starlette.requests import Request

from scripts.stack.auth.errors import ApiError
from scripts.stack.auth.sessions import Session
from scripts.stack.auth.users import User
from scripts.stack.keys import Keys

LIFETIME = 3600
BEARER = re.compile(r"bearer (\S+)", re.IGNORECASE)


def access_claims(user: User, session: Session, *, issuer: str, now: datetime) -> dict[str, Any]:
    """The claims of a user's access token, in the order of the real server."""
    issued = int(now.timestamp())
    return {
        "iss": issuer,
        "sub": str(user.id),
        "aud": user.aud,
        "exp": issued + LIFETIME,
        "iat": issued,
        "email": user.email or "",
        "phone": user.phone or "",
        "app_metadata": user.app_metadata,
        "user_metadata": user.user_metadata,
        "role": user.role,
        "aal": session.aal,
        "amr": [{"method": method, "timestamp": int(at.timestamp())} for method, at in session.methods],
        "session_id": str(session.id),
        "is_anonymous": user.is_anonymous,
    }


class Signer:
    """Signs users' tokens and verifies any token of this stack."""

    def __init__(self, keys: Keys) -> None:
        private = jwt.PyJWK.from_dict(keys.private_jwk)
        self._kid = keys.private_jwk["kid"]
        self._private_key = private.key
        self._verifying_keys = {"ES256": private.key.public_key(), "HS256": keys.jwt_secret}
        self.jwks = keys.jwks

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._private_key, algorithm="ES256", headers={"kid": self._kid})

    def verify(self, token: str) -> dict[str, Any]:
        """The token's claims, or `bad_jwt`."""
        try:
            algorithm = jwt.get_unverified_header(token).get("alg", "")
            if algorithm not in self._verifying_keys:
                raise jwt.InvalidAlgorithmError(f"signing method {algorithm} is invalid")
            key = self._verifying_keys[algorithm]
            claims: dict[str, Any] = jwt.decode(token, key, [algorithm], options={"verify_aud": False})
        except jwt.InvalidTokenError as error:
            raise _bad_jwt(f"invalid JWT: unable to parse or verify signature, {_reason(error)}") from None
        return claims

    def bearer_claims(self, request: Request) -> dict[str, Any]:
        """The claims of the request's bearer token, or `no_authorization` or `bad_jwt`."""
        match = BEARER.fullmatch(request.headers.get("authorization", ""))
        if not match:
            raise ApiError(401, "no_authorization", "This endpoint requires a valid Bearer token")
        return self.verify(match[1])


def _bad_jwt(message: str) -> ApiError:
    return ApiError(403, "bad_jwt", message)


def _reason(error: jwt.InvalidTokenError) -> str:
    if isinstance(error, jwt.ExpiredSignatureError):
        return "token has invalid claims: token is expired"
    if isinstance(error, jwt.InvalidSignatureError):
        return "token signature is invalid: signature is invalid"
    if isinstance(error, jwt.DecodeError):
        return f"token is malformed: {error}"
    return f"token is unverifiable: {error}"
