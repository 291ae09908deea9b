"""Which variables are set, here or in `.env`, and which of them are meant for us but read by nobody."""

from __future__ import annotations

import os
from collections.abc import Iterable
from difflib import get_close_matches

from dotenv import dotenv_values

# Ours, read elsewhere than by Settings: by crash_points, the local stack, its tests, and who imports.
READ_ELSEWHERE = (
    "FREEHOLD_CRASH_AT",
    "FREEHOLD_STACK_",
    "FREEHOLD_TEST_",
    "FREEHOLD_LIMIT_",
    "FREEHOLD_TOKEN",
    "FREEHOLD_EMAIL",
    "FREEHOLD_PASSWORD",
)
FAMILIES = (
    "FREEHOLD_",
    "WORKER_",
    "SMTP_",
    "MAIL_",
    "LOG_",
    "SITE_",
    "API_",
    "ANON_",
    "EDGE_",
    "JWT_",
    "JWKS_",
)


def variables(env_file: str = ".env") -> dict[str, str]:
    """The variables that are set to something, by upper-case name; the environment wins over the file."""
    return {name.upper(): value for name, value in {**dotenv_values(env_file), **os.environ}.items() if value}


def misspelt(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """A line for each name that is ours but unknown, or is a slip of the finger away from a known one."""
    known = set(known)
    lines = []
    for name in sorted(set(names) - known):
        if not name.startswith(FAMILIES) or name.startswith(READ_ELSEWHERE):
            continue
        near = get_close_matches(name, known, n=1, cutoff=0.85)
        if near or name.startswith("FREEHOLD_"):
            remedy = f"is {near[0]} meant?" if near else "remove it"
            lines.append(f"{name} is not read by Freehold; {remedy}")
    return lines
