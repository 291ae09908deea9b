"""Who the demo workspace's people are; supabase/seed.sql makes them."""

from __future__ import annotations

from pathlib import Path

from scripts.stack.layout import REPOSITORY

WORKSPACE = "Maple & Main Property Management"
PASSWORD = "maple-and-main"  # noqa: S105 - printed in the seed, for local stacks only
MANAGER = "manager@maple.test"
OUTSIDER = "other@oak.test"
PEOPLE = ("owner@maple.test", MANAGER, "viewer@maple.test", OUTSIDER)
RENT_ROLL: Path = REPOSITORY / "supabase" / "demo" / "rent_roll.csv"
ADDRESSES: Path = REPOSITORY / "supabase" / "demo" / "addresses.csv"
# The day that stands for today in the file's dates: scripts/demo_csv.py wrote them around it.
REFERENCE_DATE = "2026-07-01"
