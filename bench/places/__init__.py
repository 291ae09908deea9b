"""What a suggestion from the local list of addresses costs."""

from bench.places.benchmark import run

__all__ = ["run"]
