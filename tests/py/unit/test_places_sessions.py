"""Session tokens: whose they are, and that no other passes."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.places.sessions import Session, SessionTokens
from workers.refusal import Refusal

TOKENS = SessionTokens("a-secret-of-the-tests-of-forty-two-characters")
ids = st.uuids(version=4)


@given(ids, ids, ids, ids)
def test_a_token_opens_for_its_user_and_for_no_other(
    session: uuid.UUID, workspace: uuid.UUID, user: uuid.UUID, other: uuid.UUID
) -> None:
    token = TOKENS.issue(Session(session, workspace), str(user))
    assert TOKENS.open(token, str(user)) == Session(session, workspace)
    if other != user:
        with pytest.raises(Refusal):
            TOKENS.open(token, str(other))


@given(ids, ids, ids, st.integers(min_value=0), st.integers(1, 255))
def test_a_token_with_one_byte_changed_opens_nothing(
    session: uuid.UUID, workspace: uuid.UUID, user: uuid.UUID, position: int, flip: int
) -> None:
    import base64

    token = TOKENS.issue(Session(session, workspace), str(user))
    data = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    data[position % len(data)] ^= flip
    with pytest.raises(Refusal):
        TOKENS.open(base64.urlsafe_b64encode(data).rstrip(b"=").decode(), str(user))


@given(st.text(max_size=100))
def test_no_text_makes_it_fail_otherwise_than_by_refusing(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        TOKENS.open(text, str(uuid.uuid4()))
    assert refused.value.code == "places_invalid_session"


def test_another_secret_opens_nothing() -> None:
    user = str(uuid.uuid4())
    token = TOKENS.issue(Session(uuid.uuid4(), uuid.uuid4()), user)
    with pytest.raises(Refusal):
        SessionTokens("another-secret-of-the-tests-of-forty-two-chars").open(token, user)
