"""`freehold import rent-roll` as it is typed, against a whole stack."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from socket import socket
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from scripts.stack.layout import Stack
from tests.py.integration.landlord import Landlord
from tests.py.support import User

Connect = Callable[[User | str | None], httpx.Client]
FILE = """\
Property,Address,City,Unit #,Tenant First Name,Tenant Last Name,Email,Lease No,Lease Start,Lease End,Rent,Pets
Maple Court,1 Maple St,Austin,1A,Ann,Lee,ann@example.com,L-1,01/01/2026,12/31/2026,"$1,250.00",cat
Maple Court,1 Maple St,Austin,1B,,,,,,,,
"""


class Command:
    """The command in a process of its own, as the landlord unless told otherwise."""

    def __init__(self, stack: Stack, landlord: Landlord, folder: Path) -> None:
        self.landlord = landlord
        self.folder = folder
        self.env = {
            "PATH": os.environ["PATH"],
            "API_URL": stack.api_url,
            "ANON_KEY": stack.keys.anon_key,
            "FREEHOLD_ENV": "test",
            "FREEHOLD_TOKEN": landlord.owner.token,
        }

    def file(self, text: str, name: str = "rent.csv") -> str:
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def run(self, *arguments: str, **env: str | None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "workers", "import", "rent-roll", *arguments],
            env={name: value for name, value in {**self.env, **env}.items() if value is not None},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    def json(self, *arguments: str, **env: str | None) -> tuple[int, Any]:
        done = self.run(*arguments, "--json", **env)
        return done.returncode, json.loads(done.stdout)

    def held(self, table: str) -> int:
        """How many rows of the table the landlord's workspace has, besides what it began with."""
        return len(self.landlord.api.get(f"/rest/v1/{table}").json())


@pytest.fixture
def command(stack: Stack, landlord: Landlord, tmp_path: Path) -> Command:
    return Command(stack, landlord, tmp_path)


def test_a_dry_run_tells_everything_and_changes_nothing(command: Command) -> None:
    before = {table: command.held(table) for table in ("properties", "units", "tenants", "leases")}
    done = command.run(command.file(FILE), "--dates", "us", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "Columns not read: Pets" in done.stdout
    assert "What would change" in done.stdout
    assert "1 lease would become active" in done.stdout
    assert {table: command.held(table) for table in before} == before
    assert command.held("imports") == 0


def test_an_import_says_what_it_did_and_the_same_again_does_nothing(command: Command) -> None:
    file = command.file(FILE)
    code, answer = command.json(file, "--dates", "us", "--workspace", "elm street homes")
    assert (code, answer["ok"], answer["committed"]) == (0, True, True)
    assert answer["changes"]["units"] == {"created": 2, "updated": 0, "unchanged": 0}
    assert command.held("imports") == 1
    code, answer = command.json(file, "--dates", "us", "--workspace", command.landlord.workspace_id)
    assert (code, answer["changes"]["units"]) == (0, {"created": 0, "updated": 0, "unchanged": 2})


def test_a_file_may_hold_the_history_of_a_unit(command: Command) -> None:
    terms = {
        # Over, and followed at once, later, or not yet.
        "A-1": (["1A"], days_from_now(-900), days_from_now(-600)),
        "A-2": (["1A"], days_from_now(-599), days_from_now(-200)),
        "A-3": (["1A"], days_from_now(-150), days_from_now(200)),
        "B-1": (["1B"], days_from_now(-500), days_from_now(-100)),
        "B-2": (["1B"], days_from_now(30), days_from_now(400)),
        # Over, and nobody came after.
        "C-1": (["1C"], days_from_now(-500), days_from_now(-100)),
        # Of two units, only one was let again.
        "D-1": (["1D", "1E"], days_from_now(-500), days_from_now(-100)),
        "D-2": (["1D"], days_from_now(-90), ""),
    }
    header = "Property,Address,City,Tenant Last Name,Rent,Unit #,Lease No,Lease Start,Lease End"
    lines = [
        f"Maple Court,1 Maple St,Austin,Lee,1250,{unit},{number},{start},{end}"
        for number, (units, start, end) in terms.items()
        for unit in units
    ]
    file = command.file("\n".join([header, *lines]) + "\n")
    code, answer = command.json(file)
    assert (code, answer["errors"]) == (0, [])
    leases = command.landlord.api.get("/rest/v1/leases?select=lease_number,status,ended_on").json()
    assert {row["lease_number"]: (row["status"], row["ended_on"]) for row in leases} == {
        "A-1": ("ended", terms["A-1"][2]),
        "A-2": ("ended", terms["A-2"][2]),
        "A-3": ("active", None),
        "B-1": ("active", None),
        "B-2": ("pending", None),
        "C-1": ("active", None),
        "D-1": ("active", None),
        "D-2": ("active", None),
    }
    steps = (
        "lease_status_changes?select=to_status,effective_on,reason,leases!inner()&leases.lease_number=eq.A-1"
    )
    assert command.landlord.api.get(f"/rest/v1/{steps}&order=recorded_at").json() == [
        {"to_status": "active", "effective_on": terms["A-1"][1], "reason": None},
        {"to_status": "ended", "effective_on": terms["A-1"][2], "reason": "Followed by lease A-2"},
    ]
    # The same file again finds everything as it left it.
    code, answer = command.json(file)
    assert (code, answer["errors"]) == (0, [])
    assert answer["changes"]["leases"] == {"created": 0, "updated": 0, "unchanged": 8}


def days_from_now(days: int) -> str:
    return str(date.today() + timedelta(days=days))


def test_problems_of_the_file_and_of_the_workspace_stand_in_one_list_by_line(command: Command) -> None:
    text = FILE + "Maple Court,2 Elm St,Austin,1A,Bo,Ray,ann@example.com,L-2,2026-13-01,,nothing,\n"
    code, answer = command.json(command.file(text), "--dates", "us")
    assert code == 1
    assert [(one["line"], one["column"], one["value"], one["code"]) for one in answer["errors"]] == [
        (4, "Address", "2 Elm St", "property_contradicted"),
        (4, "Email", "ann@example.com", "email_of_another_renter"),
        (4, "Lease Start", "2026-13-01", "value_invalid"),
        (4, "Rent", "nothing", "value_invalid"),
    ]
    assert all(one["remedy"] for one in answer["errors"])
    done = command.run(command.file(text), "--dates", "us")
    assert done.returncode == 1
    assert "Nothing was imported: 4 problems in 3 rows of rent.csv." in done.stdout
    assert command.held("imports") == 0


def test_exit_codes_tell_a_bad_file_from_bad_usage_and_an_absent_api(command: Command) -> None:
    file = command.file(FILE)
    assert command.run(command.file("unit,rent\n1,2\n", "bad.csv")).returncode == 1
    assert command.run(file, "--workspace", "nobody's").returncode == 1
    assert command.run("absent.csv").returncode == 2
    assert command.run(file, "--dates", "mars").returncode == 2
    assert command.run(file, FREEHOLD_TOKEN=None).returncode == 2
    assert command.run(file, ANON_KEY=None).returncode == 78
    assert command.run(file, FREEHOLD_TOKEN="not.a.token").returncode == 1
    with socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        absent = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        done = command.run(file, API_URL=absent)
    assert (done.returncode, absent in done.stderr) == (69, True)


def test_who_has_a_password_needs_no_token(command: Command) -> None:
    owner = command.landlord.owner
    signed_in = {"FREEHOLD_TOKEN": None, "FREEHOLD_PASSWORD": owner.password}
    code, answer = command.json(command.file(FILE), "--dates", "us", "--email", owner.email, **signed_in)
    assert (code, answer["committed"]) == (0, True)
    refused = command.run(
        command.file(FILE), "--email", owner.email, FREEHOLD_TOKEN=None, FREEHOLD_PASSWORD="wrong"
    )
    assert refused.returncode == 1
    assert "FREEHOLD_PASSWORD" in refused.stderr


def test_no_name_of_a_renter_reaches_the_log(command: Command) -> None:
    text = FILE.replace("ann@example.com", "ann-at-example")
    done = command.run(command.file(text), LOG_LEVEL="debug")
    assert done.returncode == 1
    assert "ann" not in done.stderr.lower()


def test_dates_move_by_whole_days_so_that_the_reference_becomes_today(command: Command) -> None:
    file = command.file(FILE)
    code, _ = command.json(file, "--dates", "us", "--dates-relative-to", "2026-06-01")
    assert code == 0
    [lease] = command.landlord.api.get("/rest/v1/leases?select=starts_on,ends_on&lease_number=eq.L-1").json()
    starts_on, ends_on = (date.fromisoformat(lease[name]) for name in ("starts_on", "ends_on"))
    today = datetime.now(ZoneInfo("America/Chicago")).date()
    # A run at midnight may have begun the day before.
    assert (today - starts_on).days in (151, 152)
    assert (ends_on - starts_on).days == 364


def test_ten_thousand_rows_are_imported_whole(command: Command) -> None:
    path = command.folder / "large.csv"
    header = "property_name,address_line1,city,unit_number,tenant_last_name,tenant_email,lease_number"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header.split(","), "lease_start", "lease_end", "rent"])
        for n in range(10_000):
            house, door = divmod(n, 25)
            who = [f"Renter {n}", f"renter{n}@example.com", f"T-{n}"]
            where = [f"House {house}", f"{house} Main St", "Austin", f"{door + 1}"]
            writer.writerow([*where, *who, "2026-01-01", "2099-12-31", f"{1000 + n % 900:,}.00"])
    code, answer = command.json(str(path))
    assert (code, answer.get("rows")) == (0, 10_000), answer
    assert {
        kind: counts["created"] for kind, counts in answer["changes"].items() if kind != "leases_activated"
    } == {
        "properties": 400,
        "units": 10_000,
        "tenants": 10_000,
        "leases": 10_000,
    }
