"""What it costs to check custom fields as they are written, and to filter by them."""

from bench.fields.benchmark import run

__all__ = ["run"]
