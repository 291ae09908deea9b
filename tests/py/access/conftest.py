"""What the tests of access share: a migrated database of their own, with pgTAP."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from scripts import pgtap
from scripts.stack import keeper, postgres
from scripts.stack.layout import Stack


@pytest.fixture(scope="session")
def access_database(stack: Stack) -> Iterator[str]:
    """The URL of a migrated database with pgTAP. Whoever uses it rolls back."""
    name = f"access_{uuid.uuid4().hex[:12]}"
    url = postgres.create_database(stack, name, template=keeper.TEMPLATE)
    pgtap.load(url)
    yield url
    postgres.drop_database(stack, name)


@pytest.fixture
def connection(access_database: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction as `postgres` that is rolled back."""
    with psycopg.connect(access_database) as opened:
        yield opened
        opened.rollback()
