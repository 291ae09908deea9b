"""What checks share: the project, and the databases that several of them look at, each built once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from threading import Lock
from types import TracebackType
from typing import TypeVar

from scripts.schema import build, scratch
from scripts.schema.files import Project
from scripts.stack import migrations
from scripts.stack.layout import Stack

T = TypeVar("T")


class Workshop:
    """Hands out databases to checks that run side by side; its clusters are gone on leaving."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._rooms = ExitStack()
        self._lock = Lock()
        self._made: dict[str, Future[Stack]] = {}

    def __enter__(self) -> Workshop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rooms.close()

    def migrated(self) -> Stack:
        """A cluster that the migrations have built. Raises StackError when they can't."""
        return self._once("migrated", self._migrate)

    def sourced(self) -> Stack:
        """A cluster that the sources have built. Raises SchemaError when they can't."""
        return self._once("sourced", self._load)

    def _migrate(self) -> Stack:
        stack = self._cluster()
        migrations.push(stack, project=self.project.root)
        return stack

    def _load(self) -> Stack:
        stack = self._cluster()
        build.load_sources(stack, self.project)
        return stack

    def _cluster(self) -> Stack:
        context = scratch.cluster()
        stack = context.__enter__()
        with self._lock:
            self._rooms.push(context)
        return stack

    def _once(self, name: str, make: Callable[[], Stack]) -> Stack:
        """The first who asks makes it, the others wait; an error is everybody's."""
        with self._lock:
            future, mine = self._made.get(name), False
            if future is None:
                future, mine = self._made.setdefault(name, Future()), True
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
        return future.result()
