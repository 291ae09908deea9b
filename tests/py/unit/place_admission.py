"""The database's side of address lookup as its contract has it: a model for tests, not the SQL.

It answers worker.open_place_session, worker.admit_place_calls and worker.record_place.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

IDLE = 180.0
OTHERS = 3.0


@dataclass
class Session:
    user_id: str
    workspace_id: str
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    closed: bool = False
    used_at: float = 0.0
    # When each process was last let through to suggest.
    suggested: dict[str, float] = field(default_factory=dict)


class Desk:
    """`members` are (user, workspace). `refusal`, when set, is the answer to every call."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.members: set[tuple[str, str]] = set()
        self.sessions: dict[str, Session] = {}
        self.refusal: Mapping[str, Any] | None = None
        self.batches: list[list[Mapping[str, Any]]] = []
        self.positions: list[Mapping[str, Any]] = []

    def open(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        session_id = str(uuid.uuid4())
        session = Session(str(asked["p_user_id"]), str(asked["p_workspace_id"]), used_at=self._clock())
        self.sessions[session_id] = session
        return {"session_id": session_id, "expires_in": 180}

    def admit(self, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        calls: list[Mapping[str, Any]] = [
            {name: value and str(value) for name, value in call.items()} for call in asked["p_calls"]
        ]
        self.batches.append(calls)
        return [self._decide(call) for call in calls]

    def record(self, asked: Mapping[str, Any]) -> None:
        self.positions.append(asked)

    def _decide(self, call: Mapping[str, Any]) -> dict[str, Any]:
        if self.refusal:
            return {"admitted": False, **self.refusal}
        if (call["user_id"], call["workspace_id"]) not in self.members:
            return {"admitted": False, "reason": "workspace_not_found"}
        if call["session_id"] is None and call["kind"] == "validate":
            return {"admitted": True, "provider_token": None, "remaining": 9}
        session = self.sessions.get(call["session_id"])
        now = self._clock()
        if (
            session is None
            or session.closed
            or (session.user_id, session.workspace_id) != (call["user_id"], call["workspace_id"])
            or now - session.used_at >= IDLE
        ):
            return {"admitted": False, "reason": "places_invalid_session"}
        token: str | None = session.token
        if call["kind"] == "autocomplete":
            session.suggested[call["instance"]] = session.used_at = now
        else:
            session.closed = True
            others = [at for instance, at in session.suggested.items() if instance != call["instance"]]
            if any(now - at < OTHERS for at in others):
                token = None
        return {"admitted": True, "provider_token": token, "remaining": 9}
