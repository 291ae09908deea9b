"""What recording every change costs those who write."""

from bench.audit.benchmark import run

__all__ = ["run"]
