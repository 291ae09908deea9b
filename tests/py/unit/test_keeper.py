"""The keeper of the tests' stack where no stack comes to be."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from scripts.stack import keeper
from scripts.stack.layout import Stack, StackError


def test_a_start_that_fails_leaves_no_data_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(stack: Stack) -> None:
        (stack.data / "base").mkdir(parents=True)
        raise StackError("no such column")

    monkeypatch.setattr(keeper, "start_migrated", fail)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(StackError):
            keeper.keep(os.getpid(), tmp_path)
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert not (tmp_path / "data").exists()
    assert (tmp_path / "keeper.pid").exists()
