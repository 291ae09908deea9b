"""The bodies of requests. Unknown members are ignored, as the real server does; wrong types are an error."""

from __future__ import annotations

import re
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from scripts.stack.auth.errors import ApiError, validation_failed

EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+"
    r"@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)


class Params(BaseModel):
    """Base of all bodies: `await SignUp.read(request)` parses one or raises `bad_json`."""

    model_config = ConfigDict(extra="ignore", strict=True)

    @classmethod
    async def read(cls, request: Request) -> Self:
        try:
            return cls.model_validate_json(await request.body())
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            reason = f"{where}: {first['msg']}" if where else first["msg"]
            raise ApiError(400, "bad_json", f"Could not parse request body as JSON: {reason}") from None


class Challenge(Params):
    """What a client sends that wants a code rather than tokens at the end of a mailed link (PKCE)."""

    code_challenge: str | None = None
    code_challenge_method: str | None = None


class SignUp(Challenge):
    email: str | None = None
    phone: str | None = None
    password: str | None = None
    data: dict[str, Any] | None = None


class PasswordGrant(Params):
    email: str | None = None
    phone: str | None = None
    password: str | None = None


class RefreshTokenGrant(Params):
    refresh_token: str | None = None


class PkceGrant(Params):
    auth_code: str | None = None
    code_verifier: str | None = None


class Recover(Challenge):
    email: str | None = None


class Resend(Challenge):
    type: str | None = None
    email: str | None = None


class Verify(Params):
    type: str | None = None
    token: str | None = None
    token_hash: str | None = None
    email: str | None = None


class UserUpdate(Challenge):
    email: str | None = None
    phone: str | None = None
    password: str | None = None
    data: dict[str, Any] | None = None


class AdminUser(Params):
    id: str | None = None
    role: str | None = None
    email: str | None = None
    phone: str | None = None
    password: str | None = None
    password_hash: str | None = None
    email_confirm: bool | None = None
    user_metadata: dict[str, Any] | None = None
    app_metadata: dict[str, Any] | None = None
    ban_duration: str | None = None


class AdminDelete(Params):
    should_soft_delete: bool | None = None


class GenerateLink(Params):
    type: str | None = None
    email: str | None = None
    new_email: str | None = None
    password: str | None = None
    data: dict[str, Any] | None = None
    redirect_to: str | None = None


def checked_email(text: str | None) -> str:
    """The address in lower case, or `validation_failed`."""
    if not text:
        raise validation_failed("An email address is required")
    if len(text) > 255:
        raise validation_failed("An email address is too long")
    if not EMAIL.fullmatch(text):
        raise validation_failed("Unable to validate email address: invalid format")
    return text.lower()


def checked_uuid(text: str, message: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise validation_failed(message) from None
