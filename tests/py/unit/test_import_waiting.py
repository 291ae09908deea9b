"""How long an import waits for its addresses to be checked: as long as some are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.py.unit.rpc_server import Turns
from workers.api_error import ApiError
from workers.imports import run
from workers.imports.run import Outcome, Workspace, _await_checks

WORKSPACE = Workspace("w", "W", "USD", "UTC")


class Api:
    def __init__(self, *waiting: Any) -> None:
        self._turns = Turns(*waiting)
        self.looks = 0

    def rpc(self, function: str, arguments: dict[str, Any], /) -> Any:
        assert (function, arguments) == ("address_summary", {"workspace_id": "w"})
        self.looks += 1
        answer = self._turns.next()
        if isinstance(answer, BaseException):
            raise answer
        return {"waiting": answer}

    def select(self, table: str, columns: str, /) -> Any:
        raise AssertionError("nothing else is read")


class Bar:
    def __init__(self) -> None:
        self.total = self.done = 0

    def begin(self, step: str, total: int) -> None:
        self.total = total

    def advance(self, count: int) -> None:
        self.done += count


def waited(monkeypatch: pytest.MonkeyPatch, *waiting: Any, patience: float = 60) -> tuple[Outcome, Api, Bar]:
    monkeypatch.setattr(run, "PAUSE", 0)
    outcome, api, bar = Outcome(WORKSPACE, "f", 1, [], dry_run=False), Api(*waiting), Bar()
    _await_checks(api, outcome, bar, patience)
    return outcome, api, bar


def test_it_waits_until_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, api, bar = waited(monkeypatch, 5, 5, 3, 3, 0)
    assert (outcome.addresses, api.looks, bar.total, bar.done) == ({"waiting": 0}, 5, 5, 5)


def test_it_does_not_wait_where_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, _, bar = waited(monkeypatch, 5, 4, patience=0.05)
    assert (outcome.addresses, bar.done) == ({"waiting": 4}, 1)


def test_an_error_while_it_waits_leaves_what_was_told_last(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, _, _ = waited(monkeypatch, 5, 3, ApiError("away", "Away."))
    assert outcome.addresses == {"waiting": 3}
