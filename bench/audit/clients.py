"""One row a transaction, by several clients at once: what a request of PostgREST makes of a write."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from bench.rls.claims import claims
from scripts.stack import tools

CLIENTS = 4
_RATE = re.compile(r"^tps = ([0-9.]+)", re.M)


def rate(url: str, statement: str, user_id: str, most: int, seconds: int) -> float:
    """Transactions a second, each as that user; `:n` in the statement is a random number up to `most`."""
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
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = _RATE.search(done.stdout)
    if done.returncode or found is None:
        raise RuntimeError(f"pgbench failed: {done.stderr.strip()[-500:]}")
    return float(found[1])
