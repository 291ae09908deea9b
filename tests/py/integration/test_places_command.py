"""`freehold places …` and what checks addresses, as they are typed, on a whole stack and the local list."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from scripts.stack import keeper
from scripts.stack.layout import Stack
from tests.py.integration.landlord import Landlord
from tests.py.serving import serving
from tests.py.support import wait_until

Db = psycopg.Connection[Any]
RENT_ROLL = """\
Property,Address,City,State,Zip,Unit,First Name,Last Name,Lease No,Lease Start,Lease End,Rent
Court,1 {street} Street,Ames,IA,50010,1A,,,,,,
"""
VISIBLE = "select count(*) from pgmq.q_compliance where vt <= clock_timestamp()"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack of this module's own: its workers check whatever address waits."""
    root = keeper.new_root()
    yield keeper.obtain(root, os.getpid())
    keeper.release(root)


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

    def json(self, *arguments: str, **env: str) -> Any:
        done = self.run(*arguments, "--json", **env)
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


READ = """
    select address_status, place_id like 'local:%%'
    from public.properties where workspace_id = %s and name = 'Court'
"""


def test_an_import_waits_for_its_addresses_and_tells_what_became_of_them(
    freehold: Freehold, landlord: Landlord, street: str, stack_db: Db
) -> None:
    (freehold.folder / "rent.csv").write_text(RENT_ROLL.format(street=street))
    with subprocess.Popen(
        [sys.executable, "-m", "workers", "work", "--queue", "compliance"], env=freehold.env
    ) as worker:
        told = freehold.json("import", "rent-roll", "rent.csv", "--verify-addresses")
        worker.terminate()
    assert (told["ok"], told["addresses_queued"]) == (True, 2)
    counts = {"waiting": 0, "verified": 1, "corrected": 0, "unverified": 1, "proposed": 0}
    assert told["addresses"] == counts
    assert stack_db.execute(READ, (landlord.workspace_id,)).fetchone() == ("verified", True)
    shown = freehold.run("import", "rent-roll", "rent.csv", "--verify-addresses").stdout
    assert "The workspace's addresses: 1 verified, 0 corrected, 1 unverified." in shown


def test_an_import_does_not_wait_for_nobody(
    freehold: Freehold, landlord: Landlord, street: str, stack_db: Db
) -> None:
    (freehold.folder / "rent.csv").write_text(RENT_ROLL.format(street=street))
    done = freehold.run("import", "rent-roll", "rent.csv", "--verify-addresses", "--no-wait")
    assert done.returncode == 0, done.stderr
    assert "2 wait to be checked by `freehold work --queue compliance`; rpc/address_summary" in done.stdout
    assert freehold.json("work", "--queue", "compliance", "--until-empty")["messages"]["verified"] == 1
    assert stack_db.execute(READ, (landlord.workspace_id,)).fetchone() == ("verified", True)


def test_ctrl_c_while_an_import_waits_leaves_it_imported(
    freehold: Freehold, landlord: Landlord, street: str, stack_db: Db
) -> None:
    (freehold.folder / "rent.csv").write_text(RENT_ROLL.format(street=street))
    terminal = Terminal(freehold, "import", "rent-roll", "rent.csv", "--verify-addresses")
    queued = "select count(*) from private.address_checks where workspace_id = %s and status = 'queued'"
    wait_until(lambda: stack_db.execute(queued, (landlord.workspace_id,)).fetchone() == (2,), within=30)
    terminal.press_ctrl_c()
    code, shown = terminal.ended()
    assert code == 130
    assert "Traceback" not in shown and "Imported 1 rows" in shown
    freehold.json("work", "--queue", "compliance", "--until-empty")
    assert stack_db.execute(READ, (landlord.workspace_id,)).fetchone() == ("verified", True)


class Slow:
    """A Photon that knows no address, and answers only once it may."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        while not self.may_answer.is_set():
            await asyncio.sleep(0.01)
        await JSONResponse({"features": []})(Request(scope).scope, receive, send)


@pytest.fixture
def slow() -> Iterator[tuple[Slow, dict[str, str]]]:
    app = Slow()
    with serving(app) as url:
        yield app, {"PLACES_PROVIDER": "photon", "PHOTON_URL": url, "WORKER_CONCURRENCY": "3"}
        app.may_answer.set()


class Terminal:
    """The command in a terminal of its own, where a key pressed is a signal."""

    def __init__(self, freehold: Freehold, *arguments: str, **env: str) -> None:
        self._keys, theirs = pty.openpty()

        def take_terminal() -> None:
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [sys.executable, "-m", "workers", *arguments],
            env={**freehold.env, "TERM": "xterm", "LOG_LEVEL": "info", **env},
            cwd=freehold.folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=take_terminal,
        )
        os.close(theirs)

    def press_ctrl_c(self) -> None:
        os.write(self._keys, b"\x03")

    def ended(self) -> tuple[int, str]:
        """Its exit code, and all that it showed."""
        shown = b""
        while True:
            try:
                shown += os.read(self._keys, 65536)
            except OSError:  # nobody has the terminal open any more
                break
        os.close(self._keys)
        return self.process.wait(20), shown.decode()


def checks(db: Db, landlord: Landlord) -> dict[str, int]:
    query = """
        select status || ' ' || attempts, count(*)
        from private.address_checks where workspace_id = %s group by 1
    """
    return {str(what): int(count) for what, count in db.execute(query, (landlord.workspace_id,)).fetchall()}


def test_ctrl_c_finishes_what_is_under_way_and_loses_nothing(
    freehold: Freehold, landlord: Landlord, stack_db: Db, slow: tuple[Slow, dict[str, str]]
) -> None:
    server, env = slow
    freehold.json("work", "--queue", "compliance", "--until-empty")
    for number in range(19):
        landlord.add("properties", name=f"House {number}", address_line1=f"{number} Elm", city="Ames")
    terminal = Terminal(freehold, "places", "verify", "--workspace", landlord.workspace_id, **env)
    wait_until(lambda: server.asked == 3, within=30)
    terminal.press_ctrl_c()
    # The rest is given back before those under way are answered.
    wait_until(lambda: stack_db.execute(VISIBLE).fetchone() == (17,))
    server.may_answer.set()
    code, shown = terminal.ended()
    assert code == 128 + signal.SIGINT
    assert "Stopped (17 released, 3 unknown); what is queued waits for `freehold work" in " ".join(
        shown.split()
    )
    assert "Traceback" not in shown and "address check" not in shown
    assert checks(stack_db, landlord) == {"done 1": 3, "queued 0": 17}
    told = freehold.json("places", "verify", "--workspace", landlord.workspace_id, **env)
    assert told["checks"]["unknown"] == 20
    assert checks(stack_db, landlord) == {"done 1": 20}


def test_a_second_ctrl_c_ends_it_at_once_and_loses_nothing(
    freehold: Freehold, landlord: Landlord, stack_db: Db, slow: tuple[Slow, dict[str, str]]
) -> None:
    server, env = slow
    freehold.json("work", "--queue", "compliance", "--until-empty")
    landlord.add("properties", name="House", address_line1="2 Elm", city="Ames")
    env["WORKER_CONCURRENCY"] = "1"
    terminal = Terminal(freehold, "places", "verify", "--workspace", landlord.workspace_id, **env)
    wait_until(lambda: server.asked == 1, within=30)
    terminal.press_ctrl_c()
    wait_until(lambda: stack_db.execute(VISIBLE).fetchone() == (1,))
    terminal.press_ctrl_c()
    code, shown = terminal.ended()
    assert (code, "Traceback" in shown) == (128 + signal.SIGINT, False)
    assert checks(stack_db, landlord) == {"queued 0": 1, "queued 1": 1}
    stack_db.execute("update pgmq.q_compliance set vt = clock_timestamp()")  # as if its lease had passed
    server.may_answer.set()
    assert freehold.json("work", "--queue", "compliance", "--until-empty", **env)["messages"] == {
        "unknown": 2
    }


def test_with_the_stack_down_each_verb_says_so_in_a_line(freehold: Freehold) -> None:
    nowhere = {"API_URL": "http://127.0.0.1:9", "API_DEADLINE": "1"}
    for verb in (("lookup", "Main Street"), ("verify", "--workspace", "W"), ("usage",)):
        done = freehold.run("places", *verb, **nowhere)
        assert (done.returncode, len(done.stderr.strip().splitlines()), done.stdout) == (69, 1, "")
        document = freehold.run("places", *verb, "--json", **nowhere)
        assert document.returncode == 69
        assert json.loads(document.stdout)["ok"] is False


def test_an_operator_sees_what_each_workspace_spends(
    freehold: Freehold, landlord: Landlord, stack_db: Db
) -> None:
    use = """
        insert into public.places_usage (workspace_id, on_day, provider, kind, calls, cost_microdollars)
        select %s, (now() at time zone 'UTC')::date - u.ago, 'google', u.kind, u.calls, u.cost
        from (values (0, 'details', 2, 10000), (6, 'validate', 1, 987654321), (7, 'details', 9, 45000))
            as u (ago, kind, calls, cost)
    """
    stack_db.execute(use, (landlord.workspace_id,))
    told = freehold.json("places", "usage", "--days", "7")
    (mine,) = [row for row in told["usage"] if row["workspace_id"] == landlord.workspace_id]
    assert (mine["workspace"], mine["provider"]) == ("Elm Street Homes", "google")
    assert (mine["calls"], mine["cost_microdollars"]) == (3, 987664321)
    shown = freehold.run("places", "usage").stdout
    assert "987.71" in shown and "12" in shown
