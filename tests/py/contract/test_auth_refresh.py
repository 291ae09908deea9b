"""POST /token?grant_type=refresh_token: each token is used once, and reuse ends the family."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import psycopg
import pytest

from tests.py.contract.auth_client import Account, Auth, assert_error

USED = (400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")


def renewed(auth: Auth, refresh_token: str) -> str:
    response = auth.refresh(refresh_token)
    assert response.status_code == 200, response.text
    token: str = response.json()["refresh_token"]
    return token


def age(sql: psycopg.Connection[Any], refresh_token: str) -> None:
    """Pretend that the family of a token was last used an hour ago: servers may allow reuse for seconds."""
    sql.execute(
        """
        update auth.refresh_tokens
        set updated_at = now() - interval '1 hour'
        where session_id = (select session_id from auth.refresh_tokens where token = %s)
        """,
        [refresh_token],
    )


def test_a_refresh_rotates_the_token_and_keeps_the_session(auth: Auth, account: Account) -> None:
    before = auth.sign_in(account)
    response = auth.refresh(before["refresh_token"])
    assert response.status_code == 200
    after = response.json()
    assert set(after) == {"access_token", "token_type", "expires_in", "expires_at", "refresh_token", "user"}
    assert re.fullmatch(r"[a-z0-9]{12}", after["refresh_token"])
    assert after["refresh_token"] != before["refresh_token"]
    old, new = (
        jwt.decode(each["access_token"], options={"verify_signature": False}) for each in (before, after)
    )
    assert new["session_id"] == old["session_id"]
    assert new["amr"] == old["amr"]
    assert response.headers["Sb-Auth-Session-Id"] == new["session_id"]
    assert response.headers["Sb-Auth-Refresh-Token-Prefix"] == after["refresh_token"][:5]


def test_the_old_token_is_revoked_and_becomes_the_parent(
    auth: Auth, account: Account, sql: psycopg.Connection[Any]
) -> None:
    old = auth.sign_in(account)["refresh_token"]
    new = renewed(auth, old)
    rows = sql.execute(
        "select token, parent, revoked from auth.refresh_tokens where user_id = %s order by id", [account.id]
    ).fetchall()
    assert [(old, True), (new, False)] == [(token, revoked) for token, _, revoked in rows]
    assert rows[1][1] == old


def test_a_client_that_lost_the_answer_gets_the_active_token_again(
    auth: Auth, account: Account, sql: psycopg.Connection[Any]
) -> None:
    first = auth.sign_in(account)["refresh_token"]
    second = renewed(auth, first)
    age(sql, first)
    assert renewed(auth, first) == second
    assert renewed(auth, first) == second
    assert renewed(auth, second) not in (first, second)


def test_reuse_of_an_older_token_revokes_the_family(
    auth: Auth, account: Account, sql: psycopg.Connection[Any]
) -> None:
    first = auth.sign_in(account)["refresh_token"]
    second = renewed(auth, first)
    third = renewed(auth, second)
    age(sql, first)
    assert_error(auth.refresh(first), *USED)
    age(sql, first)
    assert_error(auth.refresh(third), *USED)
    assert_error(auth.refresh(second), *USED)


def test_another_session_of_the_user_survives(
    auth: Auth, account: Account, sql: psycopg.Connection[Any]
) -> None:
    first, other = auth.sign_in(account)["refresh_token"], auth.sign_in(account)["refresh_token"]
    renewed(auth, renewed(auth, first))
    age(sql, first)
    assert_error(auth.refresh(first), *USED)
    assert renewed(auth, other)


def test_refreshes_at_once_rotate_once(auth: Auth, account: Account, sql: psycopg.Connection[Any]) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):  # one round may not meet: a server's pool has to fill first
            first = auth.sign_in(account)["refresh_token"]
            (second,) = set(pool.map(lambda token: renewed(auth, token), [first] * 8))
            children = sql.execute(
                "select token from auth.refresh_tokens where parent = %s", [first]
            ).fetchall()
            assert children == [(second,)]


@pytest.mark.parametrize("token", ["", "short", "much-too-long-for-a-token"])
def test_a_malformed_token_is_refused(auth: Auth, token: str) -> None:
    response = auth.refresh(token)
    if token:
        assert_error(response, 400, "validation_failed", "Refresh token is not valid")
    assert response.status_code == 400


def test_an_unknown_token_is_refused(auth: Auth) -> None:
    message = "Invalid Refresh Token: Refresh Token Not Found"
    assert_error(auth.refresh("zzzzzzzzzzzz"), 400, "refresh_token_not_found", message)
