"""How a user looks in an answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from scripts.stack.auth.users import Identity, User


def as_json(user: User, identities: list[Identity] | None) -> dict[str, Any]:
    """The user as clients see it: absent instants are left out."""
    members = {
        "id": str(user.id),
        "aud": user.aud,
        "role": user.role,
        "email": user.email or "",
        "email_confirmed_at": user.email_confirmed_at,
        "invited_at": user.invited_at,
        "phone": user.phone or "",
        "phone_confirmed_at": user.phone_confirmed_at,
        "confirmation_sent_at": user.confirmation_sent_at,
        "confirmed_at": user.confirmed_at,
        "recovery_sent_at": user.recovery_sent_at,
        "new_email": user.email_change or None,
        "email_change_sent_at": user.email_change_sent_at,
        "last_sign_in_at": user.last_sign_in_at,
        "app_metadata": user.app_metadata,
        "user_metadata": user.user_metadata,
    }
    shown = {name: _plain(value) for name, value in members.items() if value is not None}
    shown["identities"] = None if identities is None else [*map(_identity_as_json, identities)]
    shown |= {"created_at": instant(user.created_at), "updated_at": instant(user.updated_at)}
    if user.banned_until:
        shown["banned_until"] = instant(user.banned_until)
    return {**shown, "is_anonymous": user.is_anonymous}


def instant(at: datetime) -> str:
    """RFC 3339 in UTC, with Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _identity_as_json(identity: Identity) -> dict[str, Any]:
    members = {
        "identity_id": str(identity.id),
        "id": identity.provider_id,
        "user_id": str(identity.user_id),
        "identity_data": dict(sorted(identity.identity_data.items())),
        "provider": identity.provider,
        "last_sign_in_at": identity.last_sign_in_at,
        "created_at": identity.created_at,
        "updated_at": identity.updated_at,
        "email": identity.email,
    }
    return {name: _plain(value) for name, value in members.items() if value is not None}


def _plain(value: Any) -> Any:
    return instant(value) if isinstance(value, datetime) else value
