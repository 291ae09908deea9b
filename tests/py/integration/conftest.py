"""Fixtures of tests that speak to a whole stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest

from scripts.stack.layout import Stack
from tests.py.integration.landlord import Landlord
from tests.py.integration.seeded import Seeded, two_workspaces
from tests.py.support import User


@pytest.fixture
def landlord(new_user: Callable[..., User], api: Callable[[User | str | None], httpx.Client]) -> Landlord:
    """A fresh workspace over the API, seen by its owner."""
    return Landlord.settle(new_user(), api)


@pytest.fixture
def stranger(new_user: Callable[..., User], api: Callable[[User | str | None], httpx.Client]) -> Landlord:
    """The owner of another workspace, which is alike."""
    return Landlord.settle(new_user(), api)


@pytest.fixture
def stack_db(stack: Stack) -> Iterator[psycopg.Connection[Any]]:
    """The stack's own database, the one behind the API, as `postgres`; every statement commits."""
    with psycopg.connect(stack.db_url(), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def seeded(stack: Stack) -> Iterator[Seeded]:
    """Workspaces A and B of the access matrix over HTTP. A module shares it: no test may change a row."""
    with two_workspaces(stack) as both:
        yield both


@pytest.fixture
def unchanged(seeded: Seeded) -> Iterator[None]:
    """Whatever the test attempts, not one row of either workspace is another afterwards."""
    before = seeded.digest()
    yield
    assert seeded.digest() == before
