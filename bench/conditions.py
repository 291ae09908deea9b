"""Under what conditions a run was made: the machine, the versions, the settings, how busy it was."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from scripts.stack import tools

SETTINGS = ("shared_buffers", "work_mem", "synchronous_commit", "fsync", "full_page_writes", "wal_level")


def of(connection: psycopg.Connection[Any], **more: str) -> Mapping[str, str]:
    """What a reader needs to judge the figures; `more` comes last."""
    shown = connection.execute(
        "select name, current_setting(name) from unnest(%s::text[]) as name", [list(SETTINGS)]
    ).fetchall()
    version = connection.info.parameter_status("server_version")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} x {_processor()}, {_memory_gib()} GiB, {platform.system()}",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "versions": f"PostgreSQL {version}, {_postgrest()}, Python {platform.python_version()}",
        "settings": ", ".join(f"{name}={value}" for name, value in shown),
        **more,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _postgrest() -> str:
    done = subprocess.run(
        [tools.postgrest_program(), "--version"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "PostgREST"
