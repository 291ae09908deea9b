"""How many messages a second pass through the queue: over the API, in SQL, and through procrastinate beside it."""

from bench.queue.benchmark import run

__all__ = ["run"]
