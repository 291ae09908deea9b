"""The command against a whole stack: what happens in the app arrives as mail, once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import psycopg
import pytest

from scripts.stack import keeper
from scripts.stack.keys import sign_key
from scripts.stack.layout import Stack
from tests.py.integration.landlord import Landlord, call, rpc
from tests.py.support import User


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A stack of this module's own: its workers take whatever mail there is."""
    root = keeper.new_root()
    yield keeper.obtain(root, os.getpid())
    keeper.release(root)


class Freehold:
    """Runs the command against the stack."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder

    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "workers", *arguments],
            env={**os.environ, **self._stack.env, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            cwd=self._folder,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def freehold(stack: Stack, tmp_path: Path) -> Freehold:
    return Freehold(stack, tmp_path)


def mails_to(stack: Stack, address: str) -> list[dict[str, Any]]:
    """The mails that arrived for one address, parts included, oldest first."""
    with httpx.Client(base_url=stack.env["MAILBOX_URL"], trust_env=False) as mailbox:
        listed = mailbox.get("/api/v1/messages", params={"limit": 500}).raise_for_status().json()["messages"]
        ids = [mail["ID"] for mail in listed if address in [to["Address"] for to in mail["To"]]]
        return [mailbox.get(f"/api/v1/message/{one}").raise_for_status().json() for one in reversed(ids)]


def test_an_invitation_arrives_and_its_link_lets_the_invited_in(
    stack: Stack,
    freehold: Freehold,
    landlord: Landlord,
    new_user: Callable[..., User],
    api: Callable[[User | str | None], httpx.Client],
    stack_db: psycopg.Connection[Any],
) -> None:
    address = f"invited-{uuid.uuid4().hex[:12]}@example.com"
    rpc(
        landlord.api,
        "invite",
        workspace_id=landlord.workspace_id,
        kind="member",
        email=address,
        role="viewer",
    )
    assert freehold.json("work", "--until-empty")["messages"]["sent"] >= 1
    (mail,) = mails_to(stack, address)
    assert mail["Subject"] == "Invitation to Elm Street Homes"
    assert mail["From"] == {"Name": "Freehold", "Address": "notices@freehold.test"}
    links = {
        link
        for part in (mail["Text"], mail["HTML"])
        for link in re.findall(r"http://127\.0\.0\.1:3000/invitations/accept\?token=([^\s\"<]+)", part)
    }
    assert len(links) == 1
    token = unquote(links.pop())
    joined = call(api(new_user(address)), "accept_invitation", token=token)
    assert joined.status_code == 200, joined.text
    left = stack_db.execute(
        """select m.status, m.id::text, s.message_id from public.messages as m
        left join private.message_secrets as s on s.message_id = m.id where m.to_address = %s""",
        (address,),
    ).fetchall()
    assert [(status, secret) for status, _, secret in left] == [("sent", None)]
    assert mail["MessageID"] == f"{left[0][1]}@freehold.test"


def test_a_lease_that_runs_out_is_told_to_its_owner_once(
    stack: Stack, freehold: Freehold, landlord: Landlord, stack_db: psycopg.Connection[Any]
) -> None:
    ends_on = date.today() + timedelta(days=45)
    lease_id = landlord.draft("EXP-45", ends_on=ends_on)
    rpc(landlord.api, "activate_lease", lease_id=lease_id)
    for _ in range(2):
        stack_db.execute("delete from private.job_runs where job = 'lease_expiry_check'")
        runs = freehold.json("tick")["runs"]
        assert [run["error"] for run in runs if run["job"] == "lease_expiry_check"] == [None]
        freehold.json("work", "--until-empty")
    (mail,) = mails_to(stack, landlord.owner.email)
    assert "EXP-45" in mail["Subject"] and "1 Elm" in mail["Subject"]
    for words in ("Rae Renter", f"{ends_on:%B} {ends_on.day}, {ends_on.year}"):
        assert words in mail["Text"] and words in mail["HTML"]
    assert "lease_expiry_check" not in [run["job"] for run in freehold.json("tick")["runs"]]


def test_the_doctor_is_content_with_the_stack(freehold: Freehold) -> None:
    report = freehold.json("doctor")
    assert report["ok"]
    timed = {finding["name"] for finding in report["findings"] if finding["milliseconds"] is not None}
    assert timed == {"api", "database", "auth", "mail", "edge"}


@pytest.mark.parametrize("fault", ["signed by another", "revoked"])
def test_the_doctor_tells_a_key_that_is_not_accepted(
    stack: Stack, freehold: Freehold, stack_db: psycopg.Connection[Any], fault: str
) -> None:
    jti = str(uuid.uuid4())
    secret = stack.keys.jwt_secret if fault == "revoked" else "a-secret-of-somebody-else-that-is-long-enough"
    stack_db.execute("insert into private.revoked_tokens (jti, reason) values (%s, 'a test')", (jti,))
    key = sign_key("worker", secret, expires_in=3600, jti=jti)
    report = freehold("doctor", WORKER_KEY=key)
    assert report.returncode == 1
    assert re.search(r"fail +worker key", report.stdout), report.stdout
