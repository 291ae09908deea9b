"""What the edge service adds to a letter typed, and how many letters a core serves."""

from bench.edge.benchmark import run

__all__ = ["run"]
