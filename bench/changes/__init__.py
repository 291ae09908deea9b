"""What a page of the changes feed costs, and what keeping the feed costs those who write."""

from bench.changes.benchmark import run

__all__ = ["run"]
