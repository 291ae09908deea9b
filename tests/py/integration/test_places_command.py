"""`freehold places …` and what checks addresses, as they are typed, on a whole stack and the local list."""

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
from tests.py.integration.landlord import Landlord
from tests.py.support import wait_until

Db = psycopg.Connection[Any]
RENT_ROLL = """\
Property,Address,City,State,Zip,Unit,First Name,Last Name,Lease No,Lease Start,Lease End,Rent
Court,1 {street} Street,Ames,IA,50010,1A,,,,,,
"""


class Freehold:
    """The command, with the worker's key and, for imports, as the landlord."""

    def __init__(self, stack: Stack, landlord: Landlord, folder: Path) -> None:
        self.folder = folder
        self.env = {
            "PATH": os.environ["PATH"],
            "API_URL": stack.api_url,
            "ANON_KEY": stack.keys.anon_key,
            "WORKER_KEY": stack.keys.worker_key,
            "FREEHOLD_TOKEN": landlord.owner.token,
            "FREEHOLD_ENV": "test",
            "LOG_LEVEL": "error",
            "PLACES_PROVIDER": "local",
        }

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "workers", *arguments],
            env={**self.env, **env},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout)


@pytest.fixture
def freehold(stack: Stack, landlord: Landlord, tmp_path: Path) -> Freehold:
    return Freehold(stack, landlord, tmp_path)


@pytest.fixture
def street(stack_db: Db) -> str:
    """A street in the local list that no other test has, with number 1."""
    name = "Elm" + "".join(chr(ord("a") + int(digit, 16)) for digit in uuid.uuid4().hex[:12])
    row = {"address_line1": f"1 {name} Street", "city": "Ames", "state": "IA", "postal_code": "50010"}
    rows = [{**row, "country": "US", "latitude": 42.5, "longitude": -93.5}]
    stack_db.execute("select worker.add_addresses('tests', now(), %s)", (json.dumps(rows),))
    return name


def status(landlord: Landlord, house: str) -> str:
    (row,) = landlord.api.get(f"/rest/v1/properties?id=eq.{house}&select=address_status").json()
    return str(row["address_status"])


def test_a_lookup_shows_what_a_form_would_suggest(freehold: Freehold, street: str) -> None:
    found = freehold.json("places", "lookup", f"1 {street[:10]}")
    (one,) = found["suggestions"]
    assert (one["main_text"], found["provider"]) == (f"1 {street} Street", "local")
    assert one["text"] == f"1 {street} Street, Ames, IA 50010, US"
    assert one["place_id"].startswith("local:") and one["matches"][0] == {"start": 0, "end": 1}
    assert freehold.json("places", "lookup", f"1 {street[:10]}", "--country", "ca")["suggestions"] == []
    shown = freehold.run("places", "lookup", f"1 {street[:10]}")
    assert f"1 {street} Street, Ames, IA 50010, US" in shown.stdout


def test_two_letters_are_no_question(freehold: Freehold) -> None:
    done = freehold.run("places", "lookup", " x ")
    assert (done.returncode, "at least three letters" in done.stderr) == (2, True)


def test_a_provider_that_is_away_has_an_exit_code_of_its_own(freehold: Freehold) -> None:
    nowhere = {"PLACES_PROVIDER": "photon", "PHOTON_URL": "http://127.0.0.1:9"}
    done = freehold.run("places", "lookup", "Main", "--json", **nowhere)
    assert done.returncode == 69
    assert json.loads(done.stdout)["error"]["code"] == "places_unavailable"


def test_a_workspace_s_addresses_are_verified_or_a_correction_is_proposed(
    freehold: Freehold, landlord: Landlord, street: str, stack_db: Db
) -> None:
    line, where = f"1 {street} Street", {"state": "IA", "country": "US"}
    known = landlord.add(
        "properties", name="A", address_line1=line, city="Ames", postal_code="50010", **where
    )
    slip = landlord.add("properties", name="B", address_line1=line, city="Amse", postal_code="50010", **where)
    unknown = landlord.add("properties", name="C", address_line1="9 Nowhere", city="Zzyzx", **where)
    # And the house that the landlord had from the start.
    told = freehold.json("places", "verify", "--workspace", landlord.workspace_id)
    assert (told["workspace_id"], told["unverified"]) == (landlord.workspace_id, 4)
    wait_until(lambda: status(landlord, known) == "verified")
    correction = wait_until(
        lambda: landlord.api.get(f"/rest/v1/address_corrections?property_id=eq.{slip}").json()
    )[0]
    assert (correction["city"], correction["status"]) == ("Ames", "open")
    assert (status(landlord, slip), status(landlord, unknown)) == ("unverified", "unverified")
    accepted = landlord.api.post(
        "/rest/v1/rpc/accept_address_correction", json={"correction_id": correction["id"]}
    )
    assert accepted.raise_for_status().json()["city"] == "Ames"
    assert status(landlord, slip) == "corrected"
    where_it_is = landlord.api.get(f"/rest/v1/properties?id=eq.{known}&select=coordinates").json()
    assert where_it_is[0]["coordinates"]["source"] == "local"
    counted = "select sum(calls), sum(cost_microdollars) from public.places_usage where workspace_id = %s"
    assert stack_db.execute(counted, (landlord.workspace_id,)).fetchone() == (4, 0)


def test_a_workspace_that_is_not_there_is_said_so(freehold: Freehold) -> None:
    done = freehold.run("places", "verify", "--workspace", "nobody's", "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "workspace_not_found")


def test_an_import_has_its_addresses_verified(
    freehold: Freehold, landlord: Landlord, street: str, stack_db: Db
) -> None:
    (freehold.folder / "rent.csv").write_text(RENT_ROLL.format(street=street))
    told = freehold.json("import", "rent-roll", "rent.csv", "--verify-addresses")
    assert (told["ok"], told["addresses_queued"]) == (True, 2)
    freehold.json("work", "--queue", "compliance", "--until-empty")
    read = """
        select address_status, place_id like 'local:%%'
        from public.properties where workspace_id = %s and name = 'Court'
    """
    wait_until(lambda: stack_db.execute(read, (landlord.workspace_id,)).fetchone() == ("verified", True))
