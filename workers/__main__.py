"""`python -m workers` is the command `freehold`."""

from __future__ import annotations

from workers.cli import main

main()
