"""Whether the lease-expiry check costs what is due, or what is stored."""

from bench.expiry.benchmark import run

__all__ = ["run"]
