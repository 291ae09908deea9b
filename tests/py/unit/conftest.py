"""Fixtures of tests that need no stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.py.unit.rpc_server import RpcServer


@pytest.fixture(scope="session")
def rpc_server() -> Iterator[RpcServer]:
    with RpcServer() as running:
        yield running


@pytest.fixture
def server(rpc_server: RpcServer) -> RpcServer:
    """A server of worker RPCs that nobody has called yet; a test says what it answers."""
    rpc_server.calls.clear()
    rpc_server.answers.clear()
    return rpc_server
