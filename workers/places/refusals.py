"""What a form is told when an address can't be looked up, each with what it should do instead."""

from __future__ import annotations

from workers.refusal import Refusal

BY_HAND = "Let the person type the address by hand: it is saved as unverified, and checked later."

WORKSPACE_NOT_FOUND = Refusal(
    404,
    "workspace_not_found",
    "There is no such workspace, or you are not a member of it.",
    hint="List the workspaces you belong to: GET /workspaces.",
)
PERMISSION_DENIED = Refusal(
    403,
    "permission_denied",
    "Your role in this workspace lacks the permission portfolio.write.",
    hint="Ask an owner or admin of the workspace to change your role.",
)
SUPERSEDED = Refusal(
    409,
    "places_superseded",
    "An address of this search was chosen meanwhile",
    hint="Leave this answer out: there is nothing to suggest any more.",
)
PLACE_NOT_FOUND = Refusal(
    404,
    "place_not_found",
    "The place is not known, or no longer",
    hint="Let the person choose another suggestion, or type the address by hand.",
)
NOT_UNDERSTOOD = Refusal(
    422,
    "request_invalid",
    "The service for addresses can't do anything with this request",
    details="language or countries: has what the service doesn't know",
    hint="Leave them out, or see which languages and countries the service has.",
)
INPUT_TOO_SHORT = Refusal(
    422,
    "places_input_too_short",
    "Fewer than three letters were typed",
    hint="Show no suggestions, and ask again when there are three.",
)
ADDRESS_TOO_LONG = Refusal(
    422,
    "places_address_too_long",
    "The address has more than 280 characters",
    hint="Save it as unverified, or let the person shorten it.",
)


def unavailable(retry_after: int | None = None) -> Refusal:
    return Refusal(
        503,
        "places_unavailable",
        "Address search is not available",
        hint=BY_HAND,
        retry_after=retry_after or 5,
    )


def quota(retry_after: int | None, scope: str | None) -> Refusal:
    return Refusal(
        429,
        "places_quota",
        "Address search has been used as much as it may be",
        hint=f"{BY_HAND} Suggestions are back after Retry-After seconds.",
        details=f"scope={scope}" if scope else None,
        retry_after=retry_after or 60,
    )
