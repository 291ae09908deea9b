"""The API as a signed-in person sees it: row security decides, and no key but the anon one is held."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from supabase_auth.errors import AuthError, AuthRetryableError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from supabase import Client, ClientOptions, create_client
from workers.api_error import ApiError

CALL_TIMEOUT = 60.0  # longer than any statement may take, so that an answer is rarely lost
RETRY_FOR = 90.0  # an import under way outlasts a restart of the API
FIRST_RETRY_FOR = 3.0  # nothing is under way yet: say soon that nobody answers


class Session:
    """RPCs and reads with a user's token. Every call may be repeated, so one whose answer was lost is.

    Raises ApiError: the API's own, or `api_unreachable` where nothing answered.
    """

    def __init__(self, client: Client, url: str) -> None:
        self._client = client
        self._url = url

    @classmethod
    def with_token(cls, url: str, anon_key: str, token: str) -> Session:
        client = _client(url, anon_key)
        client.postgrest.auth(token)
        return cls(client, url)

    @classmethod
    def with_password(cls, url: str, anon_key: str, email: str, password: str) -> Session:
        client = _client(url, anon_key)
        try:
            signed_in = client.auth.sign_in_with_password({"email": email, "password": password})
        except (httpx.TransportError, AuthRetryableError) as error:
            raise ApiError.unreachable(url, error, "") from error
        except AuthError as error:
            status = getattr(error, "status", 400)
            hint = "Try again in a minute" if status == 429 else "Check --email and FREEHOLD_PASSWORD"
            code = str(error.code or "sign_in_failed")
            raise ApiError(code, error.message, hint=hint, status=status) from None
        if signed_in.session is None:
            raise ApiError("sign_in_failed", "Signing in gave no session.", status=400)
        client.postgrest.auth(signed_in.session.access_token)
        return cls(client, url)

    def rpc(self, function: str, arguments: Mapping[str, Any]) -> Any:
        return self._repeated(lambda: self._client.postgrest.rpc(function, dict(arguments)), RETRY_FOR)

    def select(self, table: str, columns: str) -> Any:
        return self._repeated(lambda: self._client.postgrest.from_(table).select(columns), FIRST_RETRY_FOR)

    def _repeated(self, build: Callable[[], Any], retry_for: float) -> Any:
        request_id = str(uuid.uuid4())
        for attempt in Retrying(
            retry=retry_if_exception(_worth_repeating),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            stop=stop_after_delay(retry_for),
            reraise=True,
        ):
            with attempt:
                query = build()
                query.request.headers["X-Request-Id"] = request_id
                try:
                    return query.execute().data
                except httpx.TransportError as error:
                    raise ApiError.unreachable(self._url, error, request_id) from error
        raise AssertionError("tenacity ended neither by an answer nor by an error")


def _worth_repeating(error: BaseException) -> bool:
    return isinstance(error, ApiError) and (error.transient or error.code == "import_raced")


def _client(url: str, anon_key: str) -> Client:
    http = httpx.Client(timeout=CALL_TIMEOUT, event_hooks={"response": [_refuse_errors]})
    options = ClientOptions(
        httpx_client=http, auto_refresh_token=False, persist_session=False, postgrest_client_retry=False
    )
    return create_client(url, anon_key, options)


def _refuse_errors(response: httpx.Response) -> None:
    # Here and not around execute(): postgrest's own exception has no HTTP status. Auth reads its own.
    if not response.is_success and "/rest/v1/" in response.request.url.path:
        response.read()
        raise ApiError.of(response)
