"""One row a transaction, by several clients at once: what a request of PostgREST makes of a write."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.rls.claims import claims
from scripts.stack import tools

CLIENTS = 4
_RATE = re.compile(r"^tps = ([0-9.]+)", re.M)


@dataclass(frozen=True)
class Write:
    """`statement` in pgbench's language: `:n` is a number that no other transaction of the run is likely to have."""

    name: str
    statement: str
    before: str = r"\set n random(1, 2147483647)"


def rate(url: str, write: Write, user_id: str, seconds: int) -> float:
    """Transactions a second, each as that user: role and claims are set as PostgREST sets them."""
    script = f"""
{write.before}
begin;
select set_config('role', 'authenticated', true), set_config('request.jwt.claims', '{claims(user_id)}', true);
{write.statement};
commit;
"""
    with tempfile.TemporaryDirectory(prefix="freehold-bench-") as folder:
        path = Path(folder) / "write.sql"
        path.write_text(script)
        command = [
            str(tools.postgres_client("pgbench")), "--no-vacuum", "--protocol=prepared", f"--client={CLIENTS}",
            f"--time={seconds}", f"--file={path}", url,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = _RATE.search(done.stdout)
    if done.returncode or found is None:
        raise RuntimeError(f"pgbench failed: {done.stderr.strip()[-500:]}")
    return float(found[1])
