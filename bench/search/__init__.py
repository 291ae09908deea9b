"""Whether search costs what a workspace has, or what everybody has."""

from bench.search.benchmark import run

__all__ = ["run"]
