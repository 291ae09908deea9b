"""Fixtures of the whole suite. Every run has a stack of its own, so two runs never meet."""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import httpx
import psycopg
import pytest

from scripts.stack import keeper, postgres
from scripts.stack.layout import Stack
from tests.py.chaos.summary import pytest_terminal_summary
from tests.py.support import User

__all__ = ["pytest_terminal_summary"]  # a hook: the table of the chaos tests


class NewUser(Protocol):
    def __call__(self, email: str | None = None, password: str = ...) -> User: ...


@pytest.fixture(scope="session")
def stack(testrun_uid: str, worker_id: str) -> Iterator[Stack]:
    """A whole stack on free ports with all migrations applied, started when the first test asks for it.

    Workers of pytest-xdist share it, and it ends with the process that started them.
    """
    alone = worker_id == "master"
    root = keeper.new_root(testrun_uid)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        started = keeper.obtain(root, owner=os.getpid() if alone else os.getppid())
    yield started
    if alone:
        keeper.release(root)


@pytest.fixture
def database(stack: Stack) -> Iterator[str]:
    """The URL of a migrated database that this test has to itself."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield postgres.create_database(stack, name, template=keeper.TEMPLATE)
    postgres.drop_database(stack, name)


@pytest.fixture
def db(database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the test's own database as `postgres`, which is no superuser."""
    with psycopg.connect(database) as connection:
        yield connection


@pytest.fixture
def new_user(stack: Stack) -> NewUser:
    """Sign somebody up through the API and in: `new_user()` or `new_user("ann@example.com")`."""

    def create(email: str | None = None, password: str = "correct horse battery") -> User:
        email = email or f"user-{uuid.uuid4().hex[:12]}@example.com"
        with client(stack, stack.keys.service_role_key) as admin:
            person = {"email": email, "password": password, "email_confirm": True}
            created = admin.post("/auth/v1/admin/users", json=person).raise_for_status().json()
        with client(stack) as anybody:
            signed_in = anybody.post(
                "/auth/v1/token?grant_type=password", json={"email": email, "password": password}
            )
        return User(created["id"], email, password, signed_in.raise_for_status().json()["access_token"])

    return create


@pytest.fixture
def api(stack: Stack) -> Iterator[Callable[[User | str | None], httpx.Client]]:
    """Clients of the gateway: `api(user)` with their token, `api(key)` with a key, `api()` as anybody."""
    opened: list[httpx.Client] = []

    def connect(who: User | str | None = None) -> httpx.Client:
        opened.append(client(stack, who.token if isinstance(who, User) else who))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


def client(stack: Stack, token: str | None = None) -> httpx.Client:
    """A client with the anon key as `apikey`, as supabase-js sends it."""
    headers = {"apikey": stack.keys.anon_key, "Authorization": f"Bearer {token or stack.keys.anon_key}"}
    return httpx.Client(base_url=stack.api_url, headers=headers, timeout=30, trust_env=False)
