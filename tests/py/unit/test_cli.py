"""The command as it is typed: exit codes, what is on stdout and what on stderr."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import psutil
import pytest

from tests.py.chaos.mail_server import MailServer
from tests.py.support import wait_until
from tests.py.unit.rpc_server import Refusal, RpcServer, Turns
from workers.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[3]
KEY = jwt.encode(
    {"role": "worker", "exp": int(time.time()) + 3600},
    "a-secret-of-the-tests-that-is-long-enough",
    algorithm="HS256",
)
CLAIM = {
    "msg_id": 1,
    "read_ct": 1,
    "message": {
        "id": "5d3f8e0a-9a64-4c8f-8d5e-0d7f1c2b3a49",
        "template": "invitation",
        "to_address": "rae@example.com",
        "request_id": "req-12345678",
        "payload": {
            "workspace_name": "Elm Street Homes",
            "kind": "renter",
            "role": None,
            "invited_by_email": "ana@example.com",
            "expires_at": "2026-11-28T03:00:00+00:00",
            "token": "s3cret",
        },
    },
}


@pytest.fixture
def server(server: RpcServer) -> RpcServer:
    server.answers |= {"finish_run": True, "begin_send": True}
    return server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def freehold(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ours()}
    return subprocess.run(
        [sys.executable, "-m", "workers", *arguments],
        env={**inherited, "NO_COLOR": "1", **variables},
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=30,
        check=False,
    )


def ours() -> set[str]:
    return {name.upper() for name in Settings.model_fields}


def environment(server: RpcServer, mail: MailServer | None = None) -> dict[str, str]:
    return {
        "API_URL": server.url,
        "ANON_KEY": "sb_publishable_x7Kq",
        "WORKER_KEY": KEY,
        "SMTP_URL": mail.url if mail else "smtp://127.0.0.1:9",
        "API_DEADLINE": "1",
    }


def test_help_lists_the_verbs_and_loads_nothing_heavy(tmp_path: Path) -> None:
    shown = freehold("--help", folder=tmp_path)
    assert shown.returncode == 0
    for verb in ("tick", "work", "doctor", "check-env"):
        assert re.search(rf"\b{verb}\b", shown.stdout)
    listed = subprocess.run(
        [sys.executable, "-c", "import sys, workers.cli; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    )
    assert not {"postgrest", "pydantic", "jinja2", "aiosmtplib", "httpx"} & set(listed.stdout.split())


@pytest.mark.parametrize("verb", ["tick", "work", "doctor", "check-env"])
def test_every_verb_offers_json(verb: str, tmp_path: Path) -> None:
    assert "--json" in freehold(verb, "--help", folder=tmp_path).stdout


def test_check_env_tells_every_problem_and_exits_with_78(tmp_path: Path) -> None:
    shown = freehold("check-env", folder=tmp_path, API_URL="http://example.com", WORKER_KEY="changeme")
    assert shown.returncode == 78 and shown.stdout == ""
    names = [line.split()[0] for line in shown.stderr.splitlines()[1:]]
    assert names == ["ANON_KEY", "API_URL", "MAIL_FROM", "SITE_URL", "SMTP_URL", "WORKER_KEY"]


def test_check_env_speaks_json_to_programs(tmp_path: Path, server: RpcServer) -> None:
    bad = freehold("check-env", "--json", folder=tmp_path)
    document = json.loads(bad.stdout)
    assert bad.returncode == 78 and not document["ok"] and len(document["problems"]) == 6
    good = freehold("check-env", "--json", folder=tmp_path, **environment(server))
    assert good.returncode == 0 and json.loads(good.stdout) == {"ok": True, "problems": []}


@pytest.mark.parametrize("verb", ["tick", "work", "doctor"])
def test_a_verb_that_lacks_a_setting_does_nothing_and_exits_with_78(verb: str, tmp_path: Path) -> None:
    shown = freehold(verb, folder=tmp_path)
    assert shown.returncode == 78
    assert "WORKER_KEY is missing" in shown.stderr and "Traceback" not in shown.stderr


@pytest.mark.parametrize("arguments", [("tick",), ("work", "--until-empty")])
def test_without_an_api_a_verb_ends_with_one_line_that_names_make_up(
    arguments: tuple[str, ...], tmp_path: Path, server: RpcServer
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        shown = freehold(*arguments, folder=tmp_path, **{**environment(server), "API_URL": url})
    assert shown.returncode == 69 and "Traceback" not in shown.stderr
    last = shown.stderr.splitlines()[-1]
    assert url in last and "make up" in last


def test_tick_shows_what_ran_and_fails_when_a_job_failed(tmp_path: Path, server: RpcServer) -> None:
    server.answers |= {
        "start_due_runs": Turns(
            [{"job": "count_sheep", "due_at": "2026-11-21T03:00:00+00:00", "fence": 1}],
            [{"job": "break_down", "due_at": "2026-11-21T04:00:00+00:00", "fence": 1}],
        ),
        "count_sheep": {"sheep": 3},
        "break_down": Refusal(409, "fence_broken", "The fence is down."),
    }
    counted = freehold("tick", folder=tmp_path, **environment(server))
    assert counted.returncode == 0 and "sheep 3" in counted.stdout
    broken = freehold("tick", "--json", folder=tmp_path, **environment(server))
    assert broken.returncode == 1
    (run,) = json.loads(broken.stdout)["runs"]
    assert (run["job"], run["error"]) == ("break_down", "The fence is down (fence_broken)")


def test_work_sends_what_waits_and_logs_no_address_and_no_token(
    tmp_path: Path, server: RpcServer, mail: MailServer
) -> None:
    server.answers |= {
        "queue_metrics": [{"queue": "email", "length": 1}],
        "claim_messages": Turns([CLAIM], []),
        "complete_messages": [{"msg_id": 1, "outcome": "completed"}],
    }
    shown = freehold(
        "work", "--once", "--json", folder=tmp_path, LOG_FORMAT="json", **environment(server, mail)
    )
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout) == {"messages": {"sent": 1}}
    (event,) = (json.loads(line) for line in shown.stderr.splitlines())
    assert event["event"] == "message sent" and event["level"] == "info"
    assert (event["msg_id"], event["request_id"]) == (1, "req-12345678")
    assert event["timestamp"].endswith("Z")
    assert "@" not in shown.stderr and "s3cret" not in shown.stderr
    assert mail.ids() == ["<5d3f8e0a-9a64-4c8f-8d5e-0d7f1c2b3a49@freehold.test>"]


def test_what_a_mail_server_answers_is_logged_without_the_address(
    tmp_path: Path, server: RpcServer, mail: MailServer
) -> None:
    mail.faults.by_local_part["rae"] = "rcpt_550"
    server.answers |= {
        "queue_metrics": [],
        "claim_messages": Turns([CLAIM], []),
        "fail_messages": [{"msg_id": 1, "outcome": "failed"}],
    }
    shown = freehold("work", "--once", folder=tmp_path, LOG_FORMAT="json", **environment(server, mail))
    assert server.arguments("fail_messages")[0]["p_items"][0]["error"] == "550 <rae@example.com> not now"
    assert "550 <[address]> not now" in shown.stderr and "rae@example.com" not in shown.stderr


def test_doctor_shows_a_table_and_fails_when_something_does(tmp_path: Path, server: RpcServer) -> None:
    server.answers["health"] = Refusal(406, "PGRST106", "The schema must be one of: public")
    shown = freehold("doctor", folder=tmp_path, **environment(server))
    assert shown.returncode == 1
    assert re.search(r"fail +worker profile", shown.stdout) and "supabase config push" in shown.stdout
    assert re.search(r"fail +mail", shown.stdout) and re.search(r"ok +auth", shown.stdout)
    document: dict[str, Any] = json.loads(
        freehold("doctor", "--json", folder=tmp_path, **environment(server)).stdout
    )
    assert document["ok"] is False
    assert {finding["name"] for finding in document["findings"]} == {"api", "worker profile", "auth", "mail"}


def test_a_working_worker_stays_under_100_megabytes(
    tmp_path: Path, server: RpcServer, mail: MailServer
) -> None:
    claims = [
        {**CLAIM, "msg_id": n, "message": {**CLAIM["message"], "id": f"m{n}"}}  # type: ignore[dict-item]
        for n in range(150)
    ]

    def claim(asked: dict[str, Any]) -> list[Any]:
        taken, claims[:] = claims[: asked["p_limit"]], claims[asked["p_limit"] :]
        return taken

    server.answers |= {
        "claim_messages": claim,
        "complete_messages": lambda asked: [
            {"msg_id": item["msg_id"], "outcome": "completed"} for item in asked["p_items"]
        ],
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "workers", "work"],
        env={**os.environ, **environment(server, mail)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    try:
        sizes = []

        def all_sent() -> bool:
            sizes.append(psutil.Process(worker.pid).memory_info().rss)
            return len(mail.mailbox) == 150

        wait_until(all_sent, within=30)
        assert max(sizes) < 100_000_000
    finally:
        worker.terminate()
        assert worker.wait(10) == 0


def test_an_armed_crash_point_is_ignored_outside_of_tests(
    tmp_path: Path, server: RpcServer, mail: MailServer
) -> None:
    server.answers |= {"queue_metrics": [], "claim_messages": []}
    armed = {**environment(server, mail), "FREEHOLD_CRASH_AT": "before_claim"}
    assert freehold("work", "--once", folder=tmp_path, **armed).returncode == 0
    assert freehold("work", "--once", folder=tmp_path, FREEHOLD_ENV="test", **armed).returncode == -9
