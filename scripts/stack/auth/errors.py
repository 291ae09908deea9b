"""Errors in Auth's shape, in both versions of its API."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

log = structlog.get_logger()

VERSION_HEADER = "X-Supabase-Api-Version"
CODES_AS_STRINGS = "2024-01-01"


class ApiError(Exception):
    """An answer other than success. `more` are further members of the body."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.more = more


def validation_failed(message: str) -> ApiError:
    return ApiError(400, "validation_failed", message)


def invalid_credentials() -> ApiError:
    return ApiError(400, "invalid_credentials", "Invalid login credentials")


def email_exists() -> ApiError:
    return ApiError(422, "email_exists", "A user with this email address has already been registered")


def user_not_found() -> ApiError:
    return ApiError(404, "user_not_found", "User not found")


def otp_expired() -> ApiError:
    return ApiError(403, "otp_expired", "Email link is invalid or has expired")


def phone_disabled() -> ApiError:
    return ApiError(
        400, "phone_provider_disabled", "Phone numbers are not offered here: use an email address"
    )


def respond(request: Request, error: Exception) -> Response:
    """Clients that send the version header get the code as a string; others get the HTTP status as `code`."""
    assert isinstance(error, ApiError)  # Starlette dispatches by class
    request.state.error_code = error.code
    version = request.headers.get(VERSION_HEADER, "")
    if re.fullmatch(r"\d{4}-\d\d-\d\d", version) and version >= CODES_AS_STRINGS:
        return JSONResponse(
            {"code": error.code, "message": error.message, **error.more},
            error.status,
            {VERSION_HEADER: CODES_AS_STRINGS},
        )
    return JSONResponse(
        {"code": error.status, "error_code": error.code, "msg": error.message, **error.more}, error.status
    )


def respond_database_away(request: Request, error: Exception) -> Response:
    """The database restarts or is down. Clients try again on 503; the pool reconnects by itself."""
    return respond(
        request, ApiError(503, "unexpected_failure", "The database can't be reached now: try again")
    )


def respond_bad_data(request: Request, error: Exception) -> Response:
    return respond(request, validation_failed("The request holds a value that the database can't store"))


def respond_database_error(request: Request, error: Exception) -> Response:
    """Such as a trigger on auth.users that raises: the log has it, the client doesn't."""
    log.error(
        "database error", path=request.url.path, error=str(error).splitlines()[0], exc=type(error).__name__
    )
    return respond(request, ApiError(500, "unexpected_failure", "Database error, please check server logs"))


def respond_unexpected(request: Request, error: Exception) -> Response:
    message = "Unexpected failure, please check server logs for more information"
    return respond(request, ApiError(500, "unexpected_failure", message))


def respond_unknown_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # Starlette dispatches by class
    message = f"{request.method} {request.url.path} is not offered here: docs/reference/auth.md lists what is"
    return respond(request, ApiError(error.status_code, "not_found", message))


HANDLERS = {
    ApiError: respond,
    HTTPException: respond_unknown_route,
    psycopg.OperationalError: respond_database_away,
    psycopg.InterfaceError: respond_database_away,
    psycopg.DataError: respond_bad_data,
    psycopg.Error: respond_database_error,
    Exception: respond_unexpected,
}
