"""One row a transaction, by several clients at once: what a request of PostgREST makes of a write."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.rls.claims import claims
from scripts.stack import tools

CLIENTS = 4
_RATE = re.compile(r"^tps = ([0-9.]+)", re.M)
_COUNT = re.compile(r"^number of transactions actually processed: ([0-9]+)", re.M)


@dataclass(frozen=True)
class Pace:
    """Transactions a second, and the server's CPU time for one, in microseconds."""

    rate: float
    cpu: float


def pace(url: str, postmaster: psutil.Process, statement: str, user_id: str, most: int, seconds: int) -> Pace:
    """Each transaction as that user; `:n` in the statement is a random number up to `most`."""
    script = f"""
\\set n random(1, {most})
begin;
select set_config('role', 'authenticated', true), set_config('request.jwt.claims', '{claims(user_id)}', true);
{statement};
commit;
"""
    with tempfile.TemporaryDirectory(prefix="freehold-bench-") as folder:
        path = Path(folder) / "write.sql"
        path.write_text(script)
        command = [
            str(tools.postgres_client("pgbench")), "--no-vacuum", "--protocol=prepared",
            f"--client={CLIENTS}", f"--time={seconds}", f"--file={path}", url,
        ]  # fmt: skip
        before = _of_its_children(postmaster)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found, count = _RATE.search(done.stdout), _COUNT.search(done.stdout)
    if done.returncode or found is None or count is None:
        raise RuntimeError(f"pgbench failed: {done.stderr.strip()[-500:]}")
    return Pace(float(found[1]), (_of_its_children(postmaster) - before) / int(count[1]) * 1e6)


def _of_its_children(process: psutil.Process) -> float:
    """CPU seconds of the server's processes, those that have ended included."""
    while True:
        alive = process.children()
        try:
            seconds = sum(sum(child.cpu_times()[:2]) for child in alive)
        except psutil.NoSuchProcess:
            continue
        ended = process.cpu_times()
        # Else one of them ended meanwhile, and is counted twice or not at all.
        if process.children() == alive:
            return float(seconds + ended.children_user + ended.children_system)
