"""What anybody may know of the server, and the two shapes of its errors."""

from __future__ import annotations

from tests.py.contract.auth_client import Auth


def test_settings_say_how_one_signs_in(auth: Auth) -> None:
    response = auth.get("/settings")
    assert response.status_code == 200
    settings = response.json()
    assert settings["external"]["email"] is True
    assert not settings["external"]["anonymous_users"]
    for name in ("disable_signup", "mailer_autoconfirm", "phone_autoconfirm", "saml_enabled"):
        assert isinstance(settings[name], bool), name
    assert isinstance(settings["sms_provider"], str)


def test_health_names_the_server(auth: Auth) -> None:
    response = auth.get("/health")
    assert response.status_code == 200
    assert response.json()["name"] == "GoTrue"
    assert set(response.json()) == {"version", "name", "description"}


def test_a_client_that_names_no_version_gets_numbers_as_codes(auth: Auth) -> None:
    response = auth.grant("password", email="nobody@example.com", password="secret1")
    assert response.json() == {
        "code": 400,
        "error_code": "invalid_credentials",
        "msg": "Invalid login credentials",
    }
    assert "X-Supabase-Api-Version" not in response.headers


def test_a_client_that_names_the_version_gets_names_as_codes(auth: Auth) -> None:
    response = auth.post(
        "/token?grant_type=password",
        json={"email": "nobody@example.com", "password": "secret1"},
        headers={"X-Supabase-Api-Version": "2024-01-01"},
    )
    assert response.status_code == 400
    assert response.json() == {"code": "invalid_credentials", "message": "Invalid login credentials"}
    assert response.headers["X-Supabase-Api-Version"] == "2024-01-01"
