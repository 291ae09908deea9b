"""What the contract tests of Auth share: a client, people, and the shape of an error."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.py.support import wait_until

UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass(frozen=True)
class Target:
    api_url: str
    anon_key: str
    service_role_key: str
    db_url: str
    mailbox_url: str | None


@dataclass(frozen=True)
class Account:
    id: str
    email: str
    password: str


class Auth:
    """Calls to /auth/v1 with the anon key; `admin` adds the service-role key, `as_user` somebody's token."""

    def __init__(self, client: httpx.Client, target: Target, token: str | None = None) -> None:
        self._client = client
        self._target = target
        self._headers = {"apikey": target.anon_key}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    @property
    def nobody(self) -> Auth:
        """Calls without a bearer token. Left out, the header might be filled with the key by a gateway."""
        nobody = Auth(self._client, self._target)
        nobody._headers["Authorization"] = "Basic bm9ib2R5"
        return nobody

    def as_user(self, token: str) -> Auth:
        return Auth(self._client, self._target, token)

    @property
    def admin(self) -> Auth:
        return Auth(self._client, self._target, self._target.service_role_key)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**self._headers, **options.pop("headers", {})}
        return self._client.request(method, path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.call("POST", path, **options)

    def put(self, path: str, **options: Any) -> httpx.Response:
        return self.call("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.call("DELETE", path, **options)

    def grant(self, grant_type: str, **body: Any) -> httpx.Response:
        return self.post("/token", params={"grant_type": grant_type}, json=body)

    def sign_in(self, account: Account) -> dict[str, Any]:
        """The body of a successful password grant."""
        response = self.grant("password", email=account.email, password=account.password)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body

    def refresh(self, refresh_token: str) -> httpx.Response:
        return self.grant("refresh_token", refresh_token=refresh_token)

    def generate_link(self, kind: str, email: str, **more: Any) -> dict[str, Any]:
        response = self.admin.post("/admin/generate_link", json={"type": kind, "email": email, **more})
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.json()
        return body


def assert_error(response: httpx.Response, status: int, code: str, message: str | re.Pattern[str]) -> None:
    """The whole error: status, both codes, and the sentence (or its pattern)."""
    body = response.json()
    assert (response.status_code, body["code"], body["error_code"]) == (status, status, code), response.text
    if isinstance(message, str):
        assert body["msg"] == message
    else:
        assert message.fullmatch(body["msg"]), body["msg"]


@dataclass(frozen=True)
class Mail:
    link: str
    otp: str

    @property
    def token_hash(self) -> str:
        return parse_qs(urlsplit(self.link).query)["token"][0]


def newest_mail(mailbox: httpx.Client, address: str, *, count: int = 1) -> Mail:
    """The link and the code in the newest mail to an address, once `count` have come."""

    def arrived() -> list[dict[str, Any]]:
        messages = mailbox.get("/api/v1/messages").raise_for_status().json()["messages"]
        mine = [m for m in messages if any(to["Address"] == address for to in m["To"])]
        return mine if len(mine) >= count else []

    message = mailbox.get(f"/api/v1/message/{wait_until(arrived)[0]['ID']}").raise_for_status().json()
    link = re.search(r'https?://[^\s"<>()]+/verify\?[^\s"<>()]+', html.unescape(message["HTML"]))
    otp = re.search(r"\b\d{6}\b", re.sub(r"<[^>]*>", " ", message["HTML"]))
    assert link and otp, message
    return Mail(link[0], otp[0])


def fragment(location: str) -> dict[str, str]:
    """What a redirect hands to the page, by name."""
    return {k: v[0] for k, v in parse_qs(urlsplit(location).fragment, keep_blank_values=True).items()}
