"""A round through supabase-py, the client that people use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from supabase_auth.errors import AuthApiError, AuthWeakPasswordError

from supabase import Client, ClientOptions, create_client
from tests.py.contract.auth_client import Account, Auth, Target, newest_mail


@pytest.fixture
def client_of(target: Target) -> Iterator[Callable[[str], Client]]:
    """Clients with a key, each with an HTTP client of its own, closed after the test."""
    with ExitStack() as opened:

        def connect(key: str) -> Client:
            http = opened.enter_context(httpx.Client(timeout=30, trust_env=False, follow_redirects=True))
            options = ClientOptions(httpx_client=http, auto_refresh_token=False)
            return create_client(target.api_url, key, options)

        yield connect


@pytest.fixture
def supabase(client_of: Callable[[str], Client], target: Target) -> Client:
    return client_of(target.anon_key)


@pytest.fixture
def admin(client_of: Callable[[str], Client], target: Target) -> Client:
    return client_of(target.service_role_key)


@pytest.mark.usefixtures("auto_confirm")
def test_a_session_from_sign_up_to_sign_out(supabase: Client, fresh_email: Callable[[], str]) -> None:
    email = fresh_email()
    signed_up = supabase.auth.sign_up(
        {"email": email, "password": "secret1", "options": {"data": {"name": "Ann"}}}
    )
    assert signed_up.user and signed_up.session
    assert signed_up.user.user_metadata["name"] == "Ann"

    signed_in = supabase.auth.sign_in_with_password({"email": email, "password": "secret1"})
    assert signed_in.session and signed_in.user and signed_in.user.id == signed_up.user.id
    refreshed = supabase.auth.refresh_session()
    assert refreshed.session
    assert refreshed.session.refresh_token != signed_in.session.refresh_token

    updated = supabase.auth.update_user({"data": {"city": "Boston"}, "password": "secret2"})
    assert updated.user.user_metadata["city"] == "Boston"
    claims = supabase.auth.get_claims()
    assert claims and claims["claims"]["sub"] == signed_up.user.id

    token = refreshed.session.access_token
    supabase.auth.sign_out()
    assert supabase.auth.get_session() is None
    with pytest.raises(AuthApiError) as refused:
        supabase.auth.get_user(token)
    assert (refused.value.status, refused.value.code) == (403, "session_not_found")


def test_errors_reach_the_client_with_their_codes(supabase: Client, fresh_email: Callable[[], str]) -> None:
    with pytest.raises(AuthApiError) as unknown:
        supabase.auth.sign_in_with_password({"email": fresh_email(), "password": "secret1"})
    assert (unknown.value.status, unknown.value.code) == (400, "invalid_credentials")
    assert unknown.value.message == "Invalid login credentials"
    with pytest.raises(AuthWeakPasswordError) as weak:
        supabase.auth.sign_up({"email": fresh_email(), "password": "123"})
    assert weak.value.reasons == ["length"]


def test_a_forgotten_password(supabase: Client, auth: Auth, account: Account, mailbox: httpx.Client) -> None:
    supabase.auth.reset_password_for_email(account.email)
    link = urlsplit(newest_mail(mailbox, account.email).link)
    response = auth.get(f"/verify?{link.query}", follow_redirects=False)
    code = parse_qs(urlsplit(response.headers["location"]).query)["code"][0]
    exchanged = supabase.auth.exchange_code_for_session(
        {"auth_code": code, "code_verifier": "", "redirect_to": ""}
    )
    assert exchanged.user and exchanged.user.id == account.id
    supabase.auth.update_user({"password": "battery staple"})
    again = supabase.auth.sign_in_with_password({"email": account.email, "password": "battery staple"})
    assert again.session


def test_a_code_from_a_mail(supabase: Client, auth: Auth, account: Account) -> None:
    otp = auth.generate_link("magiclink", account.email)["email_otp"]
    verified = supabase.auth.verify_otp({"email": account.email, "token": otp, "type": "email"})
    assert verified.user and verified.session and verified.user.id == account.id


def test_the_administrators_round(admin: Client, fresh_email: Callable[[], str]) -> None:
    email = fresh_email()
    users = admin.auth.admin
    made = users.create_user(
        {"email": email, "password": "secret1", "email_confirm": True, "app_metadata": {"plan": "pro"}}
    )
    assert made.user.app_metadata["plan"] == "pro"
    assert users.get_user_by_id(made.user.id).user.email == email
    assert made.user.id in [user.id for user in users.list_users(page=1, per_page=200)]
    changed = users.update_user_by_id(made.user.id, {"user_metadata": {"name": "Ann"}})
    assert changed.user.user_metadata["name"] == "Ann"
    link = users.generate_link({"type": "recovery", "email": email})
    assert link.properties.verification_type == "recovery"
    assert link.user.id == made.user.id
    users.delete_user(made.user.id)
    with pytest.raises(AuthApiError) as gone:
        users.get_user_by_id(made.user.id)
    assert (gone.value.status, gone.value.code) == (404, "user_not_found")
