"""What the gateway says when it answers by itself: the error envelope for every cause."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    """The envelope for a cause. `when` is in CEL, over Envoy's `response`; the first that is true counts."""

    when: str
    code: str
    message: str
    hint: str | None = None
    status: int | None = None  # instead of Envoy's own


REPLIES = (
    Reply(
        when="response.code == 429",
        code="rate_limited",
        message="Too many requests",
        hint="Wait for as many seconds as the Retry-After header says.",
    ),
    Reply(
        when="response.code_details.contains('[api_key_missing]')",
        code="api_key_missing",
        message="No API key found in request",
        hint="Send the project's anon key in the `apikey` header or query parameter.",
        status=401,
    ),
    Reply(
        when="response.code_details.contains('[api_key_invalid]')",
        code="api_key_invalid",
        message="Invalid API key",
        hint="Double check your `anon` or `service_role` API key; locally, `make env` prints them.",
        status=401,
    ),
    Reply(
        when="response.code_details.contains('[count_not_exact]')",
        code="count_not_exact",
        message="Rows are counted exactly or not at all",
        hint="Send `Prefer: count=exact`.",
        status=400,
    ),
    Reply(
        when="response.code == 404",
        code="route_not_found",
        message="There is nothing at this path",
        hint="Paths begin with /rest/v1, /auth/v1, /storage/v1 or /functions/v1.",
    ),
    Reply(
        when="response.code == 413",
        code="payload_too_large",
        message="The request's body is too large",
        hint="Send less in one request.",
    ),
    Reply(
        when="response.code == 431",
        code="headers_too_large",
        message="The request's headers are too large",
        hint="Send fewer or shorter headers, or a shorter URL.",
    ),
    Reply(
        when="response.code == 426",
        code="upgrade_required",
        message="HTTP/1.0 is not supported",
        hint="Use HTTP/1.1 or newer.",
    ),
    Reply(
        when="response.code == 408",
        code="request_timeout",
        message="The request did not arrive in time",
        hint="Send it again, without pauses.",
    ),
    Reply(
        when="response.code == 504",
        code="upstream_timeout",
        message="The service behind the gateway did not answer in time",
        hint="Whether the request took effect is unknown: repeat it only if that is safe.",
    ),
    Reply(
        when="response.code_details.contains('overflow')",
        code="overloaded",
        message="The service behind the gateway has too many requests to answer",
        hint="Try again shortly.",
    ),
    Reply(
        when="response.code == 502 || response.code == 503",
        code="upstream_unavailable",
        message="The service behind the gateway is not available",
        hint="Try again shortly; locally, see `make status`.",
    ),
    Reply(
        when="response.code == 400",
        code="bad_request",
        message="The request is malformed",
        hint="Check the path's escapes, the headers and the protocol.",
    ),
    Reply(when="response.code < 500", code="request_refused", message="The gateway refused the request"),
    Reply(when="true", code="gateway_error", message="The gateway could not handle the request"),
)
