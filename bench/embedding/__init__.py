"""What row-level security costs a page with embedded rows, over HTTP."""

from bench.embedding.benchmark import run

__all__ = ["run"]
