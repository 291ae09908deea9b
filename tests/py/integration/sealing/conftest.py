"""What tests of the sealed log share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from scripts.stack import keeper
from scripts.stack.layout import Stack


@pytest.fixture(scope="module")
def stack(testrun_uid: str, worker_id: str, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A cluster to itself: what another test holds open, in whatever database, would hold sealing up."""
    root = keeper.new_root(f"{testrun_uid}-{request.module.__name__.rpartition('.')[2]}-{worker_id}")
    yield keeper.obtain(root, owner=os.getpid())
    keeper.release(root)
