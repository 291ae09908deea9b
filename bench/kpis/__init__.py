"""Whether figures cost what their range has days, or what is stored; and what keeping them costs a write."""

from bench.kpis.benchmark import run

__all__ = ["run"]
