"""`freehold import addresses` as it is typed, against a whole stack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest

from scripts.stack.layout import Stack
from tests.py.integration.searches import value

Db = psycopg.Connection[Any]
OURS = """\
address_line1,city,state,postal_code,country,latitude,longitude
"1 {tag} Street",Ames,IA,50010,us,42.02,-93.62
"2 {tag} Street",Ames,IA,50010,US,42.02,-93.63
"""
OPEN_ADDRESSES = """\
LON,LAT,NUMBER,STREET,UNIT,CITY,DISTRICT,REGION,POSTCODE,ID,HASH
-93.62,42.02,1,{tag} STREET,,AMES,,IA,50010,,abc
-93.62,42.02,,,,AMES,,IA,50010,,def
-93.62,north,3,{tag} STREET,,AMES,,IA,50010,,ghi
"""


@pytest.fixture
def tag() -> str:
    """A street that no other test has."""
    return "street" + uuid.uuid4().hex[:10]


class Command:
    def __init__(self, stack: Stack, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.env = {
            "PATH": os.environ["PATH"],
            "API_URL": stack.api_url,
            "ANON_KEY": stack.keys.anon_key,
            "WORKER_KEY": stack.env["WORKER_KEY"],
            "FREEHOLD_ENV": "test",
            "LOG_LEVEL": "error",
        }

    def run(self, text: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        file = self.folder / "addresses.csv"
        file.write_text(text)
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "workers",
                "import",
                "addresses",
                str(file),
                "--list",
                self.name,
                *arguments,
            ],
            env={**self.env, **env},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )


@pytest.fixture
def command(stack: Stack, tmp_path: Path, tag: str) -> Command:
    return Command(stack, tmp_path, tag)


def found(db: Db, q: str) -> list[str]:
    rows = value(db, "select worker.search_addresses(%s)", q)
    return sorted(row["address_line1"] for row in rows)


def test_a_list_is_imported_and_an_import_of_less_replaces_it(
    command: Command, stack_db: Db, tag: str
) -> None:
    first = command.run(OURS.format(tag=tag), "--json")
    assert first.returncode == 0, first.stderr
    counts = {"added": 2, "kept": 0, "deleted": 0, "skipped": 0}
    assert json.loads(first.stdout) == {"ok": True, "list": tag, **counts, "errors": []}
    assert found(stack_db, tag) == [f"1 {tag} Street", f"2 {tag} Street"]
    second = command.run("\n".join(OURS.format(tag=tag).splitlines()[:2]), "--json")
    assert {**json.loads(second.stdout), "errors": 0} == {
        "ok": True, "list": tag, "added": 0, "kept": 1, "deleted": 1, "skipped": 0, "errors": 0,
    }  # fmt: skip
    assert found(stack_db, tag) == [f"1 {tag} Street"]


def test_a_file_of_openaddresses_is_read_and_what_is_no_address_is_told(
    command: Command, stack_db: Db, tag: str
) -> None:
    done = command.run(OPEN_ADDRESSES.format(tag=tag), "--country", "us", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["added"], told["skipped"]) == (1, 2)
    assert [(one["line"], one["column"]) for one in told["errors"]] == [(3, "address_line1"), (4, "latitude")]
    assert found(stack_db, tag) == [f"1 {tag} STREET"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("street,city\n1 Elm,Ames\n", "header_missing"),
        ("address_line1,city,lat,lon\n1 Elm,Ames,1,2\n", "header_missing"),  # and no --country
        ("", "header_missing"),
        ('address_line1,city,country,lat,lon\n"1 Elm,Ames,US,1,2\n', "file_not_csv"),
    ],
)
def test_a_file_that_is_no_list_imports_nothing(command: Command, text: str, code: str) -> None:
    done = command.run(text, "--json")
    assert done.returncode == 1
    assert [one["code"] for one in json.loads(done.stdout)["errors"]] == [code]


def test_a_file_without_one_address_does_not_empty_the_list(command: Command, stack_db: Db, tag: str) -> None:
    command.run(OURS.format(tag=tag))
    done = command.run("address_line1,city,country,latitude,longitude\n1 Elm,Ames,US,900,2\n", "--json")
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (1, False)
    assert len(found(stack_db, tag)) == 2


def test_a_person_is_shown_what_was_done(command: Command, tag: str) -> None:
    done = command.run(OPEN_ADDRESSES.format(tag=tag), "--country", "US")
    assert f"The list {tag}: 1 added, 0 kept, 0 deleted, 2 skipped." in done.stdout
    assert "Not within 90 degrees." in done.stdout


def test_without_a_worker_s_key_nothing_is_asked(command: Command, tag: str) -> None:
    done = command.run(OURS.format(tag=tag), WORKER_KEY="")
    assert (done.returncode, "WORKER_KEY is missing" in done.stderr) == (78, True)
