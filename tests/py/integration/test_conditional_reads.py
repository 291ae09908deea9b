"""An unchanged answer is not sent twice: ETags and If-None-Match, through the gateway."""

from __future__ import annotations

import httpx
import pytest

from tests.py.integration.landlord import Landlord

SEARCH = "/rest/v1/rpc/search?q=elm"


def tagged(api: httpx.Client, path: str = SEARCH) -> str:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.headers["etag"]


def test_an_answer_carries_a_tag_that_nobody_else_s_cache_may_use(landlord: Landlord) -> None:
    answer = landlord.api.get(SEARCH)
    assert [row["title"] for row in answer.json()["results"]] == ["1 Elm", "1", "2"]
    assert answer.headers["etag"].startswith('"')
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "authorization" in answer.headers["vary"].lower()


@pytest.mark.parametrize("known", ["{}", "W/{}", '"other", {}', '"a,b" ,W/"x",W/{}', "*"])
def test_who_has_it_is_told_so_and_sent_no_body(landlord: Landlord, known: str) -> None:
    tag = tagged(landlord.api)
    answer = landlord.api.get(SEARCH, headers={"If-None-Match": known.format(tag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("known", ['"other"', "", 'W/"other", "x"', "nonsense", '"', "{}x"])
def test_who_has_something_else_gets_the_answer(landlord: Landlord, known: str) -> None:
    tag = tagged(landlord.api)
    answer = landlord.api.get(SEARCH, headers={"If-None-Match": known.format(tag.strip('"'))})
    assert answer.status_code == 200
    assert answer.json()["results"]


def test_a_change_makes_another_tag(landlord: Landlord) -> None:
    tag = tagged(landlord.api)
    assert tagged(landlord.api) == tag
    landlord.add("units", property_id=landlord.property_id, unit_number="3")
    answer = landlord.api.get(SEARCH, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag


def test_a_tag_is_good_for_its_caller_alone(landlord: Landlord, stranger: Landlord) -> None:
    """Two who see other rows have other tags, and one's tag gives the other's answer not away."""
    tag = tagged(landlord.api)
    answer = stranger.api.get(SEARCH, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag


def test_a_post_is_answered_in_full(landlord: Landlord) -> None:
    answer = landlord.api.post(
        "/rest/v1/rpc/search", json={"q": "elm"}, headers={"If-None-Match": tagged(landlord.api)}
    )
    assert answer.status_code == 200
    assert answer.json()["results"]
    assert "etag" not in answer.headers
