"""The environment: what is accepted, what is refused, and that all problems are told at once."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import jwt
import pytest

from scripts.stack.gateway_settings import GatewaySettings
from scripts.stack.parts import AUTH_SETTINGS
from workers.mail_server import MailServer
from workers.settings import FOR_MAIL, FOR_WORKER, ConfigurationError, Settings, load

REPOSITORY = Path(__file__).resolve().parents[3]
SIGNING_SECRET = "a-secret-of-the-tests-that-is-long-enough"


def key(role: str, *, expires_in: float | None = 3600) -> str:
    claims = {"role": role} | ({"exp": int(time.time() + expires_in)} if expires_in is not None else {})
    return jwt.encode(claims, SIGNING_SECRET, algorithm="HS256")


COMPLETE = {
    "API_URL": "https://abcdefgh.supabase.co",
    "ANON_KEY": "sb_publishable_x7Kq",
    "WORKER_KEY": key("worker"),
    "SMTP_URL": "smtp://user:p%40ss@smtp.example.com:587",
    "MAIL_FROM": "Freehold <notices@example.com>",
    "SITE_URL": "https://app.example.com/",
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper() in {field.upper() for field in Settings.model_fields} or name.startswith("FREEHOLD_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def loaded(monkeypatch: pytest.MonkeyPatch, *needs: str, **changes: str | None) -> Settings:
    for name, value in {**COMPLETE, **changes}.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    return load(*needs)


def problems(monkeypatch: pytest.MonkeyPatch, *needs: str, **changes: str | None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        loaded(monkeypatch, *needs, **changes)
    return caught.value.problems


def test_a_complete_environment_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, *FOR_MAIL)
    assert settings.freehold_env == "production"
    assert settings.site_url == "https://app.example.com"
    assert settings.message_id_domain == "example.com"
    assert settings.mail_server() == MailServer("smtp.example.com", 587, "user", "p@ss", "starttls")


def test_every_problem_is_told_at_once_and_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(
        monkeypatch,
        *FOR_MAIL,
        API_URL="http://abcdefgh.supabase.co",
        ANON_KEY=None,
        WORKER_KEY="changeme",
        SMTP_URL=None,
        MAIL_FROM="nobody",
        SITE_URL="app.example.com",
        WORKER_BATCH="0",
        LOG_LEVEL="loud",
        FREEHOLD_COLOUR="green",
    )
    assert [line.split()[0] for line in found] == [
        "ANON_KEY",
        "API_URL",
        "FREEHOLD_COLOUR",
        "LOG_LEVEL",
        "MAIL_FROM",
        "SITE_URL",
        "SMTP_URL",
        "WORKER_BATCH",
        "WORKER_KEY",
    ]
    assert all("\n" not in line for line in found)


def test_an_empty_environment_names_what_a_verb_needs_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(*FOR_WORKER)
    assert [line.split()[0] for line in caught.value.problems] == ["ANON_KEY", "API_URL", "WORKER_KEY"]


def test_smtp_host_will_do_for_smtp_url(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(
        monkeypatch,
        *FOR_MAIL,
        SMTP_URL=None,
        SMTP_HOST="smtp.example.com",
        SMTP_TLS="tls",
        SMTP_USER="u",
        SMTP_PASSWORD="pw-9",
    )
    assert settings.mail_server() == MailServer("smtp.example.com", 465, "u", "pw-9", "tls")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtps://smtp.example.com", MailServer("smtp.example.com", 465, None, None, "tls")),
        ("smtp://smtp.example.com", MailServer("smtp.example.com", 587, None, None, "starttls")),
        ("smtp://127.0.0.1:54325", MailServer("127.0.0.1", 54325, None, None, "none")),
    ],
)
def test_tls_is_demanded_of_every_server_but_this_machine(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: MailServer
) -> None:
    assert loaded(monkeypatch, SMTP_URL=url).mail_server() == expected


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"SMTP_TLS": "none"}, "SMTP_TLS is `none`, and mail would travel in the clear; use starttls or tls"),
        (
            {"SMTP_HOST": "other.example.com"},
            "SMTP_TLS can't be told: SMTP_URL and SMTP_HOST are both set, keep one",
        ),
        ({"API_URL": "abcdefgh"}, "API_URL is no URL; it looks like https://host"),
        (
            {"API_URL": "http://10.0.0.5"},
            "API_URL is http://; use https:// (http is for localhost, or FREEHOLD_ENV=local)",
        ),
        ({"WORKER_KEY": "not.a.jwt"}, "WORKER_KEY is not a JWT (its middle part isn't base64url JSON)"),
        (
            {"WORKER_KEY": key("service_role")},
            "WORKER_KEY carries the role 'service_role'; mint one with the role 'worker'",
        ),
        (
            {"WORKER_KEY": key("worker", expires_in=None)},
            "WORKER_KEY never expires; mint one with an `exp` claim",
        ),
        (
            {"ANON_KEY": key("service_role")},
            "ANON_KEY carries the role 'service_role'; the publishable (anon) key belongs here",
        ),
        (
            {"ANON_KEY": "sb_secret_abc"},
            "ANON_KEY is a secret key; the publishable (anon) key belongs here",
        ),
        (
            {"WORKER_CONCURENCY": "5"},
            "WORKER_CONCURENCY is not read by Freehold; is WORKER_CONCURRENCY meant?",
        ),
        ({"FREEHOLD_DEBUG": "1"}, "FREEHOLD_DEBUG is not read by Freehold; remove it"),
        (
            {"API_TIMEOUT": "soon"},
            "API_TIMEOUT should be a valid number, unable to parse string as a number",
        ),
    ],
)
def test_what_is_wrong_comes_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], line: str
) -> None:
    assert problems(monkeypatch, **changes) == [line]


def test_an_expired_worker_key_is_refused_with_its_date(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = problems(monkeypatch, WORKER_KEY=key("worker", expires_in=-86400))
    assert re.fullmatch(r"WORKER_KEY expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC; mint a new one", line)


@pytest.mark.parametrize(
    "value", ["changeme", "<your key>", "your-key-here", "xxxx", "...", "replace-me", "key-goes-here", "TODO"]
)
def test_placeholders_are_refused_for_every_secret(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    found = problems(monkeypatch, ANON_KEY=value, WORKER_KEY=value, SMTP_URL=None, SMTP_PASSWORD=value)
    assert [line.split()[0] for line in found] == ["ANON_KEY", "SMTP_PASSWORD", "WORKER_KEY"]
    assert all("placeholder" in line for line in found)


@pytest.mark.parametrize(
    "where",
    [
        {"API_URL": "http://127.0.0.1:54321"},
        {"API_URL": "http://kong:8000", "FREEHOLD_ENV": "local"},
    ],
)
def test_locally_http_is_fine_and_mail_settings_have_defaults(
    monkeypatch: pytest.MonkeyPatch, where: dict[str, str]
) -> None:
    settings = loaded(monkeypatch, *FOR_MAIL, MAIL_FROM=None, SITE_URL=None, **where)
    assert settings.mail_from == "Freehold <notices@freehold.test>"
    assert settings.site_url == "http://127.0.0.1:3000"


def test_locally_a_missing_sender_is_not_blamed_for_another_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(
        monkeypatch, *FOR_MAIL, API_URL="http://127.0.0.1:1", MAIL_FROM=None, SITE_URL=None, LOG_LEVEL="loud"
    )
    assert [line.split()[0] for line in found] == ["LOG_LEVEL"]


def test_a_dotenv_file_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = [f"{name}={value}" for name, value in COMPLETE.items()]
    (tmp_path / ".env").write_text(
        "\n".join([*lines, "WORKER_BATCH=7", "WORKER_CONCURRENCY=8", "FREEHOLD_X=1"])
    )
    monkeypatch.setenv("WORKER_BATCH", "9")
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert caught.value.problems == ["FREEHOLD_X is not read by Freehold; remove it"]
    (tmp_path / ".env").write_text("\n".join([*lines, "WORKER_BATCH=7", "WORKER_CONCURRENCY=8"]))
    settings = load(*FOR_MAIL)
    assert (settings.worker_batch, settings.worker_concurrency) == (9, 8)


def test_no_secret_shows_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, SMTP_URL=None, SMTP_HOST="h", SMTP_USER="u", SMTP_PASSWORD="pw-9")
    shown = repr(settings) + str(settings) + repr(settings.mail_server())
    for secret in (COMPLETE["WORKER_KEY"], COMPLETE["ANON_KEY"], "pw-9"):
        assert secret not in shown


def documented(text: str) -> dict[str, str]:
    """Variables of an env file by name; those commented out too."""
    return dict(re.findall(r"^#?([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE))


WHO_IMPORTS = {"FREEHOLD_TOKEN", "FREEHOLD_EMAIL", "FREEHOLD_PASSWORD"}


def test_env_example_documents_every_variable_and_no_other() -> None:
    example = documented((REPOSITORY / ".env.example").read_text())
    read = {name.upper() for name in (*Settings.model_fields, *GatewaySettings.model_fields)}
    assert set(example) == read | WHO_IMPORTS | set(AUTH_SETTINGS)


def test_env_example_shows_the_defaults_as_they_are() -> None:
    example = documented((REPOSITORY / ".env.example").read_text())
    for name, field in GatewaySettings.model_fields.items():
        default = ", ".join(field.default) if isinstance(field.default, tuple) else str(field.default)
        assert example[name.upper()] == default, name
    for name, field in Settings.model_fields.items():
        if field.default is not None and not field.is_required():
            assert example[name.upper()] == str(field.default), name


def test_the_reference_lists_every_variable_with_its_default() -> None:
    page = (REPOSITORY / "docs/reference/configuration.md").read_text()
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \|([^|]*)\|", page, re.MULTILINE))
    assert set(rows) == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if field.default is not None and not field.is_required():
            assert rows[name.upper()].strip() == f"`{field.default}`", name
        elif field.is_required():
            assert rows[name.upper()].strip() == "required", name


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"PLACES_PROVIDER": "google"}, "GOOGLE_MAPS_API_KEY is missing"),
        ({"PLACES_PROVIDER": "photon"}, "PHOTON_URL is missing"),
        ({"PLACES_PROVIDER": "nominatim"}, "NOMINATIM_URL is missing"),
        ({"NOMINATIM_URL": "nominatim.internal"}, "NOMINATIM_URL is no URL"),
        ({"NOMINATIM_URL": "https://nominatim.openstreetmap.org"}, "NOMINATIM_URL is the public server"),
    ],
)
def test_a_provider_of_places_needs_what_it_is_reached_by(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], problem: str
) -> None:
    [found] = problems(monkeypatch, **changes)
    assert problem in found


def test_a_server_of_ones_own_may_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://nominatim.internal:8088/"
    settings = loaded(monkeypatch, PLACES_PROVIDER="nominatim", NOMINATIM_URL=url)
    assert (settings.places_provider_chosen, settings.nominatim_url) == ("nominatim", url.rstrip("/"))
