"""How many messages a second pass through the queue, over the API and in SQL, and through procrastinate."""

from bench.queue.benchmark import run

__all__ = ["run"]
