"""POST /logout: which sessions end."""

from __future__ import annotations

import pytest

from tests.py.contract.auth_client import Account, Auth, assert_error

ENDED = (403, "session_not_found", "Session from session_id claim in JWT does not exist")


@pytest.mark.parametrize(
    ("scope", "mine_ends", "others_end"),
    [("", True, True), ("global", True, True), ("local", True, False), ("others", False, True)],
)
def test_a_scope_ends_its_sessions(
    auth: Auth, account: Account, scope: str, mine_ends: bool, others_end: bool
) -> None:
    mine, other = auth.sign_in(account), auth.sign_in(account)
    response = auth.as_user(mine["access_token"]).post("/logout", params={"scope": scope} if scope else {})
    assert (response.status_code, response.content) == (204, b"")
    for session, ended in ((mine, mine_ends), (other, others_end)):
        seen = auth.as_user(session["access_token"]).get("/user")
        refreshed = auth.refresh(session["refresh_token"])
        if ended:
            assert_error(seen, *ENDED)
            assert (refreshed.status_code, refreshed.json()["error_code"]) == (400, "refresh_token_not_found")
        else:
            assert (seen.status_code, refreshed.status_code) == (200, 200)


def test_an_unknown_scope_is_refused(auth: Auth, account: Account) -> None:
    me = auth.as_user(auth.sign_in(account)["access_token"])
    response = me.post("/logout", params={"scope": "everybody"})
    assert (response.status_code, response.json()["error_code"]) == (400, "validation_failed")
    assert me.get("/user").status_code == 200


def test_nobody_signs_out_without_a_token(auth: Auth) -> None:
    message = "This endpoint requires a valid Bearer token"
    assert_error(auth.nobody.post("/logout"), 401, "no_authorization", message)
