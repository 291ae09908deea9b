"""Links in mails: where they lead, and what the browser is sent on with."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from starlette.requests import Request

from scripts.stack.auth.errors import ApiError
from scripts.stack.auth.settings import Settings


def destination(settings: Settings, request: Request, wanted: str | None = None) -> str:
    """Where a link ends: `redirect_to` or the referring page where they are allowed, otherwise the site."""
    for url in (wanted, request.query_params.get("redirect_to"), request.headers.get("referer")):
        if url and _allowed(settings, url):
            return url
    return settings.site_url


def action_link(settings: Settings, token_hash: str, verification_type: str, redirect_to: str) -> str:
    query = urlencode(
        {"token": token_hash, "type": verification_type, "redirect_to": redirect_to}, quote_via=quote
    )
    return f"{settings.api_url}/auth/v1/verify?{query}"


def with_fragment(url: str, members: dict[str, str]) -> str:
    """The URL with these members in its fragment, sorted by name: fragments never reach a server."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(fragment=urlencode(sorted(members.items()))))


def with_query(url: str, members: dict[str, str]) -> str:
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query, urlencode(members))))
    return urlunsplit(parts._replace(query=query))


def with_error(url: str, error: ApiError, *, pkce: bool) -> str:
    """The URL told of an error; clients that use PKCE read the query."""
    members = {"error": "access_denied", "error_code": error.code, "error_description": error.message}
    return with_fragment(with_query(url, members) if pkce else url, members)


def _allowed(settings: Settings, url: str) -> bool:
    """Any page of the site's host, or what the allow-list names: a link must not carry tokens elsewhere."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme in ("http", "https") and parts.hostname == urlsplit(settings.site_url).hostname:
        return True
    page = url.split("#")[0]
    return any(re.fullmatch(_expression(pattern), page) for pattern in settings.redirect_allow_list)


def _expression(pattern: str) -> str:
    """A URL pattern as a regular expression: `*` stays within a part of a host or path, `**` does not."""
    wildcards = {"**": ".*", "*": "[^./]*", "?": "[^./]"}
    return "".join(wildcards.get(each) or re.escape(each) for each in re.split(r"(\*\*|\*|\?)", pattern))
