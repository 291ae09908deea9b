"""Where a mailed link may lead: it carries tokens, so nowhere that the developer hasn't named."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from scripts.stack.auth.links import destination
from scripts.stack.auth.settings import Settings

SITE = "http://localhost:3000"
SETTINGS = Settings.from_env(
    {
        "FREEHOLD_ENV": "local",
        "AUTH_PORT": "1",
        "AUTH_DB_URL": "postgresql://",
        "KEYS_FILE": "keys.json",
        "API_URL": "http://localhost:54321",
        "SITE_URL": SITE,
        "SMTP_HOST": "localhost",
        "SMTP_PORT": "1",
        "URI_ALLOW_LIST": "freehold://callback,https://*.preview.example.com/**",
    }
)


def request(redirect_to: str = "", referer: str = "") -> Request:
    headers = [(b"referer", referer.encode())] if referer else []
    query = f"redirect_to={redirect_to}".encode()
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": query, "headers": headers})


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:3000/welcome",
        "http://localhost:5173/another-port",
        "https://localhost/",
        "freehold://callback",
        "https://pr-7.preview.example.com/sign-in/done",
    ],
)
def test_a_named_page_is_where_the_link_leads(url: str) -> None:
    assert destination(SETTINGS, request(redirect_to=url)) == url
    assert destination(SETTINGS, request(referer=url)) == url
    assert destination(SETTINGS, request(), wanted=url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://evil.example.net/",
        "https://localhost.evil.example.net/",
        "https://localhost@evil.example.net/",
        "//evil.example.net/",
        "javascript://localhost/%0aalert(1)",
        "freehold://callback.evil",
        "https://evil.example.net/?.preview.example.com/",
        "http://[",
    ],
)
def test_any_other_page_gives_way_to_the_site(url: str) -> None:
    assert destination(SETTINGS, request(redirect_to=url)) == SITE
    assert destination(SETTINGS, request(referer=url)) == SITE
    assert destination(SETTINGS, request(), wanted=url) == SITE


def test_what_is_asked_for_wins_over_the_page_one_comes_from() -> None:
    both = request(redirect_to="http://localhost:3000/a", referer="http://localhost:3000/b")
    assert destination(SETTINGS, both) == "http://localhost:3000/a"
