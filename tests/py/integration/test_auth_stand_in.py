"""What only our stand-in for Auth promises: where it runs, what it logs, how it outlives a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from scripts.stack.layout import HOST, Stack
from tests.py.contract import auth_service
from tests.py.contract.auth_service import Environment, free_port, run, serving


@pytest.fixture
def environment(stack: Stack, database: str) -> Environment:
    return auth_service.environment(stack, database.rsplit("/", 1)[1])


@pytest.mark.parametrize("value", [None, "", "production", "Local"])
def test_it_refuses_to_start_elsewhere(environment: Environment, value: str | None) -> None:
    environment.pop("FREEHOLD_ENV")
    outcome = run(environment | ({} if value is None else {"FREEHOLD_ENV": value}))
    assert outcome.returncode == 78
    (line,) = outcome.stderr.splitlines()
    assert "FREEHOLD_ENV=local" in line


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"SITE_URL": ""}, "SITE_URL"),
        ({"SMTP_PORT": "mail"}, "SMTP_PORT"),
        ({"MAILER_AUTOCONFIRM": "perhaps"}, "MAILER_AUTOCONFIRM"),
    ],
)
def test_it_names_a_setting_that_is_wrong(environment: Environment, change: Environment, named: str) -> None:
    outcome = run(environment | change)
    assert outcome.returncode == 78
    (line,) = outcome.stderr.splitlines()
    assert named in line


def test_the_log_holds_no_secrets(environment: Environment, stack: Stack, tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    with serving(environment, log) as client:
        person = {"email": "ann@example.com", "password": "a password to look for"}
        signed_up = client.post("/signup", json=person).raise_for_status().json()
        admin = {"Authorization": f"Bearer {stack.keys.service_role_key}"}
        link = client.post(
            "/admin/generate_link", json={"type": "magiclink", "email": person["email"]}, headers=admin
        ).json()
        client.get("/verify", params={"token": link["hashed_token"], "type": "magiclink"})
        client.post("/token?grant_type=refresh_token", json={"refresh_token": signed_up["refresh_token"]})
        client.post("/signup", json={**person, "data": {"nul": "\u0000"}})
    text = log.read_text()
    assert '"path": "/verify"' in text
    for secret in (
        person["password"],
        signed_up["access_token"],
        signed_up["refresh_token"],
        link["hashed_token"],
        stack.keys.service_role_key,
        stack.keys.jwt_secret,
    ):
        assert secret not in text


def test_it_starts_without_a_database_and_says_so(environment: Environment, tmp_path: Path) -> None:
    environment["AUTH_DB_URL"] = f"postgresql://supabase_auth_admin:postgres@{HOST}:{free_port()}/postgres"
    with serving(environment, tmp_path / "auth.log") as client:
        response = sign_in(client)
    assert response.status_code == 503
    assert response.json() == {
        "code": 503,
        "error_code": "unexpected_failure",
        "msg": "The database can't be reached now: try again",
    }


def test_connections_that_a_restart_broke_are_replaced(
    environment: Environment, db: psycopg.Connection[Any], tmp_path: Path
) -> None:
    db.autocommit = True
    with serving(environment, tmp_path / "auth.log") as client:
        assert sign_in(client).json()["error_code"] == "invalid_credentials"
        ended = db.execute(
            """
            select pg_terminate_backend(pid, 5000)
            from pg_stat_activity
            where datname = current_database() and application_name = 'auth'
            """
        ).fetchall()
        assert ended
        assert sign_in(client).json()["error_code"] == "invalid_credentials"


def test_why_a_trigger_refused_a_user_is_for_the_log_alone(
    environment: Environment, db: psycopg.Connection[Any], tmp_path: Path
) -> None:
    db.autocommit = True
    db.execute(
        """
        create function public.refuse() returns trigger language plpgsql as $$
        begin
            raise exception 'only staff may sign up';
        end
        $$
        """
    )
    db.execute(
        "create trigger refuse before insert on auth.users for each row execute function public.refuse()"
    )
    log = tmp_path / "auth.log"
    with serving(environment, log) as client:
        response = client.post("/signup", json={"email": "ann@example.com", "password": "secret1"})
    assert (response.status_code, response.json()["error_code"]) == (500, "unexpected_failure")
    assert "only staff" not in response.text
    assert "only staff may sign up" in log.read_text()


def test_a_mail_that_cannot_be_sent_undoes_the_sign_up(
    environment: Environment, db: psycopg.Connection[Any], tmp_path: Path
) -> None:
    db.autocommit = True
    environment |= {"MAILER_AUTOCONFIRM": "false", "SMTP_PORT": str(free_port())}
    with serving(environment, tmp_path / "auth.log") as client:
        response = client.post("/signup", json={"email": "ann@example.com", "password": "secret1"})
    assert (response.status_code, response.json()["error_code"]) == (500, "unexpected_failure")
    assert response.json()["msg"].startswith("Error sending signup email")
    assert db.execute("select from auth.users where email = 'ann@example.com'").fetchall() == []


def sign_in(client: httpx.Client) -> httpx.Response:
    return client.post(
        "/token?grant_type=password", json={"email": "nobody@example.com", "password": "secret1"}
    )
