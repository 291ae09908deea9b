"""Bring pgTAP, which the SQL tests are written in: `python -m scripts.pgtap`.

The npm build of PostgreSQL carries no third-party extension, and no registry has pgTAP alone. But it is plain
SQL, so the file out of Debian's package loads into any version. A server that has the extension, as that of
`supabase start`, uses its own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from scripts.stack.layout import REPOSITORY, StackError

CACHE = REPOSITORY / ".tools" / "pgtap" / "pgtap.sql"
WITHOUT_APT = (
    "pgTAP comes from Debian's package postgresql-*-pgtap, and {missing}: run the SQL tests on a machine with"
    " Debian's apt, or against `supabase start`, whose Postgres has pgTAP"
)


def load(database_url: str) -> None:
    """Load pgTAP into the schema `extensions` of a database, as `postgres`. Raises StackError."""
    with psycopg.connect(database_url) as connection:
        connection.execute("set client_min_messages = warning")
        # Tests call it as every role. Freehold revokes what Postgres would grant to all by itself.
        connection.execute(
            "alter default privileges in schema extensions grant execute on functions to public"
        )
        offered = connection.execute("select from pg_available_extensions where name = 'pgtap'").fetchone()
        if offered is not None:
            connection.execute("create extension if not exists pgtap with schema extensions")
        else:
            connection.execute("set local search_path = extensions")
            connection.execute(script().read_bytes())


def script() -> Path:
    """pgTAP as one SQL file, fetched on first use. Raises StackError."""
    if CACHE.exists():
        return CACHE
    for program in ("apt-get", "apt-cache", "dpkg"):
        if shutil.which(program) is None:
            raise StackError(WITHOUT_APT.format(missing=f"{program} is missing here"))
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as scratch:
        _newest(_fetch(Path(scratch))).replace(CACHE)
    return CACHE


def _fetch(folder: Path) -> Path:
    """Download the package, whose signature apt checks, and unpack it. Where apt has no lists, by our own."""
    options: list[str] = []
    if not (packages := _packages(options)):
        lists = folder / "lists"
        (lists / "partial").mkdir(parents=True)
        options = [f"-oDir::State::Lists={lists}", f"-oDir::Cache={folder}", "-oAPT::Sandbox::User="]
        _run(folder, "apt-get", *options, "update", "--quiet")
        packages = _packages(options)
    if not packages:
        raise StackError(WITHOUT_APT.format(missing="apt's sources offer none"))
    _run(folder, "apt-get", *options, "-oAPT::Sandbox::User=", "download", "--quiet", packages[-1])
    (package,) = folder.glob("*.deb")
    _run(folder, "dpkg", "-x", str(package), "unpacked")
    return folder / "unpacked"


def _packages(options: list[str]) -> list[str]:
    found = subprocess.run(
        ["apt-cache", *options, "pkgnames", "postgresql-"], capture_output=True, text=True, check=False
    )
    return sorted(name for name in found.stdout.split() if re.fullmatch(r"postgresql-\d\d-pgtap", name))


def _newest(unpacked: Path) -> Path:
    """The script of a whole version; the others upgrade from one version to the next."""
    whole = {
        tuple(map(int, match.group(1).split("."))): path
        for path in unpacked.glob("usr/share/postgresql/*/extension/pgtap--*.sql")
        if (match := re.fullmatch(r"pgtap--([\d.]+)\.sql", path.name))
    }
    if not whole:
        raise StackError(f"Debian's package of pgTAP holds no pgtap--*.sql: look into {unpacked}")
    return whole[max(whole)]


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise StackError(WITHOUT_APT.format(missing=f"`{' '.join(command[:1])}` failed ({reason})"))


def main() -> None:
    try:
        print(script().relative_to(REPOSITORY))
    except StackError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
