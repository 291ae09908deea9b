"""The server under test: the one that API_URL names, real or ours; otherwise the suite's own stack."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest

from tests.py.contract import auth_service
from tests.py.contract.auth_client import Account, Auth, Target

REQUIRED = ("API_URL", "ANON_KEY", "SERVICE_ROLE_KEY", "DB_URL")


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    if os.environ.get("API_URL"):
        env = dict(os.environ)
        if missing := [name for name in REQUIRED if not env.get(name)]:
            pytest.exit(
                f"API_URL is set, so set {', '.join(missing)} too: `supabase status -o env` prints them", 2
            )
    else:
        env = dict(request.getfixturevalue("stack").env)
    return Target(
        api_url=env["API_URL"],
        anon_key=env["ANON_KEY"],
        service_role_key=env["SERVICE_ROLE_KEY"],
        db_url=env["DB_URL"],
        mailbox_url=env.get("MAILBOX_URL") or env.get("MAILPIT_URL") or env.get("INBUCKET_URL"),
    )


@pytest.fixture(scope="session")
def auth(target: Target) -> Iterator[Auth]:
    with httpx.Client(base_url=f"{target.api_url}/auth/v1", timeout=30, trust_env=False) as client:
        yield Auth(client, target)


@pytest.fixture(scope="session")
def settings(auth: Auth) -> dict[str, Any]:
    found: dict[str, Any] = auth.get("/settings").json()
    return found


@pytest.fixture
def auto_confirm(settings: dict[str, Any]) -> None:
    if not settings["mailer_autoconfirm"]:
        pytest.skip("this server asks for confirmation by mail (mailer_autoconfirm is off)")


@pytest.fixture(scope="session")
def mailing_auth(
    request: pytest.FixtureRequest,
    auth: Auth,
    target: Target,
    settings: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Auth]:
    """A server that asks for confirmation by mail: the one under test, or one beside it in our own stack."""
    if not settings["mailer_autoconfirm"]:
        yield auth
    elif os.environ.get("API_URL"):
        pytest.skip("this server confirms sign-ups at once (mailer_autoconfirm is on)")
    else:
        environment = auth_service.environment(request.getfixturevalue("stack"))
        log = tmp_path_factory.mktemp("auth") / "auth.log"
        with auth_service.serving(environment | {"MAILER_AUTOCONFIRM": "false"}, log) as client:
            yield Auth(client, target)


@pytest.fixture
def mailbox(target: Target) -> Iterator[httpx.Client]:
    if not target.mailbox_url:
        pytest.skip("no mailbox: set MAILBOX_URL to that of Mailpit")
    with httpx.Client(base_url=target.mailbox_url, timeout=10, trust_env=False) as client:
        yield client


@pytest.fixture
def sql(target: Target) -> Iterator[psycopg.Connection[Any]]:
    """The database as `postgres`, each statement its own transaction."""
    with psycopg.connect(target.db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def fresh_email(auth: Auth) -> Iterator[Callable[[], str]]:
    """Addresses nobody has; whoever signs up with one is deleted after the test."""
    given: list[str] = []

    def make() -> str:
        given.append(f"contract-{uuid.uuid4().hex[:16]}@example.com")
        return given[-1]

    yield make
    newest = auth.admin.get("/admin/users", params={"per_page": 1000}).json()["users"]
    for user in newest:
        if user["email"] in given:
            auth.admin.delete(f"/admin/users/{user['id']}")


@pytest.fixture
def new_account(auth: Auth, fresh_email: Callable[[], str]) -> Callable[..., Account]:
    """Users made by the administrator, with a confirmed address unless told otherwise."""

    def create(**attributes: Any) -> Account:
        body = {"email": fresh_email(), "password": "correct horse", "email_confirm": True, **attributes}
        created = auth.admin.post("/admin/users", json=body)
        assert created.status_code == 200, created.text
        return Account(created.json()["id"], body["email"], body["password"])

    return create


@pytest.fixture
def account(new_account: Callable[..., Account]) -> Account:
    return new_account()
