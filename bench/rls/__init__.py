"""What row-level security costs: Freehold's policies beside no policies at all, and beside others."""

from bench.rls.benchmark import run

__all__ = ["run"]
