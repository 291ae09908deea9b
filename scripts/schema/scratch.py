"""Throw-away database clusters. Each has its own roles, so that a difference in roles shows as well."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.stack import keeper, supervise
from scripts.stack.layout import Ports, Stack


@contextmanager
def cluster() -> Iterator[Stack]:
    """A new cluster on a free port, with Postgres alone running; it is gone afterwards. Raises StackError."""
    root = keeper.new_root()
    stack = Stack.at(root, Ports.free(), durable=False)
    try:
        supervise.start(stack, only=("postgres",), tethered=True)
        yield stack
    finally:
        supervise.stop(stack)
        shutil.rmtree(root, ignore_errors=True)
