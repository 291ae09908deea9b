"""A local server that speaks the wire format of the worker's RPCs, for the real client code."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

Answer = Callable[[dict[str, Any]], Any]


@dataclass
class Call:
    function: str
    arguments: dict[str, Any]
    headers: dict[str, str]
    client: str


@dataclass
class Refusal:
    """An answer in the error envelope, or with a body that isn't one."""

    status: int
    code: str = "some_code"
    message: str = "some message"
    hint: str | None = None
    body: str | None = None

    def response(self) -> Response:
        if self.body is not None:
            return Response(self.body, self.status)
        envelope = {"code": self.code, "message": self.message, "details": None, "hint": self.hint}
        return JSONResponse(envelope, self.status, headers={"X-Request-Id": "from-the-server"})


class Turns:
    """One answer after the other; the last one stays."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def next(self) -> Any:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


CUT = object()


class _Cut(Response):
    """The beginning of an answer; then the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1000"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"[", "more_body": True})


@dataclass
class RpcServer:
    """A context manager. `answers` by function: a value, Turns of values, or a function of the arguments.

    A value may be a Refusal, or CUT: the connection ends in the middle of the answer.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)  # what the key set publishes

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        routes = [
            Route("/rest/v1/rpc/{function}", self._rpc, methods=["POST"]),
            Route("/auth/v1/health", self._auth, methods=["GET"]),
            Route("/auth/v1/.well-known/jwks.json", self._key_set, methods=["GET"]),
        ]
        config = uvicorn.Config(Starlette(routes=routes), log_level="critical", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, name="rpc server")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def arguments(self, function: str) -> list[dict[str, Any]]:
        return [call.arguments for call in self.calls if call.function == function]

    async def _rpc(self, request: Request) -> Response:
        function = request.path_params["function"]
        arguments = await request.json()
        client = f"{request.client.host}:{request.client.port}" if request.client else ""
        self.calls.append(Call(function, arguments, dict(request.headers), client))
        answer = self.answers.get(function, Refusal(404, "PGRST202", f"no function worker.{function}"))
        if isinstance(answer, Turns):
            answer = answer.next()
        if callable(answer):
            answer = answer(arguments)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer is CUT:
            return _Cut()
        return answer.response() if isinstance(answer, Refusal) else JSONResponse(answer)

    async def _auth(self, request: Request) -> Response:
        return JSONResponse({"name": "GoTrue", "version": "test"})

    async def _key_set(self, request: Request) -> Response:
        return JSONResponse({"keys": self.keys})

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()
